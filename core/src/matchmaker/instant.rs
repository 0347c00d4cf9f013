//! Instants that may lie before the process began.
//!
//! What lives here: [`Instant`], a [`Nanos`] moved by a constant, so that someone who joined before a
//! restart keeps his place ahead of all who joined after it. Only this room uses it.

use crate::time::{Nanos, nanos_of};
use core::time::Duration;

/// 2^62 ns: half of the range lies before the process began (146 years), half after.
const BIAS: u64 = 1 << 62;

/// Nanoseconds since 146 years before the shell's origin; saturates at both ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Instant(pub(super) u64);

impl Instant {
    pub(super) const ORIGIN: Self = Self(0);
    pub(super) const NEVER: Self = Self(u64::MAX);

    pub(super) const fn at(now: Nanos) -> Self {
        Self(now.0.saturating_add(BIAS))
    }

    pub(super) fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(nanos_of(by)))
    }

    pub(super) fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(nanos_of(by)))
    }

    /// Back on the shell's clock. What lies before its origin is its origin.
    pub(super) const fn nanos(self) -> Nanos {
        if self.0 == u64::MAX { Nanos::NEVER } else { Nanos(self.0.saturating_sub(BIAS)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_joined_before_the_process_began_is_ahead_of_its_first_moment() {
        let before = Instant::at(Nanos::from_secs(1)).before(Duration::from_secs(3600));
        assert!(before < Instant::at(Nanos::ZERO));
        assert_eq!(before.after(Duration::from_secs(3600)).nanos(), Nanos::from_secs(1));
        assert_eq!(before.nanos(), Nanos::ZERO);
    }

    #[test]
    fn patience_without_end_is_never() {
        assert_eq!(Instant::at(Nanos::from_secs(9)).after(Duration::MAX).nanos(), Nanos::NEVER);
    }
}
