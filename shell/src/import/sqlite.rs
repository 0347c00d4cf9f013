//! SQLite files, opened to be read only.

use super::Select;
use super::error::ImportError;
use super::rows::Rows;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

fn failed(error: &rusqlite::Error) -> ImportError {
    ImportError::Source { source_name: "SQLite", what: error.to_string() }
}

pub(super) fn read(path: &Path, select: &Select, into: &mut dyn Rows) -> Result<(), ImportError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(|e| failed(&e))?;
    let query = match select {
        Select::Query(query) => query.clone(),
        Select::Table(table) => select_all(table),
        Select::OnlyTable => select_all(&only_table(&db)?),
    };
    let mut statement = db.prepare(&query).map_err(|e| failed(&e))?;
    if !statement.readonly() {
        return Err(ImportError::Source { source_name: "SQLite", what: "the query is not a SELECT".into() });
    }
    let headers: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let width = headers.len();
    into.headers(headers);
    let mut rows = statement.query([]).map_err(|e| failed(&e))?;
    let mut line = 0;
    while let Some(row) = rows.next().map_err(|e| failed(&e))? {
        line += 1;
        let cells: Result<Vec<String>, String> = (0..width)
            .map(|i| match row.get_ref(i).map_err(|e| e.to_string())? {
                ValueRef::Null => Ok(String::new()),
                ValueRef::Integer(v) => Ok(v.to_string()),
                ValueRef::Real(v) => Ok(v.to_string()),
                ValueRef::Text(v) => std::str::from_utf8(v)
                    .map(|s| s.trim().to_owned())
                    .map_err(|_| format!("column {} is not UTF-8", i + 1)),
                ValueRef::Blob(_) => Err(format!("column {} holds bytes, not text or a number", i + 1)),
            })
            .collect();
        match cells {
            Ok(cells) => into.row(line, cells, None)?,
            Err(what) => into.bad_row(line, what),
        }
    }
    Ok(())
}

fn select_all(table: &str) -> String {
    format!("SELECT * FROM \"{}\"", table.replace('"', "\"\""))
}

fn only_table(db: &Connection) -> Result<String, ImportError> {
    let query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut statement = db.prepare(query).map_err(|e| failed(&e))?;
    let names = statement.query_map([], |row| row.get::<_, String>(0)).map_err(|e| failed(&e))?;
    let mut names: Vec<String> = names.collect::<Result<_, _>>().map_err(|e| failed(&e))?;
    match names.len() {
        1 => Ok(names.remove(0)),
        0 => Err(ImportError::Source { source_name: "SQLite", what: "the file has no tables".into() }),
        _ => Err(ImportError::Source {
            source_name: "SQLite",
            what: format!("the file has several tables, say which with --table: {}", names.join(", ")),
        }),
    }
}
