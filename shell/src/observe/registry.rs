//! The counters themselves: one padded atomic for each label value of each metric.
//!
//! What lives here: [`Registry`]. One a process, made once the number of lanes is known and shared by all
//! threads. Counting is one relaxed atomic operation; the text form is made by [`super::exposition`].

use super::histogram::Histogram;
use super::names::{Labels, METRICS, Metric, Type};
use crossbeam::utils::CachePadded;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// All metrics of the process.
pub struct Registry {
    families: Box<[Family]>,
    lanes: usize,
}

enum Family {
    Cells(Box<[CachePadded<AtomicU64>]>),
    Histogram(CachePadded<Histogram>),
}

impl Registry {
    /// All metrics at zero, for `lanes` lanes.
    #[must_use]
    pub fn new(lanes: usize) -> Self {
        let families = METRICS.iter().map(|def| match (def.kind, def.labels) {
            (Type::Histogram, _) => Family::Histogram(CachePadded::new(Histogram::default())),
            (_, Labels::None) => Family::of(1),
            (_, Labels::Fixed(_, values)) => Family::of(values.len()),
            (_, Labels::Lane) => Family::of(lanes),
        });
        Self { families: families.collect(), lanes }
    }

    /// How many lanes there are.
    #[must_use]
    pub const fn lanes(&self) -> usize {
        self.lanes
    }

    /// Adds one to a metric without labels.
    pub fn inc(&self, metric: Metric) {
        self.add_at(metric, 0, 1);
    }

    /// Adds `n` to a metric without labels.
    pub fn add(&self, metric: Metric, n: u64) {
        self.add_at(metric, 0, n);
    }

    /// Adds one to the `index`th label value. An index out of range is not counted.
    pub fn inc_at(&self, metric: Metric, index: usize) {
        self.add_at(metric, index, 1);
    }

    /// Adds `n` to the `index`th label value. An index out of range is not counted.
    pub fn add_at(&self, metric: Metric, index: usize, n: u64) {
        if let Some(cell) = self.cell(metric, index) {
            cell.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// Sets a gauge without labels.
    pub fn set(&self, metric: Metric, value: u64) {
        self.set_at(metric, 0, value);
    }

    /// Sets the `index`th label value of a gauge, or a counter that is counted elsewhere.
    pub fn set_at(&self, metric: Metric, index: usize, value: u64) {
        if let Some(cell) = self.cell(metric, index) {
            cell.store(value, Ordering::Relaxed);
        }
    }

    /// Takes one from a gauge without labels. Never below zero: a race at start is no overflow.
    pub fn dec(&self, metric: Metric) {
        if let Some(cell) = self.cell(metric, 0) {
            let less = |n: u64| n.checked_sub(1);
            // Refused at zero, which is what is wanted.
            let _ = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    /// The `index`th value; 0 if it is out of range or the metric is a histogram.
    #[must_use]
    pub fn get_at(&self, metric: Metric, index: usize) -> u64 {
        self.cell(metric, index).map_or(0, |cell| cell.load(Ordering::Relaxed))
    }

    /// The sum over all label values.
    #[must_use]
    pub fn total(&self, metric: Metric) -> u64 {
        match &self.families[metric.0] {
            Family::Cells(cells) => cells.iter().map(|cell| cell.load(Ordering::Relaxed)).sum(),
            Family::Histogram(histogram) => histogram.count(),
        }
    }

    /// Counts a duration in a histogram.
    pub fn observe(&self, metric: Metric, took: Duration) {
        if let Some(histogram) = self.histogram(metric) {
            histogram.record(took);
        }
    }

    /// The histogram of a metric; none if it is no histogram.
    #[must_use]
    pub fn histogram(&self, metric: Metric) -> Option<&Histogram> {
        match &self.families[metric.0] {
            Family::Histogram(histogram) => Some(histogram),
            Family::Cells(_) => None,
        }
    }

    fn cell(&self, metric: Metric, index: usize) -> Option<&AtomicU64> {
        match &self.families[metric.0] {
            Family::Cells(cells) => cells.get(index).map(|cell| &**cell),
            Family::Histogram(_) => None,
        }
    }
}

impl Family {
    fn of(cells: usize) -> Self {
        Self::Cells((0..cells).map(|_| CachePadded::new(AtomicU64::new(0))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::names;
    use super::*;

    #[test]
    fn values_are_kept_apart_by_metric_and_label() {
        let registry = Registry::new(3);
        registry.inc_at(names::SENDS, 2);
        registry.add_at(names::SENDS, 0, 5);
        registry.inc_at(names::SENDS, 3);
        registry.inc(names::REPEATS);
        assert_eq!([0, 1, 2, 3].map(|lane| registry.get_at(names::SENDS, lane)), [5, 0, 1, 0]);
        assert_eq!((registry.total(names::SENDS), registry.total(names::REPEATS)), (6, 1));
    }

    #[test]
    fn a_gauge_does_not_fall_below_zero() {
        let registry = Registry::new(1);
        registry.dec(names::CONNECTIONS_OPEN);
        registry.inc(names::CONNECTIONS_OPEN);
        registry.inc(names::CONNECTIONS_OPEN);
        registry.dec(names::CONNECTIONS_OPEN);
        assert_eq!(registry.get_at(names::CONNECTIONS_OPEN, 0), 1);
    }

    #[test]
    fn a_histogram_is_not_counted_like_a_counter() {
        let registry = Registry::new(1);
        registry.inc(names::UPDATE_TO_200);
        registry.observe(names::UPDATE_TO_200, Duration::from_millis(3));
        registry.observe(names::REPEATS, Duration::from_millis(3));
        assert_eq!((registry.total(names::UPDATE_TO_200), registry.total(names::REPEATS)), (1, 0));
    }
}
