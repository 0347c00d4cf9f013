//! What was before: brought back once, before anything is answered, and told to the operator.
//!
//! What lives here: [`recover`]. How it is brought back is [`crate::recovery`]'s.

use super::ServeError;
use crate::config::{Config, added};
use crate::disk::io::FsDirectory;
use crate::disk::{Lock, Options};
use crate::recovery::{self, Recovery};
use crate::{entropy, say};
use nobat_core::engine::{Detached, Engine};
use std::sync::Arc;
use std::time::Instant;

/// Locks the data directory and brings back what it holds.
///
/// # Errors
/// The directory is in use, something that was promised is damaged or cannot be read, or the disk fails.
pub(super) fn recover(config: &Config, engine: Engine<Detached>) -> Result<Recovery, ServeError> {
    let began = Instant::now();
    let lock = Lock::take(&config.data_dir)?;
    let options = Options {
        segment_bytes: config.journal.segment_bytes,
        cut_files_kept: config.journal.cut_files_kept,
        ..Options::new(&config.data_dir)
    };
    let dir = Arc::new(FsDirectory::new(&config.data_dir));
    let recovery = recovery::recover(dir, &options, entropy::seed(), Some(lock), engine)?;
    tell(&recovery, began);
    seal_added(config);
    Ok(recovery)
}

/// The directory is ours now: tokens that were added before there was a key are sealed.
fn seal_added(config: &Config) {
    match added::seal(&config.vault) {
        Ok((0, 0)) => {}
        Ok((0, bare)) => say!(
            Warn,
            "tokens.added holds tokens as they are, readable by its owner alone; with secrets.key_file the next start \
             seals them",
            tokens = bare
        ),
        Ok((sealed, _)) => say!(Info, "tokens that were added are sealed now", tokens = sealed),
        Err(why) => say!(Error, "tokens that were added could not be sealed: {why}"),
    }
}

fn tell(Recovery { journal, recovered, loaded, .. }: &Recovery, began: Instant) {
    for flaw in &loaded.passed_over {
        say!(
            Error,
            "a snapshot is damaged and was passed over; an older one and the journal hold everything: {flaw}"
        );
    }
    let found = journal.recovered();
    if let Some(cut) = &found.cut {
        say!(
            Warn,
            "the last stop left a torn tail, which was never acknowledged; it was cut and is kept",
            file = cut.file,
            at = cut.at,
            bytes = cut.bytes,
            case = cut.label,
            kept_as = cut.kept_as
        );
    }
    if found.copied > 0 {
        say!(Info, "frames that may not have been on disk were written again", frames = found.copied);
    }
    let covered = loaded.header.map_or(0, |header| header.covered.0);
    let took = began.elapsed().as_millis();
    say!(Info, "journal replayed", snapshot = covered, frames = recovered.frames, took_ms = took);
}
