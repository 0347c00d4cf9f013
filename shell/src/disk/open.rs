//! Opening: lock, read, decide, and leave a fresh segment behind.
//!
//! Every open begins a new segment. What was readable but is not known to be on disk (after a failed sync
//! the page cache shows what the disk may not have) is copied into it and synced *before* the segment gets
//! its name; from then on its first sequence supersedes the old copies. So no byte of an old segment is
//! ever written again, and a crash anywhere in between leaves the journal as it was.

use super::io::{Directory, FsDirectory, SegmentFile, write_all};
use super::segment::{self, Fill};
use super::writer::{Active, segment_salt};
use super::{DiskError, Journal, Lock, Options};
use nobat_core::id::Seq;
use nobat_core::journal::frame::{Codec, Frame, Kind, SEGMENT_HEADER_BYTES, SegmentHeader};
use nobat_core::journal::recover::{Ending, plan};
use nobat_core::record::Malformed;
use std::collections::VecDeque;
use std::sync::Arc;

/// A file that keeps a cut tail is named by its segment and byte between these.
const CUT_PREFIX: &str = "cut-";
const CUT_SUFFIX: &str = ".bin";

/// What opening found.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// Segments read.
    pub segments: usize,
    /// Entries given to the callback.
    pub replayed: u64,
    /// The sequence that the next entry gets.
    pub next: Seq,
    /// Entries that were not known to be on disk and were copied into the new segment.
    pub copied: u64,
    /// The last stop was a clean one, or there was nothing.
    pub clean: bool,
    /// The torn tail, if there was one.
    pub cut: Option<Cut>,
}

/// A torn tail that was cut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// The file it stood in.
    pub file: String,
    /// From this byte.
    pub at: u64,
    /// That many bytes, up to the last that is not zero.
    pub bytes: u64,
    /// The line of the recovery table.
    pub label: &'static str,
    /// The file that keeps the cut bytes.
    pub kept_as: String,
}

/// Entries that are not known to be on disk.
type Unsynced = VecDeque<(Seq, Vec<u8>)>;

impl Journal {
    /// Locks the directory, gives every entry to `each` in order, cuts the torn tail, and begins a new
    /// segment in which everything unsynced is made durable first.
    ///
    /// # Errors
    /// [`DiskError`]: the directory is in use, something that was promised is damaged, an entry cannot be
    /// read, or the disk fails. Nothing was changed unless it was the disk that failed.
    pub fn open(
        options: &Options,
        each: impl FnMut(Seq, &[u8]) -> Result<(), Malformed>,
    ) -> Result<Self, DiskError> {
        Self::open_locked(Lock::take(&options.dir)?, options, each)
    }

    /// As [`Journal::open`], for who has locked the directory to read a snapshot first.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_locked(
        lock: Lock,
        options: &Options,
        each: impl FnMut(Seq, &[u8]) -> Result<(), Malformed>,
    ) -> Result<Self, DiskError> {
        let mut salt = [0; 8];
        getrandom::fill(&mut salt)
            .map_err(|e| DiskError::io("read randomness for", "the journal")(std::io::Error::other(e)))?;
        let dir = Arc::new(FsDirectory::new(&options.dir));
        Self::open_in(dir, options, u64::from_le_bytes(salt), Some(lock), each)
    }

    /// As [`Journal::open`], on any directory and with the salt of its segments given.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_in(
        dir: Arc<dyn Directory>,
        options: &Options,
        salt: u64,
        lock: Option<Lock>,
        each: impl FnMut(Seq, &[u8]) -> Result<(), Malformed>,
    ) -> Result<Self, DiskError> {
        let headers = segment::list(&*dir)?;
        let found = replay(&*dir, &headers, options.covered, each)?;
        remove_unfinished(&*dir)?;
        let (active, copied) = begin(&dir, options, salt, &headers, &found)?;
        let mut cut = None;
        if let (Some(last), Some(ending)) = (headers.last(), &found.ending) {
            cut = retire(&*dir, last, ending, active.header.first)?;
            forget_cuts(&*dir, options.cut_files_kept)?;
        }
        let recovered = Recovered {
            segments: headers.len(),
            replayed: found.replayed,
            next: found.next,
            copied,
            clean: found.ending.is_none_or(|e| e.sealed),
            cut,
        };
        Ok(Self::new(dir, options.clone(), recovered, salt, active, lock))
    }
}

/// Gives every entry behind `covered` to `each`, as a start would, and changes nothing: no lock, no new segment. Gives
/// the sequence that the next entry would get.
///
/// # Errors
/// As [`Journal::open`].
pub fn read_only(
    dir: &dyn Directory,
    covered: Seq,
    each: impl FnMut(Seq, &[u8]) -> Result<(), Malformed>,
) -> Result<Seq, DiskError> {
    Ok(replay(dir, &segment::list(dir)?, covered, each)?.next)
}

/// What the segments held.
struct Found {
    next: Seq,
    replayed: u64,
    unsynced: Unsynced,
    /// How the last segment ended.
    ending: Option<Ending>,
}

fn replay(
    dir: &dyn Directory,
    headers: &[SegmentHeader],
    covered: Seq,
    mut each: impl FnMut(Seq, &[u8]) -> Result<(), Malformed>,
) -> Result<Found, DiskError> {
    let untils = plan(headers, covered)?;
    let next = Seq(covered.0 + 1);
    let mut found = Found { next, replayed: 0, unsynced: Unsynced::new(), ending: None };
    for (header, until) in headers.iter().zip(untils) {
        let file = segment::name(header.id);
        found.unsynced.clear();
        let ending = segment::read(dir, header, until, |_, frame| {
            while found.unsynced.front().is_some_and(|(seq, _)| *seq <= frame.synced_to) {
                found.unsynced.pop_front();
            }
            if frame.kind == Kind::Seal {
                return Ok(());
            }
            found.unsynced.push_back((frame.seq, frame.payload.to_vec()));
            if frame.seq > covered {
                let unreadable = |flaw| DiskError::Unreadable { file: file.clone(), seq: frame.seq, flaw };
                each(frame.seq, frame.payload).map_err(unreadable)?;
                found.replayed += 1;
            }
            Ok(())
        })?;
        found.next = found.next.max(ending.next);
        found.ending = Some(ending);
    }
    Ok(found)
}

fn remove_unfinished(dir: &dyn Directory) -> Result<(), DiskError> {
    let names = dir.list().map_err(DiskError::io("list", "the data directory"))?;
    for name in names.iter().filter(|name| name.ends_with(segment::UNFINISHED)) {
        dir.remove(name).map_err(DiskError::io("remove", name))?;
    }
    Ok(())
}

/// Makes the segment that will be written to, with copies of what is not known to be on disk.
fn begin(
    dir: &Arc<dyn Directory>,
    options: &Options,
    salt: u64,
    headers: &[SegmentHeader],
    found: &Found,
) -> Result<(Active, u64), DiskError> {
    let id = match headers.last() {
        Some(last) => last.id.checked_add(1).ok_or(DiskError::Limit("segment ids are used up"))?,
        None => 1,
    };
    let first = found.unsynced.front().map_or(found.next, |(seq, _)| *seq);
    let header = SegmentHeader { id, salt: segment_salt(salt, id), first };
    let (codec, synced_to) = (Codec::new(&header), Seq(first.0 - 1));
    let mut copies = Vec::new();
    for (seq, payload) in &found.unsynced {
        codec.encode(&Frame { kind: Kind::Entry, seq: *seq, synced_to, payload }, &mut copies)?;
    }
    let end = (SEGMENT_HEADER_BYTES + copies.len()) as u64;
    let len = options.segment_bytes.max(end);
    let (unfinished, mut file) = match spare(&**dir, len)? {
        Some(file) => (segment::SPARE.to_owned(), file),
        None => {
            let unfinished = format!("{}{}", segment::name(id), segment::UNFINISHED);
            let file = segment::prepare(&**dir, &unfinished, len, Fill::Beginning)?;
            (unfinished, file)
        }
    };
    segment::install(dir, &mut *file, &unfinished, &header, &copies)?;
    Ok((Active { file, header, end, len }, found.unsynced.len() as u64))
}

/// The segment that an earlier life prepared, if it is of this length.
fn spare(dir: &dyn Directory, len: u64) -> Result<Option<Box<dyn SegmentFile>>, DiskError> {
    let names = dir.list().map_err(DiskError::io("list", "the data directory"))?;
    if !names.iter().any(|name| name == segment::SPARE) {
        return Ok(None);
    }
    if dir.len(segment::SPARE).map_err(DiskError::io("look at", segment::SPARE))? != len {
        dir.remove(segment::SPARE).map_err(DiskError::io("remove", segment::SPARE))?;
        return Ok(None);
    }
    dir.reopen(segment::SPARE).map(Some).map_err(DiskError::io("open", segment::SPARE))
}

/// Keeps the torn bytes of the segment that was the last, then gives back the space it does not use.
fn retire(
    dir: &dyn Directory,
    last: &SegmentHeader,
    ending: &Ending,
    next_first: Seq,
) -> Result<Option<Cut>, DiskError> {
    let file = segment::name(last.id);
    let mut cut = None;
    if ending.cut && ending.torn_to > ending.at {
        let kept_as = format!("{CUT_PREFIX}{:010}-{}{CUT_SUFFIX}", last.id, ending.at);
        let unfinished = format!("{kept_as}{}", segment::UNFINISHED);
        copy(dir, &file, ending.at..ending.torn_to, &unfinished)?;
        dir.rename(&unfinished, &kept_as).map_err(DiskError::io("rename", &unfinished))?;
        let bytes = ending.torn_to - ending.at;
        cut = Some(Cut { file: file.clone(), at: ending.at, bytes, label: ending.label, kept_as });
    }
    if next_first <= last.first {
        dir.remove(&file).map_err(DiskError::io("remove", &file))?;
    } else {
        dir.truncate(&file, ending.at).map_err(DiskError::io("shorten", &file))?;
    }
    dir.sync().map_err(DiskError::sync("the data directory"))?;
    Ok(cut)
}

/// Removes the oldest of the files that keep cut tails. Their names sort by segment, which is by age.
fn forget_cuts(dir: &dyn Directory, kept: usize) -> Result<(), DiskError> {
    let mut names = dir.list().map_err(DiskError::io("list", "the data directory"))?;
    names.retain(|name| name.starts_with(CUT_PREFIX) && name.ends_with(CUT_SUFFIX));
    names.sort_unstable();
    let old = names.len().saturating_sub(kept);
    for name in &names[..old] {
        dir.remove(name).map_err(DiskError::io("remove", name))?;
    }
    Ok(())
}

fn copy(dir: &dyn Directory, from: &str, range: std::ops::Range<u64>, to: &str) -> Result<(), DiskError> {
    let source = dir.open(from).map_err(DiskError::io("open", from))?;
    let mut target = dir.create(to).map_err(DiskError::io("create", to))?;
    let mut piece = vec![0; 1 << 16];
    let mut at = range.start;
    while at < range.end {
        let want = piece.len().min(usize::try_from(range.end - at).unwrap_or(usize::MAX));
        let got = source.read_at(&mut piece[..want], at).map_err(DiskError::io("read", from))?;
        if got == 0 {
            break;
        }
        write_all(&mut *target, &piece[..got], at - range.start).map_err(DiskError::io("write", to))?;
        at += got as u64;
    }
    target.sync().map_err(DiskError::io("sync", to))
}
