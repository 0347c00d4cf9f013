//! What others may see: counters, gauges of a lane, a place in the queue.

use super::Pacer;
use super::calendar::Calendar;
use super::dialogue::State;
use super::health::LaneHealth;
use crate::envelope::{Class, Conversation};
use crate::id::LaneIx;
use crate::time::Nanos;
use core::time::Duration;

/// Counts since the start. They only rise.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    /// Envelopes taken in.
    pub enqueued: u64,
    /// Parcels refused for want of room.
    pub refused_full: u64,
    /// Sends, by the class in whose turn they left.
    pub dispatched: [u64; 4],
    /// Sends the platform accepted.
    pub sent: u64,
    /// Envelopes given up, by [`crate::envelope::DropReason`].
    pub dropped: [u64; 7],
    /// Envelopes that went back to the head of their conversation.
    pub requeued: u64,
    /// Of these, because the home lane does not reach the user.
    pub fallbacks: u64,
    /// 429s.
    pub refused_429: u64,
    /// Waits widened from a chat to its token.
    pub widened: u64,
    /// Sends that failed and were certainly not accepted.
    pub failed: u64,
    /// Sends whose answer was lost: repeating them may repeat a message.
    pub unknown: u64,
    /// Times a lane was opened by failures.
    pub lanes_opened: u64,
    /// Tokens found dead.
    pub tokens_dead: u64,
}

/// A lane as gauges show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaneGauges {
    /// Envelopes that wait for it, by class.
    pub pending: [u32; 4],
    /// Sends without an answer.
    pub in_flight: u32,
    /// Its window.
    pub slots: u32,
    /// Whether it may be used.
    pub health: LaneHealth,
    /// An operator stopped it.
    pub paused: bool,
    /// The end of the wait announced for the whole token, if it is not over.
    pub frozen_until: Option<Nanos>,
    /// It refused most users it was tried with, and is hardly tried any more.
    pub distrusted: bool,
}

/// A place in the queue, as of now: later arrivals of a higher class push it back, and a conversation's
/// later messages come in later turns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// How many messages will leave the lane before its next one.
    pub ahead: u32,
    /// About how long that takes at the lane's slots.
    pub wait: Duration,
}

impl<T: Copy> Pacer<T> {
    /// The counters.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Envelopes pending or in flight.
    #[must_use]
    pub fn len(&self) -> usize {
        self.envs.len()
    }

    /// Nothing is pending or in flight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many lanes there are.
    #[must_use]
    pub fn lanes(&self) -> u16 {
        self.lanes.len() as u16
    }

    /// Sends without an answer, over all lanes. O(lanes).
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.lanes.iter().map(|lane| lane.in_flight as usize).sum()
    }

    /// Users of whom it is known whether their home lane reaches them.
    #[must_use]
    pub fn reach_known(&self) -> usize {
        self.reach.len()
    }

    /// Conversations remembered: with something pending, or whose chat's bucket is not full.
    #[must_use]
    pub fn conversations(&self) -> usize {
        self.dialogues.nodes.len()
    }

    /// A lane's gauges; `None` if there is no such lane.
    #[must_use]
    pub fn lane(&self, lane: LaneIx) -> Option<LaneGauges> {
        let lane = self.lanes.get(lane.index())?;
        Some(LaneGauges {
            pending: lane.pending,
            in_flight: lane.in_flight,
            slots: lane.window.slots(),
            health: lane.health.state,
            paused: lane.paused,
            frozen_until: (lane.frozen_until > self.now).then_some(lane.frozen_until),
            distrusted: lane.tries.distrusted(),
        })
    }

    /// The place of a conversation's next message: where it stands, if something of it is ready, else at
    /// the end of the turns of replies on `lane`. One hash look-up and O(seconds waited). An estimate: it
    /// counts the conversations in front of it, each of which has one turn before it, and those of higher
    /// classes.
    #[must_use]
    pub fn estimate(&self, conversation: Conversation, lane: LaneIx) -> Estimate {
        let ready =
            self.dialogues.find(conversation).filter(|d| self.dialogues.nodes[*d].state == State::Ready);
        let (lane, class) = match ready {
            Some(d) => (self.dialogues.nodes[d].lane, self.dialogues.nodes[d].class),
            None => (lane, Class::Reply),
        };
        let Some(lane) = self.lanes.get(lane.index()) else {
            return Estimate { ahead: 0, wait: Duration::ZERO };
        };
        let own = &lane.ready[class as usize];
        let mut ahead: u32 = lane.ready[..class as usize].iter().map(Calendar::len).sum();
        ahead += ready.map_or(own.len(), |d| own.before(&self.dialogues.nodes[d]));
        let slots = lane.window.slots().max(1);
        let mut wait = Duration::from_secs(1).saturating_mul(ahead) / slots;
        wait += lane.frozen_until.since(self.now);
        Estimate { ahead, wait }
    }
}
