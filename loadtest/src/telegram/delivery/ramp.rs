//! When the platform opens another connection to a webhook: pure.

use std::collections::VecDeque;

use super::DeliveryRules;
use crate::wire::At;

/// The opening of connections to one webhook.
#[derive(Debug, Default)]
pub(crate) struct Ramp {
    /// Openings of the last [`DeliveryRules::ramp_period`], oldest first.
    opened: VecDeque<At>,
    last_slow: Option<At>,
    last_success: Option<At>,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    Open,
    /// Ask again then.
    Later(At),
    /// There are enough.
    Enough,
}

impl Ramp {
    pub(crate) fn succeeded(&mut self, now: At) {
        self.last_success = Some(now);
    }

    /// Deliveries succeed: the fast ramp holds.
    pub(crate) fn active(&self, rules: &DeliveryRules, now: At) -> bool {
        self.last_success.is_some_and(|t| t + rules.slow_after >= now)
    }

    /// Whether to open one more, given `open` connections, `lanes` with updates and the caller's maximum.
    /// [`Opening::Open`] counts as opened.
    pub(crate) fn next(
        &mut self,
        rules: &DeliveryRules,
        now: At,
        open: usize,
        lanes: usize,
        max: usize,
    ) -> Opening {
        let active = self.active(rules, now);
        let need = if active { lanes.clamp(1, max) } else { lanes.min(1) };
        if open >= need {
            return Opening::Enough;
        }
        if !active {
            return match self.last_slow.map(|t| t + rules.slow_period).filter(|&free| free > now) {
                Some(free) => Opening::Later(free),
                None => {
                    self.last_slow = Some(now);
                    Opening::Open
                }
            };
        }
        while self.opened.front().is_some_and(|&t| t + rules.ramp_period <= now) {
            self.opened.pop_front();
        }
        match self.opened.front() {
            Some(&oldest) if self.opened.len() >= rules.ramp_connections => {
                Opening::Later(oldest + rules.ramp_period)
            }
            _ => {
                self.opened.push_back(now);
                Opening::Open
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Opens all it may at `now`; returns how many.
    fn open_all(ramp: &mut Ramp, now: At, open: &mut usize, max: usize) -> usize {
        let before = *open;
        while ramp.next(&DeliveryRules::default(), now, *open, 1_000, max) == Opening::Open {
            *open += 1;
        }
        *open - before
    }

    #[test]
    fn before_the_first_success_there_is_one_connection_and_one_try_in_two_seconds() {
        let (mut ramp, rules) = (Ramp::default(), DeliveryRules::default());
        assert_eq!(ramp.next(&rules, MS, 0, 500, 40), Opening::Open);
        assert_eq!(ramp.next(&rules, MS, 1, 500, 40), Opening::Enough);
        // It failed: the next try waits.
        assert_eq!(ramp.next(&rules, 500 * MS, 0, 500, 40), Opening::Later(2_001 * MS));
        assert_eq!(ramp.next(&rules, 2_001 * MS, 0, 500, 40), Opening::Open);
    }

    #[test]
    fn after_a_success_ten_connections_open_each_half_second_up_to_the_maximum() {
        let mut ramp = Ramp::default();
        let mut open = 1;
        ramp.succeeded(MS);
        let opened: Vec<usize> =
            (0..5).map(|i| open_all(&mut ramp, (1 + 500 * i) * MS, &mut open, 40)).collect();
        assert_eq!(opened, [10, 10, 10, 9, 0]);
    }

    #[test]
    fn ten_seconds_without_a_success_bring_the_slow_start_back() {
        let (mut ramp, rules) = (Ramp::default(), DeliveryRules::default());
        ramp.succeeded(MS);
        assert!(ramp.active(&rules, 10_001 * MS));
        assert!(!ramp.active(&rules, 10_002 * MS));
        assert_eq!(ramp.next(&rules, 10_002 * MS, 1, 500, 40), Opening::Enough);
    }
}
