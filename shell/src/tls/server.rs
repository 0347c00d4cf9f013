//! The server's side: one certificate chain and its key.

use super::validity::Validity;
use super::{ALPN, TlsError, pem, provider};
use nobat_core::time::UnixMillis;
use rustls::{Error, InconsistentKeys, ServerConfig};
use std::path::Path;
use std::sync::Arc;

/// Reads a chain and its key and checks them against each other and against `now`.
///
/// Called again for a reload: a refused file leaves what runs as it is.
///
/// # Errors
/// In plain words, naming the file.
pub fn server_config(cert: &Path, key: &Path, now: UnixMillis) -> Result<Arc<ServerConfig>, TlsError> {
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
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Provider)?;
    let mut config =
        builder.with_no_client_auth().with_single_cert(chain, private).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::Mismatch { cert: cert.into(), key: key.into() }
            }
            Error::InvalidCertificate(_) => TlsError::Unusable { path: cert.into(), error },
            error => TlsError::Unusable { path: key.into(), error },
        })?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}
