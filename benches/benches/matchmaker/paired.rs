//! Two designs in turn, many times: what a shared machine does to a run, it does to both.
//!
//! What lives here: [`Pairs`], the results of runs that took turns, with their medians and the median of their
//! ratios. A ratio of two runs that followed each other is steadier than either.

/// Results of runs that took turns.
#[derive(Default)]
pub(crate) struct Pairs {
    one: Vec<f64>,
    other: Vec<f64>,
}

/// The median of some runs, and the least and the most.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Pairs {
    /// Runs both so many times, by turns the one first and the other first.
    pub(crate) fn run(times: usize, mut one: impl FnMut() -> f64, mut other: impl FnMut() -> f64) -> Self {
        let mut pairs = Self::default();
        for turn in 0..times {
            if turn % 2 == 0 {
                pairs.one.push(one());
                pairs.other.push(other());
            } else {
                pairs.other.push(other());
                pairs.one.push(one());
            }
        }
        pairs
    }

    pub(crate) fn one(&self) -> Spread {
        Spread::of(self.one.clone())
    }

    pub(crate) fn other(&self) -> Spread {
        Spread::of(self.other.clone())
    }

    /// The other's over the one's, run by run.
    pub(crate) fn ratio(&self) -> Spread {
        Spread::of(self.one.iter().zip(&self.other).map(|(one, other)| other / one).collect())
    }
}

impl Spread {
    fn of(mut runs: Vec<f64>) -> Self {
        runs.sort_by(f64::total_cmp);
        let least = runs.first().copied().unwrap_or(f64::NAN);
        let most = runs.last().copied().unwrap_or(f64::NAN);
        Self { median: runs.get(runs.len() / 2).copied().unwrap_or(f64::NAN), least, most }
    }
}
