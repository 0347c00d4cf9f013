//! `nobat chat import`: users of another bot.

use super::args::{Chat, PeopleImport};
use super::{Done, Failed, Status, World, configured};
use crate::clock::Clock;
use crate::config::{Config, Inputs, Kind};
use crate::import::people::{People, read};
use crate::import::{ImportError, ImportSource, Select};
use crate::serve::people::take_over;

pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, chat: &Chat) -> Done {
    let Chat::Import(asked) = chat;
    let config = configured(world, inputs)?;
    if config.kind != Kind::Chat {
        return Err(Failed::With(Status::Usage, "people are imported for a bot of kind `chat`".to_owned()));
    }
    let list = read(source(asked, &config)?, asked.skip_bad).map_err(refused)?;
    for (column, taken_for) in &list.columns {
        writeln!(world.out, "  {column:<30} {taken_for}")?;
    }
    for row in &list.skipped {
        writeln!(world.out, "left out: {row}")?;
    }
    writeln!(world.out, "{}", list.summary(Clock::start().now().wall))?;
    let People { people, .. } = list;
    let all = people.len();
    if asked.dry_run {
        writeln!(world.out, "nothing was imported: --dry-run")?;
        return Ok(Status::Ok);
    }
    let taken = take_over(&config, &people).map_err(|e| Failed::With(Status::Io, e.to_string()))?;
    writeln!(world.out, "{} taken over, {} known already", taken.changed, taken.known)?;
    let whole = taken.changed + taken.known == all as u64;
    Ok(if whole { Status::Ok } else { Status::Io })
}

/// What was asked for, else the one source that is configured.
fn source<'a>(asked: &PeopleImport, config: &Config) -> Result<ImportSource<'a>, Failed> {
    let usage = |why: &str| Failed::With(Status::Usage, why.to_owned());
    let select = match (&asked.table, &asked.query) {
        (_, Some(query)) => Select::Query(query.clone()),
        (Some(table), None) => Select::Table(table.clone()),
        (None, None) => Select::OnlyTable,
    };
    if let Some(path) = &asked.file {
        let path = path.clone();
        let sqlite = path.extension().is_some_and(|e| ["db", "sqlite", "sqlite3"].iter().any(|s| e == *s));
        return match sqlite {
            true => Ok(ImportSource::Sqlite { path, select }),
            false if select == Select::OnlyTable => Ok(ImportSource::Csv(path)),
            false => {
                Err(usage("--table and --query are for databases: name a .db, .sqlite or .sqlite3 file"))
            }
        };
    }
    match (&config.external.postgres_uri, &config.external.sqlite_path) {
        #[cfg(feature = "postgres")]
        (Some(uri), None) => Ok(ImportSource::Postgres { uri: uri.expose().to_owned(), select }),
        #[cfg(not(feature = "postgres"))]
        (Some(_), None) => {
            Err(usage("this nobat is built without PostgreSQL: build it with --features postgres"))
        }
        (None, Some(path)) => Ok(ImportSource::Sqlite { path: path.clone(), select }),
        (Some(_), Some(_)) => {
            Err(usage("POSTGRES_URI and SQLITE_DB_PATH are both set: keep one, or name a FILE"))
        }
        (None, None) => {
            Err(usage("no list: name a FILE (.csv, .db, .sqlite), or set POSTGRES_URI or SQLITE_DB_PATH"))
        }
    }
}

/// All rows or none.
fn refused(error: ImportError) -> Failed {
    let status = match error {
        ImportError::Read { .. } => Status::Io,
        ImportError::Source { .. } => Status::Unavailable,
        _ => Status::NotAsWanted,
    };
    let more = match error {
        ImportError::Rows { .. } => "\nor leave them out, and read which they are: --skip-bad",
        _ => "",
    };
    Failed::With(status, format!("{error}{more}"))
}
