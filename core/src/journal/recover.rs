//! Recovery as a truth table: what stands at a place, what stands behind it, where the place is; hence
//! keep, end, cut or refuse.
//!
//! What lives here: [`TABLE`] and [`judge`], [`Walk`], which reads one segment through a sliding window and
//! asks the table, and [`plan`](fn@plan), which fits segments together. The shell feeds bytes and does
//! what it is
//! told.
//!
//! The difficulty: pages that were never synced reach the disk in any order, so a bad frame with good
//! ones behind it is what an honest crash leaves. But a frame says how far the log was durable when it was
//! written. So a bad frame `s` is *damage* only if a later frame says that `s` was durable, or if a later
//! segment exists (it got its name only after everything before it was durable). Otherwise it was never
//! promised to anyone: it is the torn tail and is cut, good frames behind it included.
//!
//! What no table can see: damage to the last group before a crash. It looks like a torn tail. After a
//! clean stop a seal stands behind the last group, and then it can.

use super::frame::SegmentHeader;
use crate::id::Seq;

mod table;
#[cfg(test)]
mod tests;
mod walk;

pub use table::{Behind, Case, Place, Seen, TABLE, Verdict, judge};
pub use walk::{Ending, Refusal, Step, Walk};

/// Segments that do not fit together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanFlaw {
    /// The first segments are missing.
    #[error("frames {from} to {to} are missing: no segment and no snapshot holds them")]
    Missing {
        /// The first that is needed.
        from: Seq,
        /// The last that is missing.
        to: Seq,
    },
    /// Two segments whose order contradicts itself.
    #[error("segment {later} begins with frame {first}, before segment {earlier} does")]
    OutOfOrder {
        /// The segment with the lower id.
        earlier: u32,
        /// The segment with the higher id.
        later: u32,
        /// Where the later begins.
        first: Seq,
    },
}

/// For each segment the sequence at which the next one takes over. `headers` in the order of their ids;
/// `covered` is the last sequence that a snapshot holds, 0 without one.
///
/// # Errors
/// [`PlanFlaw`] if the segments cannot be one journal.
pub fn plan(headers: &[SegmentHeader], covered: Seq) -> Result<Vec<Option<Seq>>, PlanFlaw> {
    if let Some(first) = headers.first()
        && first.first.0 > covered.0 + 1
    {
        return Err(PlanFlaw::Missing { from: Seq(covered.0 + 1), to: Seq(first.first.0 - 1) });
    }
    for pair in headers.windows(2) {
        if pair[1].first < pair[0].first || pair[1].id <= pair[0].id {
            let [earlier, later] = [pair[0].id, pair[1].id];
            return Err(PlanFlaw::OutOfOrder { earlier, later, first: pair[1].first });
        }
    }
    let next = headers.iter().skip(1).map(|header| Some(header.first));
    Ok(next.chain([None]).take(headers.len()).collect())
}
