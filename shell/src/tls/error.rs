//! What may be wrong with certificates and keys, in words an operator can act upon.

use nobat_core::time::UnixMillis;
use std::io;
use std::path::PathBuf;

/// Why there is no TLS configuration. Never holds a byte of a key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {path}: {error}; check the path and that this user may read it")]
    Read { path: PathBuf, error: io::Error },
    #[error("{path} is damaged: a PEM block does not end, or is not Base64; export the file again")]
    Damaged { path: PathBuf },
    #[error("{path} holds no certificate (no `-----BEGIN CERTIFICATE-----`){hint}")]
    NoCertificate { path: PathBuf, hint: &'static str },
    #[error("{path} holds no private key (no `-----BEGIN PRIVATE KEY-----`){hint}")]
    NoKey { path: PathBuf, hint: &'static str },
    #[error(
        "the key {key} does not belong to the first certificate of {cert}: the server's own certificate must stand \
         first, its issuers after it; or one of the files is of an older renewal"
    )]
    Mismatch { cert: PathBuf, key: PathBuf },
    #[error("the certificate {path} expired on {} (UTC); renew it, or check this machine's clock", day(*.not_after))]
    Expired { path: PathBuf, not_after: UnixMillis },
    #[error("the certificate {path} is valid only from {} (UTC); check this machine's clock", day(*.not_before))]
    NotYetValid { path: PathBuf, not_before: UnixMillis },
    #[error("no certificate can be made for `{host}`: {error}; use a name or an IP address")]
    NotMade { host: String, error: String },
    #[error("cannot write {path}: {error}")]
    Write { path: PathBuf, error: io::Error },
    #[error("{path} is not usable: {error}")]
    Unusable { path: PathBuf, error: rustls::Error },
    #[error(
        "this system has no certificate authorities to trust; install the package `ca-certificates`, set \
         SSL_CERT_FILE, or name a file of your own"
    )]
    NoRoots,
    #[error("the TLS provider of this build is not usable: {0}")]
    Provider(rustls::Error),
}

/// The date part of the HTTP form, as in `06 Nov 1994`.
fn day(instant: UnixMillis) -> String {
    let date = crate::http::HttpDate::new(instant);
    String::from_utf8_lossy(&date.as_bytes()[5..16]).into_owned()
}
