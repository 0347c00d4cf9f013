//! Pupils by name: the run of names that begin like the question, then those that hold its words in order.
//!
//! The first word of a question is the first word of the name: nobody leaves out his own. The others must
//! follow in order, and words may be left out between them («علي الجبوري» finds «علي كاظم حسين الجبوري»). A
//! question of three words or more with which names begin is taken to be that beginning.

use super::{Dataset, Student};
use crate::text::{Token, fold_word};
use core::cmp::Ordering;
use core::ops::Range;

/// Pupils that one question gives, at most: six pages of eight.
pub const MATCHES_MAX: usize = 48;
/// Postings of its rarest word that one question may look at, at most, each at O(words * log postings),
/// besides O(log n) to find where to look. At it the question is answered with what was found, and
/// [`Matches::more`] says that a longer name is needed.
pub const NAME_WORK_MAX: usize = 1_024;
/// Words of a question that count, at most.
const WORDS_MAX: usize = 8;

/// Words with which a name must begin to be taken as meant so, at least.
const BEGINNING_WORDS: usize = 3;

/// Who it could be.
#[derive(Debug)]
pub struct Matches<'a> {
    /// In the order of their names; at most [`MATCHES_MAX`].
    pub students: Vec<Student<'a>>,
    /// There are more, or may be.
    pub more: bool,
}

impl Dataset {
    /// Pupils whose names fit these words (see [`crate::text::tokens`]).
    #[must_use]
    pub fn by_name(&self, words: &[Token<'_>]) -> Matches<'_> {
        let mut matches = Matches { students: Vec::new(), more: false };
        let Some(keys) = self.keys_of_question(words) else { return matches };
        if keys.is_empty() {
            return matches;
        }
        let run = self.run(&keys);
        for place in run.clone() {
            if matches.is_full() {
                return matches;
            }
            matches.push(self.at(place));
        }
        let is_beginning = keys.len() >= BEGINNING_WORDS && !run.is_empty();
        if keys.len() > 1 && !is_beginning {
            self.scattered(&keys, &run, &mut matches);
        }
        matches
    }

    /// Names that hold the words in order without beginning with them in a row: their postings have a place
    /// in common. The rarest word leads, the others are searched from where they were left.
    fn scattered<'a>(&'a self, keys: &[usize], run: &Range<usize>, out: &mut Matches<'a>) {
        let given = self.run(&keys[..1]);
        let mut lists: Vec<Range<usize>> =
            keys[1..].iter().map(|key| self.postings_within(*key, &given)).collect();
        lists.sort_unstable_by_key(Range::len);
        let Some((rarest, others)) = lists.split_first_mut() else { return };
        out.more |= rarest.len() > NAME_WORK_MAX;
        // A posting says by itself that its word stands behind the first one.
        let in_order = keys.len() == 2;
        for i in rarest.clone().take(NAME_WORK_MAX) {
            let place = self.postings.index(&self.file, i);
            let in_all = others.iter_mut().all(|list| {
                list.start = self.first_posting_from(place, list);
                list.start < list.end && self.postings.index(&self.file, list.start) == place
            });
            if !in_all || run.contains(&place) {
                continue;
            }
            let student = self.at(place);
            if in_order || self.holds_in_order(student.row, keys) {
                if out.is_full() {
                    return;
                }
                out.push(student);
            }
        }
    }

    fn holds_in_order(&self, row: usize, keys: &[usize]) -> bool {
        let mut wanted = keys.iter().peekable();
        for key in self.keys_of(row) {
            wanted.next_if(|next| **next == key);
        }
        wanted.peek().is_none()
    }

    fn at(&self, place: usize) -> Student<'_> {
        Student { set: self, row: self.by_name.index(&self.file, place) }
    }

    /// The places of names that begin with these keys, of which there is one at least: a table for the first
    /// word, columns in the order of names for the next two, and the rows themselves for the rest.
    fn run(&self, keys: &[usize]) -> Range<usize> {
        let at = |key: usize| self.first_at.index(&self.file, key);
        let mut run = at(keys[0])..at(keys[0] + 1);
        for (column, key) in self.later.iter().zip(&keys[1..]) {
            let key = key + 1;
            run = equal(run, |place| column.index(&self.file, place).cmp(&key));
        }
        if keys.len() > 1 + self.later.len() {
            run = equal(run, |place| self.compare(place, keys));
        }
        run
    }

    /// How the beginning of the name at `place` compares with `keys`.
    fn compare(&self, place: usize, keys: &[usize]) -> Ordering {
        let mut name = self.keys_of(self.at(place).row);
        for key in keys {
            match name.next().map(|k| k.cmp(key)) {
                Some(Ordering::Equal) => {}
                Some(order) => return order,
                None => return Ordering::Less,
            }
        }
        Ordering::Equal
    }

    /// Where the postings of `key` lie that point into `places`.
    fn postings_within(&self, key: usize, places: &Range<usize>) -> Range<usize> {
        let all = self.posting_at.index(&self.file, key)..self.posting_at.index(&self.file, key + 1);
        let start = first(all.clone(), |i| self.postings.index(&self.file, i) >= places.start);
        start..first(start..all.end, |i| self.postings.index(&self.file, i) >= places.end)
    }

    fn first_posting_from(&self, place: usize, list: &Range<usize>) -> usize {
        first_near(list.clone(), |i| self.postings.index(&self.file, i) >= place)
    }

    /// The keys of the question's words; `None` if nobody has one of them. A word that nobody has may be
    /// two names written as one («محمدعلي»).
    fn keys_of_question(&self, words: &[Token<'_>]) -> Option<Vec<usize>> {
        let mut keys = Vec::with_capacity(WORDS_MAX);
        for word in words.iter().take(WORDS_MAX) {
            match self.keys.search(&self.file, &word.key) {
                Some(key) => keys.push(key),
                None => keys.extend(self.two_in_one(word)?),
            }
        }
        Some(keys)
    }

    fn two_in_one(&self, word: &Token<'_>) -> Option<[usize; 2]> {
        // The article was taken from the front of the key, and a second half may have one of its own.
        let whole = fold_word(word.written);
        let find = |part: &str| {
            let key = crate::text::fold::without_article(part);
            self.keys.search(&self.file, key)
        };
        // 2 letters at least on either side: everything else would be chance.
        let cuts = whole.char_indices().map(|(at, _)| at).skip(2);
        cuts.filter(|at| whole[*at..].chars().nth(1).is_some())
            .find_map(|at| Some([find(&whole[..at])?, find(&whole[at..])?]))
    }
}

impl<'a> Matches<'a> {
    /// No place for another one; if there is one, that is remembered.
    fn is_full(&mut self) -> bool {
        let full = self.students.len() == MATCHES_MAX;
        self.more |= full;
        full
    }

    fn push(&mut self, student: Student<'a>) {
        self.students.push(student);
    }
}

/// The part of `range` for which `order` is equal; before it all is less, behind it greater. Such parts are
/// short: their end is looked for near their beginning.
fn equal(range: Range<usize>, order: impl Fn(usize) -> Ordering) -> Range<usize> {
    let start = first(range.clone(), |place| order(place) != Ordering::Less);
    start..first_near(start..range.end, |place| order(place) == Ordering::Greater)
}

/// The first of `range` for which `is_behind` holds, which then holds for all after it; its end if none.
fn first(range: Range<usize>, is_behind: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_behind(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// As [`first`], in O(log distance) where the answer is near the beginning.
pub(super) fn first_near(range: Range<usize>, is_behind: impl Fn(usize) -> bool) -> usize {
    let mut low = range.start;
    let mut step = 1;
    while low < range.end {
        let probe = (low + step - 1).min(range.end - 1);
        if is_behind(probe) {
            return first(low..probe, is_behind);
        }
        low = probe + 1;
        step *= 2;
    }
    range.end
}

/// As [`first`], in O(log distance) where the answer is near the end.
pub(super) fn first_near_end(range: Range<usize>, is_behind: impl Fn(usize) -> bool) -> usize {
    let mut high = range.end;
    let mut step = 1;
    while high > range.start {
        let probe = high.saturating_sub(step).max(range.start);
        if !is_behind(probe) {
            return first(probe + 1..high, is_behind);
        }
        high = probe;
        step *= 2;
    }
    range.start
}
