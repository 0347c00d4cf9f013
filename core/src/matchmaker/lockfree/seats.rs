//! Which seats are free: those that nobody has had yet, and a stack of those given back.
//!
//! What lives here: [`Seats`]. The stack runs through the users' records. Only this room uses it.
//!
//! ```text
//! free    63 .. 32 changes | 31 .. 0 slot + 1 (0: none)
//! ```

use super::user::{User, Users};
use crate::matchmaker::ticket::Slot;
use crate::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct Seats {
    free: AtomicU64,
    /// Slots from here on were never given out.
    fresh: AtomicU64,
}

const SLOT: u64 = 0xFFFF_FFFF;

impl Seats {
    pub(super) fn new() -> Self {
        Self { free: AtomicU64::new(0), fresh: AtomicU64::new(0) }
    }

    /// A slot for one owner, the one given back last if any.
    pub(super) fn take<'u>(&self, users: &'u Users) -> Option<(Slot, User<'u>)> {
        loop {
            // ORDERING: Acquire; pairs with the Release in `give_back`. Carries: the record of the last owner.
            let free = self.free.load(Ordering::Acquire);
            let Some(slot) = (free & SLOT).checked_sub(1).map(|slot| Slot(slot as u32)) else { break };
            let user = users.get(slot)?;
            // ORDERING: Relaxed; if another thread took the slot since, the swap fails by the count.
            let swung = next(free, user.below().load(Ordering::Relaxed));
            // ORDERING: AcqRel; Release keeps the chain for the next taker. Relaxed on failure: once more.
            // LINEARIZES: the seat.
            if self.free.compare_exchange_weak(free, swung, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return Some((slot, user));
            }
        }
        let count = u64::from(users.count());
        // ORDERING: Relaxed; a count.
        // LINEARIZES: the seat.
        let taken = self
            .fresh
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |slot| (slot < count).then_some(slot + 1));
        let slot = Slot(taken.ok()? as u32);
        Some((slot, users.get(slot)?))
    }

    /// A slot that nobody owns any more.
    pub(super) fn give_back(&self, slot: Slot, user: User<'_>) {
        // ORDERING: Relaxed; the swap compares it.
        let mut free = self.free.load(Ordering::Relaxed);
        loop {
            // ORDERING: Relaxed; released by the swap.
            user.below().store(free & SLOT, Ordering::Relaxed);
            let swung = next(free, u64::from(slot.0) + 1);
            // ORDERING: Release; pairs with `take`.
            match self.free.compare_exchange_weak(free, swung, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => free = other,
            }
        }
    }
}

const fn next(free: u64, top: u64) -> u64 {
    (free >> 32).wrapping_add(1) << 32 | top
}
