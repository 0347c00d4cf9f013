//! Between engine and disk: how what was durable becomes a running engine, and how an image of it is made.
//!
//! What lives here: [`recover`] (the newest snapshot, then the journal behind it), [`snapshot`] (the last
//! image and the sealed segments behind it, folded into the next) and [`Pace`], at which it is made. They work
//! on any [`Directory`], so that the simulation kills and starves the very code that `serve` runs. What counts
//! is decided in core.

use crate::disk::follow::Due;
use crate::disk::io::Directory;
use crate::disk::snapshot::file::ImageWriter;
use crate::disk::snapshot::{Loaded, load_newest};
use crate::disk::{DiskError, Journal, Lock, Options};
use nobat_core::engine::{Corrupt, Detached, Engine, Folded, Recovered};
use nobat_core::id::Seq;
use nobat_core::journal::snapshot::SnapshotHeader;
use nobat_core::record::Malformed;
use nobat_core::time::UnixMillis;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Bytes read and written a second, together. A snapshot of 100,000 users and 64 MiB of journal takes about
/// five seconds at this rate, while the journal's own syncs find the disk nearly idle.
const BYTES_PER_S: u64 = 16 << 20;

/// Bytes between two rests.
const BREATH_BYTES: u64 = 128 << 10;

/// How far the follower stands back behind the threads that answer.
const NICE: i32 = 10;

/// Why what was durable cannot be brought back, or no image can be made.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The files.
    #[error("{0}")]
    Disk(#[from] DiskError),
    /// What they hold does not fit together.
    #[error("{0}")]
    Corrupt(#[from] Corrupt),
}

/// A process as it was left, ready to go on.
pub struct Recovery {
    /// To be written to.
    pub journal: Journal,
    /// With every durable change applied.
    pub engine: Engine<Detached>,
    /// For the outbound thread.
    pub recovered: Recovered,
    /// Which snapshot it began with, and which were passed over.
    pub loaded: Loaded,
}

/// Brings back what `dir` holds. `options.covered` is set here; `salt` is random.
///
/// # Errors
/// Something that was promised is damaged or cannot be read, or the disk fails.
pub fn recover(
    dir: Arc<dyn Directory>,
    options: &Options,
    salt: u64,
    lock: Option<Lock>,
    engine: Engine<Detached>,
) -> Result<Recovery, RecoveryError> {
    let (mut recovered, mut corrupt) = (Recovered::default(), None);
    let mut told = |applied: Result<(), Corrupt>| {
        applied.map_err(|e| {
            corrupt.get_or_insert(e);
            Malformed("it does not continue the state before it")
        })
    };
    let opened = load_newest(&*dir, |block| told(engine.load(&mut recovered, block))).and_then(|loaded| {
        engine.loaded(&recovered);
        let covered = loaded.header.map_or(Seq(0), |header| header.covered);
        let options = Options { covered, ..options.clone() };
        let replay = |seq, payload: &[u8]| told(engine.replay(&mut recovered, seq, payload));
        Ok((loaded, Journal::open_in(dir, &options, salt, lock, replay)?))
    });
    match (corrupt, opened) {
        (Some(e), _) => Err(e.into()),
        (None, opened) => {
            let (loaded, journal) = opened?;
            engine.check_pairs()?;
            Ok(Recovery { journal, engine, recovered, loaded })
        }
    }
}

/// What a rehearsal brought back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rehearsed {
    /// The last frame.
    pub last: Seq,
    /// Users of whom something is known.
    pub users: usize,
    /// Envelopes without an end.
    pub pending: u64,
}

/// Brings back what `dir` holds as [`recover`] does, into an engine that is only looked at: nothing in `dir` changes,
/// not even a lock is taken.
///
/// # Errors
/// As [`recover`]; a snapshot that is not whole is an error here.
pub fn rehearse(dir: &dyn Directory, engine: &Engine<Detached>) -> Result<Rehearsed, RecoveryError> {
    let (mut recovered, mut corrupt) = (Recovered::default(), None);
    let mut told = |applied: Result<(), Corrupt>| {
        applied.map_err(|e| {
            corrupt.get_or_insert(e);
            Malformed("it does not continue the state before it")
        })
    };
    let read = load_newest(dir, |block| told(engine.load(&mut recovered, block))).and_then(|mut loaded| {
        if let Some(flaw) = loaded.passed_over.pop() {
            return Err(flaw);
        }
        engine.loaded(&recovered);
        let covered = loaded.header.map_or(Seq(0), |header| header.covered);
        crate::disk::read_only(dir, covered, |seq, frame| told(engine.replay(&mut recovered, seq, frame)))
    });
    if let Some(e) = corrupt {
        return Err(e.into());
    }
    let next = read?;
    engine.check_pairs()?;
    Ok(Rehearsed { last: Seq(next.0 - 1), users: engine.users(), pending: engine.pending() })
}

/// Makes the snapshot that is due. `pace` hears of every few bytes read or written, and may rest, or end it
/// with an error.
///
/// # Errors
/// What `pace` says, damage, or what the operating system says. Older snapshots are untouched.
pub fn snapshot<J>(
    dir: &dyn Directory,
    engine: &Engine<J>,
    due: &Due,
    made: UnixMillis,
    pace: &mut dyn FnMut(usize) -> Result<(), DiskError>,
) -> Result<Folded, RecoveryError> {
    let (mut fold, mut corrupt) = (engine.fold(), None);
    let read = due.read(dir, |seq, payload| {
        pace(payload.len())?;
        fold.frame(seq, payload).map_err(|e| {
            corrupt = Some(e);
            DiskError::Stopped
        })
    });
    if let Some(e) = corrupt {
        return Err(e.into());
    }
    read?;
    let mut base = due.base(dir)?;
    let mut image = ImageWriter::begin(dir, &SnapshotHeader { covered: due.covered, made })?;
    let next = || Ok(base.as_mut().map(|base| base.next_block()).transpose()?.flatten());
    let folded = fold.merge::<RecoveryError>(next, |block| {
        pace(block.len())?;
        Ok(image.block(block)?)
    })?;
    image.finish()?;
    Ok(folded)
}

/// Rests now and then, so that a snapshot keeps to its rate.
pub struct Pace<'s> {
    stop: &'s AtomicBool,
    /// Bytes since the last rest.
    owed: u64,
}

impl<'s> Pace<'s> {
    /// A pace that ends early once `stop` is set.
    #[must_use]
    pub const fn new(stop: &'s AtomicBool) -> Self {
        Self { stop, owed: 0 }
    }

    /// Counts bytes that were read or written, and rests if it is time.
    ///
    /// # Errors
    /// [`DiskError::Stopped`].
    pub fn spend(&mut self, bytes: usize) -> Result<(), DiskError> {
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

/// Puts the calling thread behind the threads that answer: on Linux a priority is of one thread. Without the
/// right to do so it stays as urgent as the others, no more.
pub fn stand_back() {
    let _ = rustix::process::setpriority_process(None, NICE);
}
