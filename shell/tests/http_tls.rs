//! TLS on both sides over real sockets: our reactor, our client and our blocking call, with certificates
//! made here.

use mio::{Events, Poll};
use nobat::clock::Clock;
use nobat::http::{Method, RequestHead, Response, Status, write_post};
use nobat::outbound::client::{Cause, Client, ClientConfig, Failure, Origin, blocking};
use nobat::reactor::{
    Answer, Deferred, Peer, Reactor, ReactorConfig, ReplyToken, Service, Stats, Turn, bind,
};
use nobat::tls;
use nobat_core::time::Now;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than any test needs; only a bug reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

struct Echo;

impl Service for Echo {
    fn admit(&mut self, _: &RequestHead<'_>, peer: &Peer) -> Result<(), Response> {
        assert!(peer.tls);
        Ok(())
    }

    fn call(&mut self, _: &Turn, _: ReplyToken, _: &RequestHead<'_>, body: &mut [u8]) -> Answer {
        Answer::Now(Response::text(Status::OK, String::from_utf8_lossy(body).into_owned()))
    }

    fn settle(&mut self, _: &Turn, _: &mut Deferred<'_>) {}
}

struct Server {
    origin: Origin,
    stats: Arc<Stats>,
    ca: PathBuf,
    /// A copy of the certificate, for clients: the file itself may be renewed.
    trusted: PathBuf,
    files: tls::CertificateFiles,
    _dir: tempfile::TempDir,
    stop: Arc<AtomicBool>,
    waker: Arc<mio::Waker>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(config: ReactorConfig) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let (ca, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        std::fs::write(&ca, pair.cert.pem()).expect("write");
        std::fs::write(&key, pair.signing_key.serialize_pem()).expect("write");
        let clock = Clock::start();
        let Now { wall, .. } = clock.now();
        let trusted = dir.path().join("trusted.pem");
        std::fs::copy(&ca, &trusted).expect("copied");
        let files = tls::CertificateFiles::open(&ca, &key, wall).expect("a pair");
        let tls = files.config();
        let listener = bind("127.0.0.1:0".parse().expect("address"), true).expect("bind");
        let port = listener.local_addr().expect("address").port();
        let mut reactor = Reactor::new(vec![listener], Some(tls), config, Echo, clock).expect("reactor");
        let (stats, waker) = (reactor.stats(), reactor.waker());
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = Some(std::thread::spawn(move || reactor.run(&flag).expect("run")));
        let origin = Origin::parse(&format!("https://localhost:{port}")).expect("origin");
        Self { origin, stats, ca, trusted, files, _dir: dir, stop, waker, thread }
    }

    fn request(&self, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_post(&mut out, &["/"], self.origin.authority(), "text/plain", &[], body);
        out
    }

    fn call(&self, body: &[u8]) -> Vec<u8> {
        let tls = tls::client_config(Some(&self.ca)).expect("roots");
        let answer = blocking::call(&self.origin, Some(tls), Method::Post, &self.request(body), PATIENCE);
        answer.expect("an answer").body
    }

    fn socket(&self) -> TcpStream {
        let addr = self.origin.resolve().expect("addresses").into_iter().find(|addr| addr.is_ipv4());
        let socket = TcpStream::connect(addr.expect("IPv4")).expect("connect");
        socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
        socket
    }

    fn wait_for(&self, what: impl Fn(&Stats) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !what(&self.stats) {
            assert!(Instant::now() < until, "never: {:?}", self.stats.view());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.waker.wake().expect("wake");
        self.thread.take().expect("once").join().expect("the reactor does not panic");
    }
}

#[test]
fn a_body_much_larger_than_a_record_passes_both_ways() {
    let server = Server::start(ReactorConfig::default());
    let body = vec![b'x'; 1 << 20];
    assert_eq!(server.call(&body), body);
    assert_eq!(server.call(b""), b"");
}

#[test]
fn the_client_keeps_its_encrypted_connection() {
    let server = Server::start(ReactorConfig::default());
    let mut poll = Poll::new().expect("poll");
    let clock = Clock::start();
    let tls = tls::client_config(Some(&server.ca)).expect("roots");
    let addresses = server.origin.resolve().expect("addresses").into_iter().filter(|a| a.is_ipv4()).collect();
    let (origin, config) = (server.origin.clone(), ClientConfig::default());
    let mut client = Client::new(poll.registry(), 0..4, origin, addresses, Some(tls), config, clock.mono())
        .expect("a client");
    let mut events = Events::with_capacity(16);
    for tag in 0..20u64 {
        let body = vec![b'a' + tag as u8; 1 + 20_000 * tag as usize];
        client.send(clock.mono(), 0, tag, &server.request(&body)).expect("free");
        let done = loop {
            if let Some(done) = client.poll_done() {
                break done;
            }
            poll.poll(&mut events, Some(PATIENCE)).expect("poll");
            assert!(!events.is_empty(), "nothing happens");
            for event in &events {
                client.handle_event(event, clock.mono());
            }
        };
        assert_eq!((done.tag, done.result.expect("an answer").body), (tag, body));
    }
    assert_eq!(server.stats.view().accepted, 1);
}

#[test]
fn a_certificate_that_is_not_trusted_or_of_another_name_is_refused_before_the_request_is_written() {
    let server = Server::start(ReactorConfig::default());
    let other = Server::start(ReactorConfig::default());
    let call = |origin: &Origin, ca: &PathBuf| {
        let tls = tls::client_config(Some(ca)).expect("roots");
        blocking::call(origin, Some(tls), Method::Post, &server.request(b"secret"), PATIENCE)
    };
    assert_eq!(call(&server.origin, &other.ca), Err(Failure::NotWritten(Cause::Tls)));
    let by_address = server.origin.to_string().replace("localhost", "127.0.0.1");
    let by_address = Origin::parse(&by_address).expect("origin");
    assert_eq!(call(&by_address, &server.ca), Err(Failure::NotWritten(Cause::Tls)));
    assert_eq!(server.stats.view().requests, 0);
}

#[test]
fn whoever_speaks_no_tls_is_dropped_and_others_are_served() {
    let server = Server::start(ReactorConfig::default());
    let mut plain = server.socket();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("write");
    let mut answer = Vec::new();
    // An alert, then the end; a reset if our bytes were still unread.
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"));
    server.wait_for(|stats| stats.view().broken == 1 && stats.view().connections == 0);
    assert_eq!(server.call(b"served"), b"served");
}

/// One handshake and a request; which certificate was shown, and whether a session was resumed.
fn shake(server: &Server, config: &Arc<rustls::ClientConfig>) -> (Vec<u8>, Option<rustls::HandshakeKind>) {
    let name = "localhost".try_into().expect("a name");
    let mut session = rustls::ClientConnection::new(Arc::clone(config), name).expect("a session");
    let mut socket = server.socket();
    let mut stream = rustls::Stream::new(&mut session, &mut socket);
    stream.write_all(&server.request(b"hello")).expect("written");
    let mut answer = [0; 1_024];
    assert!(stream.read(&mut answer).expect("an answer") > 0);
    let shown = session.peer_certificates().expect("a certificate")[0].to_vec();
    (shown, session.handshake_kind())
}

#[test]
fn a_session_is_resumed_and_http_1_1_is_agreed_upon() {
    let server = Server::start(ReactorConfig::default());
    let config = tls::client_config(Some(&server.ca)).expect("roots");
    let (full, resumed) = (shake(&server, &config).1, shake(&server, &config).1);
    assert!(full != Some(rustls::HandshakeKind::Resumed), "{full:?}");
    assert_eq!(resumed, Some(rustls::HandshakeKind::Resumed));
    let mut other = (*config).clone();
    other.alpn_protocols = vec![b"h2".to_vec()];
    let name = "localhost".try_into().expect("a name");
    let mut session = rustls::ClientConnection::new(Arc::new(other), name).expect("a session");
    let mut socket = server.socket();
    let refused = session.complete_io(&mut socket).expect_err("no protocol in common");
    assert!(refused.to_string().contains("NoApplicationProtocol"), "{refused}");
}

#[test]
fn a_renewed_certificate_is_used_from_the_next_handshake_on_and_a_broken_one_is_not() {
    let mut server = Server::start(ReactorConfig::default());
    let wall = Clock::start().now().wall;
    let shown = |server: &Server| {
        // A client of its own each time, so that nothing is resumed.
        shake(server, &tls::client_config(Some(&server.trusted)).expect("roots")).0
    };
    let first = shown(&server);
    assert!(server.files.refresh(wall).is_none(), "nothing has changed");
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    // Half of a renewal: the new certificate beside the old key.
    std::fs::write(&server.ca, pair.cert.pem()).expect("written");
    let error = server.files.refresh(wall).expect("a change").expect_err("refused");
    assert!(error.to_string().contains("does not belong"), "{error}");
    assert_eq!(shown(&server), first);
    let key = pair.signing_key.serialize_pem() + "\n";
    std::fs::write(server.ca.with_file_name("key.pem"), key).expect("written");
    server.files.refresh(wall).expect("a change").expect("used");
    std::fs::copy(&server.ca, &server.trusted).expect("copied");
    assert_eq!(shown(&server), pair.cert.der().to_vec());
}

#[test]
fn the_suite_with_the_cheaper_hash_is_chosen_whatever_the_client_names_first() {
    let server = Server::start(ReactorConfig::default());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let roots = tls::client_config(Some(&server.ca)).expect("roots");
        let provider = Arc::clone(roots.crypto_provider());
        let mut trusted = rustls::RootCertStore::empty();
        trusted.add(certificate(&server.ca)).expect("a root");
        let builder = rustls::ClientConfig::builder_with_provider(provider);
        let builder = builder.with_protocol_versions(&[version]).expect("a version");
        let config = builder.with_root_certificates(trusted).with_no_client_auth();
        let name = "localhost".try_into().expect("a name");
        let mut session = rustls::ClientConnection::new(Arc::new(config), name).expect("a session");
        session.complete_io(&mut server.socket()).expect("a handshake");
        let suite = session.negotiated_cipher_suite().expect("one").suite();
        assert!(format!("{suite:?}").ends_with("AES_128_GCM_SHA256"), "{suite:?}");
    }
}

fn certificate(path: &PathBuf) -> rustls::pki_types::CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_file(path).expect("a certificate")
}

/// The first bytes of a handshake.
fn hello(config: &Arc<rustls::ClientConfig>) -> Vec<u8> {
    let name = "localhost".try_into().expect("a name");
    let mut session = rustls::ClientConnection::new(Arc::clone(config), name).expect("a session");
    let mut bytes = Vec::new();
    session.write_tls(&mut bytes).expect("a hello");
    bytes
}

#[test]
fn a_crowd_of_handshakes_is_spread_over_turns_and_nobody_is_forgotten() {
    const CROWD: u64 = 64;
    let server = Server::start(ReactorConfig::default());
    let config = tls::client_config(Some(&server.ca)).expect("roots");
    let listener = bind("127.0.0.1:0".parse().expect("address"), false).expect("bind");
    let addr = listener.local_addr().expect("address");
    let tls = server.files.config();
    let mut reactor = Reactor::new(vec![listener], Some(tls), ReactorConfig::default(), Echo, Clock::start())
        .expect("reactor");
    // All of them have spoken before the first turn.
    let crowd: Vec<TcpStream> = (0..CROWD)
        .map(|_| {
            let mut socket = TcpStream::connect(addr).expect("connect");
            socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
            socket.write_all(&hello(&config)).expect("written");
            socket
        })
        .collect();
    let (stats, waker, stop) = (reactor.stats(), reactor.waker(), Arc::new(AtomicBool::new(false)));
    let flag = Arc::clone(&stop);
    let thread = std::thread::spawn(move || reactor.run(&flag).expect("run"));
    for mut socket in crowd {
        assert!(socket.read(&mut [0; 16]).expect("an answer") > 0);
    }
    // One turn lets them in; each of the others takes 16 steps.
    let turns = stats.view().turns;
    assert!(turns > CROWD / 16, "{turns} turns");
    stop.store(true, Ordering::Release);
    waker.wake().expect("wake");
    thread.join().expect("the reactor does not panic");
}

#[test]
fn a_handshake_that_does_not_come_is_given_up() {
    let config = ReactorConfig { handshake: Duration::from_millis(100), ..ReactorConfig::default() };
    let server = Server::start(config);
    let mut silent = server.socket();
    assert_eq!(silent.read(&mut [0; 8]).expect("an end"), 0);
    assert_eq!(server.stats.view().timeouts, 1);
}
