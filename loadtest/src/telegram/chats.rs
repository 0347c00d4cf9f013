//! What one bot knows about its chats: limits, reach, and which messages exist.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::limits::ChatBook;
use super::reach::Known;
use crate::wire::At;

/// A message the emulator can still edit, delete, copy or forward.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    pub(crate) id: i64,
    pub(crate) by_bot: bool,
    /// Hash of content and markup: an edit to the same is refused.
    pub(crate) content: u64,
    /// It was sent with `protect_content`.
    pub(crate) protected: bool,
}

/// Messages remembered per chat; older ones can no longer be edited or deleted (the platform keeps all).
const REMEMBERED: usize = 64;

/// One chat of one bot.
#[derive(Debug, Default)]
pub(crate) struct Chat {
    pub(crate) book: ChatBook,
    pub(crate) known: Known,
    /// When the chat last wrote to this bot.
    pub(crate) wrote_at: Option<At>,
    pub(crate) messages: VecDeque<Stored>,
    /// Supergroups and channels count their own messages; other chats share the bot's counter.
    own_last_id: i64,
}

impl Chat {
    pub(crate) fn remember(&mut self, message: Stored) {
        if self.messages.len() == REMEMBERED {
            self.messages.pop_front();
        }
        self.messages.push_back(message);
    }

    pub(crate) fn find(&mut self, message_id: i64) -> Option<&mut Stored> {
        self.messages.iter_mut().find(|m| m.id == message_id)
    }

    /// `true` if it was there.
    pub(crate) fn forget(&mut self, message_id: i64) -> bool {
        let before = self.messages.len();
        self.messages.retain(|m| m.id != message_id);
        before != self.messages.len()
    }
}

/// All chats of one bot.
#[derive(Debug)]
pub(crate) struct Chats {
    by_id: HashMap<i64, Chat>,
    last_message_id: i64,
}

impl Chats {
    /// Private chats and basic groups share one counter, as on the platform, beginning after `first`.
    pub(crate) fn new(first: i64) -> Self {
        Self { by_id: HashMap::new(), last_message_id: first }
    }

    pub(crate) fn entry(&mut self, chat: i64) -> &mut Chat {
        self.by_id.entry(chat).or_default()
    }

    pub(crate) fn get_mut(&mut self, chat: i64) -> Option<&mut Chat> {
        self.by_id.get_mut(&chat)
    }

    /// The next message id of this chat.
    pub(crate) fn next_message_id(&mut self, chat: i64) -> i64 {
        if is_supergroup(chat) {
            let chat = self.entry(chat);
            chat.own_last_id += 1;
            return chat.own_last_id;
        }
        self.last_message_id += 1;
        self.last_message_id
    }
}

/// Groups, supergroups and channels have negative ids.
pub(crate) fn is_group(chat: i64) -> bool {
    chat < 0
}

/// Supergroups and channels: `-100` and ten or more digits.
pub(crate) fn is_supergroup(chat: i64) -> bool {
    chat <= -1_000_000_000_000
}

/// A fingerprint of a message's content.
pub(crate) fn fingerprint(parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}
