//! The follower: a thread that makes snapshots out of sealed segments, beside the traffic.
//!
//! What lives here: [`Follower`]. It wakes when a segment was sealed and, once enough of them gathered, folds
//! the last snapshot and those segments into a new one by the engine's own `evolve`, at a bounded rate and
//! with a low priority. It reads files and writes one; it touches neither the live state nor the running
//! journal, so nobody waits for it. Segments go only after the snapshots that cover them are durable.

use super::ring::RingJournal;
use crate::clock::Clock;
use crate::config::Config;
use crate::disk::follow::{self, Due};
use crate::disk::io::FsDirectory;
use crate::disk::{DiskError, snapshot};
use crate::observe::{Registry, names};
use crate::recovery::{self, RecoveryError};
use crate::say;
use nobat_core::engine::{Engine, Folded};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Bytes read and written a second, together. A snapshot of 100,000 users and 64 MiB of journal takes about
/// five seconds at this rate, while the journal's own syncs find the disk nearly idle.
const BYTES_PER_S: u64 = 16 << 20;

/// Bytes between two rests.
const BREATH_BYTES: u64 = 128 << 10;

/// How far the follower stands back behind the threads that answer.
const NICE: i32 = 10;

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
    clock: Clock,
    dir: FsDirectory,
    every: u64,
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
        clock: Clock,
    ) -> Self {
        let (bell, bells) = channel();
        let (dir, every) = (FsDirectory::new(&config.data_dir), config.journal.snapshot_every);
        Self { engine, registry, clock, dir, every, stop: Arc::default(), bell, bells }
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
        // Of this thread alone, on Linux. Without it the follower is as urgent as the others, no more.
        let _ = rustix::process::setpriority_process(None, NICE);
        loop {
            if let Err(e) = self.look() {
                self.registry.inc(names::SNAPSHOT_FAILURES);
                say!(Error, "no snapshot could be made; the journal still holds everything: {e}");
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
                Ok(snapshot::prune(&self.dir)?)
            }
            Err(RecoveryError::Disk(DiskError::Stopped)) => Ok(()),
            Err(e) => Err(e),
        }
    }

    fn make(&self, due: &Due) -> Result<Folded, RecoveryError> {
        let mut pace = Pace { stop: &self.stop, owed: 0 };
        let made = self.clock.now().wall;
        recovery::snapshot(&self.dir, &self.engine, due, made, &mut |bytes| pace.spend(bytes))
    }
}

/// Rests now and then, so that the rate is kept.
struct Pace<'s> {
    stop: &'s AtomicBool,
    /// Bytes since the last rest.
    owed: u64,
}

impl Pace<'_> {
    fn spend(&mut self, bytes: usize) -> Result<(), DiskError> {
        self.owed += bytes as u64;
        if self.owed >= BREATH_BYTES {
            thread::sleep(Duration::from_micros(self.owed * 1_000_000 / BYTES_PER_S));
            self.owed = 0;
            // ORDERING: Relaxed; a request, nothing else is carried.
            if self.stop.load(Ordering::Relaxed) {
                return Err(DiskError::Stopped);
            }
        }
        Ok(())
    }
}
