//! When to wake whom.
//!
//! What lives here: [`Alarms`], the timers of one thread that drives a matchmaker. The engine has a wheel
//! of its own and does not need it; a program that uses the matchmaker alone does. It reads no clock.

use super::ticket::Slot;
use crate::time::Nanos;
use std::collections::BTreeSet;

/// At most one alarm per user: the `wake` he was given last.
#[derive(Debug, Default)]
pub struct Alarms {
    due: BTreeSet<(Nanos, Slot)>,
    of: Vec<Nanos>,
}

impl Alarms {
    /// No alarm for anyone.
    #[must_use]
    pub const fn new() -> Self {
        Self { due: BTreeSet::new(), of: Vec::new() }
    }

    /// Sets his alarm, in place of the one he had; [`Nanos::NEVER`] for none. O(log alarms).
    pub fn set(&mut self, who: Slot, wake: Nanos) {
        if self.of.len() <= who.index() {
            self.of.resize(who.index() + 1, Nanos::NEVER);
        }
        let old = core::mem::replace(&mut self.of[who.index()], wake);
        self.due.remove(&(old, who));
        if wake != Nanos::NEVER {
            self.due.insert((wake, who));
        }
    }

    /// When [`Alarms::pop`] will next have someone.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Nanos> {
        self.due.first().map(|&(wake, _)| wake)
    }

    /// Someone whose alarm has come, earliest first; his alarm is gone then. Call until `None`.
    pub fn pop(&mut self, now: Nanos) -> Option<Slot> {
        let &(wake, who) = self.due.first().filter(|&&(wake, _)| wake <= now)?;
        self.due.remove(&(wake, who));
        self.of[who.index()] = Nanos::NEVER;
        Some(who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_alarm_set_counts_and_rings_once() {
        let mut alarms = Alarms::new();
        alarms.set(Slot(5), Nanos(30));
        alarms.set(Slot(1), Nanos(20));
        alarms.set(Slot(5), Nanos(10));
        assert_eq!(alarms.poll_timeout(), Some(Nanos(10)));
        assert_eq!((alarms.pop(Nanos(9)), alarms.pop(Nanos(19))), (None, Some(Slot(5))));
        assert_eq!((alarms.pop(Nanos(30)), alarms.pop(Nanos(99))), (Some(Slot(1)), None));
        alarms.set(Slot(1), Nanos::NEVER);
        assert_eq!(alarms.poll_timeout(), None);
    }
}
