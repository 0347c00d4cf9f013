//! A copy of a journal that is being written: the newest snapshot and every frame behind it.
//!
//! What lives here: [`journal`], for backups. It takes no lock and asks nothing of the running process. What makes that
//! right: bytes of whole frames are never changed once they were written, so a copy that ends behind a whole frame is
//! a prefix of the journal, and every prefix is a legal state. Where the last segment ends is found by the table of
//! recovery; files that are tidied up in between begin the look anew.

use super::io::{Directory, FsDirectory, read_full};
use super::{DiskError, inspect, segment, snapshot};
use nobat_core::id::Seq;
use nobat_core::journal::recover::plan;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// How often the look is begun anew.
const LOOKS: usize = 5;

/// Bytes copied at once.
const PIECE_BYTES: usize = 128 << 10;

/// What was copied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copied {
    /// The snapshot covers the frames to here; 0 without one.
    pub covered: Seq,
    /// The last frame.
    pub last: Seq,
    /// The files, as they are named in both directories.
    pub files: Vec<String>,
}

/// Copies into the directory `to`, which has none of the files yet. `pace` hears of every few bytes, and may rest, or
/// end it with an error. Every file is synced; the directory is the caller's.
///
/// # Errors
/// Damage, what `pace` says, or what the operating system says.
pub fn journal(
    from: &Path,
    to: &Path,
    pace: &mut dyn FnMut(usize) -> Result<(), DiskError>,
) -> Result<Copied, DiskError> {
    let mut look = 1;
    loop {
        match once(from, to, pace) {
            Err(DiskError::Io { source, .. }) if source.kind() == ErrorKind::NotFound && look < LOOKS => {
                look += 1;
                clear(to)?;
            }
            other => return other,
        }
    }
}

/// Removes what a look that was given up has copied.
fn clear(to: &Path) -> Result<(), DiskError> {
    let dir = FsDirectory::new(to);
    let segments = segment::ids(&dir)?.into_iter().map(segment::name);
    for name in segments.chain(snapshot::list(&dir)?.into_iter().map(snapshot::name)) {
        dir.remove(&name).map_err(DiskError::io("remove", &name))?;
    }
    Ok(())
}

fn once(
    from: &Path,
    to: &Path,
    pace: &mut dyn FnMut(usize) -> Result<(), DiskError>,
) -> Result<Copied, DiskError> {
    let dir = FsDirectory::new(from);
    let covered = snapshot::newest_whole(&dir)?.map(|header| header.covered);
    let mut copied = Copied { covered: covered.unwrap_or(Seq(0)), last: Seq(0), files: Vec::new() };
    copied.last = copied.covered;
    if let Some(covered) = covered {
        let name = snapshot::name(covered);
        let len = dir.len(&name).map_err(DiskError::io("look at", &name))?;
        prefix(&dir, &name, len, to, pace)?;
        copied.files.push(name);
    }
    let headers = segment::list(&dir)?;
    let untils = plan(&headers, copied.covered)?;
    for (header, until) in headers.iter().zip(untils) {
        if until.is_some_and(|until| until.0 <= copied.covered.0 + 1) {
            continue;
        }
        let ending = match until {
            Some(_) => segment::read(&dir, header, until, |_, frame| pace(frame.payload.len()))?,
            None => inspect::ending(&dir, header)?,
        };
        copied.last = copied.last.max(Seq(ending.next.0 - 1));
        let name = segment::name(header.id);
        prefix(&dir, &name, ending.at, to, pace)?;
        copied.files.push(name);
    }
    Ok(copied)
}

/// Copies the first `len` bytes of a file.
fn prefix(
    dir: &dyn Directory,
    name: &str,
    len: u64,
    to: &Path,
    pace: &mut dyn FnMut(usize) -> Result<(), DiskError>,
) -> Result<(), DiskError> {
    let source = dir.open(name).map_err(DiskError::io("open", name))?;
    let path = to.join(name);
    let mut target = fresh(&path)?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut at = 0;
    while at < len {
        let want = piece.len().min(usize::try_from(len - at).unwrap_or(usize::MAX));
        let got = read_full(&*source, &mut piece[..want], at).map_err(DiskError::io("read", name))?;
        if got == 0 {
            let ended = std::io::Error::new(ErrorKind::UnexpectedEof, "it became shorter while it was read");
            return Err(DiskError::io("read", name)(ended));
        }
        target.write_all(&piece[..got]).map_err(DiskError::io("write", &path.display().to_string()))?;
        at += got as u64;
        pace(got)?;
    }
    target.sync_all().map_err(DiskError::io("sync", &path.display().to_string()))
}

/// An empty file that only its owner may read.
fn fresh(path: &Path) -> Result<File, DiskError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.map_err(DiskError::io("create", &path.display().to_string()))
}
