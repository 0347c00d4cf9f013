//! The follower: a thread that makes snapshots out of sealed segments, beside the traffic.
//!
//! What lives here: [`Follower`]. It wakes when a segment was sealed and, once enough of them gathered, folds
//! the last snapshot and those segments into a new one by the engine's own `evolve`, at a bounded rate and
//! with a low priority. It reads files and writes one; it touches neither the live state nor the running
//! journal, so nobody waits for it. Segments go only after the snapshots that cover them are durable.

use super::alerts::{Alarm, Trouble};
use super::records::Hold;
use super::ring::RingJournal;
use crate::clock::Clock;
use crate::config::Config;
use crate::disk::follow::{self, Due};
use crate::disk::io::FsDirectory;
use crate::disk::{DiskError, snapshot};
use crate::observe::{Registry, names};
use crate::recovery::{self, Pace, RecoveryError};
use crate::say;
use nobat_core::engine::{Engine, Folded};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

/// What wakes the follower.
pub(super) enum Bell {
    /// A segment was sealed.
    Rolled,
    /// The process stops.
    Stop,
}

/// The follower before it runs.
pub(super) struct Follower {
    engine: Arc<Engine<RingJournal>>,
    registry: Arc<Registry>,
    alarm: Alarm,
    clock: Clock,
    dir: FsDirectory,
    every: u64,
    /// What must stay for the records.
    hold: Hold,
    stop: Arc<AtomicBool>,
    bell: Sender<Bell>,
    bells: Receiver<Bell>,
}

/// The running follower.
pub(super) struct Handle {
    stop: Arc<AtomicBool>,
    bell: Sender<Bell>,
    thread: JoinHandle<()>,
}

impl Handle {
    /// Ends the thread. A snapshot under way is given up: the journal holds everything.
    pub(super) fn stop_and_join(self) {
        // ORDERING: Relaxed; a request, nothing else is carried.
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.bell.send(Bell::Stop);
        if self.thread.join().is_err() {
            say!(Error, "the follower panicked");
        }
    }
}

impl Follower {
    pub(super) fn new(
        config: &Config,
        engine: Arc<Engine<RingJournal>>,
        registry: Arc<Registry>,
        alarm: Alarm,
        clock: Clock,
    ) -> Self {
        let (bell, bells) = channel();
        let (dir, every) = (FsDirectory::new(&config.data_dir), config.journal.snapshot_every);
        Self {
            engine,
            registry,
            alarm,
            clock,
            dir,
            every,
            hold: Hold::default(),
            stop: Arc::default(),
            bell,
            bells,
        }
    }

    /// From here on segments that records have not read stay.
    pub(super) fn holding(self, hold: Hold) -> Self {
        Self { hold, ..self }
    }

    /// For the journal thread.
    pub(super) fn bell(&self) -> Sender<Bell> {
        self.bell.clone()
    }

    /// Starts the thread; what earlier lives left is looked at first.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub(super) fn spawn(self) -> io::Result<Handle> {
        let (stop, bell) = (Arc::clone(&self.stop), self.bell.clone());
        let thread = thread::Builder::new().name("background".into()).spawn(move || self.run())?;
        Ok(Handle { stop, bell, thread })
    }

    fn run(self) {
        recovery::stand_back();
        loop {
            if let Err(e) = self.look() {
                self.registry.inc(names::SNAPSHOT_FAILURES);
                say!(Error, "no snapshot could be made; the journal still holds everything: {e}");
                let why = format!(
                    "no snapshot can be made: {e}. The journal holds everything and grows meanwhile; the next start \
                     takes longer."
                );
                self.alarm.raise(Trouble::Snapshot, why);
            }
            match self.bells.recv() {
                Ok(Bell::Rolled) => {}
                Ok(Bell::Stop) | Err(_) => return,
            }
        }
    }

    /// Makes a snapshot if one is due.
    fn look(&self) -> Result<(), RecoveryError> {
        let Some(due) = follow::due(&self.dir)?.filter(|due| due.bytes >= self.every) else { return Ok(()) };
        let began = self.clock.mono();
        match self.make(&due) {
            Ok(folded) => {
                let took = self.clock.mono().since(began);
                self.registry.inc(names::SNAPSHOTS);
                self.alarm.clear(Trouble::Snapshot);
                self.registry.set(names::SNAPSHOT_COVERS, due.covered.0);
                say!(
                    Info,
                    "snapshot made",
                    covers = due.covered,
                    users = folded.users,
                    pending = folded.envelopes,
                    frames = folded.frames,
                    took_ms = took.as_millis()
                );
                Ok(snapshot::prune_keeping(&self.dir, self.hold.from(&self.dir)?)?)
            }
            Err(RecoveryError::Disk(DiskError::Stopped)) => Ok(()),
            Err(e) => Err(e),
        }
    }

    fn make(&self, due: &Due) -> Result<Folded, RecoveryError> {
        let mut pace = Pace::new(&self.stop);
        let made = self.clock.now().wall;
        recovery::snapshot(&self.dir, &self.engine, due, made, &mut |bytes| pace.spend(bytes))
    }
}
