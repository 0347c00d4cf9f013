//! Numbers of nodes by hash.
//!
//! What lives here: [`Index`], a table of words with linear probing (Knuth, TAOCP 3, 6.4, algorithms L and R). A
//! word has the node's number and 32 bits of its hash, so a search touches one cache line of the table and no
//! node but the one that is sought, and what is taken out needs neither a mark nor its neighbours' nodes. That
//! is what a general table cannot do, and what a million conversations feel.

use super::slab::NIL;

/// No entry: its number is [`NIL`].
const EMPTY: u64 = u64::MAX;
/// Words of the smallest table.
const WORDS_MIN: usize = 64;

/// A multimap from 32-bit hashes to numbers, at most half full: 16 to 32 bytes per number.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// The hash above the number; a power of two of them.
    words: Vec<u64>,
    len: usize,
}

/// Where a search that found nothing ended: the place for what was sought, and its hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vacant {
    at: usize,
    hash: u32,
}

impl Index {
    pub(super) fn new() -> Self {
        Self { words: vec![EMPTY; WORDS_MIN], len: 0 }
    }

    /// The number under this hash for which `same` holds, or where it would be. O(1) expected.
    #[inline]
    pub(super) fn find(&self, hash: u32, same: impl Fn(u32) -> bool) -> Result<u32, Vacant> {
        let mask = self.words.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let word = self.words[at];
            if word == EMPTY {
                return Err(Vacant { at, hash });
            }
            if (word >> 32) as u32 == hash && same(word as u32) {
                return Ok(word as u32);
            }
            at = (at + 1) & mask;
        }
    }

    /// Puts a number where the search for it ended; nothing was changed since. Amortized O(1).
    #[inline]
    pub(super) fn insert(&mut self, place: Vacant, number: u32) {
        self.words[place.at] = u64::from(place.hash) << 32 | u64::from(number);
        self.len += 1;
        if self.len > self.words.len() / 2 {
            self.grow();
        }
    }

    /// Takes a number out, if it is there under this hash. O(1) expected.
    #[inline]
    pub(super) fn remove(&mut self, hash: u32, number: u32) {
        let mask = self.words.len() - 1;
        let sought = u64::from(hash) << 32 | u64::from(number);
        let mut gap = hash as usize & mask;
        while self.words[gap] != sought {
            if self.words[gap] == EMPTY {
                return;
            }
            gap = (gap + 1) & mask;
        }
        self.len -= 1;
        // Whatever was displaced past the gap moves into it, so that every search still ends right.
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            let word = self.words[at];
            if word == EMPTY {
                break;
            }
            let home = (word >> 32) as usize & mask;
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(gap) & mask) {
                self.words[gap] = word;
                gap = at;
            }
        }
        self.words[gap] = EMPTY;
    }

    /// The numbers, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().filter(|word| **word != EMPTY).map(|word| *word as u32)
    }

    #[cold]
    fn grow(&mut self) {
        let old = core::mem::take(&mut self.words);
        self.words = vec![EMPTY; old.len() * 2];
        let mask = self.words.len() - 1;
        for word in old.into_iter().filter(|word| *word != EMPTY) {
            let mut at = (word >> 32) as usize & mask;
            while self.words[at] != EMPTY {
                at = (at + 1) & mask;
            }
            self.words[at] = word;
        }
    }
}

const _: () = assert!(EMPTY as u32 == NIL);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_holds_what_was_put_in_and_not_taken_out(
            // Few hashes, most of them neighbours and around the end of the table: they displace each other.
            ops in prop::collection::vec((any::<bool>(), 0u32..60, prop_oneof![0u32..6, 56u32..70]), 1..400),
        ) {
            let (mut index, mut twin) = (Index::new(), BTreeSet::new());
            for (insert, number, hash) in ops {
                let found = index.find(hash, |held| held == number);
                prop_assert_eq!(found.is_ok(), twin.contains(&(hash, number)));
                match found {
                    Err(place) if insert => {
                        index.insert(place, number);
                        twin.insert((hash, number));
                    }
                    _ if insert => {}
                    _ => {
                        index.remove(hash, number);
                        twin.remove(&(hash, number));
                    }
                }
                let mut held: Vec<u32> = index.iter().collect();
                held.sort_unstable();
                let mut expected: Vec<u32> = twin.iter().map(|(_, number)| *number).collect();
                expected.sort_unstable();
                prop_assert_eq!(held, expected);
                for (hash, number) in &twin {
                    prop_assert!(index.find(*hash, |held| held == *number).is_ok(), "lost {number}");
                }
            }
        }
    }
}
