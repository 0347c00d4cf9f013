//! Whom one was paired with of late: the last few partners, each with the end of his time.
//!
//! What lives here: how an entry is packed into a word, shared by both matchmakers so that both round
//! alike. Where the words are kept is theirs. Only this room uses it.
//!
//! ```text
//! 63          42 41                                 0
//! [ partner: 22 | until, in steps of 2^20 ns (1.05 ms) ]      0 = no entry
//! ```

use super::ticket::Slot;
use crate::time::Nanos;
use core::time::Duration;

/// Partners remembered by each side. Who is forgotten by one of a pair is usually remembered by the
/// other: both rings are asked. Two people who each met 16 others since may meet again too early.
pub(super) const RECENT: usize = if cfg!(loom) { 2 } else { 16 };

const STEP_BITS: u32 = 20;
const UNTIL_BITS: u32 = 42;
const UNTIL_MAX: u64 = (1 << UNTIL_BITS) - 1;

/// An entry: this partner, until `until` rounded up to a step.
pub(super) const fn entry(partner: Slot, until: Nanos) -> u64 {
    let steps = until.0.div_ceil(1 << STEP_BITS);
    let steps = if steps > UNTIL_MAX { UNTIL_MAX } else { steps };
    (partner.0 as u64) << UNTIL_BITS | steps
}

/// When an entry ends.
pub(super) const fn until(word: u64) -> Nanos {
    Nanos((word & UNTIL_MAX) << STEP_BITS)
}

/// Until when `word` forbids `partner`; zero if it is about someone else.
pub(super) const fn forbids(word: u64, partner: Slot) -> Nanos {
    if word >> UNTIL_BITS == partner.0 as u64 { Nanos((word & UNTIL_MAX) << STEP_BITS) } else { Nanos::ZERO }
}

/// The end of a pair has 29 bits for a time, in steps of 1.07 s: 18 years of one process.
pub(super) const PARTED_STEP_BITS: u32 = 30;
pub(super) const PARTED_STEPS_MAX: u64 = (1 << 29) - 1;

/// Until when two who part at `now` do not meet again, rounded up to a step; zero if they may at once.
pub(super) fn apart_until(now: Nanos, recent_for: Duration) -> Nanos {
    if recent_for.is_zero() {
        return Nanos::ZERO;
    }
    let steps = now.after(recent_for).0.div_ceil(1 << PARTED_STEP_BITS);
    Nanos(steps.min(PARTED_STEPS_MAX) << PARTED_STEP_BITS)
}

/// The entry of a pair that ended, with what [`apart_until`] gave.
pub(super) const fn parted(partner: Slot, until: Nanos) -> u64 {
    if until.0 == 0 { 0 } else { entry(partner, until) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_forbids_its_partner_alone_and_never_shorter_than_asked() {
        for nanos in [0, 1, 1 << 20, (1 << 20) + 1, 1_200_000_000_000] {
            let word = entry(Slot(7), Nanos(nanos));
            let until = forbids(word, Slot(7));
            assert!(until >= Nanos(nanos) && until.0 - nanos < 1 << STEP_BITS);
            assert_eq!(forbids(word, Slot(8)), Nanos::ZERO);
        }
        assert_eq!(forbids(0, Slot(0)), Nanos::ZERO);
        assert_eq!(forbids(entry(Slot(3), Nanos::NEVER), Slot(4)), Nanos::ZERO);
    }

    #[test]
    fn those_who_part_stay_apart_for_as_long_as_asked_and_a_step_at_most() {
        for now in [0, 1, 999_999_999, 77_000_000_000] {
            let (now, asked) = (Nanos(now), Duration::from_secs(1_200));
            let until = apart_until(now, asked);
            assert!(
                until >= now.after(asked) && until.since(now.after(asked)) < Duration::from_nanos(1 << 30)
            );
            assert_eq!(forbids(parted(Slot(7), until), Slot(7)), until, "no second rounding");
        }
        assert_eq!(parted(Slot(7), apart_until(Nanos(5), Duration::ZERO)), 0);
    }
}
