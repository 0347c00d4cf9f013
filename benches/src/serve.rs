//! The servers of our own: a bare mio loop, the shell with nothing behind it, the shell with the engine.

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use nobat::admin::{Pages, State};
use nobat::channel::telegram::Update;
use nobat::clock::Clock;
use nobat::config::load_texts;
use nobat::observe::{Registry, Sampler};
use nobat::reactor::{Reactor, ReactorConfig, bind};
use nobat::updates::{Bot, Durable, Taken, Updates};
use nobat::webhook::routes::{Routes, SecretCheck};
use nobat::webhook::source::Sources;
use nobat::webhook::{Door, Shared, Webhook};
use nobat_bots::results::{ResultsBot, Settings, Shelf};
use nobat_core::engine::{Busy, Engine, Entry, Journal, Kind, Rank};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{BotId, KindIx, LaneIx, Seq};
use nobat_core::time::Now;
use rustls::ServerConfig;
use std::hint::black_box;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What the platform proves itself with.
pub const SECRET: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Prints the port and serves until the process is ended.
///
/// # Panics
/// If there is no such server, or the system gives no socket.
pub fn run(what: &str) {
    match what {
        "bare" => bare(),
        "closing" => closing(),
        "shell" => alone(),
        "engine" => shell(updates(), None),
        other => panic!("there is no server {other}"),
    }
}

/// The shell with nothing behind it, for a program that has nothing else.
///
/// # Panics
/// If the system gives no socket.
pub fn alone() {
    shell(Nothing(Registry::new(1)), None);
}

/// The same under TLS.
///
/// # Panics
/// If the system gives no socket.
pub fn encrypted(tls: Arc<ServerConfig>) {
    shell(Nothing(Registry::new(1)), Some(tls));
}

/// The floor of a handshake: accept, and close at once.
fn closing() {
    let mut poll = Poll::new().expect("poll");
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().expect("address")).expect("bind");
    println!("{}", listener.local_addr().expect("address").port());
    poll.registry().register(&mut listener, Token(0), Interest::READABLE).expect("register");
    let mut events = Events::with_capacity(1_024);
    loop {
        poll.poll(&mut events, None).expect("poll");
        while let Ok((socket, _)) = listener.accept() {
            drop(socket);
        }
    }
}

/// The floor: one read, one fixed answer, nothing understood.
fn bare() {
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    const DOOR: Token = Token(usize::MAX >> 1);
    let mut poll = Poll::new().expect("poll");
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().expect("address")).expect("bind");
    println!("{}", listener.local_addr().expect("address").port());
    poll.registry().register(&mut listener, DOOR, Interest::READABLE).expect("register");
    let (mut events, mut sockets, mut buffer) = (Events::with_capacity(1_024), Vec::new(), [0; 8_192]);
    loop {
        poll.poll(&mut events, None).expect("poll");
        for event in &events {
            if event.token() == DOOR {
                while let Ok((mut socket, _)) = listener.accept() {
                    let token = Token(sockets.len());
                    poll.registry().register(&mut socket, token, Interest::READABLE).expect("register");
                    sockets.push(socket);
                }
                continue;
            }
            let socket: &mut TcpStream = &mut sockets[event.token().0];
            if socket.read(&mut buffer).is_ok_and(|n| n > 0) {
                socket.write_all(OK).expect("write");
            }
        }
    }
}

/// Everything is durable at once.
struct Always;

impl Durable for Always {
    fn durable(&self) -> Seq {
        Seq(u64::MAX)
    }

    fn stalled(&self) -> bool {
        false
    }
}

/// No engine: an update is looked at and forgotten.
struct Nothing(Registry);

impl Door for Nothing {
    fn take(&self, _: Now, _: Bot, update: &Update<'_>) -> Taken {
        assert!(black_box(update).input().is_some());
        Taken::After(Seq(0))
    }

    fn durable(&self) -> Seq {
        Seq(u64::MAX)
    }

    fn stalled(&self) -> bool {
        false
    }

    fn put_off(&self, _: Busy) {}

    fn registry(&self) -> &Registry {
        &self.0
    }
}

/// A journal that forgets: the disk has a bench of its own.
#[derive(Default)]
struct Forgotten(AtomicU64);

impl Journal for Forgotten {
    type Room<'a> = ();

    fn reserve(&self, _: usize, _: Rank) -> Option<()> {
        Some(())
    }

    fn push(&self, (): (), entry: Entry) -> Seq {
        black_box(entry);
        Seq(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn tail(&self) -> Seq {
        Seq(self.0.load(Ordering::Relaxed))
    }
}

fn updates() -> Updates<Forgotten> {
    let bot = ResultsBot::new(Settings::default(), Arc::new(Shelf::default()));
    let kind = Kind::new(bot, 1, Rate::new(10_000, Duration::from_secs(60)));
    Updates {
        engine: Arc::new(Engine::new(vec![kind], 7).attach(Forgotten::default())),
        durable: Arc::new(Always),
        registry: Arc::new(Registry::new(1)),
        sampler: Sampler::new(0),
        put_off_lines: Sampler::once_a_minute(),
        clock: Clock::start(),
        lanes: 1,
    }
}

fn shell(door: impl Door, tls: Option<Arc<ServerConfig>>) {
    let config = load_texts("", "BOT_TOKEN_MAIN=1000001:TEST\n").expect("a configuration");
    let clock = Clock::start();
    let pages = Pages::new(&config, Arc::new(Registry::new(1)), clock.now().mono);
    pages.set(State::Ready);
    let service = Webhook::new(Arc::new(Shared {
        updates: door,
        routes: Routes::new(vec![Bot { kind: KindIx(0), lane: LaneIx(0), id: BotId(1_000_001) }]),
        secret: SecretCheck::new(Some(SECRET)),
        sources: Sources::default(),
        pages: Arc::new(pages),
    }));
    let listener = bind("127.0.0.1:0".parse().expect("address"), false).expect("bind");
    println!("{}", listener.local_addr().expect("address").port());
    let config = ReactorConfig { connections_max: 100_000, ..ReactorConfig::default() };
    let mut reactor = Reactor::new(vec![listener], tls, config, service, clock).expect("reactor");
    reactor.run(&AtomicBool::new(false)).expect("run");
}
