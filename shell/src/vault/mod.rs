//! Secrets at rest: a file of sealed records in the data directory, and the keys that open them.
//!
//! What lives here: [`Vault`], names with their sealed records; [`Keys`], read from text or a file; [`seal`] for the
//! records themselves. The configuration opens what it names (`secret:NAME`); `nobat secrets` sets, lists, removes and
//! re-seals. A secret is in memory in the clear only where it goes onto the wire, and is wiped when it is dropped.
//!
//! The keys are not beside the data: they come from the environment or from a file elsewhere.

pub mod seal;

use seal::{Key, KeyId, NONCE_BYTES, SealFlaw, Sealed};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The file in the data directory.
pub const FILE: &str = "secrets.nobat";
/// Its first line.
const FIRST_LINE: &str = "nobat secrets 1";
/// Characters of a name, at most.
const NAME_MAX: usize = 64;

/// What went wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The operating system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is none, or was changed by hand.
    #[error("{}, line {line}: {what}; restore it from a backup, or remove the line and set its secret again", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A secret that does not open.
    #[error("the secret `{name}` cannot be opened: {flaw}{}", remedy(.flaw))]
    Sealed {
        /// Its name.
        name: String,
        /// Why not.
        flaw: SealFlaw,
    },
    /// There is none of this name.
    #[error(
        "there is no secret `{0}`: `nobat secrets set {0}` sets it, `nobat secrets list` shows which there are"
    )]
    Missing(String),
    /// No key was given.
    #[error(
        "there is no key to the secrets: set secrets.key_file to a file with one (`nobat secrets key --to FILE` makes \
         it), or NOBAT_SECRETS_KEY"
    )]
    NoKey,
    /// What was given as a key is none.
    #[error("{0}: a key is 64 hexadecimal digits; `nobat secrets key` makes one")]
    BadKey(String),
    /// What was given as a name is none.
    #[error("`{0}` cannot be a secret's name: a to z, 0 to 9, `.`, `_` and `-`, at most 64")]
    BadName(String),
}

const fn remedy(flaw: &SealFlaw) -> &'static str {
    match flaw {
        SealFlaw::NoKey(_) => {
            "; put that key into secrets.key_file or NOBAT_SECRETS_KEY, beside the newer one if need be"
        }
        SealFlaw::UnknownVersion(_) => "",
        SealFlaw::CutShort | SealFlaw::Forged => "; restore the file from a backup, or set the secret again",
    }
}

impl VaultError {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}

/// The keys that are there: the first one seals, any of them opens.
#[derive(Clone, Default, Debug)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// Reads keys with blanks, commas or line ends between them. `place` says where they stood, for the error.
    ///
    /// # Errors
    /// [`VaultError::BadKey`], which shows nothing of the text.
    pub fn parse(text: &str, place: &str) -> Result<Self, VaultError> {
        let parts = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
        let keys = parts.map(|part| Key::parse(part).ok_or_else(|| VaultError::BadKey(place.to_owned())));
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// What the operating system says, or something in it that is no key.
    pub fn read(path: &Path) -> Result<Self, VaultError> {
        let text = Zeroizing::new(fs::read_to_string(path).map_err(VaultError::io("read", path))?);
        match Self::parse(&text, &path.display().to_string())? {
            Self(keys) if keys.is_empty() => Err(VaultError::BadKey(format!("{} is empty", path.display()))),
            keys => Ok(keys),
        }
    }

    /// A new random key.
    #[must_use]
    pub fn fresh() -> Key {
        let mut bytes = Zeroizing::new([0; seal::KEY_BYTES]);
        fill(&mut *bytes);
        Key::new(bytes)
    }

    /// The same with another key in front.
    #[must_use]
    pub fn with_first(&self, key: Key) -> Self {
        Self(std::iter::once(key).chain(self.0.iter().cloned()).collect())
    }

    /// The first one alone.
    #[must_use]
    pub fn first_alone(&self) -> Self {
        Self(self.0.iter().take(1).cloned().collect())
    }

    /// Writes a key file, whole or not at all, readable by its owner alone.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn write(&self, path: &Path) -> Result<(), VaultError> {
        let lines = self.0.iter().map(|key| format!("{}\n", *key.to_hex()));
        let text = Zeroizing::new(lines.collect::<String>());
        write_whole(path, text.as_bytes())
    }

    /// The names of the keys, the one that seals first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.0.iter().map(Key::id)
    }

    fn first(&self) -> Result<&Key, VaultError> {
        self.0.first().ok_or(VaultError::NoKey)
    }
}

/// Names and their sealed records.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    sealed: BTreeMap<String, Vec<u8>>,
}

impl Vault {
    /// Reads the file of a data directory; without one there are no secrets yet.
    ///
    /// # Errors
    /// What the operating system says, or a line that is none.
    pub fn open(data_dir: &Path) -> Result<Self, VaultError> {
        let path = data_dir.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => match decode(&text) {
                Ok(sealed) => Ok(Self { path, sealed }),
                Err((line, what)) => Err(VaultError::Unreadable { path, line, what }),
            },
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(Self { path, sealed: BTreeMap::new() }),
            Err(e) => Err(VaultError::io("read", &path)(e)),
        }
    }

    /// Opens a secret.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::NoKey`] or [`VaultError::Sealed`].
    pub fn get(&self, keys: &Keys, name: &str) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let sealed = self.sealed.get(name).ok_or_else(|| VaultError::Missing(name.to_owned()))?;
        keys.first()?;
        let wrong = |flaw| VaultError::Sealed { name: name.to_owned(), flaw };
        seal::open(&keys.0, name, sealed).map_err(wrong)
    }

    /// Seals a secret under the first key; one of this name is replaced. Nothing is written before [`Vault::save`].
    ///
    /// # Errors
    /// A name that is none, or no key.
    pub fn set(&mut self, keys: &Keys, name: &str, secret: &[u8]) -> Result<(), VaultError> {
        if !is_name(name) {
            return Err(VaultError::BadName(name.to_owned()));
        }
        let mut nonce = [0; NONCE_BYTES];
        fill(&mut nonce);
        let sealed = seal::seal(keys.first()?, name, secret, nonce);
        self.sealed.insert(name.to_owned(), sealed);
        Ok(())
    }

    /// Removes a secret.
    ///
    /// # Errors
    /// [`VaultError::Missing`].
    pub fn remove(&mut self, name: &str) -> Result<(), VaultError> {
        self.sealed.remove(name).map(drop).ok_or_else(|| VaultError::Missing(name.to_owned()))
    }

    /// Each name, and the key that it needs; none if its record is damaged.
    pub fn list(&self) -> impl Iterator<Item = (&str, Option<KeyId>)> {
        let needs = |sealed: &[u8]| Sealed::decode(sealed).ok().map(|sealed| sealed.key);
        self.sealed.iter().map(move |(name, sealed)| (name.as_str(), needs(sealed)))
    }

    /// Seals everything anew under the first key; says how many. All of it opens first, or nothing changes.
    ///
    /// # Errors
    /// As [`Vault::get`].
    pub fn reseal(&mut self, keys: &Keys) -> Result<usize, VaultError> {
        let names: Vec<String> = self.sealed.keys().cloned().collect();
        let opened: Vec<_> = names.iter().map(|name| self.get(keys, name)).collect::<Result<_, _>>()?;
        for (name, secret) in names.iter().zip(&opened) {
            self.set(keys, name, secret)?;
        }
        Ok(names.len())
    }

    /// Writes the file, whole or not at all, readable by its owner alone.
    ///
    /// # Errors
    /// What the operating system says; the file is as it was.
    pub fn save(&self) -> Result<(), VaultError> {
        if let Some(dir) = self.path.parent() {
            fs::create_dir_all(dir).map_err(VaultError::io("make", dir))?;
        }
        write_whole(&self.path, encode(&self.sealed).as_bytes())
    }
}

fn encode(sealed: &BTreeMap<String, Vec<u8>>) -> String {
    let lines = sealed.iter().map(|(name, sealed)| format!("{name} {}\n", seal::hex(sealed)));
    std::iter::once(format!("{FIRST_LINE}\n")).chain(lines).collect()
}

/// Reads the file's text. Total: any text gives the records or the line that is none, and why.
///
/// # Errors
/// The line, from 1, and what is wrong with it.
pub fn decode(text: &str) -> Result<BTreeMap<String, Vec<u8>>, (usize, &'static str)> {
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err((1, "the file does not begin as one of secrets does, or is of a newer nobat"));
    }
    let mut sealed = BTreeMap::new();
    for (at, line) in lines.enumerate() {
        let wrong = |what| (at + 2, what);
        let (name, digits) = line.split_once(' ').ok_or(wrong("not a name and its record"))?;
        if !is_name(name) {
            return Err(wrong("this cannot be a name"));
        }
        let mut bytes = vec![0; digits.len() / 2];
        seal::from_hex(digits, &mut bytes).ok_or(wrong("not hexadecimal digits, two a byte"))?;
        if sealed.insert(name.to_owned(), bytes).is_some() {
            return Err(wrong("this name stands here twice"));
        }
    }
    Ok(sealed)
}

fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

fn fill(bytes: &mut [u8]) {
    for piece in bytes.chunks_mut(8) {
        let draw = crate::entropy::seed().to_le_bytes();
        piece.copy_from_slice(&draw[..piece.len()]);
    }
}

/// A file that is there whole or not at all, also after a power cut.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".tmp");
    let unfinished = Path::new(&unfinished);
    // What a crash left may have another mode.
    let _ = fs::remove_file(unfinished);
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(unfinished);
    file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(unfinished, path))
        .map_err(VaultError::io("write", path))?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(VaultError::io("sync", dir))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(n: usize) -> Keys {
        Keys((0..n).map(|_| Keys::fresh()).collect())
    }

    #[test]
    fn what_was_set_is_there_after_a_save_and_only_its_owner_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a place");
        let keys = keys(1);
        let mut vault = Vault::open(dir.path()).expect("opened");
        vault.set(&keys, "lane1", b"1000001:TEST").expect("set");
        vault.set(&keys, "momo.key", b"x").expect("set");
        vault.save().expect("saved");
        let path = dir.path().join(FILE);
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).expect("a file");
        assert!(!text.contains("TEST") && !text.contains(&seal::hex(b"TEST")), "{text}");
        let mut vault = Vault::open(dir.path()).expect("opened");
        assert_eq!(vault.get(&keys, "lane1").expect("opened").as_slice(), b"1000001:TEST");
        vault.remove("lane1").expect("removed");
        let told = vault.get(&keys, "lane1").expect_err("gone").to_string();
        assert!(told.contains("nobat secrets set lane1"), "{told}");
        assert!(!format!("{vault:?} {keys:?}").contains(&*keys.0[0].to_hex()));
    }

    #[test]
    fn a_wrong_key_and_none_are_told_in_words() {
        let dir = tempfile::tempdir().expect("a place");
        let (right, wrong) = (keys(1), keys(1));
        let mut vault = Vault::open(dir.path()).expect("opened");
        vault.set(&right, "a", b"secret").expect("set");
        let told = vault.get(&wrong, "a").expect_err("sealed").to_string();
        assert!(
            told.contains(&right.ids().next().expect("one").to_string()) && told.contains("put that key"),
            "{told}"
        );
        let told = vault.get(&Keys::default(), "a").expect_err("sealed").to_string();
        assert!(told.contains("secrets.key_file") && told.contains("NOBAT_SECRETS_KEY"), "{told}");
        let told = Keys::parse("abc", "NOBAT_SECRETS_KEY").expect_err("none").to_string();
        assert!(told.contains("64 hexadecimal digits") && !told.contains("abc"), "{told}");
        assert!(vault.set(&right, "A b", b"").is_err());
    }

    #[test]
    fn a_rotation_opens_everything_before_it_changes_anything() {
        let dir = tempfile::tempdir().expect("a place");
        let (old, lost) = (keys(1), keys(1));
        let mut vault = Vault::open(dir.path()).expect("opened");
        vault.set(&old, "a", b"1").expect("set");
        vault.set(&lost, "b", b"2").expect("set");
        let both = old.with_first(Keys::fresh());
        assert!(vault.reseal(&both).is_err());
        assert!(vault.get(&old, "a").is_ok(), "nothing was changed");
        vault.remove("b").expect("removed");
        assert_eq!(vault.reseal(&both).expect("sealed anew"), 1);
        assert!(vault.get(&old, "a").is_err());
        assert_eq!(vault.get(&both.first_alone(), "a").expect("opened").as_slice(), b"1");
    }

    #[test]
    fn a_damaged_line_is_named() {
        for (text, line) in [
            ("", 1),
            ("nobat secrets 2\n", 1),
            ("nobat secrets 1\nname\n", 2),
            ("nobat secrets 1\na 00\nB 00\n", 3),
            ("nobat secrets 1\na 0\n", 2),
            ("nobat secrets 1\na 0g\n", 2),
            ("nobat secrets 1\na 00\na 00\n", 3),
        ] {
            assert_eq!(decode(text).expect_err("refused").0, line, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_file_is_read_back_as_it_was_written(
            sealed in prop::collection::btree_map("[a-z0-9._-]{1,64}", prop::collection::vec(any::<u8>(), 0..80), 0..6),
        ) {
            prop_assert_eq!(decode(&encode(&sealed)), Ok(sealed));
        }

        #[test]
        fn any_text_is_records_or_a_line(text: String) {
            let _ = decode(&text);
            let _ = decode(&format!("{FIRST_LINE}\n{text}"));
        }
    }
}
