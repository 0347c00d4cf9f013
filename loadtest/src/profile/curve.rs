//! When students come: the shape of the hour after the release.

use std::time::Duration;

/// Half of the students come soon after the release, with this mean.
const RUSH_MEAN_S: f64 = 150.0;
/// The others take their time.
const REST_MEAN_S: f64 = 1200.0;
/// Nobody comes later than this, so that the last one's messages still fit the hour.
const LATEST_S: f64 = 3300.0;

/// Seconds after the release, uncompressed, at which one student comes.
pub(super) fn arrival(rng: &mut fastrand::Rng) -> Duration {
    let mean = if rng.bool() { RUSH_MEAN_S } else { REST_MEAN_S };
    // Inverse of an exponential distribution cut at LATEST_S: no rejection, so one draw a student.
    let cut = 1.0 - (-LATEST_S / mean).exp();
    Duration::from_secs_f64(-mean * (1.0 - rng.f64() * cut).ln())
}
