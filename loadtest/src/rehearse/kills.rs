//! When the server is killed: seeded moments, or a steady beat.

use std::collections::VecDeque;
use std::time::Duration;

use crate::profile::Profile;

/// Moments of the schedule, ascending, at which the server gets SIGKILL.
pub(super) fn moments(profile: &Profile, kills: u32, length: Duration) -> VecDeque<Duration> {
    let mut rng = fastrand::Rng::with_seed(profile.seed ^ 0x6B69_6C6C);
    // From the first tenth to the last: before it there is little to lose.
    let mut moments: Vec<Duration> = (0..kills).map(|_| length.mul_f64(0.1 + 0.8 * rng.f64())).collect();
    if let Some(every) = profile.kill_every.filter(|every| !every.is_zero()) {
        let beats = (length.as_secs_f64() / every.as_secs_f64()) as u32;
        moments.extend((1..=beats).map(|beat| every * beat));
    }
    moments.sort_unstable();
    moments.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Kind;

    #[test]
    fn the_same_seed_kills_at_the_same_moments_within_the_run() {
        let profile = Kind::Smoke.profile();
        let length = Duration::from_secs(10);
        let first = moments(&profile, 5, length);
        assert_eq!(first, moments(&profile, 5, length));
        assert_eq!(first.len(), 5);
        assert!(first.iter().all(|at| *at >= length / 10 && *at <= length * 9 / 10));
    }

    #[test]
    fn a_beat_kills_as_often_as_it_fits() {
        let profile = Profile { kill_every: Some(Duration::from_secs(3)), ..Kind::Smoke.profile() };
        let beats = moments(&profile, 0, Duration::from_secs(10));
        assert_eq!(beats, [3, 6, 9].map(Duration::from_secs));
    }
}
