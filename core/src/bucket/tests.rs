use super::*;
use crate::limits::WINDOW;
use core::time::Duration;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A leaky bucket with a level, the textbook way: the oracle of GCRA. Times in nanoseconds.
struct Leaky {
    interval: u64,
    burst: u64,
    /// Debt in nanoseconds: how long until the bucket is full.
    debt: u64,
    seen: u64,
}

impl Leaky {
    fn take(&mut self, now: u64) -> bool {
        self.debt = self.debt.saturating_sub(now - self.seen);
        self.seen = now;
        let fits = self.debt + self.interval <= self.interval * self.burst;
        if fits {
            self.debt += self.interval;
        }
        fits
    }
}

proptest! {
    #[test]
    fn gcra_grants_what_a_leaky_bucket_grants(
        interval in 1u64..1_000,
        burst in 1u32..6,
        steps in prop::collection::vec(0u64..2_000, 1..200),
    ) {
        let rate = Rate::new(Duration::from_nanos(interval), burst);
        let (gcra, mut now) = (Gcra::full(), 0);
        let mut oracle = Leaky { interval, burst: u64::from(burst), debt: 0, seen: 0 };
        for step in steps {
            now += step;
            let peeked = gcra.peek(rate, Nanos(now));
            let before = gcra.full_at();
            let took = gcra.take(rate, Nanos(now));
            prop_assert_eq!(peeked, took);
            prop_assert_eq!(took.is_ok(), oracle.take(now));
            if let Err(NotBefore(when)) = took {
                prop_assert_eq!(gcra.full_at(), before, "a denial wrote");
                prop_assert!(when > Nanos(now));
                prop_assert!(gcra.peek(rate, Nanos(when.0 - 1)).is_err(), "it could have been earlier");
                prop_assert!(gcra.peek(rate, when).is_ok(), "the promise was not kept");
            }
        }
    }

    #[test]
    fn a_keyed_store_is_a_bucket_per_key(
        burst in 1u32..4,
        // Slow and fast: few that are not full at once, or all of them.
        pace in prop_oneof![Just(3u64), Just(300)],
        ops in prop::collection::vec((0u64..5_000, 0u64..300), 1..4_000),
    ) {
        let rate = Rate::new(Duration::from_nanos(1_000), burst);
        let mut keyed = Keyed::new(rate, 1 << 20, 7);
        let (mut oracle, mut now): (BTreeMap<u64, Gcra>, u64) = (BTreeMap::new(), 0);
        for (key, step) in ops {
            now += step % pace;
            let bucket = oracle.entry(key).or_default();
            prop_assert_eq!(keyed.peek(key, Nanos(now)), bucket.peek(rate, Nanos(now)));
            prop_assert_eq!(keyed.take(key, Nanos(now)), bucket.take(rate, Nanos(now)));
        }
    }

    #[test]
    fn a_window_grants_while_fewer_are_out_than_it_has_slots(
        slots in 0u32..40,
        steps in prop::collection::vec((0u64..120, 0u8..8, 0u32..40), 1..400),
    ) {
        // The twin counts what is out: unanswered, or answered within the last period.
        let (mut window, mut slots) = (Window::new(slots, WINDOW), slots);
        let (mut now, mut unanswered, mut backs) = (0u64, 0u32, Vec::<u64>::new());
        for (wait, what, number) in steps {
            now += wait;
            backs.retain(|back| *back > now);
            match what {
                0..4 => {
                    let fits = unanswered as usize + backs.len() < slots as usize;
                    let missing = (unanswered as usize + backs.len()).saturating_sub(slots as usize);
                    let at = |at: &u64| Nanos::from_millis(*at);
                    let expected = NotBefore(backs.get(missing).map_or(Nanos::NEVER, at));
                    let taken = window.take(Nanos::from_millis(now));
                    prop_assert_eq!(taken, if fits { Ok(()) } else { Err(expected) });
                    unanswered += u32::from(fits);
                    // Of several at once, those come back first that are out longest.
                    let out = unanswered as usize + backs.len();
                    let missing = (out + number as usize).saturating_sub(slots as usize);
                    let last = missing.checked_sub(1).map_or(Ok(()), |last| {
                        Err(NotBefore(backs.get(last).map_or(Nanos::NEVER, at)))
                    });
                    let many = window.peek_many(number, Nanos::from_millis(now));
                    prop_assert_eq!(many, if number == 0 { Ok(()) } else { last });
                }
                4..6 => {
                    window.answered(Nanos::from_millis(now));
                    backs.extend((unanswered > 0).then_some(now + 1_000));
                    unanswered = unanswered.saturating_sub(1);
                }
                6 => {
                    window.give_back();
                    unanswered = unanswered.saturating_sub(1);
                }
                _ => {
                    slots = number;
                    window.set_slots(number);
                }
            }
        }
    }

    #[test]
    fn no_more_than_the_slots_are_judged_in_any_period(
        slots in 1u32..8,
        sends in prop::collection::vec((0u64..400, 0u64..900, 0u64..=100), 1..200),
    ) {
        // Each send: wait before it, latency, and where in its latency the platform judges it (percent).
        let mut window = Window::new(slots, WINDOW);
        let (mut now, mut answers, mut judged) = (0u64, Vec::<u64>::new(), Vec::<u64>::new());
        for (wait, latency, part) in sends {
            now += wait;
            loop {
                answers.sort_unstable();
                while answers.first().is_some_and(|at| *at <= now) {
                    window.answered(Nanos::from_millis(answers.remove(0)));
                }
                match window.take(Nanos::from_millis(now)) {
                    Ok(()) => break,
                    Err(NotBefore(Nanos::NEVER)) => now = answers[0],
                    Err(NotBefore(when)) => {
                        let when = when.0 / 1_000_000;
                        prop_assert!(when > now);
                        now = answers.first().map_or(when, |next| when.min(*next));
                    }
                }
            }
            answers.push(now + latency);
            judged.push(now + latency * part / 100);
        }
        judged.sort_unstable();
        for (first, last) in judged.iter().zip(judged.iter().skip(slots as usize)) {
            prop_assert!(last - first >= 1_000, "{} judged within a second", slots + 1);
        }
    }
}

#[test]
fn a_burst_passes_at_once_and_then_the_rate_holds() {
    let rate = Rate::per_second(1, 3);
    let bucket = Gcra::full();
    for _ in 0..3 {
        assert_eq!(bucket.take(rate, Nanos::from_secs(10)), Ok(()));
    }
    assert_eq!(bucket.take(rate, Nanos::from_secs(10)), Err(NotBefore(Nanos::from_secs(11))));
}

#[test]
fn a_spent_bucket_gives_its_first_token_one_interval_later() {
    let rate = Rate::per_second(1, 3);
    let start = Nanos::from_secs(5);
    assert_eq!(Gcra::spent(rate, start).take(rate, start), Err(NotBefore(Nanos::from_secs(6))));
    let mut keyed = Keyed::spent(rate, 10, 0, start);
    assert_eq!(keyed.take(1u64, start), Err(NotBefore(Nanos::from_secs(6))));
    assert_eq!(keyed.take(1u64, Nanos::from_secs(6)), Ok(()));
}

#[test]
fn a_zero_interval_never_refuses_and_the_end_of_time_does_not_wrap() {
    let free = Rate::new(Duration::ZERO, 1);
    let bucket = Gcra::full();
    assert!((0..100).all(|_| bucket.take(free, Nanos(1)).is_ok()));
    let slow = Rate::new(Duration::MAX, u32::MAX);
    assert!(Gcra::full().take(slow, Nanos(u64::MAX - 1)).is_ok());
    // Around the last instants at which nothing has to saturate.
    let (rate, pure) = (Rate::per_second(1, 3), Nanos(7));
    for late in (0..8).map(|half| u64::MAX - half * 500_000_000) {
        let bucket = Gcra::full();
        let mut tat = pure;
        for _ in 0..5 {
            let expected = rate.peek(tat, Nanos(late));
            assert_eq!(bucket.take(rate, Nanos(late)), expected, "{late}");
            if expected.is_ok() {
                tat = rate.taken(tat, Nanos(late));
                assert_eq!(bucket.full_at(), tat);
            }
        }
    }
}

#[test]
fn the_keyed_store_forgets_full_buckets_and_is_bounded() {
    let mut keyed = Keyed::new(Rate::per_second(1, 1), 4_096, 1);
    for key in 0..1_000_000u64 {
        let _ = keyed.take(key, Nanos(key * 1_000_000));
        assert!(keyed.len() <= 4_096);
    }
    let mut crowded = Keyed::new(Rate::per_second(1, 1), 8, 1);
    let granted = (0..100u64).filter(|key| crowded.take(*key, Nanos::ZERO).is_ok()).count();
    assert_eq!(granted, 8, "at the bound an unseen key is refused");
    assert!(crowded.take(99, Nanos::from_secs(1)).is_ok(), "and served once a bucket is full again");
}

#[test]
fn a_window_refills_after_the_answer_and_not_by_the_clock() {
    let mut window = Window::new(1, WINDOW);
    assert_eq!(window.take(Nanos::ZERO), Ok(()));
    assert_eq!(window.take(Nanos::from_secs(100)), Err(NotBefore(Nanos::NEVER)));
    window.answered(Nanos::from_secs(100));
    assert_eq!(window.take(Nanos::from_secs(100)), Err(NotBefore(Nanos::from_secs(101))));
    assert_eq!(window.take(Nanos::from_secs(101)), Ok(()));
    window.give_back();
    assert_eq!(window.take(Nanos::from_secs(101)), Ok(()), "what never left is in again at once");
}

#[test]
fn after_a_restart_every_token_is_out_for_one_period() {
    let mut window = Window::spent(30, WINDOW, Nanos::from_secs(7));
    assert_eq!(window.peek(Nanos::from_millis(7_999)), Err(NotBefore(Nanos::from_secs(8))));
    assert!((0..30).all(|_| window.take(Nanos::from_secs(8)).is_ok()));
    assert!(window.take(Nanos::from_secs(8)).is_err());
}

#[test]
fn fewer_slots_let_tokens_vanish_as_they_come_back() {
    let mut window = Window::new(3, WINDOW);
    for ms in [0, 100, 200] {
        window.take(Nanos::from_millis(ms)).unwrap();
        window.answered(Nanos::from_millis(ms));
    }
    window.set_slots(1);
    assert_eq!(window.peek(Nanos::from_millis(500)), Err(NotBefore(Nanos::from_millis(1_200))));
    assert_eq!(window.take(Nanos::from_millis(1_200)), Ok(()));
    window.set_slots(0);
    window.answered(Nanos::from_millis(1_300));
    assert_eq!(window.peek(Nanos::from_secs(9)), Err(NotBefore(Nanos::NEVER)));
}
