//! The journal read in order while it is being written: what records for people are made of.
//!
//! What lives here: [`Tail`]. It reads files only, asks for nothing beyond what the caller says is durable, and
//! never holds anybody up. A start copies frames that may not have been on disk into a new segment, so the frame
//! `s` is always the one of the *last* segment that begins at or before `s`.

use super::io::{Directory, SegmentFile, read_full};
use super::{DiskError, segment};
use nobat_core::id::Seq;
use nobat_core::journal::frame::{Codec, Flaw, Kind, SEGMENT_HEADER_BYTES, SegmentHeader, frame_bytes};
use nobat_core::journal::recover::Refusal;
use std::sync::Arc;

/// Bytes read at once.
const WINDOW_BYTES: usize = 256 << 10;

/// A place in the journal.
pub struct Tail {
    dir: Arc<dyn Directory>,
    header: SegmentHeader,
    file: Box<dyn SegmentFile>,
    codec: Codec,
    /// Where the next frame stands.
    at: u64,
    /// The sequence that is expected there.
    here: Seq,
    /// Where a later segment that was there when this one was opened takes over.
    until: Option<Seq>,
    /// The first frame that is wanted.
    from: Seq,
    window: Vec<u8>,
}

/// What became of one [`Tail::read`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Read {
    /// Entries given.
    pub entries: usize,
    /// The last sequence that was read.
    pub to: Seq,
}

impl Tail {
    /// Before the frame `from`; none if no segment reaches back that far.
    ///
    /// # Errors
    /// Files that do not fit together, or what the operating system says.
    pub fn seek(dir: Arc<dyn Directory>, from: Seq) -> Result<Option<Self>, DiskError> {
        let headers = headers(&*dir)?;
        let Some(at) = headers.iter().rposition(|header| header.first <= from) else { return Ok(None) };
        Self::open(dir, &headers, at, from).map(Some)
    }

    fn open(
        dir: Arc<dyn Directory>,
        headers: &[SegmentHeader],
        at: usize,
        from: Seq,
    ) -> Result<Self, DiskError> {
        let header = headers[at];
        let name = segment::name(header.id);
        let file = dir.open(&name).map_err(DiskError::io("open", &name))?;
        Ok(Self {
            file,
            codec: Codec::new(&header),
            at: SEGMENT_HEADER_BYTES as u64,
            here: header.first,
            until: headers.get(at + 1).map(|next| next.first),
            from,
            window: Vec::new(),
            header,
            dir,
        })
    }

    /// Gives the entries up to `durable` to `each`, at most so many and about so many bytes. The journal must
    /// hold them: what [`super::Durability::durable`] covers.
    ///
    /// # Errors
    /// What `each` says, a frame that is not there though it was durable, or what the operating system says.
    pub fn read<E: From<DiskError>>(
        &mut self,
        durable: Seq,
        (entries, bytes): (usize, usize),
        mut each: impl FnMut(Seq, &[u8]) -> Result<(), E>,
    ) -> Result<Read, E> {
        let mut read = Read { entries: 0, to: Seq(self.from.0 - 1) };
        let mut taken = 0;
        while self.here <= durable && read.entries < entries && taken < bytes {
            if self.until.is_some_and(|until| until <= self.here) {
                self.turn_over()?;
            }
            let got = self.fill(WINDOW_BYTES)?;
            let mut used = 0;
            loop {
                let over = self.until.is_some_and(|until| until <= self.here);
                if over || self.here > durable || read.entries == entries || taken >= bytes {
                    break;
                }
                match self.codec.decode(&self.window[used..got]) {
                    Ok(frame) if frame.kind == Kind::Entry && frame.seq == self.here => {
                        let length = frame_bytes(frame.payload.len());
                        if frame.seq >= self.from {
                            each(frame.seq, frame.payload)?;
                            (read.entries, read.to) = (read.entries + 1, frame.seq);
                            taken += length;
                            self.from.0 += 1;
                        }
                        used += length;
                        self.at += length as u64;
                        self.here.0 += 1;
                    }
                    Err(Flaw::CutShort { needed }) if got == self.window.len() => {
                        if used == 0 {
                            self.fill(needed)?;
                        }
                        break;
                    }
                    // A seal, or the end of what was written here: the next segment goes on.
                    other => {
                        let flaw = other.err();
                        self.turn_over_or(flaw)?;
                        break;
                    }
                }
            }
        }
        Ok(read)
    }

    fn fill(&mut self, least: usize) -> Result<usize, DiskError> {
        let len = self.window.len().max(least);
        self.window.resize(len, 0);
        read_full(&*self.file, &mut self.window, self.at).map_err(DiskError::io("read", &self.name()))
    }

    fn turn_over(&mut self) -> Result<(), DiskError> {
        self.turn_over_or(None)
    }

    /// Goes to the segment that holds the next frame, a later one than this.
    fn turn_over_or(&mut self, flaw: Option<Flaw>) -> Result<(), DiskError> {
        let headers = headers(&*self.dir)?;
        let later = headers.iter().rposition(|header| header.first <= self.here);
        match later.filter(|at| headers[*at].id > self.header.id) {
            Some(at) => {
                let window = std::mem::take(&mut self.window);
                *self = Self::open(Arc::clone(&self.dir), &headers, at, self.from)?;
                self.window = window;
                Ok(())
            }
            None => Err(self.missing(flaw)),
        }
    }

    fn missing(&self, flaw: Option<Flaw>) -> DiskError {
        let why = "it was durable, and is not there";
        let (segment, at, expected) = (self.header.id, self.at, self.here);
        let refusal = Refusal { label: "tail", why, segment, at, expected, flaw, other: None };
        DiskError::Damaged { file: self.name(), refusal }
    }

    fn name(&self) -> String {
        segment::name(self.header.id)
    }
}

/// As [`segment::list`], beside a follower that removes old segments: one that went between the look at the
/// directory and the look at the file is not needed.
fn headers(dir: &dyn Directory) -> Result<Vec<SegmentHeader>, DiskError> {
    let mut found = Vec::new();
    for id in segment::ids(dir)? {
        match segment::header(dir, id) {
            Ok(header) => found.push(header),
            Err(DiskError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(found)
}
