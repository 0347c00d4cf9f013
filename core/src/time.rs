//! The core's own instants. Two clocks, one argument.
//!
//! What lives here: [`Nanos`] (monotonic; pacing), [`UnixMillis`] (wall; VIP days, quotas, durable
//! times) and [`Now`], which carries both. Anything may call it. It must not read a clock: the shell
//! reads the clock once per turn and passes it in, so a day of traffic replays in seconds.

use core::time::Duration;

/// A monotonic instant: nanoseconds since an origin that the shell chose at start.
///
/// Range: 584 years. Only differences have a meaning; nothing durable may hold one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Nanos(pub u64);

impl Nanos {
    /// The origin.
    pub const ZERO: Self = Self(0);
    /// Later than any instant that is ever passed in.
    pub const NEVER: Self = Self(u64::MAX);

    /// `secs` seconds after the origin.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000_000)
    }

    /// `millis` milliseconds after the origin.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// This instant moved `by` into the future; saturates at [`Nanos::NEVER`].
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(nanos_of(by)))
    }

    /// How long after `earlier` this is; zero if it is not after.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A wall-clock instant: milliseconds since 1970-01-01 UTC. The only instant that may be durable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// This instant moved `by` into the future; saturates.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Both clocks, read once per turn by the shell.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Now {
    /// For pacing: never goes back.
    pub mono: Nanos,
    /// For people: may step.
    pub wall: UnixMillis,
}

impl Now {
    /// Maps a durable wall-clock instant to the monotonic clock, as of this moment. What is past maps to
    /// now; what is ahead is never further than the wall clock says.
    #[must_use]
    pub fn mono_of(self, wall: UnixMillis) -> Nanos {
        self.mono.after(wall.since(self.wall))
    }
}

/// A duration in nanoseconds, saturating.
#[must_use]
pub fn nanos_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_saturate_instead_of_wrapping() {
        assert_eq!(Nanos::NEVER.after(Duration::from_secs(1)), Nanos::NEVER);
        assert_eq!(Nanos::ZERO.since(Nanos::from_secs(1)), Duration::ZERO);
        assert_eq!(UnixMillis(u64::MAX).after(Duration::MAX), UnixMillis(u64::MAX));
    }

    #[test]
    fn a_wall_instant_in_the_past_maps_to_now() {
        let now = Now { mono: Nanos::from_secs(5), wall: UnixMillis(10_000) };
        assert_eq!(now.mono_of(UnixMillis(9_000)), Nanos::from_secs(5));
        assert_eq!(now.mono_of(UnixMillis(12_500)), Nanos::from_millis(7_500));
    }
}
