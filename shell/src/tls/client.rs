//! The client's side: whom to trust.

use super::{ALPN, TlsError, pem, provider};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// Trusts the system's certificate authorities and, if named, those of one more PEM file (a proxy's, a test's).
/// Reads files, so it is for the start only.
///
/// # Errors
/// If nobody would be trusted, or the named file is not usable.
pub fn client_config(extra_ca: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    // Some of a system's roots are often outdated or odd; only having none is an error.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = extra_ca {
        for cert in pem::certificates(path)? {
            roots.add(cert).map_err(|error| TlsError::Unusable { path: path.into(), error })?;
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Provider)?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}
