//! TLS handshakes: over TCP against the shell, in memory without a socket, and a bare accept and close beside them.

use nobat::clock::Clock;
use nobat::tls::{self, OwnPair};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use rustix::time::{ClockId, clock_gettime};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Handshakes under way at once: as many as a client keeps tickets of one server, so that all can be resumed.
const GROUP: usize = 8;

/// What the certificate is signed with.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    /// P-256, as the shell makes its own.
    Ecdsa,
    /// 2048 bits.
    Rsa,
}

/// A certificate of its own, and both sides' configurations over it.
pub(crate) struct Ends {
    folder: TempDir,
    /// As the shell has it.
    pub(crate) ours: Arc<ServerConfig>,
    /// As rustls has it where nothing is said.
    pub(crate) stock: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Ends {
    pub(crate) fn new(key: Key) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let own = OwnPair::within(folder.path());
        match key {
            Key::Ecdsa => own.make("localhost", Clock::start().now().wall).expect("a certificate"),
            Key::Rsa => make_rsa(&own),
        }
        let client = tls::client_config(Some(&own.cert)).expect("roots");
        Self { ours: server(folder.path()), stock: stock(&own), client, folder }
    }

    /// A client of its own. Without sessions every handshake is a full one; with them they are of one server, since
    /// another's are of no use to it.
    pub(crate) fn client(&self, resumes: bool) -> Arc<ClientConfig> {
        let mut config = (*self.client).clone();
        config.resumption = if resumes { Resumption::in_memory_sessions(64) } else { Resumption::disabled() };
        Arc::new(config)
    }

    /// Where the certificate lies, for the server's process.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// CPU time of the server's side of `count` handshakes in memory: made, shaken, told the end by both sides, dropped.
pub(crate) fn in_memory(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>, count: usize) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..count {
        let mut client = session(client);
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        let began = cpu();
        let mut server = ServerConnection::new(Arc::clone(server)).expect("a session");
        spent += cpu() - began;
        // ClientHello; the client's Finished with its close_notify.
        for flight in 0..2 {
            if flight == 1 {
                client.send_close_notify();
            }
            drain(&mut client, &mut to_server);
            let began = cpu();
            feed(&mut server, &mut to_server);
            if flight == 1 {
                server.send_close_notify();
            }
            drain(&mut server, &mut to_client);
            spent += cpu() - began;
            feed(&mut client, &mut to_client);
        }
        assert!(!server.is_handshaking() && !client.is_handshaking());
        let began = cpu();
        drop(server);
        spent += cpu() - began;
    }
    spent
}

/// A certificate of RSA at the places of our own.
fn make_rsa(own: &OwnPair) {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    std::fs::write(&own.cert, params.self_signed(&key).expect("a certificate").pem()).expect("written");
    std::fs::write(&own.key, key.serialize_pem()).expect("written");
}

/// The same pair, and nothing else chosen but the protocol.
fn stock(own: &OwnPair) -> Arc<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(&own.cert).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(&own.key).expect("a key");
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key).expect("a pair");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// The shell's configuration of the pair in `folder`.
pub(crate) fn server(folder: &Path) -> Arc<ServerConfig> {
    let own = OwnPair::within(folder);
    tls::server_config(&own.cert, &own.key, Clock::start().now().wall).expect("a pair")
}

/// As many handshakes over TCP, each on a connection of its own. The client's end travels with its Finished, as a
/// first request does. Gives how many sessions were resumed.
pub(crate) fn over_tcp(port: u16, config: &Arc<ClientConfig>, count: usize) -> usize {
    let mut resumed = 0;
    for _ in 0..count / GROUP {
        let mut group: Vec<_> = (0..GROUP).map(|_| (session(config), connect(port))).collect();
        for (session, socket) in &mut group {
            flush(session, socket);
        }
        for (session, socket) in &mut group {
            while session.is_handshaking() {
                receive(session, socket);
            }
            session.send_close_notify();
            flush(session, socket);
        }
        for (session, socket) in &mut group {
            resumed += usize::from(session.handshake_kind() == Some(HandshakeKind::Resumed));
            // The ticket and the server's end.
            while !receive(session, socket) {}
        }
    }
    resumed
}

/// As many connections that are made and closed.
pub(crate) fn bare(port: u16, count: usize) {
    for _ in 0..count / GROUP {
        let group: Vec<_> = (0..GROUP).map(|_| connect(port)).collect();
        for mut socket in group {
            let _ = socket.read(&mut [0; 8]);
        }
    }
}

fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).expect("a connection")
}

fn session(config: &Arc<ClientConfig>) -> ClientConnection {
    ClientConnection::new(Arc::clone(config), "localhost".try_into().expect("a name")).expect("a session")
}

fn flush(session: &mut ClientConnection, socket: &mut TcpStream) {
    while session.wants_write() {
        session.write_tls(socket).expect("written");
    }
}

/// True if the peer has said its end.
fn receive(session: &mut ClientConnection, socket: &mut TcpStream) -> bool {
    assert!(session.read_tls(socket).expect("read") > 0, "closed without a word");
    session.process_new_packets().expect("TLS").peer_has_closed()
}

fn drain(session: &mut impl Session, into: &mut Vec<u8>) {
    while session.wants_write() {
        session.write_tls(into).expect("written");
    }
}

fn feed(session: &mut impl Session, bytes: &mut Vec<u8>) {
    let mut rest: &[u8] = bytes;
    while !rest.is_empty() {
        session.read_tls(&mut rest).expect("read");
        session.process();
    }
    bytes.clear();
}

/// What both ends of a session can do.
trait Session {
    fn wants_write(&self) -> bool;
    fn write_tls(&mut self, into: &mut dyn Write) -> io::Result<usize>;
    fn read_tls(&mut self, from: &mut dyn Read) -> io::Result<usize>;
    fn process(&mut self);
}

macro_rules! session {
    ($of:ty) => {
        impl Session for $of {
            fn wants_write(&self) -> bool {
                (**self).wants_write()
            }
            fn write_tls(&mut self, into: &mut dyn Write) -> io::Result<usize> {
                (**self).write_tls(into)
            }
            fn read_tls(&mut self, from: &mut dyn Read) -> io::Result<usize> {
                (**self).read_tls(from)
            }
            fn process(&mut self) {
                (**self).process_new_packets().expect("TLS");
            }
        }
    };
}

session!(ClientConnection);
session!(ServerConnection);

/// CPU time of this thread.
fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}
