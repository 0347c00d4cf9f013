//! PostgreSQL, on a thread of its own: the client brings a runtime that nothing else may see.
//!
//! TLS is required and the server's name is checked, whatever `sslmode` says but `disable`, which is taken for
//! this machine only. A Unix socket needs none.

use super::Select;
use super::error::ImportError;
use super::intake::Intake;
use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls, SimpleQueryMessage};
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Rows of one fetch from the server's cursor.
const FETCH_ROWS: usize = 5_000;
/// For the connection, unless the address says `connect_timeout`.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

fn failed(what: impl ToString) -> ImportError {
    ImportError::Source { source_name: "PostgreSQL", what: what.to_string() }
}

/// The database's words on an error: never the address, which may hold a password.
fn database(error: &postgres::Error) -> ImportError {
    failed(told(error))
}

fn told(error: &postgres::Error) -> String {
    use std::error::Error;
    match (error.as_db_error(), error.source()) {
        (Some(db), _) => format!("{}: {}", db.severity(), db.message()),
        (None, Some(cause)) if !error.to_string().contains(&cause.to_string()) => format!("{error}: {cause}"),
        (None, _) => error.to_string(),
    }
}

enum Item {
    Headers(Vec<String>),
    Row(Vec<String>),
}

pub(super) fn read(uri: &str, select: &Select, into: &mut Intake<'_>) -> Result<(), ImportError> {
    let config = address(uri)?;
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

/// What the address says. `verify-full` and `verify-ca` are what is done anyway, under a name that the client
/// does not know.
fn address(uri: &str) -> Result<Config, ImportError> {
    let (head, tail) = uri.split_at(uri.find('?').unwrap_or(0));
    let tail = tail
        .replace("sslmode=verify-full", "sslmode=require")
        .replace("sslmode=verify-ca", "sslmode=require");
    let mut config: Config = format!("{head}{tail}").parse().map_err(|_| {
        failed(
            "POSTGRES_URI is not `postgres://user:password@host/database`, or has a parameter that is not taken \
             (for an authority of your own set SSL_CERT_FILE instead of sslrootcert)",
        )
    })?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_WITHIN);
    }
    Ok(config)
}

/// Every address leads to this machine. `hostaddr` goes before the name.
fn is_here(config: &Config) -> bool {
    let named = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    });
    named && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

fn connect(config: &Config) -> Result<Client, ImportError> {
    let here = is_here(config);
    if config.get_ssl_mode() == SslMode::Disable && !here {
        return Err(failed(
            "`sslmode=disable` is taken for this machine only: marks would cross the network in the clear",
        ));
    }
    let sockets = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
    if config.get_ssl_mode() == SslMode::Disable || (sockets && config.get_hostaddrs().is_empty()) {
        return config.connect(NoTls).map_err(|e| database(&e));
    }
    let mut config = config.clone();
    config.ssl_mode(SslMode::Require);
    config.connect(MakeRustlsConnect::new(trust()?)).map_err(|error| {
        let hint = match here {
            true => "; on this machine `?sslmode=disable` at the address's end does without TLS",
            false => "",
        };
        failed(format!("{}{hint}", told(&error)))
    })
}

/// The system's certificates, or those of `SSL_CERT_FILE`.
fn trust() -> Result<rustls::ClientConfig, ImportError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(failed("no root certificates on this machine: install ca-certificates"));
    }
    Ok(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
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
