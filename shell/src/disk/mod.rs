//! The journal's files: segments, group commit, replay at start. Owns fsync.
//!
//! What lives here: [`Journal::open`], which locks the data directory, replays what is there and leaves a
//! fresh segment to write to; [`spawn`], the one thread that turns a ring of entries into commits;
//! [`snapshot`], images of the state that let old segments go, with [`follow`], what they are made of; and
//! [`inspect`], which reads a journal without
//! touching it. Every file operation goes through the two small
//! traits of [`io`], so that tests can tear, fill and break the disk ([`sim`]). What a payload means is not
//! known here, and whether damage is damage is decided in `nobat_core::journal::recover`.
//!
//! The promise: [`Durability::durable`] never covers a frame that an fdatasync has not covered, and after a
//! failed one it never rises again.

mod commit;
pub mod copy;
pub mod follow;
pub mod inspect;
pub mod io;
mod lock;
mod open;
pub mod repair;
mod segment;
pub mod sim;
pub mod snapshot;
pub mod tail;
#[cfg(test)]
mod tests;
mod writer;

pub use commit::{Committed, Durability, Entry, Hooks, JournalHandle, Worker, spawn};
pub use lock::Lock;
pub use open::{Cut, Recovered, read_only};
pub use writer::Journal;

use nobat_core::id::Seq;
use nobat_core::journal::frame::{HeaderFlaw, PayloadTooLong};
use nobat_core::journal::recover::{PlanFlaw, Refusal};
use nobat_core::journal::snapshot::SnapshotFlaw;
use nobat_core::record::Malformed;
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes of a segment file unless configured otherwise. Large enough that a new one is rare, small enough
/// that filling it with zeros at start takes a tenth of a second.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// Bytes of one commit, at most: what is written before the next fdatasync. A larger group gains nothing
/// (the disk is bandwidth-bound by then) and makes everyone in it wait.
pub const COMMIT_BYTES_MAX: usize = 4 << 20;

/// How a journal is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the segments are; made if it does not exist.
    pub dir: PathBuf,
    /// Bytes of a new segment; at least twice [`COMMIT_BYTES_MAX`] to be useful, anything that holds a
    /// frame works.
    pub segment_bytes: u64,
    /// The last sequence that a loaded snapshot holds: frames to here are checked and not replayed.
    pub covered: Seq,
    /// Files of cut tails that are kept, the newest; older ones are removed at start.
    pub cut_files_kept: usize,
    /// Make the next segment on a thread of its own, ahead of its need.
    pub spare_ahead: bool,
}

impl Options {
    /// The defaults, in `dir`.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            segment_bytes: SEGMENT_BYTES,
            covered: Seq(0),
            cut_files_kept: 16,
            spare_ahead: true,
        }
    }
}

/// What went wrong, where, and what to do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DiskError {
    /// Another process has the data directory.
    #[error("{} is in use by process {holder}: stop it, or give this one another data directory", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// Its process id, or "unknown".
        holder: String,
    },
    /// The operating system refused.
    #[error("cannot {doing} {file}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        file: String,
        /// Why not.
        source: Arc<std::io::Error>,
    },
    /// A file that is no segment, or a damaged or newer one.
    #[error("{file}: {flaw}")]
    Header {
        /// The file.
        file: String,
        /// What is wrong.
        flaw: HeaderFlaw,
    },
    /// Segments that do not fit together.
    #[error("the journal is not whole: {0}; restore the missing files or a backup")]
    Plan(#[from] PlanFlaw),
    /// Damage to what was promised.
    #[error(
        "{file}: {refusal}; see `nobat journal verify`, then restore a backup, or salvage what is readable with `nobat journal repair`"
    )]
    Damaged {
        /// The file.
        file: String,
        /// Where and why.
        refusal: Refusal,
    },
    /// A snapshot that is not whole.
    #[error("{file}: {flaw}")]
    Snapshot {
        /// The file.
        file: String,
        /// What is wrong.
        flaw: SnapshotFlaw,
    },
    /// A whole block of a snapshot that the engine cannot read.
    #[error("{file} cannot be applied: {flaw}; was it written by a newer nobat?")]
    UnreadableImage {
        /// The file.
        file: String,
        /// Why.
        flaw: Malformed,
    },
    /// The process stops; what was under way is given up, and nothing is lost by it.
    #[error("given up, because the process stops")]
    Stopped,
    /// A whole frame that the engine cannot read.
    #[error("{file}: frame {seq} cannot be applied: {flaw}; was it written by a newer nobat?")]
    Unreadable {
        /// The file.
        file: String,
        /// The frame.
        seq: Seq,
        /// Why.
        flaw: Malformed,
    },
    /// A payload over the limit: a bug.
    #[error(transparent)]
    TooLong(#[from] PayloadTooLong),
    /// Segment ids are used up, or the segment size holds no frame.
    #[error("{0}")]
    Limit(&'static str),
    /// An fdatasync failed, now or earlier. What it covered is unknown, so nothing is acknowledged any more.
    #[error("cannot sync {file}: {source}; nothing is acknowledged any more, restart nobat")]
    Sync {
        /// The file.
        file: String,
        /// What the operating system said.
        source: Arc<std::io::Error>,
    },
}

impl DiskError {
    /// Whether the same operation may succeed later without a restart: space and quotas come back.
    #[must_use]
    pub fn heals(&self) -> bool {
        use std::io::ErrorKind as K;
        match self {
            Self::Io { source, .. } => {
                matches!(source.kind(), K::StorageFull | K::QuotaExceeded | K::WriteZero)
            }
            _ => false,
        }
    }

    fn io(doing: &'static str, file: &str) -> impl FnOnce(std::io::Error) -> Self {
        move |e| Self::Io { doing, file: file.to_owned(), source: Arc::new(e) }
    }

    fn sync(file: &str) -> impl FnOnce(std::io::Error) -> Self {
        move |e| Self::Sync { file: file.to_owned(), source: Arc::new(e) }
    }
}
