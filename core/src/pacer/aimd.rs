//! The adaptive number of slots: additive increase, multiplicative decrease.
//!
//! What lives here: [`Aimd`]. Like TCP (RFC 5681) it doubles from round to round until the first sign of
//! congestion, then grows by a little each round and gives back a part at each sign. Signs are a 429 (the
//! late one) and rising latency (the early one: the platform holds calls back for seconds before it says
//! 429). A round is one window.

use super::config::Adaptive;
use crate::limits::WINDOW;
use crate::time::{Nanos, nanos_of};
use core::time::Duration;

/// A round with fewer answers says nothing about latency.
const ANSWERS_MIN: u64 = 8;
/// Latency counts as risen above `2 * baseline + SLACK`.
const SLACK: Duration = Duration::from_millis(50);

#[derive(Clone, Debug)]
pub(super) struct Aimd {
    bounds: Adaptive,
    slots: u32,
    /// No sign of congestion yet: one slot more per answer.
    doubling: bool,
    /// Answers since the last additive step.
    credit: u32,
    /// Signs before this instant are echoes of one already heeded.
    deaf_until: Nanos,
    round_ends: Nanos,
    answers: u64,
    latency_sum: u64,
    /// The mean latency of the best round, forgotten slowly.
    baseline: Option<u64>,
}

impl Aimd {
    pub(super) fn new(bounds: Adaptive, slots: u32) -> Self {
        let bounds =
            Adaptive { floor: bounds.floor.max(1), ceiling: bounds.ceiling.max(bounds.floor).max(1) };
        Self {
            bounds,
            slots: slots.clamp(bounds.floor, bounds.ceiling),
            doubling: true,
            credit: 0,
            deaf_until: Nanos::ZERO,
            round_ends: Nanos::ZERO,
            answers: 0,
            latency_sum: 0,
            baseline: None,
        }
    }

    pub(super) const fn slots(&self) -> u32 {
        self.slots
    }

    /// A send was accepted after `latency`. `limited`: the window was what held it back; where it was not,
    /// more slots would prove nothing.
    pub(super) fn accepted(&mut self, now: Nanos, latency: Duration, limited: bool) {
        self.measure(now, nanos_of(latency));
        if !limited {
            return;
        }
        self.credit += 1;
        if self.doubling {
            self.set(self.slots + 1);
        } else if self.credit >= self.slots {
            self.credit = 0;
            self.set(self.slots + (self.slots / 32).max(1));
        }
    }

    /// A send was refused with 429.
    pub(super) fn refused(&mut self, now: Nanos) {
        self.decrease(now, 7);
    }

    fn measure(&mut self, now: Nanos, latency: u64) {
        self.answers += 1;
        self.latency_sum = self.latency_sum.saturating_add(latency);
        if now < self.round_ends {
            return;
        }
        self.round_ends = now.after(WINDOW);
        if self.answers >= ANSWERS_MIN {
            let mean = self.latency_sum / self.answers;
            let baseline = self.baseline.map_or(mean, |best| best.saturating_add(best / 64).min(mean));
            self.baseline = Some(baseline);
            if mean > baseline.saturating_mul(2).saturating_add(nanos_of(SLACK)) {
                self.decrease(now, 9);
            }
        }
        (self.answers, self.latency_sum) = (0, 0);
    }

    /// Keeps `tenths` of the slots, once per two rounds: it takes that long until the effect is seen.
    fn decrease(&mut self, now: Nanos, tenths: u32) {
        self.doubling = false;
        self.credit = 0;
        if now >= self.deaf_until {
            self.deaf_until = now.after(WINDOW * 2);
            self.set(u32::try_from(u64::from(self.slots) * u64::from(tenths) / 10).unwrap_or(u32::MAX));
        }
    }

    fn set(&mut self, slots: u32) {
        self.slots = slots.clamp(self.bounds.floor, self.bounds.ceiling);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(60);

    fn round(aimd: &mut Aimd, second: u64, latency: Duration) {
        for i in 0..u64::from(aimd.slots()) {
            aimd.accepted(Nanos(second * 1_000_000_000 + i), latency, true);
        }
    }

    #[test]
    fn it_doubles_until_the_first_refusal_then_grows_by_little() {
        let mut aimd = Aimd::new(Adaptive::default(), 30);
        for second in 1..=5 {
            round(&mut aimd, second, FAST);
        }
        assert!(aimd.slots() >= 510, "{}", aimd.slots());
        let before = aimd.slots();
        aimd.refused(Nanos::from_secs(6));
        aimd.refused(Nanos::from_secs(6));
        let cut = aimd.slots();
        assert_eq!(cut, before * 7 / 10, "one sign is heeded once");
        round(&mut aimd, 9, FAST);
        assert!(aimd.slots() > cut && aimd.slots() <= cut + cut / 32 + 1);
    }

    #[test]
    fn rising_latency_is_a_sign_before_any_refusal() {
        let mut aimd = Aimd::new(Adaptive::default(), 30);
        (1..=3).for_each(|second| round(&mut aimd, second, FAST));
        let before = aimd.slots();
        (4..=6).for_each(|second| round(&mut aimd, second, Duration::from_secs(2)));
        assert!(aimd.slots() < before + before, "it did not stop doubling");
        assert!(!aimd.doubling);
    }

    #[test]
    fn slots_stay_within_their_bounds_and_idle_lanes_do_not_grow() {
        let mut aimd = Aimd::new(Adaptive { floor: 10, ceiling: 40 }, 30);
        (0..100).for_each(|i| aimd.accepted(Nanos(i), FAST, false));
        assert_eq!(aimd.slots(), 30);
        (0..100).for_each(|i| aimd.accepted(Nanos(i), FAST, true));
        assert_eq!(aimd.slots(), 40);
        (1..100).for_each(|s| aimd.refused(Nanos::from_secs(s * 10)));
        assert_eq!(aimd.slots(), 10);
    }
}
