//! rustls on both sides.
//!
//! What lives here: [`CertificateFiles`], a pair that may be renewed while it is used, and [`server_config`] for one
//! that may not; [`client_config`] from the system's roots, and
//! [`Stream`], a
//! socket that may be encrypted, for sockets that never block. `serve` makes the configurations; `reactor` and
//! `outbound::client` use the stream. It knows nothing of HTTP beyond the protocol name in ALPN.
//!
//! The cryptography is chosen by a cargo feature: `tls-aws-lc` (default) or `tls-ring`.

mod client;
mod error;
mod pem;
mod reload;
mod self_signed;
mod server;
mod stream;
mod validity;

pub use client::client_config;
pub use error::TlsError;
pub use reload::{CertificateFiles, Prepared};
pub use self_signed::OwnPair;
pub use server::server_config;
pub use stream::Stream;

use nobat_core::time::UnixMillis;
use rustls::crypto::CryptoProvider;
use std::path::Path;
use std::sync::Arc;

/// RFC 7301: the only protocol that is spoken.
const ALPN: &[u8] = b"http/1.1";

#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-ring")))]
compile_error!("choose a TLS provider: feature `tls-aws-lc` (the default) or `tls-ring`");

/// The last moment of the first certificate of a file; none if that cannot be read.
#[must_use]
pub fn not_after(cert: &Path) -> Option<UnixMillis> {
    let chain = pem::certificates(cert).ok()?;
    Some(validity::Validity::of(chain.first()?)?.not_after)
}

/// The provider of the build; no process-wide default is touched.
fn provider() -> Arc<CryptoProvider> {
    #[cfg(feature = "tls-aws-lc")]
    return Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    #[cfg(all(feature = "tls-ring", not(feature = "tls-aws-lc")))]
    return Arc::new(rustls::crypto::ring::default_provider());
}

#[cfg(test)]
mod tests;
