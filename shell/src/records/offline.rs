//! Records without a database: the newest snapshot and the journal behind it, read into one that passes.
//!
//! What lives here: [`from_journal`], for `nobat export`. It takes no lock and changes nothing, also beside a
//! running process: it shows the moment at which it was asked.

use super::project::{Projector, RecordsError, Turn};
use super::sqlite::Sqlite;
use super::store::{Store, StoreError};
use crate::disk::inspect;
use crate::disk::io::FsDirectory;
use nobat_core::engine::records::Recorder;
use nobat_core::time::UnixMillis;
use std::path::Path;
use std::sync::Arc;

/// Everything that the journal in `dir` says, as a database that is gone when it is dropped. Dates and audit lines
/// from before the newest snapshot are not in it: a snapshot holds states.
///
/// # Errors
/// Damage, or what the disk or SQLite says.
pub fn from_journal(
    dir: &Path,
    recorder: Recorder,
    now: UnixMillis,
) -> Result<Option<Box<dyn Store>>, RecordsError> {
    let last = inspect::last(dir)?;
    let kinds: Vec<String> = recorder.names().map(str::to_owned).collect();
    let open =
        move || -> Result<Box<dyn Store>, StoreError> { Ok(Box::new(Sqlite::passing(kinds.clone())?)) };
    let mut projector = Projector::new(recorder, Arc::new(FsDirectory::new(dir)), Box::new(open));
    while projector.turn(last, now)? != Turn::Level {}
    if let Some(store) = projector.store() {
        store.lapse(now)?;
    }
    Ok(projector.into_store())
}
