//! Conversations: the pacer's unit of order and of turns.
//!
//! What lives here: [`Dialogue`] (one node of 64 bytes per conversation) and the store that finds it. A
//! dialogue is also the bucket of its private chat: it is forgotten only when it is empty *and* its bucket
//! is full, so the buckets need no map of their own and no look-up when something is sent.

use super::index::{Index, Vacant};
use super::reach::Reach;
use super::slab::{Linked, Links, List, NIL, Slab};
use crate::bucket::{NotBefore, Rate};
use crate::envelope::{Class, Conversation};
use crate::id::LaneIx;
use crate::time::Nanos;
use crate::wheel::TimerId;
use core::hash::BuildHasher;
use foldhash::fast::FixedState;

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

/// Counts of envelopes by class, 16 bits each, in one word; together at most 65,535, as a conversation's bound
/// is a `u16`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Waiting(u64);

impl Waiting {
    #[inline]
    pub(super) const fn add(&mut self, class: Class) {
        self.0 += 1 << (16 * class as u32);
    }

    #[inline]
    pub(super) const fn remove(&mut self, class: Class) {
        self.0 -= 1 << (16 * class as u32);
    }

    /// All of them: a product whose highest 16 bits are the sum of the four.
    #[inline]
    pub(super) const fn total(self) -> u32 {
        (self.0.wrapping_mul(0x0001_0001_0001_0001) >> 48) as u32
    }

    /// The highest class that has any; the lowest if none has.
    #[inline]
    pub(super) fn highest(self) -> Class {
        Class::from_u8((self.0.trailing_zeros() / 16) as u8).unwrap_or(Class::Bulk)
    }
}

/// One conversation with anything pending, or whose chat bucket is not full.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Dialogue {
    pub(super) user: u64,
    /// The theoretical arrival time of the private chat. One for all lanes: at most stricter than one per
    /// (token, chat), and a user reads one conversation.
    pub(super) tat: Nanos,
    /// Its envelopes in the order in which they must leave; the head stays here while in flight.
    pub(super) queue: List<0>,
    pub(super) links: Links,
    /// How many of them are of each class.
    pub(super) waiting: Waiting,
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
    pub(super) kind: u8,
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
    /// An empty one, in no list, whose bucket is as `tat` says.
    #[inline]
    pub(super) fn new(conversation: Conversation, tat: Nanos, reach: Reach) -> Self {
        Self {
            user: conversation.user.0,
            tat,
            queue: List::default(),
            links: Links::default(),
            waiting: Waiting::default(),
            timer: TimerId::NONE,
            group: NIL,
            turn: 0,
            stamp: 0,
            lane: LaneIx(0),
            kind: conversation.kind.0,
            class: Class::Bulk,
            state: State::Loose,
            reach,
            passing: false,
        }
    }

    #[cold]
    fn blank() -> Self {
        let nobody = Conversation { kind: crate::id::KindIx(0), user: crate::id::UserId(0) };
        Self::new(nobody, Nanos::ZERO, Reach::Unknown)
    }

    /// What to take for the private chat's theoretical arrival time at `now`. The platform may count a
    /// message ahead at any instant until its answer, so until then it is taken to count it now.
    #[inline]
    pub(super) const fn tat_at(&self, chat: Rate, now: Nanos) -> Nanos {
        if self.passing { chat.taken(self.tat, now) } else { self.tat }
    }

    /// When the private chat's bucket lets the next one go; an instant not after `now` if it may go now.
    /// For an album never while a message ahead is in flight: the platform may judge it first, and then that one finds
    /// no room.
    #[inline]
    pub(super) fn eligible_at(&self, chat: Rate, album: bool, now: Nanos) -> Nanos {
        if album && self.passing {
            return now.after(chat.interval());
        }
        match chat.peek(self.tat_at(chat, now), now) {
            Ok(()) => Nanos::ZERO,
            Err(NotBefore(at)) => at,
        }
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
    index: Index,
    hasher: FixedState,
    /// Empty ones, the first emptied first. The bucket of one that was emptied earlier is full no later
    /// than one burst after that of a later one, so looking at the front is enough.
    pub(super) cooling: List<0>,
}

impl Dialogues {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            nodes: Slab::default(),
            index: Index::new(),
            hasher: FixedState::with_seed(seed),
            cooling: List::default(),
        }
    }

    #[inline]
    fn hash(&self, user: u64, kind: u8) -> u32 {
        self.hasher.hash_one(user.rotate_left(8) ^ u64::from(kind)) as u32
    }

    /// The conversation's node, or where it would be.
    #[inline(always)]
    pub(super) fn search(&self, conversation: Conversation) -> Result<u32, Vacant> {
        let (user, kind) = (conversation.user.0, conversation.kind.0);
        self.index.find(self.hash(user, kind), |at| {
            let node = &self.nodes[at];
            node.user == user && node.kind == kind
        })
    }

    #[inline(never)]
    pub(super) fn find(&self, conversation: Conversation) -> Option<u32> {
        self.search(conversation).ok()
    }

    /// The conversation's node; a new one is empty, loose, and has the bucket `fresh` gives.
    #[inline]
    pub(super) fn find_or_insert(
        &mut self,
        conversation: Conversation,
        fresh: impl FnOnce() -> (Nanos, Reach),
    ) -> u32 {
        match self.search(conversation) {
            Ok(at) => at,
            Err(vacant) => {
                let (tat, reach) = fresh();
                self.insert(vacant, Dialogue::new(conversation, tat, reach))
            }
        }
    }

    /// Takes in the node of a conversation that a search did not find; nothing was changed since.
    #[inline(always)]
    pub(super) fn insert(&mut self, vacant: Vacant, node: Dialogue) -> u32 {
        let (at, place) = self.nodes.reserve(Dialogue::blank);
        *place = node;
        self.index.insert(vacant, at);
        at
    }

    /// Forgets an empty dialogue that is in no list.
    #[inline(never)]
    pub(super) fn remove(&mut self, at: u32) {
        let node = &self.nodes[at];
        let hash = self.hash(node.user, node.kind);
        self.index.remove(hash, at);
        self.nodes.remove(at);
    }

    /// An empty one that holds no grant waits until its bucket is full; if it is, it is forgotten.
    #[inline(always)]
    pub(super) fn cool(&mut self, at: u32, now: Nanos) {
        if self.nodes[at].is_full(now) {
            return self.remove(at);
        }
        self.cooling.append(&mut self.nodes, at).state = State::Cooling;
    }

    /// The numbers of all that exist, in no order.
    pub(super) fn live(&self) -> Vec<u32> {
        self.index.iter().collect()
    }

    /// Forgets the dialogue that has been empty longest, if its bucket is full; else gives `false`.
    #[inline(always)]
    pub(super) fn forget_full(&mut self, now: Nanos) -> bool {
        let front = self.cooling.head;
        if front == NIL {
            return false;
        }
        let node = &self.nodes[front];
        let hash = self.hash(node.user, node.kind);
        if !node.is_full(now) {
            return false;
        }
        self.cooling.pop_front(&mut self.nodes);
        self.index.remove(hash, front);
        self.nodes.remove(front);
        true
    }
}
