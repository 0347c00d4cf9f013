//! SIGKILL at each call to the disk: the n-th open, write, sync, rename, removal, shortening or setting aside of
//! space of a thread, for n = 1, 2, 3 ... until the process lives through its load, each followed by a restart and
//! a look into the ledger.
//!
//! The process starts on what a killed one left (frames, snapshots, no seal), so that recovery has something to
//! do; its load rolls segments, makes a snapshot and removes what that covers. `strace` counts the calls of each
//! thread by itself, so besides a whole process from its start, each thread that writes is aimed at alone. By
//! default one of [`STRIDE`] numbers is taken; `NOBAT_EVERY_SYSCALL=1` takes them all.

use super::server::{Server, has_strace};
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Calls by which the data directory is changed.
const CALLS: [&str; 8] = [
    "pwrite64",
    "fdatasync",
    "fsync",
    "rename,renameat,renameat2",
    "unlink,unlinkat",
    "ftruncate",
    "fallocate",
    "openat,open,creat",
];

/// Whose calls are counted.
#[derive(Clone, Copy, Debug)]
enum Aim {
    /// Those of the process from its start: recovery, and what first comes after it.
    Start,
    /// Those of one thread, by its name, once the process is ready.
    Thread(&'static str),
    /// Those of all threads once the process is ready, the one that prepares segments among them.
    Running,
}

/// Each aim with calls that it must meet.
const AIMS: [(Aim, &[&str]); 4] = [
    (Aim::Start, &CALLS),
    (Aim::Thread("journal"), &["pwrite64", "fdatasync", "fsync", "rename,renameat,renameat2"]),
    (
        Aim::Thread("background"),
        &["pwrite64", "fdatasync", "fsync", "rename,renameat,renameat2", "unlink,unlinkat"],
    ),
    (Aim::Running, &["fallocate", "openat,open,creat"]),
];

/// So many first numbers are all taken.
const DENSE: usize = 4;

/// Of how many later numbers one is taken by default. A prime, so that calls that take turns all have theirs.
const STRIDE: usize = 29;

/// Updates before the first kill, and under `strace`.
const SEED: u64 = 800;
const LOAD: u64 = 200;

/// KiB of a segment: the least there is.
const SEGMENT_KB: u32 = 16;

/// What was tried, answered and seen, of updates numbered from 1.
struct Told {
    acknowledged: Vec<u64>,
    tried: u64,
}

/// Sends updates one by one until they are all answered, or nobody answers any more.
fn load(server: &mut Server, from: u64, to: u64) -> Told {
    let mut told = Told { acknowledged: Vec::new(), tried: from - 1 };
    for number in from..=to {
        told.tried = number;
        match server.update(number) {
            Some(200) => told.acknowledged.push(number),
            // Its tracer ends a moment after it.
            None if server.ends_within(Duration::from_secs(5)) => break,
            answer => panic!("{answer:?} of a process that lives: {}", server.said()),
        }
    }
    told
}

/// Starts again on what the killed process left, and compares.
fn check(data: &Path, log: &Path, acknowledged: &[u64], tried: u64) {
    let server = Server::with_segments(data, log, &[], SEGMENT_KB).ready();
    let pending = || server.metric("nobat_envelopes_pending");
    let since = Instant::now();
    // Set by the sending thread as soon as it runs.
    while pending().is_none_or(|n| n < acknowledged.len() as u64) && since.elapsed() < Duration::from_secs(3)
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    let pending = pending().expect("a gauge");
    let acked = acknowledged.len() as u64;
    assert!((acked..=tried).contains(&pending), "{acked} answered 200, {pending} have their answer pending");
    let known = |number: u64| {
        let before = server.metric("nobat_updates_duplicate_total").expect("a counter");
        assert_eq!(server.update(number), Some(200), "update {number}: {}", server.said());
        server.metric("nobat_updates_duplicate_total") == Some(before + 1)
    };
    // The last ones were in doubt at the kill; before them a sample tells as much as all.
    let sample = |&number: &u64| number + 6 > tried || number % 9 == tried % 9;
    for number in acknowledged.iter().copied().filter(sample) {
        assert!(known(number), "update {number} was answered 200 and is forgotten: {}", server.said());
    }
    if tried > acked {
        assert_eq!(known(tried), pending == tried, "seen if and only if it had its effect");
    }
}

/// Runs the load with a kill at the `nth` of these calls. `false`: there are not so many.
fn killed_at(seeded: &Path, aim: Aim, calls: &str, nth: usize) -> bool {
    let place = tempfile::tempdir().unwrap();
    let (data, log) = (place.path().join("data"), place.path().join("log"));
    fs::create_dir(&data).unwrap();
    for entry in fs::read_dir(seeded).unwrap().flatten() {
        // The socket of `nobat ctl` lies there too.
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), data.join(entry.file_name())).unwrap();
        }
    }
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:signal=SIGKILL:when={nth}"));
    let strace = ["strace", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let whole: Vec<&str> = strace.into_iter().chain(["-f"]).collect();
    let wrapper = if let Aim::Start = aim { &whole[..] } else { &[] };
    let mut server = Server::with_segments(&data, &log, wrapper, SEGMENT_KB);
    let ready = server.is_ready();
    let mut tracer = match aim {
        Aim::Start => None,
        Aim::Thread(name) => Some(attach(&strace, server.child.id(), server.thread(name))),
        Aim::Running => Some(attach(&whole, server.child.id(), server.child.id())),
    };
    let told = match ready {
        true => load(&mut server, SEED + 1, SEED + LOAD),
        false => Told { acknowledged: Vec::new(), tried: SEED },
    };
    let lived = told.tried == SEED + LOAD && !server.ends_within(Duration::from_millis(300));
    if lived && tracer.is_none() {
        // Without it the process would outlive its tracer.
        server.kill_holder(&data);
    }
    drop(server);
    if let Some(tracer) = &mut tracer {
        // It ends with what it traced.
        tracer.wait().unwrap();
    }
    let acknowledged: Vec<u64> = (1..=SEED).chain(told.acknowledged).collect();
    check(&data, &log, &acknowledged, told.tried);
    !lived
}

/// Traces a running process, or a thread of it, from now on.
fn attach(strace: &[&str], process: u32, thread: u32) -> Child {
    let tracer =
        Command::new(strace[0]).args(&strace[1..]).args(["-p", &thread.to_string()]).spawn().unwrap();
    let status = format!("/proc/{process}/task/{thread}/status");
    let since = Instant::now();
    while fs::read_to_string(&status).unwrap().contains("TracerPid:\t0\n") {
        assert!(since.elapsed() < Duration::from_secs(10), "strace does not attach");
        std::thread::sleep(Duration::from_millis(1));
    }
    tracer
}

#[test]
fn killed_at_any_call_to_the_disk_it_comes_back_with_all_that_was_answered_and_nothing_twice() {
    if !has_strace() {
        eprintln!("SKIPPED: no strace");
        return;
    }
    let seeded = tempfile::tempdir().unwrap();
    let log = seeded.path().join("log");
    let data = seeded.path().join("data");
    let mut server = Server::with_segments(&data, &log, &[], SEGMENT_KB).ready();
    assert_eq!(load(&mut server, 1, SEED).acknowledged.len() as u64, SEED);
    drop(server);

    let every = std::env::var_os("NOBAT_EVERY_SYSCALL").is_some();
    let mut all = 0;
    for (aim, calls) in AIMS.iter().flat_map(|(aim, calls)| calls.iter().map(move |calls| (*aim, calls))) {
        let (mut kills, mut nth) = (0, 1);
        while killed_at(&data, aim, calls, nth) {
            kills += 1;
            nth += if every || nth <= DENSE { 1 } else { STRIDE };
        }
        println!("{aim:?}, {calls}: {kills} kills; it lives through its load with fewer than {nth}");
        assert!(kills > 0, "{aim:?} does not call {calls}: the list is out of date");
        all += kills;
    }
    println!("{all} kills in all");
}
