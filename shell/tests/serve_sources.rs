//! Who may reach the webhook: the binary itself, over real sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than any test needs; only a bug reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

const SECRET: &str = "of-the-test";

struct Server {
    child: Child,
    port: u16,
    _dir: TempDir,
}

impl Server {
    fn start(env: &[(&str, &str)]) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_nobat")).arg("serve"), env)
    }

    /// With so few file descriptors.
    fn start_with_descriptors(most: u32) -> Self {
        let script = format!("ulimit -n {most}; exec \"$0\" serve");
        Self::run(Command::new("/bin/sh").args(["-c", &script, env!("CARGO_BIN_EXE_nobat")]), &[])
    }

    fn run(command: &mut Command, env: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (port, admin) = (free_port(), free_port());
        let child = command
            .env_clear()
            .current_dir(dir.path())
            .envs([("BOT_TOKEN_MAIN", "1000001:TEST"), ("TELEGRAM_API_ROOT", "http://127.0.0.1:9")])
            .envs([("WEBHOOK_SECRET_TOKEN", SECRET), ("NOBAT_LISTEN", &format!("0.0.0.0:{port}"))])
            .env("ADMIN_PORT", admin.to_string())
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let server = Self { child, port, _dir: dir };
        let began = Instant::now();
        while !is_open(&mut server.connect(Ipv4Addr::LOCALHOST.into())) {
            assert!(began.elapsed() < PATIENCE, "it does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// A connection to this address of the machine, which then is its source too.
    fn connect(&self, address: IpAddr) -> TcpStream {
        let began = Instant::now();
        loop {
            match TcpStream::connect(SocketAddr::new(address, self.port)) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
                    return stream;
                }
                Err(_) if began.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => panic!("{address}: {error}"),
            }
        }
    }

    /// The status of an update that came with this header, or none.
    fn update(&self, forwarded: &str) -> u16 {
        let mut stream = self.connect(Ipv4Addr::LOCALHOST.into());
        post(&mut stream, &format!("Connection: close\r\n{forwarded}"));
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer[9..12].parse().expect("a status")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An update with these lines in its head.
fn post(stream: &mut TcpStream, lines: &str) {
    let body = r#"{"update_id":1}"#;
    write!(
        stream,
        "POST /webhook HTTP/1.1\r\nHost: x\r\n{lines}X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("written");
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port()
}

/// Whether it is answered, and not closed without a word.
fn is_open(stream: &mut TcpStream) -> bool {
    let (mut answer, mut chunk) = (Vec::new(), [0; 512]);
    if stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").is_err() {
        return false;
    }
    // To the end of the body, which is an object: the next answer begins behind it.
    while !answer.ends_with(b"}") {
        match stream.read(&mut chunk) {
            Ok(0) => return false,
            Ok(read) => answer.extend_from_slice(&chunk[..read]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("no answer: {e}")
            }
            Err(_) => return false,
        }
    }
    answer.starts_with(b"HTTP/1.1 200 OK")
}

/// An address of this machine that is not the loopback's. Nothing is sent.
fn address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn with_an_allow_list_only_the_platform_is_heard_and_only_a_trusted_proxy_may_say_who_it_is() {
    let allow = ("NOBAT_WEBHOOK_ALLOW_FROM", "149.154.160.0/20, 91.108.4.0/22");
    let proxied = Server::start(&[allow, ("NOBAT_SERVER_TRUSTED_PROXIES", "127.0.0.1")]);
    assert_eq!(proxied.update("X-Forwarded-For: 149.154.167.1\r\n"), 200);
    assert_eq!(proxied.update("X-Forwarded-For: 203.0.113.9\r\n"), 403);
    assert_eq!(proxied.update("X-Forwarded-For: 149.154.167.1, 203.0.113.9\r\n"), 403, "the last hop counts");
    assert_eq!(proxied.update(""), 403, "a proxy that does not say for whom");
    let direct = Server::start(&[allow]);
    assert_eq!(direct.update("X-Forwarded-For: 149.154.167.1\r\n"), 403, "nobody named this proxy");
}

#[test]
fn one_address_has_its_share_of_connections_and_gets_it_back() {
    let Some(address) = address() else {
        eprintln!("SKIPPED: this machine has no address beside the loopback's, which is not counted");
        return;
    };
    let server = Server::start(&[("NOBAT_LIMITS_CONNECTIONS_PER_ADDRESS", "3")]);
    let mut kept: Vec<_> = (0..3).map(|_| server.connect(address)).collect();
    assert!(kept.iter_mut().all(is_open));
    assert!(!is_open(&mut server.connect(address)), "a fourth");
    assert!(kept.iter_mut().all(is_open), "those who were in stay in");
    assert!(is_open(&mut server.connect(Ipv4Addr::LOCALHOST.into())), "others are not concerned");
    kept.pop();
    let began = Instant::now();
    while !is_open(&mut server.connect(address)) {
        assert!(began.elapsed() < PATIENCE, "the place of who left is not given back");
    }
}

#[test]
fn without_a_free_descriptor_who_is_in_is_served_and_the_others_get_in_when_there_is_room() {
    let server = Server::start_with_descriptors(64);
    let local = IpAddr::from(Ipv4Addr::LOCALHOST);
    let mut first = server.connect(local);
    assert!(is_open(&mut first));
    // More than can be let in: the rest wait in the kernel's queue.
    let crowd: Vec<_> = (0..200).map(|_| server.connect(local)).collect();
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.child.id())).expect("a process").count();
    assert!(open >= 60, "the limit is met: {open}");
    for _ in 0..20 {
        assert!(is_open(&mut first));
        post(&mut first, "");
        let mut answer = [0; 512];
        let read = first.read(&mut answer).expect("an answer");
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 "), "{}", answer[..read].escape_ascii());
    }
    // Most of them leave without a word; whoever is left is let in, the last one too.
    let mut left: Vec<_> = crowd.into_iter().skip(180).collect();
    assert!(left.iter_mut().all(is_open));
    assert_eq!(server.update(""), 200);
}
