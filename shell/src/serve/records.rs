//! Records in a running process: the thread, and what must stay for it.
//!
//! What lives here: [`spawn`], from the configuration, and [`Hold`], which tells the follower which segments are
//! still to be read. A database that cannot be used is never a reason not to serve.

use super::ServeError;
use crate::clock::Clock;
use crate::config::Config;
use crate::disk::io::FsDirectory;
use crate::disk::{DiskError, Durability, follow};
use crate::observe::Registry;
use crate::records::{self, Marks, Projector, Upkeep};
use crate::say;
use nobat_core::id::Seq;
use std::sync::Arc;

/// Starts the thread; none where records are off.
pub(super) fn spawn(
    config: &Config,
    durability: Durability,
    registry: &Arc<Registry>,
    clock: Clock,
) -> Result<Option<records::Handle>, ServeError> {
    let (Some(recorder), Some(open)) = (records::recorder(config), records::database(config)) else {
        return Ok(None);
    };
    let dir = Arc::new(FsDirectory::new(&config.data_dir));
    let upkeep = Upkeep { retain: config.records.retain.clone(), vacuum: config.records.vacuum };
    let durable = move || Seq(durability.durable());
    let projector = Projector::new(recorder, dir, open);
    Ok(Some(records::spawn(projector, upkeep, durable, Arc::clone(registry), clock)?))
}

/// Which segments stay for the records, and up to how many bytes.
#[derive(Clone, Default)]
pub(super) struct Hold {
    marks: Option<Arc<Marks>>,
    bytes_max: u64,
}

impl Hold {
    pub(super) fn new(config: &Config, records: Option<&records::Handle>) -> Self {
        Self { marks: records.map(records::Handle::marks), bytes_max: config.records.backlog }
    }

    /// The first frame that must stay.
    pub(super) fn from(&self, dir: &FsDirectory) -> Result<Seq, DiskError> {
        let Some(marks) = &self.marks else { return Ok(Seq(u64::MAX)) };
        let from = marks.position();
        let held = follow::bytes_from(dir, from)?;
        if held > self.bytes_max {
            say!(
                Error,
                "the journal does not wait for the records any longer; all is read from a snapshot when their \
                 database can be written again",
                behind_mb = held >> 20
            );
            return Ok(Seq(u64::MAX));
        }
        Ok(from)
    }
}
