//! The data set's file: loaded at start, replaced without a restart.
//!
//! What lives here: [`DatasetFile`], which notices that the file was replaced (import renames a finished
//! file into place) and puts the new contents on the bot's shelf. A file that cannot be read leaves the one
//! in place that was good: no pupil loses his result over a broken copy.

use crate::say;
use nobat_bots::results::Shelf;
use nobat_bots::results::dataset::Dataset;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A data set's file and the shelf that its contents stand on.
pub(super) struct DatasetFile {
    path: Option<PathBuf>,
    shelf: Arc<Shelf>,
    /// Of the file that was last looked at, good or bad.
    seen: Option<Stamp>,
    looked: bool,
    present: bool,
}

/// A data set that was read and is not used yet.
#[derive(Default)]
pub(super) struct Prepared {
    path: Option<PathBuf>,
    stamp: Option<Stamp>,
    set: Option<Dataset>,
}

/// What tells one file from the one that replaced it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    len: u64,
    inode: u64,
}

impl DatasetFile {
    pub(super) const fn new(path: Option<PathBuf>, shelf: Arc<Shelf>) -> Self {
        Self { path, shelf, seen: None, looked: false, present: false }
    }

    /// Whether there is a data set.
    pub(super) const fn present(&self) -> bool {
        self.present
    }

    /// Reads the file at `path` whole, without using it.
    ///
    /// # Errors
    /// In words, with the file.
    pub(super) fn prepare(path: Option<&Path>) -> Result<Prepared, String> {
        let Some(path) = path else { return Ok(Prepared::default()) };
        let Some(stamp) = stamp(path) else {
            return Ok(Prepared { path: Some(path.to_owned()), ..Prepared::default() });
        };
        let set = load(path).map_err(|e| format!("the data set {} cannot be used: {e}", path.display()))?;
        Ok(Prepared { path: Some(path.to_owned()), stamp: Some(stamp), set: Some(set) })
    }

    /// Uses what was prepared. If there was no file at its path, what is in memory stays.
    pub(super) fn adopt(&mut self, prepared: Prepared) {
        (self.path, self.seen, self.looked) = (prepared.path, prepared.stamp, true);
        if let Some(set) = prepared.set {
            self.put(set);
        }
    }

    fn put(&mut self, set: Dataset) {
        let (students, version) = (set.len(), set.version());
        self.shelf.put(Some(set));
        self.present = true;
        let shown = self.path.as_deref().unwrap_or(Path::new("")).display();
        say!(Info, "data set loaded: {students} results", file = shown, version = version);
    }

    /// Looks whether the file was replaced, and loads it if so. A broken file is said once.
    pub(super) fn refresh(&mut self) {
        let Some(path) = &self.path else { return };
        let stamp = stamp(path);
        if stamp == self.seen && self.looked {
            return;
        }
        (self.seen, self.looked) = (stamp, true);
        let shown = path.display();
        if stamp.is_none() {
            let kept = if self.present { ": the one in memory stays in use" } else { "" };
            say!(Warn, "no data set at {shown}{kept}; make one with `nobat results import`");
            return;
        }
        match load(path) {
            Ok(set) => self.put(set),
            Err(e) if self.present => {
                say!(Error, "the data set cannot be used, the one before stays: {e}", file = shown);
            }
            Err(e) => say!(Error, "the data set cannot be used: {e}", file = shown),
        }
    }
}

fn load(path: &Path) -> Result<Dataset, String> {
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    Dataset::load(bytes).map_err(|e| e.to_string())
}

#[cfg(unix)]
fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(path).ok()?;
    Some(Stamp { modified: meta.modified().ok()?, len: meta.len(), inode: meta.ino() })
}
