//! Seeded chance: the emulator's only source of randomness.
//!
//! A draw hashes (seed, counter), so draws need no lock and a seed replays the same sequence when the calls
//! come in the same order. [`mix`] alone gives a fixed answer per key (reach, names, first ids).

use std::sync::atomic::{AtomicU64, Ordering};

/// SplitMix64's finalizer (Steele, Lea, Flood 2014): every input bit reaches every output bit.
pub(crate) fn mix(seed: u64, key: u64) -> u64 {
    let mut z = seed ^ key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Maps 64 random bits to [0, 1).
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// A shared sequence of draws.
#[derive(Debug)]
pub(crate) struct Dice {
    seed: u64,
    drawn: AtomicU64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }

    /// The next 64 bits.
    pub(crate) fn bits(&self) -> u64 {
        mix(self.seed, self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    /// The next number in [0, 1).
    pub(crate) fn unit(&self) -> f64 {
        unit(self.bits())
    }

    /// True with probability `share`.
    pub(crate) fn happens(&self, share: f64) -> bool {
        share >= 1.0 || (share > 0.0 && self.unit() < share)
    }
}
