//! Snapshot files: images of the state that bound recovery and let old segments go.
//!
//! What lives here: [`write()`], [`load_newest`] and [`prune`]; [`file`] reads and writes one image block by
//! block. The two newest snapshots are kept, and every
//! segment that the older of them needs: should the newest turn out damaged, the older one and the journal
//! still hold everything. What the blocks mean is the engine's subject.

pub mod file;

use super::io::Directory;
use super::{DiskError, segment};
use file::{ImageReader, ImageWriter};
use nobat_core::id::Seq;
use nobat_core::journal::snapshot::{SnapshotFlaw, SnapshotHeader};
use nobat_core::record::Malformed;

const PREFIX: &str = "snapshot-";
const SUFFIX: &str = ".snap";

/// Snapshots that are kept.
const KEPT: usize = 2;

/// The file name of the snapshot that covers this frame.
pub(super) fn name(covered: Seq) -> String {
    format!("{PREFIX}{:020}{SUFFIX}", covered.0)
}

fn covered_by(name: &str) -> Option<Seq> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    (digits.len() == 20).then(|| digits.parse().ok().map(Seq)).flatten()
}

/// The snapshots of a directory, the newest first.
pub(super) fn list(dir: &dyn Directory) -> Result<Vec<Seq>, DiskError> {
    let names = dir.list().map_err(DiskError::io("list", "the data directory"))?;
    let mut found: Vec<Seq> = names.iter().filter_map(|name| covered_by(name)).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

/// Writes an image, block by block, and gives it its name once it is durable. Give it only what
/// [`super::Durability::durable`] covers: a snapshot ahead of the journal would be a promise nobody made.
///
/// # Errors
/// A block over the limit, or what the operating system says; the journal and older snapshots are untouched.
pub fn write<B: AsRef<[u8]>>(
    dir: &dyn Directory,
    header: &SnapshotHeader,
    blocks: impl IntoIterator<Item = B>,
) -> Result<(), DiskError> {
    let mut image = ImageWriter::begin(dir, header)?;
    for block in blocks {
        image.block(block.as_ref())?;
    }
    image.finish()
}

/// What [`load_newest`] found.
#[derive(Clone, Default, Debug)]
pub struct Loaded {
    /// The image that was given to the callback; its `covered` goes into [`super::Options`].
    pub header: Option<SnapshotHeader>,
    /// Newer snapshots that were passed over, and why. Worth an alarm.
    pub passed_over: Vec<DiskError>,
}

/// Gives the blocks of the newest whole snapshot to `each`. A snapshot is read twice: nothing of it is given
/// away before all of it was checked.
///
/// # Errors
/// What `each` says, a snapshot of a newer format, or what the operating system says. Damage is no error
/// here: an older snapshot takes over, and if the journal no longer reaches back that far, opening it says so.
pub fn load_newest(
    dir: &dyn Directory,
    mut each: impl FnMut(&[u8]) -> Result<(), Malformed>,
) -> Result<Loaded, DiskError> {
    let mut loaded = Loaded::default();
    for covered in list(dir)? {
        let file = name(covered);
        match read(dir, &file, |_| Ok(())) {
            Ok(header) if header.covered == covered => {
                let unreadable = |flaw| DiskError::UnreadableImage { file: file.clone(), flaw };
                loaded.header = Some(read(dir, &file, |block| each(block).map_err(unreadable))?);
                return Ok(loaded);
            }
            Ok(_) => {
                loaded.passed_over.push(DiskError::Limit("a snapshot's name and header disagree"));
            }
            Err(e @ DiskError::Snapshot { flaw: SnapshotFlaw::UnknownVersion(_), .. }) => return Err(e),
            Err(e @ DiskError::Snapshot { .. }) => loaded.passed_over.push(e),
            Err(e) => return Err(e),
        }
    }
    Ok(loaded)
}

fn read(
    dir: &dyn Directory,
    file: &str,
    mut each: impl FnMut(&[u8]) -> Result<(), DiskError>,
) -> Result<SnapshotHeader, DiskError> {
    let mut image = ImageReader::open(dir, file)?;
    while let Some(block) = image.next_block()? {
        each(&block)?;
    }
    Ok(*image.header())
}

/// The newest snapshot that is whole.
///
/// # Errors
/// As [`load_newest`].
pub fn newest_whole(dir: &dyn Directory) -> Result<Option<SnapshotHeader>, DiskError> {
    for covered in list(dir)? {
        match read(dir, &name(covered), |_| Ok(())) {
            Ok(header) if header.covered == covered => return Ok(Some(header)),
            Ok(_) | Err(DiskError::Snapshot { .. }) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}

/// The newest snapshot that is whole, open at its first block. An open file stays, whatever is tidied up meanwhile.
///
/// # Errors
/// As [`load_newest`].
pub fn open_newest(dir: &dyn Directory) -> Result<Option<ImageReader>, DiskError> {
    newest_whole(dir)?.map(|header| ImageReader::open(dir, &name(header.covered))).transpose()
}

/// Removes what no start needs any more: snapshots older than the two newest, and segments whose every frame
/// the older of these covers. With fewer than two snapshots nothing goes. Safe beside a running journal: the
/// segment that is written to is never the one that goes.
///
/// # Errors
/// What the operating system says; what was removed by then was not needed.
pub fn prune(dir: &dyn Directory) -> Result<(), DiskError> {
    prune_keeping(dir, Seq(u64::MAX))
}

/// As [`prune`], but every segment that holds the frame `from` or a later one stays: who reads the journal for
/// another purpose has not come further yet.
///
/// # Errors
/// As [`prune`].
pub fn prune_keeping(dir: &dyn Directory, from: Seq) -> Result<(), DiskError> {
    let snapshots = list(dir)?;
    let Some(oldest_kept) = snapshots.get(KEPT - 1) else { return Ok(()) };
    let headers = segment::list(dir)?;
    let last = from.0.min(oldest_kept.0 + 1);
    let covered = headers.windows(2).filter(|pair| pair[1].first.0 <= last);
    let segments = covered.map(|pair| segment::name(pair[0].id));
    // In this order, and oldest first: a crash in between never leaves a gap.
    let old = snapshots[KEPT..].iter().rev().map(|covered| name(*covered));
    for file in old.chain(segments) {
        dir.remove(&file).map_err(DiskError::io("remove", &file))?;
    }
    dir.sync().map_err(DiskError::io("sync", "the data directory"))
}
