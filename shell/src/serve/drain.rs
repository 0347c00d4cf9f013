//! Emptying the process before it goes: when is nothing left to be sent?

use nobat_core::time::Nanos;
use std::time::Duration;

/// For so long nothing must wait: the counters of the outbound thread are a second old.
const QUIET: Duration = Duration::from_millis(2_500);

/// A drain under way.
pub(super) struct Drain {
    /// End the process then.
    pub(super) then_stop: bool,
    pub(super) empty_since: Option<Nanos>,
    /// It was said that nothing waits.
    pub(super) told: bool,
}

impl Drain {
    /// Whether nothing has waited for long enough; `empty` is what is seen at `now`.
    pub(super) fn is_empty(&mut self, empty: bool, now: Nanos) -> bool {
        if !empty {
            self.empty_since = None;
            return false;
        }
        now.since(*self.empty_since.get_or_insert(now)) >= QUIET
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_empty_once_nothing_has_waited_for_a_while() {
        let mut drain = Drain { then_stop: true, empty_since: None, told: false };
        let at = Nanos::from_millis;
        assert!(!drain.is_empty(true, at(10_000)) && !drain.is_empty(true, at(12_000)));
        assert!(!drain.is_empty(false, at(12_400)) && !drain.is_empty(true, at(12_600)));
        assert!(!drain.is_empty(true, at(15_000)) && drain.is_empty(true, at(15_100)));
    }
}
