//! Links between the two copies of a message that was passed on.
//!
//! What lives here: [`Link`], what an answer of the platform tells of it, and [`Links`], those of one user. They are
//! durable (they stand in the frame of the ends) and belong to the one who received the message: the last
//! [`LINKS_MAX`] of a pair. When they are made and asked for is `threads`' subject.

use crate::envelope::Conversation;
use crate::id::{MessageId, PairNo};
use crate::limits::LINKS_MAX;

/// A message that one of a pair was sent is this message of the other one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// Who received it.
    pub conversation: Conversation,
    /// In which pair; 0 while he waits.
    pub pair: PairNo,
    /// Its number in the receiver's chat.
    pub here: MessageId,
    /// Its number in the author's chat.
    pub there: MessageId,
}

/// The links of one user's pair, oldest first: (here, there). 8 bytes each; Telegram's numbers fit 32 bits.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Links(Vec<(u32, u32)>);

impl Links {
    pub(crate) fn add(&mut self, here: MessageId, there: MessageId) {
        let (Ok(here), Ok(there)) = (u32::try_from(here.0), u32::try_from(there.0)) else { return };
        if self.0.contains(&(here, there)) {
            return;
        }
        if self.0.len() >= LINKS_MAX {
            self.0.remove(0);
        }
        self.0.push((here, there));
    }

    pub(crate) fn clear(&mut self) {
        self.0 = Vec::new();
    }

    /// The newest message here that is `there` of the author.
    pub(super) fn here(&self, there: MessageId) -> Option<MessageId> {
        let found = self.0.iter().rev().find(|(_, known)| i64::from(*known) == there.0)?;
        Some(MessageId(found.0.into()))
    }

    /// The author's message that is `here`.
    pub(super) fn there(&self, here: MessageId) -> Option<MessageId> {
        let found = self.0.iter().rev().find(|(known, _)| i64::from(*known) == here.0)?;
        Some(MessageId(found.1.into()))
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> &[(u32, u32)] {
        &self.0
    }
}
