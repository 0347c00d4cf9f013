//! The real binary on a disk that is really full, on one whose sync fails, and killed at each of its calls to the
//! disk ([`kills`]). The first needs the right to mount a tmpfs, the others need `strace`; without them the tests
//! say SKIPPED.

#[path = "../support/ear.rs"]
mod ear;
mod kills;
mod server;

use server::{OF_THE_DISK, Server, has_strace};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A small file system, gone when dropped.
struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(at: PathBuf) -> Option<Self> {
        fs::create_dir_all(&at).ok()?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "nobat-test"]).arg(&at).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(at))
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filler")).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
    }

    fn empty(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[track_caller]
fn wait_for(what: &str, is: impl Fn() -> bool) {
    let since = Instant::now();
    while !is() {
        assert!(since.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Sends updates until one is answered so, and gives its number.
fn until(server: &Server, mut number: u64, wanted: &[Option<u16>]) -> u64 {
    let since = Instant::now();
    loop {
        let status = server.update(number);
        if wanted.contains(&status) {
            return number;
        }
        assert!(since.elapsed() < Duration::from_secs(60), "{status:?} for ever: {}", server.said());
        number += 1;
    }
}

#[test]
fn on_a_full_disk_updates_wait_with_the_platform_and_it_goes_on_by_itself_when_space_returns() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = Tmpfs::mount(dir.path().join("disk")) else {
        eprintln!("SKIPPED: no right to mount a tmpfs");
        return;
    };
    let (data, log) = (disk.0.join("data"), dir.path().join("log"));
    let ear = ear::Ear::open();
    let platform = format!("TELEGRAM_API_ROOT={}", ear.root());
    let server = Server::start(&data, &log, &["env", &platform, "NOBAT_ADMIN_USER_IDS=77"]).ready();
    assert_eq!(server.update(1), Some(200));
    disk.fill();
    // What is set aside already still takes some; then one waits for its commit, and the next is refused.
    let stuck = until(&server, 2, &[None, Some(503)]);
    let refused = until(&server, stuck + 1, &[Some(503)]);
    assert_eq!(server.metric("nobat_journal_stalled"), Some(1));
    assert!(server.said().contains("free space on the disk"), "{}", server.said());
    // Who looks after it hears of it, although nothing can be journaled.
    // That no snapshot can be made there may be told as well.
    let told = |what: &str| ear.told(77).iter().filter(|text| text.contains(what)).count();
    wait_for("an alert", || told("Free space on the disk") == 1);
    disk.empty();
    let taken = until(&server, refused + 1, &[Some(200)]);
    assert_eq!(server.metric("nobat_journal_stalled"), Some(0));
    // What was taken in meanwhile is durable: as its own repeat it is answered at once.
    assert_eq!(server.update(stuck), Some(200));
    wait_for("the end of the trouble", || told("the journal is written again") == 1);
    assert_eq!(told("Free space on the disk"), 1, "{:?}", ear.told(77));
    drop(server);

    // Killed; everything is there, and a start without space, and without a spare segment, says what to do.
    let _ = fs::remove_file(data.join("spare.ready"));
    disk.fill();
    let mut hopeless = Server::start(&data, &log, &[]);
    assert_eq!(hopeless.status(), Some(OF_THE_DISK), "{}", hopeless.said());
    assert!(hopeless.said().contains("free some space"), "{}", hopeless.said());
    disk.empty();
    let server = Server::start(&data, &log, &[]).ready();
    let before = server.metric("nobat_updates_duplicate_total").unwrap();
    assert_eq!((server.update(1), server.update(taken)), (Some(200), Some(200)));
    assert_eq!(server.metric("nobat_updates_duplicate_total"), Some(before + 2), "they are remembered");
}

#[test]
fn after_a_failed_sync_nothing_is_answered_200_and_the_next_start_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    if !has_strace() {
        eprintln!("SKIPPED: no strace");
        return;
    }
    let (data, log) = (dir.path().join("data"), dir.path().join("log"));
    // The fifth sync of the process is one of a commit: the start needs fewer.
    let inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e"];
    let wrapper: Vec<&str> = inject.into_iter().chain(["inject=fdatasync:error=EIO:when=6+"]).collect();
    let mut server = Server::start(&data, &log, &wrapper).ready();
    let (mut taken, mut number) = (Vec::new(), 1);
    while server.child.try_wait().unwrap().is_none() && number < 100 {
        if server.update(number) == Some(200) {
            taken.push(number);
        }
        number += 1;
    }
    assert_eq!(server.status(), Some(OF_THE_DISK), "{}", server.said());
    assert!(server.said().contains("nothing more is acknowledged"), "{}", server.said());
    assert!(taken.len() < 20, "{} were answered 200 without a sync", taken.len());
    drop(server);
    let server = Server::start(&data, &log, &[]).ready();
    for number in &taken {
        assert_eq!(server.update(*number), Some(200));
    }
    assert_eq!(server.metric("nobat_updates_duplicate_total"), Some(taken.len() as u64));
}
