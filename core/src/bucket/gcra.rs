//! GCRA: the arithmetic of a token bucket on one number, and the bucket on one atomic word.
//!
//! What lives here: [`Rate`], pure, for whoever keeps the number himself, and [`Gcra`], which keeps it in
//! an `AtomicU64`. A denial never writes, so refused callers do not fight over the cache line.

use super::NotBefore;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::time::{Nanos, nanos_of};
use core::hint::select_unpredictable;
use core::time::Duration;

/// How fast tokens come back and how many fit: the immutable half of a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Nanoseconds between two tokens (GCRA's `T`).
    interval: u64,
    /// How far ahead of now the theoretical arrival time may lie: `(burst - 1) * T` (GCRA's `tau`).
    tolerance: u64,
}

impl Rate {
    /// One token every `interval`, at most `burst` kept. A burst of 0 counts as 1; an interval of zero
    /// never refuses.
    #[must_use]
    pub fn new(interval: Duration, burst: u32) -> Self {
        let interval = nanos_of(interval);
        Self { interval, tolerance: interval.saturating_mul(u64::from(burst.saturating_sub(1))) }
    }

    /// `count` tokens a second, at most `burst` kept. A count of 0 counts as 1.
    #[must_use]
    pub fn per_second(count: u32, burst: u32) -> Self {
        Self::new(Duration::from_secs(1) / count.max(1), burst)
    }

    /// The time between two tokens.
    #[must_use]
    pub const fn interval(self) -> Duration {
        Duration::from_nanos(self.interval)
    }

    /// How far ahead of now the theoretical arrival time may lie: one interval less than a full burst.
    #[must_use]
    pub const fn tolerance(self) -> Duration {
        Duration::from_nanos(self.tolerance)
    }

    /// How many fit: what may pass at once after a rest.
    #[must_use]
    pub const fn burst(self) -> u64 {
        match self.tolerance.checked_div(self.interval) {
            Some(more) => more.saturating_add(1),
            None => 1,
        }
    }

    /// Whether a bucket whose theoretical arrival time is `tat` has a token at `now`.
    ///
    /// # Errors
    /// [`NotBefore`] with the first instant at which it has one.
    #[inline]
    pub const fn peek(self, tat: Nanos, now: Nanos) -> Result<(), NotBefore> {
        if tat.0.saturating_sub(now.0) > self.tolerance {
            return Err(NotBefore(Nanos(tat.0 - self.tolerance)));
        }
        Ok(())
    }

    /// The theoretical arrival time after a token was taken at `now`. Rising in both arguments: charging
    /// a send later than the platform did can only make this bucket the stricter one.
    #[inline]
    #[must_use]
    pub const fn taken(self, tat: Nanos, now: Nanos) -> Nanos {
        let from = if tat.0 > now.0 { tat.0 } else { now.0 };
        Nanos(from.saturating_add(self.interval))
    }

    /// The theoretical arrival time of a bucket emptied at `now`: what to assume of the past after a
    /// restart.
    #[must_use]
    pub const fn spent(self, now: Nanos) -> Nanos {
        Nanos(now.0.saturating_add(self.tolerance).saturating_add(self.interval))
    }
}

/// A token bucket in one word, for any number of threads. Eight bytes; the [`Rate`] is an argument.
///
/// Every operation is linearizable: the bucket is one word, and a word has one modification order.
#[derive(Debug)]
pub struct Gcra {
    tat: AtomicU64,
}

impl Gcra {
    /// A full bucket.
    #[must_use]
    pub fn full() -> Self {
        Self { tat: AtomicU64::new(0) }
    }

    /// A bucket emptied at `now`.
    #[must_use]
    pub fn spent(rate: Rate, now: Nanos) -> Self {
        Self { tat: AtomicU64::new(rate.spent(now).0) }
    }

    /// Whether there is a token at `now`; takes none.
    ///
    /// # Errors
    /// [`NotBefore`] with the first instant at which there is one.
    #[inline]
    pub fn peek(&self, rate: Rate, now: Nanos) -> Result<(), NotBefore> {
        // ORDERING: Relaxed. The word carries nothing but itself: no other memory is published with it.
        // LINEARIZES: at this load.
        rate.peek(Nanos(self.tat.load(Ordering::Relaxed)), now)
    }

    /// Takes a token. Lock-free: a failed exchange means that another caller's take succeeded.
    ///
    /// # Errors
    /// [`NotBefore`] with the first instant at which there is a token. Nothing was written then.
    #[inline]
    pub fn take(&self, rate: Rate, now: Nanos) -> Result<(), NotBefore> {
        // Between load and exchange, which concurrent callers contend for, nothing is left but a sum beside a
        // comparison, and the choice between it and what was computed before the word was there.
        let Some(fresh) = now.0.checked_add(rate.interval) else { return self.take_late(rate, now) };
        let Some(most) = fresh.checked_add(rate.tolerance) else { return self.take_late(rate, now) };
        let most = most - rate.interval;
        // ORDERING: Relaxed, as in `peek`.
        // LINEARIZES: a denial, at this load or at the failed exchange that reloaded the word.
        let mut tat = self.tat.load(Ordering::Relaxed);
        loop {
            if tat > most {
                return Err(NotBefore(Nanos(tat - rate.tolerance)));
            }
            // [`Rate::taken`]; it cannot pass the end of time, as `most` and an interval do not. Neither branch can
            // be foretold: whether a chat's last token is back is chance.
            let next = select_unpredictable(tat > now.0, tat.wrapping_add(rate.interval), fresh);
            // ORDERING: Relaxed on both sides; coherence of the one word is all that is needed.
            // LINEARIZES: a grant, at the exchange that succeeds.
            match self.tat.compare_exchange_weak(tat, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(seen) => tat = seen,
            }
        }
    }

    /// The same so near the end of time that sums must saturate.
    #[cold]
    fn take_late(&self, rate: Rate, now: Nanos) -> Result<(), NotBefore> {
        // ORDERING: Relaxed, as in `peek`.
        // LINEARIZES: as in `take`.
        let mut tat = self.tat.load(Ordering::Relaxed);
        loop {
            rate.peek(Nanos(tat), now)?;
            let next = rate.taken(Nanos(tat), now).0;
            // ORDERING: Relaxed, as in `take`.
            // LINEARIZES: a grant, at the exchange that succeeds.
            match self.tat.compare_exchange_weak(tat, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(seen) => tat = seen,
            }
        }
    }

    /// The instant at which the bucket is full again. What is full may be forgotten.
    #[must_use]
    pub fn full_at(&self) -> Nanos {
        // ORDERING: Relaxed, as in `peek`.
        Nanos(self.tat.load(Ordering::Relaxed))
    }
}

impl Default for Gcra {
    fn default() -> Self {
        Self::full()
    }
}
