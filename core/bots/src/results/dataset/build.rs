//! Rows to the bytes of a data set. Pure: `import` reads rows and writes the file.

use super::LATER;
use super::load::{FORMAT, HEAD, MAGIC};
use super::number::ExamNumber;
use super::packed::{PADDING, Packed, Strings};
use super::schema::{Identifiers, Schema, SchemaError, VALUE_CHARS_MAX, WORD_CHARS_MAX};
use crate::results::hash::code_hash;
use crate::text::{ascii_digits, bidi::strip_controls, tokens};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use nobat_core::record::{Record, Write};

/// Pupils of one data set, at most: rows are counted in 32 bits.
const ROWS_MAX: usize = u32::MAX as usize;
/// Words of one name, at most.
const NAME_WORDS_MAX: usize = 24;
/// Different words in place of a mark, at most: more is a text column taken for marks.
const MARK_WORDS_MAX: usize = 64;
/// Points, at most, in hundredths.
const POINTS_MAX: u32 = 100_000_000;

/// One pupil, as `import` read him.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Where it stands, for errors.
    pub line: u64,
    /// The exam number, digits of any script.
    pub number: &'a str,
    /// The secret code; ignored where the schema wants none.
    pub code: &'a str,
    /// The full name.
    pub name: &'a str,
    /// One value per text column of the schema; what is missing is empty.
    pub fields: &'a [&'a str],
    /// One value per column of marks; what is missing is blank.
    pub marks: &'a [&'a str],
}

/// A row that cannot be taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RowError {
    /// No exam number.
    #[error("the exam number is empty")]
    NoNumber,
    /// Not a number.
    #[error("the exam number `{0}` is not 1 to 18 digits")]
    BadNumber(String),
    /// No name.
    #[error("the name is empty")]
    NoName,
    /// A name too long for a card.
    #[error("the name has more than {VALUE_CHARS_MAX} characters or {NAME_WORDS_MAX} words")]
    LongName,
    /// The schema requires a code.
    #[error("the secret code is empty, and the configuration requires it")]
    NoCode,
    /// A value too long for a card.
    #[error("the column `{0}` has more than {VALUE_CHARS_MAX} characters")]
    LongValue(String),
    /// Neither points nor a word.
    #[error("the column `{0}` holds `{1}`, which is neither a mark nor a word in place of one")]
    BadMark(String, String),
    /// More than the greatest mark.
    #[error("the column `{0}` holds {1}, more than the greatest mark {2}")]
    MarkOverMax(String, String, String),
    /// Too many words in place of marks.
    #[error("the column `{0}` holds more than {MARK_WORDS_MAX} different words: is it a text column?")]
    TooManyWords(String),
    /// Too many rows.
    #[error("more than {ROWS_MAX} pupils")]
    TooMany,
}

/// Two rows with one number.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the exam number {number} stands on line {first} and again on line {second}")]
pub struct Duplicate {
    /// The number.
    pub number: ExamNumber,
    /// Where it stands first.
    pub first: u64,
    /// Where it stands again.
    pub second: u64,
}

/// Strings, each once.
#[derive(Default)]
struct Interner {
    ids: HashMap<Box<str>, u32, FixedState>,
    count: u32,
}

impl Interner {
    fn id(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = self.count;
        self.count += 1;
        self.ids.insert(text.into(), id);
        id
    }

    /// In the order of their ids.
    fn into_strings(self) -> Vec<Box<str>> {
        let mut all: Vec<_> = self.ids.into_iter().collect();
        all.sort_unstable_by_key(|(_, id)| *id);
        all.into_iter().map(|(text, _)| text).collect()
    }
}

/// A cell of a column of marks while rows come in.
#[derive(Clone, Copy)]
enum Cell {
    Blank,
    Word(u8),
    Points(u32),
}

#[derive(Default)]
struct MarkRows {
    words: Interner,
    cells: Vec<Cell>,
}

/// Collects rows and gives the bytes of the file. About 100 bytes a row while it works.
pub struct Builder {
    schema: Schema,
    numbers: Vec<u64>,
    lines: Vec<u64>,
    codes: Vec<u64>,
    word_at: Vec<u32>,
    words: Vec<u32>,
    written: Interner,
    /// The key of each written word, by its id.
    keys: Vec<Box<str>>,
    fields: Vec<(Interner, Vec<u32>)>,
    marks: Vec<MarkRows>,
}

impl Builder {
    /// For rows of this schema.
    ///
    /// # Errors
    /// [`SchemaError`] if it cannot be served.
    pub fn new(schema: Schema) -> Result<Self, SchemaError> {
        schema.check()?;
        Ok(Self {
            numbers: Vec::new(),
            lines: Vec::new(),
            codes: Vec::new(),
            word_at: vec![0],
            words: Vec::new(),
            written: Interner::default(),
            keys: Vec::new(),
            fields: schema.fields.iter().map(|_| Default::default()).collect(),
            marks: schema.marks.iter().map(|_| MarkRows::default()).collect(),
            schema,
        })
    }

    /// How many rows were taken.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.numbers.len()
    }

    /// No row was taken.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Takes a row.
    ///
    /// # Errors
    /// [`RowError`]; the row is not taken, and the builder can go on.
    pub fn push(&mut self, row: &Row<'_>) -> Result<(), RowError> {
        if self.len() == ROWS_MAX {
            return Err(RowError::TooMany);
        }
        let number = number_of(row.number)?;
        let code = code_hash(number, row.code);
        if self.schema.identifiers == Identifiers::NumberAndCode && code.is_none() {
            return Err(RowError::NoCode);
        }
        let name = strip_controls(row.name);
        let words = tokens(&name);
        if words.is_empty() {
            return Err(RowError::NoName);
        }
        if words.len() > NAME_WORDS_MAX || name.chars().count() > VALUE_CHARS_MAX {
            return Err(RowError::LongName);
        }
        let fields = self.checked_fields(row)?;
        let cells = self.checked_marks(row)?;

        self.numbers.push(number.packed());
        self.lines.push(row.line);
        self.codes.push(code.unwrap_or(0));
        for word in words {
            let id = self.written.id(word.written);
            if id as usize == self.keys.len() {
                self.keys.push(word.key.into());
            }
            self.words.push(id);
        }
        self.word_at.push(self.words.len() as u32);
        for ((values, rows), value) in self.fields.iter_mut().zip(fields) {
            rows.push(values.id(&value));
        }
        for (column, cell) in self.marks.iter_mut().zip(cells) {
            column.cells.push(cell);
        }
        Ok(())
    }

    fn checked_fields(&self, row: &Row<'_>) -> Result<Vec<String>, RowError> {
        let mut out = Vec::with_capacity(self.fields.len());
        for (i, field) in self.schema.fields.iter().enumerate() {
            let value = strip_controls(row.fields.get(i).copied().unwrap_or(""));
            if value.chars().count() > VALUE_CHARS_MAX {
                return Err(RowError::LongValue(field.label.ar.clone()));
            }
            out.push(value);
        }
        Ok(out)
    }

    fn checked_marks(&mut self, row: &Row<'_>) -> Result<Vec<Cell>, RowError> {
        let mut out = Vec::with_capacity(self.marks.len());
        for (i, (column, rows)) in self.schema.marks.iter().zip(&mut self.marks).enumerate() {
            let text = strip_controls(row.marks.get(i).copied().unwrap_or(""));
            let label = || column.label.ar.clone();
            out.push(match points(&text) {
                _ if text.is_empty() => Cell::Blank,
                Some(points) if column.max.is_some_and(|max| points > max) => {
                    let max = show_points(column.max.unwrap_or_default());
                    return Err(RowError::MarkOverMax(label(), text, max));
                }
                Some(points) => Cell::Points(points),
                None if text.chars().count() > WORD_CHARS_MAX || text.chars().any(char::is_numeric) => {
                    return Err(RowError::BadMark(label(), text.chars().take(40).collect()));
                }
                None => {
                    let word = rows.words.id(&text);
                    if word as usize >= MARK_WORDS_MAX {
                        return Err(RowError::TooManyWords(label()));
                    }
                    Cell::Word(word as u8)
                }
            });
        }
        Ok(out)
    }

    /// The bytes of the file. O(n log n).
    ///
    /// # Errors
    /// Every [`Duplicate`], in the order of the numbers.
    pub fn finish(self) -> Result<Vec<u8>, Vec<Duplicate>> {
        let order = self.order_by_number()?;
        let names = Names::of(&self.word_at, &self.words, self.written, &self.keys, &order);
        let mut out = Vec::with_capacity(order.len() * 48 + 4096);
        out.extend_from_slice(&MAGIC);
        out.put_u32(FORMAT);
        out.extend_from_slice(&[0; HEAD - MAGIC.len() - 4]);

        let mut schema = Vec::new();
        self.schema.encode(&mut schema);
        out.put_bytes(&schema);
        let rows = || order.iter().map(|row| *row as usize);
        Packed::write(&mut out, order.len(), rows().map(|row| self.numbers[row]));
        let with_codes = self.schema.identifiers == Identifiers::NumberAndCode;
        out.put_u8(u8::from(with_codes));
        if with_codes {
            Packed::write(&mut out, order.len(), rows().map(|row| self.codes[row]));
        }
        names.write(&mut out);
        for (values, column) in self.fields {
            Strings::write(&mut out, &values.into_strings());
            Packed::write(&mut out, order.len(), rows().map(|row| u64::from(column[row])));
        }
        for column in self.marks {
            column.write(&mut out, &order);
        }
        out.extend_from_slice(&[0; PADDING]);

        let checksum = crc32c::crc32c(&out[HEAD..]);
        let length = (out.len() - HEAD) as u64;
        out[HEAD - 12..HEAD - 8].copy_from_slice(&checksum.to_le_bytes());
        out[HEAD - 8..HEAD].copy_from_slice(&length.to_le_bytes());
        Ok(out)
    }

    /// Rows in the order of their numbers.
    fn order_by_number(&self) -> Result<Vec<u32>, Vec<Duplicate>> {
        let mut order: Vec<u32> = (0..self.numbers.len() as u32).collect();
        let value = |row: u32| self.numbers[row as usize] >> 4;
        order.sort_by_key(|row| value(*row));
        let duplicates: Vec<_> = order
            .windows(2)
            .filter(|pair| value(pair[0]) == value(pair[1]))
            .filter_map(|pair| {
                let [first, second] = [pair[0] as usize, pair[1] as usize];
                let number = ExamNumber::from_packed(self.numbers[second])?;
                Some(Duplicate { number, first: self.lines[first], second: self.lines[second] })
            })
            .collect();
        if duplicates.is_empty() { Ok(order) } else { Err(duplicates) }
    }
}

impl MarkRows {
    fn write(self, out: &mut Vec<u8>, order: &[u32]) {
        // The coarsest unit that loses nothing: whole marks take one byte.
        let unit = [100, 10, 1]
            .into_iter()
            .find(|unit| self.cells.iter().all(|c| !matches!(c, Cell::Points(p) if p % unit != 0)))
            .unwrap_or(1);
        out.put_u8(unit as u8);
        let words = self.words.into_strings();
        Strings::write(out, &words);
        let codes = order.iter().map(|row| match self.cells[*row as usize] {
            Cell::Blank => 0,
            Cell::Word(word) => u64::from(word) + 1,
            Cell::Points(points) => u64::from(points / unit) + 1 + words.len() as u64,
        });
        Packed::write(out, order.len(), codes);
    }
}

/// The columns that hold and index names.
struct Names {
    word_at: Vec<u32>,
    words: Vec<u32>,
    written: Vec<Box<str>>,
    key_of: Vec<u32>,
    keys: Vec<Box<str>>,
    by_name: Vec<u32>,
    first_at: Vec<u32>,
    later: [Vec<u32>; LATER],
    posting_at: Vec<u32>,
    postings: Vec<u32>,
}

impl Names {
    fn of(word_at: &[u32], words: &[u32], written: Interner, keys: &[Box<str>], order: &[u32]) -> Self {
        // Written words in the order of their keys, so that neighbours in the table are neighbours in use.
        let old = written.into_strings();
        let mut ids: Vec<u32> = (0..old.len() as u32).collect();
        ids.sort_unstable_by(|a, b| {
            let (a, b) = (*a as usize, *b as usize);
            (&keys[a], &old[a]).cmp(&(&keys[b], &old[b]))
        });
        let mut distinct: Vec<Box<str>> = Vec::new();
        let (mut key_of, mut place) = (Vec::with_capacity(ids.len()), vec![0; ids.len()]);
        for (new, id) in ids.iter().enumerate() {
            let key = &keys[*id as usize];
            if distinct.last() != Some(key) {
                distinct.push(key.clone());
            }
            key_of.push(distinct.len() as u32 - 1);
            place[*id as usize] = new as u32;
        }
        let written = ids.iter().map(|id| old[*id as usize].clone()).collect();

        let mut names = Self {
            word_at: Vec::with_capacity(order.len() + 1),
            words: Vec::with_capacity(words.len()),
            written,
            key_of,
            keys: distinct,
            by_name: Vec::new(),
            first_at: Vec::new(),
            later: Default::default(),
            posting_at: Vec::new(),
            postings: Vec::new(),
        };
        names.word_at.push(0);
        for row in order {
            let range = word_at[*row as usize] as usize..word_at[*row as usize + 1] as usize;
            names.words.extend(words[range].iter().map(|id| place[*id as usize]));
            names.word_at.push(names.words.len() as u32);
        }
        names.index();
        names
    }

    fn index(&mut self) {
        let all: Vec<u32> = self.words.iter().map(|w| self.key_of[*w as usize]).collect();
        let range = |row: u32| self.word_at[row as usize] as usize..self.word_at[row as usize + 1] as usize;
        let mut by_name: Vec<u32> = (0..self.word_at.len() as u32 - 1).collect();
        by_name.sort_unstable_by(|a, b| (&all[range(*a)], a).cmp(&(&all[range(*b)], b)));
        let mut first_at = vec![0u32; self.keys.len() + 1];
        for row in &by_name {
            all[range(*row)].first().into_iter().for_each(|key| first_at[*key as usize + 1] += 1);
        }
        add_up(&mut first_at);
        // A name without such a word comes before all that have one, as in `by_name`.
        let nth = |row: u32, n: usize| all[range(row)].get(n).map_or(0, |key| key + 1);
        self.later = core::array::from_fn(|n| by_name.iter().map(|row| nth(*row, n + 1)).collect());

        // Two passes: how many, then where. A name that holds a word twice has one posting of it.
        let rest = |row: u32| {
            let keys = &all[range(row)];
            (1..keys.len()).filter(|i| !keys[1..*i].contains(&keys[*i])).map(|i| keys[i] as usize)
        };
        let mut at = vec![0u32; self.keys.len() + 1];
        for row in 0..by_name.len() as u32 {
            rest(row).for_each(|key| at[key + 1] += 1);
        }
        add_up(&mut at);
        let mut next = at.clone();
        let mut postings = vec![0; at.last().copied().unwrap_or(0) as usize];
        for (place, row) in by_name.iter().enumerate() {
            for key in rest(*row) {
                postings[next[key] as usize] = place as u32;
                next[key] += 1;
            }
        }
        (self.by_name, self.first_at, self.posting_at, self.postings) = (by_name, first_at, at, postings);
    }

    fn write(&self, out: &mut Vec<u8>) {
        let column = |out: &mut Vec<u8>, values: &[u32]| {
            Packed::write(out, values.len(), values.iter().map(|v| u64::from(*v)));
        };
        column(out, &self.word_at);
        column(out, &self.words);
        Strings::write(out, &self.written);
        column(out, &self.key_of);
        Strings::write(out, &self.keys);
        column(out, &self.by_name);
        column(out, &self.first_at);
        self.later.iter().for_each(|keys| column(out, keys));
        column(out, &self.posting_at);
        column(out, &self.postings);
    }
}

/// How many of each to where each begins.
fn add_up(counts: &mut [u32]) {
    for i in 1..counts.len() {
        counts[i] += counts[i - 1];
    }
}

fn number_of(text: &str) -> Result<ExamNumber, RowError> {
    let text = ascii_digits(&strip_controls(text));
    if text.is_empty() {
        return Err(RowError::NoNumber);
    }
    ExamNumber::parse(&text).ok_or_else(|| RowError::BadNumber(text.chars().take(40).collect()))
}

/// Points in hundredths: digits, then at most one decimal point or comma and digits, rounded to two.
fn points(text: &str) -> Option<u32> {
    let text = ascii_digits(text);
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((&text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut hundredths = whole.parse::<u32>().ok()?.checked_mul(100)?;
    let digit = |i: usize| fraction.as_bytes().get(i).map_or(0, |b| u32::from(b - b'0'));
    hundredths = hundredths.checked_add(digit(0) * 10 + digit(1) + u32::from(digit(2) >= 5))?;
    (hundredths <= POINTS_MAX).then_some(hundredths)
}

/// Hundredths as people write them: `87`, `87.5`, `87.25`.
#[must_use]
pub(in crate::results) fn show_points(hundredths: u32) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match rest {
        0 => whole.to_string(),
        r if r % 10 == 0 => format!("{whole}.{}", r / 10),
        r => format!("{whole}.{r:02}"),
    }
}

/// Says whether `text` is points, as [`Builder::push`] reads them.
#[must_use]
pub fn looks_like_a_mark(text: &str) -> bool {
    points(&strip_controls(text)).is_some()
}
