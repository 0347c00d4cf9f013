//! PostgreSQL, on a thread of its own: the client brings a runtime that nothing else may see.

use super::Select;
use super::error::ImportError;
use super::rows::Rows;
use crate::postgres::{connect, told};
use postgres::SimpleQueryMessage;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Rows of one fetch from the server's cursor.
const FETCH_ROWS: usize = 5_000;

fn failed(what: impl ToString) -> ImportError {
    ImportError::Source { source_name: "PostgreSQL", what: what.to_string() }
}

/// The database's words on an error: never the address, which may hold a password.
fn database(error: &postgres::Error) -> ImportError {
    failed(told(error))
}

enum Item {
    Headers(Vec<String>),
    Row(Vec<String>),
}

pub(super) fn read(uri: &str, select: &Select, into: &mut dyn Rows) -> Result<(), ImportError> {
    let (send, receive) = sync_channel(FETCH_ROWS);
    let (uri, select) = (uri.to_owned(), select.clone());
    let reader = std::thread::Builder::new()
        .name("import".into())
        .spawn(move || fetch(&uri, &select, &send))
        .map_err(failed)?;
    let taken = take(&receive, into);
    // A reader whose rows nobody takes ends by itself.
    drop(receive);
    let read = reader.join().map_err(|_| failed("the reading thread ended early"))?;
    taken.and(read)
}

fn take(from: &Receiver<Item>, into: &mut dyn Rows) -> Result<(), ImportError> {
    let mut line = 0;
    for item in from {
        match item {
            Item::Headers(headers) => into.headers(headers),
            Item::Row(cells) => {
                line += 1;
                into.row(line, cells, None)?;
            }
        }
    }
    Ok(())
}

/// Reads through a cursor in one read-only transaction: the list is of one moment, and memory is bounded.
fn fetch(uri: &str, select: &Select, to: &SyncSender<Item>) -> Result<(), ImportError> {
    let mut client = connect(uri).map_err(failed)?;
    let query = match select {
        Select::Query(query) => query.trim_end().trim_end_matches(';').to_owned(),
        // A table may be named with its schema.
        Select::Table(table) => {
            format!("SELECT * FROM {}", table.split('.').map(quoted).collect::<Vec<_>>().join("."))
        }
        Select::OnlyTable => return Err(failed("say which table with --table")),
    };
    let open = format!("BEGIN READ ONLY; DECLARE list NO SCROLL CURSOR FOR {query}");
    client.batch_execute(&open).map_err(|e| database(&e))?;
    let mut headed = false;
    loop {
        // The simple protocol gives every value as text, as the other sources do.
        let messages =
            client.simple_query(&format!("FETCH {FETCH_ROWS} FROM list")).map_err(|e| database(&e))?;
        let mut rows = 0;
        for message in messages {
            let SimpleQueryMessage::Row(row) = message else { continue };
            rows += 1;
            if !headed {
                headed = true;
                let names = row.columns().iter().map(|c| c.name().to_owned()).collect();
                if to.send(Item::Headers(names)).is_err() {
                    return Ok(());
                }
            }
            let cells = (0..row.len()).map(|i| row.get(i).unwrap_or("").trim().to_owned()).collect();
            if to.send(Item::Row(cells)).is_err() {
                return Ok(());
            }
        }
        if rows == 0 {
            return Ok(());
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
