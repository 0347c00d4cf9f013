//! How many people stand where, counted as they go.
//!
//! What lives here: [`Counted`], one kind's numbers, changed by every fact and counted anew after a replay.
//! Statistics for people: relaxed, and a moment old.

use super::cell::Cells;
use super::ties::{Fact, Stage};
use super::{Engine, Kind};
use crate::bot::Census;
use crate::id::KindIx;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Default)]
pub(super) struct Counted {
    waiting: AtomicU64,
    paired: AtomicU64,
}

impl Counted {
    pub(super) fn count(&self, fact: &Fact) {
        let (add, take) = match fact {
            Fact::Filed { .. } => (Some(&self.waiting), None),
            Fact::Withdrawn => (None, Some(&self.waiting)),
            Fact::Paired(_) => (Some(&self.paired), Some(&self.waiting)),
            Fact::Ended { .. } => (None, Some(&self.paired)),
            _ => (None, None),
        };
        if let Some(n) = add {
            n.fetch_add(1, Relaxed);
        }
        if let Some(n) = take {
            n.fetch_sub(1, Relaxed);
        }
    }

    /// Counts from the beginning, before intake. O(users).
    pub(super) fn count_all(&self, kind: KindIx, cells: &Cells) {
        let (mut waiting, mut paired) = (0, 0);
        for (who, cell) in cells.all() {
            let stage = cell.lock().ties.as_ref().map(|ties| ties.stage);
            match stage.filter(|_| who.kind == kind) {
                Some(Stage::Waiting { .. }) => waiting += 1,
                Some(Stage::Paired(_)) => paired += 1,
                _ => {}
            }
        }
        self.waiting.store(waiting, Relaxed);
        self.paired.store(paired, Relaxed);
    }
}

impl<J> Engine<J> {
    pub(super) fn census(&self, kind: &Kind) -> Census {
        Census {
            users: self.cells.made(),
            waiting: kind.counts.waiting.load(Relaxed),
            paired: kind.counts.paired.load(Relaxed),
            pending: self.pending.load(Relaxed),
        }
    }
}
