//! What is said at the engine's door.
//!
//! What lives here: [`Inbound`], an update as the shell hands it over, and the two answers to it: [`Admitted`], to be
//! answered 200 once it is durable, and [`Busy`], to be answered 503.

use crate::bot::Input;
use crate::id::{ChatId, KindIx, LaneIx, Seq, UpdateId, UserId};

/// One update, decoded and addressed.
#[derive(Clone, Debug)]
pub struct Inbound<'a> {
    /// Which kind's bot.
    pub kind: KindIx,
    /// Which of its lanes.
    pub lane: LaneIx,
    /// The platform's number.
    pub update: UpdateId,
    /// Who.
    pub user: UserId,
    /// Where.
    pub chat: ChatId,
    /// The user's language tag, or empty.
    pub language: &'a str,
    /// What he did.
    pub input: Input<'a>,
}

/// An update that may be answered 200 once the journal is durable up to here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Admitted {
    /// Durable up to and including this frame.
    pub after: Seq,
    /// What became of it, for the counters.
    pub as_what: AdmittedAs,
}

/// What became of an admitted update.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdmittedAs {
    /// Decided, with something to remember or to say.
    Decided,
    /// Decided, and nothing is due (an impatient repeat, a text for nobody).
    Quiet,
    /// Seen before.
    Duplicate,
    /// Over the user's rate.
    TooFast,
}

/// The answer is 503 with `Retry-After`: the platform keeps the update and delivers it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Busy {
    /// The journal ring is full: the disk is behind.
    #[error("the journal is behind: no room in its ring")]
    Journal,
    /// Too many envelopes wait.
    #[error("too many messages wait to be sent")]
    Pending,
}
