//! Where in a rising column a value stands, about: a table over the values' upper bits.
//!
//! Made at load out of the column alone, never stored. A look-up reads one entry of the table, guesses the
//! place inside it by proportion and searches from there outwards, so that a list without holes costs two
//! cache misses. It narrows and guesses, it does not decide: the caller compares what stands in the column.

use core::ops::Range;

/// Rows per entry of the table, on the mean: 4 bytes an entry, so one byte a row.
const ROWS_PER_ENTRY: usize = 4;
/// One of so many rows at either end may lie far out (a number with a digit too many) without making the
/// entries of all the others coarse.
const OUTLIERS: usize = 64;

/// The table. O(rows / [`ROWS_PER_ENTRY`]) memory.
#[derive(Default)]
pub(super) struct Index {
    /// What the first entry begins with; smaller values are in it too.
    least: u64,
    /// An entry spans `1 << shift` values.
    shift: u32,
    /// The first row of each entry, and behind the last the number of rows. Empty, or two at least.
    starts: Vec<u32>,
}

impl Index {
    /// Over `rows` (at most `u32::MAX`) values that rise with their row. O(rows).
    pub(super) fn new(rows: usize, value: impl Fn(usize) -> u64) -> Self {
        if rows == 0 {
            return Self::default();
        }
        let (least, most) = body(rows, &value);
        let entries_max = (rows / ROWS_PER_ENTRY).max(1) as u64;
        let shift = (0..63).find(|shift| (most - least) >> shift < entries_max).unwrap_or(63);
        let mut index = Self { least, shift, starts: Vec::new() };
        let entries = ((most - least) >> shift) as usize + 1;
        index.starts.reserve_exact(entries + 1);
        for row in 0..rows {
            let entry = index.entry(value(row), entries);
            while index.starts.len() <= entry {
                index.starts.push(row as u32);
            }
        }
        index.starts.resize(entries + 1, rows as u32);
        index
    }

    pub(super) fn bytes(&self) -> usize {
        self.starts.capacity() * size_of::<u32>()
    }

    /// The rows among which `value` is if it is anywhere, and the likeliest of them. The guess lies in the
    /// range unless that is empty.
    pub(super) fn narrow(&self, value: u64) -> (Range<usize>, usize) {
        let Some(entries) = self.starts.len().checked_sub(1) else { return (0..0, 0) };
        let entry = self.entry(value, entries);
        let rows = self.starts[entry] as usize..self.starts[entry + 1] as usize;
        let within = value.saturating_sub(self.least).saturating_sub((entry as u64) << self.shift);
        let ahead = (u128::from(within) * rows.len() as u128) >> self.shift;
        let last = rows.len().saturating_sub(1);
        let guess = rows.start + usize::try_from(ahead).map_or(last, |ahead| ahead.min(last));
        (rows, guess)
    }

    fn entry(&self, value: u64, entries: usize) -> usize {
        let entry = value.saturating_sub(self.least) >> self.shift;
        usize::try_from(entry).unwrap_or(usize::MAX).min(entries - 1)
    }
}

/// The values between which the column's body lies: all of it, unless its ends lie far out.
fn body(rows: usize, value: &impl Fn(usize) -> u64) -> (u64, u64) {
    let (first, last) = (value(0), value(rows - 1));
    let (low, high) = (value(rows / OUTLIERS), value(rows - 1 - rows / OUTLIERS));
    // Twice what the cut ends would span if they were as dense as the rest.
    let margin = high.saturating_sub(low) / (OUTLIERS as u64 / 4) + 1;
    (first.max(low.saturating_sub(margin)), last.min(high.saturating_add(margin)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(values: &[u64], value: u64) -> bool {
        let index = Index::new(values.len(), |row| values[row]);
        let (rows, guess) = index.narrow(value);
        assert!(rows.end <= values.len());
        assert!(rows.is_empty() || rows.contains(&guess), "{rows:?} {guess}");
        values[rows].contains(&value)
    }

    #[test]
    fn an_outlier_does_not_make_the_rest_coarse() {
        let mut values: Vec<u64> = (0..100_000).map(|n| 11_000_000 + n).collect();
        values.push(110_000_000_000_000_000);
        let index = Index::new(values.len(), |row| values[row]);
        let (rows, guess) = index.narrow(11_054_321);
        assert!(rows.len() <= 2 * ROWS_PER_ENTRY && guess == 54_321, "{rows:?} {guess}");
        assert!(found(&values, 110_000_000_000_000_000));
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        assert_eq!(Index::default().narrow(7), (0..0, 0));
        assert_eq!(Index::new(0, |_| 0).narrow(7).0, 0..0);
    }

    proptest! {
        #[test]
        fn whatever_is_there_is_within_what_is_named(
            mut values in prop::collection::vec(any::<u64>(), 0..400), shift in 0u32..64, other: u64,
        ) {
            values.iter_mut().for_each(|v| *v >>= shift);
            values.sort_unstable();
            values.dedup();
            for value in &values {
                prop_assert!(found(&values, *value), "{}", value);
            }
            prop_assert_eq!(found(&values, other), values.contains(&other));
        }
    }
}
