//! Whether updates are taken: the journal's word, and the operator's.
//!
//! What lives here: [`Gate`], which whoever brings updates asks before a body is read.

use super::ring::Disk;
use crate::updates::Durable;
use nobat_core::id::Seq;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The journal, and the operator's hand on the door.
#[derive(Clone)]
pub(super) struct Gate {
    disk: Arc<Disk>,
    shut: Arc<AtomicBool>,
}

impl Gate {
    /// Open, as far as the operator is concerned.
    pub(super) fn new(disk: Arc<Disk>) -> Self {
        Self { disk, shut: Arc::default() }
    }

    /// Shuts it to updates, or opens it again.
    pub(super) fn set_shut(&self, shut: bool) {
        // ORDERING: Relaxed; an update more or less is taken either way.
        self.shut.store(shut, Ordering::Relaxed);
    }

    /// The disk takes nothing at present.
    pub(super) fn disk_is_stalled(&self) -> bool {
        self.disk.stalled()
    }
}

impl Durable for Gate {
    fn durable(&self) -> Seq {
        self.disk.durable()
    }

    fn stalled(&self) -> bool {
        self.disk.stalled() || self.draining()
    }

    fn draining(&self) -> bool {
        self.shut.load(Ordering::Relaxed)
    }
}
