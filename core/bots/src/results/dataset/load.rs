//! Bytes to a data set: total, and so thorough that every later access is in range.
//!
//! ```text
//! offset  bytes  what
//!      0      8  NOBATRES
//!      8      4  format version, 2
//!     12      4  CRC-32C of everything behind this head
//!     16      8  how many bytes are behind this head
//!     24      .  schema (length, bytes), then the columns, then 8 zero bytes
//! ```
//! Integers are little-endian. A column is `width (1) count (varint) values`; a table of strings is a
//! column of offsets and `length (varint) bytes`.

use super::index::Index;
use super::packed::{PADDING, Packed, Strings};
use super::schema::{Schema, SchemaError};
use super::{Dataset, Marks};
use nobat_core::record::{Malformed, Reader, Record};

pub(super) const MAGIC: [u8; 8] = *b"NOBATRES";
pub(super) const FORMAT: u32 = 2;
pub(super) const HEAD: usize = 24;

/// Bytes that are not a data set that can be served.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LoadError {
    /// Another file.
    #[error("this is not a Nobat data set: make one with `nobat results import`")]
    NotADataset,
    /// A format this program does not know.
    #[error("data set format {0}, this program reads {FORMAT}: import the list again with this program")]
    Format(u32),
    /// The file is not as long as it says.
    #[error("the data set has {have} bytes, it should have {want}: the copy was cut short, import again")]
    Length {
        /// Bytes that are there.
        have: u64,
        /// Bytes that its head announces.
        want: u64,
    },
    /// Bits have changed.
    #[error("the data set is damaged (checksum {have:08x}, should be {want:08x}): import the list again")]
    Checksum {
        /// Of the bytes that are there.
        have: u32,
        /// As its head says.
        want: u32,
    },
    /// The checksum holds and the contents do not: not written by `import`.
    #[error("the data set's contents contradict each other ({0}): import the list again")]
    Contents(#[from] Malformed),
    /// The schema cannot be served.
    #[error("the data set's configuration cannot be served: {0}")]
    Schema(#[from] SchemaError),
}

impl Dataset {
    /// Takes the bytes of a file as a data set. O(bytes): everything is checked, nothing is copied.
    ///
    /// # Errors
    /// [`LoadError`], for any bytes that are not a data set. Never panics.
    pub fn load(file: Vec<u8>) -> Result<Self, LoadError> {
        let file = file.into_boxed_slice();
        let mut head = Reader::new(&file);
        if head.take(MAGIC.len()).ok() != Some(&MAGIC) {
            return Err(LoadError::NotADataset);
        }
        let format = head.u32()?;
        if format != FORMAT {
            return Err(LoadError::Format(format));
        }
        let (checksum, length) = (head.u32()?, head.u64()?);
        let body = head.rest();
        if body.len() as u64 != length {
            return Err(LoadError::Length { have: body.len() as u64, want: length });
        }
        let have = crc32c::crc32c(body);
        if have != checksum {
            return Err(LoadError::Checksum { have, want: checksum });
        }
        let mut set = read(&file, &mut head)?;
        set.version = u64::from(checksum) << 32 | (length & 0xffff_ffff);
        check(&set, &file)?;
        set.schema.check()?;
        set.index = Index::new(set.numbers.len(), |row| set.numbers.get(&file, row) >> 4);
        set.file = file;
        Ok(set)
    }
}

/// Where everything lies, in the order of the file.
fn read(file: &[u8], from: &mut Reader<'_>) -> Result<Dataset, Malformed> {
    let schema = Schema::from_bytes(from.bytes()?)?;
    let numbers = Packed::read(file, from)?;
    let codes = match from.u8()? {
        0 => None,
        1 => Some(Packed::read(file, from)?),
        _ => return Err(Malformed("neither with codes nor without")),
    };
    let word_at = Packed::read(file, from)?;
    let words = Packed::read(file, from)?;
    let written = Strings::read(file, from)?;
    let key_of = Packed::read(file, from)?;
    let keys = Strings::read(file, from)?;
    let by_name = Packed::read(file, from)?;
    let first_at = Packed::read(file, from)?;
    let later = [Packed::read(file, from)?, Packed::read(file, from)?];
    let posting_at = Packed::read(file, from)?;
    let postings = Packed::read(file, from)?;
    let mut fields = Vec::new();
    for _ in &schema.fields {
        fields.push((Strings::read(file, from)?, Packed::read(file, from)?));
    }
    let mut marks = Vec::new();
    for _ in &schema.marks {
        let unit = u32::from(from.u8()?);
        marks.push(Marks { unit, words: Strings::read(file, from)?, codes: Packed::read(file, from)? });
    }
    if from.take(PADDING)?.iter().any(|b| *b != 0) || !from.is_empty() {
        return Err(Malformed("the end is not where it should be"));
    }
    Ok(Dataset {
        file: Box::default(),
        schema,
        version: 0,
        numbers,
        index: Index::default(),
        codes,
        word_at,
        words,
        written,
        key_of,
        keys,
        by_name,
        first_at,
        later,
        posting_at,
        postings,
        fields,
        marks,
    })
}

/// Every index is in range and every order is kept.
fn check(set: &Dataset, file: &[u8]) -> Result<(), Malformed> {
    let rows = set.numbers.len();
    let say = |ok: bool, what: &'static str| if ok { Ok(()) } else { Err(Malformed(what)) };
    let mut last = None;
    let rising = set.numbers.iter(file).all(|n| {
        let value = n >> 4;
        let ok = last.is_none_or(|last| last < value);
        last = Some(value);
        ok && super::ExamNumber::from_packed(n).is_some()
    });
    say(rising, "numbers do not rise")?;
    let with_code = set.schema.identifiers == super::Identifiers::NumberAndCode;
    say(set.codes.is_some() || !with_code, "codes are required and there are none")?;
    say(set.codes.is_none_or(|c| c.len() == rows), "codes of other pupils")?;
    say(set.word_at.len() == rows + 1, "names of other pupils")?;
    say(set.word_at.are_offsets_to(file, set.words.len()), "names out of order")?;
    say(set.words.all_below(file, set.written.len()), "a name's word is missing")?;
    say(set.key_of.len() == set.written.len(), "a word has no key")?;
    say(set.key_of.all_below(file, set.keys.len()), "a word's key is missing")?;
    say(set.keys.rise(file), "keys do not rise")?;
    say(set.by_name.len() == rows && set.by_name.all_below(file, rows), "the name index is of other pupils")?;
    say(set.first_at.len() == set.keys.len() + 1, "a key has no beginning")?;
    say(set.first_at.are_offsets_to(file, rows), "beginnings out of order")?;
    let later = |c: &Packed| c.len() == rows && c.all_below(file, set.keys.len() + 1);
    say(set.later.iter().all(later), "later words of other pupils")?;
    say(set.posting_at.len() == set.keys.len() + 1, "a key has no postings")?;
    say(set.posting_at.are_offsets_to(file, set.postings.len()), "postings out of order")?;
    say(set.postings.all_below(file, rows), "a posting of no pupil")?;
    for (values, column) in &set.fields {
        say(
            column.len() == rows && column.all_below(file, values.len()),
            "a text column's value is missing",
        )?;
    }
    for column in &set.marks {
        say(column.codes.len() == rows && column.unit > 0, "a column of marks is of other pupils")?;
    }
    Ok(())
}
