//! Groups: chats that many conversations share.
//!
//! What lives here: [`Group`] and the [`Groups`] store. A private chat has one conversation, whose node
//! keeps the chat's bucket; a group's bucket is shared, so its conversations queue here and are *granted* the
//! group one at a time. One send to a group is in flight at once, and both its buckets (1 a second, 20 a
//! minute) are charged at the answer, for the reason given at [`crate::bucket::Window`].

use super::config::PacerConfig;
use super::slab::{List, Slab};
use crate::bucket::{NotBefore, Window};
use crate::id::{ChatId, LaneIx};
use crate::time::Nanos;
use crate::wheel::TimerId;
use core::hash::BuildHasher;
use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// One group of one token.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) lane: LaneIx,
    pub(super) chat: ChatId,
    /// Of the chat bucket, as a conversation has one for its private chat.
    pub(super) tat: Nanos,
    pub(super) window: Window,
    /// Conversations whose head goes to this group, first come first served.
    pub(super) waiters: List<0>,
    /// A conversation holds the grant: it is ready, held, or in flight.
    pub(super) granted: bool,
    pub(super) timer: TimerId,
}

impl Group {
    /// When the next send may leave, which makes so many messages; an instant not after `now` if it may leave now.
    pub(super) fn eligible_at(&mut self, config: &PacerConfig, messages: u32, now: Nanos) -> Nanos {
        let chat = config.chat.peek(self.tat, now);
        let minute = self.window.peek_many(messages.min(config.group_slots), now);
        [chat, minute].into_iter().filter_map(Result::err).map(|NotBefore(at)| at).max().unwrap_or(now)
    }

    /// When it may be forgotten.
    pub(super) fn full_at(&self) -> Nanos {
        self.window.all_in_at().unwrap_or(Nanos::NEVER).max(self.tat)
    }
}

/// The groups that are not full or have somebody waiting.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    pub(super) nodes: Slab<Group>,
    index: HashTable<u32>,
    hasher: FixedState,
}

impl Groups {
    pub(super) fn new(seed: u64) -> Self {
        Self { nodes: Slab::default(), index: HashTable::new(), hasher: FixedState::with_seed(seed) }
    }

    /// The group's node; made by `fresh` if there is none.
    pub(super) fn find_or_insert(
        &mut self,
        lane: LaneIx,
        chat: ChatId,
        fresh: impl FnOnce() -> (Nanos, Window),
    ) -> u32 {
        let Self { nodes, index, hasher } = self;
        let hash = hasher.hash_one((lane, chat));
        let same = |at: &u32| nodes[*at].lane == lane && nodes[*at].chat == chat;
        if let Some(at) = index.find(hash, same) {
            return *at;
        }
        let (tat, window) = fresh();
        let (waiters, timer) = (List::default(), TimerId::NONE);
        let at = nodes.insert(Group { lane, chat, tat, window, waiters, granted: false, timer });
        index.insert_unique(hash, at, |at| hasher.hash_one((nodes[*at].lane, nodes[*at].chat)));
        at
    }

    /// Forgets a group that is full, with nobody waiting.
    pub(super) fn remove(&mut self, at: u32) {
        let hash = self.hasher.hash_one((self.nodes[at].lane, self.nodes[at].chat));
        if let Ok(entry) = self.index.find_entry(hash, |held| *held == at) {
            entry.remove();
            self.nodes.remove(at);
        }
    }
}
