//! How often one user may write, and telling him once.
//!
//! What lives here: [`Rate`], the allowance of a kind, and [`Spell`], what is kept per user. The rule is
//! the one people read in "10 requests a minute": at most 10 in *any* 60 s, so it is a sliding log, exact,
//! four bytes an input. (A token bucket of 10 would pass up to 20 in its worst minute.) A refusal is not
//! logged: hammering does not lengthen the wait.

use crate::time::{Nanos, nanos_of};
use core::time::Duration;

/// An allowance: `count` inputs in any window `per`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    count: usize,
    per: u32,
}

/// Instants are kept as ticks of 2^24 ns (16.8 ms): 32 bits last 2.2 years of uptime.
const TICK_BITS: u32 = 24;

impl Rate {
    /// Inputs that one window may allow, at most: the log is kept per user.
    pub const COUNT_MAX: u32 = 256;

    /// `count` (1 to [`Rate::COUNT_MAX`], clamped) in any `per`.
    #[must_use]
    pub fn new(count: u32, per: Duration) -> Self {
        // One tick more: both ends of a window are rounded down.
        let per = u32::try_from((nanos_of(per) >> TICK_BITS) + 1).unwrap_or(u32::MAX);
        Self { count: count.clamp(1, Self::COUNT_MAX) as usize, per }
    }
}

/// One user's inputs within the last window.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Spell {
    /// Ticks, oldest first.
    log: Vec<u32>,
    /// He was told in this spell of refusals.
    told: bool,
}

/// What the gate says to one input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pass {
    /// Go on.
    Yes,
    /// Refused, and not told yet in this spell: tell him, once, when he may write again.
    TellOnce(Nanos),
    /// Refused, told already.
    No,
}

impl Spell {
    /// Takes one input's worth at `now`. O(count).
    pub fn take(&mut self, rate: &Rate, now: Nanos) -> Pass {
        let tick = (now.0 >> TICK_BITS) as u32;
        let gone = self.log.iter().take_while(|&&at| tick.saturating_sub(at) > rate.per).count();
        self.log.drain(..gone);
        if self.log.len() < rate.count {
            if self.log.capacity() == self.log.len() {
                self.log.reserve_exact(2);
            }
            self.log.push(tick);
            self.told = false;
            Pass::Yes
        } else if self.told {
            Pass::No
        } else {
            self.told = true;
            let oldest = u64::from(self.log[0]);
            Pass::TellOnce(Nanos((oldest + u64::from(rate.per) + 1) << TICK_BITS))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_eleventh_in_a_minute_is_refused_and_told_once() {
        let rate = Rate::new(10, MINUTE);
        let mut spell = Spell::default();
        let now = Nanos::from_secs(100);
        for _ in 0..10 {
            assert_eq!(spell.take(&rate, now), Pass::Yes);
        }
        let Pass::TellOnce(until) = spell.take(&rate, now) else { panic!("told") };
        assert_eq!(spell.take(&rate, now), Pass::No);
        assert!(until > Nanos::from_secs(160) && until < Nanos::from_millis(160_100), "{until:?}");
        assert_eq!(spell.take(&rate, until), Pass::Yes);
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_count(
            count in 1u32..40,
            gaps in prop::collection::vec(0u64..20_000, 1..200),
        ) {
            let rate = Rate::new(count, MINUTE);
            let mut spell = Spell::default();
            let mut now = 1_000_000u64;
            let mut passed = Vec::new();
            for gap in gaps {
                now += gap;
                match spell.take(&rate, Nanos::from_millis(now)) {
                    Pass::Yes => passed.push(now),
                    // What is refused is refused for a reason: the window (and a tick) is full.
                    _ => prop_assert!(
                        passed.iter().filter(|&&at| at + 60_050 > now).count() >= count as usize
                    ),
                }
                let window = passed.iter().filter(|&&at| at + 60_000 > now).count();
                prop_assert!(window <= count as usize, "{window} of {count}");
            }
        }
    }
}
