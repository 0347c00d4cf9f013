//! The certificate's files, watched: a renewed pair is used from the next handshake on, without a restart.
//!
//! What lives here: [`CertificateFiles`], which the main thread asks to look; [`Current`], which each handshake asks
//! for the pair in use. A pair that cannot be used leaves the one in place that was good, and is said once.

use super::server;
use super::{TlsError, provider};
use nobat_core::time::UnixMillis;
use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// The pair in use. Held for a moment: a handshake clones an `Arc`.
#[derive(Debug)]
pub(super) struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

/// What tells one file from the one that replaced it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    len: u64,
}

/// A pair that was read and is not used yet.
pub struct Prepared {
    cert: PathBuf,
    key: PathBuf,
    pair: CertifiedKey,
    seen: [Option<Stamp>; 2],
}

/// Two files and the pair that was last good.
pub struct CertificateFiles {
    cert: PathBuf,
    key: PathBuf,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
    /// Of the files that were last looked at, good or bad.
    seen: [Option<Stamp>; 2],
}

impl CertificateFiles {
    /// Reads the pair and checks it.
    ///
    /// # Errors
    /// In plain words, naming the file.
    pub fn open(cert: &Path, key: &Path, now: UnixMillis) -> Result<Self, TlsError> {
        let seen = [stamp(cert), stamp(key)];
        let pair = server::certified(cert, key, &provider(), now)?;
        let current = Arc::new(Current(RwLock::new(Arc::new(pair))));
        let config = server::config(Arc::clone(&current))?;
        Ok(Self { cert: cert.into(), key: key.into(), current, config, seen })
    }

    /// What the listeners use. It stays the same: sessions are resumed across a reload.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Reads another pair, or the same anew, without using it.
    ///
    /// # Errors
    /// In plain words, naming the file.
    pub fn prepare(cert: &Path, key: &Path, now: UnixMillis) -> Result<Prepared, TlsError> {
        let seen = [stamp(cert), stamp(key)];
        let pair = server::certified(cert, key, &provider(), now)?;
        Ok(Prepared { cert: cert.into(), key: key.into(), pair, seen })
    }

    /// Uses what was prepared, from the next handshake on.
    pub fn adopt(&mut self, prepared: Prepared) {
        *self.current.0.write() = Arc::new(prepared.pair);
        (self.cert, self.key, self.seen) = (prepared.cert, prepared.key, prepared.seen);
    }

    /// Looks whether a file was replaced. None if not; otherwise whether the new pair is used now. A renewal that
    /// has written one of its files is refused and looked at again with the other.
    ///
    /// # Errors
    /// Why the new pair is not used; the one before stays.
    pub fn refresh(&mut self, now: UnixMillis) -> Option<Result<(), TlsError>> {
        let found = [stamp(&self.cert), stamp(&self.key)];
        if found == self.seen {
            return None;
        }
        self.seen = found;
        let pair = server::certified(&self.cert, &self.key, &provider(), now);
        Some(pair.map(|pair| *self.current.0.write() = Arc::new(pair)))
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = fs::metadata(path).ok()?;
    Some(Stamp { modified: meta.modified().ok()?, len: meta.len() })
}
