//! Links between the two copies of a message that was passed on.
//!
//! What lives here: [`Link`], what an answer of the platform tells of it, and [`Links`], those of one user. They are
//! durable (they stand in the frame of the ends) and belong to the one who received the message: the last
//! [`LINKS_MAX`] of a pair, and the one that told him of it ([`Thread::OPENING`](crate::bot::Thread::OPENING)).

use crate::bot::is_opening;
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
        let known = |link: &(u32, u32)| *link == (here, there) || is_opening(there) && is_opening(link.1);
        if self.0.iter().any(known) {
            return;
        }
        if self.0.len() >= LINKS_MAX {
            // Never the one that says when the pair began.
            let oldest = self.0.iter().position(|(_, there)| !is_opening(*there));
            self.0.remove(oldest.unwrap_or(0));
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
        Some(MessageId(found.1.into())).filter(|_| !is_opening(found.1))
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> &[(u32, u32)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::{Received, Thread};
    use proptest::prelude::*;

    proptest! {
        /// However much is said: when the pair began stays known, and is nobody's message.
        #[test]
        fn the_number_of_the_opening_is_kept_as_long_as_the_pair(
            before in 0usize..3,
            said in prop::collection::vec(1u32..1_000, 0..200),
        ) {
            let mut links = Links::default();
            for (i, there) in said.iter().enumerate() {
                if i == before.min(said.len() - 1) {
                    links.add(MessageId(5), Thread::OPENING);
                    links.add(MessageId(9), Thread::OPENING);
                }
                links.add(MessageId(10 + i as i64), MessageId((*there).into()));
            }
            prop_assert!(links.all().len() <= LINKS_MAX);
            let received = Received(links.all());
            prop_assert_eq!(received.opened(), (!said.is_empty()).then_some(MessageId(5)));
            prop_assert!(received.last(1_000).all(|message| message.0 >= 10));
            prop_assert_eq!(received.last(2).count(), said.len().min(2));
            prop_assert_eq!(links.there(MessageId(5)), None);
        }
    }
}
