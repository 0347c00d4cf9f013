//! `nobat export`: a table of the records as CSV or JSON lines, also while the bot runs.

use super::args::{Export, ExportFormat};
use super::remedy::with_remedy;
use super::{Done, Failed, Status, World, stored};
use crate::clock::Clock;
use crate::config::{Config, Inputs};
use crate::observe::rfc3339;
use crate::records::export::{Format, write};
use crate::records::{self, RecordsError, Store, StoreError};
use nobat_core::bot::records::{TABLES, Table};
use nobat_core::time::UnixMillis;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, args: &Export) -> Done {
    let table = Table::named(&args.table).ok_or_else(|| {
        let known: Vec<_> = TABLES.iter().map(|table| table.name).collect();
        Failed::With(
            Status::Usage,
            format!("there is no table `{}`: one of {}", args.table, known.join(", ")),
        )
    })?;
    let since = args.since.as_deref().map(instant).transpose()?;
    let config = stored(world, inputs)?;
    let mut store = source(&config, args.from_journal)?;
    let format = match args.format {
        ExportFormat::Csv => Format::Csv,
        ExportFormat::Jsonl => Format::JsonLines,
    };
    match &args.to {
        None => {
            let mut out = BufWriter::new(&mut world.out);
            write(&mut *store, table, since, format, &mut out).map_err(|e| of_the_store(&e))??;
        }
        Some(path) => {
            let rows = into_file(path, |file| write(&mut *store, table, since, format, file))?;
            writeln!(world.err, "{}: {rows} rows", path.display())?;
        }
    }
    Ok(Status::Ok)
}

/// An instant, or a day's beginning in UTC.
fn instant(text: &str) -> Result<UnixMillis, Failed> {
    let day = format!("{text}T00:00:00Z");
    rfc3339::parse(text).or_else(|| rfc3339::parse(&day)).ok_or_else(|| {
        let what =
            format!("--since: `{text}` is not an instant: write 2026-11-01 or 2026-11-01T09:00:00+03:00");
        Failed::With(Status::Usage, what)
    })
}

/// The database, or what the journal says.
fn source(config: &Config, from_journal: bool) -> Result<Box<dyn Store>, Failed> {
    let database = if from_journal { None } else { records::reader(config).map_err(|e| of_the_store(&e))? };
    if let Some(database) = database {
        return Ok(database);
    }
    let dir = &config.data_dir;
    let none = || {
        let what = format!("a `{}` bot has no records in this version", config.kind.name());
        Failed::With(Status::NotAsWanted, what)
    };
    let recorder = records::recorder(config).ok_or_else(none)?;
    let read = records::from_journal(dir, recorder, Clock::start().now().wall);
    let read = read.map_err(|error| match &error {
        RecordsError::Disk(e) => Failed::With(Status::Io, format!("{}: {}", dir.display(), with_remedy(e))),
        error => Failed::With(Status::Io, format!("{}: {error}", dir.display())),
    })?;
    read.ok_or_else(none)
}

fn of_the_store(error: &StoreError) -> Failed {
    let remedy = match error {
        StoreError::Newer { .. } => "",
        StoreError::Database(_) => {
            "; is it there, and has `nobat serve` run once? `--from-journal` reads the journal instead"
        }
    };
    Failed::With(Status::NotAsWanted, format!("the database of records cannot be read: {error}{remedy}"))
}

/// Writes a file of personal data: readable by its owner alone, and under its name only once it is whole.
fn into_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<io::Result<u64>, StoreError>,
) -> Result<u64, Failed> {
    let named =
        |error: io::Error| Failed::Io(io::Error::new(error.kind(), format!("{}: {error}", path.display())));
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".tmp");
    let mut options = OpenOptions::new();
    let file =
        options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished).map_err(named)?;
    let mut file = BufWriter::new(file);
    let written = write(&mut file).map_err(|e| of_the_store(&e)).and_then(|rows| rows.map_err(named));
    let synced = written.and_then(|rows| file.get_ref().sync_all().map(|()| rows).map_err(named));
    match synced {
        Ok(rows) => {
            fs::rename(&unfinished, path).map_err(named)?;
            Ok(rows)
        }
        Err(failed) => {
            let _ = fs::remove_file(&unfinished);
            Err(failed)
        }
    }
}
