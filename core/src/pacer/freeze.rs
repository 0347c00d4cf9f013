//! Waits that the platform announced for one chat of one token.
//!
//! What lives here: [`Freezes`]. Empty almost always, and then it costs one comparison.

use crate::id::{ChatId, LaneIx};
use crate::time::Nanos;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// Entries below this many are not swept.
const SWEEP_MIN: usize = 64;

/// Announced waits by (token, chat), each until its end.
#[derive(Clone, Debug)]
pub(super) struct Freezes {
    waits: HashMap<(LaneIx, ChatId), Nanos, FixedState>,
    /// No wait ends later.
    latest: Nanos,
    sweep_at: usize,
}

impl Freezes {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            waits: HashMap::with_hasher(FixedState::with_seed(seed)),
            latest: Nanos::ZERO,
            sweep_at: SWEEP_MIN,
        }
    }

    /// Sets or extends a wait; a wait is never shortened.
    pub(super) fn freeze(&mut self, lane: LaneIx, chat: ChatId, until: Nanos, now: Nanos) {
        if self.waits.len() >= self.sweep_at {
            self.waits.retain(|_, end| *end > now);
            self.sweep_at = (self.waits.len() * 2).max(SWEEP_MIN);
        }
        self.latest = self.latest.max(until);
        let end = self.waits.entry((lane, chat)).or_insert(until);
        *end = until.max(*end);
    }

    /// Nobody waits, as far as is known.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// Until when the chat waits; an instant not after `now` if it does not.
    #[inline]
    pub(super) fn until(&mut self, lane: LaneIx, chat: ChatId, now: Nanos) -> Nanos {
        if self.waits.is_empty() {
            return Nanos::ZERO;
        }
        if self.latest <= now {
            self.waits.clear();
            return Nanos::ZERO;
        }
        self.waits.get(&(lane, chat)).copied().unwrap_or(Nanos::ZERO)
    }
}
