//! What the operator says about a list: a TOML file, every key optional.

use nobat_bots::results::dataset::{FieldRole, Identifiers, MarkRole, NameSearch};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A data set's configuration. Empty, everything is told from the names of the columns.
#[derive(Clone, PartialEq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatasetConfig {
    /// Stands on top of every card, in Arabic.
    pub title: String,
    /// The same in English.
    pub title_en: String,
    /// `number` or `number+code`; without it a list with a code column requires the code.
    #[serde(deserialize_with = "choice::identifiers")]
    pub identifiers: Option<Identifiers>,
    /// `off`, `candidates` or `full`.
    #[serde(deserialize_with = "choice::names")]
    pub names: NameSearch,
    /// Between values of a text file; without it told from the first line.
    pub delimiter: Option<char>,
    /// Names of the columns that every list has.
    pub columns: ColumnNames,
    /// Text columns in the order of the card. If neither these nor `subjects` are given, all are taken.
    pub fields: Vec<FieldConfig>,
    /// Columns of marks in the order of the card.
    pub subjects: Vec<SubjectConfig>,
    /// Columns that are not taken.
    pub ignore: Vec<String>,
    /// English for values of text columns, over the built-in ones.
    pub words: BTreeMap<String, String>,
}

/// Names of the columns that every list has.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnNames {
    /// The exam number.
    pub number: Option<String>,
    /// The full name.
    pub name: Option<String>,
    /// The secret code.
    pub code: Option<String>,
}

/// A text column.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldConfig {
    /// Its name in the list.
    pub column: String,
    /// Its label in Arabic; without it that of the known column, else its name.
    pub ar: Option<String>,
    /// Its label in English.
    pub en: Option<String>,
    /// `school`, `governorate`, `status` or `other`; without it that of the known column.
    #[serde(deserialize_with = "choice::field_role")]
    pub role: Option<FieldRole>,
}

/// A column of marks.
#[derive(Clone, PartialEq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubjectConfig {
    /// Its name in the list.
    pub column: String,
    /// Its label in Arabic; without it that of the known column, else its name.
    pub ar: Option<String>,
    /// Its label in English.
    pub en: Option<String>,
    /// `subject`, `total` or `average`; without it that of the known column.
    #[serde(deserialize_with = "choice::mark_role")]
    pub role: Option<MarkRole>,
    /// The greatest possible mark; a greater one is an error.
    pub max: Option<f64>,
    /// From here on it is passed; a lower one is marked on the card.
    pub pass: Option<f64>,
}

/// A configuration that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the data set's configuration cannot be read: {0}")]
pub struct ConfigError(String);

impl DatasetConfig {
    /// Reads a TOML file's text.
    ///
    /// # Errors
    /// [`ConfigError`] with line, column and key.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError(error.to_string()))
    }
}

/// Words of the configuration for what a data set knows.
mod choice {
    use super::*;
    use serde::Deserializer;
    use serde::de::Error;

    fn pick<'de, D: Deserializer<'de>, T: Copy>(from: D, all: &[(&str, T)]) -> Result<T, D::Error> {
        let word = String::deserialize(from)?;
        all.iter().find(|(name, _)| *name == word).map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
            D::Error::custom(format!("`{word}` is none of {}", names.join(", ")))
        })
    }

    pub(super) fn identifiers<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Identifiers>, D::Error> {
        pick(from, &[("number", Identifiers::Number), ("number+code", Identifiers::NumberAndCode)]).map(Some)
    }

    pub(super) fn names<'de, D: Deserializer<'de>>(from: D) -> Result<NameSearch, D::Error> {
        let all =
            [("off", NameSearch::Off), ("candidates", NameSearch::Candidates), ("full", NameSearch::Full)];
        pick(from, &all)
    }

    pub(super) fn field_role<'de, D: Deserializer<'de>>(from: D) -> Result<Option<FieldRole>, D::Error> {
        let all = [
            ("school", FieldRole::School),
            ("governorate", FieldRole::Governorate),
            ("status", FieldRole::Status),
            ("other", FieldRole::Other),
        ];
        pick(from, &all).map(Some)
    }

    pub(super) fn mark_role<'de, D: Deserializer<'de>>(from: D) -> Result<Option<MarkRole>, D::Error> {
        let all =
            [("subject", MarkRole::Subject), ("total", MarkRole::Total), ("average", MarkRole::Average)];
        pick(from, &all).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_configuration_is_read() {
        let text = "title = \"نتائج\"\nidentifiers = \"number+code\"\nnames = \"candidates\"\ndelimiter = \";\"\n\
                    [columns]\nnumber = \"no\"\n[[fields]]\ncolumn = \"s\"\nrole = \"school\"\n\
                    [[subjects]]\ncolumn = \"m\"\nmax = 100\npass = 50.5\nrole = \"total\"\n[words]\n\"ناجح\" = \"Passed\"\n";
        let config = DatasetConfig::from_toml(text).unwrap();
        assert_eq!(config.identifiers, Some(Identifiers::NumberAndCode));
        assert_eq!((config.names, config.delimiter), (NameSearch::Candidates, Some(';')));
        assert_eq!(config.fields[0].role, Some(FieldRole::School));
        assert_eq!((config.subjects[0].max, config.subjects[0].pass), (Some(100.0), Some(50.5)));
        assert_eq!(DatasetConfig::from_toml("").unwrap(), DatasetConfig::default());
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_what_is_possible() {
        let error = DatasetConfig::from_toml("title = \"a\"\nnames = \"all\"\n").unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("`all` is none of off, candidates, full"),
            "{error}"
        );
        let error = DatasetConfig::from_toml("titel = \"a\"\n").unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("titel") && error.contains("title"), "{error}");
    }
}
