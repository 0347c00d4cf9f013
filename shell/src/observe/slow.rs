//! Updates that took long, with the time of each stage.
//!
//! What lives here: the bound, set from the configuration and read wherever a stage ends, and [`admit`], which keeps
//! a burst (in which everything waits) from becoming a disk full of lines.

use super::Sampler;
use nobat_core::time::Nanos;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Lines a second; the rest is counted in the next.
static LINES: Sampler = Sampler::new(20);

/// The bound in nanoseconds.
static BOUND: AtomicU64 = AtomicU64::new(1_000_000_000);

/// What takes longer is slow.
pub fn set(bound: Duration) {
    BOUND.store(u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Is a line to be written of something that took so long? If so: how many were left out since the last.
#[must_use]
pub fn admit(took: Duration, now: Nanos) -> Option<u64> {
    if took.as_nanos() <= u128::from(BOUND.load(Ordering::Relaxed)) {
        return None;
    }
    LINES.admit(now)
}
