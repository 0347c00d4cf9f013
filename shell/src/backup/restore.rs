//! A backup becomes a data directory, on whatever machine.

use super::manifest::{self, Manifest};
use super::{BackupError, check_bytes, private, read, sync};
use crate::disk::{Lock, inspect};
use std::fs;
use std::path::Path;

/// Copies the backup `from` to the data directory `to`, which must not be there or be empty. Every file is compared
/// with the manifest and every frame of the journal is checked, in the copy. A stop in between leaves `to` as it
/// was.
///
/// # Errors
/// [`BackupError`]; the backup is never changed.
pub fn restore(from: &Path, to: &Path) -> Result<Manifest, BackupError> {
    let manifest = read(from)?;
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) || to.is_file() {
        return Err(BackupError::NotEmpty { path: to.to_owned() });
    }
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(BackupError::io("make", parent))?;
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".tmp");
    let unfinished = Path::new(&unfinished);
    fs::create_dir(unfinished).map_err(BackupError::io("make", unfinished))?;
    let done = fill(from, unfinished, &manifest).and_then(|()| {
        // Onto an empty directory or none; one that was filled meanwhile is left alone.
        fs::rename(unfinished, to).map_err(BackupError::io("put into its place", to))?;
        sync(parent)
    });
    if done.is_err() {
        let _ = fs::remove_dir_all(unfinished);
    }
    done.map(|()| manifest)
}

fn fill(from: &Path, to: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    // Nobody else begins here while it is filled.
    let lock = Lock::take(to)?;
    for file in &manifest.files {
        let (source, target) = (from.join(&file.name), to.join(&file.name));
        fs::copy(&source, &target).map_err(BackupError::io("copy", &source))?;
        private(&target)?;
    }
    check_bytes(to, manifest)?;
    debug_assert!(!manifest.files.iter().any(|file| file.name == manifest::FILE));
    inspect::verify(to, manifest.covered)?;
    drop(lock);
    sync(to)
}
