//! At most so many log lines a second, so that a burst does not become a disk full of lines.

use nobat_core::time::Nanos;
use std::sync::atomic::{AtomicU64, Ordering};

/// Lets the first `per_second` lines of each second through and counts the others. Shared by threads
/// without a lock; a race at the turn of a second may let a line more through.
#[derive(Debug)]
pub struct Sampler {
    per_second: u32,
    /// `{ second: 32, lines: 32 }`
    window: AtomicU64,
    suppressed: AtomicU64,
}

impl Sampler {
    /// A sampler for `per_second` lines; 0 lets none through.
    #[must_use]
    pub const fn new(per_second: u32) -> Self {
        Self { per_second, window: AtomicU64::new(0), suppressed: AtomicU64::new(0) }
    }

    /// May this line be written? If so: how many were suppressed since the last that was.
    pub fn admit(&self, now: Nanos) -> Option<u64> {
        let second = now.0 / 1_000_000_000;
        let window = self.window.load(Ordering::Relaxed);
        let lines = if window >> 32 == second & 0xffff_ffff { window & 0xffff_ffff } else { 0 };
        if lines >= u64::from(self.per_second) {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.window.store(second << 32 | (lines + 1), Ordering::Relaxed);
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
        assert_eq!(Sampler::new(0).admit(at(1)), None);
    }
}
