//! What everyone passes between standing in line and looking: one word for each pool.
//!
//! What lives here: [`Turnstiles`] and what a pass tells, [`Passed`]. Only this room uses it.
//!
//! ```text
//! 63 .. 32 how many have passed | 17 .. 0 the classes of whom someone has passed
//! ```
//!
//! Swaps of one word stand in one order, and each reads what the one before it wrote. So of two who pass, the
//! later one sees all that the earlier one did before: his entry above all. And someone who looked, stood in
//! line, and finds at the turnstile that nobody has passed since before he looked, has seen everyone who
//! passed before him; those who pass after him will see him. He need not look again.
//!
//! The count has 32 bits: a thread would have to look while exactly 2^32 others pass to be deceived.

use crate::matchmaker::class::Class;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::words::Words;

/// Words of a turnstile; all but the first keep pools apart.
const WORDS: usize = if cfg!(loom) { 1 } else { 8 };
const ONE: u64 = 1 << 32;

/// The turnstiles of all pools.
#[derive(Debug)]
pub(super) struct Turnstiles(Words);

/// What a turnstile said: who had passed before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Passed(u64);

impl Passed {
    /// The lines of the pool that were ever used, as bits. Never taken back.
    pub(super) const fn used(self) -> u32 {
        self.0 as u32
    }

    /// How many have passed, so far; it wraps.
    pub(super) const fn count(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl Turnstiles {
    pub(super) fn new(pools: u16) -> Self {
        Self(Words::new(usize::from(pools) * WORDS))
    }

    fn word(&self, pool: usize) -> Option<&AtomicU64> {
        self.0.record::<WORDS>(pool).map(|[word, ..]| word)
    }

    /// Who has passed so far. One who looks after this sees them.
    #[inline]
    pub(super) fn read(&self, pool: usize) -> Passed {
        // ORDERING: Acquire; pairs with `pass`. Carries: the entries of those who have passed.
        Passed(self.word(pool).map_or(0, |word| word.load(Ordering::Acquire)))
    }

    /// Passes, as someone of this class; who had passed before. `ordering` is `AcqRel`, but in a planted bug.
    #[inline]
    pub(super) fn pass(&self, pool: usize, class: Class, seen: Passed, ordering: Ordering) -> Passed {
        let Some(word) = self.word(pool) else { return Passed(0) };
        if seen.used() >> class.0 & 1 == 0 {
            // ORDERING: Relaxed; released by the pass itself.
            word.fetch_or(1 << class.0, Ordering::Relaxed);
        }
        // ORDERING: AcqRel; pairs with itself, as above. Release and Acquire on the words of the lines do not
        // do: each of two might read what stood there before the other's store.
        Passed(word.fetch_add(ONE, ordering))
    }

    /// Passes all of them, for one who stands in no line.
    pub(super) fn pass_all(&self) {
        for pool in 0..self.0.len() / WORDS {
            // ORDERING: AcqRel; as in `pass`.
            self.word(pool).map(|word| word.fetch_add(ONE, Ordering::AcqRel));
        }
    }
}
