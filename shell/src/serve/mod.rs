//! The composition root: the one room that sees all others.
//!
//! What lives here: [`run`], which opens, replays, connects and starts everything in the order in which it
//! may fail, then waits for a signal and stops it in the order in which nothing is lost. No decision about
//! an update or a user is made here.

mod alerts;
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
mod operators;
mod orders;
pub mod people;
mod records;
mod recover;
mod register;
pub mod reload;
mod results;
mod ring;
mod running;
mod snapshots;
mod spec;
mod standing;
mod trial;
mod watched;
mod words;

pub(crate) use backups::{bare_engine, what as what_is_backed_up};
pub use trial::trial;

use crate::admin::State;
use crate::clock::Clock;
use crate::config::{Config, Problems, webhook_secret};
use crate::ctl;
use crate::disk::{self, DiskError};
use crate::observe::Registry;
use crate::platform::Platform;
use crate::recovery::RecoveryError;
use crate::say;
use crate::supervisor::upgrade::{Candidate, Program};
use crate::supervisor::{Notifier, Sockets};
use crate::tls::CertificateFiles;
use alerts::{Alarm, Alerts};
use desk::CtlDesk;
use gate::Gate;
use intake::{House, Intake};
use lifecycle::{Closing, Lifecycle, Stop};
use liveness::Liveness;
pub(crate) use orders::Orders;
use ring::{Disk, Handover};
use running::Running;
use snapshots::Follower;
use standing::Standing;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

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

    let Standing { engine, out, journal, consumer, dataset } =
        standing::bring_back(config, &registry, clock)?;
    let outbox = out.outbox();

    let stop = Stop::new(Arc::clone(&start.orders));
    let wakers = Arc::new(OnceLock::new());
    let alarm = Alarm::default();
    let follower = Follower::new(config, Arc::clone(&engine), Arc::clone(&registry), alarm.clone(), clock);
    let handover = Handover {
        outbox: outbox.clone(),
        intakes: Arc::clone(&wakers),
        registry: Arc::clone(&registry),
        rolled: follower.bell(),
        clock,
        began: clock.mono(),
        under_way: Arc::default(),
        alarm: alarm.clone(),
        fatal: stop.fatal(),
    };
    let under_way = Arc::clone(&handover.under_way);
    let journal = disk::spawn(journal, consumer, handover)?;
    standing::bring_together(&engine, clock, &stop)?;

    let gate = Gate::new(Arc::new(Disk { durability: journal.durability(), under_way, clock }));
    let secret = webhook_secret(config)?;
    let records = records::spawn(config, journal.durability(), &registry, clock)?;
    let marks = records.as_ref().map(crate::records::Handle::marks);
    let follower = follower.holding(records::Hold::new(config, records.as_ref()));
    let backups = backups::spawn(config, &registry, alarm.clone(), clock)?;
    let pages = Arc::new(operators::pages(config, &registry, &engine, (&journal, marks), clock));
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
    let admin = doors.admin.map(|listener| operators::reactor(listener, &pages, clock)).transpose()?;

    let ctl_desk = CtlDesk {
        pages: Arc::clone(&pages),
        orders: Arc::clone(&start.orders),
        outbox: outbox.clone(),
        lanes: config.lanes.clone(),
        platform: Box::new(Platform::of(config)),
        program: start.program,
        data_dir: config.data_dir.clone(),
        vault: config.vault.clone(),
        settings: config.settings.clone(),
        clock,
        started: clock.now().wall,
        fell_back: start.fell_back,
    };
    let watched = watched::threads(&intake, admin.as_ref(), &registry, &outbox, &engine, &journal);
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
        alerts: Alerts::new(config, alarm.clone()),
        alarm,
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
    Running { ctl, intake, out, admin, follower, backups, journal, records }.stop_and_join()?;
    say!(Info, "stopped", pending = engine.pending());
    Ok(match closing {
        Closing::Stop => End::Stopped,
        Closing::Replace(candidate) => End::Replace(candidate),
    })
}
