//! The rehearsal's clock: instants are durations since the emulator started.
//!
//! Any room of the emulator may read it. Wall time appears in `date` fields only.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::wire::At;

/// Reads the time since the emulator started, and maps it to wall seconds.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    unix_at_start: Duration,
}

impl Clock {
    /// A clock that reads zero now.
    pub fn start() -> Self {
        let unix_at_start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), unix_at_start }
    }

    /// Time since the start.
    pub fn now(&self) -> At {
        self.started.elapsed()
    }

    /// The runtime's instant for `at`, to sleep until it. What lies beyond a year is a year away: a fault may
    /// ask for any number of milliseconds.
    pub(crate) fn instant(&self, at: At) -> tokio::time::Instant {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        tokio::time::Instant::from_std(self.started + at.min(YEAR))
    }

    /// Unix seconds at `at`, as `date` fields carry them.
    pub fn unix_s(&self, at: At) -> u64 {
        (self.unix_at_start + at).as_secs()
    }
}
