//! The only place that reads a clock. One reading a turn serves everything decided in it.

use nobat_core::time::{Nanos, Now, UnixMillis, nanos_of};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Both clocks of this process; the monotonic one counts from [`Clock::start`].
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Starts the monotonic clock at 1 s, so that "1 s before start" is still an instant.
    #[must_use]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Reads both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { mono: self.mono(), wall: wall() }
    }

    /// Reads the monotonic clock alone.
    #[must_use]
    pub fn mono(&self) -> Nanos {
        Nanos::from_secs(1).after(self.origin.elapsed())
    }
}

fn wall() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(nanos_of(since) / 1_000_000)
}
