//! The lane's own bucket: a window of tokens that come back after the *answer*.
//!
//! What lives here: [`Window`]. The platform counts what it accepted in any second, and it judges a send
//! somewhere between the moment it left and the moment its answer came. A bucket that refills by the
//! clock alone is therefore wrong under jitter: two sends a second apart may be judged closer together.
//! A token that stays out until one period after the answer cannot be: whatever two sends the platform
//! sees within one period, both hold a token during all of it.

use super::NotBefore;
use crate::time::{Nanos, nanos_of};
use core::time::Duration;
use std::collections::VecDeque;

/// `slots` tokens; each is out from its send until one period after the answer (or timeout) of that send.
///
/// Single-owner by type: every method takes `&mut self`, there is no atomic in it. All operations are
/// O(1) amortized. 8 bytes per token that is out and answered.
#[derive(Clone, Debug)]
pub struct Window {
    slots: u32,
    period: u64,
    /// Taken, and not answered yet.
    unanswered: u32,
    /// When the answered ones come back; rising, because answers are reported in time order.
    cooling: VecDeque<Nanos>,
}

impl Window {
    /// All tokens are in.
    #[must_use]
    pub fn new(slots: u32, period: Duration) -> Self {
        Self { slots, period: nanos_of(period), unanswered: 0, cooling: VecDeque::new() }
    }

    /// All tokens are out until one period after `now`: what to assume after a restart.
    #[must_use]
    pub fn spent(slots: u32, period: Duration, now: Nanos) -> Self {
        let mut window = Self::new(slots, period);
        window.cooling.resize(slots as usize, now.after(period));
        window
    }

    /// Whether a token is in at `now`.
    ///
    /// # Errors
    /// [`NotBefore`] with the instant at which one comes back if no answer comes before;
    /// [`Nanos::NEVER`] if only an answer can bring one.
    #[inline]
    pub fn peek(&mut self, now: Nanos) -> Result<(), NotBefore> {
        while self.cooling.front().is_some_and(|back| *back <= now) {
            self.cooling.pop_front();
        }
        let out = self.unanswered as usize + self.cooling.len();
        let slots = self.slots as usize;
        if out < slots {
            return Ok(());
        }
        // More may be out than there are slots, after the number was lowered.
        Err(NotBefore(self.cooling.get(out - slots).copied().unwrap_or(Nanos::NEVER)))
    }

    /// Takes a token for a send at `now`.
    ///
    /// # Errors
    /// As [`Window::peek`]; nothing was taken then.
    #[inline]
    pub fn take(&mut self, now: Nanos) -> Result<(), NotBefore> {
        self.peek(now)?;
        self.taken();
        Ok(())
    }

    /// Takes the token that a [`Window::peek`] at the same instant found.
    #[inline]
    pub fn taken(&mut self) {
        self.unanswered += 1;
    }

    /// The send that a token paid for was answered, or given up, at `now`: the token comes back one
    /// period later. Without an unanswered send this does nothing.
    #[inline]
    pub fn answered(&mut self, now: Nanos) {
        let Some(left) = self.unanswered.checked_sub(1) else { return };
        self.unanswered = left;
        let back = Nanos(now.0.saturating_add(self.period));
        // A clock that went back must not break the order that `peek` relies on.
        self.cooling.push_back(self.cooling.back().map_or(back, |last| back.max(*last)));
    }

    /// The send that a token was taken for never left: the token is in again at once.
    pub fn give_back(&mut self) {
        self.unanswered = self.unanswered.saturating_sub(1);
    }

    /// How many tokens there are.
    #[must_use]
    pub const fn slots(&self) -> u32 {
        self.slots
    }

    /// Changes how many tokens there are. With fewer, tokens that are out vanish as they come back.
    pub fn set_slots(&mut self, slots: u32) {
        self.slots = slots;
    }

    /// Tokens that are out, as of the last `peek` or `take`.
    #[must_use]
    pub fn out(&self) -> u32 {
        self.unanswered + u32::try_from(self.cooling.len()).unwrap_or(u32::MAX)
    }

    /// The instant at which every answered token is in again.
    #[must_use]
    pub fn all_in_at(&self) -> Option<Nanos> {
        if self.unanswered > 0 { None } else { Some(self.cooling.back().copied().unwrap_or(Nanos::ZERO)) }
    }
}
