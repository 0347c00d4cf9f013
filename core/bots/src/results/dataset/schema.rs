//! What a data set's columns mean: configuration that travels inside the file.

use nobat_core::record::{Malformed, Reader, Record, Write};

/// Text columns of a data set, at most.
pub const FIELDS_MAX: usize = 16;
/// Columns of marks, at most.
pub const MARKS_MAX: usize = 64;
/// Characters of a label, at most.
pub const LABEL_CHARS_MAX: usize = 60;
/// Characters of a text value, at most.
pub const VALUE_CHARS_MAX: usize = 120;
/// Characters of a word in place of a mark, at most.
pub const WORD_CHARS_MAX: usize = 24;
/// Characters of a card, at most: Telegram takes 4,096.
pub const CARD_CHARS_MAX: usize = 4_000;

/// A text in both languages of the bot.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Label {
    /// In Arabic.
    pub ar: String,
    /// In English; empty: as in Arabic.
    pub en: String,
}

impl Label {
    /// From both.
    #[must_use]
    pub fn new(ar: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ar: ar.into(), en: en.into() }
    }
}

/// What a pupil must send to see his marks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u8)]
pub enum Identifiers {
    /// The exam number.
    #[default]
    Number = 0,
    /// The exam number and the secret code given out at school.
    NumberAndCode = 1,
}

/// What a search by name gives.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u8)]
pub enum NameSearch {
    /// Names are not understood.
    #[default]
    Off = 0,
    /// Who it could be (name, school, governorate): neither marks nor the number that gives them.
    Candidates = 1,
    /// The same, and the chosen one's marks.
    Full = 2,
}

/// What a text column is, as far as the bot cares.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u8)]
pub enum FieldRole {
    /// Shown with its label.
    #[default]
    Other = 0,
    /// Tells candidates apart.
    School = 1,
    /// Tells candidates apart.
    Governorate = 2,
    /// Passed, failed, second round: shown below the marks.
    Status = 3,
}

/// A text column.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Field {
    /// What stands before the value on the card.
    pub label: Label,
    /// What it is.
    pub role: FieldRole,
}

/// What a column of marks is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u8)]
pub enum MarkRole {
    /// A subject.
    #[default]
    Subject = 0,
    /// The sum; shown below the subjects.
    Total = 1,
    /// The average; shown below the subjects.
    Average = 2,
}

/// A column of marks. Points are in hundredths.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MarkColumn {
    /// The subject's name.
    pub label: Label,
    /// What it is.
    pub role: MarkRole,
    /// The greatest possible mark; `import` refuses a greater one.
    pub max: Option<u32>,
    /// From here on it is passed; a lower one is marked on the card.
    pub pass: Option<u32>,
}

/// What the columns mean.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Schema {
    /// Stands on top of every card.
    pub title: Label,
    /// What a pupil must send.
    pub identifiers: Identifiers,
    /// What a search by name gives.
    pub names: NameSearch,
    /// Text columns in the order of the card.
    pub fields: Vec<Field>,
    /// Columns of marks in the order of the card.
    pub marks: Vec<MarkColumn>,
    /// English for values of text columns and for words in place of marks.
    pub words: Vec<(String, String)>,
}

/// A schema that cannot be served.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SchemaError {
    /// Marks by name would pass by the code.
    #[error("`names = \"full\"` would show marks without the secret code: use \"candidates\" or \"off\"")]
    FullNamesWithCode,
    /// Too many columns.
    #[error("{0} {1} columns, at most {2} are possible")]
    TooMany(usize, &'static str, usize),
    /// A label is too long.
    #[error("the label `{0}` is longer than {LABEL_CHARS_MAX} characters")]
    LongLabel(String),
    /// A column has no label.
    #[error("a column has no label in Arabic")]
    NoLabel,
    /// The card could be longer than a message.
    #[error("a card could have {0} characters, a message has at most {CARD_CHARS_MAX}: use fewer columns")]
    LongCard(usize),
}

impl Schema {
    /// Checks that it can be served.
    ///
    /// # Errors
    /// [`SchemaError`] with what to change.
    pub fn check(&self) -> Result<(), SchemaError> {
        if self.identifiers == Identifiers::NumberAndCode && self.names == NameSearch::Full {
            return Err(SchemaError::FullNamesWithCode);
        }
        for (count, what, max) in
            [(self.fields.len(), "text", FIELDS_MAX), (self.marks.len(), "mark", MARKS_MAX)]
        {
            if count > max {
                return Err(SchemaError::TooMany(count, what, max));
            }
        }
        let fields = self.fields.iter().map(|f| (&f.label, VALUE_CHARS_MAX));
        let marks = self.marks.iter().map(|m| (&m.label, WORD_CHARS_MAX));
        // The title, the number, the name, and the signs around each value.
        let mut chars = 3 * (LABEL_CHARS_MAX + VALUE_CHARS_MAX);
        for (label, value) in fields.chain(marks) {
            if label.ar.trim().is_empty() {
                return Err(SchemaError::NoLabel);
            }
            for text in [&label.ar, &label.en] {
                if text.chars().count() > LABEL_CHARS_MAX {
                    return Err(SchemaError::LongLabel(text.clone()));
                }
            }
            chars += label.ar.chars().count().max(label.en.chars().count()) + value + 8;
        }
        if self.title.ar.chars().count().max(self.title.en.chars().count()) > VALUE_CHARS_MAX {
            return Err(SchemaError::LongLabel(self.title.ar.clone()));
        }
        if chars > CARD_CHARS_MAX { Err(SchemaError::LongCard(chars)) } else { Ok(()) }
    }

    /// The text column with this role.
    #[must_use]
    pub fn field(&self, role: FieldRole) -> Option<usize> {
        self.fields.iter().position(|f| f.role == role)
    }

    /// English for a value, if the configuration has it.
    #[must_use]
    pub fn english(&self, value: &str) -> Option<&str> {
        self.words.iter().find(|(ar, _)| ar == value).map(|(_, en)| en.as_str())
    }
}

impl Record for Label {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_str(&self.ar);
        out.put_str(&self.en);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { ar: from.str()?.to_owned(), en: from.str()?.to_owned() })
    }
}

impl Record for Schema {
    fn encode(&self, out: &mut Vec<u8>) {
        self.title.encode(out);
        out.put_u8(self.identifiers as u8);
        out.put_u8(self.names as u8);
        out.put_varint(self.fields.len() as u64);
        for field in &self.fields {
            field.label.encode(out);
            out.put_u8(field.role as u8);
        }
        out.put_varint(self.marks.len() as u64);
        for mark in &self.marks {
            mark.label.encode(out);
            out.put_u8(mark.role as u8);
            // 0 is none, so that a bound of 0 is 1.
            out.put_varint(mark.max.map_or(0, |v| u64::from(v) + 1));
            out.put_varint(mark.pass.map_or(0, |v| u64::from(v) + 1));
        }
        out.put_varint(self.words.len() as u64);
        for (ar, en) in &self.words {
            out.put_str(ar);
            out.put_str(en);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let title = Label::decode(from)?;
        let identifiers = pick(from, &[Identifiers::Number, Identifiers::NumberAndCode])?;
        let names = pick(from, &[NameSearch::Off, NameSearch::Candidates, NameSearch::Full])?;
        let roles = [FieldRole::Other, FieldRole::School, FieldRole::Governorate, FieldRole::Status];
        let fields = list(from, FIELDS_MAX, |from| {
            Ok(Field { label: Label::decode(from)?, role: pick(from, &roles)? })
        })?;
        let roles = [MarkRole::Subject, MarkRole::Total, MarkRole::Average];
        let marks = list(from, MARKS_MAX, |from| {
            let (label, role) = (Label::decode(from)?, pick(from, &roles)?);
            Ok(MarkColumn { label, role, max: bound(from)?, pass: bound(from)? })
        })?;
        let words = list(from, usize::MAX, |from| Ok((from.str()?.to_owned(), from.str()?.to_owned())))?;
        Ok(Self { title, identifiers, names, fields, marks, words })
    }
}

fn pick<T: Copy>(from: &mut Reader<'_>, all: &[T]) -> Result<T, Malformed> {
    all.get(usize::from(from.u8()?)).copied().ok_or(Malformed("a schema with an unknown choice"))
}

fn bound(from: &mut Reader<'_>) -> Result<Option<u32>, Malformed> {
    match from.varint()? {
        0 => Ok(None),
        v => Ok(Some(u32::try_from(v - 1).map_err(|_| Malformed("a bound over 32 bits"))?)),
    }
}

/// Reads a list without trusting its length: memory grows with what is really there.
fn list<T>(
    from: &mut Reader<'_>,
    max: usize,
    mut one: impl FnMut(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let len = from.varint()?;
    if len > max as u64 {
        return Err(Malformed("a schema with too many columns"));
    }
    let mut out = Vec::new();
    for _ in 0..len {
        out.push(one(from)?);
    }
    Ok(out)
}
