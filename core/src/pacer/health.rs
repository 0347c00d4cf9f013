//! A lane's health: a circuit breaker (Nygard) with one state more, for a token that is gone.
//!
//! What lives here: [`Health`], its transitions, and what others may see of it, [`LaneHealth`].

use super::config::PacerConfig;
use crate::time::{Nanos, nanos_of};

/// A lane's health as gauges show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LaneHealth {
    /// It works.
    Closed,
    /// It failed repeatedly: nothing goes through it before this instant.
    Open(Nanos),
    /// One send finds out whether it works again.
    HalfOpen,
    /// Its token is refused; only a new token revives it.
    Dead,
}

/// Health with the memory it needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Health {
    pub(super) state: LaneHealth,
    /// Failures since the last success.
    failures: u32,
    /// How often in a row the lane was opened: the exponent of the next wait.
    openings: u32,
}

impl Default for Health {
    fn default() -> Self {
        Self { state: LaneHealth::Closed, failures: 0, openings: 0 }
    }
}

impl Health {
    /// The platform answered: whatever it said, the lane works. Returns whether this closed it.
    #[inline]
    pub(super) fn answered(&mut self) -> bool {
        self.failures = 0;
        if self.state != LaneHealth::HalfOpen {
            return false;
        }
        self.openings = 0;
        self.state = LaneHealth::Closed;
        true
    }

    /// No answer, or an answer that is none. Returns whether this opened the lane.
    pub(super) fn failed(&mut self, now: Nanos, config: &PacerConfig, jitter: u64) -> bool {
        self.failures += 1;
        let opens = match self.state {
            LaneHealth::Closed => self.failures >= config.failures_to_open.max(1),
            LaneHealth::HalfOpen => true,
            LaneHealth::Open(_) | LaneHealth::Dead => false,
        };
        if opens {
            let wait = backoff(nanos_of(config.open), nanos_of(config.open_max), self.openings, jitter);
            self.openings = self.openings.saturating_add(1);
            self.state = LaneHealth::Open(Nanos(now.0.saturating_add(wait)));
        }
        opens
    }

    /// Opens the lane until `until` for a reason of its own (a long freeze). A dead lane stays dead.
    pub(super) fn open_until(&mut self, until: Nanos) {
        self.state = match self.state {
            LaneHealth::Dead => LaneHealth::Dead,
            LaneHealth::Open(at) => LaneHealth::Open(at.max(until)),
            LaneHealth::Closed | LaneHealth::HalfOpen => LaneHealth::Open(until),
        };
    }

    /// It may be tried: neither open nor dead.
    #[inline]
    pub(super) const fn is_up(self) -> bool {
        matches!(self.state, LaneHealth::Closed | LaneHealth::HalfOpen)
    }
}

/// `base * 2^exponent`, at most `max`, less up to a quarter by `jitter`, so that lanes that failed together
/// do not come back together.
pub(super) fn backoff(base: u64, max: u64, exponent: u32, jitter: u64) -> u64 {
    let full = base.saturating_mul(1u64.checked_shl(exponent).unwrap_or(u64::MAX)).min(max);
    full - jitter % (full / 4 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_opens_after_repeated_failures_and_waits_longer_each_time_its_probe_fails() {
        let config = PacerConfig::default();
        let mut health = Health::default();
        for _ in 1..config.failures_to_open {
            assert!(!health.failed(Nanos::ZERO, &config, 0));
        }
        assert!(health.failed(Nanos::ZERO, &config, 0));
        assert_eq!(health.state, LaneHealth::Open(Nanos::from_secs(1)));
        assert!(!health.failed(Nanos::ZERO, &config, 0), "late answers do not extend it");
        for secs in [2, 4, 8, 16, 32, 60, 60] {
            health.state = LaneHealth::HalfOpen;
            assert!(health.failed(Nanos::ZERO, &config, 0));
            assert_eq!(health.state, LaneHealth::Open(Nanos::from_secs(secs)));
        }
        health.state = LaneHealth::HalfOpen;
        assert!(health.answered());
        assert_eq!(health.state, LaneHealth::Closed);
    }

    #[test]
    fn a_success_in_between_starts_the_count_again() {
        let config = PacerConfig::default();
        let mut health = Health::default();
        for _ in 0..100 {
            assert!(!health.failed(Nanos::ZERO, &config, 0));
            health.answered();
        }
    }

    #[test]
    fn a_dead_lane_stays_dead() {
        let mut health = Health { state: LaneHealth::Dead, ..Health::default() };
        health.answered();
        health.open_until(Nanos::from_secs(1));
        assert!(!health.failed(Nanos::ZERO, &PacerConfig::default(), 0));
        assert_eq!(health.state, LaneHealth::Dead);
    }

    #[test]
    fn a_backoff_stays_between_three_quarters_and_the_whole() {
        for jitter in 0..2_000 {
            let wait = backoff(100, 1_000, 2, jitter);
            assert!((300..=400).contains(&wait));
        }
        assert_eq!(backoff(100, 1_000, 200, 0), 1_000);
    }
}
