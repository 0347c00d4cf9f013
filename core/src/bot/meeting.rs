//! What a kind that brings people together says and hears.
//!
//! What lives here: [`Want`], what only the engine can do for a user; [`Meeting`] and [`Partner`], where he
//! stands; and why a search or a pair ended. The tickets are the matchmaker's own.
//!
//! # How two people come together, seen by a kind
//!
//! ```text
//! decide(Text "find")            -> wants Join(ticket)           view.meeting: Apart
//! decide(Paired { partner, .. }) -> "say hello"                  view.meeting: Paired, for each of the two
//! decide(Text "hello")           -> wants Relay { pair, .. }     an envelope to the partner, no turn of his
//! decide(Text "stop")            -> wants Leave
//! decide(PairEnded { by, .. })   -> "it is over"                 view.meeting: Apart, for each of the two
//! ```
//!
//! A decision is made with `view.meeting` as it is: who was met or left a moment ago hears of it first, and
//! his message is decided after that. What both must know at one moment (a lock, a game's move) is a
//! [`Want::Tell`]: it changes both in one frame, so that no crash leaves it half done.
//!
//! # What is kept for the kind
//!
//! Ticket, original time of joining, partner, recent partners, blocks and the alarm are durable and belong
//! to the engine; a kind does not copy them into its state. After a restart the waiting stand where they
//! stood and pairs go on, without an input.

use crate::bot::Outgoing;
use crate::id::{ChatId, LaneIx, PairNo, UserId};
use crate::time::UnixMillis;

pub use crate::matchmaker::{Gender, Pool, Ticket, Tier, Wants};

/// What a kind asks of the engine, beside its own events and sends.
///
/// Whatever their order in the list, they are done in the order of the list below. One that makes no sense
/// where the user stands (to join in a pair, to relay into a pair that has ended) is dropped. Inputs that
/// the engine makes in the course of another one ([`crate::bot::Input::Paired`], `PairEnded`, `Told`,
/// `Unmatched`, `Informed`) may want [`Want::Alarm`] and [`Want::Post`] alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Want {
    /// Never pair these two again, whoever of them asks; a pair they are in goes on. At most one of
    /// `Block` and `Unblock` in a decision. Dropped at [`crate::limits::BLOCKED_MAX`] blocks of one user, and
    /// when the kind's table is full, which is counted ([`crate::engine::Engine::blocks_refused`]).
    Block(UserId),
    /// Take the user's own block back.
    Unblock(UserId),
    /// Send this to the partner, in the order in which he is told everything. Dropped unless `pair` is the
    /// pair he is in. `pinned` means the partner's lane.
    Relay {
        /// The pair he believes to be in.
        pair: PairNo,
        /// What the partner gets.
        what: Outgoing,
    },
    /// Give the partner [`crate::bot::Input::Told`], in the same frame. Dropped unless `pair` is the pair
    /// he is in.
    Tell {
        /// The pair he believes to be in.
        pair: PairNo,
        /// The kind's own encoding.
        note: Box<[u8]>,
    },
    /// Give another user, or [`crate::bot::COMMON`], [`crate::bot::Input::Informed`], in the same frame. At most
    /// [`crate::limits::INFORMS_PER_DECISION_MAX`] in a decision; more are dropped.
    Inform {
        /// Whom.
        user: UserId,
        /// The kind's own encoding.
        note: Box<[u8]>,
    },
    /// Send this to a group or channel, by the bot of a lane. What is told there has an order of its own.
    Post {
        /// Where.
        chat: ChatId,
        /// By whose bot.
        lane: LaneIx,
        /// What.
        what: Outgoing,
    },
    /// Leave the line, or end the pair. To meet someone else: `Leave` and `Join` in one decision; the two
    /// who parted do not meet again for a while ([`crate::matchmaker::Rules::recent_for`]).
    Leave,
    /// Stand in line for a partner.
    Join(Ticket),
    /// Give him [`crate::bot::Input::Alarm`] then, in place of the alarm he had; `None` for none.
    Alarm(Option<UnixMillis>),
}

/// Where a user stands.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Meeting {
    /// Neither waiting nor in a pair.
    #[default]
    Apart,
    /// In line.
    Waiting {
        /// Since his first join, over restarts too.
        since: UnixMillis,
    },
    /// In a pair.
    Paired(Partner),
}

/// The other one of a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Partner {
    /// The pair's number.
    pub pair: PairNo,
    /// Who.
    pub user: UserId,
    /// The lane he had last written on when the pair was made.
    pub lane: LaneIx,
    /// When the pair was made.
    pub since: UnixMillis,
}

/// Who ended a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndedBy {
    /// The user of the view.
    Himself,
    /// The other one.
    Partner,
}

/// Why a search ended without a partner, and not by the user's own wish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unmatched {
    /// His ticket's patience has ended.
    Expired,
    /// More people wait than the configuration has room for.
    Full,
    /// The ticket's pool does not exist.
    NoSuchPool,
}
