//! The real binary from update to durable 200: how many a second over 100 connections, and how late inside the
//! windows in which a snapshot is made, beside those outside.
//!
//! ```text
//! cargo build --release -p nobat
//! cargo bench -p nobat-benches --bench durable -- --rate        # 10 s of closed loop over 100 connections
//! cargo bench -p nobat-benches --bench durable -- --snapshots   # about 2.5 minutes
//! ```
//!
//! The data directory is in `TMPDIR`, which must be on a real disk. Each update is `/start` of a user; nobody
//! listens where the answers go, so that the platform costs nothing here. Each 200 is counted; anything else ends
//! the run. With `--snapshots` the bot has 100,000 users and a growing queue, and each window of the server's own log ("snapshot
//! made ... took_ms") is set against an equally long one that begins a second after it.

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};
use std::collections::VecDeque;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const CONNECTIONS: usize = 100;
const SECRET: &str = "a-secret-of-the-bench";

/// Users of the bot while snapshots are made.
const USERS: u64 = 100_000;
/// Updates a second meanwhile: so many that the p99.9 of a window is not its worst one.
const PER_S: u64 = 4_000;
/// Windows with a snapshot, each beside one without.
const PAIRS: usize = 9;
/// KiB of journal after which a snapshot is due: one each 6 to 8 s at this rate.
const SNAPSHOT_KB: u32 = 4_096;

/// The real binary on a data directory of its own.
struct Server {
    child: Child,
    listen: SocketAddr,
    log: PathBuf,
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port")
}

impl Server {
    fn start(dir: &Path, variables: &[(&str, String)]) -> Self {
        let program =
            std::env::current_exe().expect("a path").parent().and_then(Path::parent).map(|p| p.join("nobat"));
        let program = program.filter(|p| p.is_file()).expect("no server: cargo build --release -p nobat");
        let (listen, log) = (free_port(), dir.join("log"));
        let mut command = Command::new(program);
        command.arg("serve").env_clear().current_dir(dir).stdout(Stdio::null());
        command.stderr(fs::File::create(&log).expect("a log"));
        for (name, value) in [
            ("BOT_TOKEN_MAIN", "1000001:TEST".to_owned()),
            ("TELEGRAM_API_ROOT", format!("http://{}", free_port())),
            ("NOBAT_LISTEN", listen.to_string()),
            ("NOBAT_ADMIN_LISTEN", free_port().to_string()),
            ("NOBAT_DATA_DIR", dir.join("data").display().to_string()),
            ("WEBHOOK_SECRET_TOKEN", SECRET.to_owned()),
        ] {
            command.env(name, value);
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let child = command.spawn().expect("started");
        let server = Self { child, listen, log };
        let since = Instant::now();
        while !server.is_ready() {
            assert!(since.elapsed() < Duration::from_secs(30), "not ready: {}", server.said());
            sleep(Duration::from_millis(20));
        }
        server
    }

    fn is_ready(&self) -> bool {
        let ask = || -> std::io::Result<Vec<u8>> {
            let mut socket = std::net::TcpStream::connect(self.listen)?;
            socket.set_read_timeout(Some(Duration::from_secs(1)))?;
            socket.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
            let mut answer = Vec::new();
            socket.read_to_end(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The n-th update, of one of so many users.
fn update(n: u64, users: u64) -> Vec<u8> {
    let user = 1_000 + n % users;
    let body = format!(
        "{{\"update_id\":{n},\"message\":{{\"message_id\":{n},\"date\":1,\"chat\":{{\"id\":{user},\"type\":\"private\"}},\
         \"from\":{{\"id\":{user},\"is_bot\":false,\"first_name\":\"x\",\"language_code\":\"en\"}},\"text\":\"/start\"}}}}"
    );
    format!(
        "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Kept connections, one update in flight on each.
struct Load {
    poll: Poll,
    events: Events,
    sockets: Vec<mio::net::TcpStream>,
    idle: VecDeque<usize>,
    /// Of the update in flight: when it was due.
    due: Vec<Instant>,
    next: u64,
    users: u64,
    waiting: usize,
}

impl Load {
    fn new(at: SocketAddr, users: u64) -> Self {
        let poll = Poll::new().expect("a poll");
        let mut sockets = Vec::new();
        for nth in 0..CONNECTIONS {
            let socket = std::net::TcpStream::connect(at).expect("a connection");
            socket.set_nodelay(true).and_then(|()| socket.set_nonblocking(true)).expect("an option");
            let mut socket = mio::net::TcpStream::from_std(socket);
            poll.registry().register(&mut socket, Token(nth), Interest::READABLE).expect("registered");
            sockets.push(socket);
        }
        let (idle, due) = ((0..CONNECTIONS).collect(), vec![Instant::now(); CONNECTIONS]);
        Self { poll, events: Events::with_capacity(256), sockets, idle, due, next: 1, users, waiting: 0 }
    }

    /// Sends the next update on an idle connection, if there is one.
    fn send(&mut self, due: Instant) -> bool {
        let Some(nth) = self.idle.pop_front() else { return false };
        let bytes = update(self.next, self.users);
        self.next += 1;
        self.due[nth] = due;
        self.waiting += 1;
        assert_eq!(
            self.sockets[nth].write(&bytes).expect("written"),
            bytes.len(),
            "a request fits into a socket"
        );
        true
    }

    /// Takes the answers that came; gives the moments at which those updates were due.
    fn take(&mut self, timeout: Duration, mut each: impl FnMut(Instant)) {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(e) if e.kind() != ErrorKind::Interrupted => panic!("{e}"),
            _ => {}
        }
        let mut answer = [0; 2048];
        for event in &self.events {
            let nth = event.token().0;
            let n = match self.sockets[nth].read(&mut answer) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => continue,
                other => other.expect("an answer"),
            };
            let text = String::from_utf8_lossy(&answer[..n]);
            assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
            self.idle.push_back(nth);
            self.waiting -= 1;
            each(self.due[nth]);
        }
    }

    /// As fast as the answers come, for so many updates or so long.
    fn closed_loop(&mut self, updates: u64, time: Duration) -> Histogram<u64> {
        let (began, mut waits, mut done) = (Instant::now(), Histogram::new(3).expect("3 digits"), 0);
        while done < updates && began.elapsed() < time {
            while self.send(Instant::now()) {}
            self.take(Duration::from_secs(1), |due| {
                done += 1;
                let _ = waits.record(due.elapsed().as_nanos() as u64);
            });
        }
        while self.waiting > 0 {
            self.take(Duration::from_secs(1), |_| {});
        }
        waits
    }
}

fn rate() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &[]);
    let mut load = Load::new(server.listen, u64::MAX >> 1);
    load.closed_loop(20_000, Duration::from_secs(5));
    println!("durable updates answered 200, over {CONNECTIONS} connections, closed loop, 5 rounds of 2 s:");
    for _ in 0..5 {
        let began = Instant::now();
        let waits = load.closed_loop(u64::MAX, Duration::from_secs(2));
        let per_s = waits.len() as f64 / began.elapsed().as_secs_f64();
        let us = |q| waits.value_at_quantile(q) / 1_000;
        println!("  {per_s:7.0} a second; p50 {} us, p99 {} us, p99.9 {} us", us(0.5), us(0.99), us(0.999));
    }
}

/// One update: when it was due (milliseconds since 1970) and how long it took.
type Trip = (u64, Duration);

fn snapshots() {
    let dir = tempfile::tempdir().expect("a directory");
    let kb = SNAPSHOT_KB.to_string();
    let variables = [("NOBAT_JOURNAL_SEGMENT_KB", kb.clone()), ("NOBAT_JOURNAL_SNAPSHOT_EVERY_KB", kb)];
    let server = Server::start(dir.path(), &variables);
    let mut load = Load::new(server.listen, USERS);
    load.closed_loop(USERS, Duration::from_secs(60));
    // The snapshots that this made due are made before it is measured.
    sleep(Duration::from_secs(5));
    let (began, wall) = (Instant::now(), millis(SystemTime::now()));
    let mut trips: Vec<Trip> = Vec::new();
    let mut nth = 0;
    while windows(&server.said(), wall).len() <= PAIRS {
        // A second of load between looks into the log.
        let until = nth + PER_S;
        while nth < until {
            let at = began + Duration::from_micros(nth * 1_000_000 / PER_S);
            let now = Instant::now();
            if at <= now {
                // With no connection free it is late, which counts.
                nth += u64::from(load.send(at));
            }
            let timeout = at.saturating_duration_since(now).min(Duration::from_millis(5));
            load.take(timeout, |due| {
                trips.push((wall + due.duration_since(began).as_millis() as u64, due.elapsed()))
            });
        }
    }
    pairs(&trips, &windows(&server.said(), wall));
}

/// From when to when each snapshot after `from` was made, as the log says.
fn windows(said: &str, from: u64) -> Vec<(u64, u64)> {
    let made = said.lines().filter(|line| line.contains("snapshot made"));
    let window = |line: &str| {
        let took: u64 = line.split_once("took_ms=")?.1.split(' ').next()?.parse().ok()?;
        let end = clock(line.split(' ').next()?)?;
        (end - took > from).then_some((end - took, end))
    };
    made.filter_map(window).collect()
}

/// `2026-11-21T18:46:16.097Z` as milliseconds of its day, put on today: the windows and the trips share a day.
fn clock(stamp: &str) -> Option<u64> {
    let (_, time) = stamp.trim_end_matches('Z').split_once('T')?;
    let (hms, ms) = time.split_once('.')?;
    let mut of_day = 0;
    for part in hms.split(':') {
        of_day = of_day * 60 + part.parse::<u64>().ok()?;
    }
    let day = millis(SystemTime::now()) / 86_400_000 * 86_400_000;
    Some(day + of_day * 1_000 + ms.parse::<u64>().ok()?)
}

fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

fn pairs(trips: &[Trip], windows: &[(u64, u64)]) {
    println!(
        "update to 200 at {PER_S} a second, {USERS} users; p50 / p99 / p99.9 / max in us, snapshot beside none:"
    );
    let mut ratios = Vec::new();
    for &(from, to) in windows.iter().take(PAIRS) {
        let within = |from: u64, to: u64| {
            let mut waits = Histogram::<u64>::new(3).expect("3 digits");
            for (_, took) in trips.iter().filter(|(at, _)| (from..to).contains(at)) {
                let _ = waits.record(took.as_micros() as u64);
            }
            waits
        };
        let (with, without) = (within(from, to), within(to + 1_000, to + 1_000 + (to - from)));
        let line = |h: &Histogram<u64>| {
            let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|q| h.value_at_quantile(q));
            format!("{p50:5} / {p99:5} / {p999:6} / {:6} ({:4} updates)", h.max(), h.len())
        };
        let ratio = with.value_at_quantile(0.999) as f64 / without.value_at_quantile(0.999).max(1) as f64;
        println!("  {:5} ms  {}   {}   ratio {ratio:.2}", to - from, line(&with), line(&without));
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    if let (Some(least), Some(most)) = (ratios.first(), ratios.last()) {
        let median = ratios[ratios.len() / 2];
        println!(
            "median ratio of the p99.9 over {} pairs: {median:.2} ({least:.2} to {most:.2})",
            ratios.len()
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("--snapshots") => snapshots(),
        Some("--rate") => rate(),
        // `cargo bench` and `cargo test` run every bench without an argument: nothing is measured then.
        _ => println!("say --rate or --snapshots; the server must be built"),
    }
}
