//! A compressed results day on one lane, beside the scheduler that nobody can beat.

use crate::day::{Day, Planted, Wire};
use crate::random::Random;
use crate::{assert_clean, fresh};
use nobat_core::envelope::{Class, Place};
use nobat_core::pacer::Parcel;
use std::collections::VecDeque;

const SECOND: u64 = 1_000_000_000;

/// What each of `arrivals` (nanoseconds, sorted) waits if they are served first come, first served, at most
/// 30 in any second, and no time is lost.
fn ideal(arrivals: &[u64]) -> Vec<u64> {
    let (mut window, mut latest) = (VecDeque::new(), 0u64);
    let mut waits = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let mut at = latest.max(*arrival);
        if window.len() == 30 {
            at = at.max(window.pop_front().unwrap_or(0) + SECOND);
        }
        window.push_back(at);
        latest = at;
        waits.push(at - arrival);
    }
    waits
}

fn quantile(waits: &mut [u64], share: f64) -> u64 {
    waits.sort_unstable();
    waits[((waits.len() - 1) as f64 * share) as usize]
}

/// One lane's 3,000 students: most come in the first minute, and ask about three times, seconds apart; one in
/// a hundred asks twenty times. In milliseconds, sorted.
fn students(seed: u64) -> Vec<(u64, u64)> {
    let mut random = Random::new(seed);
    let mut asked = Vec::new();
    for user in 1..=3_000 {
        let mut at = -40_000.0 * (1.0 - random.unit()).ln();
        let questions = if random.chance(0.01) { 20 } else { 1 + random.below(5) };
        for _ in 0..questions {
            asked.push((at as u64, user));
            at += random.lognormal(6_000.0, 1.0);
        }
    }
    asked.sort_unstable();
    asked
}

/// The waits of the replies of a day, and the ideal ones.
fn play(wire: Wire, seed: u64, extras: bool) -> (Vec<u64>, Vec<u64>) {
    let mut day = Day::new(fresh(), 1, wire, Planted::None, seed);
    let asked = students(seed);
    for (at, user) in &asked {
        let parcel = day.parcel(*user);
        day.arrive(*at, parcel);
    }
    if extras {
        for user in 0..300 {
            let parcel = Parcel { class: Class::Bulk, ..day.parcel(10_000 + user) };
            day.arrive(0, parcel);
            let notice = Parcel { place: Place::Ahead, ..day.parcel(1 + user * 9) };
            day.arrive(20_000 + user * 40, notice);
        }
    }
    let report = day.play();
    assert_clean(&report);
    let arrivals: Vec<u64> = asked.iter().map(|(at, _)| at * 1_000_000).collect();
    let waits = (0..asked.len()).map(|handle| report.accepted_at[&(handle as u32)] - arrivals[handle]);
    (waits.collect(), ideal(&arrivals))
}

#[test]
fn on_a_results_day_the_last_percent_waits_no_longer_than_first_come_first_served_demands() {
    for seed in 1..=3 {
        let (mut waits, mut ideal) = play(Wire::PERFECT, seed, false);
        let p99 = (quantile(&mut waits, 0.99) as f64, quantile(&mut ideal, 0.99) as f64);
        assert!(p99.1 > 30e9, "the day is too easy to tell: {p99:?}");
        assert!(p99.0 <= p99.1 * 1.05 + 1e9, "seed {seed}: {p99:?}");
        let p50 = (quantile(&mut waits, 0.5) as f64, quantile(&mut ideal, 0.5) as f64);
        assert!(p50.0 <= p50.1 * 1.05 + 1e9, "seed {seed}: {p50:?}");
    }
}

#[test]
fn with_bulk_and_notices_beside_it_the_last_percent_waits_a_sixteenth_longer_at_most() {
    let (mut waits, mut ideal) = play(Wire::PERFECT, 4, true);
    let p99 = (quantile(&mut waits, 0.99) as f64, quantile(&mut ideal, 0.99) as f64);
    // One send in 32 may be bulk, one a notice; what they take adds up over the whole day.
    let busy = 10_000.0 / 30.0 * 1e9;
    assert!(p99.0 <= p99.1 + busy / 16.0 + 1e9, "{p99:?}");
}
