//! The webhook's secret when nobody set one: made once, kept in the data directory.

use super::types::Config;
use crate::observe::Secret;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

const FILE: &str = "webhook.secret";
const CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// The secret of the configuration, or the one in the data directory, which is made if there is none (48
/// characters, 288 random bits, readable by its owner alone). `serve` and `webhook setup` thus agree.
///
/// # Errors
/// The data directory cannot be written or the file in it not be read; the error names the file.
pub fn webhook_secret(config: &Config) -> io::Result<Secret> {
    match &config.webhook.secret {
        Some(secret) => Ok(secret.clone()),
        None => kept(&config.data_dir),
    }
}

fn kept(dir: &Path) -> io::Result<Secret> {
    let path = dir.join(FILE);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    match File::open(&path) {
        Ok(mut file) => {
            let mut text = String::new();
            file.read_to_string(&mut text).map_err(named)?;
            let text = text.trim();
            if text.len() < 16 || !text.bytes().all(|b| CHARS.contains(&b)) {
                let what = "is damaged: remove it, and a new one is made and registered at the next start";
                return Err(named(io::Error::new(ErrorKind::InvalidData, what)));
            }
            Ok(Secret::new(text.to_owned()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            std::fs::create_dir_all(dir).map_err(named)?;
            let secret = fresh();
            // Whole or not at all: a half-written secret would be registered.
            let new = dir.join(format!("{FILE}.new"));
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)
                .map_err(named)?;
            file.write_all(secret.expose().as_bytes()).and_then(|()| file.sync_all()).map_err(named)?;
            std::fs::rename(&new, &path).map_err(named)?;
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(named)?;
            Ok(secret)
        }
        Err(error) => Err(named(error)),
    }
}

fn fresh() -> Secret {
    let mut text = String::with_capacity(48);
    while text.len() < 48 {
        // Ten characters of six bits from each draw of 64.
        let draw = crate::entropy::seed();
        text.extend((0..10).map(|at| char::from(CHARS[(draw >> (at * 6)) as usize & 63])));
    }
    text.truncate(48);
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_can_read_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let data = dir.path().join("data");
        let first = kept(&data).expect("made");
        assert_eq!(kept(&data).expect("kept"), first);
        assert_eq!(first.expose().len(), 48);
        assert_ne!(fresh(), first);
        let meta = std::fs::metadata(data.join(FILE)).expect("a file");
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_secret_is_named_and_not_used() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join(FILE), "short").expect("written");
        let error = kept(dir.path()).expect_err("damaged").to_string();
        assert!(error.contains("webhook.secret: is damaged: remove it"), "{error}");
    }
}
