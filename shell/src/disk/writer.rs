//! Writing frames: staged in memory, written and synced as one commit, segment after segment.
//!
//! What lives here: [`Journal`], single-owner. The commit thread drives it; it knows no ring and no thread
//! but the one that prepares the next segment. After a failed sync every further call fails.

use super::io::{Directory, SegmentFile, write_all};
use super::segment::{self, Fill};
use super::{COMMIT_BYTES_MAX, DiskError, Lock, Options, Recovered};
use nobat_core::id::Seq;
use nobat_core::journal::frame::{Codec, Frame, Kind, SEGMENT_HEADER_BYTES, SegmentHeader, frame_bytes};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// The next segment is prepared once this share of the current one is used: late enough that a short life
/// costs no second segment, early enough that it is ready in time, and at the next start.
const SPARE_AT_SHARE: u64 = 64;

/// An open journal, ready to be written to.
pub struct Journal {
    pub(super) dir: Arc<dyn Directory>,
    pub(super) options: Options,
    pub(super) recovered: Recovered,
    pub(super) salt: u64,
    pub(super) active: Active,
    /// Frames that are encoded and not durable. They stay here until a commit succeeds.
    staged: Vec<u8>,
    next: Seq,
    synced_to: Seq,
    poisoned: Option<DiskError>,
    spare: Option<Spare>,
    /// Given up last, after the files are closed.
    _lock: Option<Lock>,
}

/// The segment that is written to.
pub(super) struct Active {
    pub(super) file: Box<dyn SegmentFile>,
    pub(super) header: SegmentHeader,
    /// Where the next commit goes: all before it is durable.
    pub(super) end: u64,
    /// Bytes of the file.
    pub(super) len: u64,
}

/// A segment that a thread prepares ahead of its need.
struct Spare {
    name: String,
    hurry: Arc<AtomicBool>,
    thread: JoinHandle<Result<Box<dyn SegmentFile>, DiskError>>,
}

/// What became of a staged payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Staged {
    /// It will be part of the next commit.
    Yes,
    /// This commit is as large as commits get: commit, then stage it again.
    CommitFirst,
    /// The segment has no room for it: commit, roll, then stage it again.
    RollFirst,
}

impl Journal {
    pub(super) fn new(
        dir: Arc<dyn Directory>,
        options: Options,
        recovered: Recovered,
        salt: u64,
        active: Active,
        lock: Option<Lock>,
    ) -> Self {
        let (next, synced_to) = (recovered.next, Seq(recovered.next.0 - 1));
        let (staged, poisoned, spare) = (Vec::new(), None, None);
        Self { dir, options, recovered, salt, active, staged, next, synced_to, poisoned, spare, _lock: lock }
    }

    /// The sequence that the next entry gets: the ring's first position.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.next.0
    }

    /// The last sequence that is durable.
    #[must_use]
    pub const fn synced_to(&self) -> Seq {
        self.synced_to
    }

    /// What opening found.
    #[must_use]
    pub const fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Appends one entry and makes it durable before it returns: for tools and tests. The commit thread
    /// does the same in groups.
    ///
    /// # Errors
    /// As [`Journal::append_group`].
    pub fn append(&mut self, payload: &[u8]) -> Result<Seq, DiskError> {
        self.append_group([payload])
    }

    /// Appends entries and makes them durable before it returns; gives the last sequence.
    ///
    /// # Errors
    /// As the disk says. If it [heals](DiskError::heals), the first of them are staged, and what `next_seq`
    /// says is which comes next.
    pub fn append_group<'a>(
        &mut self,
        payloads: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Seq, DiskError> {
        for payload in payloads {
            loop {
                match self.stage(payload)? {
                    Staged::Yes => break,
                    Staged::CommitFirst => self.commit()?,
                    Staged::RollFirst => {
                        self.commit()?;
                        self.roll(payload.len())?;
                    }
                }
            }
        }
        self.commit()?;
        Ok(self.synced_to)
    }

    /// Encodes the next entry into the coming commit.
    pub(super) fn stage(&mut self, payload: &[u8]) -> Result<Staged, DiskError> {
        let bytes = frame_bytes(payload.len()) as u64;
        if self.active.end + self.staged.len() as u64 + bytes > self.active.len {
            return Ok(Staged::RollFirst);
        }
        if !self.staged.is_empty() && self.staged.len() as u64 + bytes > COMMIT_BYTES_MAX as u64 {
            return Ok(Staged::CommitFirst);
        }
        let frame = Frame { kind: Kind::Entry, seq: self.next, synced_to: self.synced_to, payload };
        Codec::new(&self.active.header).encode(&frame, &mut self.staged)?;
        self.next.0 += 1;
        Ok(Staged::Yes)
    }

    /// Writes what is staged and makes it durable.
    ///
    /// # Errors
    /// If the error [heals](DiskError::heals), everything is still staged and will be written from the same
    /// place again. Any other is for good: every later call fails too.
    pub fn commit(&mut self) -> Result<(), DiskError> {
        self.check()?;
        if self.staged.is_empty() {
            return Ok(());
        }
        let file = segment::name(self.active.header.id);
        let written = write_all(&mut *self.active.file, &self.staged, self.active.end);
        let synced = written
            .map_err(DiskError::io("write", &file))
            .and_then(|()| self.active.file.sync().map_err(DiskError::sync(&file)));
        self.unless_fatal(synced)?;
        self.active.end += self.staged.len() as u64;
        self.synced_to = Seq(self.next.0 - 1);
        self.staged.clear();
        self.prepare_spare();
        Ok(())
    }

    /// Goes on in a new segment that has room for a payload of `needed` bytes. Nothing may be staged.
    ///
    /// # Errors
    /// As [`Journal::commit`]: if it heals, the current segment is still the current one.
    pub(super) fn roll(&mut self, needed: usize) -> Result<(), DiskError> {
        self.check()?;
        debug_assert!(self.staged.is_empty(), "what is staged belongs to the current segment");
        let rolled = self.try_roll(needed);
        self.active = self.unless_fatal(rolled)?;
        Ok(())
    }

    fn try_roll(&mut self, needed: usize) -> Result<Active, DiskError> {
        let id = self.active.header.id.checked_add(1).ok_or(DiskError::Limit("segment ids are used up"))?;
        let header = SegmentHeader { id, salt: segment_salt(self.salt, id), first: self.next };
        let holds = (SEGMENT_HEADER_BYTES + frame_bytes(needed)) as u64;
        let len = self.options.segment_bytes.max(holds);
        let (unfinished, mut file) = match self.take_spare() {
            Some((name, file)) if len == self.options.segment_bytes => (name, file),
            // Too late or too small: space is only set aside, which is slower to write to and ready at once.
            _ => {
                let unfinished = format!("{}{}", segment::name(id), segment::UNFINISHED);
                let file = segment::prepare(&*self.dir, &unfinished, len, Fill::None)?;
                (unfinished, file)
            }
        };
        segment::install(&self.dir, &mut *file, &unfinished, &header, &[])?;
        Ok(Active { file, header, end: SEGMENT_HEADER_BYTES as u64, len })
    }

    /// Marks a clean stop, so that damage to the last group can be told from a torn tail. Without room for
    /// the mark nothing happens.
    ///
    /// # Errors
    /// As [`Journal::commit`].
    pub fn seal(&mut self) -> Result<(), DiskError> {
        self.commit()?;
        let frame = Frame { kind: Kind::Seal, seq: self.next, synced_to: self.synced_to, payload: &[] };
        let mut bytes = Vec::with_capacity(frame_bytes(0));
        Codec::new(&self.active.header).encode(&frame, &mut bytes)?;
        if self.active.end + bytes.len() as u64 > self.active.len {
            return Ok(());
        }
        let file = segment::name(self.active.header.id);
        let written = write_all(&mut *self.active.file, &bytes, self.active.end);
        let synced = written
            .map_err(DiskError::io("write", &file))
            .and_then(|()| self.active.file.sync().map_err(DiskError::sync(&file)));
        // Nothing may follow a seal in its segment.
        self.active.len = self.active.end;
        self.unless_fatal(synced)
    }

    fn check(&self) -> Result<(), DiskError> {
        self.poisoned.clone().map_or(Ok(()), Err)
    }

    fn unless_fatal<T>(&mut self, result: Result<T, DiskError>) -> Result<T, DiskError> {
        result.inspect_err(|e| {
            if !e.heals() {
                self.poisoned = Some(e.clone());
            }
        })
    }

    fn prepare_spare(&mut self) {
        let used = self.active.end;
        if self.spare.is_some() || !self.options.spare_ahead || used < self.active.len / SPARE_AT_SHARE {
            return;
        }
        let name = format!("spare-{:010}{}", self.active.header.id, segment::UNFINISHED);
        let hurry = Arc::new(AtomicBool::new(false));
        let (dir, stop, file, bytes) =
            (self.dir.clone(), hurry.clone(), name.clone(), self.options.segment_bytes);
        let made = thread::Builder::new().name("journal-spare".into()).spawn(move || {
            let made = segment::prepare(&*dir, &file, bytes, Fill::Gently(&stop))?;
            // ORDERING: Relaxed; as in prepare.
            if !stop.load(Ordering::Relaxed) {
                dir.rename(&file, segment::SPARE).map_err(DiskError::io("rename", &file))?;
            }
            Ok(made)
        });
        // Without the thread the roll prepares its segment itself.
        self.spare = made.ok().map(|thread| Spare { name, hurry, thread });
    }

    /// The prepared segment, if it is ready.
    fn take_spare(&mut self) -> Option<(String, Box<dyn SegmentFile>)> {
        let spare = self.spare.take_if(|spare| spare.thread.is_finished())?;
        let file = spare.thread.join().ok()?.ok()?;
        Some((segment::SPARE.to_owned(), file))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let Some(spare) = self.spare.take() {
            // ORDERING: Relaxed; a request, nothing else is carried.
            spare.hurry.store(true, Ordering::Relaxed);
            let _ = spare.thread.join();
            // Unless it is ready by now; the next start would remove it too.
            let _ = self.dir.remove(&spare.name);
        }
    }
}

/// The salt of one segment: SplitMix64 of the salt that was drawn when the journal was opened.
pub(super) const fn segment_salt(salt: u64, id: u32) -> u64 {
    let mut z = salt.wrapping_add((id as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
