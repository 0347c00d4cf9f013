//! Everything that runs, and the order in which it ends.

use super::{ServeError, backups, intake, lifecycle, snapshots};
use crate::{ctl, disk, outbound, records};

/// The threads of a serving process.
pub(super) struct Running {
    pub(super) ctl: Option<ctl::server::Handle>,
    pub(super) intake: intake::Running,
    pub(super) out: outbound::Handle,
    pub(super) admin: lifecycle::Threads,
    pub(super) follower: snapshots::Handle,
    pub(super) backups: Option<backups::Handle>,
    pub(super) journal: disk::JournalHandle,
    pub(super) records: Option<records::Handle>,
}

impl Running {
    /// Nothing new is taken, what was taken is decided and made durable, what is in flight is awaited.
    ///
    /// # Errors
    /// The journal failed; everything has ended all the same.
    pub(super) fn stop_and_join(self) -> Result<(), ServeError> {
        self.ctl.into_iter().for_each(ctl::server::Handle::stop_and_join);
        self.intake.stop_and_join();
        self.out.stop_and_join();
        self.admin.stop_and_join();
        self.follower.stop_and_join();
        self.backups.into_iter().for_each(backups::Handle::stop_and_join);
        let stopped = self.journal.stop_and_join();
        // The last of all: what it reads is complete now.
        self.records.into_iter().for_each(records::Handle::stop_and_join);
        Ok(stopped?)
    }
}
