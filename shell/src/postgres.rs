//! Connections to PostgreSQL: by TLS with the server's name checked, or on this machine.
//!
//! What lives here: [`connect`], for imports and records. The client brings a runtime of its own, so whoever calls
//! this does so on a thread that answers nobody. TLS is required and the server's name is checked (`verify-full`),
//! whatever `sslmode` says but `disable`, which is taken for this machine only. A Unix socket needs none. No error
//! holds the address: it may have a password in it.

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};
use std::net::IpAddr;
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

/// For the connection, unless the address says `connect_timeout`.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Connects to what `uri` names.
///
/// # Errors
/// What is wrong with the address, or what the server or the network said, in a sentence.
pub fn connect(uri: &str) -> Result<Client, String> {
    open(&address(uri)?)
}

/// The database's words on an error: never the address.
pub(crate) fn told(error: &postgres::Error) -> String {
    use std::error::Error;
    match (error.as_db_error(), error.source()) {
        (Some(db), _) => format!("{}: {}", db.severity(), db.message()),
        (None, Some(cause)) if !error.to_string().contains(&cause.to_string()) => format!("{error}: {cause}"),
        (None, _) => error.to_string(),
    }
}

/// What the address says. `verify-full` and `verify-ca` are what is done anyway, under a name that the client
/// does not know.
fn address(uri: &str) -> Result<Config, String> {
    let (head, tail) = uri.split_at(uri.find('?').unwrap_or(0));
    let tail = tail
        .replace("sslmode=verify-full", "sslmode=require")
        .replace("sslmode=verify-ca", "sslmode=require");
    let mut config: Config = format!("{head}{tail}").parse().map_err(|_| {
        "POSTGRES_URI is not `postgres://user:password@host/database`, or has a parameter that is not taken (for an \
         authority of your own set SSL_CERT_FILE instead of sslrootcert)"
            .to_owned()
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

fn open(config: &Config) -> Result<Client, String> {
    let here = is_here(config);
    if config.get_ssl_mode() == SslMode::Disable && !here {
        return Err(
            "`sslmode=disable` is taken for this machine only: what is read or written would cross the \
                    network in the clear"
                .to_owned(),
        );
    }
    let sockets = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
    if config.get_ssl_mode() == SslMode::Disable || (sockets && config.get_hostaddrs().is_empty()) {
        return config.connect(NoTls).map_err(|e| told(&e));
    }
    let mut config = config.clone();
    config.ssl_mode(SslMode::Require);
    config.connect(MakeRustlsConnect::new(trust()?)).map_err(|error| {
        let hint = match here {
            true => "; on this machine `?sslmode=disable` at the address's end does without TLS",
            false => "",
        };
        format!("{}{hint}", told(&error))
    })
}

/// The system's certificates, or those of `SSL_CERT_FILE`.
fn trust() -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("no root certificates on this machine: install ca-certificates".to_owned());
    }
    Ok(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
