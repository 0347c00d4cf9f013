//! Reading a journal for people: `nobat journal verify` and `nobat journal dump`. Never changes anything,
//! takes no lock; on a running process it shows the moment it was asked.
//!
//! What lives here: [`verify`], [`dump`] and [`snapshots`], which return values and lines. The command
//! line prints them.

use super::io::{Directory, FsDirectory};
use super::snapshot::file::ImageReader;
use super::{DiskError, segment, snapshot};
use nobat_core::id::Seq;
use nobat_core::journal::frame::{Kind, SegmentHeader};
use nobat_core::journal::recover::{Ending, plan};
use nobat_core::journal::snapshot::SnapshotHeader;
use std::fmt;
use std::io::Write;
use std::path::Path;

/// What one segment holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SegmentReport {
    /// Its file.
    pub file: String,
    /// Its first sequence.
    pub first: Seq,
    /// The sequence after its last that counts.
    pub next: Seq,
    /// Entries that count.
    pub entries: u64,
    /// Bytes of their payloads.
    pub payload_bytes: u64,
    /// Where its frames end, in bytes from the start of the file.
    pub ends_at: u64,
    /// Bytes behind the end that are not zero, up to the last of them.
    pub behind: u64,
    /// They are a torn tail that the next start will cut.
    pub torn: bool,
    /// The line of the recovery table that ended it.
    pub label: &'static str,
    /// Its last frame is the mark of a clean stop.
    pub sealed: bool,
}

impl fmt::Display for SegmentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, first, next, entries, payload_bytes, ends_at, behind, torn, label, sealed } = self;
        write!(f, "{file}: {entries} entries, {payload_bytes} bytes of payload")?;
        if *entries > 0 {
            write!(f, ", frames {first} to {}", next.0 - 1)?;
        }
        write!(f, ", ends at byte {ends_at} [{label}]")?;
        if *sealed {
            write!(f, ", sealed")?;
        }
        match torn {
            true => write!(f, ", torn tail of {behind} bytes, which the next start will cut"),
            false => Ok(()),
        }
    }
}

/// Reads every segment of the journal in `dir` and checks every frame. `covered` is the last sequence that
/// a snapshot holds, 0 without one.
///
/// # Errors
/// The first damage, with its file, byte and frame, or what the operating system says.
pub fn verify(dir: &Path, covered: Seq) -> Result<Vec<SegmentReport>, DiskError> {
    walk(dir, covered, |_, _, _, _| Ok(()))
}

/// Writes one line a frame to `out`: file, byte, sequence, `synced_to`, kind, length, and the payload as
/// printable ASCII with everything else escaped.
///
/// # Errors
/// As [`verify`], after the lines before the damage were written; or what `out` says.
pub fn dump(dir: &Path, covered: Seq, out: &mut dyn Write) -> Result<Vec<SegmentReport>, DiskError> {
    walk(dir, covered, |file, at, seq_line, payload| {
        let line = writeln!(out, "{file} {at} {seq_line} {}", payload.escape_ascii());
        line.map_err(DiskError::io("write", "the dump"))
    })
}

/// One snapshot file.
#[derive(Debug)]
pub struct SnapshotReport {
    /// Its file.
    pub file: String,
    /// What it holds, or what is wrong with it.
    pub blocks: Result<(SnapshotHeader, Vec<Vec<u8>>), String>,
}

/// Reads every snapshot of `dir`, the newest first.
///
/// # Errors
/// What the operating system says of the directory.
pub fn snapshots(dir: &Path) -> Result<Vec<SnapshotReport>, DiskError> {
    let dir = FsDirectory::new(dir);
    let read = |file: &str| -> Result<_, DiskError> {
        let (mut image, mut blocks) = (ImageReader::open(&dir, file)?, Vec::new());
        while let Some(block) = image.next_block()? {
            blocks.push(block);
        }
        Ok((*image.header(), blocks))
    };
    let names = snapshot::list(&dir)?.into_iter().map(snapshot::name);
    Ok(names.map(|file| SnapshotReport { blocks: read(&file).map_err(|e| e.to_string()), file }).collect())
}

fn walk(
    dir: &Path,
    covered: Seq,
    mut each: impl FnMut(&str, u64, fmt::Arguments<'_>, &[u8]) -> Result<(), DiskError>,
) -> Result<Vec<SegmentReport>, DiskError> {
    let dir = FsDirectory::new(dir);
    let headers = segment::list(&dir)?;
    let untils = plan(&headers, covered)?;
    let mut reports = Vec::with_capacity(headers.len());
    for (header, until) in headers.iter().zip(untils) {
        let file = segment::name(header.id);
        let (mut entries, mut payload_bytes) = (0, 0);
        let ending = segment::read(&dir, header, until, |at, frame| {
            if frame.kind == Kind::Entry {
                entries += 1;
                payload_bytes += frame.payload.len() as u64;
            }
            let (seq, synced_to, kind) = (frame.seq, frame.synced_to, frame.kind);
            each(&file, at, format_args!("{seq} {synced_to} {kind:?} {}", frame.payload.len()), frame.payload)
        })?;
        reports.push(SegmentReport {
            file,
            first: header.first,
            next: ending.next,
            entries,
            payload_bytes,
            ends_at: ending.at,
            behind: ending.torn_to - ending.at,
            torn: ending.cut,
            label: ending.label,
            sealed: ending.sealed,
        });
    }
    Ok(reports)
}

/// How often a look at a running journal is repeated: what is written while it is read looks like damage for that
/// moment alone.
const LOOKS: usize = 5;

/// The last frame of the journal in `dir`, as of now; takes no lock, also beside a running process.
///
/// # Errors
/// Damage, or what the operating system says.
pub fn last(dir: &Path) -> Result<Seq, DiskError> {
    let files = FsDirectory::new(dir);
    let covered = snapshot::newest_whole(&files)?.map_or(Seq(0), |header| header.covered);
    let headers = segment::list(&files)?;
    plan(&headers, covered)?;
    let Some(header) = headers.last() else { return Ok(covered) };
    Ok(Seq(ending(&files, header)?.next.0 - 1))
}

/// Where the frames of the last segment end, as of now.
pub(super) fn ending(dir: &dyn Directory, header: &SegmentHeader) -> Result<Ending, DiskError> {
    let mut look = 1;
    loop {
        match segment::read(dir, header, None, |_, _| Ok(())) {
            Err(DiskError::Damaged { .. }) if look < LOOKS => look += 1,
            other => return other,
        }
    }
}
