//! One process per data directory.

use super::DiskError;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// The name of the lock file. Its content is the holder's process id, for people.
const NAME: &str = "lock";

/// An exclusive `flock` on the data directory, given up when dropped or when the process ends, however it
/// ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `dir`, which is made if it does not exist.
    ///
    /// # Errors
    /// [`DiskError::Locked`] with the holder's process id, or what the operating system says.
    pub fn take(dir: &Path) -> Result<Self, DiskError> {
        let shown = dir.display().to_string();
        std::fs::create_dir_all(dir).map_err(DiskError::io("make the directory", &shown))?;
        let path = dir.join(NAME);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(DiskError::io("open the lock", &path.display().to_string()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                let read = file.read_to_string(&mut holder);
                let known = read.is_ok() && !holder.trim().is_empty();
                let holder = if known { holder.trim().to_owned() } else { "unknown".to_owned() };
                return Err(DiskError::Locked { dir: dir.to_owned(), holder });
            }
            Err(e) => return Err(DiskError::io("lock the directory", &shown)(e.into())),
        }
        // The content only helps people; the lock holds without it.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}
