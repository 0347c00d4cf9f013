//! How long a call takes: half of it before the decision, half after.

use std::f64::consts::TAU;
use std::time::Duration;

use super::dice::Dice;

/// A distribution of the time between a complete request and its answer.
///
/// Sleeps ride on the runtime's timer, whose step is 1 ms: a sampled latency comes out at most about 1 ms
/// longer, never shorter. [`Latency::None`] takes no timer at all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Latency {
    /// Decide and answer at once.
    #[default]
    None,
    /// The same for every call.
    Constant(Duration),
    /// `median * exp(sigma * N(0,1))`: what public APIs show. A sample is capped at 60 s.
    LogNormal { median: Duration, sigma: f64 },
}

impl Latency {
    pub(crate) fn sample(&self, dice: &Dice) -> Duration {
        match *self {
            Self::None => Duration::ZERO,
            Self::Constant(d) => d,
            Self::LogNormal { median, sigma } => {
                // Box-Muller; 1 - u keeps the logarithm's argument off zero.
                let radius = (-2.0 * (1.0 - dice.unit()).ln()).sqrt();
                let normal = radius * (TAU * dice.unit()).cos();
                let seconds = median.as_secs_f64() * (sigma * normal).exp();
                Duration::from_secs_f64(seconds.min(60.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lognormal_has_the_median_and_the_spread_it_was_given() {
        let dice = Dice::new(7);
        let latency = Latency::LogNormal { median: Duration::from_millis(60), sigma: 0.5 };
        let mut samples: Vec<f64> = (0..20_001).map(|_| latency.sample(&dice).as_secs_f64() * 1e3).collect();
        samples.sort_by(f64::total_cmp);
        let (median, p84) = (samples[10_000], samples[16_827]);
        assert!((58.0..62.0).contains(&median), "median {median}");
        // One sigma up is median * e^0.5 = 98.9 ms.
        assert!((94.0..104.0).contains(&p84), "84th percentile {p84}");
    }
}
