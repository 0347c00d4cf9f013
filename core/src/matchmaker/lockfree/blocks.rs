//! Who blocked whom: a set of pairs that any thread may ask and change.
//!
//! What lives here: [`Blocks`], an open-addressed table of words. A pair once known keeps its word for
//! the life of the table, also when both blocks are taken back: so no key ever moves, a probe needs no
//! second look, and the table's bound is on pairs, not on calls. Only this room uses it.
//!
//! ```text
//! 63 .. 24 (of 45) lower slot + 1: 23 | higher slot: 22 | 1: the higher one blocked | 0: the lower one did
//! ```

use crate::matchmaker::ticket::Slot;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::words::Words;

#[derive(Debug)]
pub(super) struct Blocks {
    words: Words,
    /// Pairs that may still become known.
    room: AtomicU64,
}

/// Both directions.
const EITHER: u64 = 3;

/// The pair's key, and the bit of a block by `who`.
const fn key(who: Slot, whom: Slot) -> (u64, u64) {
    let (low, high, bit) = if who.0 < whom.0 { (who, whom, 1) } else { (whom, who, 2) };
    ((low.0 as u64 + 1) << 24 | (high.0 as u64) << 2, bit)
}

impl Blocks {
    pub(super) fn new(pairs: u32) -> Self {
        // At most half full, so that a probe ends after two steps on average.
        Self {
            words: Words::new((pairs as usize * 2).next_power_of_two()),
            room: AtomicU64::new(u64::from(pairs)),
        }
    }

    fn probe(&self, key: u64) -> impl Iterator<Item = &AtomicU64> {
        let mask = self.words.len() - 1;
        // Fibonacci hashing: the upper bits of a product by 2^64 / golden ratio.
        let start = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize;
        (0..self.words.len()).map(move |i| &self.words[(start + i) & mask])
    }

    /// Whether one of them blocked the other.
    pub(super) fn either(&self, a: Slot, b: Slot) -> bool {
        let (key, _) = key(a, b);
        for word in self.probe(key) {
            // ORDERING: Acquire; pairs with the swaps below, so that who hears of a block through a user's
            // status finds it here.
            let word = word.load(Ordering::Acquire);
            if word & !EITHER == key {
                return word & EITHER != 0;
            }
            if word == 0 {
                return false;
            }
        }
        false
    }

    /// Adds a block; whether there was none by `who`. `None` if the table is full.
    pub(super) fn insert(&self, who: Slot, whom: Slot) -> Option<bool> {
        let (key, bit) = key(who, whom);
        for word in self.probe(key) {
            // ORDERING: Acquire, here and in the failed swap; the key decides, and it never changes.
            let mut seen = word.load(Ordering::Acquire);
            if seen == 0 {
                // ORDERING: Relaxed; a count.
                let room = self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |r| r.checked_sub(1));
                if room.is_err() {
                    return None;
                }
                // ORDERING: AcqRel; Release pairs with `either`.
                // LINEARIZES: a block between two who had none (see `block` for the users' part).
                match word.compare_exchange(0, key | bit, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return Some(true),
                    Err(other) => {
                        // ORDERING: Relaxed; the word that we had counted went to someone who counted it.
                        self.room.fetch_add(1, Ordering::Relaxed);
                        seen = other;
                    }
                }
            }
            if seen & !EITHER == key {
                // ORDERING: AcqRel; as above.
                // LINEARIZES: a block between two who know the table already.
                return Some(word.fetch_or(bit, Ordering::AcqRel) & bit == 0);
            }
        }
        None
    }

    /// Takes `who`'s block back; whether there was one.
    pub(super) fn remove(&self, who: Slot, whom: Slot) -> bool {
        let (key, bit) = key(who, whom);
        for word in self.probe(key) {
            // ORDERING: Acquire; the key decides.
            let seen = word.load(Ordering::Acquire);
            if seen & !EITHER == key {
                // ORDERING: AcqRel; Release so that a rescan which hears of it finds it.
                // LINEARIZES: the end of the block.
                return word.fetch_and(!bit, Ordering::AcqRel) & bit != 0;
            }
            if seen == 0 {
                return false;
            }
        }
        false
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_until_both_have_taken_it_back() {
        let (blocks, a, b) = (Blocks::new(4), Slot(0), Slot(9));
        assert_eq!(
            [blocks.insert(a, b), blocks.insert(b, a), blocks.insert(a, b)],
            [Some(true), Some(true), Some(false)]
        );
        assert!(blocks.remove(a, b) && !blocks.remove(a, b));
        assert!(blocks.either(a, b) && blocks.either(b, a));
        assert!(blocks.remove(b, a) && !blocks.either(a, b));
    }

    #[test]
    fn the_table_refuses_when_it_is_full_and_knows_what_it_knew() {
        let blocks = Blocks::new(2);
        assert!(blocks.insert(Slot(1), Slot(2)).is_some() && blocks.insert(Slot(1), Slot(3)).is_some());
        assert!(blocks.insert(Slot(1), Slot(4)).is_none());
        assert_eq!(blocks.insert(Slot(2), Slot(1)), Some(true), "a known pair needs no room");
        assert!(blocks.either(Slot(3), Slot(1)) && !blocks.either(Slot(1), Slot(4)));
        assert!(Blocks::new(0).insert(Slot(1), Slot(2)).is_none());
    }
}
