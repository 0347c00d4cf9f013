//! A certificate of our own, for webhooks without a domain: the platform is given it and trusts it alone.

use super::TlsError;
use nobat_core::time::UnixMillis;
use rcgen::{CertificateParams, DnType, KeyPair};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// The platform does not ask how long; a bot is not asked to renew it either.
const VALID_FOR: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Clocks differ: it is valid since yesterday.
const VALID_SINCE: Duration = Duration::from_secs(86_400);

/// Where it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnPair {
    /// The certificate, PEM.
    pub cert: PathBuf,
    /// Its key, PEM, its owner's alone.
    pub key: PathBuf,
}

impl OwnPair {
    /// In this data directory.
    #[must_use]
    pub fn within(dir: &Path) -> Self {
        Self { cert: dir.join("webhook.cert.pem"), key: dir.join("webhook.key.pem") }
    }

    /// Is it there?
    #[must_use]
    pub fn exists(&self) -> bool {
        self.cert.is_file() && self.key.is_file()
    }

    /// Makes a new one for `host`, a name or an address: ECDSA P-256, which costs the processor least.
    ///
    /// # Errors
    /// The host cannot stand in a certificate, or a file cannot be written.
    pub fn make(&self, host: &str, now: UnixMillis) -> Result<(), TlsError> {
        let made = |e: rcgen::Error| TlsError::NotMade { host: host.to_owned(), error: e.to_string() };
        // An address of version 6 stands in brackets only within a URL.
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let mut params = CertificateParams::new(vec![bare.to_owned()]).map_err(made)?;
        // The platform compares the common name with the host.
        params.distinguished_name.push(DnType::CommonName, bare);
        let now = UNIX_EPOCH + Duration::from_millis(now.0);
        params.not_before = (now - VALID_SINCE).into();
        params.not_after = (now + VALID_FOR).into();
        let key = KeyPair::generate().map_err(made)?;
        let cert = params.self_signed(&key).map_err(made)?;
        // The key first: a certificate without its key would be taken for a pair.
        put(&self.key, key.serialize_pem().as_bytes(), 0o600)?;
        put(&self.cert, cert.pem().as_bytes(), 0o644)
    }
}

fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TlsError> {
    let named = |error: io::Error| TlsError::Write { path: path.into(), error };
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(named)?;
    }
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(mode).open(&new).map_err(named)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(named)?;
    fs::rename(&new, path).map_err(named)
}

#[cfg(test)]
mod tests {
    use super::super::{not_after, server_config};
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_pair_of_our_own_is_usable_for_names_and_addresses_and_its_key_is_secret() {
        let dir = tempfile::tempdir().expect("a directory");
        let pair = OwnPair::within(dir.path());
        let now = UnixMillis(1_784_527_200_000);
        for host in ["203.0.113.7", "[2001:db8::1]", "bot.example"] {
            pair.make(host, now).expect(host);
            assert!(pair.exists());
            server_config(&pair.cert, &pair.key, now).expect("usable");
            let mode = fs::metadata(&pair.key).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert!(not_after(&pair.cert).is_some_and(|end| end.0 - now.0 > 9 * 365 * 86_400_000));
        }
        assert!(pair.make("bad host\u{e4}", now).is_err());
    }
}
