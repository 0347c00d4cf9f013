//! A user's record: 32 words, never freed.
//!
//! What lives here: [`Users`], the slab, and [`User`], the names of a record's words. No algorithm.
//!
//! ```text
//! line 0  status | ticket | rank | expires | widens | place | newest | wary
//! line 1  claim: control | peer | own version | met | below | ...
//! 2 and 3 the ring of recent partners
//! ```

use crate::matchmaker::recent::{self, RECENT};
use crate::matchmaker::ticket::Slot;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::words::Words;
use crate::time::Nanos;

const RING: usize = 16;
const WORDS: usize = RING + RECENT;

/// The records of all users.
#[derive(Debug)]
pub(super) struct Users {
    words: Words,
    count: u32,
}

/// One user's words.
#[derive(Clone, Copy)]
pub(super) struct User<'a>(&'a [AtomicU64; WORDS]);

macro_rules! word {
    ($(#[$doc:meta])* $name:ident = $index:literal) => {
        $(#[$doc])*
        #[inline]
        pub(super) const fn $name(self) -> &'a AtomicU64 {
            &self.0[$index]
        }
    };
}

impl<'a> User<'a> {
    word! {
        /// What he does ([`super::word::Status`]); the word that every claim, cancel and join meets on.
        status = 0
    }
    word! {
        /// Number and line of his last ticket; written before the status that makes it wait.
        ticket = 1
    }
    word! {
        /// His ticket's rank among classes.
        rank = 2
    }
    word! {
        /// When his patience ends.
        expires = 3
    }
    word! {
        /// When he begins to take anyone.
        widens = 4
    }
    word! {
        /// Where his entry stands: a hint, checked against the cell.
        place = 5
    }
    word! {
        /// When the partner he left last may be met again: the last moment of all in the ring, for pairs end
        /// in the order of time.
        newest = 6
    }
    word! {
        /// How many blocks name him, his own and others': whether to ask the table at all.
        wary = 7
    }
    word! {
        /// His claim's sequence and fate.
        control = 8
    }
    word! {
        /// Whom it claims.
        peer = 9
    }
    word! {
        /// At which version of his own.
        own = 10
    }
    word! {
        /// Partners he has had; the ring's next place is this modulo its length. Only his next join counts
        /// the pair before it.
        met = 11
    }

    word! {
        /// While nobody has his seat: the one below it on the stack.
        below = 12
    }

    /// Recent partners.
    pub(super) fn ring(self) -> &'a [AtomicU64] {
        &self.0[RING..]
    }

    /// Whether anyone he met may count as recent still.
    pub(super) fn met_of_late(self, now: Nanos) -> bool {
        // ORDERING: Relaxed, here and below; written before his ticket was filed, and by nobody while it
        // waits. A claim compares the version under which they were read.
        self.newest().load(Ordering::Relaxed) > now.0
    }

    /// The place in the ring of the pair he is in, or of the next if he is in none.
    pub(super) fn next_in_ring(self, ordering: Ordering) -> &'a AtomicU64 {
        &self.ring()[self.met().load(ordering) as usize % RECENT]
    }

    /// Adds a partner to the ring. Only his own thread may, and nobody may write to his status then.
    pub(super) fn remember(self, entry: u64) {
        // ORDERING: Relaxed; nobody else writes to `met`.
        let met = self.met().load(Ordering::Relaxed);
        // ORDERING: Relaxed, both; released by the status of the next ticket or pair.
        self.ring()[met as usize % RECENT].store(entry, Ordering::Relaxed);
        self.newest().store(recent::until(entry).0, Ordering::Relaxed);
        // ORDERING: Release; pairs with `hand_over`: who reads this count finds a status that is not of the
        // pair he wants to note down.
        self.met().store(met + 1, Ordering::Release);
    }

    /// Until when his ring forbids `partner`; zero if it does not.
    pub(super) fn recent_until(self, partner: Slot) -> Nanos {
        let words = self.ring().iter().map(|word| word.load(Ordering::Relaxed));
        words.map(|word| recent::forbids(word, partner)).max().unwrap_or(Nanos::ZERO)
    }
}

impl Users {
    pub(super) fn new(count: u32) -> Self {
        Self { words: Words::new(count as usize * WORDS), count }
    }

    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// His record; `None` for a slot of another, larger matchmaker.
    #[inline]
    pub(super) fn get(&self, slot: Slot) -> Option<User<'_>> {
        self.words.record(slot.index()).map(User)
    }
}
