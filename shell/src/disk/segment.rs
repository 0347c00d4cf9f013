//! Segment files: their names, how a new one comes to be, how one is read.

use super::DiskError;
use super::io::{Directory, SegmentFile, read_full, write_all};
use nobat_core::id::Seq;
use nobat_core::journal::frame::{Frame, SEGMENT_HEADER_BYTES, SegmentHeader};
use nobat_core::journal::recover::{Ending, Step, Walk};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const PREFIX: &str = "journal-";
const SUFFIX: &str = ".seg";

/// Files that are not finished bear this; they are removed at start.
pub(super) const UNFINISHED: &str = ".tmp";

/// Bytes of zeros written at once when a segment is filled, each followed by a sync: a commit that runs
/// beside it waits for at most this much.
const FILL_BYTES: usize = 256 << 10;

/// Bytes that are filled before a start goes on: ten milliseconds' worth. A whole segment would take a tenth of
/// a second and more.
const BEGINNING_BYTES: u64 = 4 << 20;

/// A segment that is ready before it is needed, whole and synced; what it holds does not count. It outlives the
/// process, so that the next start finds it.
pub(super) const SPARE: &str = "spare.ready";

/// Bytes read at once.
const WINDOW_BYTES: usize = 1 << 20;

/// The file name of segment `id`.
pub(super) fn name(id: u32) -> String {
    format!("{PREFIX}{id:010}{SUFFIX}")
}

/// The id in a file name, if it is a segment's.
fn id_of(name: &str) -> Option<u32> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    (digits.len() == 10).then(|| digits.parse().ok()).flatten()
}

/// The segments of a directory in the order of their ids, with their headers.
///
/// # Errors
/// A file that bears a segment's name and is none, or what the operating system says.
pub(super) fn list(dir: &dyn Directory) -> Result<Vec<SegmentHeader>, DiskError> {
    ids(dir)?.into_iter().map(|id| header(dir, id)).collect()
}

/// The ids of the segments of a directory, in order.
///
/// # Errors
/// What the operating system says.
pub(super) fn ids(dir: &dyn Directory) -> Result<Vec<u32>, DiskError> {
    let names = dir.list().map_err(DiskError::io("list", "the data directory"))?;
    let mut ids: Vec<u32> = names.iter().filter_map(|name| id_of(name)).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// The header of one segment.
///
/// # Errors
/// As [`list`].
pub(super) fn header(dir: &dyn Directory, id: u32) -> Result<SegmentHeader, DiskError> {
    let file = name(id);
    let mut page = [0; SEGMENT_HEADER_BYTES];
    let open = dir.open(&file).map_err(DiskError::io("open", &file))?;
    let got = read_full(&*open, &mut page, 0).map_err(DiskError::io("read", &file))?;
    let header = SegmentHeader::decode(&page[..got]);
    match header.map_err(|flaw| DiskError::Header { file: file.clone(), flaw })? {
        header if header.id == id => Ok(header),
        _ => Err(DiskError::Limit("a segment's name and header disagree: it was renamed by hand")),
    }
}

/// Reads a segment to its end, giving each frame that counts with its place in the file.
///
/// # Errors
/// Damage, what `each` says, or what the operating system says.
pub(super) fn read(
    dir: &dyn Directory,
    header: &SegmentHeader,
    until: Option<Seq>,
    mut each: impl FnMut(u64, &Frame<'_>) -> Result<(), DiskError>,
) -> Result<Ending, DiskError> {
    let file = name(header.id);
    let open = dir.open(&file).map_err(DiskError::io("open", &file))?;
    let mut walk = Walk::new(header, until);
    let mut window = vec![0; WINDOW_BYTES];
    loop {
        let start = walk.at();
        let got = read_full(&*open, &mut window, start).map_err(DiskError::io("read", &file))?;
        let at_end = got < window.len();
        let mut used = 0;
        loop {
            let at = walk.at();
            let step = walk.step(&window[used..got], at_end);
            match step.map_err(|refusal| DiskError::Damaged { file: file.clone(), refusal })? {
                Step::Frame { frame, used: n } => {
                    each(at, &frame)?;
                    used += n;
                }
                Step::Skip { used: n } => used += n,
                Step::More { needed } => {
                    let len = window.len().max(needed);
                    window.resize(len, 0);
                    break;
                }
                Step::Over(ending) => return Ok(ending),
            }
        }
    }
}

/// A file of `bytes` zero bytes on the disk, under a name that does not count.
///
/// Overwriting blocks that were written before needs no change of metadata, so each commit is one flush of
/// data: 103 us for 100 records of 200 bytes where blocks that are only set aside take 172 and a growing
/// file 177 (one virtual disk, ext4, median; `cargo bench -p nobat-benches --bench journal`).
///
/// # Errors
/// What the operating system says; the file is removed.
pub(super) fn prepare(
    dir: &dyn Directory,
    name: &str,
    bytes: u64,
    fill: Fill<'_>,
) -> Result<Box<dyn SegmentFile>, DiskError> {
    let made = try_prepare(dir, name, bytes, fill);
    if made.is_err() {
        // It must not eat the space that is short; at worst the next start removes it.
        let _ = dir.remove(name);
    }
    made
}

/// How thoroughly a segment is prepared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fill<'a> {
    /// Space is set aside only: at once.
    None,
    /// Zeros are written at the beginning, where a start soon writes; the rest is set aside.
    Beginning,
    /// Zeros are written in small pieces, each synced, until told to stop (the rest is left set aside).
    Gently(&'a AtomicBool),
}

fn try_prepare(
    dir: &dyn Directory,
    name: &str,
    bytes: u64,
    fill: Fill<'_>,
) -> Result<Box<dyn SegmentFile>, DiskError> {
    let mut file = dir.create(name).map_err(DiskError::io("create", name))?;
    file.allocate(bytes).map_err(DiskError::io("set aside space for", name))?;
    let zeros = vec![0; FILL_BYTES];
    let mut at = 0;
    let until = match fill {
        Fill::None => 0,
        Fill::Beginning => bytes.min(BEGINNING_BYTES),
        Fill::Gently(_) => bytes,
    };
    while at < until {
        let n = zeros.len().min(usize::try_from(until - at).unwrap_or(usize::MAX));
        write_all(&mut *file, &zeros[..n], at).map_err(DiskError::io("write", name))?;
        at += n as u64;
        if let Fill::Gently(stop) = fill {
            // ORDERING: Relaxed; a request to hurry, nothing else is carried.
            if stop.load(Ordering::Relaxed) {
                break;
            }
            file.sync().map_err(DiskError::io("sync", name))?;
        }
    }
    file.sync().map_err(DiskError::io("sync", name))?;
    Ok(file)
}

/// Writes the header and `frames` behind it, syncs, and only then gives the file its name: what bears a
/// segment's name is whole.
///
/// # Errors
/// What the operating system says. A failed sync of the directory leaves open whether the name is durable.
pub(super) fn install(
    dir: &Arc<dyn Directory>,
    file: &mut dyn SegmentFile,
    unfinished: &str,
    header: &SegmentHeader,
    frames: &[u8],
) -> Result<(), DiskError> {
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(frames);
    write_all(file, &bytes, 0).map_err(DiskError::io("write", unfinished))?;
    file.sync().map_err(DiskError::sync(unfinished))?;
    dir.rename(unfinished, &name(header.id)).map_err(DiskError::io("rename", unfinished))?;
    dir.sync().map_err(DiskError::sync("the data directory"))
}
