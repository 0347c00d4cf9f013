//! Coarse deadlines: one wheel of slots, lazily kept.
//!
//! A connection's deadline moves with every request; the wheel does not. An entry that fires early looks at the
//! deadline of its owner and is armed again, so moving a deadline away costs nothing. Deadlines fire up to one
//! tick late, never early. Used by the reactor and by the outbound client.

use nobat_core::time::Nanos;

/// A tick is 2^26 ns, about 67 ms.
const TICK_SHIFT: u32 = 26;
/// Slots; a deadline beyond them (34 s) waits in the farthest and is armed again.
const SLOTS: usize = 512;

/// What fires: an owner, and the guard against a later owner of the same key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) key: u32,
    pub(crate) generation: u32,
    /// The tick it was armed for, as [`Timers::arm`] gave it.
    pub(crate) tick: u64,
}

/// A deadline of one owner and the tick its newest entry is armed for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alarm {
    pub(crate) deadline: Nanos,
    armed: u64,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { deadline: Nanos::NEVER, armed: u64::MAX }
    }
}

/// The wheel.
#[derive(Debug)]
pub(crate) struct Timers {
    slots: Vec<Vec<Entry>>,
    /// A bit a slot that has entries.
    occupied: [u64; SLOTS / 64],
    /// The last tick that was expired.
    done: u64,
}

impl Timers {
    pub(crate) fn new(now: Nanos) -> Self {
        Self { slots: vec![Vec::new(); SLOTS], occupied: [0; SLOTS / 64], done: now.0 >> TICK_SHIFT }
    }

    /// Sets the deadline of an owner; arms only if it moved before what is armed.
    pub(crate) fn set(&mut self, alarm: &mut Alarm, key: u32, generation: u32, deadline: Nanos) {
        alarm.deadline = deadline;
        if deadline != Nanos::NEVER && self.tick_for(deadline) < alarm.armed {
            self.arm(alarm, key, generation);
        }
    }

    /// For an owner whose entry fired: true if its deadline has come; otherwise it is armed again if the
    /// entry was its newest.
    pub(crate) fn fired(&mut self, alarm: &mut Alarm, entry: Entry, now: Nanos) -> bool {
        if now >= alarm.deadline {
            alarm.armed = u64::MAX;
            return true;
        }
        if entry.tick == alarm.armed {
            alarm.armed = u64::MAX;
            if alarm.deadline != Nanos::NEVER {
                self.arm(alarm, entry.key, entry.generation);
            }
        }
        false
    }

    /// Moves every entry whose tick has passed into `into`.
    pub(crate) fn expire(&mut self, now: Nanos, into: &mut Vec<Entry>) {
        let current = now.0 >> TICK_SHIFT;
        if current <= self.done {
            return;
        }
        // After a long sleep every slot is visited once at most.
        let first = (self.done + 1).max(current.saturating_sub(SLOTS as u64 - 1));
        for tick in first..=current {
            let slot = (tick % SLOTS as u64) as usize;
            if self.occupied[slot / 64] & (1 << (slot % 64)) != 0 {
                self.occupied[slot / 64] &= !(1 << (slot % 64));
                into.append(&mut self.slots[slot]);
            }
        }
        self.done = current;
    }

    /// When `expire` must be called next. After `expire(now)` it is later than `now`.
    pub(crate) fn poll_timeout(&self) -> Option<Nanos> {
        let from = (self.done + 1) % SLOTS as u64;
        let next = (0..=SLOTS / 64).find_map(|word| {
            let at = (from as usize + word * 64) % SLOTS;
            // The first word is read from its bit on; the wheel is read once around, in two parts of it.
            let base = at - at % 64;
            let mask = match word {
                0 => u64::MAX << (at % 64),
                n if n == SLOTS / 64 => !(u64::MAX << (at % 64)),
                _ => u64::MAX,
            };
            let bits = self.occupied[base / 64] & mask;
            (bits != 0).then(|| base as u64 + u64::from(bits.trailing_zeros()))
        })?;
        let ahead = (next + SLOTS as u64 - from) % SLOTS as u64;
        Some(Nanos((self.done + 1 + ahead) << TICK_SHIFT))
    }

    /// The first tick that begins at or after `deadline`, within the wheel.
    fn tick_for(&self, deadline: Nanos) -> u64 {
        let tick = deadline.0.saturating_add((1 << TICK_SHIFT) - 1) >> TICK_SHIFT;
        tick.clamp(self.done + 1, self.done + SLOTS as u64 - 1)
    }

    fn arm(&mut self, alarm: &mut Alarm, key: u32, generation: u32) {
        let tick = self.tick_for(alarm.deadline);
        let slot = (tick % SLOTS as u64) as usize;
        self.slots[slot].push(Entry { key, generation, tick });
        self.occupied[slot / 64] |= 1 << (slot % 64);
        alarm.armed = tick;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_deadline_that_moves_away_costs_no_entry_and_still_fires() {
        let mut timers = Timers::new(Nanos::ZERO);
        let mut alarm = Alarm::default();
        for second in 1..=50 {
            timers.set(&mut alarm, 7, 1, Nanos::from_secs(second));
        }
        assert_eq!(timers.slots.iter().map(Vec::len).sum::<usize>(), 1);
        let mut fired = Vec::new();
        let mut now = Nanos::ZERO;
        while let Some(next) = timers.poll_timeout() {
            assert!(next > now, "an idle wheel sleeps");
            now = next;
            let mut due = Vec::new();
            timers.expire(now, &mut due);
            fired.extend(due.into_iter().filter(|entry| timers.fired(&mut alarm, *entry, now)));
        }
        assert_eq!(fired.len(), 1);
        assert!(now >= Nanos::from_secs(50) && now < Nanos::from_millis(50_100));
    }

    proptest! {
        #[test]
        fn every_deadline_fires_once_not_early_and_at_most_a_tick_late(
            deadlines in prop::collection::vec(0u64..120_000, 1..40),
            start in 0u64..100_000,
        ) {
            let start = Nanos::from_millis(start);
            let mut timers = Timers::new(start);
            let mut alarms = Vec::new();
            for (key, millis) in deadlines.iter().enumerate() {
                let mut alarm = Alarm::default();
                timers.set(&mut alarm, key as u32, 0, Nanos(start.0 + millis * 1_000_000));
                alarms.push(alarm);
            }
            let mut fired = vec![None; alarms.len()];
            let mut now = start;
            while let Some(next) = timers.poll_timeout() {
                prop_assert!(next > now);
                now = next;
                let mut due = Vec::new();
                timers.expire(now, &mut due);
                for entry in due {
                    let key = entry.key as usize;
                    if timers.fired(&mut alarms[key], entry, now) {
                        prop_assert!(fired[key].replace(now).is_none());
                    }
                }
            }
            for (alarm, fired) in alarms.iter().zip(fired) {
                let late = fired.expect("fired").0 - alarm.deadline.0;
                prop_assert!(late <= 2 << TICK_SHIFT, "{late}");
            }
        }
    }
}
