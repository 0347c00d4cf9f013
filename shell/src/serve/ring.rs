//! The journal as the engine sees it: the ring in front of the journal thread.
//!
//! What lives here: [`RingJournal`], the in-process implementation of the engine's [`Journal`]; a cluster
//! would put a stream behind the same trait. And [`Handover`], what the journal thread does after a commit:
//! envelopes to the outbound thread, a wake-up to every intake.

use super::alerts::{Alarm, Trouble};
use super::snapshots::Bell;
use crate::clock::Clock;
use crate::disk::{Committed, DiskError, Durability, Entry as DiskEntry, Hooks};
use crate::observe::{Registry, names};
use crate::outbound::{Mail, Outbox};
use crate::say;
use crate::updates::Durable;
use nobat_core::engine::{Entry, Journal, Rank, ReachFact, number};
use nobat_core::envelope::Envelope;
use nobat_core::id::Seq;
use nobat_core::sync::ring::{Producer, Reservation};
use nobat_core::time::Nanos;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Room in the ring that is left to payments and to the ends of sends: what users write is put off before.
const SPARE_FRAMES: u64 = 1 << 11;

/// The same in bytes.
const SPARE_BYTES: u64 = 8 << 20;

/// A commit that takes longer is a disk that hangs. New updates are answered 503 at their head, which costs
/// less than to hold them until the platform gives up on them (60 s) and delivers them again anyway.
const COMMIT_MAX: Duration = Duration::from_secs(5);

/// What is handed on after the commit.
#[derive(Debug)]
pub(super) struct Extra {
    envelopes: Vec<Envelope>,
    reach: Option<ReachFact>,
}

/// What stands in the ring between the engine and the journal's thread.
pub(super) type RingEntry = DiskEntry<Extra>;

/// The ring's pushing end.
pub(super) struct RingJournal(pub Producer<RingEntry>);

impl Journal for RingJournal {
    type Room<'a> = Reservation<'a, DiskEntry<Extra>>;

    fn reserve(&self, bytes: usize, rank: Rank) -> Option<Self::Room<'_>> {
        let bytes = bytes as u64;
        let (frames_free, bytes_free) = self.0.room();
        // Looked at before it is taken: threads that look together may go past the line by a decision each,
        // and the spare is far wider than that.
        if rank == Rank::Ordinary && (frames_free <= SPARE_FRAMES || bytes_free < SPARE_BYTES + bytes) {
            return None;
        }
        self.0.try_reserve(bytes)
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

/// When the commit under way began. Shared by the journal thread, which writes it, and whoever takes updates.
#[derive(Debug, Default)]
pub(super) struct UnderWay(AtomicU64);

impl UnderWay {
    fn begun(&self, now: Nanos) {
        // ORDERING: Relaxed, here and below; a hint about time, nothing is read through it.
        self.0.store(now.0, Ordering::Relaxed);
    }

    fn done(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn lasts_over(&self, limit: Duration, now: impl FnOnce() -> Nanos) -> bool {
        match self.0.load(Ordering::Relaxed) {
            0 => false,
            began => now().since(Nanos(began)) > limit,
        }
    }
}

/// The journal as those see it who take updates: what is durable, and whether it is worth waiting for.
pub(super) struct Disk {
    /// The journal thread's word.
    pub durability: Durability,
    /// A disk that hangs answers nothing, so its silence is timed.
    pub under_way: Arc<UnderWay>,
    /// To time it with.
    pub clock: Clock,
}

impl Durable for Disk {
    fn durable(&self) -> Seq {
        Seq(self.durability.durable())
    }

    fn stalled(&self) -> bool {
        self.durability.stalled()
            || self.durability.failed()
            || self.under_way.lasts_over(COMMIT_MAX, || self.clock.mono())
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
    /// The same for others.
    pub under_way: Arc<UnderWay>,
    /// What administrators are told.
    pub alarm: Alarm,
    /// Ends the process: nothing will be durable any more.
    pub fatal: Box<dyn FnMut() + Send>,
}

impl Hooks<Extra> for Handover {
    fn committing(&mut self) {
        self.began = self.clock.mono();
        self.under_way.begun(self.began);
    }

    fn committed(&mut self, batch: &mut Vec<Committed<Extra>>) {
        self.under_way.done();
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
        let why = format!(
            "updates are answered 503, because the journal cannot be written: {error}. Free space on the disk of the \
             data directory, and it goes on by itself. Nothing is lost: the platform delivers them again."
        );
        self.alarm.raise(Trouble::Journal, why);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_hangs_is_noticed_until_it_is_done() {
        let (under_way, limit) = (UnderWay::default(), Duration::from_secs(5));
        let at = |secs| move || Nanos::from_secs(secs);
        assert!(!under_way.lasts_over(limit, at(100)));
        under_way.begun(Nanos::from_secs(100));
        assert!(!under_way.lasts_over(limit, at(105)));
        assert!(under_way.lasts_over(limit, at(106)));
        under_way.done();
        assert!(!under_way.lasts_over(limit, at(200)));
    }
}
