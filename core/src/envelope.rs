//! What is to be sent, to whom, how urgently, and what became of it.
//!
//! What lives here: [`Envelope`] with its address, class and payload handle, and [`Verdict`], the
//! platform's word on a send. The engine makes envelopes, the pacer orders them, a bot renders them.
//! It must not know how a message looks on the wire: that is a channel's subject in the shell.

use crate::id::{ChatId, EnvelopeId, KindIx, LaneIx, UserId};
use crate::time::UnixMillis;
use core::time::Duration;

/// Traffic classes, most urgent first. The ceilings and the order among them are the pacer's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Class {
    /// Payments and what must be answered within seconds.
    Urgent = 0,
    /// The answer to someone who just wrote.
    Reply = 1,
    /// A message of one user to another.
    Relay = 2,
    /// Broadcasts and everything nobody waits for.
    Bulk = 3,
}

impl Class {
    /// All classes, most urgent first.
    pub const ALL: [Self; 4] = [Self::Urgent, Self::Reply, Self::Relay, Self::Bulk];

    /// The class with this number.
    #[must_use]
    pub const fn from_u8(n: u8) -> Option<Self> {
        match n {
            0 => Some(Self::Urgent),
            1 => Some(Self::Reply),
            2 => Some(Self::Relay),
            3 => Some(Self::Bulk),
            _ => None,
        }
    }
}

/// Which lane may carry an envelope.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Route {
    /// The user's home lane where it reaches him, else the lane he wrote to.
    Home,
    /// This lane and no other: what is bound to a token (callbacks, edits, pre-checkout).
    Pinned(LaneIx),
}

/// Whether an envelope keeps its conversation's order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Place {
    /// A message in the order of its conversation: a token of the window, and the chat's bucket.
    InOrder,
    /// A message that says something of what waits in its conversation, so it must not wait behind it. It
    /// takes the same tokens. Best effort: it passes what is ready to leave anyway, takes nothing from it,
    /// is tried once, and is dropped as stale where that cannot be. Give it a short deadline.
    Ahead,
    /// Not a message (answers to callbacks and pre-checkout, typing): no order, no window, no chat bucket.
    Call,
}

/// Whose order an envelope keeps: within a conversation one message is in flight at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Conversation {
    /// The bot kind.
    pub kind: KindIx,
    /// The user.
    pub user: UserId,
}

/// What to say, unrendered: a template of the kind and its arguments. Rendered at the moment of sending,
/// so that a pending envelope is small and never stale.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Payload {
    /// The kind's own template number; the highest one is the engine's.
    pub template: u16,
    /// The kind's own encoding of the arguments; at most [`crate::limits::PAYLOAD_BYTES_MAX`].
    pub args: Box<[u8]>,
}

/// A message or call on its way out. About 100 bytes while it waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// Its journal position.
    pub id: EnvelopeId,
    /// Whose conversation.
    pub conversation: Conversation,
    /// Where to.
    pub chat: ChatId,
    /// The lane whose bot the user wrote to: the fallback.
    pub arrived_on: LaneIx,
    /// Which lane may carry it.
    pub route: Route,
    /// How urgent.
    pub class: Class,
    /// Whether it keeps its conversation's order.
    pub place: Place,
    /// Waits for the kind's release gate before it is offered to the pacer.
    pub held: bool,
    /// Dropped, and counted, if not sent by then.
    pub deadline: Option<UnixMillis>,
    /// The question this answers, by the kind's own hash; 0 for none. While an envelope with the same
    /// question waits and is not in flight, the same question of the same user is coalesced into it.
    pub question: u64,
    /// What to say.
    pub payload: Payload,
}

/// The platform's word on one send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Accepted.
    Sent,
    /// 429: not before `after` from the answer's arrival. The scope (chat or token) is not told.
    RetryAfter(Duration),
    /// This lane's bot cannot write to this user (403 not started, 400 chat not found).
    Unreachable(Unreachable),
    /// The platform will never take this message (400): sending it again is useless.
    Rejected,
    /// The token is refused (401, or 404 on every method): the lane is dead until it is replaced.
    TokenDead,
    /// 5xx, HTML, reset before the request was written, refused connect: nothing was accepted.
    Failed,
    /// The request was written and no answer came: it may have been accepted.
    Unknown,
}

/// Why a user cannot be written to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Unreachable {
    /// Never started this lane's bot: another lane may reach him.
    NotStarted = 0,
    /// Blocked this lane's bot.
    Blocked = 1,
    /// The account is gone: no lane reaches him.
    Deactivated = 2,
}

/// How an envelope ended. Durable: an envelope without an end is queued again after a restart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    /// Accepted by the platform.
    Sent,
    /// Given up, for this reason.
    Dropped(DropReason),
}

/// Why an envelope was given up. Each has its own counter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum DropReason {
    /// Past its deadline.
    Stale = 0,
    /// No lane reaches the user.
    Unreachable = 1,
    /// The platform will never take it.
    Rejected = 2,
    /// Tried as often as the configuration allows.
    Exhausted = 3,
    /// The kind could not render it any more.
    Unrenderable = 4,
    /// Shed under the memory bound.
    Shed = 5,
    /// The bot it is pinned to is gone.
    LaneGone = 6,
}

impl DropReason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Stale,
        Self::Unreachable,
        Self::Rejected,
        Self::Exhausted,
        Self::Unrenderable,
        Self::Shed,
        Self::LaneGone,
    ];

    /// The reason with this number.
    #[must_use]
    pub fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }

    /// As a metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Unreachable => "unreachable",
            Self::Rejected => "rejected",
            Self::Exhausted => "exhausted",
            Self::Unrenderable => "unrenderable",
            Self::Shed => "shed",
            Self::LaneGone => "lane_gone",
        }
    }
}
