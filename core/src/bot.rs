//! The contract between the engine and a bot kind. No kind is named here.
//!
//! What lives here: [`Bot`], what it is shown ([`View`], [`Input`]), what it answers ([`Decision`]), what it
//! says ([`Call`]), and how people are brought together ([`Want`], [`Meeting`]). The arrow is
//! `bots -> contract <- engine`: a kind imports this and nothing of the engine, the engine calls kinds
//! through it. A kind must be pure: the same view, state and input give the same decision, for ever,
//! because the journal is replayed through `evolve`.

use crate::envelope::{Class, Payload, Place};
use crate::id::{BotId, ChatId, LaneIx, MessageId, UserId};
use crate::record::Record;
use crate::time::{Now, UnixMillis};
use core::time::Duration;
use std::borrow::Cow;

mod call;
mod content;
mod meeting;
pub mod records;
mod thread;

pub use call::{Action, Button, Call};
pub use content::{Content, Payment};
pub use meeting::{EndedBy, Gender, Meeting, Partner, Pool, Ticket, Tier, Unmatched, Want, Wants};
pub(crate) use thread::is_opening;
pub use thread::{Echo, Outcome, Received, Thread};

/// A bot kind: its conversation as a pure state machine.
pub trait Bot: Send + Sync + 'static {
    /// What is kept per user. Small: 100,000 of them are held encoded.
    type State: Record + Clone + Default + Send;
    /// What happened; durable.
    type Event: Record;

    /// Decides what an input means for one user. Pure.
    fn decide(&self, view: &View<'_>, state: &Self::State, input: &Input<'_>) -> Decision<Self::Event>;

    /// Applies what happened. Takes no `now`: the event holds what it needs.
    fn evolve(state: &mut Self::State, event: &Self::Event);

    /// This bot as `common` has it: the state of [`COMMON`], which administrators change while it runs by
    /// [`Want::Inform`]. What is decided and rendered after that change is by the new one. None, the default: the
    /// kind has no such settings.
    fn under(&self, _common: &Self::State) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// How often one user may write: so many inputs (1 to 256) in any such time, in place of what the kind was made
    /// with. None, the default: as it was made.
    fn rate(&self) -> Option<(u32, Duration)> {
        None
    }

    /// What a partner is shown of this user when they meet: the `card` of [`Input::Paired`].
    fn card(_: &Self::State) -> Vec<u8> {
        Vec::new()
    }

    /// Which of a partner's messages a payload passes on or speaks of; none by default. Pure, of the payload
    /// alone.
    fn thread(&self, _: &Payload) -> Option<Thread> {
        None
    }

    /// Whom to tell what came of a payload, as [`Input::Heard`]; nobody by default. Pure.
    fn echo(&self, _: &Payload, _: Outcome) -> Option<Echo> {
        None
    }

    /// What people may read of who has this state: his row of [`records::USERS`], but for what the engine fills.
    fn portrait(_: &Self::State, _: &mut records::Row) {}

    /// What people may read of this event beside the portrait after it: rows with a date, such as payments.
    /// The engine fills kind, user and bot (these two unless the row names another user itself), and the place of a
    /// row of [`records::AUDIT`].
    fn noted(_: &Moment<'_, Self>, _: &mut Vec<records::Row>)
    where
        Self: Sized,
    {
    }

    /// Rows that were noted once and that the state still knows: asked where the frames that noted them are gone.
    fn remembered(_: UserId, _: &Self::State, _: &mut Vec<records::Row>) {}

    /// How many messages the platform makes of a payload: the parts of an album, else one. Its limits count them,
    /// so the pacer must. Pure, of the payload alone.
    fn messages(&self, _: &Payload) -> u8 {
        1
    }

    /// Turns a payload into words, at the moment of sending.
    ///
    /// # Errors
    /// [`Unrenderable`] if it cannot be said any more; the envelope is dropped and counted.
    fn render(&self, view: &RenderView, payload: &Payload) -> Result<Call, Unrenderable>;
}

/// One event, for [`Bot::noted`].
pub struct Moment<'a, B: Bot> {
    /// The frame's time.
    pub at: UnixMillis,
    /// Whose state it is.
    pub user: UserId,
    /// The state before it.
    pub before: &'a B::State,
    /// What happened.
    pub event: &'a B::Event,
    /// The state after it.
    pub after: &'a B::State,
}

/// Nobody's number on any platform: what belongs to a kind as a whole is kept as the state of this user.
pub const COMMON: UserId = UserId(0);

/// The world as `decide` sees it.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// Both clocks.
    pub now: Now,
    /// Who wrote.
    pub user: UserId,
    /// Where.
    pub chat: ChatId,
    /// The lane whose bot he wrote to.
    pub lane: LaneIx,
    /// How many lanes the kind has.
    pub lanes: u16,
    /// His language as the platform gives it (IETF tag); empty if it is not told, as in every input that
    /// the engine makes.
    pub language: &'a str,
    /// This user's envelopes that wait and are not in flight.
    pub waiting: Waiting<'a>,
    /// The kind's release gate: `true` once results may be shown.
    pub released: bool,
    /// Whether he waits, or with whom he is paired.
    pub meeting: Meeting,
    /// What his partner has sent him of late.
    pub received: Received<'a>,
    /// How many people there are.
    pub census: Census,
}

/// How many people of a kind stand where. Counted as they go, so a moment old.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Census {
    /// Of whom anything is kept.
    pub users: u64,
    /// Who wait for a partner.
    pub waiting: u64,
    /// Who are in a pair.
    pub paired: u64,
    /// Messages of the whole process that wait to be sent.
    pub pending: u64,
}

/// What of this user's answers still waits.
#[derive(Clone, Copy, Default, Debug)]
pub struct Waiting<'a> {
    /// The question hashes of envelopes that wait and are not in flight.
    pub questions: &'a [u64],
    /// How many messages will leave the lane before his first waiting one.
    pub ahead: u32,
    /// About how long until then.
    pub wait: Duration,
}

/// One thing that happened to one user.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A text message.
    Text {
        /// As written.
        text: Cow<'a, str>,
        /// Its id in the chat.
        message: MessageId,
        /// The message of this chat that it answers.
        reply_to: Option<MessageId>,
    },
    /// A button was pressed.
    Callback {
        /// To be answered on the same lane.
        id: &'a str,
        /// What the button carried, 1 to 64 bytes.
        data: Cow<'a, str>,
        /// The message that bore the button, if the platform still knows it.
        message: Option<MessageId>,
    },
    /// A message of a kind that the bot need not understand (photo, sticker, ...).
    OtherMessage {
        /// Its id in the chat.
        message: MessageId,
        /// What it holds.
        content: Content,
        /// The text under it, or empty.
        caption: Cow<'a, str>,
        /// The message of this chat that it answers.
        reply_to: Option<MessageId>,
        /// The platform's name of the album that it is a part of, or empty.
        album: &'a str,
    },
    /// He has changed a message.
    Edited {
        /// Which.
        message: MessageId,
        /// Its text now, or the text under it; may be empty.
        text: Cow<'a, str>,
        /// What it holds; none if it is a text.
        content: Option<Content>,
    },
    /// He has set a sign on a message, his own or another one.
    Reacted {
        /// Which.
        message: MessageId,
        /// The sign; empty if he took it back, or it is one that bots cannot set.
        emoji: &'a str,
    },
    /// He is about to pay: to be answered within 10 s, by [`Call::AnswerPreCheckout`] on the same lane.
    PreCheckout {
        /// The platform's id of the question.
        id: &'a str,
        /// What for.
        payment: Payment<'a>,
    },
    /// He has paid. May come more than once: book it by its charge.
    Paid(Payment<'a>),
    /// He has got a payment back. May come more than once.
    Refunded(Payment<'a>),
    /// The user started or unblocked this lane's bot.
    Reachable,
    /// The user blocked this lane's bot.
    Blocked,
    /// He wrote more often than the configuration allows, for the first time in this spell.
    TooFast {
        /// When he may write again.
        until: UnixMillis,
    },
    /// He and another one who waited were paired.
    Paired {
        /// With whom; as in the view.
        partner: Partner,
        /// What [`Bot::card`] says of the partner.
        card: &'a [u8],
    },
    /// The pair he was in has ended.
    PairEnded {
        /// With whom he was.
        partner: Partner,
        /// Who ended it.
        by: EndedBy,
    },
    /// His partner's kind has something to say to his, by [`Want::Tell`].
    Told {
        /// Who; as in the view.
        partner: Partner,
        /// The kind's own encoding.
        note: &'a [u8],
    },
    /// What came of something that was sent, by [`Bot::echo`]. Best effort: a stop between the answer and
    /// this loses it.
    Heard {
        /// The kind's own encoding.
        note: &'a [u8],
    },
    /// Another user's kind, or his own in the course of another user's input, has something to say to his, by
    /// [`Want::Inform`].
    Informed {
        /// Whose input it was.
        by: UserId,
        /// The kind's own encoding.
        note: &'a [u8],
    },
    /// Another program knew this of him: by an import. The same may come again.
    Imported {
        /// The kind's own encoding.
        record: &'a [u8],
    },
    /// He came into a channel or group, or left it. The view's chat is that one, not his: say nothing.
    Member {
        /// Its name without the `@`; empty if it has none.
        name: &'a str,
        /// Whether he is in it now.
        joined: bool,
    },
    /// His search has ended without a partner.
    Unmatched(Unmatched),
    /// The time of [`Want::Alarm`] has come.
    Alarm {
        /// What was asked for; the view's `now` is a little later, or much, after a stop.
        due: UnixMillis,
    },
}

/// What a kind answers.
#[derive(Clone, Debug)]
pub struct Decision<E> {
    /// What happened, applied in order.
    pub events: Vec<E>,
    /// What to say, queued in order.
    pub sends: Vec<Outgoing>,
    /// What the engine shall do for him.
    pub wants: Vec<Want>,
}

impl<E> Default for Decision<E> {
    fn default() -> Self {
        Self { events: Vec::new(), sends: Vec::new(), wants: Vec::new() }
    }
}

/// One message or call that a kind wants sent to the user of the view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// What to say.
    pub payload: Payload,
    /// How urgent.
    pub class: Class,
    /// Only the lane the input came on may carry it.
    pub pinned: bool,
    /// In the order of what is said to him, ahead of it, or not a message at all.
    pub place: Place,
    /// Wait for the kind's release gate.
    pub held: bool,
    /// Useless after this.
    pub deadline: Option<UnixMillis>,
    /// The question this answers, 0 for none (see [`crate::envelope::Envelope::question`]).
    pub question: u64,
}

impl Outgoing {
    /// An ordinary reply.
    #[must_use]
    pub const fn reply(payload: Payload) -> Self {
        Self {
            payload,
            class: Class::Reply,
            pinned: false,
            place: Place::InOrder,
            held: false,
            deadline: None,
            question: 0,
        }
    }
}

/// The world as `render` sees it.
#[derive(Clone, Copy, Debug)]
pub struct RenderView {
    /// Both clocks.
    pub now: Now,
    /// Who will read it.
    pub user: UserId,
    /// Where.
    pub chat: ChatId,
    /// The lane that will carry it.
    pub lane: LaneIx,
    /// Its bot.
    pub bot: BotId,
    /// The message in this chat that [`Thread::refers`] means; none if it is not known, or not any more.
    pub refers: Option<MessageId>,
}

/// A payload that cannot be said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("cannot render: {0}")]
pub struct Unrenderable(pub &'static str);

impl Unrenderable {
    /// It speaks of a message that is not known any more: ordinary, and nobody's mistake.
    pub const FORGOTTEN: Self = Self("the message that it speaks of is forgotten");
}
