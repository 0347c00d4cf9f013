//! Records for people: the journal's events, projected into SQL in the background.
//!
//! What lives here: [`spawn`], the thread that keeps a database level with the journal, [`Marks`], what the rest of
//! the process may know of it, and [`database`], which opens what the configuration names. [`Projector`] does the
//! work, [`Store`] is a database. `serve` and the command line call it.
//!
//! The thread reads files, as the follower does: no lock of the bot, no queue from the hot path, nothing that
//! can fill. Whatever happens to the database happens to this thread alone: it is counted, said once a minute, and
//! made up for later, because the journal's segments stay until they were read (`docs/decisions/records.md`).

mod background;
pub mod doc;
pub mod export;
mod offline;
#[cfg(feature = "postgres")]
mod postgres;
mod project;
mod sqlite;
mod store;

pub use background::{Handle, Marks, Upkeep, spawn};
pub use offline::from_journal;
#[cfg(feature = "postgres")]
pub use postgres::Postgres;
pub use project::{Open, Projector, RecordsError, Turn};
pub use sqlite::Sqlite;
pub use store::{Position, Store, StoreError};

use crate::config::{Config, Kind, RecordsStore};
use nobat_bots::chat::ChatBot;
use nobat_bots::results::ResultsBot;
use nobat_core::engine::records::{Recorded, Recorder};

/// What reads the frames of this configuration's kinds; none for a kind that this version does not serve.
#[must_use]
pub fn recorder(config: &Config) -> Option<Recorder> {
    let (name, bots) = (config.kind.name(), config.lanes.iter().map(|lane| lane.bot_id).collect());
    let kind = match config.kind {
        Kind::Results => Recorded::new::<ResultsBot>(name, bots),
        Kind::Chat => Recorded::new::<ChatBot>(name, bots),
        _ => return None,
    };
    Some(Recorder::new(vec![kind]))
}

/// What opens the database that the configuration names; none where records are off.
#[must_use]
pub fn database(config: &Config) -> Option<Open> {
    let kinds = vec![config.kind.name().to_owned()];
    match &config.records.store {
        RecordsStore::Off => None,
        RecordsStore::Sqlite(path) => {
            let path = path.clone();
            Some(Box::new(move || Ok(Box::new(Sqlite::open(&path, kinds.clone())?))))
        }
        #[cfg(feature = "postgres")]
        RecordsStore::Postgres(uri) => {
            let uri = uri.clone();
            Some(Box::new(move || Ok(Box::new(Postgres::open(&uri, kinds.clone())?))))
        }
        #[cfg(not(feature = "postgres"))]
        RecordsStore::Postgres(_) => Some(Box::new(|| {
            Err(StoreError::Database("this nobat was built without the feature `postgres`".to_owned()))
        })),
    }
}

/// Opens the database that the configuration names to be read only, as it is; none where records are off.
///
/// # Errors
/// It is not there, cannot be reached, or is of another version.
pub fn reader(config: &Config) -> Result<Option<Box<dyn Store>>, StoreError> {
    match &config.records.store {
        RecordsStore::Off => Ok(None),
        RecordsStore::Sqlite(path) => Ok(Some(Box::new(Sqlite::read(path)?))),
        #[cfg(feature = "postgres")]
        RecordsStore::Postgres(uri) => Ok(Some(Box::new(Postgres::read(uri)?))),
        #[cfg(not(feature = "postgres"))]
        RecordsStore::Postgres(_) => {
            Err(StoreError::Database("this nobat was built without the feature `postgres`".to_owned()))
        }
    }
}
