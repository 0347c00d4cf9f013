//! How long a start takes, and what a snapshot costs those who are being answered meanwhile.
//!
//! `cargo bench -p nobat-benches --bench recovery`; the directory is `TMPDIR`, which must be on a real disk. The
//! windows with and without a snapshot are interleaved, so that a noisy neighbour hits both alike. With
//! `-- --follower`: the follower in a process of its own, over a snapshot and 64 MiB of journal, and its memory.

use hdrhistogram::Histogram;
use nobat::disk::io::FsDirectory;
use nobat::disk::{Committed, DiskError, Entry, Hooks, JournalHandle, Options, follow, snapshot, spawn};
use nobat::recovery::{self, Pace};
use nobat_bots::results::{ResultsBot, Settings, Shelf};
use nobat_core::bot::Input;
use nobat_core::engine::{self, Detached, Ended, Engine, Inbound, Kind};
use nobat_core::envelope::{Conversation, End};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{ChatId, EnvelopeId, KindIx, LaneIx, MessageId, Seq, UpdateId, UserId};
use nobat_core::sync::ring::{Producer, Reservation, ring};
use nobat_core::time::{Nanos, Now, UnixMillis};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

struct Size {
    users: u64,
    pending: u64,
    /// Snapshot windows, each beside one without.
    pairs: usize,
    window: Duration,
}

const FULL: Size = Size { users: 100_000, pending: 50_000, pairs: 9, window: Duration::from_secs(5) };
const QUICK: Size = Size { users: 2_000, pending: 1_000, pairs: 1, window: Duration::from_millis(200) };

/// Updates a second while windows are measured.
const UPDATES_PER_S: u32 = 500;

struct Ring(Producer<Entry<()>>);

impl engine::Journal for Ring {
    type Room<'a> = Reservation<'a, Entry<()>>;
    fn reserve(&self, bytes: usize, _: engine::Rank) -> Option<Self::Room<'_>> {
        self.0.try_reserve(bytes as u64)
    }
    fn push(&self, mut room: Self::Room<'_>, entry: engine::Entry) -> Seq {
        room.shrink_to(entry.payload.len() as u64);
        Seq(self.0.push(room, Entry { payload: entry.payload, extra: () }))
    }
    fn tail(&self) -> Seq {
        Seq(self.0.tail() - 1)
    }
}

/// When each commit was done: the last frame, and the instant.
#[derive(Clone, Default)]
struct Done(Arc<Mutex<Vec<(u64, Instant)>>>);

impl Hooks<()> for Done {
    fn committed(&mut self, batch: &mut Vec<Committed<()>>) {
        if let Some(last) = batch.last() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((last.seq.0, Instant::now()));
        }
    }
    fn stalled(&mut self, error: &DiskError) {
        panic!("{error}");
    }
    fn healed(&mut self) {}
    fn failed(&mut self, error: &DiskError) {
        panic!("{error}");
    }
}

fn detached() -> Engine<Detached> {
    let bot = ResultsBot::new(Settings::default(), Arc::new(Shelf::default()));
    Engine::new(vec![Kind::new(bot, 17, Rate::new(256, Duration::from_secs(1)))], 7)
}

fn ask(engine: &Engine<Ring>, update: u64, user: u64) -> Seq {
    let now = Now { mono: Nanos::from_millis(update), wall: UnixMillis(1_800_000_000_000 + update) };
    let inbound = Inbound {
        kind: KindIx(0),
        lane: LaneIx(0),
        update: UpdateId(update as i64),
        user: UserId(user),
        chat: ChatId(user as i64),
        language: "ar",
        input: Input::Text { text: "/start".into(), message: MessageId(1), reply_to: None },
    };
    loop {
        match engine.handle_update(now, &inbound) {
            Ok(admitted) => return admitted.after,
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn end(engine: &Engine<Ring>, user: u64, seq: Seq) {
    let conversation = Conversation { kind: KindIx(0), user: UserId(user) };
    let ended = Ended { conversation, id: EnvelopeId::new(seq, 0), end: End::Sent };
    while engine.settle(&[ended], &[]).is_err() {
        thread::sleep(Duration::from_millis(1));
    }
}

/// A process on `dir`: its engine, its journal thread, and when commits were done.
fn up(dir: &Path) -> (Arc<Engine<Ring>>, JournalHandle, Done, Duration, u64) {
    let began = Instant::now();
    let files = Arc::new(FsDirectory::new(dir));
    let options = Options { segment_bytes: 16 << 20, ..Options::new(dir) };
    let recovery = recovery::recover(files, &options, 1, None, detached()).expect("recovered");
    let took = began.elapsed();
    let frames = recovery.recovered.frames;
    let (producer, consumer) = ring(1 << 14, 64 << 20, recovery.journal.next_seq());
    let done = Done::default();
    let handle = spawn(recovery.journal, consumer, done.clone()).expect("a thread");
    (Arc::new(recovery.engine.attach(Ring(producer))), handle, done, took, frames)
}

/// Users who asked, of whom some wait for their answer.
fn fill(dir: &Path, size: &Size) {
    let (engine, handle, ..) = up(dir);
    for user in 1..=size.users {
        let seq = ask(&engine, user, user);
        if user > size.pending {
            end(&engine, user, seq);
        }
    }
    handle.stop_and_join().expect("stopped");
}

fn make_snapshot(dir: &Path, by: &Engine<impl Sized>, stop: &AtomicBool) -> bool {
    let files = FsDirectory::new(dir);
    let Some(due) = follow::due(&files).expect("readable") else { return false };
    let mut pace = Pace::new(stop);
    recovery::snapshot(&files, by, &due, UnixMillis(0), &mut |bytes| pace.spend(bytes)).expect("made");
    snapshot::prune(&files).expect("pruned");
    true
}

fn starts(dir: &Path, size: &Size) {
    let (users, pending) = (size.users, size.pending);
    println!("\na start with {users} users and {pending} envelopes without an end:");
    for what in ["the journal alone", "a snapshot and an empty tail"] {
        let mut took: Vec<(Duration, u64)> = (0..5)
            .map(|_| {
                let (engine, handle, _, took, frames) = up(dir);
                assert_eq!((engine.users() as u64, engine.pending()), (users, pending));
                handle.stop_and_join().expect("stopped");
                (took, frames)
            })
            .collect();
        took.sort_unstable();
        let (least, median, most) = (took[0].0, took[2].0, took[4].0);
        let frames = took[0].1;
        println!("  {what:30} {frames:7} frames: {median:?} (5 starts: {least:?} to {most:?})");
        make_snapshot(dir, &detached(), &AtomicBool::new(false));
    }
}

/// Updates at a steady rate for a window; how long each waited until it was durable.
fn window(
    engine: &Engine<Ring>,
    done: &Done,
    size: &Size,
    next: &mut u64,
    mut busy: impl FnMut() -> bool,
) -> Histogram<u64> {
    let began = Instant::now();
    let mut asked = Vec::new();
    while began.elapsed() < size.window || busy() {
        let at = began + Duration::from_secs(asked.len() as u64) / UPDATES_PER_S;
        thread::sleep(at.saturating_duration_since(Instant::now()));
        *next += 1;
        let (start, user) = (Instant::now(), *next % size.users + 1);
        let seq = ask(engine, size.users + *next, user);
        asked.push((seq.0, start));
        if next.is_multiple_of(4) {
            end(engine, user, seq);
        }
    }
    let last = asked.last().map_or(0, |asked| asked.0);
    let mut commits = Vec::new();
    while commits.last().is_none_or(|&(seq, _): &(u64, Instant)| seq < last) {
        thread::sleep(Duration::from_millis(2));
        commits.extend(done.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..));
    }
    let mut waits = Histogram::new(3).expect("3 digits");
    for (seq, start) in asked {
        let at = commits.partition_point(|&(durable, _)| durable < seq);
        let _ = waits.record(commits[at].1.saturating_duration_since(start).as_micros() as u64);
    }
    waits
}

/// Makes snapshots fall due by much journal, quickly.
fn churn(engine: &Engine<Ring>, size: &Size, next: &mut u64) {
    for _ in 0..size.users * 3 / 2 {
        *next += 1;
        let user = *next % size.users + 1;
        let seq = ask(engine, size.users + *next, user);
        end(engine, user, seq);
    }
}

fn windows(dir: &Path, size: &Size) {
    let (engine, handle, done, ..) = up(dir);
    let (mut next, mut ratios, mut memory) = (0, Vec::new(), 0);
    println!("\n{UPDATES_PER_S} updates/s, from update to durable, p99 / p99.9 / max in us:");
    for pair in 0..size.pairs {
        churn(&engine, size, &mut next);
        let mut with = None;
        let mut without = None;
        // Which comes first alternates.
        for snapshotting in [pair % 2 == 0, pair % 2 == 1] {
            done.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
            if !snapshotting {
                without = Some(window(&engine, &done, size, &mut next, || false));
                continue;
            }
            let before = reset_peak();
            thread::scope(|scope| {
                let by = &engine;
                let follower = scope.spawn(move || {
                    recovery::stand_back();
                    make_snapshot(dir, by, &AtomicBool::new(false))
                });
                with = Some(window(&engine, &done, size, &mut next, || !follower.is_finished()));
                assert!(follower.join().expect("no panic") || size.pairs == 1, "a snapshot was made");
            });
            memory = memory.max(peak().saturating_sub(before));
        }
        let (Some(with), Some(without)) = (with, without) else { continue };
        let line = |h: &Histogram<u64>| {
            let [p99, p999, max] = [h.value_at_quantile(0.99), h.value_at_quantile(0.999), h.max()];
            format!("{p99:6} / {p999:6} / {max:6}")
        };
        let ratio = with.value_at_quantile(0.999) as f64 / without.value_at_quantile(0.999).max(1) as f64;
        println!("  with a snapshot {}   without {}   ratio {ratio:.2}", line(&with), line(&without));
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "median ratio of the p99.9 over {} pairs: {:.2} (from {:.2} to {:.2}); follower's peak memory {} MB",
        ratios.len(),
        ratios[ratios.len() / 2],
        ratios[0],
        ratios[ratios.len() - 1],
        memory >> 20
    );
    handle.stop_and_join().expect("stopped");
}

/// Forgets the peak so far; resident memory now, in bytes. 0 where there is no `/proc`.
fn reset_peak() -> u64 {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    field("VmRSS:")
}

fn peak() -> u64 {
    field("VmHWM:")
}

fn field(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) << 10
}

/// KiB of journal after which a snapshot is due, unless it is configured.
const DUE_BYTES: u64 = 64 << 20;

/// Journals until a snapshot is due, then follows in a process that does nothing else.
fn follower_alone(size: &Size) {
    let dir = tempfile::tempdir().expect("a directory");
    fill(dir.path(), size);
    drop(up(dir.path()).1.stop_and_join());
    assert!(make_snapshot(dir.path(), &detached(), &AtomicBool::new(false)), "the first snapshot");
    let (engine, handle, ..) = up(dir.path());
    let (files, mut next) = (FsDirectory::new(dir.path()), 0);
    let due = || follow::due(&files).expect("readable").map_or(0, |due| due.bytes);
    while due() < DUE_BYTES {
        churn(&engine, size, &mut next);
    }
    handle.stop_and_join().expect("stopped");
    let image = newest_image(dir.path());
    println!(
        "\n{} users, of whom all changed; a snapshot of {} MB, then {} MB of journal:",
        size.users,
        image >> 20,
        due() >> 20
    );
    let this = std::env::current_exe().expect("a path");
    let status = std::process::Command::new(this).arg("--follow").arg(dir.path()).status().expect("it runs");
    assert!(status.success());
}

fn newest_image(dir: &Path) -> u64 {
    let images = std::fs::read_dir(dir).expect("readable").flatten();
    let sizes = images.filter(|file| file.file_name().to_string_lossy().ends_with(".snap"));
    sizes.filter_map(|file| Some(file.metadata().ok()?.len())).max().unwrap_or(0)
}

/// The other process.
fn follow_here(dir: &Path) {
    let engine = detached();
    let before = reset_peak();
    let began = Instant::now();
    assert!(make_snapshot(dir, &engine, &AtomicBool::new(false)), "a snapshot was made");
    let (took, peak) = (began.elapsed(), peak());
    println!(
        "  the follower's own memory: {:.1} MB at its peak ({:.1} MB with the program's own {:.1}); it took {took:.1?}",
        (peak - before) as f64 / 1e6,
        peak as f64 / 1e6,
        before as f64 / 1e6,
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|word| word == "--follow") {
        return follow_here(Path::new(&arguments[at + 1]));
    }
    if arguments.iter().any(|word| word == "--follower") {
        return follower_alone(&FULL);
    }
    let size = if std::env::args().any(|arg| arg == "--test") { QUICK } else { FULL };
    let dir = tempfile::tempdir().expect("a directory");
    fill(dir.path(), &size);
    starts(dir.path(), &size);
    windows(dir.path(), &size);
}
