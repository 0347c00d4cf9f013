//! Tokens that were added to a running process: kept in the data directory, behind those of the configuration.
//!
//! What lives here: [`read`], for every command that reads a configuration, [`add`], for `nobat ctl add-token`, and
//! [`seal`], for `serve`. The file is its owner's alone, one lane a line: `secret:added.ID`, a token sealed in the
//! vault under that name; or the token itself, where nobody has given a key. Who writes the token into his
//! configuration later need not take it out here: a bot is one lane, and the configuration's comes first.

use super::bots::{LaneConfig, bot_id};
use super::sealed::{PREFIX, VaultPlace};
use crate::observe::Secret;
use crate::vault::{Keys, Vault, VaultError};
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
/// The file cannot be read, a line of it is no token, or one cannot be unsealed; with its name.
pub(super) fn read(place: &VaultPlace, lanes: &[LaneConfig]) -> Result<Vec<LaneConfig>, (PathBuf, String)> {
    let path = place.data_dir.join(FILE);
    let named = |what: String| (path.clone(), what);
    let lines = lines(&path).map_err(|e| named(format!("cannot be read: {e}")))?;
    let mut vault = None;
    let mut added: Vec<LaneConfig> = Vec::new();
    for line in lines {
        let token = match line.expose().strip_prefix(PREFIX) {
            None => line,
            Some(name) => unsealed(place, &mut vault, name).map_err(|e| named(e.to_string()))?,
        };
        let bot_id = bot_id(token.expose()).map_err(named)?;
        let known = lanes.iter().chain(&added).any(|lane| lane.bot_id == bot_id);
        if !known && lanes.len() + added.len() < LANES_MAX {
            added.push(LaneConfig { token, bot_id });
        }
    }
    Ok(added)
}

/// What stands in it; nothing if there is no such file. What is wrong with the directory is told by who uses it.
fn lines(path: &Path) -> io::Result<Vec<Secret>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(|line| Secret::new(line.to_owned())).collect())
}

/// Opens a token; the vault and its keys are read once.
fn unsealed(place: &VaultPlace, vault: &mut Option<(Vault, Keys)>, name: &str) -> Result<Secret, VaultError> {
    if vault.is_none() {
        *vault = Some((Vault::open(&place.data_dir)?, place.keys()?));
    }
    let Some((vault, keys)) = vault else { return Err(VaultError::NoKey) };
    let token = vault.get(keys, name)?;
    Ok(Secret::new(String::from_utf8_lossy(&token).into_owned()))
}

/// What stood in the file, so that an addition that does not come about is taken back.
pub struct Before {
    path: PathBuf,
    lines: Vec<Secret>,
    /// What was sealed for it.
    sealed: Option<(PathBuf, String)>,
}

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

/// Adds a token; it is a lane from the next start on. With a key it is sealed, as are those that stood there unsealed.
///
/// # Errors
/// As [`check`], or file or vault cannot be written.
pub fn add(place: &VaultPlace, lanes: &[LaneConfig], token: &Secret) -> Result<Before, String> {
    let id = check(lanes, token)?;
    seal(place)?;
    let path = place.data_dir.join(FILE);
    let named = |e: io::Error| format!("{}: {e}", path.display());
    let before = lines(&path).map_err(named)?;
    let mut after = before.clone();
    let mut sealed = None;
    match into_vault(place, &[(id, token)]).map_err(|e| e.to_string())? {
        Some(names) => {
            after.extend(names.iter().map(|name| reference(name)));
            sealed = names.into_iter().next().map(|name| (place.data_dir.clone(), name));
        }
        None => after.push(token.clone()),
    }
    put(&path, &after).map_err(named)?;
    Ok(Before { path, lines: before, sealed })
}

/// Seals the tokens that stand in the file as they are, if there is a key; how many are sealed now that were not, and
/// how many stay as they are for want of one.
///
/// # Errors
/// File or vault cannot be read or written; nothing is lost.
pub fn seal(place: &VaultPlace) -> Result<(usize, usize), String> {
    let path = place.data_dir.join(FILE);
    let named = |e: io::Error| format!("{}: {e}", path.display());
    let mut lines = lines(&path).map_err(named)?;
    let mut bare = Vec::new();
    for line in lines.iter_mut().filter(|line| !line.expose().starts_with(PREFIX)) {
        // A line that is no token is told by who reads it.
        if let Ok(id) = bot_id(line.expose()) {
            bare.push((id, line));
        }
    }
    if bare.is_empty() {
        return Ok((0, 0));
    }
    let tokens: Vec<(BotId, &Secret)> = bare.iter().map(|(id, line)| (*id, &**line)).collect();
    let names = into_vault(place, &tokens).map_err(|e| e.to_string())?;
    let Some(names) = names else { return Ok((0, bare.len())) };
    for ((_, line), name) in bare.iter_mut().zip(&names) {
        **line = reference(name);
    }
    put(&path, &lines).map_err(named)?;
    Ok((names.len(), 0))
}

fn reference(name: &str) -> Secret {
    Secret::new(format!("{PREFIX}{name}"))
}

/// Seals these under the names that are given; none if there is no key. The vault is written before who refers to it.
fn into_vault(place: &VaultPlace, tokens: &[(BotId, &Secret)]) -> Result<Option<Vec<String>>, VaultError> {
    let keys = place.keys()?;
    if keys.ids().next().is_none() {
        return Ok(None);
    }
    let mut vault = Vault::open(&place.data_dir)?;
    let mut names = Vec::new();
    for (id, token) in tokens {
        let name = format!("added.{id}");
        vault.set(&keys, &name, token.expose().as_bytes())?;
        names.push(name);
    }
    vault.save()?;
    Ok(Some(names))
}

impl Before {
    /// Puts back what was there.
    ///
    /// # Errors
    /// File or vault cannot be written.
    pub fn restore(self) -> Result<(), String> {
        put(&self.path, &self.lines).map_err(|e| e.to_string())?;
        let Some((data_dir, name)) = self.sealed else { return Ok(()) };
        let mut vault = Vault::open(&data_dir).map_err(|e| e.to_string())?;
        vault.remove(&name).and_then(|()| vault.save()).map_err(|e| e.to_string())
    }
}

/// Whole or not at all, and on disk.
fn put(path: &Path, lines: &[Secret]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    for line in lines {
        file.write_all(line.expose().as_bytes())?;
        file.write_all(b"\n")?;
    }
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn lane(token: &str) -> LaneConfig {
        LaneConfig { token: secret(token), bot_id: bot_id(token).expect("a token") }
    }

    fn secret(token: &str) -> Secret {
        Secret::new(token.to_owned())
    }

    fn place(dir: &Path, key: Option<&str>) -> VaultPlace {
        VaultPlace { data_dir: dir.to_owned(), key_file: None, keys: key.map(secret) }
    }

    #[test]
    fn what_is_added_is_read_behind_the_configuration_once_a_bot_and_can_be_taken_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let key = Keys::fresh().to_hex();
        for key in [None, Some(key.as_str())] {
            let place = place(&dir.path().join(if key.is_some() { "sealed" } else { "bare" }), key);
            std::fs::create_dir(&place.data_dir).expect("made");
            let lanes = vec![lane("1000001:TEST")];
            assert_eq!(read(&place, &lanes), Ok(Vec::new()));
            add(&place, &lanes, &secret("1000002:TEST")).map(drop).expect("added");
            let second = add(&place, &lanes, &secret("1000003:TEST")).map_err(drop).expect("added");
            let file = place.data_dir.join(FILE);
            let mode = std::fs::metadata(&file).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let text = std::fs::read_to_string(&file).expect("text");
            assert_eq!(text.contains("TEST"), key.is_none(), "with a key no token stands there: {text}");
            assert_eq!(read(&place, &lanes), Ok(vec![lane("1000002:TEST"), lane("1000003:TEST")]));
            second.restore().expect("taken back");
            assert_eq!(read(&place, &lanes), Ok(vec![lane("1000002:TEST")]));
            assert_eq!(read(&place, &[lane("1000002:OTHER")]), Ok(Vec::new()));
            for (token, why) in [("1000001:TEST", "has a lane already"), ("nonsense", "")] {
                let error = add(&place, &lanes, &secret(token)).map(drop).expect_err(token);
                assert!(error.contains(why) && !error.contains("nonsense"), "{error}");
            }
            std::fs::write(&file, "nonsense\n").expect("written");
            assert!(read(&place, &lanes).is_err());
        }
    }

    #[test]
    fn what_stood_there_as_it_is_is_sealed_once_there_is_a_key_and_opens_with_it_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let (bare, key) = (place(dir.path(), None), Keys::fresh().to_hex());
        let lanes = vec![lane("1000001:TEST")];
        add(&bare, &lanes, &secret("1000002:TEST")).map(drop).expect("added");
        assert_eq!(seal(&bare), Ok((0, 1)), "without a key it stays");
        let sealed = place(dir.path(), Some(&key));
        assert_eq!(seal(&sealed), Ok((1, 0)));
        assert_eq!(seal(&sealed), Ok((0, 0)), "and that was all");
        let text = std::fs::read_to_string(dir.path().join(FILE)).expect("text");
        assert_eq!(text, "secret:added.1000002\n");
        assert_eq!(read(&sealed, &lanes), Ok(vec![lane("1000002:TEST")]));
        let (path, why) = read(&bare, &lanes).expect_err("no key");
        assert!(path.ends_with(FILE) && why.contains("NOBAT_SECRETS_KEY"), "{why}");
        let other = place(dir.path(), Some(&Keys::fresh().to_hex()));
        let (_, why) = read(&other, &lanes).expect_err("another key");
        assert!(why.contains("added.1000002") && !why.contains("TEST"), "{why}");
    }
}
