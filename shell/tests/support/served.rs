//! A chat bot in a process of its own, whose platform is away: for tests of what lies behind it.

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
pub(crate) struct Server {
    child: Child,
    listen: SocketAddr,
    admin: SocketAddr,
    log: PathBuf,
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address")
}

/// The program, in this place.
pub(crate) fn nobat(place: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nobat"));
    command.args(args).env_clear().current_dir(place).stdin(Stdio::null());
    command.env("BOT_TOKENS", "1000001:TEST,1000002:TEST");
    command
}

impl Server {
    pub(crate) fn start(place: &Path, env: &[(&str, &str)]) -> Self {
        let (listen, admin) = (free_port(), free_port());
        let log = place.join("log");
        let out = fs::OpenOptions::new().create(true).append(true).open(&log).expect("a log");
        let child = nobat(place, &["serve"])
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

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// `/start` of a user; the answer.
    pub(crate) fn update(&self, user: u64) -> String {
        self.message(user, user, "\"text\":\"/start\"")
    }

    /// He pays 300 Stars for thirty days, under this number.
    pub(crate) fn pays(&self, update: u64, user: u64, charge: &str) -> String {
        let paid = format!(
            "\"successful_payment\":{{\"currency\":\"XTR\",\"total_amount\":300,\
             \"invoice_payload\":\"vip:30:300\",\"telegram_payment_charge_id\":\"{charge}\",\
             \"provider_payment_charge_id\":\"\"}}"
        );
        self.message(update, user, &paid)
    }

    /// A message of a user that holds this.
    pub(crate) fn message(&self, update: u64, user: u64, holds: &str) -> String {
        let body = format!(
            "{{\"update_id\":{update},\"message\":{{\"message_id\":1,\"date\":1,\"chat\":{{\"id\":{user},\
             \"type\":\"private\"}},\"from\":{{\"id\":{user},\"is_bot\":false,\"first_name\":\"x\"}},{holds}}}}}"
        );
        let head = format!(
            "POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        ask(self.listen, &(head + &body))
    }

    pub(crate) fn metric(&self, name: &str) -> u64 {
        let page = get(self.admin, "/metrics");
        let line = page.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.and_then(|value| value.trim().parse().ok()).unwrap_or_else(|| panic!("no {name} in {page}"))
    }

    #[track_caller]
    pub(crate) fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is(self) {
            assert!(Instant::now() < until, "{what}: {}", self.said());
            sleep(Duration::from_millis(50));
        }
    }

    /// Everything durable is in the database.
    #[track_caller]
    pub(crate) fn until_level(&self) {
        self.until("level", |server| {
            server.metric("nobat_records_lag_frames") == 0 && server.metric("nobat_records_connected") == 1
        });
    }

    /// At once, without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
    }

    /// A clean stop.
    pub(crate) fn stop(mut self) {
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
