//! PostgreSQL, on a thread of its own: the client brings a runtime that nothing else may see.
//!
//! TLS is required and the server's name is checked (`verify-full`) unless the address says
//! `sslmode=disable`, which is taken for this machine only.

use super::Select;
use super::error::ImportError;
use super::intake::Intake;
use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls, SimpleQueryMessage};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Rows of one fetch from the server's cursor.
const FETCH_ROWS: usize = 5_000;

fn failed(what: impl ToString) -> ImportError {
    ImportError::Source { source_name: "PostgreSQL", what: what.to_string() }
}

/// The database's words on an error: never the address, which may hold a password.
fn database(error: &postgres::Error) -> ImportError {
    match error.as_db_error() {
        Some(db) => failed(format!("{}: {}", db.severity(), db.message())),
        None => failed(error),
    }
}

enum Item {
    Headers(Vec<String>),
    Row(Vec<String>),
}

pub(super) fn read(uri: &str, select: &Select, into: &mut Intake<'_>) -> Result<(), ImportError> {
    let config: Config =
        uri.parse().map_err(|_| failed("the address is not `postgres://user:password@host/database`"))?;
    let (send, receive) = sync_channel(FETCH_ROWS);
    let select = select.clone();
    let reader = std::thread::Builder::new()
        .name("import".into())
        .spawn(move || fetch(&config, &select, &send))
        .map_err(failed)?;
    let taken = take(&receive, into);
    // A reader whose rows nobody takes ends by itself.
    drop(receive);
    let read = reader.join().map_err(|_| failed("the reading thread ended early"))?;
    taken.and(read)
}

fn take(from: &Receiver<Item>, into: &mut Intake<'_>) -> Result<(), ImportError> {
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

fn connect(config: &Config) -> Result<Client, ImportError> {
    let local = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        Host::Unix(_) => true,
    });
    if config.get_ssl_mode() == SslMode::Disable {
        if !local {
            return Err(failed(
                "`sslmode=disable` is taken for this machine only: marks would cross the network in the clear",
            ));
        }
        return config.connect(NoTls).map_err(|e| database(&e));
    }
    if local && config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) {
        return config.connect(NoTls).map_err(|e| database(&e));
    }
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(failed("no root certificates on this machine: install ca-certificates"));
    }
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let mut config = config.clone();
    config.ssl_mode(SslMode::Require);
    config.connect(MakeRustlsConnect::new(tls)).map_err(|e| database(&e))
}

/// Reads through a cursor in one read-only transaction: the list is of one moment, and memory is bounded.
fn fetch(config: &Config, select: &Select, to: &SyncSender<Item>) -> Result<(), ImportError> {
    let mut client = connect(config)?;
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
