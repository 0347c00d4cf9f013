//! A process of the real binary, spoken to over its sockets.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SECRET: &str = "a-secret-of-the-tests";

/// `EX_IOERR`, as docs/operators.md has it.
pub(super) const OF_THE_DISK: i32 = 74;

/// A server of its own data directory.
pub(super) struct Server {
    pub(super) child: Child,
    listen: SocketAddr,
    admin: SocketAddr,
    log: PathBuf,
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Server {
    /// Starts it; `wrapper` goes before the program.
    pub(super) fn start(data: &Path, log: &Path, wrapper: &[&str]) -> Self {
        Self::with_segments(data, log, wrapper, 64)
    }

    /// As [`Server::start`], with segments of this size and a snapshot due after each.
    pub(super) fn with_segments(data: &Path, log: &Path, wrapper: &[&str], segment_kb: u32) -> Self {
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
            ("NOBAT_JOURNAL_SEGMENT_KB", segment_kb.to_string()),
            ("NOBAT_JOURNAL_SNAPSHOT_EVERY_KB", segment_kb.to_string()),
        ] {
            command.env(name, value);
        }
        let child = command.stdout(Stdio::null()).stderr(out).spawn().unwrap();
        Self { child, listen, admin, log: log.to_owned() }
    }

    pub(super) fn ready(mut self) -> Self {
        let since = Instant::now();
        while get(self.listen, "/readyz").is_none_or(|answer| !answer.starts_with("HTTP/1.1 200")) {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {}", self.said());
            assert!(since.elapsed() < Duration::from_secs(60), "it is not ready: {}", self.said());
            sleep(Duration::from_millis(20));
        }
        self
    }

    /// Waits until it is ready; `false` if it ended before that.
    pub(super) fn is_ready(&mut self) -> bool {
        while self.child.try_wait().unwrap().is_none() {
            if get(self.listen, "/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return true;
            }
            sleep(Duration::from_millis(5));
        }
        false
    }

    /// Whether it ends by itself within this time.
    pub(super) fn ends_within(&mut self, time: Duration) -> bool {
        let since = Instant::now();
        while since.elapsed() < time {
            if self.child.try_wait().unwrap().is_some() {
                return true;
            }
            sleep(Duration::from_millis(5));
        }
        false
    }

    /// The number of its thread of this name. A thread gives itself its name, a moment after it has begun.
    pub(super) fn thread(&self, name: &str) -> u32 {
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(10) {
            for task in fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap().flatten() {
                if fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name) {
                    return task.file_name().to_str().unwrap().parse().unwrap();
                }
            }
        }
        panic!("no thread {name}: {}", self.said())
    }

    /// Kills the process that holds the data directory, and waits until its wrapper is gone too.
    pub(super) fn kill_holder(&mut self, data: &Path) {
        use rustix::process::{Pid, Signal, kill_process};
        let holder = fs::read_to_string(data.join("lock")).unwrap();
        let pid = Pid::from_raw(holder.trim().parse().unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        let _ = self.child.wait();
    }

    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The status of an update of a user of its own; none if there was no answer in time.
    pub(super) fn update(&self, number: u64) -> Option<u16> {
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

    pub(super) fn metric(&self, name: &str) -> Option<u64> {
        let page = get(self.admin, "/metrics")?;
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.parse().ok()
    }

    /// How it ended by itself.
    pub(super) fn status(&mut self) -> Option<i32> {
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

/// Whether there is a `strace` here.
pub(super) fn has_strace() -> bool {
    Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}
