//! A log-linear histogram of durations in fixed memory.
//!
//! What lives here: [`Histogram`]: 8 equal steps in each doubling from 1 µs to 18 minutes, so a quantile
//! is at most 12.5 % above the truth. 1.9 KB, shared by threads without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Below this power of two, in nanoseconds, all is one bucket.
const FIRST: u32 = 10;
/// At this power of two and above, all is one bucket.
const LAST: u32 = 40;
const STEPS_LOG2: u32 = 3;
const STEPS: usize = 1 << STEPS_LOG2;
const CELLS: usize = ((LAST - FIRST) as usize) * STEPS + 2;

/// Counts of durations. Reads while others write may be torn between cells, never within one.
pub struct Histogram {
    cells: Box<[AtomicU64; CELLS]>,
    sum_ns: AtomicU64,
    max_ns: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            cells: Box::new([const { AtomicU64::new(0) }; CELLS]),
            sum_ns: AtomicU64::new(0),
            max_ns: AtomicU64::new(0),
        }
    }
}

/// The counts up to one boundary.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Boundary {
    /// In seconds.
    pub le: f64,
    /// How many were not longer.
    pub count: u64,
}

impl Histogram {
    /// Counts one duration. Three relaxed atomic operations.
    pub fn record(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.cells[cell(ns)].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
        self.max_ns.fetch_max(ns, Ordering::Relaxed);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.cells.iter().map(|cell| cell.load(Ordering::Relaxed)).sum()
    }

    /// Their sum in seconds.
    #[must_use]
    pub fn sum_seconds(&self) -> f64 {
        self.sum_ns.load(Ordering::Relaxed) as f64 / 1e9
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max_ns.load(Ordering::Relaxed))
    }

    /// The duration that the share `q` (0 to 1) of all is not longer than; zero if nothing was counted.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Duration {
        let wanted = ((self.count() as f64 * q.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        for (at, count) in self.cells.iter().enumerate() {
            seen += count.load(Ordering::Relaxed);
            if seen >= wanted {
                return Duration::from_nanos(upper(at)).min(self.max());
            }
        }
        Duration::ZERO
    }

    /// Cumulative counts at each doubling of 1.024 µs, for the exposition. The last is not +Inf.
    pub fn boundaries(&self) -> impl Iterator<Item = Boundary> + '_ {
        let mut count = self.cells[0].load(Ordering::Relaxed);
        (FIRST..=LAST).map(move |power| {
            let boundary = Boundary { le: (1_u64 << power) as f64 / 1e9, count };
            if power < LAST {
                let from = 1 + (power - FIRST) as usize * STEPS;
                count +=
                    self.cells[from..from + STEPS].iter().map(|c| c.load(Ordering::Relaxed)).sum::<u64>();
            }
            boundary
        })
    }
}

/// Cell 0 holds what is below 2^FIRST, the last what is at or above 2^LAST.
const fn cell(ns: u64) -> usize {
    if ns < 1 << FIRST {
        return 0;
    }
    let power = ns.ilog2();
    if power >= LAST {
        return CELLS - 1;
    }
    let step = (ns >> (power - STEPS_LOG2)) as usize & (STEPS - 1);
    1 + (power - FIRST) as usize * STEPS + step
}

/// The upper end of a cell in nanoseconds.
const fn upper(cell: usize) -> u64 {
    if cell == 0 {
        return 1 << FIRST;
    }
    if cell == CELLS - 1 {
        return u64::MAX;
    }
    let (power, step) = ((cell - 1) / STEPS, (cell - 1) % STEPS);
    ((STEPS + step + 1) as u64) << (power as u32 + FIRST - STEPS_LOG2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_boundaries_add_up_to_the_count() {
        let histogram = Histogram::default();
        for ns in [0, 1023, 1024, 5_000, 1_000_000, 1_000_000_000, 1 << 39] {
            histogram.record(Duration::from_nanos(ns));
        }
        let all: Vec<_> = histogram.boundaries().collect();
        assert_eq!(all.first().map(|b| b.count), Some(2));
        assert_eq!(all.last().map(|b| b.count), Some(7));
        histogram.record(Duration::MAX);
        assert_eq!(histogram.boundaries().last().map(|b| b.count), Some(7));
        assert_eq!(histogram.count(), 8);
    }

    #[test]
    fn an_empty_histogram_has_quantile_zero() {
        assert_eq!(Histogram::default().quantile(0.99), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn a_quantile_is_at_most_an_eighth_above_the_truth(
            mut values in proptest::collection::vec(1024_u64..1 << 40, 1..200), q in 0.0..1.0_f64
        ) {
            let histogram = Histogram::default();
            for &ns in &values {
                histogram.record(Duration::from_nanos(ns));
            }
            values.sort_unstable();
            let rank = ((values.len() as f64 * q).ceil() as usize).max(1);
            let truth = values[rank - 1];
            let said = histogram.quantile(q).as_nanos() as u64;
            prop_assert!(said >= truth && said <= truth + truth / 8 + 1, "{said} for {truth}");
        }

        #[test]
        fn a_value_lies_in_its_cell(ns in any::<u64>()) {
            let at = cell(ns);
            prop_assert!(ns < upper(at) || at == CELLS - 1);
            prop_assert!(at == 0 || ns >= upper(at - 1));
        }
    }
}
