//! `nobat results import`: a list into the data set that the bot serves.

use super::args::{Import, Results};
use super::{Done, Failed, Status, World};
use crate::config::{External, Inputs, sources_of_imports};
use crate::import::{self, Bar, DatasetConfig, ImportError, ImportSource, Rest, Select, Supabase};
use std::fs;
use std::path::Path;

/// Needs no token: the list may be imported before the bots exist.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, results: &Results) -> Done {
    let Results::Import(asked) = results;
    let store = sources_of_imports(inputs)?;
    let config = match &asked.dataset_config {
        Some(path) => dataset_config(path)?,
        None => DatasetConfig::default(),
    };
    let out = asked.out.clone().unwrap_or(store.dataset);
    let mut rest = None;
    let source = source(asked, &store.external, &mut rest)?;
    let report = import::run(source, &config, &out, &mut Bar::new()).map_err(refused)?;
    for (column, taken_for) in &report.columns {
        writeln!(world.out, "  {column:<30} {taken_for}")?;
    }
    let (pupils, bytes) = (report.pupils, report.bytes);
    writeln!(
        world.out,
        "{pupils} pupils imported into {} ({bytes} bytes, version {:016x})",
        out.display(),
        report.version
    )?;
    Ok(Status::Ok)
}

fn dataset_config(path: &Path) -> Result<DatasetConfig, Failed> {
    let usage = |why: String| Failed::With(Status::Usage, format!("{}: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| usage(format!("cannot be read: {error}")))?;
    DatasetConfig::from_toml(&text).map_err(|error| usage(error.to_string()))
}

/// Where the rows come from: what was asked for, else the one source that is configured.
fn source<'r>(
    asked: &Import,
    external: &External,
    rest: &'r mut Option<Rest>,
) -> Result<ImportSource<'r>, Failed> {
    let usage = |why: &str| Failed::With(Status::Usage, why.to_owned());
    if let Some(table) = &asked.supabase {
        let (Some(url), Some(key)) = (&external.supabase_url, &external.supabase_key) else {
            return Err(usage("--supabase needs SUPABASE_URL and SUPABASE_KEY"));
        };
        let url = url.to_string();
        let fetch = Rest::new(&url).map_err(|error| usage(&format!("SUPABASE_URL: {error}")))?;
        let (key, table) = (key.expose().to_owned(), table.clone());
        return Ok(ImportSource::Supabase(Supabase { key, table, fetch: rest.insert(fetch) }));
    }
    if let Some(path) = &asked.file {
        let sqlite = path.extension().is_some_and(|e| ["db", "sqlite", "sqlite3"].iter().any(|s| e == *s));
        return Ok(match sqlite {
            true => ImportSource::Sqlite { path: path.clone(), select: select(asked) },
            false if asked.table.is_some() || asked.query.is_some() => {
                return Err(usage(
                    "--table and --query are for databases: name a .db, .sqlite or .sqlite3 file",
                ));
            }
            false => ImportSource::Csv(path.clone()),
        });
    }
    match (&external.postgres_uri, &external.sqlite_path) {
        (Some(_), Some(_)) => {
            Err(usage("POSTGRES_URI and SQLITE_DB_PATH are both set: keep one, or name a FILE"))
        }
        #[cfg(feature = "postgres")]
        (Some(uri), None) => {
            Ok(ImportSource::Postgres { uri: uri.expose().to_owned(), select: select(asked) })
        }
        #[cfg(not(feature = "postgres"))]
        (Some(_), None) => Err(usage(
            "POSTGRES_URI is set, and this nobat is built without PostgreSQL: build it with --features postgres",
        )),
        (None, Some(path)) => Ok(ImportSource::Sqlite { path: path.clone(), select: select(asked) }),
        (None, None) => Err(usage(
            "no list: name a FILE (.csv, .db, .sqlite), or --supabase TABLE, or set POSTGRES_URI or SQLITE_DB_PATH",
        )),
    }
}

fn select(asked: &Import) -> Select {
    match (&asked.table, &asked.query) {
        (_, Some(query)) => Select::Query(query.clone()),
        (Some(table), None) => Select::Table(table.clone()),
        (None, None) => Select::OnlyTable,
    }
}

/// All rows or none: whatever was wrong, the data set that was there is untouched.
fn refused(error: ImportError) -> Failed {
    let status = match error {
        ImportError::Write { .. } | ImportError::Read { .. } => Status::Io,
        ImportError::Source { .. } => Status::Unavailable,
        _ => Status::NotAsWanted,
    };
    Failed::With(status, error.to_string())
}
