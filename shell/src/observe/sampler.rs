//! At most so many log lines a second or minute, so that a burst does not become a disk full of lines.

use nobat_core::time::Nanos;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Lets the first lines of each period through and counts the others. Shared by threads
/// without a lock; a race at the turn of a period may let a line more through.
#[derive(Debug)]
pub struct Sampler {
    lines: AtomicU32,
    period_s: u64,
    /// `{ period: 32, lines: 32 }`
    window: AtomicU64,
    suppressed: AtomicU64,
}

impl Sampler {
    /// A sampler for `per_second` lines; 0 lets none through.
    #[must_use]
    pub const fn new(per_second: u32) -> Self {
        Self::every(1, per_second)
    }

    /// A sampler for one line a minute.
    #[must_use]
    pub const fn once_a_minute() -> Self {
        Self::every(60, 1)
    }

    const fn every(period_s: u64, lines: u32) -> Self {
        Self {
            lines: AtomicU32::new(lines),
            period_s,
            window: AtomicU64::new(0),
            suppressed: AtomicU64::new(0),
        }
    }

    /// From now on so many lines a period.
    pub fn set(&self, lines: u32) {
        self.lines.store(lines, Ordering::Relaxed);
    }

    /// May this line be written? If so: how many were suppressed since the last that was.
    pub fn admit(&self, now: Nanos) -> Option<u64> {
        let period = now.0 / 1_000_000_000 / self.period_s;
        let window = self.window.load(Ordering::Relaxed);
        let lines = if window >> 32 == period & 0xffff_ffff { window & 0xffff_ffff } else { 0 };
        if lines >= u64::from(self.lines.load(Ordering::Relaxed)) {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.window.store(period << 32 | (lines + 1), Ordering::Relaxed);
        Some(self.suppressed.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_admits_its_share_and_tells_of_the_rest() {
        let sampler = Sampler::new(2);
        let at = Nanos::from_millis;
        assert_eq!(sampler.admit(at(1000)), Some(0));
        assert_eq!(sampler.admit(at(1500)), Some(0));
        assert_eq!(sampler.admit(at(1600)), None);
        assert_eq!(sampler.admit(at(1999)), None);
        assert_eq!(sampler.admit(at(2000)), Some(2));
        assert_eq!(sampler.admit(at(2001)), Some(0));
        assert_eq!(sampler.admit(at(2002)), None);
        sampler.set(3);
        assert_eq!(sampler.admit(at(2003)), Some(1));
        assert_eq!(Sampler::new(0).admit(at(1)), None);
    }
}
