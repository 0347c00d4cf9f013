//! The server's side: one certificate chain and its key.

use super::reload::{CertificateFiles, Current};
use super::validity::Validity;
use super::{ALPN, TlsError, pem, provider};
use nobat_core::time::UnixMillis;
use rustls::crypto::CryptoProvider;
use rustls::server::ServerSessionMemoryCache;
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, Error, InconsistentKeys, ServerConfig};
use std::path::Path;
use std::sync::Arc;

/// Sessions that may be resumed: a few for each connection that the platform holds to each bot. A TLS 1.3
/// session takes about a kilobyte.
const SESSIONS_KEPT: usize = 2_048;
/// Tickets a handshake. Each is used once, and a resumed handshake gives the next: one keeps a connection going.
const TICKETS: usize = 1;

/// Reads a chain and its key and checks them against each other and against `now`. For a pair that may be
/// renewed while it is used: [`CertificateFiles`].
///
/// # Errors
/// In plain words, naming the file.
pub fn server_config(cert: &Path, key: &Path, now: UnixMillis) -> Result<Arc<ServerConfig>, TlsError> {
    Ok(CertificateFiles::open(cert, key, now)?.config())
}

/// The listeners' configuration over the pair that is in use.
pub(super) fn config(current: Arc<Current>) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(preferring_aes_128())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Provider)?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(current);
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Ours, not the client's: most name AES-256 first.
    config.ignore_client_order = true;
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS_KEPT);
    config.send_tls13_tickets = TICKETS;
    Ok(Arc::new(config))
}

/// The provider with the suites of AES-128 and SHA-256 before the others. Processors have instructions for SHA-256
/// and none for SHA-384, and a handshake is hashed through and through.
fn preferring_aes_128() -> Arc<CryptoProvider> {
    let mut provider = Arc::unwrap_or_clone(provider());
    provider.cipher_suites.sort_by_key(|suite| {
        let is_first = matches!(
            suite.suite(),
            CipherSuite::TLS13_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        );
        !is_first
    });
    Arc::new(provider)
}

/// A pair that is of one another, in time, and usable.
pub(super) fn certified(
    cert: &Path,
    key: &Path,
    provider: &CryptoProvider,
    now: UnixMillis,
) -> Result<CertifiedKey, TlsError> {
    let chain = pem::certificates(cert)?;
    let private = pem::private_key(key)?;
    if let Some(validity) = chain.first().and_then(|first| Validity::of(first)) {
        if now < validity.not_before {
            return Err(TlsError::NotYetValid { path: cert.into(), not_before: validity.not_before });
        }
        if now > validity.not_after {
            return Err(TlsError::Expired { path: cert.into(), not_after: validity.not_after });
        }
    }
    CertifiedKey::from_der(chain, private, provider).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            TlsError::Mismatch { cert: cert.into(), key: key.into() }
        }
        Error::InvalidCertificate(_) => TlsError::Unusable { path: cert.into(), error },
        error => TlsError::Unusable { path: key.into(), error },
    })
}
