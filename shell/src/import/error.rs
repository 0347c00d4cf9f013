//! What can go wrong with an import: each error says where and what to do.

use nobat_bots::results::dataset::{Duplicate, LoadError, SchemaError};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Errors of rows that are shown; the rest is counted.
pub const ERRORS_SHOWN: usize = 20;

/// A row that cannot be taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineError {
    /// The line of a text file, counted from 1, or the row of a table.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is in a form that is not understood.
    #[error("{}: {what}", path.display())]
    Form {
        /// Which.
        path: PathBuf,
        /// What, and what to do.
        what: String,
    },
    /// The columns are not those of a list of results.
    #[error("{0}")]
    Columns(String),
    /// The configuration cannot be served.
    #[error("the data set's configuration cannot be served: {0}")]
    Schema(#[from] SchemaError),
    /// Rows are wrong.
    #[error("{}", show_rows(.shown, *.total))]
    Rows {
        /// The first [`ERRORS_SHOWN`].
        shown: Vec<LineError>,
        /// All of them.
        total: u64,
    },
    /// Pupils stand in the list twice.
    #[error("{}", show_duplicates(.0))]
    Duplicates(Vec<Duplicate>),
    /// There is a heading and nothing below it.
    #[error("the list has no rows: nothing was imported")]
    Empty,
    /// A database or a service did not give its rows.
    #[error("{source_name}: {what}")]
    Source {
        /// Which kind of source; never an address with a password.
        source_name: &'static str,
        /// What, and what to do.
        what: String,
    },
    /// The new data set cannot be put in place.
    #[error("cannot write {}: {error}; what was there before is untouched", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The bytes that were made are no data set.
    #[error("the new data set does not load ({0}); please report this, nothing was written")]
    SelfCheck(LoadError),
}

fn show_rows(shown: &[LineError], total: u64) -> String {
    let mut lines: Vec<String> = shown.iter().map(ToString::to_string).collect();
    push_rest(&mut lines, total);
    lines.push("nothing was imported: correct these lines and run the import again".into());
    lines.join("\n")
}

fn show_duplicates(duplicates: &[Duplicate]) -> String {
    let mut lines: Vec<String> = duplicates.iter().take(ERRORS_SHOWN).map(ToString::to_string).collect();
    push_rest(&mut lines, duplicates.len() as u64);
    lines.push("nothing was imported: a number belongs to one pupil; remove the wrong rows".into());
    lines.join("\n")
}

fn push_rest(lines: &mut Vec<String>, total: u64) {
    let rest = total - lines.len() as u64;
    if rest > 0 {
        lines.push(format!("... and {rest} more"));
    }
}
