//! Pupils by name: the run of names that begin like the question, then those that hold its words in order.
//!
//! The first word of a question is the first word of the name: nobody leaves out his own. The others must
//! follow in order, and words may be left out between them («علي الجبوري» finds «علي كاظم حسين الجبوري»).

use super::{Dataset, Student};
use crate::text::{Token, fold_word};
use core::cmp::Ordering;
use core::ops::Range;

/// Pupils that one question gives, at most: six pages of eight.
pub const MATCHES_MAX: usize = 48;
/// Rows that one question may look at, at most, besides O(log n) to find where to look. At it the question
/// is answered with what was found, and [`Matches::more`] says that a longer name is needed.
pub const NAME_WORK_MAX: usize = 4_096;
/// Words of a question that count, at most.
const WORDS_MAX: usize = 8;

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
        let Some(first) = keys.first() else { return matches };
        let run = self.run(0..self.len(), &keys);
        let given = if keys.len() > 1 { self.run(0..self.len(), &[*first]) } else { run.clone() };
        for place in run.clone() {
            if matches.is_full() {
                return matches;
            }
            matches.push(self.at(place));
        }
        if given.len() > run.len() {
            self.scattered(&keys, given, &run, &mut matches);
        }
        matches
    }

    /// Names that hold the words in order without beginning with them in a row.
    fn scattered<'a>(
        &'a self,
        keys: &[usize],
        given: Range<usize>,
        run: &Range<usize>,
        out: &mut Matches<'a>,
    ) {
        // The rarest word among these names drives.
        let rarest = keys[1..].iter().map(|key| self.postings_within(*key, &given)).min_by_key(Range::len);
        let Some(rarest) = rarest else { return };
        let by_postings = rarest.len() < given.len();
        let count = rarest.len().min(given.len());
        for i in 0..count.min(NAME_WORK_MAX) {
            let place =
                if by_postings { self.postings.index(&self.file, rarest.start + i) } else { given.start + i };
            if run.contains(&place) {
                continue;
            }
            let student = self.at(place);
            let mut wanted = keys.iter();
            let mut next = wanted.next();
            for key in self.keys_of(student.row) {
                if next == Some(&key) {
                    next = wanted.next();
                }
            }
            if next.is_none() {
                if out.is_full() {
                    return;
                }
                out.push(student);
            }
        }
        out.more |= count > NAME_WORK_MAX;
    }

    fn at(&self, place: usize) -> Student<'_> {
        Student { set: self, row: self.by_name.index(&self.file, place) }
    }

    /// The places of names that begin with these keys.
    fn run(&self, within: Range<usize>, keys: &[usize]) -> Range<usize> {
        let find = |stop: &dyn Fn(Ordering) -> bool| {
            let (mut low, mut high) = (within.start, within.end);
            while low < high {
                let middle = low + (high - low) / 2;
                if stop(self.compare(middle, keys)) { high = middle } else { low = middle + 1 }
            }
            low
        };
        let start = find(&|order| order != Ordering::Less);
        let end = find(&|order| order == Ordering::Greater);
        start..end.max(start)
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
        let first_from = |bound: usize| {
            let (mut low, mut high) = (all.start, all.end);
            while low < high {
                let middle = low + (high - low) / 2;
                if self.postings.index(&self.file, middle) < bound { low = middle + 1 } else { high = middle }
            }
            low
        };
        let start = first_from(places.start);
        start..first_from(places.end).max(start)
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
