//! The pacer: which envelope leaves when, on which lane.
//!
//! What lives here: [`Pacer`], single-owner (`&mut self`), generic over a payload handle. It owns every rule
//! about order, turns, rates, waits, lanes and reach; it knows no socket, no template and no clock. The
//! owner calls `enqueue` and `handle_verdict`, then drains `poll_dispatch` and `poll_dropped` until they
//! give `None`, then sleeps until `poll_timeout`. Which rule stands where:
//!
//! | subject | file |
//! |---|---|
//! | order of a conversation, its chat's bucket | `dialogue` |
//! | groups | `group` |
//! | where a dialogue goes next: lane, wheel, group, out | `route` |
//! | what leaves now | `dispatch`, `lane`, `turns`, `calendar` |
//! | what passes the order of its conversation | `ahead` |
//! | what counts as several messages | `album` |
//! | what an answer means | `verdict`, `health`, `aimd`, `freeze` |
//! | homes and reach | `reach` |
//!
//! # Rules
//!
//! - **Order.** A conversation is (kind, user). Its messages leave in the order of `enqueue`, one in flight at
//!   a time, whatever lane carries them. What must be sent again stays at its head. Calls that are not
//!   messages have no place in that order ([`Place`]).
//! - **Ahead.** A message ahead of its conversation leaves beside what is ready there, once, or is dropped:
//!   see `ahead`. At most 1 of any 32 messages of a lane is one while others wait.
//! - **Turns.** A conversation has the highest class of its envelopes. Within a class the conversations of a
//!   lane are served first come, first served, and one with many messages takes turns with the others: see
//!   `calendar`. Between classes see [`turns`]: while one waits, at most 1 of any 32 sends is lower.
//! - **Rates.** A lane's window (30 out in any second, counted from the answer), 1 a second and bursts of 3
//!   for a chat, 20 a minute for a group. All are charged at the answer, so jitter cannot break them.
//! - **429.** Nothing leaves for a chat or a token before its announced wait is over; a later, longer wait
//!   extends it. See [`RetryScope`] for what is taken to wait.
//! - **Memory.** At most `max_pending` envelopes. At the bound, what comes in makes room by dropping the
//!   newest bulk envelope, then the newest relay, of a class below its own; if there is none it is refused.
//!   Replies are given up only if `shed_replies` is set, urgent ones never, and these may pass the bound by
//!   `urgent_reserve`. What is in flight is not shed.
//! - **Deadlines.** A stale envelope is dropped when it comes to the head of its conversation, at the latest
//!   when its turn comes. Urgent ones do not become stale.
//!
//! Every operation is O(1) in what is pending; one hash look-up at `enqueue`, one when a conversation is
//! forgotten, none at dispatch or verdict (one at the turn of a message ahead of its conversation).

mod admin;
mod ahead;
mod aimd;
mod album;
mod calendar;
mod config;
mod dialogue;
mod dispatch;
mod env;
mod freeze;
mod gauges;
mod group;
mod health;
mod index;
mod intake;
mod invariants;
mod lane;
mod reach;
mod route;
mod slab;
pub mod turns;
mod verdict;

#[cfg(all(test, not(loom)))]
mod tests;

pub use config::{Adaptive, PacerConfig, RetryScope};
pub use gauges::{Counters, Estimate, LaneGauges};
pub use health::LaneHealth;
pub use reach::{PROBE_EVERY, ReachLearned, ReachMode};

use crate::envelope::{Class, Conversation, DropReason, End, Place, Route};
use crate::id::{ChatId, EnvelopeId, LaneIx};
use crate::limits::LANES_MAX;
use crate::time::Nanos;
use crate::wheel::Wheel;
use calendar::Clock;
use dialogue::Dialogues;
use env::{AGE, Env};
use freeze::Freezes;
use group::Groups;
use lane::{Lane, LaneSet};
use reach::{Homes, ReachStore};
use slab::{List, Slab};
use std::collections::VecDeque;

/// What the owner hands in: an [`crate::envelope::Envelope`] with its payload replaced by a handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parcel<T> {
    /// Whatever finds the payload again.
    pub handle: T,
    /// The envelope.
    pub id: EnvelopeId,
    /// Whose conversation.
    pub conversation: Conversation,
    /// Where to; negative for groups.
    pub chat: ChatId,
    /// The lane whose bot the user wrote to: the fallback.
    pub arrived_on: LaneIx,
    /// Which lane may carry it.
    pub route: Route,
    /// How urgent.
    pub class: Class,
    /// In the order of its conversation, ahead of it, or no message.
    pub place: Place,
    /// Messages that the platform makes of it besides the first, which its limits count: an album's other
    /// parts, at most 63. Only heeded for what is in the order of its conversation.
    pub more: u8,
    /// Dropped if not sent by then, to 4.2 ms. Ignored for urgent ones, unless they are
    /// ahead of their conversation.
    pub deadline: Option<Nanos>,
}

/// No room for it, by the shedding rule: the parcel comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the pacer is full for this class or this conversation")]
pub struct Full<T>(pub Parcel<T>);

/// A send that is under way. Unknown to the pacer once its verdict was handled (for the next 2^28 sends).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FlightId(u64);

/// What is to be sent now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dispatch<T> {
    /// To be given back with the verdict.
    pub flight: FlightId,
    /// Through which lane.
    pub lane: LaneIx,
    /// Whose conversation.
    pub conversation: Conversation,
    /// Where to.
    pub chat: ChatId,
    /// The envelope's own class.
    pub class: Class,
    /// The class in whose turn it leaves: that of its conversation.
    pub turn: Class,
    /// The envelope.
    pub id: EnvelopeId,
    /// What finds its payload.
    pub handle: T,
    /// How often it was tried before: 0 for the first time.
    pub attempt: u8,
}

/// What a verdict led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome<T> {
    /// What became of the envelope.
    pub fate: Fate<T>,
    /// What is now known about the user's home lane and was not before.
    pub learned: Option<ReachLearned>,
}

/// What became of an envelope that was in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate<T> {
    /// It ended.
    Done {
        /// What finds its payload.
        handle: T,
        /// The envelope.
        id: EnvelopeId,
        /// How.
        end: End,
    },
    /// It stays at the head of its conversation and will be sent again.
    Requeued {
        /// The envelope.
        id: EnvelopeId,
        /// Another lane will carry it.
        moved_to: Option<LaneIx>,
    },
    /// Nothing of that number is in flight: a verdict that came twice. Nothing was changed.
    NotInFlight,
}

/// A send under way. Its envelope keeps its mark meanwhile, so that the number of one that ended finds nothing.
#[derive(Clone, Copy, Debug)]
struct Flight {
    envelope: u32,
    lane: LaneIx,
    turn: Class,
    /// It left after the last 429 of its lane: its success speaks for the lane.
    vouches: bool,
    /// Nothing was known of this lane reaching the user.
    tries: bool,
}

/// What is known of a flight at its departure, in one word: 28 bits of its number, then turn, vouches, tries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Mark(u32);

impl Mark {
    /// One more would, with all bits set, be no mark.
    const NUMBERS: u32 = (1 << 28) - 1;

    #[inline]
    const fn new(number: u32, turn: Class, vouches: bool, tries: bool) -> Self {
        Self(number << 4 | (turn as u32) << 2 | (vouches as u32) << 1 | tries as u32)
    }

    #[inline]
    fn flight(self, envelope: u32, lane: LaneIx) -> Flight {
        let turn = Class::from_u8((self.0 >> 2 & 3) as u8).unwrap_or(Class::Bulk);
        Flight { envelope, lane, turn, vouches: self.0 & 2 != 0, tries: self.0 & 1 != 0 }
    }
}

/// Orders sends over lanes. See the module's documentation for the rules.
#[derive(Clone, Debug)]
pub struct Pacer<T> {
    config: PacerConfig,
    lanes: Vec<Lane>,
    /// Lanes through which something might leave now.
    active: LaneSet,
    dialogues: Dialogues,
    groups: Groups,
    envs: Slab<Env<T>>,
    /// The number of the next flight, below [`Mark::NUMBERS`].
    flight: u32,
    wheel: Wheel,
    freezes: Freezes,
    homes: Homes,
    clock: Clock,
    reach: ReachStore,
    /// Envelopes that may be shed, oldest first, by class.
    ages: [List<AGE>; 4],
    dropped: VecDeque<(T, EnvelopeId, DropReason)>,
    counters: Counters,
    /// What an unseen chat's bucket is assumed to be (after a restart: spent).
    unseen: Nanos,
    /// The latest instant that was passed in.
    now: Nanos,
    /// The start, for what is spent at it.
    start: Nanos,
    /// Of the pauses between attempts.
    jitter: u64,
}

impl<T: Copy> Pacer<T> {
    /// An empty pacer with `lanes` lanes. `seed` places keys and spreads pauses; the same seed and the same
    /// calls give the same sends.
    ///
    /// # Panics
    /// If `lanes` is 0 or more than [`LANES_MAX`]: the configuration check refuses both.
    #[must_use]
    pub fn new(config: PacerConfig, lanes: u16, now: Nanos, seed: u64) -> Self {
        assert!(lanes > 0 && usize::from(lanes) <= LANES_MAX, "1 to {LANES_MAX} lanes, not {lanes}");
        Self {
            lanes: (0..lanes).map(|_| Lane::new(&config, now)).collect(),
            active: LaneSet::default(),
            dialogues: Dialogues::new(seed),
            groups: Groups::new(seed),
            envs: Slab::default(),
            flight: 0,
            wheel: Wheel::new(now),
            freezes: Freezes::new(seed),
            homes: Homes::new(config.homes.unwrap_or(lanes)),
            clock: Clock::new(config.chat, now),
            reach: ReachStore::new(seed),
            ages: [List::default(); 4],
            dropped: VecDeque::new(),
            counters: Counters::default(),
            unseen: if config.spent { config.chat.spent(now) } else { Nanos::ZERO },
            now,
            start: now,
            jitter: seed | 1,
            config,
        }
    }

    /// An envelope that was given up without a verdict of its own (stale, shed, its bot gone); to be
    /// drained after every other call.
    pub fn poll_dropped(&mut self) -> Option<(T, EnvelopeId, DropReason)> {
        self.dropped.pop_front()
    }

    /// When to call [`Pacer::poll_dispatch`] next if nothing else happens. Once `poll_dispatch` has given
    /// `None`, strictly later than the instant it was given. `None`: only a call can bring work.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Nanos> {
        self.wheel.poll_timeout()
    }

    /// The next number of a xorshift sequence (Marsaglia 2003): spreads pauses, decides nothing else.
    fn jitter(&mut self) -> u64 {
        self.jitter ^= self.jitter << 13;
        self.jitter ^= self.jitter >> 7;
        self.jitter ^= self.jitter << 17;
        self.jitter
    }
}
