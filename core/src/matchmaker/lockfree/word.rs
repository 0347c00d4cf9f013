//! How states are packed into words.
//!
//! What lives here: the status word of a user, the control word of a claim, the entry of a line. Pure
//! arithmetic, no atomic.
//!
//! ```text
//! status  63 .. 24 version: 40 | 23 .. 2 searcher: 22 (claimed) | 1 .. 0 tag
//! ticket  52 .. 13 number: 40  | 12 .. 5 pool: 8 | 4 .. 0 class: 5
//! entry   63 .. 24 number: 40  | 23 .. 2 slot: 22 | 1 .. 0 = 01
//! control 63 .. 32 sequence | 31 .. 3 until, in steps of 2^30 ns (ended) | 2 .. 0 fate
//! peer    63 .. 24 version: 40 | 23 .. 2 slot: 22 | 00
//! ```

use crate::matchmaker::api::{Member, VERSION_MAX};
use crate::matchmaker::class::Class;
use crate::matchmaker::recent::{PARTED_STEP_BITS, PARTED_STEPS_MAX};
use crate::matchmaker::ticket::{Pool, Slot};
use crate::time::Nanos;

const SLOT_BITS: u32 = 22;
const SLOT_MAX: u64 = (1 << SLOT_BITS) - 1;
const VERSION_SHIFT: u32 = SLOT_BITS + 2;

/// What a user is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tag {
    /// Nothing. All-zero words begin so.
    Idle,
    /// Standing in line, free to be claimed.
    Waiting,
    /// Taken by the claim of `searcher`, which says what has become of it: undecided, paired, parted.
    Claimed,
}

/// A user's status word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Status(pub(super) u64);

impl Status {
    const fn new(tag: Tag, searcher: Slot, version: u64) -> Self {
        Self(tag as u64 | (searcher.0 as u64) << 2 | (version & VERSION_MAX) << VERSION_SHIFT)
    }

    pub(super) const fn idle(version: u64) -> Self {
        Self::new(Tag::Idle, Slot(0), version)
    }

    pub(super) const fn waiting(version: u64) -> Self {
        Self::new(Tag::Waiting, Slot(0), version)
    }

    pub(super) const fn claimed(by: Slot, version: u64) -> Self {
        Self::new(Tag::Claimed, by, version)
    }

    pub(super) const fn is(self, tag: Tag) -> bool {
        self.0 & 3 == tag as u64
    }

    pub(super) const fn tag(self) -> Tag {
        match self.0 & 3 {
            0 => Tag::Idle,
            1 => Tag::Waiting,
            _ => Tag::Claimed,
        }
    }

    pub(super) const fn searcher(self) -> Slot {
        Slot((self.0 >> 2 & SLOT_MAX) as u32)
    }

    pub(super) const fn version(self) -> u64 {
        self.0 >> VERSION_SHIFT
    }
}

/// A ticket's number (the version its owner joined with) and the line it stands in.
pub(super) const fn ticket(number: u64, pool: Pool, class: Class) -> u64 {
    (number & VERSION_MAX) << 13 | (pool.0 as u64) << 5 | class.0 as u64
}

/// What stands in a line: whose ticket, and which of his.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry(pub(super) u64);

impl Entry {
    pub(super) const fn new(slot: Slot, number: u64) -> Self {
        Self(1 | (slot.0 as u64) << 2 | (number & VERSION_MAX) << VERSION_SHIFT)
    }

    /// An entry, if the cell holds one and is not empty.
    pub(super) const fn of(cell: u64) -> Option<Self> {
        if cell & 3 == 1 { Some(Self(cell)) } else { None }
    }

    pub(super) const fn slot(self) -> Slot {
        Slot((self.0 >> 2 & SLOT_MAX) as u32)
    }

    pub(super) const fn number(self) -> u64 {
        self.0 >> VERSION_SHIFT
    }
}

/// Who is claimed, and at which version.
pub(super) const fn peer(member: Member) -> u64 {
    (member.slot.0 as u64) << 2 | (member.version & VERSION_MAX) << VERSION_SHIFT
}

/// Back from [`peer`].
pub(super) const fn peer_of(word: u64) -> Member {
    Member { slot: Slot((word >> 2 & SLOT_MAX) as u32), version: word >> VERSION_SHIFT }
}

/// How far a claim has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// No claim yet, or its fields are being written: nobody else may read them.
    Filling,
    /// Anyone may help.
    Open,
    /// Both were free: they are paired.
    Paired,
    /// One was not: both are free again.
    Failed,
    /// They were paired, and have parted. The control word has until when they do not meet again.
    Ended,
    /// A claim by someone who stands in no line. They are paired from the moment in which the word of the
    /// one found names it.
    Taking,
}

/// A claim's control word. A sequence has 32 bits: a thread would have to sleep through exactly 2^32 claims of
/// one user to be deceived, and to wake in the same fate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Control(pub(super) u64);

impl Control {
    const FATE: u64 = 7;
    const SEQUENCE_SHIFT: u32 = 32;

    pub(super) const fn new(sequence: u64, fate: Fate) -> Self {
        Self(sequence << Self::SEQUENCE_SHIFT | fate as u64)
    }

    /// The next claim of the same searcher.
    pub(super) const fn next(self, fate: Fate) -> Self {
        Self::new(self.sequence() + 1, fate) // The shift drops what is beyond 32 bits.
    }

    pub(super) const fn sequence(self) -> u64 {
        self.0 >> Self::SEQUENCE_SHIFT
    }

    pub(super) const fn fate(self) -> Fate {
        match self.0 & Self::FATE {
            1 => Fate::Open,
            2 => Fate::Paired,
            3 => Fate::Failed,
            4 => Fate::Ended,
            5 => Fate::Taking,
            _ => Fate::Filling,
        }
    }

    pub(super) const fn is(self, fate: Fate) -> bool {
        self.0 & Self::FATE == fate as u64
    }

    pub(super) const fn with(self, fate: Fate) -> Self {
        Self::new(self.sequence(), fate)
    }

    /// The end of the pair. `until` is a moment that [`crate::matchmaker::recent::apart_until`] gave: a whole
    /// number of steps.
    pub(super) const fn ended(self, until: Nanos) -> Self {
        let steps = until.0 >> PARTED_STEP_BITS;
        debug_assert!(steps <= PARTED_STEPS_MAX);
        Self(self.with(Fate::Ended).0 | steps << 3)
    }

    /// Until when those who parted do not meet again; zero if they may.
    pub(super) const fn until(self) -> Nanos {
        Nanos((self.0 >> 3 & PARTED_STEPS_MAX) << PARTED_STEP_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matchmaker::ticket::USERS_MAX;

    #[test]
    fn words_keep_their_parts_at_both_ends_of_the_ranges() {
        for version in [0, 1, VERSION_MAX] {
            for slot in [Slot(0), Slot(USERS_MAX - 1)] {
                let status = Status::claimed(slot, version);
                assert_eq!(
                    (status.tag(), status.searcher(), status.version()),
                    (Tag::Claimed, slot, version)
                );
                let entry = Entry::new(slot, version);
                assert_eq!((entry.slot(), entry.number()), (slot, version));
                assert_eq!(Entry::of(entry.0), Some(entry));
                let member = Member { slot, version };
                assert_eq!(peer_of(peer(member)), member);
            }
        }
        assert_eq!((Status(0).tag(), Control(0).fate(), Entry::of(0)), (Tag::Idle, Fate::Filling, None));
        assert_eq!(Entry::of(u64::from(u32::MAX) << 32), None, "an empty cell of any generation is empty");
    }

    #[test]
    fn a_control_word_changes_its_fate_and_keeps_its_sequence() {
        for fate in [Fate::Filling, Fate::Open, Fate::Paired, Fate::Failed, Fate::Ended, Fate::Taking] {
            let control = Control::new(77, Fate::Open).with(fate);
            assert_eq!((control.sequence(), control.fate()), (77, fate));
        }
        let last = Control::new(u64::from(u32::MAX), Fate::Taking);
        assert_eq!(last.next(Fate::Open), Control::new(0, Fate::Open), "it begins anew");
    }

    #[test]
    fn the_end_of_a_pair_keeps_its_moment() {
        for until in [Nanos::ZERO, Nanos(1 << PARTED_STEP_BITS), Nanos(PARTED_STEPS_MAX << PARTED_STEP_BITS)]
        {
            let ended = Control::new(9, Fate::Paired).ended(until);
            assert_eq!((ended.sequence(), ended.fate(), ended.until()), (9, Fate::Ended, until));
        }
    }
}
