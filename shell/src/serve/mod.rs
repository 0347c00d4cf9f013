//! The composition root: the one room that sees all others.
//!
//! What lives here: [`run`], which opens, replays, connects and starts everything in the order in which it
//! may fail, then waits for a signal and stops it in the order in which nothing is lost. No decision about
//! an update or a user is made here.

mod backups;
mod chat;
mod dataset;
mod desk;
mod doors;
mod drain;
mod gate;
mod intake;
mod lifecycle;
mod liveness;
mod orders;
pub mod people;
mod records;
mod recover;
mod register;
pub mod reload;
mod results;
mod ring;
mod snapshots;
mod spec;
mod trial;
mod words;

pub(crate) use backups::{bare_engine, what as what_is_backed_up};
pub use trial::trial;

use crate::admin::{AdminService, Pages, State};
use crate::clock::Clock;
use crate::config::{Config, Kind, Problems, webhook_secret};
use crate::ctl;
use crate::disk::{self, DiskError};
use crate::observe::{Registry, names};
use crate::outbound::{Outbound, Outbox};
use crate::platform::Platform;
use crate::reactor::{Reactor, ReactorConfig};
use crate::records::Marks;
use crate::recovery::{Recovery, RecoveryError};
use crate::supervisor::upgrade::{Candidate, Program};
use crate::supervisor::{Notifier, Sockets};
use crate::tls::CertificateFiles;
use crate::{entropy, say};
use dataset::DatasetFile;
use desk::CtlDesk;
use gate::Gate;
use intake::{House, Intake};
use lifecycle::{Closing, Lifecycle, Stop};
use liveness::{Liveness, Watched};
use nobat_bots::results::Shelf;
use nobat_core::engine::{Engine, Journal as _};
use nobat_core::sync::ring as journal_ring;
pub(crate) use orders::Orders;
use ring::{Disk, Handover, RingJournal, UnderWay};
use snapshots::Follower;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Frames that may wait for a commit.
const RING_FRAMES: usize = 1 << 14;

/// Bytes that may wait for a commit. Admission reserves the worst case of a decision, so this allows about
/// a thousand decisions at the same instant.
const RING_BYTES: u64 = 64 << 20;

/// What a stop may take: requests and sends in flight are awaited for 10 s each.
const STOP_MAX: Duration = Duration::from_secs(40);

/// Why the process could not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A listener, thread or poll.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The journal.
    #[error("{0}")]
    Disk(#[from] DiskError),
    /// What was durable.
    #[error("{}", told(.0))]
    Recovery(#[from] RecoveryError),
    /// Something in the configuration that only shows when it is used.
    #[error("{0}")]
    Config(String),
}

fn told(error: &RecoveryError) -> String {
    match error {
        RecoveryError::Disk(e) if e.heals() => {
            format!(
                "{e}; free some space on the disk of the data directory, or move it to a larger one, and start again"
            )
        }
        RecoveryError::Disk(e) => e.to_string(),
        RecoveryError::Corrupt(e) => {
            format!("the journal cannot be replayed: {e}; `nobat journal verify` says more")
        }
    }
}

/// How the process was started, and what outlives one life of the server in it.
pub(crate) struct Start<'a> {
    /// Listening sockets: handed in, and left open if another program is to take them over.
    pub(crate) sockets: &'a mut Sockets,
    /// What the operator asks.
    pub(crate) orders: Arc<Orders>,
    /// The service manager.
    pub(crate) notifier: &'a Notifier,
    /// Reads the configuration again.
    pub(crate) again: &'a dyn Fn() -> Result<Config, Problems>,
    /// What this process runs.
    pub(crate) program: Arc<Program>,
    /// Why the program that was put in this one's place is gone again.
    pub(crate) fell_back: Option<String>,
    /// Called once updates are taken.
    pub(crate) serving: &'a mut dyn FnMut(),
}

/// How it ended.
pub(crate) enum End {
    /// The process ends.
    Stopped,
    /// Everything is sealed and given up, the sockets are open: another program is to take this one's place.
    Replace(Candidate),
}

/// Serves until the end is asked for.
///
/// # Errors
/// [`ServeError`], before anything was acknowledged or after the journal failed. The sockets stay open.
pub(crate) fn run(config: Config, start: Start<'_>) -> Result<End, ServeError> {
    let config = &config;
    let clock = Clock::start();
    let registry = Arc::new(Registry::new(config.lanes.len()));
    // Bound first: a port in use is found at once, and connects wait in the backlog during replay.
    let doors = doors::open(config, start.sockets)?;
    let server_tls = spec::server_tls(config, clock.now().wall)?;

    let shelf = Arc::new(Shelf::default());
    let mut dataset = (config.kind == Kind::Results)
        .then(|| DatasetFile::new(config.results.dataset.clone(), Arc::clone(&shelf)));
    dataset.iter_mut().for_each(DatasetFile::refresh);

    let seed = entropy::seed();
    let engine =
        Engine::new(vec![spec::serving_kind(config, shelf)?], seed).with_pending_max(config.limits.pending);
    let Recovery { journal, engine, mut recovered, loaded } = recover::recover(config, engine)?;
    engine.check_pairs().map_err(RecoveryError::Corrupt)?;
    let restarted = recovered.frames > 0 || loaded.header.is_some();
    let first = journal.next_seq();
    let (producer, consumer) = journal_ring::ring(RING_FRAMES, RING_BYTES, first);
    let engine = Arc::new(engine.attach(RingJournal(producer)));

    let mut out = Outbound::new(
        spec::outbound(config, seed, restarted)?,
        Arc::clone(&engine),
        Arc::clone(&registry),
        clock,
    )?;
    out.recover(&mut recovered);
    let outbox = out.outbox();

    let stop = Stop::new(Arc::clone(&start.orders));
    let wakers = Arc::new(OnceLock::new());
    let follower = Follower::new(config, Arc::clone(&engine), Arc::clone(&registry), clock);
    let under_way = Arc::new(UnderWay::default());
    let handover = Handover {
        outbox: outbox.clone(),
        intakes: Arc::clone(&wakers),
        registry: Arc::clone(&registry),
        rolled: follower.bell(),
        clock,
        began: clock.mono(),
        under_way: Arc::clone(&under_way),
        fatal: stop.fatal(),
    };
    let journal = disk::spawn(journal, consumer, handover)?;
    bring_together(&engine, clock, &stop)?;

    let disk = Disk { durability: journal.durability(), under_way, clock };
    let gate = Gate::new(Arc::new(disk));
    let secret = webhook_secret(config)?;
    let records = records::spawn(config, journal.durability(), &registry, clock)?;
    let marks = records.as_ref().map(crate::records::Handle::marks);
    let follower = follower.holding(records::Hold::new(config, records.as_ref()));
    let backups = backups::spawn(config, &registry, clock)?;
    let pages = Arc::new(pages(config, &registry, &engine, (&journal, marks), clock));
    let house = House {
        config,
        engine: &engine,
        durable: Arc::new(gate.clone()),
        registry: &registry,
        pages: &pages,
        secret: &secret,
        clock,
    };
    let intake = Intake::new(&house, doors.webhook, server_tls.as_ref().map(CertificateFiles::config))?;
    let _ = wakers.set(intake.wakers());
    let admin = doors.admin.map(|listener| admin_reactor(listener, &pages, clock)).transpose()?;

    let ctl_desk = CtlDesk {
        pages: Arc::clone(&pages),
        orders: Arc::clone(&start.orders),
        outbox: outbox.clone(),
        lanes: config.lanes.clone(),
        platform: Box::new(Platform::of(config)),
        program: start.program,
        data_dir: config.data_dir.clone(),
        settings: config.settings.clone(),
        clock,
        started: clock.now().wall,
        fell_back: start.fell_back,
    };
    let watched = watched(&intake, admin.as_ref(), &registry, &outbox, &engine, &journal);
    let mut lifecycle = Lifecycle {
        config: config.clone(),
        again: start.again,
        clock,
        engine: &engine,
        updates: intake.updates(),
        registry: &registry,
        outbox: &outbox,
        pages: &pages,
        gate,
        dataset,
        tls: server_tls,
        stop: &stop,
        notifier: start.notifier,
        liveness: Liveness::new(start.notifier, watched, clock),
        released: None,
        drain: None,
    };
    lifecycle.release();
    let out = out.spawn()?;
    let follower = follower.spawn()?;
    let intake = intake.start(&stop)?;
    let admin = stop.run_all("admin", admin.into_iter().collect())?;
    pages.set(State::Ready);
    let ctl = desk::open(config, start.sockets, ctl_desk);
    (start.serving)();
    start.notifier.ready("serving");
    intake::say_where(config);
    let reach = spec::reach_in_words(config);
    say!(Info, "{reach}");

    if let (Some(base), None) = (&config.webhook.url, config.polling) {
        register::spawn(config, base, secret)?;
    }
    let closing = lifecycle.run();

    // Nothing new is taken, what was taken is decided and made durable, what is in flight is awaited.
    pages.set(State::Stopping);
    start.notifier.extend(STOP_MAX);
    if matches!(closing, Closing::Stop) {
        start.notifier.stopping("stopping");
        // With no copy of ours left the kernel refuses newcomers, unless a service manager holds the socket.
        *start.sockets = Sockets::default();
        ctl::server::unbind(&config.data_dir);
    }
    ctl.into_iter().for_each(ctl::server::Handle::stop_and_join);
    intake.stop_and_join();
    out.stop_and_join();
    admin.stop_and_join();
    follower.stop_and_join();
    backups.into_iter().for_each(backups::Handle::stop_and_join);
    let stopped = journal.stop_and_join();
    // The last of all: what it reads is complete now.
    records.into_iter().for_each(crate::records::Handle::stop_and_join);
    stopped?;
    say!(Info, "stopped", pending = engine.pending());
    Ok(match closing {
        Closing::Stop => End::Stopped,
        Closing::Replace(candidate) => End::Replace(candidate),
    })
}

fn admin_reactor(
    listener: mio::net::TcpListener,
    pages: &Arc<Pages>,
    clock: Clock,
) -> io::Result<Reactor<AdminService>> {
    let bounds = ReactorConfig { connections_max: 64, ..ReactorConfig::default() };
    Reactor::new(vec![listener], None, bounds, AdminService::new(Arc::clone(pages)), clock)
}

/// The threads without which nothing is served.
fn watched(
    intake: &Intake,
    admin: Option<&Reactor<AdminService>>,
    registry: &Arc<Registry>,
    outbox: &Outbox,
    engine: &Arc<Engine<RingJournal>>,
    journal: &disk::JournalHandle,
) -> Vec<Watched> {
    let never_idle = || Box::new(|| false);
    let mut threads = Vec::new();
    let intakes = intake.watched().into_iter().enumerate().map(|(n, parts)| (format!("intake-{n}"), parts));
    let admin = admin.map(|admin| ("admin-0".to_owned(), (admin.waker(), admin.stats())));
    for (name, (waker, stats)) in intakes.chain(admin) {
        let poke = move || {
            let _ = waker.wake();
        };
        let beat = move || stats.view().turns;
        threads.push(Watched { name, beat: Box::new(beat), idle: never_idle(), poke: Box::new(poke) });
    }
    let (registry, outbox) = (Arc::clone(registry), outbox.clone());
    threads.push(Watched {
        name: "outbound".to_owned(),
        beat: Box::new(move || registry.total(names::OUTBOUND_BEATS)),
        idle: never_idle(),
        poke: Box::new(move || outbox.wake()),
    });
    let (engine, seen, durability) = (Arc::clone(engine), journal.durability(), journal.durability());
    threads.push(Watched {
        name: "journal".to_owned(),
        beat: Box::new(move || seen.durable()),
        idle: Box::new(move || engine.journal().tail().0 <= durability.durable() || durability.stalled()),
        poke: Box::new(|| {}),
    });
    threads
}

/// Brings people to where the journal says that they stand, before anything new is taken.
fn bring_together(engine: &Engine<RingJournal>, clock: Clock, stop: &Stop) -> Result<(), ServeError> {
    while engine.resume(clock.now()).is_err() {
        // The journal is behind; what was found so far is kept.
        if !stop.tick() {
            return Err(ServeError::Config(
                "stopped before everybody who waited was back in line".to_owned(),
            ));
        }
    }
    Ok(())
}

/// The pages of both listeners, with the gauges that are counted elsewhere.
fn pages(
    config: &Config,
    registry: &Arc<Registry>,
    engine: &Arc<Engine<RingJournal>>,
    (journal, records): (&disk::JournalHandle, Option<Arc<Marks>>),
    clock: Clock,
) -> Pages {
    let (engine, durability) = (Arc::clone(engine), journal.durability());
    Pages::new(config, Arc::clone(registry), clock.now().mono).with_refresh(move |registry| {
        let pushed = engine.journal().tail().0;
        let durable = durability.durable();
        registry.set(names::JOURNAL_RING, pushed.saturating_sub(durable));
        records.iter().for_each(|marks| marks.show(registry, durable, clock.mono()));
        registry.set(names::ENVELOPES_PENDING, engine.pending());
        registry.set(names::USERS, engine.users() as u64);
        registry.set(names::BLOCKS_REFUSED, engine.blocks_refused());
    })
}
