//! Lists of results from CSV, SQLite, PostgreSQL and Supabase into a data set in the data directory.
//!
//! What lives here: [`run`], which `nobat results import` calls: all rows or none, line-numbered errors,
//! the file replaced in one step. What columns mean is decided in [`columns`], what a row may hold in
//! nobat-bots' `Builder`; this room only moves bytes. It must not be called while traffic is served: it
//! takes about 150 bytes a row of memory and one core for some seconds.
//!
//! ```text
//! source -> intake (columns, builder, errors) -> data set's bytes -> loaded once to prove them -> write
//! ```

mod columns;
mod config;
mod delimited;
mod error;
mod intake;
mod known;
pub mod people;
#[cfg(feature = "postgres")]
mod postgres;
mod progress;
mod rest;
mod rows;
mod sqlite;
pub mod supabase;
mod write;

pub use config::{ColumnNames, ConfigError, DatasetConfig, FieldConfig, SubjectConfig};
pub use error::{ERRORS_SHOWN, ImportError, LineError};
pub use progress::{Bar, Progress, Quiet};
pub use rest::{Rest, RestError};
pub use supabase::Supabase;

use intake::Intake;
use nobat_bots::results::dataset::Dataset;
use std::path::{Path, PathBuf};

/// Where the rows come from.
pub enum ImportSource<'a> {
    /// A text file: UTF-8, comma, semicolon or tab between values, names of the columns in the first line.
    Csv(PathBuf),
    /// An SQLite file.
    Sqlite {
        /// The file; it is only read.
        path: PathBuf,
        /// What to read of it.
        select: Select,
    },
    /// A PostgreSQL database.
    #[cfg(feature = "postgres")]
    Postgres {
        /// `postgres://user:password@host/database`; never shown in an error.
        uri: String,
        /// What to read of it.
        select: Select,
    },
    /// A Supabase project, by its REST interface.
    Supabase(Supabase<'a>),
}

/// Which rows of a database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Select {
    /// The only table there is; more than one is an error that names them.
    OnlyTable,
    /// This table or view.
    Table(String),
    /// What this query gives.
    Query(String),
}

/// What an import did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Pupils in the data set.
    pub pupils: usize,
    /// Bytes of the file, and of memory when it is served.
    pub bytes: usize,
    /// Names the contents; the running bot shows the same.
    pub version: u64,
    /// What each column was taken for, in the order of the list.
    pub columns: Vec<(String, String)>,
}

/// Reads all rows, and if every one of them is good, puts a new data set in the place of `out`.
///
/// # Errors
/// [`ImportError`]; `out` is then as it was.
pub fn run(
    source: ImportSource<'_>,
    config: &DatasetConfig,
    out: &Path,
    progress: &mut dyn Progress,
) -> Result<Report, ImportError> {
    let mut intake = Intake::new(config, progress);
    match source {
        ImportSource::Csv(path) => delimited::read(&path, config.delimiter, &mut intake)?,
        ImportSource::Sqlite { path, select } => sqlite::read(&path, &select, &mut intake)?,
        #[cfg(feature = "postgres")]
        ImportSource::Postgres { uri, select } => postgres::read(&uri, &select, &mut intake)?,
        ImportSource::Supabase(mut project) => project.read(config, &mut intake)?,
    }
    let (bytes, columns) = intake.finish()?;
    // What is served later is what was proved to load now.
    let set = Dataset::load(bytes).map_err(ImportError::SelfCheck)?;
    progress.stage("writing");
    write::replace(out, set.file()).map_err(|error| ImportError::Write { path: out.to_path_buf(), error })?;
    Ok(Report { pupils: set.len(), bytes: set.bytes(), version: set.version(), columns })
}
