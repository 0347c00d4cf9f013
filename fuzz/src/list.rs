//! A journal that is a list.

use nobat_core::engine::{Entry, Journal, Rank};
use nobat_core::id::Seq;
use std::sync::{Mutex, MutexGuard};

#[derive(Default)]
pub(crate) struct List(Mutex<Vec<Entry>>);

impl List {
    pub(crate) fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().expect("one thread")
    }

    /// The last frames never came to the disk.
    pub(crate) fn lose(&self, frames: usize) {
        let mut entries = self.entries();
        let kept = entries.len().saturating_sub(frames);
        entries.truncate(kept);
    }
}

impl Journal for &List {
    type Room<'a>
        = ()
    where
        Self: 'a;
    fn reserve(&self, _: usize, _: Rank) -> Option<()> {
        Some(())
    }
    fn push(&self, (): (), mut entry: Entry) -> Seq {
        let mut frames = self.entries();
        let seq = Seq(frames.len() as u64 + 1);
        entry.number(seq);
        frames.push(entry);
        seq
    }
    fn tail(&self) -> Seq {
        Seq(self.entries().len() as u64)
    }
}
