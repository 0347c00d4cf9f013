//! Between engine and disk: how what was durable becomes a running engine, and how an image of it is made.
//!
//! What lives here: [`recover`] (the newest snapshot, then the journal behind it) and [`snapshot`] (the last
//! image and the sealed segments behind it, folded into the next). Both work on any [`Directory`], so that the
//! simulation kills and starves the very code that `serve` runs. What counts is decided in core.

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
