//! An immutable data set in memory: 700,000 pupils in about 35 MB, both indexes included.
//!
//! What lives here: [`Dataset`] and how a [`Student`] is found in it, by number or by name; [`Builder`],
//! which makes the file's bytes out of rows; the [`Schema`] that says what the columns mean. The bot asks
//! it, `import` builds it, the shell reads the file and hands the bytes over. It does no I/O.
//!
//! The file *is* the memory: columns of integers in the least width that fits and tables of strings, read
//! in place (`docs/results.md` draws them). Rows lie in the order of their numbers, so the number
//! index is the column of numbers itself.
//!
//! | operation | cost |
//! |---|---|
//! | [`Dataset::by_number`] | O(log n), and O(1) where numbers run on: a table, a guess, and outwards from it |
//! | [`Dataset::by_name`] | O(log n) to find the run of names, then at most [`NAME_WORK_MAX`] postings |
//! | [`Dataset::load`] | O(bytes), all of it checked |

mod build;
mod index;
mod load;
mod number;
mod packed;
pub mod schema;
mod search;

pub(in crate::results) use build::show_points;
pub use build::{Builder, Duplicate, Row, RowError, looks_like_a_mark};
pub use load::LoadError;
pub use number::{DIGITS_MAX, ExamNumber};
pub use schema::{
    Field, FieldRole, Identifiers, Label, MarkColumn, MarkRole, NameSearch, Schema, SchemaError,
};
pub use search::{MATCHES_MAX, Matches, NAME_WORK_MAX};

use index::Index;
use packed::{Packed, Strings};
use search::{first_near, first_near_end};

/// Words behind the first one whose keys lie in the order of the names.
const LATER: usize = 2;

/// All pupils of one release, immutable. Replaced as a whole.
pub struct Dataset {
    file: Box<[u8]>,
    schema: Schema,
    version: u64,
    /// Rising by value: the row is the rank.
    numbers: Packed,
    /// Where a number stands in `numbers`, about.
    index: Index,
    codes: Option<Packed>,
    /// Where a row's words begin in `words`; one more than rows.
    word_at: Packed,
    /// Places in `written`, all names one after the other.
    words: Packed,
    /// Words as they were written, in the order of their keys.
    written: Strings,
    /// The key of a written word.
    key_of: Packed,
    /// Keys, rising.
    keys: Strings,
    /// Rows in the order of their names' keys.
    by_name: Packed,
    /// Where in `by_name` the names that begin with a key begin; one more than keys.
    first_at: Packed,
    /// Of each place in `by_name` the key of the name's second word, and of its third, plus 1; 0 for none.
    /// The rows themselves are scattered over memory: a search that reads them waits at each step.
    later: [Packed; LATER],
    /// Where a key's postings begin; one more than keys.
    posting_at: Packed,
    /// Places in `by_name`, rising per key: names that hold the key behind their first word.
    postings: Packed,
    fields: Vec<(Strings, Packed)>,
    marks: Vec<Marks>,
}

/// A column of marks: codes 0 for blank, then the words, then points in units of `unit` hundredths.
struct Marks {
    unit: u32,
    words: Strings,
    codes: Packed,
}

/// One pupil of a data set.
#[derive(Clone, Copy)]
pub struct Student<'a> {
    set: &'a Dataset,
    row: usize,
}

/// What stands in a column of marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark<'a> {
    /// Nothing.
    Blank,
    /// A word (absent, exempt, withheld).
    Word(&'a str),
    /// Points in hundredths.
    Points(u32),
}

impl Dataset {
    /// What the columns mean.
    #[must_use]
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Names the contents: equal for equal files.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// How many pupils.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.numbers.len()
    }

    /// No pupil.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file's bytes.
    #[must_use]
    pub const fn file(&self) -> &[u8] {
        &self.file
    }

    /// Bytes it holds on to: the file, and the tables over its indexes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.file.len() + self.index.bytes()
    }

    /// The pupil with this number, whatever its leading zeros. O(log n); two cache misses in a list
    /// without large holes.
    #[must_use]
    pub fn by_number(&self, number: ExamNumber) -> Option<Student<'_>> {
        let value = number.value();
        let at = |row: usize| self.numbers.get(&self.file, row) >> 4;
        let (rows, guess) = self.index.narrow(value);
        let row = if at(guess) < value {
            first_near(guess + 1..rows.end, |row| at(row) >= value)
        } else {
            first_near_end(rows.start..guess, |row| at(row) >= value)
        };
        (rows.contains(&row) && at(row) == value).then_some(Student { set: self, row })
    }

    /// All pupils in the order of their numbers.
    pub fn students(&self) -> impl ExactSizeIterator<Item = Student<'_>> {
        (0..self.len()).map(|row| Student { set: self, row })
    }

    /// The keys of a row's words.
    fn keys_of(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        let range = self.word_at.index(&self.file, row)..self.word_at.index(&self.file, row + 1);
        range.map(|i| self.key_of.index(&self.file, self.words.index(&self.file, i)))
    }
}

impl core::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // No row: a log must not hold marks.
        write!(f, "Dataset {{ pupils: {}, version: {:x} }}", self.len(), self.version)
    }
}

impl<'a> Student<'a> {
    /// His exam number.
    #[must_use]
    pub fn number(&self) -> Option<ExamNumber> {
        ExamNumber::from_packed(self.set.numbers.get(&self.set.file, self.row))
    }

    /// His name as it was written, words parted by one blank.
    #[must_use]
    pub fn name(&self) -> String {
        let (set, file) = (self.set, &self.set.file);
        let range = set.word_at.index(file, self.row)..set.word_at.index(file, self.row + 1);
        let mut name = String::with_capacity(48);
        for i in range {
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(set.written.get(file, set.words.index(file, i)));
        }
        name
    }

    /// The fingerprint of his secret code; `None` if the data set has no codes. See
    /// [`super::hash::code_hash`].
    #[must_use]
    pub fn code_hash(&self) -> Option<u64> {
        self.set.codes.as_ref().map(|codes| codes.get(&self.set.file, self.row))
    }

    /// What stands in the text column `i`; empty if nothing.
    #[must_use]
    pub fn field(&self, i: usize) -> &'a str {
        let set: &'a Dataset = self.set;
        set.fields.get(i).map_or("", |(values, rows)| values.get(&set.file, rows.index(&set.file, self.row)))
    }

    /// What stands in the column of marks `i`.
    #[must_use]
    pub fn mark(&self, i: usize) -> Mark<'a> {
        let set: &'a Dataset = self.set;
        let Some(column) = set.marks.get(i) else { return Mark::Blank };
        let code = column.codes.index(&set.file, self.row);
        match code.checked_sub(1) {
            None => Mark::Blank,
            Some(word) if word < column.words.len() => Mark::Word(column.words.get(&set.file, word)),
            Some(points) => {
                let units = u32::try_from(points - column.words.len()).unwrap_or(u32::MAX);
                Mark::Points(units.saturating_mul(column.unit))
            }
        }
    }
}

impl core::fmt::Debug for Student<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Student {{ row: {} }}", self.row)
    }
}

#[cfg(test)]
mod tests;
