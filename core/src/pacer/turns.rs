//! Which class is next: urgent first, nobody starves.
//!
//! What lives here: `Turns`, a lane's memory of who gave way to whom.
//!
//! The rule, for each class c: while c waits, at most 1 of any `TURN` consecutive sends of the lane is of
//! a class below c. The one that gives way hands the turn to the next class that waits, which applies the
//! same rule. So the bound for the lower ones, whatever the flood above them: with k classes waiting above
//! it, a waiting class is served at least once in any `2 * TURN^k` sends (twice, because it may have to give
//! way itself when its turn comes). Within a class conversations take turns.
//!
//! Messages ahead of their conversation are outside of the classes: while any class waits, at most 1 of any
//! `TURN` sends is one. They may use that one, so notices cost the others 1/32, and are not starved.

use crate::envelope::Class;

/// While a class waits, one of this many sends may be of a lower one.
pub(super) const TURN: u8 = 32;

#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Turns {
    /// For each class a byte, the first lowest: its sends since it last gave way, up to `TURN - 1`.
    run: u32,
    /// Sends that must come before the next message ahead of its conversation, if anything waits.
    until_ahead: u8,
}

impl Turns {
    /// The class whose turn it is among the waiting (bit c of `waiting` is class c). Takes nothing.
    #[inline]
    pub(super) fn choose(&self, waiting: u8) -> Option<Class> {
        let mut left = waiting & 0b1111;
        while left != 0 {
            let class = left.trailing_zeros() as u8;
            left &= left - 1;
            if left == 0 || (self.run >> (8 * class)) as u8 != TURN - 1 {
                return Class::from_u8(class);
            }
        }
        None
    }

    /// Whether a message ahead of its conversation may leave before the classes in `waiting`.
    #[inline]
    pub(super) const fn lets_ahead(&self, waiting: u8) -> bool {
        waiting == 0 || self.until_ahead == 0
    }

    /// One was sent.
    pub(super) const fn took_ahead(&mut self) {
        self.until_ahead = TURN - 1;
    }

    /// A message of `class` was sent.
    #[inline]
    pub(super) fn took(&mut self, class: Class) {
        self.until_ahead = self.until_ahead.saturating_sub(1);
        let shift = 8 * class as u32;
        let own = (self.run >> shift) as u8;
        // Those above it gave way: theirs are the bytes below.
        self.run = (self.run & (u32::MAX << shift)) + (u32::from(own < TURN - 1) << shift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(turns: &mut Turns, waiting: u8) -> u8 {
        let class = turns.choose(waiting).unwrap();
        turns.took(class);
        class as u8
    }

    proptest! {
        #[test]
        fn while_a_class_waits_at_most_one_of_any_32_sends_is_lower(
            waiting in prop::collection::vec(1u8..16, 1..2_000),
        ) {
            let mut turns = Turns::default();
            let sent: Vec<u8> = waiting.iter().map(|mask| run(&mut turns, *mask)).collect();
            for class in 0..4u8 {
                for (masks, sends) in waiting.windows(32).zip(sent.windows(32)) {
                    if masks.iter().all(|mask| mask & (1 << class) != 0) {
                        prop_assert!(sends.iter().filter(|sent| **sent > class).count() <= 1);
                    }
                }
            }
        }

        #[test]
        fn a_class_with_k_waiting_above_is_served_once_in_twice_32_to_the_k(
            before in prop::collection::vec(1u8..16, 0..200),
        ) {
            let mut turns = Turns::default();
            for mask in before {
                run(&mut turns, mask);
            }
            let mut last = [0usize; 4];
            for at in 1..=80_000usize {
                last[run(&mut turns, 0b1111) as usize] = at;
                for (k, last) in last.iter().enumerate() {
                    prop_assert!(at - last <= 2 * 32usize.pow(k as u32), "class {k} starves");
                }
            }
        }
    }
}
