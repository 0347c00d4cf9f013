//! Backups: everything a process needs to go on elsewhere, copied while it runs, and opened before it is believed.
//!
//! What lives here: [`make`], [`verify`], [`restore`], [`tidy`], and the [`manifest`]. `nobat backup`, `nobat restore`
//! and the thread that `serve` keeps for it call them. A backup is a folder `nobat-<time>` of plain files: the newest
//! snapshot, the journal behind it, the records, and whatever else stands in the data directory and is not made anew
//! by a start. It gets its name once it is whole, synced and verified.
//!
//! Nothing here takes a lock of the running process or asks it anything: see [`crate::disk::copy`].

pub mod manifest;
mod restore;

pub use restore::restore;

use crate::disk::io::FsDirectory;
use crate::disk::{DiskError, copy};
use crate::observe::rfc3339;
use crate::records::{Sqlite, StoreError};
use crate::recovery::{self, RecoveryError, Rehearsed};
use manifest::{Listed, Manifest, Unreadable};
use nobat_core::engine::{Detached, Engine};
use nobat_core::id::Seq;
use nobat_core::time::UnixMillis;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A backup's folder begins so.
const PREFIX: &str = "nobat-";
/// And ends so until it is whole.
const UNFINISHED: &str = ".tmp";
/// The records in a backup, whatever their file is called.
const RECORDS: &str = "records.sqlite";

/// What went wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The journal could not be read or copied.
    #[error("{0}")]
    Disk(#[from] DiskError),
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
    /// The records could not be copied.
    #[error("the records cannot be copied: {0}")]
    Records(#[from] StoreError),
    /// It is none, or not whole.
    #[error("{} is no backup that can be used: {what}", path.display())]
    Flawed {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It has all its bytes, and the bot cannot be brought back from it.
    #[error("{} does not open: {source}", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: Box<RecoveryError>,
    },
    /// Something is where the restored files should go.
    #[error("{} is not empty: a backup is restored into a directory that is empty or not there", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
}

impl BackupError {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}

/// What is backed up.
#[derive(Clone, Debug)]
pub struct What {
    /// The data directory.
    pub data_dir: PathBuf,
    /// The SQLite file of the records, if that is where they are.
    pub records: Option<PathBuf>,
}

/// A backup that is whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// Its folder.
    pub path: PathBuf,
    /// Bytes of its files.
    pub bytes: u64,
    /// The last frame in it.
    pub last: Seq,
    /// What opening it brought back.
    pub opened: Rehearsed,
}

/// Makes a backup in a new folder of `to` and opens it with `engine`. `pace` hears of every few bytes of the journal.
///
/// # Errors
/// [`BackupError`]; nothing is left in `to` then.
pub fn make(
    what: &What,
    to: &Path,
    now: UnixMillis,
    engine: &Engine<Detached>,
    pace: &mut dyn FnMut(usize) -> Result<(), DiskError>,
) -> Result<Made, BackupError> {
    fs::create_dir_all(to).map_err(BackupError::io("make", to))?;
    let name = format!("{PREFIX}{}", rfc3339::format(now).replace(':', ""));
    let (path, unfinished) = (to.join(&name), to.join(format!("{name}{UNFINISHED}")));
    fs::create_dir(&unfinished).map_err(BackupError::io("make", &unfinished))?;
    let made = fill(what, &unfinished, now, pace).and_then(|(bytes, last)| {
        let opened = verify(&unfinished, engine)?;
        fs::rename(&unfinished, &path).map_err(BackupError::io("rename", &unfinished))?;
        sync(to)?;
        Ok(Made { path, bytes, last, opened })
    });
    if made.is_err() {
        // It must not eat the space that may be short.
        let _ = fs::remove_dir_all(&unfinished);
    }
    made
}

/// Copies everything and writes the manifest. Gives the bytes and the last frame.
fn fill(
    what: &What,
    into: &Path,
    made: UnixMillis,
    pace: &mut dyn FnMut(usize) -> Result<(), DiskError>,
) -> Result<(u64, Seq), BackupError> {
    let mut names = Vec::new();
    // The records first: the journal that follows them is never behind what they have.
    if let Some(records) = what.records.as_deref().filter(|path| path.exists()) {
        let to = into.join(RECORDS);
        Sqlite::copy(records, &to)?;
        private(&to)?;
        names.push(RECORDS.to_owned());
    }
    let copied = copy::journal(&what.data_dir, into, pace)?;
    names.extend(copied.files);
    for name in others(what)? {
        let (from, to) = (what.data_dir.join(&name), into.join(&name));
        fs::copy(&from, &to).map_err(BackupError::io("copy", &from))?;
        private(&to)?;
        names.push(name);
    }
    let files = names.into_iter().map(|name| listed(into, name)).collect::<Result<Vec<_>, _>>()?;
    let bytes = files.iter().map(|file| file.len).sum();
    let by = env!("CARGO_PKG_VERSION").to_owned();
    let manifest = Manifest { made, by, covered: copied.covered, last: copied.last, files };
    let path = into.join(manifest::FILE);
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&path);
    file.and_then(|mut file| file.write_all(manifest.to_text().as_bytes()).and_then(|()| file.sync_all()))
        .map_err(BackupError::io("write", &path))?;
    sync(into)?;
    Ok((bytes, copied.last))
}

/// Files of the data directory that are neither the journal's nor the records' nor made anew by a start: the webhook's
/// secret, the data set, sealed secrets, and what a later version may add.
fn others(what: &What) -> Result<Vec<String>, BackupError> {
    let failed = |e| BackupError::io("list", &what.data_dir)(e);
    let records = what.records.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    let mut names = Vec::new();
    for entry in fs::read_dir(&what.data_dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let passing = ["lock", "spare.ready"].contains(&name.as_str())
            || [".tmp", ".new"].iter().any(|end| name.ends_with(end))
            || ["journal-", "snapshot-", "cut-"].iter().any(|begin| name.starts_with(begin))
            || [records.unwrap_or(RECORDS), RECORDS].iter().any(|records| name.starts_with(records));
        if !passing && entry.file_type().map_err(failed)?.is_file() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Opens a backup as a start would open it: every file has its bytes, and the bot can be brought back.
///
/// # Errors
/// [`BackupError`], which says what is wrong with it.
pub fn verify(path: &Path, engine: &Engine<Detached>) -> Result<Rehearsed, BackupError> {
    let manifest = read(path)?;
    check_bytes(path, &manifest)?;
    let unusable = |source| BackupError::Unusable { path: path.to_owned(), source: Box::new(source) };
    let opened = recovery::rehearse(&FsDirectory::new(path), engine).map_err(unusable)?;
    if opened.last != manifest.last {
        let what = format!("it ends with frame {}, its manifest says {}", opened.last, manifest.last);
        return Err(BackupError::Flawed { path: path.to_owned(), what });
    }
    Ok(opened)
}

/// The manifest of a backup.
fn read(path: &Path) -> Result<Manifest, BackupError> {
    let flawed = |what| BackupError::Flawed { path: path.to_owned(), what };
    let text = fs::read_to_string(path.join(manifest::FILE)).map_err(|e| {
        let inner = whole_ones(path)
            .pop()
            .map_or(String::new(), |newest| format!("; did you mean {}?", newest.display()));
        flawed(format!("its {} cannot be read ({e}){inner}", manifest::FILE))
    })?;
    Manifest::read(&text).map_err(|unreadable: Unreadable| flawed(unreadable.to_string()))
}

fn check_bytes(path: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    for file in &manifest.files {
        let is_there = path.join(&file.name).is_file();
        if !is_there || listed(path, file.name.clone())? != *file {
            let what = format!("{} is not as it was when the backup was made", file.name);
            return Err(BackupError::Flawed { path: path.to_owned(), what });
        }
    }
    Ok(())
}

/// The length and checksum of a file.
fn listed(dir: &Path, name: String) -> Result<Listed, BackupError> {
    let path = dir.join(&name);
    let failed = |e| BackupError::io("read", &path)(e);
    let mut file = File::open(&path).map_err(failed)?;
    let mut piece = vec![0; 128 << 10];
    let (mut len, mut crc) = (0, 0);
    loop {
        match file.read(&mut piece).map_err(failed)? {
            0 => return Ok(Listed { name, len, crc }),
            n => {
                len += n as u64;
                crc = crc32c::crc32c_append(crc, &piece[..n]);
            }
        }
    }
}

/// For its owner alone, and on the disk.
fn private(path: &Path) -> Result<(), BackupError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::Permissions::from_mode(0o600);
    let done = fs::set_permissions(path, mode).and_then(|()| File::open(path)?.sync_all());
    done.map_err(BackupError::io("sync", path))
}

fn sync(dir: &Path) -> Result<(), BackupError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(BackupError::io("sync", dir))
}

/// The backups of a folder, the oldest first: their names sort by time.
fn whole_ones(to: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(to).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            name.starts_with(PREFIX) && !name.ends_with(UNFINISHED) && path.join(manifest::FILE).is_file()
        })
        .collect();
    found.sort_unstable();
    found
}

/// When the newest backup in `to` was made; none if there is none that says so.
#[must_use]
pub fn newest(to: &Path) -> Option<UnixMillis> {
    whole_ones(to).into_iter().rev().find_map(|path| read(&path).ok()).map(|manifest| manifest.made)
}

/// Removes all but the newest `keep` backups of `to`. Gives how many went.
///
/// # Errors
/// What the operating system says.
pub fn tidy(to: &Path, keep: usize) -> Result<usize, BackupError> {
    let all = whole_ones(to);
    let old = &all[..all.len().saturating_sub(keep.max(1))];
    for path in old {
        // The manifest first: half a backup is none.
        let manifest = path.join(manifest::FILE);
        fs::remove_file(&manifest).map_err(BackupError::io("remove", &manifest))?;
        fs::remove_dir_all(path).map_err(BackupError::io("remove", path))?;
    }
    Ok(old.len())
}
