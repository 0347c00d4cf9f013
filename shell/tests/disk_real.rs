//! The real binary on a disk that is really full, and on one whose sync fails. The first needs the right to mount
//! a tmpfs, the second needs `strace`; without them the test says SKIPPED.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SECRET: &str = "a-secret-of-the-tests";

/// `EX_IOERR`, as docs/operators.md has it.
const OF_THE_DISK: i32 = 74;

/// A server of its own data directory.
struct Server {
    child: Child,
    listen: SocketAddr,
    admin: SocketAddr,
    log: PathBuf,
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Server {
    /// Starts it; `wrapper` goes before the program.
    fn start(data: &Path, log: &Path, wrapper: &[&str]) -> Self {
        let (listen, admin) = (free_port(), free_port());
        let program = env!("CARGO_BIN_EXE_nobat");
        let argv: Vec<&str> = wrapper.iter().copied().chain([program, "serve"]).collect();
        let out = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(argv[0]);
        command.args(&argv[1..]).env_clear().current_dir(log.parent().unwrap());
        for (name, value) in [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("BOT_TOKEN_MAIN", "1000001:TEST".into()),
            // Nobody listens there: what is said is never sent, and need not be.
            ("TELEGRAM_API_ROOT", format!("http://{}", free_port())),
            ("NOBAT_LISTEN", listen.to_string()),
            ("NOBAT_ADMIN_LISTEN", admin.to_string()),
            ("NOBAT_DATA_DIR", data.display().to_string()),
            ("WEBHOOK_SECRET_TOKEN", SECRET.into()),
            ("NOBAT_JOURNAL_SEGMENT_KB", "64".into()),
        ] {
            command.env(name, value);
        }
        let child = command.stdout(Stdio::null()).stderr(out).spawn().unwrap();
        Self { child, listen, admin, log: log.to_owned() }
    }

    fn ready(mut self) -> Self {
        let since = Instant::now();
        while get(self.listen, "/readyz").is_none_or(|answer| !answer.starts_with("HTTP/1.1 200")) {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {}", self.said());
            assert!(since.elapsed() < Duration::from_secs(60), "it is not ready: {}", self.said());
            sleep(Duration::from_millis(20));
        }
        self
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The status of an update of a user of its own; none if there was no answer in time.
    fn update(&self, number: u64) -> Option<u16> {
        let user = 1_000 + number;
        let body = format!(
            "{{\"update_id\":{number},\"message\":{{\"message_id\":1,\"date\":1,\"chat\":{{\"id\":{user},\
             \"type\":\"private\"}},\"from\":{{\"id\":{user},\"is_bot\":false,\"first_name\":\"x\"}},\
             \"text\":\"/start\"}}}}"
        );
        let head = format!(
            "POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = ask(self.listen, &(head + &body))?;
        if answer.starts_with("HTTP/1.1 503") {
            assert!(answer.to_lowercase().contains("retry-after:"), "{answer}");
        }
        answer.split(' ').nth(1)?.parse().ok()
    }

    fn metric(&self, name: &str) -> Option<u64> {
        let page = get(self.admin, "/metrics")?;
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.parse().ok()
    }

    /// How it ended by itself.
    fn status(&mut self) -> Option<i32> {
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(at: SocketAddr, path: &str) -> Option<String> {
    ask(at, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
}

fn ask(at: SocketAddr, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(at).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    // A read that times out leaves what came by then.
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    (!text.is_empty()).then_some(text)
}

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
    let server = Server::start(&data, &log, &[]).ready();
    assert_eq!(server.update(1), Some(200));
    disk.fill();
    // What is set aside already still takes some; then one waits for its commit, and the next is refused.
    let stuck = until(&server, 2, &[None, Some(503)]);
    let refused = until(&server, stuck + 1, &[Some(503)]);
    assert_eq!(server.metric("nobat_journal_stalled"), Some(1));
    assert!(server.said().contains("free space on the disk"), "{}", server.said());
    disk.empty();
    let taken = until(&server, refused + 1, &[Some(200)]);
    assert_eq!(server.metric("nobat_journal_stalled"), Some(0));
    // What was taken in meanwhile is durable: as its own repeat it is answered at once.
    assert_eq!(server.update(stuck), Some(200));
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
    if !Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|s| s.success()) {
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
