//! The composition root: the one room that sees all others.
//!
//! What lives here: [`run`], which opens, replays, connects and starts everything in the order in which it
//! may fail, then waits for a signal and stops it in the order in which nothing is lost. No decision about
//! an update or a user is made here.

mod chat;
mod dataset;
mod intake;
mod lifecycle;
mod records;
mod recover;
mod register;
mod results;
mod ring;
mod snapshots;
mod spec;
mod words;

use crate::admin::{AdminService, Pages, State};
use crate::clock::Clock;
use crate::config::{Config, Kind, webhook_secret};
use crate::disk::{self, DiskError};
use crate::observe::{Registry, names};
use crate::outbound::Outbound;
use crate::reactor::{self, Reactor, ReactorConfig};
use crate::records::Marks;
use crate::recovery::{Recovery, RecoveryError};
use crate::tls::CertificateFiles;
use crate::{entropy, say};
use dataset::DatasetFile;
use intake::{House, Intake};
use lifecycle::{Lifecycle, Stop};
use nobat_bots::results::Shelf;
use nobat_core::engine::{Engine, Journal as _};
use nobat_core::sync::ring as journal_ring;
use ring::{Disk, Handover, RingJournal, UnderWay};
use snapshots::Follower;
use std::io;
use std::sync::{Arc, OnceLock};

/// Frames that may wait for a commit.
const RING_FRAMES: usize = 1 << 14;

/// Bytes that may wait for a commit. Admission reserves the worst case of a decision, so this allows about
/// a thousand decisions at the same instant.
const RING_BYTES: u64 = 64 << 20;

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

/// Serves until a signal asks for the end.
///
/// # Errors
/// [`ServeError`], before anything was acknowledged or after the journal failed.
pub fn run(config: &Config) -> Result<(), ServeError> {
    let clock = Clock::start();
    let registry = Arc::new(Registry::new(config.lanes.len()));
    // Bound first: a port in use is found at once, and connects wait in the backlog during replay.
    let listeners = intake::listen(config)?;

    let admin_listener = reactor::bind(config.admin_listen, false)
        .map_err(|e| intake::named("server.admin_listen (ADMIN_PORT)", &e))?;
    let server_tls = spec::server_tls(config, clock.now().wall)?;

    let shelf = Arc::new(Shelf::default());
    let mut dataset = (config.kind == Kind::Results)
        .then(|| DatasetFile::new(config.results.dataset.clone(), Arc::clone(&shelf)));
    dataset.iter_mut().for_each(DatasetFile::refresh);

    let seed = entropy::seed();
    let engine =
        Engine::new(vec![spec::engine_kind(config, shelf)?], seed).with_pending_max(config.limits.pending);
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

    let stop = Stop::new()?;
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

    let secret = webhook_secret(config)?;
    let records = records::spawn(config, journal.durability(), &registry, clock)?;
    let marks = records.as_ref().map(crate::records::Handle::marks);
    let follower = follower.holding(records::Hold::new(config, records.as_ref()));
    let pages = Arc::new(pages(config, &registry, &engine, (&journal, marks), clock));
    let house = House {
        config,
        engine: &engine,
        durable: Arc::new(Disk { durability: journal.durability(), under_way, clock }),
        registry: &registry,
        pages: &pages,
        secret: &secret,
        clock,
    };
    let intake = Intake::new(&house, listeners, server_tls.as_ref().map(CertificateFiles::config))?;
    let _ = wakers.set(intake.wakers());

    let admin = Reactor::new(
        vec![admin_listener],
        None,
        ReactorConfig { connections_max: 64, ..ReactorConfig::default() },
        AdminService::new(Arc::clone(&pages)),
        clock,
    )?;

    let mut lifecycle = Lifecycle {
        config,
        clock,
        engine: &engine,
        outbox: &outbox,
        dataset,
        tls: server_tls,
        stop: &stop,
        released: None,
    };
    lifecycle.release();
    let out = out.spawn()?;
    let follower = follower.spawn()?;
    let intake = intake.start(&stop)?;
    let admin = stop.run_all("admin", vec![admin])?;
    pages.set(State::Ready);
    intake::say_where(config);
    let reach = spec::reach_in_words(config);
    say!(Info, "{reach}");

    if let (Some(base), None) = (&config.webhook.url, config.polling) {
        register::spawn(config, base, secret)?;
    }
    lifecycle.run();

    // Nothing new is taken, what was taken is decided and made durable, what is in flight is awaited.
    pages.set(State::Stopping);
    intake.stop_and_join();
    out.stop_and_join();
    admin.stop_and_join();
    follower.stop_and_join();
    let stopped = journal.stop_and_join();
    // The last of all: what it reads is complete now.
    records.into_iter().for_each(crate::records::Handle::stop_and_join);
    stopped?;
    say!(Info, "stopped", pending = engine.pending());
    Ok(())
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
    })
}
