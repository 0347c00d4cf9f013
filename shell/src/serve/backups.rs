//! Backups that a running process makes of itself.
//!
//! What lives here: [`spawn`], the thread, which sleeps until one is due; [`bare_engine`], into which a backup is
//! opened. It copies files at the follower's rate and priority and asks the rest of the process nothing.

use super::alerts::{Alarm, Trouble};
use super::{ServeError, spec};
use crate::backup::{self, BackupError, What};
use crate::clock::Clock;
use crate::config::{BackupConfig, Config, RecordsStore};
use crate::disk::DiskError;
use crate::observe::{Registry, names};
use crate::recovery::{self, Pace};
use crate::say;
use nobat_bots::results::Shelf;
use nobat_core::engine::{Detached, Engine};
use nobat_core::time::UnixMillis;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How soon a backup is tried again that could not be made; twice as late after each further failure,
const RETRY: Duration = Duration::from_secs(5);
/// up to this.
const RETRY_MAX: Duration = Duration::from_secs(600);

/// An engine of this configuration's kinds that nothing is connected to.
///
/// # Errors
/// Texts or settings that cannot be used.
pub(crate) fn bare_engine(config: &Config) -> Result<Engine<Detached>, ServeError> {
    // What is looked at may have had more lanes than are configured here, or the tokens may not be here at all.
    let of_any_lane = Config { lanes: Vec::new(), ..config.clone() };
    Ok(Engine::new(vec![spec::engine_kind(&of_any_lane, Arc::new(Shelf::default()))?], 0))
}

/// What of this configuration is backed up.
pub(crate) fn what(config: &Config) -> What {
    let records = match &config.records.store {
        RecordsStore::Sqlite(path) => Some(path.clone()),
        RecordsStore::Postgres(_) | RecordsStore::Off => None,
    };
    What { data_dir: config.data_dir.clone(), records }
}

/// The running thread.
pub(super) struct Handle {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Handle {
    /// Ends the thread; a backup under way is given up.
    pub(super) fn stop_and_join(self) {
        self.stop.store(true, Relaxed);
        self.thread.thread().unpark();
        if self.thread.join().is_err() {
            say!(Error, "the backup thread panicked");
        }
    }
}

/// Starts the thread; none where backups are off.
pub(super) fn spawn(
    config: &Config,
    registry: &Arc<Registry>,
    alarm: Alarm,
    clock: Clock,
) -> Result<Option<Handle>, ServeError> {
    let BackupConfig { every: Some(every), to: Some(to), keep } = config.backup.clone() else {
        return Ok(None);
    };
    let stop = Arc::new(AtomicBool::new(false));
    let registry = Arc::clone(registry);
    let keeper =
        Keeper { config: config.clone(), every, to, keep, registry, alarm, clock, stop: Arc::clone(&stop) };
    let thread = thread::Builder::new().name("backup".into()).spawn(move || {
        recovery::stand_back();
        keeper.run();
    })?;
    Ok(Some(Handle { stop, thread }))
}

struct Keeper {
    config: Config,
    every: Duration,
    to: PathBuf,
    keep: usize,
    registry: Arc<Registry>,
    alarm: Alarm,
    clock: Clock,
    stop: Arc<AtomicBool>,
}

impl Keeper {
    fn run(&self) {
        // One that an earlier life made counts: restarts make no more of them.
        let newest = backup::newest(&self.to);
        self.registry.set(names::BACKUP_AT, newest.map_or(0, |at| at.0 / 1000));
        let mut due = newest.map_or(UnixMillis(0), |made| made.after(self.every));
        let mut retry = RETRY;
        while !self.stop.load(Relaxed) {
            let now = self.clock.now().wall;
            if now < due {
                thread::park_timeout(due.since(now));
                continue;
            }
            let made = self.make(now);
            due = now.after(if made { self.every } else { retry.min(self.every) });
            retry = if made { RETRY } else { RETRY_MAX.min(retry * 2) };
        }
    }

    /// Whether one was made.
    fn make(&self, now: UnixMillis) -> bool {
        match self.try_make(now) {
            Ok(made) => {
                self.registry.inc(names::BACKUPS);
                self.alarm.clear(Trouble::Backup);
                self.registry.set(names::BACKUP_AT, now.0 / 1000);
                let (users, pending) = (made.opened.users, made.opened.pending);
                let path = made.path.display();
                say!(
                    Info,
                    "backup made and opened",
                    path = path,
                    bytes = made.bytes,
                    frames = made.last,
                    users = users,
                    pending = pending
                );
                true
            }
            Err(NotMade::Backup(BackupError::Disk(DiskError::Stopped))) => false,
            Err(error) => {
                self.registry.inc(names::BACKUP_FAILURES);
                say!(Error, "NO BACKUP was made: {error}; it is tried again in ten minutes at the latest");
                let why =
                    format!("NO BACKUP was made: {error}. It is tried again, at last every ten minutes.");
                self.alarm.raise(Trouble::Backup, why);
                false
            }
        }
    }

    fn try_make(&self, now: UnixMillis) -> Result<backup::Made, NotMade> {
        let engine = bare_engine(&self.config).map_err(|e| NotMade::Serve(Box::new(e)))?;
        let mut pace = Pace::new(&self.stop);
        let made = backup::make(&what(&self.config), &self.to, now, &engine, &mut |bytes| pace.spend(bytes))?;
        // Only behind one that opens do others go.
        backup::tidy(&self.to, self.keep)?;
        Ok(made)
    }
}

#[derive(Debug, thiserror::Error)]
enum NotMade {
    #[error("{0}")]
    Backup(#[from] BackupError),
    #[error("{0}")]
    Serve(Box<ServeError>),
}
