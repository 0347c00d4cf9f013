//! The follower's way through the files: what a new snapshot is made of.
//!
//! What lives here: [`due`], which finds the newest image and the sealed segments behind it, and [`Due`], which
//! reads them. Only segments behind which another one stands are read: all of their frames are durable and
//! nobody writes to them any more. So the follower needs nothing of the running journal, and the live state
//! is never touched. What frames mean is the engine's subject.

use super::io::Directory;
use super::snapshot::file::ImageReader;
use super::{DiskError, segment, snapshot};
use nobat_core::id::Seq;
use nobat_core::journal::frame::{Kind, SegmentHeader};
use nobat_core::journal::recover::plan;

/// What the next snapshot is made of.
#[derive(Clone, Debug)]
pub struct Due {
    /// The last frame that the snapshot will cover.
    pub covered: Seq,
    /// Bytes of the segments to read: how much shorter a recovery would become.
    pub bytes: u64,
    /// The image to begin with.
    base: Option<Seq>,
    segments: Vec<(SegmentHeader, Option<Seq>)>,
}

/// What a snapshot made now would be made of; none if no segment was sealed since the last one. Reads the
/// newest snapshot once, to know that it is whole.
///
/// # Errors
/// Files that do not fit together, or what the operating system says.
pub fn due(dir: &dyn Directory) -> Result<Option<Due>, DiskError> {
    let headers = segment::list(dir)?;
    let Some((active, sealed)) = headers.split_last() else { return Ok(None) };
    let covered = Seq(active.first.0 - 1);
    let base = snapshot::newest_whole(dir)?.map(|header| header.covered);
    let known = base.unwrap_or(Seq(0));
    if sealed.is_empty() || covered <= known {
        return Ok(None);
    }
    let untils = plan(&headers, known)?;
    let pairs = sealed.iter().copied().zip(untils);
    let segments: Vec<_> =
        pairs.filter(|(_, until)| until.is_some_and(|until| until.0 > known.0 + 1)).collect();
    let mut bytes = 0;
    for (header, _) in &segments {
        let file = segment::name(header.id);
        bytes += dir.len(&file).map_err(DiskError::io("look at", &file))?;
    }
    Ok(Some(Due { covered, bytes, base, segments }))
}

impl Due {
    /// Gives each frame behind the base to `each`.
    ///
    /// # Errors
    /// What `each` says, damage, or what the operating system says.
    pub fn read(
        &self,
        dir: &dyn Directory,
        mut each: impl FnMut(Seq, &[u8]) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        let known = self.base.unwrap_or(Seq(0));
        for (header, until) in &self.segments {
            segment::read(dir, header, *until, |_, frame| {
                let new = frame.kind == Kind::Entry && frame.seq > known;
                if new { each(frame.seq, frame.payload) } else { Ok(()) }
            })?;
        }
        Ok(())
    }

    /// The image to begin with.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn base(&self, dir: &dyn Directory) -> Result<Option<ImageReader>, DiskError> {
        self.base.map(|covered| ImageReader::open(dir, &snapshot::name(covered))).transpose()
    }
}

/// Bytes of the segments that hold the frame `from` or a later one.
///
/// # Errors
/// A file that bears a segment's name and is none, or what the operating system says.
pub fn bytes_from(dir: &dyn Directory, from: Seq) -> Result<u64, DiskError> {
    let headers = segment::list(dir)?;
    let gone = headers.iter().skip(1).filter(|header| header.first <= from).count();
    let mut bytes = 0;
    for header in &headers[gone..] {
        let file = segment::name(header.id);
        bytes += dir.len(&file).map_err(DiskError::io("look at", &file))?;
    }
    Ok(bytes)
}
