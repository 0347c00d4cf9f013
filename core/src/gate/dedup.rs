//! Which updates were seen: a bounded set of ids, never a high-water mark.
//!
//! What lives here: [`Seen`], one per bot. The platform numbers updates in sequence but starts again at
//! random after a quiet week, and one forged 2^63-1 must not silence a bot; so ids are kept as bitmap
//! pages of [`DEDUP_PAGE_IDS`], the least recently used page going first when there are more than
//! [`DEDUP_PAGES_MAX`]. At one page per 4,096 updates that is at least the last 2^17 ids.

use crate::id::UpdateId;
use crate::limits::{DEDUP_PAGE_IDS, DEDUP_PAGES_MAX};

const WORDS: usize = DEDUP_PAGE_IDS / 64;

/// Bytes of a page's bitmap in an image.
pub const PAGE_BYTES: usize = DEDUP_PAGE_IDS / 8;

/// The ids seen of one bot. About 33 KB when full.
#[derive(Default, Debug)]
pub struct Seen {
    /// Most recently used last: updates come in near-sequence, so the page is nearly always the last.
    pages: Vec<Page>,
}

#[derive(Debug)]
struct Page {
    number: i64,
    bits: Box<[u64; WORDS]>,
}

impl Seen {
    /// None seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `id` was marked and is still remembered. O(pages) at worst, O(1) for ids in sequence.
    #[must_use]
    pub fn contains(&self, id: UpdateId) -> bool {
        let (number, word, bit) = place(id);
        self.pages.iter().rev().find(|p| p.number == number).is_some_and(|p| p.bits[word] & bit != 0)
    }

    /// Marks `id`; `false` if it was marked already.
    pub fn insert(&mut self, id: UpdateId) -> bool {
        let (number, word, bit) = place(id);
        let page = self.page(number);
        let fresh = page.bits[word] & bit == 0;
        page.bits[word] |= bit;
        fresh
    }

    /// Takes a mark back, for an update that is not decided after all.
    pub fn remove(&mut self, id: UpdateId) {
        let (number, word, bit) = place(id);
        if let Some(page) = self.pages.iter_mut().rev().find(|p| p.number == number) {
            page.bits[word] &= !bit;
        }
    }

    /// The pages with their bitmaps as words, the least recently used first: what an image keeps.
    pub fn pages(&self) -> impl Iterator<Item = (i64, impl Iterator<Item = u64> + '_)> + '_ {
        self.pages.iter().map(|page| (page.number, page.bits.iter().copied()))
    }

    /// Takes a page over from an image, as the most recently used.
    pub fn restore(&mut self, number: i64, bits: &[u8; PAGE_BYTES]) {
        let page = self.page(number);
        for (word, bytes) in page.bits.iter_mut().zip(bits.chunks_exact(8)) {
            *word |= bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        }
    }

    fn page(&mut self, number: i64) -> &mut Page {
        let last = self.pages.len();
        match self.pages.iter().rposition(|p| p.number == number) {
            Some(at) => self.pages[at..].rotate_left(1),
            None if last < DEDUP_PAGES_MAX => self.pages.push(Page::new(number)),
            None => {
                self.pages.rotate_left(1);
                let recycled = &mut self.pages[last - 1];
                recycled.number = number;
                recycled.bits.fill(0);
            }
        }
        let last = self.pages.len() - 1;
        &mut self.pages[last]
    }
}

impl Page {
    fn new(number: i64) -> Self {
        Self { number, bits: Box::new([0; WORDS]) }
    }
}

/// The page, the word in it and the bit in that.
const fn place(id: UpdateId) -> (i64, usize, u64) {
    let page = DEDUP_PAGE_IDS as i64;
    let within = id.0.rem_euclid(page) as usize;
    (id.0.div_euclid(page), within / 64, 1 << (within % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::DEDUP_IDS_MIN;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn at_least_the_last_2_to_the_17_ids_in_sequence_are_remembered() {
        let mut seen = Seen::new();
        let n = 3 * DEDUP_IDS_MIN as i64;
        for id in 0..n {
            assert!(seen.insert(UpdateId(id)));
        }
        for id in n - DEDUP_IDS_MIN as i64..n {
            assert!(seen.contains(UpdateId(id)), "{id}");
        }
        assert!(seen.pages.len() <= DEDUP_PAGES_MAX);
    }

    #[test]
    fn a_forged_huge_id_does_not_silence_the_bot() {
        let mut seen = Seen::new();
        assert!(seen.insert(UpdateId(i64::MAX)));
        assert!(seen.insert(UpdateId(i64::MIN)));
        assert!(seen.insert(UpdateId(5)));
        assert!(!seen.insert(UpdateId(5)));
    }

    proptest! {
        #[test]
        fn pages_survive_an_image(ids in prop::collection::vec(any::<i32>(), 0..200)) {
            let mut seen = Seen::new();
            for id in &ids {
                seen.insert(UpdateId(i64::from(*id)));
            }
            let mut back = Seen::new();
            for (number, bits) in seen.pages() {
                let bytes: Vec<u8> = bits.flat_map(u64::to_le_bytes).collect();
                back.restore(number, &bytes.try_into().unwrap());
            }
            let numbers = |seen: &Seen| seen.pages.iter().map(|p| (p.number, p.bits.clone())).collect::<Vec<_>>();
            prop_assert_eq!(numbers(&seen), numbers(&back));
        }

        #[test]
        fn within_its_bounds_it_is_a_set(ids in prop::collection::vec(-20_000i64..20_000, 0..400)) {
            let mut seen = Seen::new();
            let mut model = HashSet::new();
            for id in ids {
                prop_assert_eq!(seen.contains(UpdateId(id)), model.contains(&id));
                prop_assert_eq!(seen.insert(UpdateId(id)), model.insert(id));
            }
        }
    }
}
