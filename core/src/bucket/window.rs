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

/// The smallest ring.
const RING_MIN: usize = 32;

/// `slots` tokens; each is out from its send until one period after the answer (or timeout) of that send.
///
/// Single-owner by type: every method takes `&mut self`, there is no atomic in it. All operations are
/// O(1) amortized. 8 to 16 bytes per token that was ever used.
#[derive(Clone, Debug)]
pub struct Window {
    slots: u32,
    /// Tokens that are in and were not used since they were made or given back.
    spare: u32,
    /// Tokens that vanish as they come back, after the number was lowered. None while any is spare.
    debt: u32,
    /// Taken, and not answered yet.
    unanswered: u32,
    period: u64,
    /// When the other tokens come, or came, back; rising.
    backs: Ring,
    /// When the last one answered comes back.
    latest: Nanos,
}

/// Instants, first in first out: a power of two of places, grown when they are all taken.
#[derive(Clone, Default, Debug)]
struct Ring {
    places: Vec<Nanos>,
    /// Counts all that ever left; its place is what remains of it in the number of places.
    first: usize,
    len: usize,
}

impl Ring {
    /// The instant so many behind the first.
    #[inline]
    fn get(&self, behind: u32) -> Option<Nanos> {
        let mask = self.places.len().wrapping_sub(1);
        let at = self.first.wrapping_add(behind as usize) & mask;
        if behind as usize >= self.len { None } else { self.places.get(at).copied() }
    }

    #[inline]
    fn push(&mut self, instant: Nanos) {
        if self.len == self.places.len() {
            self.grow();
        }
        let mask = self.places.len() - 1;
        self.places[self.first.wrapping_add(self.len) & mask] = instant;
        self.len += 1;
    }

    /// Drops the first; there must be one.
    #[inline]
    fn drop_first(&mut self) {
        self.first = self.first.wrapping_add(1);
        self.len -= 1;
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let turn = self.first & self.places.len().wrapping_sub(1);
        self.places.rotate_left(turn);
        self.places.resize((self.len * 2).max(RING_MIN), Nanos::ZERO);
        self.first = 0;
    }
}

impl Window {
    /// All tokens are in.
    #[must_use]
    pub fn new(slots: u32, period: Duration) -> Self {
        Self {
            slots,
            spare: slots,
            debt: 0,
            unanswered: 0,
            period: nanos_of(period),
            backs: Ring::default(),
            latest: Nanos::ZERO,
        }
    }

    /// All tokens are out until one period after `now`: what to assume after a restart.
    #[must_use]
    pub fn spent(slots: u32, period: Duration, now: Nanos) -> Self {
        let mut window = Self { spare: 0, latest: now.after(period), ..Self::new(slots, period) };
        (0..slots).for_each(|_| window.backs.push(window.latest));
        window
    }

    /// Whether a token is in at `now`.
    ///
    /// # Errors
    /// [`NotBefore`] with the instant at which one comes back if no answer comes before;
    /// [`Nanos::NEVER`] if only an answer can bring one.
    #[inline]
    pub fn peek(&mut self, now: Nanos) -> Result<(), NotBefore> {
        if self.spare > 0 {
            return Ok(());
        }
        if self.debt > 0 {
            self.vanish(now);
        }
        match self.backs.get(self.debt) {
            Some(back) if back <= now => Ok(()),
            back => Err(NotBefore(back.unwrap_or(Nanos::NEVER))),
        }
    }

    /// Whether so many tokens are in at `now`: for one send that takes them all.
    ///
    /// # Errors
    /// As [`Window::peek`], of the last of them. [`Nanos::NEVER`] for more than there are slots.
    pub fn peek_many(&mut self, tokens: u32, now: Nanos) -> Result<(), NotBefore> {
        let Some(more) = tokens.checked_sub(self.spare).filter(|more| *more > 0) else { return Ok(()) };
        if self.debt > 0 {
            self.vanish(now);
        }
        match self.backs.get(self.debt.saturating_add(more - 1)) {
            Some(back) if back <= now => Ok(()),
            back => Err(NotBefore(back.unwrap_or(Nanos::NEVER))),
        }
    }

    /// Lets those vanish that are in again and should.
    #[cold]
    fn vanish(&mut self, now: Nanos) {
        while self.debt > 0 && self.backs.get(0).is_some_and(|back| back <= now) {
            self.backs.drop_first();
            self.debt -= 1;
        }
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
        if self.spare > 0 {
            self.spare -= 1;
        } else {
            self.backs.drop_first();
        }
    }

    /// The send that a token paid for was answered, or given up, at `now`: the token comes back one
    /// period later. Without an unanswered send this does nothing.
    #[inline]
    pub fn answered(&mut self, now: Nanos) {
        let Some(left) = self.unanswered.checked_sub(1) else { return };
        self.unanswered = left;
        // A clock that went back must not break the order that `peek` relies on.
        self.latest = self.latest.max(Nanos(now.0.saturating_add(self.period)));
        self.backs.push(self.latest);
    }

    /// The send that a token was taken for never left: the token is in again at once.
    pub fn give_back(&mut self) {
        let Some(left) = self.unanswered.checked_sub(1) else { return };
        self.unanswered = left;
        if self.debt > 0 {
            self.debt -= 1;
        } else {
            self.spare += 1;
        }
    }

    /// How many tokens there are.
    #[must_use]
    pub const fn slots(&self) -> u32 {
        self.slots
    }

    /// Changes how many tokens there are. With fewer, tokens that are out vanish as they come back.
    pub fn set_slots(&mut self, slots: u32) {
        if slots >= self.slots {
            let more = slots - self.slots;
            let forgiven = more.min(self.debt);
            (self.debt, self.spare) = (self.debt - forgiven, self.spare + (more - forgiven));
        } else {
            let fewer = self.slots - slots;
            let spare = fewer.min(self.spare);
            (self.debt, self.spare) = (self.debt + (fewer - spare), self.spare - spare);
        }
        self.slots = slots;
    }

    /// The instant at which every answered token is in again.
    #[must_use]
    pub fn all_in_at(&self) -> Option<Nanos> {
        if self.unanswered > 0 { None } else { Some(self.latest) }
    }
}
