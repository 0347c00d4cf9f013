//! `nobat journal repair`: what a damaged journal still holds, as a new data directory. The damaged one is read
//! and never changed.
//!
//! What lives here: [`repair`]. It takes the newest whole snapshot and every frame behind it that still fits
//! its checksum, up to the first that is missing: each frame changes what the one before left, so nothing
//! behind a gap can be used. Unlike recovery it may lose what was acknowledged, and says exactly what; hence
//! it is for people and never runs by itself.

use super::io::{Directory, FsDirectory, read_full};
use super::snapshot::file::{ImageReader, ImageWriter};
use super::{DiskError, Journal, Options, segment, snapshot};
use nobat_core::id::Seq;
use nobat_core::journal::frame::{
    Codec, FRAME_ALIGN, Kind, SEGMENT_HEADER_BYTES, SegmentHeader, frame_bytes,
};
use std::fmt;
use std::path::Path;

/// What became of a journal.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Repaired {
    /// The last frame that the snapshot covers, 0 without one.
    pub covered: Seq,
    /// Frames that were copied.
    pub copied: u64,
    /// The last frame that the copy holds.
    pub last: Seq,
    /// The highest frame that was seen whole: what is between `last` and it is lost.
    pub seen: Seq,
    /// What is damaged, file by file.
    pub damage: Vec<String>,
}

impl fmt::Display for Repaired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { covered, copied, last, seen, damage } = self;
        for line in damage {
            writeln!(f, "{line}")?;
        }
        writeln!(
            f,
            "the copy holds the snapshot of frame {covered} and {copied} frames behind it, to frame {last}"
        )?;
        if seen > last {
            let first = last.0 + 1;
            return write!(
                f,
                "LOST: frames {first} to {seen}, of which some can still be read but none can be applied \
                 without the one before it. Keep the damaged directory: `nobat journal dump` shows the others"
            );
        }
        write!(f, "nothing that can be seen is lost; a torn tail at the very end cannot be seen")
    }
}

/// Reads the data directory `from` and writes what it still holds to `to`, which must not exist or be empty.
///
/// # Errors
/// `to` is in use, nothing can be read at all, or what the operating system says. `from` is never changed.
pub fn repair(from: &Path, to: &Path) -> Result<Repaired, DiskError> {
    if std::fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(DiskError::Limit(
            "the directory for the copy is not empty: name one that is, or a new one",
        ));
    }
    let source = FsDirectory::new(from);
    let mut repaired = Repaired::default();
    if let Some(header) = snapshot::newest_whole(&source)? {
        repaired.covered = header.covered;
    }
    let segments = readable(&source, &mut repaired)?;
    if repaired.covered == Seq(0) && segments.first().is_none_or(|header| header.first != Seq(1)) {
        return Err(DiskError::Limit(
            "there is no whole snapshot and the first segment is missing or damaged: nothing can be repaired, \
             restore a backup",
        ));
    }
    repaired.last = repaired.covered;
    std::fs::create_dir_all(to).map_err(DiskError::io("make", &to.display().to_string()))?;
    if repaired.covered > Seq(0) {
        copy_image(&source, &FsDirectory::new(to), repaired.covered)?;
    }
    let options = Options { covered: repaired.covered, spare_ahead: false, ..Options::new(to) };
    let mut journal = Journal::open(&options, |_, _| Ok(()))?;
    for (at, header) in segments.iter().enumerate() {
        let until = segments.get(at + 1).map(|next| next.first);
        copy_frames(&source, header, until, &mut journal, &mut repaired)?;
    }
    journal.seal()?;
    Ok(repaired)
}

/// The headers that can be read, in order.
fn readable(dir: &dyn Directory, repaired: &mut Repaired) -> Result<Vec<SegmentHeader>, DiskError> {
    let mut headers = Vec::new();
    for id in segment::ids(dir)? {
        match segment::header(dir, id) {
            Ok(header) => headers.push(header),
            Err(e @ DiskError::Io { .. }) => return Err(e),
            Err(e) => repaired.damage.push(format!("{e}: none of its frames can be read")),
        }
    }
    Ok(headers)
}

fn copy_image(from: &dyn Directory, to: &dyn Directory, covered: Seq) -> Result<(), DiskError> {
    let mut old = ImageReader::open(from, &snapshot::name(covered))?;
    let mut new = ImageWriter::begin(to, old.header())?;
    while let Some(block) = old.next_block()? {
        new.block(&block)?;
    }
    new.finish()
}

/// Copies the frames of one segment that continue what was copied. Memory is that of the segment.
fn copy_frames(
    dir: &dyn Directory,
    header: &SegmentHeader,
    until: Option<Seq>,
    journal: &mut Journal,
    repaired: &mut Repaired,
) -> Result<(), DiskError> {
    let file = segment::name(header.id);
    let open = dir.open(&file).map_err(DiskError::io("open", &file))?;
    let len = dir.len(&file).map_err(DiskError::io("look at", &file))?;
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    let got = read_full(&*open, &mut bytes, 0).map_err(DiskError::io("read", &file))?;
    bytes.truncate(got);
    let (codec, mut at, mut group) = (Codec::new(header), SEGMENT_HEADER_BYTES, Vec::new());
    while at + FRAME_ALIGN <= bytes.len() {
        let Ok(frame) = codec.decode(&bytes[at..]) else {
            at += FRAME_ALIGN;
            continue;
        };
        let place = at;
        at += frame_bytes(frame.payload.len());
        if frame.kind == Kind::Seal || until.is_some_and(|until| frame.seq >= until) {
            continue;
        }
        repaired.seen = repaired.seen.max(frame.seq);
        if frame.seq.0 == repaired.last.0 + 1 {
            group.push(frame.payload);
            repaired.last = frame.seq;
        } else if frame.seq > repaired.last {
            let missing = repaired.last.0 + 1;
            let line =
                format!("{file}: frame {} stands at byte {place}, frame {missing} is missing", frame.seq);
            if repaired
                .damage
                .last()
                .is_none_or(|last| !last.ends_with(&format!("frame {missing} is missing")))
            {
                repaired.damage.push(line);
            }
        }
    }
    repaired.copied += group.len() as u64;
    if group.is_empty() {
        return Ok(());
    }
    journal.append_group(group).map(|_| ())
}
