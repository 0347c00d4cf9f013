//! `nobat` as an operator meets it when something is wrong: the binary itself, its exit status and its words.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than any test needs; only a bug reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

fn nobat(dir: &Path, env: &[(&str, &str)], args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nobat"));
    command.args(args).env_clear().current_dir(dir).stdin(Stdio::null());
    command.envs([("BOT_TOKEN_MAIN", "1000001:TEST"), ("TELEGRAM_API_ROOT", "http://127.0.0.1:9")]);
    command.envs(env.iter().copied());
    command
}

/// The exit status, and what was said of why.
fn refused(dir: &Path, env: &[(&str, &str)], args: &[&str]) -> (i32, String) {
    let ended = nobat(dir, env, args).output().expect("it runs");
    let says = String::from_utf8(ended.stderr).expect("UTF-8");
    (ended.status.code().expect("no signal"), says)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port()
}

/// A server that runs although something is wrong.
struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    admin: SocketAddr,
    _dir: TempDir,
}

impl Running {
    fn start(env: &[(&str, &str)], prepare: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        prepare(dir.path());
        let port = free_port().to_string();
        let mut command = nobat(dir.path(), env, &["serve"]);
        let mut child = command
            .env("ADMIN_PORT", &port)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let admin = format!("127.0.0.1:{port}").parse().expect("an address");
        Self { child, log, admin, _dir: dir }
    }

    /// Reads the log up to the line with these words.
    #[track_caller]
    fn says(&mut self, words: &str) -> String {
        let (mut line, mut all) = (String::new(), String::new());
        while self.log.read_line(&mut line).expect("UTF-8") > 0 {
            if line.contains(words) {
                return line;
            }
            all.push_str(&line);
            line.clear();
        }
        panic!("it ended without saying `{words}`:\n{all}");
    }

    /// The status of a page of the admin listener.
    fn asks(&self, path: &str) -> u16 {
        let mut stream = TcpStream::connect(self.admin).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer[9..12].parse().expect("a status")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A platform that answers every call alike.
fn platform(status: u16, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
        }
    });
    format!("http://{address}")
}

#[test]
fn without_a_command_it_says_which_there_are() {
    let dir = tempfile::tempdir().expect("a directory");
    let (status, says) = refused(dir.path(), &[], &[]);
    assert!(status == 2 && says.contains("Usage: nobat") && says.contains("webhook"), "{says}");
    let (status, says) = refused(dir.path(), &[], &["srve"]);
    assert!(status == 2 && says.contains("'serve'"), "{says}");
}

#[test]
fn every_command_explains_itself() {
    let dir = tempfile::tempdir().expect("a directory");
    let commands = "|serve|check|doctor|webhook|webhook setup|webhook verify|webhook info|webhook clear|results|\
                    results import|journal|journal verify|journal dump|export|backup|restore|secrets|secrets set|secrets rotate";
    for command in commands.split('|') {
        let words: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
        let ended = nobat(dir.path(), &[], &words).output().expect("it runs");
        let says = String::from_utf8(ended.stdout).expect("UTF-8");
        assert!(ended.status.success() && says.contains("Usage: nobat"), "{command}: {says}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).expect("read").count(), 0, "nothing was made");
}

#[test]
fn a_port_in_use_is_named_with_its_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let (status, says) = refused(dir.path(), &[("ADMIN_PORT", &port)], &["serve"]);
    assert_eq!(status, 1, "{says}");
    assert!(says.contains("server.admin_listen (ADMIN_PORT): cannot listen on 127.0.0.1:"), "{says}");
    assert!(says.contains("stop it or choose another port"), "{says}");
    let listen = format!("127.0.0.1:{port}");
    let env = [("NOBAT_LISTEN", listen.as_str()), ("ADMIN_PORT", "0")];
    let (status, says) = refused(dir.path(), &env, &["serve"]);
    assert!(status == 1 && says.contains("server.listen (NOBAT_LISTEN, PORT): cannot listen on"), "{says}");
}

#[test]
fn a_data_directory_that_is_none_or_somebody_elses_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("file"), "x").expect("written");
    let env = |place| [("NOBAT_DATA_DIR", place), ("ADMIN_PORT", "0")];
    for command in [&["serve"][..], &["journal", "verify"]] {
        let (status, says) = refused(dir.path(), &env("file"), command);
        assert!(status == 74 && says.contains("set NOBAT_DATA_DIR to a directory"), "{says}");
    }
    let _held = nobat::disk::Lock::take(&dir.path().join("data")).expect("free");
    let (status, says) = refused(dir.path(), &env("data"), &["serve"]);
    let holder = format!("data is in use by process {}: stop it", std::process::id());
    assert!(status == 74 && says.contains(&holder), "{says}");
    let (status, says) = refused(dir.path(), &env("nowhere"), &["journal", "dump"]);
    assert!(status == 74 && says.contains("nowhere: ") && says.contains("--data-dir"), "{says}");
}

#[test]
fn texts_that_are_not_there_are_no_default() {
    let dir = tempfile::tempdir().expect("a directory");
    let env = [("NOBAT_RESULTS_TEXTS_DIR", "texts"), ("ADMIN_PORT", "0")];
    let (status, says) = refused(dir.path(), &env, &["serve"]);
    assert!(status == 1 && says.contains("results.texts_dir: texts is no directory"), "{says}");
}

#[test]
fn a_platform_that_is_away_does_not_keep_it_from_serving() {
    let mut running = Running::start(&[], |_| {});
    running.says("no data set at data/results.nobat; make one with `nobat results import`");
    let line = running.says("updates cannot be asked for, trying again");
    assert!(line.contains("connection refused") && line.contains("nobat doctor"), "{line}");
    let until = Instant::now() + PATIENCE;
    while running.asks("/readyz") != 200 {
        assert!(Instant::now() < until, "never ready");
    }
    assert_eq!((running.asks("/health"), running.asks("/stats"), running.asks("/metrics")), (200, 200, 200));
}

#[test]
fn an_unreadable_data_set_is_told_and_users_are_answered_without_it() {
    let mut running = Running::start(&[], |dir| {
        std::fs::create_dir(dir.join("data")).expect("made");
        std::fs::write(dir.join("data/results.nobat"), "no data set").expect("written");
    });
    running.says("the data set cannot be used: this is not a Nobat data set");
    running.says("users are told so and are answered once it is there");
}

#[test]
fn each_refusal_of_the_platform_has_its_remedy() {
    const OTHER: &str = r#"{"ok":false,"error_code":409,"description":"Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"}"#;
    const ACTIVE: &str = r#"{"ok":false,"error_code":409,"description":"Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"}"#;
    const DEAD: &str = r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#;
    for (status, body, remedy) in [
        (409, OTHER, "another instance polls this token: stop it"),
        (409, ACTIVE, "run `nobat webhook clear`, or set FORCE_POLLING=true"),
        (401, DEAD, "copy it again from @BotFather"),
        (501, "<html>", "what came with it is not JSON; `nobat doctor` looks closer"),
    ] {
        let root = platform(status, body);
        Running::start(&[("TELEGRAM_API_ROOT", &root)], |_| {}).says(remedy);
    }
}

#[test]
fn a_stop_by_sigterm_is_graceful_without_a_platform() {
    let mut running = Running::start(&[], |_| {});
    running.says("serving by long polling");
    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    running.says("stopped pending=0");
    assert!(running.child.wait().expect("ended").success());
}
