//! Snapshot files: images of the state that bound recovery and let old segments go.
//!
//! What lives here: [`write`], [`load_newest`] and [`prune`]. The two newest snapshots are kept, and every
//! segment that the older of them needs: should the newest turn out damaged, the older one and the journal
//! still hold everything. What the blocks mean is the engine's subject.

use super::io::{Directory, SegmentFile, read_full, write_all};
use super::{DiskError, segment};
use nobat_core::id::Seq;
use nobat_core::journal::snapshot::{Block, Blocks, SNAPSHOT_HEADER_BYTES, SnapshotFlaw, SnapshotHeader};
use nobat_core::record::Malformed;

const PREFIX: &str = "snapshot-";
const SUFFIX: &str = ".snap";

/// Snapshots that are kept.
const KEPT: usize = 2;

/// Bytes gathered before they are written, and read at once.
const WINDOW_BYTES: usize = 1 << 20;

fn name(covered: Seq) -> String {
    format!("{PREFIX}{:020}{SUFFIX}", covered.0)
}

fn covered_by(name: &str) -> Option<Seq> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    (digits.len() == 20).then(|| digits.parse().ok().map(Seq)).flatten()
}

/// The snapshots of a directory, the newest first.
fn list(dir: &dyn Directory) -> Result<Vec<Seq>, DiskError> {
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
    let (file, unfinished) =
        (name(header.covered), format!("{}{}", name(header.covered), segment::UNFINISHED));
    let written = try_write(dir, header, blocks, &unfinished);
    if written.is_err() {
        // It must not eat the space that may be short; at worst the next start removes it.
        let _ = dir.remove(&unfinished);
    }
    written?;
    dir.rename(&unfinished, &file).map_err(DiskError::io("rename", &unfinished))?;
    dir.sync().map_err(DiskError::io("sync", "the data directory"))
}

fn try_write<B: AsRef<[u8]>>(
    dir: &dyn Directory,
    header: &SnapshotHeader,
    blocks: impl IntoIterator<Item = B>,
    unfinished: &str,
) -> Result<(), DiskError> {
    let mut file = dir.create(unfinished).map_err(DiskError::io("create", unfinished))?;
    let (mut codec, mut buffer, mut at) = (Blocks::new(header), header.encode().to_vec(), 0);
    for block in blocks {
        let too_long = |flaw| DiskError::Snapshot { file: unfinished.to_owned(), flaw };
        codec.encode(block.as_ref(), &mut buffer).map_err(too_long)?;
        if buffer.len() >= WINDOW_BYTES {
            write_all(&mut *file, &buffer, at).map_err(DiskError::io("write", unfinished))?;
            at += buffer.len() as u64;
            buffer.clear();
        }
    }
    codec.finish(&mut buffer);
    write_all(&mut *file, &buffer, at).map_err(DiskError::io("write", unfinished))?;
    file.sync().map_err(DiskError::io("sync", unfinished))
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
    let flawed = |flaw| DiskError::Snapshot { file: file.to_owned(), flaw };
    let open = dir.open(file).map_err(DiskError::io("open", file))?;
    let mut window = vec![0; WINDOW_BYTES];
    let mut got = fill(&*open, &mut window, 0, file)?;
    let header = SnapshotHeader::decode(&window[..got]).map_err(flawed)?;
    let (mut blocks, mut start, mut used) = (Blocks::new(&header), 0, SNAPSHOT_HEADER_BYTES);
    loop {
        match blocks.decode(&window[used..got]).map_err(flawed)? {
            Block::Content { bytes, used: n } => {
                each(bytes)?;
                used += n;
            }
            Block::End => return Ok(header),
            Block::More { .. } if got < window.len() => return Err(flawed(SnapshotFlaw::CutShort)),
            Block::More { needed } => {
                start += used as u64;
                window.resize(window.len().max(needed), 0);
                got = fill(&*open, &mut window, start, file)?;
                used = 0;
            }
        }
    }
}

fn fill(open: &dyn SegmentFile, window: &mut [u8], at: u64, file: &str) -> Result<usize, DiskError> {
    read_full(open, window, at).map_err(DiskError::io("read", file))
}

/// Removes what no start needs any more: snapshots older than the two newest, and segments whose every frame
/// the older of these covers. With fewer than two snapshots nothing goes. Safe beside a running journal: the
/// segment that is written to is never the one that goes.
///
/// # Errors
/// What the operating system says; what was removed by then was not needed.
pub fn prune(dir: &dyn Directory) -> Result<(), DiskError> {
    let snapshots = list(dir)?;
    let Some(oldest_kept) = snapshots.get(KEPT - 1) else { return Ok(()) };
    let headers = segment::list(dir)?;
    let covered = headers.windows(2).filter(|pair| pair[1].first.0 <= oldest_kept.0 + 1);
    let segments = covered.map(|pair| segment::name(pair[0].id));
    // In this order, and oldest first: a crash in between never leaves a gap.
    let old = snapshots[KEPT..].iter().rev().map(|covered| name(*covered));
    for file in old.chain(segments) {
        dir.remove(&file).map_err(DiskError::io("remove", &file))?;
    }
    dir.sync().map_err(DiskError::io("sync", "the data directory"))
}
