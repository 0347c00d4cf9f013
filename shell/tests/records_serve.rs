//! Records as an operator meets them: the real binary, its SQLite file, and what a broken one does to the bot.

use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SECRET: &str = "a-secret-of-the-tests";
/// Longer than any step needs; only a bug reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A chat bot of its own data directory, whose platform is away.
struct Server {
    child: Child,
    listen: SocketAddr,
    admin: SocketAddr,
    log: PathBuf,
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address")
}

impl Server {
    fn start(place: &Path, env: &[(&str, &str)]) -> Self {
        let (listen, admin) = (free_port(), free_port());
        let log = place.join("log");
        let out = fs::OpenOptions::new().create(true).append(true).open(&log).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_nobat"))
            .arg("serve")
            .env_clear()
            .current_dir(place)
            .env("BOT_TOKENS", "1000001:TEST,1000002:TEST")
            .env("TELEGRAM_API_ROOT", format!("http://{}", free_port()))
            .env("NOBAT_LISTEN", listen.to_string())
            .env("NOBAT_ADMIN_LISTEN", admin.to_string())
            .env("WEBHOOK_SECRET_TOKEN", SECRET)
            .env("NOBAT_JOURNAL_SEGMENT_KB", "64")
            .envs(env.iter().copied())
            .stdout(Stdio::null())
            .stderr(out)
            .spawn()
            .expect("it runs");
        let mut server = Self { child, listen, admin, log };
        let until = Instant::now() + PATIENCE;
        while !get(server.listen, "/readyz").starts_with("HTTP/1.1 200") {
            assert!(server.child.try_wait().expect("a status").is_none(), "it ended: {}", server.said());
            assert!(Instant::now() < until, "it is not ready: {}", server.said());
            sleep(Duration::from_millis(20));
        }
        server
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// `/start` of a user; the status.
    fn update(&self, user: u64) -> String {
        let body = format!(
            "{{\"update_id\":{user},\"message\":{{\"message_id\":1,\"date\":1,\"chat\":{{\"id\":{user},\
             \"type\":\"private\"}},\"from\":{{\"id\":{user},\"is_bot\":false,\"first_name\":\"x\"}},\
             \"text\":\"/start\"}}}}"
        );
        let head = format!(
            "POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        ask(self.listen, &(head + &body))
    }

    fn metric(&self, name: &str) -> u64 {
        let page = get(self.admin, "/metrics");
        let line = page.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.and_then(|value| value.trim().parse().ok()).unwrap_or_else(|| panic!("no {name} in {page}"))
    }

    #[track_caller]
    fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is(self) {
            assert!(Instant::now() < until, "{what}: {}", self.said());
            sleep(Duration::from_millis(50));
        }
    }

    /// A clean stop.
    fn stop(mut self) {
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.child),
            rustix::process::Signal::TERM,
        )
        .expect("told");
        assert!(self.child.wait().expect("a status").success(), "{}", self.said());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(to: SocketAddr, request: &str) -> String {
    let mut answer = String::new();
    if let Ok(mut stream) = TcpStream::connect(to) {
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let _ =
            stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer).map(drop));
    }
    answer
}

fn get(from: SocketAddr, path: &str) -> String {
    ask(from, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
}

fn users(path: &Path) -> Vec<i64> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = Connection::open_with_flags(path, flags).expect("a database");
    let mut read = db.prepare("SELECT user_id FROM nobat_users ORDER BY user_id").expect("a table");
    let rows = read.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

#[test]
fn who_wrote_is_in_the_file_also_after_a_kill_and_a_stop() {
    let place = tempfile::tempdir().expect("a place");
    let file = place.path().join("data/records.sqlite");
    let mut server = Server::start(place.path(), &[]);
    for user in 1..=20 {
        assert!(server.update(user).starts_with("HTTP/1.1 200"));
    }
    server.until("level", |server| {
        server.metric("nobat_records_lag_frames") == 0 && server.metric("nobat_records_connected") == 1
    });
    assert_eq!(users(&file), (1..=20).collect::<Vec<_>>());
    for user in 21..=40 {
        assert!(server.update(user).starts_with("HTTP/1.1 200"));
    }
    server.child.kill().expect("killed");
    drop(server);
    let server = Server::start(place.path(), &[]);
    server.until("level", |server| {
        server.metric("nobat_records_lag_frames") == 0 && server.metric("nobat_records_connected") == 1
    });
    assert_eq!(users(&file), (1..=40).collect::<Vec<_>>());
    // What comes right before a stop is written by it.
    assert!(server.update(41).starts_with("HTTP/1.1 200"));
    server.stop();
    assert_eq!(users(&file).len(), 41);
}

#[test]
fn a_file_that_cannot_be_written_never_hurts_the_bot_and_is_made_up_for() {
    let place = tempfile::tempdir().expect("a place");
    // The folder that it should lie in is a file, for now.
    let folder = place.path().join("later");
    fs::write(&folder, "").expect("written");
    let file = folder.join("records.sqlite");
    let shown = file.display().to_string();
    let server = Server::start(place.path(), &[("NOBAT_RECORDS_SQLITE_PATH", &shown)]);
    for user in 1..=20 {
        assert!(server.update(user).starts_with("HTTP/1.1 200"));
    }
    server.until("told", |server| server.metric("nobat_records_failures_total") > 1);
    assert_eq!(server.metric("nobat_records_connected"), 0);
    assert!(server.metric("nobat_records_lag_frames") >= 20);
    let said = server.said();
    assert_eq!(said.matches("records cannot be written").count(), 1, "once a minute: {said}");
    fs::remove_file(&folder).and_then(|()| fs::create_dir(&folder)).expect("a folder");
    server.until("level", |server| server.metric("nobat_records_connected") == 1);
    server.until("level", |server| server.metric("nobat_records_lag_frames") == 0);
    assert_eq!(users(&file), (1..=20).collect::<Vec<_>>());
    assert!(server.said().contains("records are written again"));
}

#[test]
fn switched_off_there_is_no_file() {
    let place = tempfile::tempdir().expect("a place");
    let server = Server::start(place.path(), &[("NOBAT_RECORDS_STORE", "off")]);
    assert!(server.update(1).starts_with("HTTP/1.1 200"));
    server.stop();
    assert!(!place.path().join("data/records.sqlite").exists());
}

#[test]
fn a_full_disk_of_the_records_alone_is_told_and_the_bot_goes_on() {
    let place = tempfile::tempdir().expect("a place");
    let small = place.path().join("small");
    fs::create_dir(&small).expect("a folder");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"])
        .arg(&small)
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        let _ = writeln!(std::io::stderr(), "******** SKIPPED: no right to mount a tmpfs");
        return;
    }
    let unmount = || Command::new("umount").arg(&small).status();
    let shown = small.join("records.sqlite").display().to_string();
    let server = Server::start(place.path(), &[("NOBAT_RECORDS_SQLITE_PATH", &shown)]);
    for user in 1..=1500 {
        assert!(server.update(user).starts_with("HTTP/1.1 200"));
    }
    server.until("told", |server| server.said().contains("database or disk is full"));
    assert!(server.update(1501).starts_with("HTTP/1.1 200"));
    let grown = Command::new("mount").args(["-o", "remount,size=16m"]).arg(&small).status();
    assert!(grown.expect("mount runs").success());
    server.until("level", |server| {
        server.metric("nobat_records_connected") == 1 && server.metric("nobat_records_lag_frames") == 0
    });
    assert_eq!(users(&small.join("records.sqlite")).len(), 1501);
    server.stop();
    let _ = unmount();
}
