//! Reading PEM files (RFC 7468), with errors that name the file.

use super::TlsError;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;

/// Every certificate of a file, in order; at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|_| TlsError::Damaged { path: path.into() })?;
    if found.is_empty() {
        let hint = if contains(&text, "PRIVATE KEY-----") {
            "; it holds a key: were the two files exchanged?"
        } else {
            "; it must be a PEM file: a DER or PKCS #12 file must be converted"
        };
        return Err(TlsError::NoCertificate { path: path.into(), hint });
    }
    Ok(found)
}

/// The first private key of a file (PKCS #8, PKCS #1 or SEC 1).
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    // Wiped when dropped: it is the secret.
    let text = zeroize::Zeroizing::new(read(path)?);
    match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => {
            let hint = if contains(&text, "ENCRYPTED PRIVATE KEY-----") {
                "; it is encrypted: remove the password (`openssl pkey -in OLD -out NEW`)"
            } else if contains(&text, "CERTIFICATE-----") {
                "; it holds a certificate: were the two files exchanged?"
            } else {
                "; it must be a PEM file"
            };
            Err(TlsError::NoKey { path: path.into(), hint })
        }
        Err(_) => Err(TlsError::Damaged { path: path.into() }),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::Read { path: path.into(), error })
}

fn contains(text: &[u8], part: &str) -> bool {
    memchr::memmem::find(text, part.as_bytes()).is_some()
}
