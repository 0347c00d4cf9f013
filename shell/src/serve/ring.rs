//! The journal as the engine sees it: the ring in front of the journal thread.
//!
//! What lives here: [`RingJournal`], the in-process implementation of the engine's [`Journal`]; a cluster
//! would put a stream behind the same trait. And [`Handover`], what the journal thread does after a commit:
//! envelopes to the outbound thread, a wake-up to every intake.

use super::snapshots::Bell;
use crate::clock::Clock;
use crate::disk::{Committed, DiskError, Durability, Entry as DiskEntry, Hooks};
use crate::observe::{Registry, names};
use crate::outbound::{Mail, Outbox};
use crate::say;
use crate::updates::Durable;
use nobat_core::engine::{Entry, Journal, ReachFact, number};
use nobat_core::envelope::Envelope;
use nobat_core::id::Seq;
use nobat_core::sync::ring::{Producer, Reservation};
use nobat_core::time::Nanos;
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};

/// What is handed on after the commit.
#[derive(Debug)]
pub(super) struct Extra {
    envelopes: Vec<Envelope>,
    reach: Option<ReachFact>,
}

/// The ring's pushing end.
pub(super) struct RingJournal(pub Producer<DiskEntry<Extra>>);

impl Journal for RingJournal {
    type Room<'a> = Reservation<'a, DiskEntry<Extra>>;

    fn reserve(&self, bytes: usize) -> Option<Self::Room<'_>> {
        self.0.try_reserve(bytes as u64)
    }

    fn push(&self, mut room: Self::Room<'_>, entry: Entry) -> Seq {
        let Entry { payload, envelopes, reach } = entry;
        // Admission reserved for the worst; the surplus goes back at once.
        room.shrink_to(payload.len() as u64);
        Seq(self.0.push(room, DiskEntry { payload, extra: Extra { envelopes, reach } }))
    }

    fn tail(&self) -> Seq {
        Seq(self.0.tail().saturating_sub(1))
    }
}

impl Durable for Durability {
    fn durable(&self) -> Seq {
        Seq(Self::durable(self))
    }

    fn stalled(&self) -> bool {
        Self::stalled(self) || self.failed()
    }
}

/// The journal thread's word to the rest of the process.
pub(super) struct Handover {
    /// To the outbound thread.
    pub outbox: Outbox,
    /// One an intake.
    pub intakes: Arc<OnceLock<Vec<Arc<mio::Waker>>>>,
    /// Counters.
    pub registry: Arc<Registry>,
    /// Tells the follower that a segment was sealed.
    pub rolled: Sender<Bell>,
    /// For how long a commit takes.
    pub clock: Clock,
    /// When the commit under way began.
    pub began: Nanos,
    /// Ends the process: nothing will be durable any more.
    pub fatal: Box<dyn FnMut() + Send>,
}

impl Hooks<Extra> for Handover {
    fn committing(&mut self) {
        self.began = self.clock.mono();
    }

    fn committed(&mut self, batch: &mut Vec<Committed<Extra>>) {
        let mut bytes = 0;
        let frames = batch.len() as u64;
        let mut mailed = false;
        for Committed { seq, entry } in batch.drain(..) {
            bytes += entry.payload.len() as u64;
            let Extra { mut envelopes, reach } = entry.extra;
            if envelopes.is_empty() && reach.is_none() {
                continue;
            }
            number(&mut envelopes, seq);
            self.outbox.put(Mail::Committed { envelopes, reach });
            mailed = true;
        }
        self.registry.add(names::JOURNAL_FRAMES, frames);
        self.registry.add(names::JOURNAL_BYTES, bytes);
        self.registry.inc(names::JOURNAL_COMMITS);
        self.registry.observe(names::JOURNAL_COMMIT, self.clock.mono().since(self.began));
        // The 200s first: the platform waits for them, the pacer has its own pace.
        for intake in self.intakes.get().into_iter().flatten() {
            let _ = intake.wake();
        }
        if mailed {
            self.outbox.wake();
        }
    }

    fn rolled(&mut self) {
        // Without a follower the next start makes the snapshot.
        let _ = self.rolled.send(Bell::Rolled);
    }

    fn stalled(&mut self, error: &DiskError) {
        self.registry.set(names::JOURNAL_STALLED, 1);
        self.registry.inc(names::JOURNAL_STALLS);
        say!(
            Error,
            "the journal cannot be written, new updates are answered 503; free space on the disk of the data \
             directory, and it goes on by itself",
            error = error
        );
    }

    fn healed(&mut self) {
        self.registry.set(names::JOURNAL_STALLED, 0);
        say!(Warn, "the journal can be written again");
    }

    fn failed(&mut self, error: &DiskError) {
        say!(
            Error,
            "the journal failed for good: nothing more is acknowledged, the process ends",
            error = error
        );
        (self.fatal)();
    }
}
