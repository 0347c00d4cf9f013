//! Numbers of nodes by hash.
//!
//! What lives here: [`Index`], a table of lines of the processor, each with seven places (buckets with linear
//! probing: Knuth, TAOCP 3, 6.4; counts of what went past a full line: F14, Bronson and Shi 2019). A place has the
//! node's number and 32 bits of its hash, so a search touches one line of the table and no node but the one that
//! is sought, and what is taken out needs neither a mark nor its neighbours' nodes. That is what a general
//! table cannot do, and what a million conversations feel. All seven are looked at at once: where they are
//! probed one by one, how many is chance, and the processor foretells it wrongly twice a send.

use super::slab::NIL;

/// Places of a line.
const PLACES: usize = 7;
/// Numbers that a line bears on the average before the table grows.
const LOAD: usize = 4;
/// Lines of the smallest table.
const LINES_MIN: usize = 16;

/// One byte in each of eight.
const ONES: u64 = u64::MAX / 255;
/// The highest bit of each place's byte.
const TOPS: u64 = (ONES << 7) & (u64::MAX >> 8);

/// Seven places.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line {
    /// A byte per place: 0 if it is empty, else a part of the hash that is not 0. The last counts the numbers
    /// that went past this line because it was full, up to 255, where it stays.
    tags: [u8; PLACES + 1],
    hashes: [u32; PLACES],
    numbers: [u32; PLACES],
}

const _: () = assert!(size_of::<Line>() == 64);

impl Line {
    const EMPTY: Self = Self { tags: [0; PLACES + 1], hashes: [0; PLACES], numbers: [NIL; PLACES] };

    /// The places whose tag this may be, as the highest bit of each one's byte: all that have it, and seldom
    /// one more above such a one. For 0 the lowest is exact (Warren, Hacker's Delight, 6-1).
    #[inline(always)]
    const fn places(&self, tag: u8) -> u64 {
        let differing = u64::from_le_bytes(self.tags) ^ (ONES * tag as u64);
        differing.wrapping_sub(ONES) & !differing & TOPS
    }

    /// Of the places in a mask, the first.
    #[inline(always)]
    const fn first(mask: u64) -> usize {
        (mask.trailing_zeros() / 8) as usize % PLACES
    }

    /// How many numbers went past it.
    #[inline(always)]
    const fn past(&mut self) -> &mut u8 {
        &mut self.tags[PLACES]
    }
}

/// The tag of a hash: bits that do not choose its line as long as there are fewer than 2^24 of them.
#[inline(always)]
const fn tag_of(hash: u32) -> u8 {
    let tag = (hash >> 24) as u8;
    if tag == 0 { 1 } else { tag }
}

/// A map from numbers to 32-bit hashes that finds them by these, at most four sevenths full: 16 to 32 bytes per
/// number. Each number is in it once.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// A power of two of them.
    lines: Vec<Line>,
    len: usize,
}

/// Where a search that found nothing ended: the place for what was sought, and its hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vacant {
    line: usize,
    place: usize,
    hash: u32,
}

impl Index {
    pub(super) fn new() -> Self {
        Self { lines: vec![Line::EMPTY; LINES_MIN], len: 0 }
    }

    /// The number under this hash for which `same` holds, or where it would be. O(1) expected.
    #[inline(always)]
    pub(super) fn find(&self, hash: u32, same: impl Fn(u32) -> bool) -> Result<u32, Vacant> {
        let mask = self.lines.len() - 1;
        let home = hash as usize & mask;
        let mut at = home;
        loop {
            let line = &self.lines[at];
            let mut hits = line.places(tag_of(hash));
            while hits != 0 {
                let (held, number) = (line.hashes[Line::first(hits)], line.numbers[Line::first(hits)]);
                // An empty place may still have the hash of what it held.
                if held == hash && number != NIL && same(number) {
                    return Ok(number);
                }
                hits &= hits - 1;
            }
            if line.tags[PLACES] == 0 {
                let empty = line.places(0);
                let vacant = Vacant { line: at, place: Line::first(empty), hash };
                return Err(if empty != 0 && at == home { vacant } else { self.vacant(hash) });
            }
            at = (at + 1) & mask;
        }
    }

    /// The first empty place for a hash. There is one: the table is never full.
    #[cold]
    #[inline(never)]
    fn vacant(&self, hash: u32) -> Vacant {
        let mask = self.lines.len() - 1;
        let mut line = hash as usize & mask;
        loop {
            let empty = self.lines[line].places(0);
            if empty != 0 {
                return Vacant { line, place: Line::first(empty), hash };
            }
            line = (line + 1) & mask;
        }
    }

    /// Puts a number where the search for it ended; nothing was changed since. Amortized O(1).
    #[inline(always)]
    pub(super) fn insert(&mut self, vacant: Vacant, number: u32) {
        let mask = self.lines.len() - 1;
        let home = vacant.hash as usize & mask;
        if vacant.line != home {
            self.goes_past(home, vacant.line);
        }
        let (line, place) = (&mut self.lines[vacant.line & mask], vacant.place % PLACES);
        line.tags[place] = tag_of(vacant.hash);
        line.hashes[place] = vacant.hash;
        line.numbers[place] = number;
        self.len += 1;
        if self.len > self.lines.len() * LOAD {
            self.grow();
        }
    }

    #[cold]
    #[inline(never)]
    fn goes_past(&mut self, home: usize, end: usize) {
        let mask = self.lines.len() - 1;
        let mut at = home;
        while at != end {
            let past = self.lines[at].past();
            *past = past.saturating_add(1);
            at = (at + 1) & mask;
        }
    }

    /// Takes a number out, if it is there under this hash. O(1) expected.
    #[inline(always)]
    pub(super) fn remove(&mut self, hash: u32, number: u32) {
        let mask = self.lines.len() - 1;
        let home = hash as usize & mask;
        let mut at = home;
        loop {
            let line = &mut self.lines[at];
            let mut hits = line.places(tag_of(hash));
            while hits != 0 {
                let place = Line::first(hits);
                if line.numbers[place] == number {
                    (line.tags[place], line.numbers[place]) = (0, NIL);
                    self.len -= 1;
                    if at != home {
                        self.comes_back(home, at);
                    }
                    return;
                }
                hits &= hits - 1;
            }
            if *line.past() == 0 {
                return;
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    #[inline(never)]
    fn comes_back(&mut self, home: usize, end: usize) {
        let mask = self.lines.len() - 1;
        let mut at = home;
        while at != end {
            let past = self.lines[at].past();
            // What was not counted beyond 255 cannot be counted back.
            *past -= u8::from(*past < u8::MAX);
            at = (at + 1) & mask;
        }
    }

    /// The numbers, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.lines.iter().flat_map(|line| line.numbers).filter(|number| *number != NIL)
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let twice = vec![Line::EMPTY; self.lines.len() * 2];
        let old = core::mem::replace(&mut self.lines, twice);
        self.len = 0;
        for line in old {
            for (number, hash) in line.numbers.into_iter().zip(line.hashes) {
                if number != NIL {
                    self.insert(self.vacant(hash), number);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_holds_what_was_put_in_and_not_taken_out(
            // Few hashes, most of them neighbours and around the end of the table: they displace each other.
            ops in prop::collection::vec((0u8..5, 0u32..60, prop_oneof![0u32..3, 62u32..66]), 1..600),
        ) {
            let (mut index, mut twin) = (Index::new(), BTreeSet::new());
            for (what, number, hash) in ops {
                let (insert, number) = (what < 3, number * 100 + hash);
                let found = index.find(hash, |held| {
                    assert!(held < 6_100, "it has no such number");
                    held == number
                });
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
