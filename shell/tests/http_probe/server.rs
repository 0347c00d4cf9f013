//! The webhook listener over a real engine; its journal is a list, and what is pushed counts as durable.

use nobat::admin::{Pages, State};
use nobat::clock::Clock;
use nobat::config::load_texts;
use nobat::observe::{Registry, Sampler};
use nobat::reactor::{Reactor, ReactorConfig, bind};
use nobat::tls::{self, OwnPair};
use nobat::updates::{Bot, Durable, Updates};
use nobat::webhook::routes::{Routes, SecretCheck};
use nobat::webhook::source::Sources;
use nobat::webhook::{Door, Shared, Webhook};
use nobat_bots::results::{ResultsBot, Settings, Shelf};
use nobat_core::engine::{Engine, Entry, Journal, Kind, Rank};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{BotId, KindIx, LaneIx, Seq};
use rustls::{ClientConfig, ClientConnection, ServerConfig, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longer than any case needs; only a bug reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// What the platform proves itself with.
pub(crate) const SECRET: &str = "probe-Secret_1";
/// The longest body that is taken.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

#[derive(Default)]
struct List(AtomicU64);

impl Journal for List {
    type Room<'a> = ();

    fn reserve(&self, _: usize, _: Rank) -> Option<()> {
        Some(())
    }

    fn push(&self, (): (), _: Entry) -> Seq {
        Seq(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn tail(&self) -> Seq {
        Seq(self.0.load(Ordering::Relaxed))
    }
}

struct Always;

impl Durable for Always {
    fn durable(&self) -> Seq {
        Seq(u64::MAX)
    }

    fn stalled(&self) -> bool {
        false
    }
}

/// A client's side, plain or encrypted.
pub(crate) trait Socket: Read + Write {
    /// Says that nothing more will be written.
    fn half_close(&mut self) -> io::Result<()>;
}

impl Socket for TcpStream {
    fn half_close(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Socket for StreamOwned<ClientConnection, TcpStream> {
    fn half_close(&mut self) -> io::Result<()> {
        self.conn.send_close_notify();
        self.flush()
    }
}

/// A listener on a thread of its own.
pub(crate) struct Server {
    addr: SocketAddr,
    /// Of one that speaks TLS.
    trusting: Option<Arc<ClientConfig>>,
    stop: Arc<AtomicBool>,
    waker: Arc<mio::Waker>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(ReactorConfig { body_bytes_max: BODY_BYTES_MAX, ..ReactorConfig::default() })
    }

    pub(crate) fn with(config: ReactorConfig) -> Self {
        Self::before(updates(), config)
    }

    /// Under TLS, with a certificate made here.
    pub(crate) fn encrypted() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let own = OwnPair::within(folder.path());
        own.make("localhost", Clock::start().now().wall).expect("a certificate");
        let tls = tls::server_config(&own.cert, &own.key, Clock::start().now().wall).expect("a pair");
        let trusting = tls::client_config(Some(&own.cert)).expect("roots");
        let config = ReactorConfig { body_bytes_max: BODY_BYTES_MAX, ..ReactorConfig::default() };
        let mut server = Self::run(updates(), config, Some(tls));
        server.trusting = Some(trusting);
        server
    }

    /// With this behind the listener.
    pub(crate) fn before<D: Door + Send + Sync + 'static>(door: D, config: ReactorConfig) -> Self {
        Self::run(door, config, None)
    }

    fn run<D: Door + Send + Sync + 'static>(
        door: D,
        config: ReactorConfig,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let listener = bind("127.0.0.1:0".parse().expect("an address"), false).expect("a listener");
        let addr = listener.local_addr().expect("an address");
        let service = Webhook::new(Arc::new(shared(door)));
        let mut reactor =
            Reactor::new(vec![listener], tls, config, service, Clock::start()).expect("a reactor");
        let (stop, waker) = (Arc::new(AtomicBool::new(false)), reactor.waker());
        let flag = Arc::clone(&stop);
        let thread = Some(std::thread::spawn(move || reactor.run(&flag).expect("an orderly end")));
        Self { addr, trusting: None, stop, waker, thread }
    }

    /// A connection as this server speaks.
    pub(crate) fn open(&self) -> Box<dyn Socket> {
        let socket = self.connect();
        match &self.trusting {
            None => Box::new(socket),
            Some(config) => {
                let name = "localhost".try_into().expect("a name");
                let session = ClientConnection::new(Arc::clone(config), name).expect("a session");
                Box::new(StreamOwned::new(session, socket))
            }
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.addr).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        socket.set_nodelay(true).expect("no delay");
        socket
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.waker.wake().expect("a wake-up");
        let ended = self.thread.take().expect("once").join();
        assert!(ended.is_ok() || std::thread::panicking(), "the reactor does not panic");
    }
}

fn updates() -> Updates<List> {
    let bot = ResultsBot::new(Settings::default(), Arc::new(Shelf::default()));
    let kind = Kind::new(bot, 1, Rate::new(10_000, Duration::from_secs(60)));
    Updates {
        engine: Arc::new(Engine::new(vec![kind], 7).attach(List::default())),
        durable: Arc::new(Always),
        registry: Arc::new(Registry::new(1)),
        sampler: Sampler::new(0),
        put_off_lines: Sampler::once_a_minute(),
        clock: Clock::start(),
        lanes: 1,
    }
}

fn shared<D: Door>(updates: D) -> Shared<D> {
    let config = load_texts("", "BOT_TOKEN_MAIN=1000001:TEST\nWEBHOOK_URL=https://bot.example.org\n");
    let config = config.expect("a configuration");
    let pages = Pages::new(&config, Arc::new(Registry::new(1)), Clock::start().now().mono);
    pages.set(State::Ready);
    Shared {
        updates,
        routes: Routes::new(vec![Bot { kind: KindIx(0), lane: LaneIx(0), id: BotId(1_000_001) }]),
        secret: SecretCheck::new(Some(SECRET)),
        sources: Sources::default(),
        pages: Arc::new(pages),
    }
}
