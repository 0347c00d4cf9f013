//! How what is sent hangs together with what was said.
//!
//! What lives here: [`Thread`], which of a partner's messages a payload passes on or speaks of, and [`Echo`], who
//! hears what came of it. A message has a number in each of the two chats it stands in. The engine learns
//! the second one from the platform's answer, and resolves at the moment of sending: by then whatever
//! left before in the same conversation has its number. So an edit that is written a second after its
//! message finds it, however long both waited.

use crate::envelope::DropReason;
use crate::id::{MessageId, PairNo, UserId};

/// What one of a pair passes on to the other, and what it speaks of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thread {
    /// The pair in which it is said. 0: what a user is told while he waits; `author` is himself then, and the
    /// numbers are the kind's own.
    pub pair: PairNo,
    /// Who says it.
    pub author: UserId,
    /// The author's messages that it passes on, in the order in which the platform will number them.
    pub copies: Vec<MessageId>,
    /// The message in the author's chat that it speaks of: an answer, an edit, a sign. It reaches `render` as
    /// [`crate::bot::RenderView::refers`].
    pub refers: Option<MessageId>,
}

impl Thread {
    /// Among [`Thread::copies`]: no message of the author's, but the kind's own that tells its reader of the pair. No
    /// message has this number. What the platform answers to it is [`Received::opened`].
    pub const OPENING: MessageId = MessageId(0);
}

/// Messages that a partner has sent in this pair and the platform has numbered.
#[derive(Clone, Copy, Default, Debug)]
pub struct Received<'a>(pub(crate) &'a [(u32, u32)]);

impl Received<'_> {
    /// The last `n` of them, oldest first, by their numbers in the chat of who received them.
    pub fn last(&self, n: usize) -> impl Iterator<Item = MessageId> {
        let said = || self.0.iter().filter(|(_, there)| !is_opening(*there));
        let from = said().count().saturating_sub(n);
        said().skip(from).map(|(here, _)| MessageId((*here).into()))
    }

    /// The number, in the chat of the view, of the message that told him of this pair ([`Thread::OPENING`]); none
    /// while the platform has not taken it. It is known as long as the pair lasts, over restarts too. Numbers of one
    /// chat rise, so whatever has a lower one was written before he knew of this pair: for another one, perhaps.
    #[must_use]
    pub fn opened(&self) -> Option<MessageId> {
        let found = self.0.iter().find(|(_, there)| is_opening(*there))?;
        Some(MessageId(found.0.into()))
    }
}

/// Whether a link's far end says that it is no partner's message.
pub(crate) fn is_opening(there: u32) -> bool {
    i64::from(there) == Thread::OPENING.0
}

/// What came of a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The platform took it.
    Sent,
    /// The answer to [`crate::bot::Call::IsMember`].
    Member(bool),
    /// It was given up.
    Dropped(DropReason),
}

/// Who hears of it, and what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Echo {
    /// Who.
    pub to: UserId,
    /// The kind's own encoding.
    pub note: Box<[u8]>,
}
