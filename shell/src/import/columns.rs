//! What each column of a list is: as configured, else told from its name and its first rows.

use super::config::{DatasetConfig, FieldConfig, SubjectConfig};
use super::error::ImportError;
use super::known::{Known, WORDS, column_named};
use nobat_bots::results::dataset::{
    Field, FieldRole, Identifiers, Label, MarkColumn, MarkRole, Schema, looks_like_a_mark,
};
use nobat_bots::text::fold_word;

/// Which column goes where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    pub(super) schema: Schema,
    pub(super) number: usize,
    pub(super) name: usize,
    pub(super) code: Option<usize>,
    pub(super) fields: Vec<usize>,
    pub(super) marks: Vec<usize>,
}

/// A list's columns while the plan is made.
struct Columns<'a> {
    headers: &'a [String],
    sample: &'a [(u64, Vec<String>)],
}

impl Plan {
    /// For a list with these headers, of which these are the first rows.
    pub(super) fn of(
        headers: &[String],
        sample: &[(u64, Vec<String>)],
        config: &DatasetConfig,
    ) -> Result<Self, ImportError> {
        let columns = Columns { headers, sample };
        columns.refuse_namesakes()?;
        let number = columns.required("number", config.columns.number.as_deref(), Known::Number)?;
        let name = columns.required("name", config.columns.name.as_deref(), Known::Name)?;
        let code = match &config.columns.code {
            Some(code) => Some(columns.named(code)?),
            None => columns.known(Known::Code),
        };
        let identifiers = config.identifiers.unwrap_or(match code {
            Some(_) => Identifiers::NumberAndCode,
            None => Identifiers::Number,
        });
        if identifiers == Identifiers::NumberAndCode && code.is_none() {
            return Err(
                columns.error("`identifiers` wants a code and no column holds one: set `columns.code`")
            );
        }
        let mut plan = Self {
            schema: Schema {
                title: Label::new(config.title.trim(), config.title_en.trim()),
                identifiers,
                names: config.names,
                words: words(config),
                ..Schema::default()
            },
            number,
            name,
            code,
            fields: Vec::new(),
            marks: Vec::new(),
        };
        if config.fields.is_empty() && config.subjects.is_empty() {
            plan.take_all(&columns, config)?;
        } else {
            for field in &config.fields {
                plan.push_field(columns.named(&field.column)?, field);
            }
            for subject in &config.subjects {
                plan.push_mark(columns.named(&subject.column)?, subject)?;
            }
        }
        plan.schema.check()?;
        Ok(plan)
    }

    /// Every column that is not taken yet: a column of marks if its name or its first rows say so.
    fn take_all(&mut self, columns: &Columns<'_>, config: &DatasetConfig) -> Result<(), ImportError> {
        let mut ignored = Vec::new();
        for name in &config.ignore {
            ignored.push(columns.named(name)?);
        }
        for (i, header) in columns.headers.iter().enumerate() {
            let taken = i == self.number || i == self.name || Some(i) == self.code;
            if taken || ignored.contains(&i) || header.trim().is_empty() {
                continue;
            }
            let known = column_named(header).map(|c| c.known);
            let is_mark = match known {
                Some(Known::Mark(_)) => true,
                Some(_) => false,
                None => columns.holds_marks(i),
            };
            if is_mark {
                self.push_mark(i, &SubjectConfig { column: header.clone(), ..Default::default() })?;
            } else {
                self.push_field(i, &FieldConfig { column: header.clone(), ..Default::default() });
            }
        }
        Ok(())
    }

    fn push_field(&mut self, at: usize, field: &FieldConfig) {
        let known = match column_named(&field.column).map(|c| c.known) {
            Some(Known::Field(role)) => role,
            _ => FieldRole::Other,
        };
        self.fields.push(at);
        let label = label(&field.column, field.ar.as_ref(), field.en.as_ref());
        self.schema.fields.push(Field { label, role: field.role.unwrap_or(known) });
    }

    fn push_mark(&mut self, at: usize, subject: &SubjectConfig) -> Result<(), ImportError> {
        let known = match column_named(&subject.column).map(|c| c.known) {
            Some(Known::Mark(role)) => role,
            _ => MarkRole::Subject,
        };
        self.marks.push(at);
        self.schema.marks.push(MarkColumn {
            label: label(&subject.column, subject.ar.as_ref(), subject.en.as_ref()),
            role: subject.role.unwrap_or(known),
            max: hundredths(&subject.column, "max", subject.max)?,
            pass: hundredths(&subject.column, "pass", subject.pass)?,
        });
        Ok(())
    }

    /// What each column was taken for, for people.
    pub(super) fn describe(&self, headers: &[String]) -> Vec<(String, String)> {
        let what = |i: usize| {
            if i == self.number {
                "exam number".to_owned()
            } else if i == self.name {
                "name".to_owned()
            } else if Some(i) == self.code {
                match self.schema.identifiers {
                    Identifiers::NumberAndCode => "secret code, required".to_owned(),
                    Identifiers::Number => "secret code, not required".to_owned(),
                }
            } else if let Some(at) = self.marks.iter().position(|m| *m == i) {
                format!("marks: {}", self.schema.marks[at].label.ar)
            } else if let Some(at) = self.fields.iter().position(|f| *f == i) {
                format!("text: {}", self.schema.fields[at].label.ar)
            } else {
                "not taken".to_owned()
            }
        };
        headers.iter().enumerate().map(|(i, header)| (header.clone(), what(i))).collect()
    }
}

impl Columns<'_> {
    fn error(&self, what: &str) -> ImportError {
        ImportError::Columns(format!("{what}. The list has the columns: {}", self.headers.join(", ")))
    }

    fn refuse_namesakes(&self) -> Result<(), ImportError> {
        let named = |h: &&String| !h.trim().is_empty();
        for (i, header) in self.headers.iter().enumerate().filter(|(_, h)| named(h)) {
            if self.headers[..i].iter().filter(named).any(|h| fold_word(h) == fold_word(header)) {
                return Err(self.error(&format!("two columns are called `{header}`")));
            }
        }
        Ok(())
    }

    /// The column that the configuration calls so.
    fn named(&self, name: &str) -> Result<usize, ImportError> {
        let same = |h: &String| fold_word(h) == fold_word(name);
        let found = self.headers.iter().position(|h| h.trim() == name.trim());
        found.or_else(|| self.headers.iter().position(same)).ok_or_else(|| {
            self.error(&format!("the configuration names a column `{name}` and there is none"))
        })
    }

    /// The first column that is known to be this.
    fn known(&self, wanted: Known) -> Option<usize> {
        self.headers.iter().position(|h| column_named(h).is_some_and(|c| c.known == wanted))
    }

    fn required(&self, key: &str, configured: Option<&str>, known: Known) -> Result<usize, ImportError> {
        match configured {
            Some(name) => self.named(name),
            None => self.known(known).ok_or_else(|| {
                self.error(&format!(
                    "no column is known to be the {key}: set `columns.{key}` in dataset.toml"
                ))
            }),
        }
    }

    /// More than half of the first values are marks, and there are some.
    fn holds_marks(&self, i: usize) -> bool {
        let values = || {
            self.sample.iter().filter_map(|(_, cells)| cells.get(i)).filter(|cell| !cell.trim().is_empty())
        };
        let marks = values().filter(|cell| looks_like_a_mark(cell)).count();
        2 * marks > values().count()
    }
}

fn label(column: &str, ar: Option<&String>, en: Option<&String>) -> Label {
    let known = column_named(column);
    let default_ar = known.map_or(column.trim(), |c| c.ar);
    let default_en = known.map_or("", |c| c.en);
    Label::new(ar.map_or(default_ar, |s| s.trim()), en.map_or(default_en, |s| s.trim()))
}

fn hundredths(column: &str, key: &str, value: Option<f64>) -> Result<Option<u32>, ImportError> {
    let Some(value) = value else { return Ok(None) };
    let rounded = (value * 100.0).round();
    if !(0.0..=1e8).contains(&rounded) {
        return Err(ImportError::Columns(format!("`{key}` of `{column}` is {value}: use 0 to 1000000")));
    }
    Ok(Some(rounded as u32))
}

/// The operator's words over the built-in ones.
fn words(config: &DatasetConfig) -> Vec<(String, String)> {
    let own = config.words.iter().map(|(ar, en)| (ar.clone(), en.clone()));
    let built_in = WORDS.iter().map(|(ar, en)| ((*ar).to_owned(), (*en).to_owned()));
    own.chain(built_in).collect()
}
