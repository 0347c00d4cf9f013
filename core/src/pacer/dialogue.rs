//! Conversations: the pacer's unit of order and of turns.
//!
//! What lives here: [`Dialogue`] (one node of 64 bytes per conversation) and the store that finds it. A
//! dialogue is also the bucket of its private chat: it is forgotten only when it is empty *and* its bucket
//! is full, so the buckets need no map of their own and no look-up when something is sent.

use super::reach::Reach;
use super::slab::{Linked, Links, List, NIL, Slab};
use crate::bucket::Rate;
use crate::envelope::{Class, Conversation};
use crate::id::LaneIx;
use crate::time::Nanos;
use crate::wheel::TimerId;
use core::hash::BuildHasher;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Where a dialogue is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum State {
    /// In no list: about to be settled.
    Loose,
    /// Empty; waits in the `cooling` list until its bucket is full.
    Cooling,
    /// On the wheel: its chat's bucket, a chat's freeze, or a pause between two attempts.
    Parked,
    /// In a lane's calendar: it may leave as soon as its turn comes.
    Ready,
    /// In the list of a lane that is down, because no other may carry its head.
    Held,
    /// Waits for its group's grant.
    InGroup,
    /// Its head is in flight.
    Flying,
}

/// One conversation with anything pending, or whose chat bucket is not full.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Dialogue {
    user: u64,
    /// The theoretical arrival time of the private chat. One for all lanes: at most stricter than one per
    /// (token, chat), and a user reads one conversation.
    pub(super) tat: Nanos,
    /// Its envelopes in the order in which they must leave; the head stays here while in flight.
    pub(super) queue: List<0>,
    links: Links,
    /// How many of them are of each class.
    pub(super) waiting: [u16; 4],
    /// In which tick its turn comes while it is ready; else from when on its next turn may be. What is
    /// forgotten with the node would be in the past: see [`super::calendar`].
    pub(super) turn: u32,
    pub(super) timer: TimerId,
    /// The group whose grant it holds or, in state `InGroup`, waits for.
    pub(super) group: u32,
    /// Its place within the tick of its turn.
    pub(super) stamp: u32,
    /// The lane its head goes to.
    pub(super) lane: LaneIx,
    kind: u8,
    /// The class of the calendar or list it is in.
    pub(super) class: Class,
    pub(super) state: State,
    /// What is known of his home lane, copied from the store when the node is made.
    pub(super) reach: Reach,
    /// A message ahead of it is in flight: it keeps the node, and counts in the bucket as if sent just now.
    pub(super) passing: bool,
}

const _: () = assert!(size_of::<Dialogue>() == 64);

impl Linked<0> for Dialogue {
    #[inline]
    fn links(&mut self) -> &mut Links {
        &mut self.links
    }
}

impl Dialogue {
    /// Its envelopes.
    #[inline]
    pub(super) fn pending(&self) -> u32 {
        self.waiting.iter().map(|count| u32::from(*count)).sum()
    }

    /// The highest class among its envelopes.
    #[inline]
    pub(super) fn highest(&self) -> Class {
        Class::ALL.into_iter().find(|class| self.waiting[*class as usize] > 0).unwrap_or(Class::Bulk)
    }

    /// What to take for the private chat's theoretical arrival time at `now`. The platform may count a
    /// message ahead at any instant until its answer, so until then it is taken to count it now.
    #[inline]
    pub(super) const fn tat_at(&self, chat: Rate, now: Nanos) -> Nanos {
        if self.passing { chat.taken(self.tat, now) } else { self.tat }
    }

    /// Whether it may be forgotten at `now`, if it is empty.
    #[inline]
    pub(super) const fn is_full(&self, now: Nanos) -> bool {
        self.tat.0 <= now.0 && !self.passing
    }

    pub(super) fn conversation(&self) -> Conversation {
        Conversation { kind: crate::id::KindIx(self.kind), user: crate::id::UserId(self.user) }
    }
}

/// All dialogues, by conversation.
#[derive(Clone, Debug)]
pub(super) struct Dialogues {
    pub(super) nodes: Slab<Dialogue>,
    index: HashTable<u32>,
    hasher: FixedState,
    /// Empty ones, the first emptied first. The bucket of one that was emptied earlier is full no later
    /// than one burst after that of a later one, so looking at the front is enough.
    pub(super) cooling: List<0>,
}

impl Dialogues {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            nodes: Slab::default(),
            index: HashTable::new(),
            hasher: FixedState::with_seed(seed),
            cooling: List::default(),
        }
    }

    #[inline]
    fn hash(hasher: &FixedState, user: u64, kind: u8) -> u64 {
        hasher.hash_one(user.rotate_left(8) ^ u64::from(kind))
    }

    #[inline]
    pub(super) fn find(&self, conversation: Conversation) -> Option<u32> {
        let (user, kind) = (conversation.user.0, conversation.kind.0);
        let same = |at: &u32| self.nodes[*at].user == user && self.nodes[*at].kind == kind;
        self.index.find(Self::hash(&self.hasher, user, kind), same).copied()
    }

    /// The conversation's node; a new one is empty, loose, and has the bucket `fresh` gives.
    #[inline]
    pub(super) fn find_or_insert(
        &mut self,
        conversation: Conversation,
        fresh: impl FnOnce() -> (Nanos, Reach),
    ) -> u32 {
        let (user, kind) = (conversation.user.0, conversation.kind.0);
        let hash = Self::hash(&self.hasher, user, kind);
        let Self { nodes, index, hasher, .. } = self;
        let same = |at: &u32| nodes[*at].user == user && nodes[*at].kind == kind;
        let rehash = |at: &u32| Self::hash(hasher, nodes[*at].user, nodes[*at].kind);
        let place = match index.entry(hash, same, rehash) {
            Entry::Occupied(held) => return *held.get(),
            Entry::Vacant(place) => place,
        };
        let (tat, reach) = fresh();
        let at = nodes.insert(Dialogue {
            user,
            tat,
            queue: List::default(),
            links: Links::default(),
            waiting: [0; 4],
            timer: TimerId::NONE,
            group: NIL,
            turn: 0,
            stamp: 0,
            lane: LaneIx(0),
            kind,
            class: Class::Bulk,
            state: State::Loose,
            reach,
            passing: false,
        });
        place.insert(at);
        at
    }

    /// Forgets an empty dialogue that is in no list.
    pub(super) fn remove(&mut self, at: u32) {
        let node = &self.nodes[at];
        let hash = Self::hash(&self.hasher, node.user, node.kind);
        if let Ok(entry) = self.index.find_entry(hash, |held| *held == at) {
            entry.remove();
            self.nodes.remove(at);
        }
    }

    /// The numbers of all that exist, in no order.
    pub(super) fn live(&self) -> Vec<u32> {
        self.index.iter().copied().collect()
    }

    /// Forgets up to `most` empty dialogues whose bucket is full.
    pub(super) fn forget_full(&mut self, now: Nanos, most: usize) {
        for _ in 0..most {
            let front = self.cooling.head;
            if front == NIL || !self.nodes[front].is_full(now) {
                return;
            }
            self.cooling.remove(&mut self.nodes, front);
            self.remove(front);
        }
    }
}
