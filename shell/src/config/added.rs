//! Tokens that were added to a running process: kept in the data directory, behind those of the configuration.
//!
//! What lives here: [`read`], for every command that reads a configuration, and [`add`], for `nobat ctl add-token`.
//! The file is its owner's alone, one token a line. Who writes the token into his configuration later need not take
//! it out here: a bot is one lane, and the configuration's comes first.

use super::bots::{LaneConfig, bot_id};
use crate::observe::Secret;
use nobat_core::id::BotId;
use nobat_core::limits::LANES_MAX;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const FILE: &str = "tokens.added";

/// The lanes of the file that `lanes` does not hold.
///
/// # Errors
/// The file cannot be read, or a line of it is no token; with its name.
pub(super) fn read(dir: &Path, lanes: &[LaneConfig]) -> Result<Vec<LaneConfig>, (PathBuf, String)> {
    let path = dir.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        // What is wrong with the directory is told by who uses it.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(e) => return Err((path, format!("cannot be read: {e}"))),
    };
    let mut added: Vec<LaneConfig> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let bot_id = bot_id(line).map_err(|what| (path.clone(), what.to_owned()))?;
        let known = lanes.iter().chain(&added).any(|lane| lane.bot_id == bot_id);
        if !known && lanes.len() + added.len() < LANES_MAX {
            added.push(LaneConfig { token: Secret::new(line.to_owned()), bot_id });
        }
    }
    Ok(added)
}

/// What stood in the file, so that an addition that does not come about is taken back.
pub struct Before(PathBuf, Vec<u8>);

/// Whether a token may be added; whose it says that it is.
///
/// # Errors
/// The token is none, its bot has a lane already, or there are too many.
pub fn check(lanes: &[LaneConfig], token: &Secret) -> Result<BotId, String> {
    let id = bot_id(token.expose()).map_err(|what| format!("it {what}"))?;
    if lanes.iter().any(|lane| lane.bot_id == id) {
        return Err(format!("bot {id} has a lane already"));
    }
    if lanes.len() >= LANES_MAX {
        return Err(format!("there are {LANES_MAX} lanes already"));
    }
    Ok(id)
}

/// Adds a token; it is a lane from the next start on.
///
/// # Errors
/// As [`check`], or the file cannot be written.
pub fn add(dir: &Path, lanes: &[LaneConfig], token: &Secret) -> Result<Before, String> {
    check(lanes, token)?;
    let path = dir.join(FILE);
    let named = |e: io::Error| format!("{}: {e}", path.display());
    let before = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(named(e)),
    };
    let mut after = before.clone();
    if !after.is_empty() && !after.ends_with(b"\n") {
        after.push(b'\n');
    }
    after.extend_from_slice(token.expose().as_bytes());
    after.push(b'\n');
    put(&path, &after).map_err(named)?;
    Ok(Before(path, before))
}

impl Before {
    /// Puts back what was there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn restore(self) -> io::Result<()> {
        put(&self.0, &self.1)
    }
}

/// Whole or not at all, and on disk.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn lane(token: &str) -> LaneConfig {
        LaneConfig { token: Secret::new(token.into()), bot_id: bot_id(token).expect("a token") }
    }

    #[test]
    fn what_is_added_is_read_behind_the_configuration_once_a_bot_and_can_be_taken_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let lanes = vec![lane("1000001:TEST")];
        assert_eq!(read(dir.path(), &lanes), Ok(Vec::new()));
        let secret = |token: &str| Secret::new(token.to_owned());
        add(dir.path(), &lanes, &secret("1000002:TEST")).map(drop).expect("added");
        let second = add(dir.path(), &lanes, &secret("1000003:TEST")).expect("added");
        let mode = std::fs::metadata(dir.path().join(FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(read(dir.path(), &lanes), Ok(vec![lane("1000002:TEST"), lane("1000003:TEST")]));
        second.restore().expect("taken back");
        assert_eq!(read(dir.path(), &lanes), Ok(vec![lane("1000002:TEST")]));
        assert_eq!(read(dir.path(), &[lane("1000002:OTHER")]), Ok(Vec::new()));
        for (token, why) in [("1000001:TEST", "has a lane already"), ("nonsense", "")] {
            let error = add(dir.path(), &lanes, &secret(token)).map(drop).expect_err(token);
            assert!(error.contains(why) && !error.contains("nonsense"), "{error}");
        }
        std::fs::write(dir.path().join(FILE), "nonsense\n").expect("written");
        assert!(read(dir.path(), &lanes).is_err());
    }
}
