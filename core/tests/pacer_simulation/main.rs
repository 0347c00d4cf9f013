//! The pacer against a strict platform, on virtual time: drains, faults, and bugs that must be noticed.
//!
//! A seed is a whole day. `NOBAT_SIM_SEED=n` plays one seed of the day of faults, `NOBAT_SIM_SEEDS=n` the
//! first n (64 without it). A failed day names its seed.

mod day;
mod platform;
mod random;
mod results_day;

use core::time::Duration;
use day::{Day, Event, Planted, Report, Wire, group};
use nobat_core::envelope::{Class, Place, Route};
use nobat_core::id::{LaneIx, UserId};
use nobat_core::pacer::{PacerConfig, Parcel, ReachMode, RetryScope};
use platform::Scope;
use random::Random;
use std::collections::BTreeSet;

fn fresh() -> PacerConfig {
    PacerConfig { spent: false, ..PacerConfig::default() }
}

/// Everything accepted, in order, through the right lanes, without one refusal.
fn assert_clean(report: &Report) {
    assert_eq!(report.faults, platform::Faults::default());
    assert_eq!((report.disorder, report.wrong_lane, report.lost, report.repeated), (0, 0, 0, 0));
    assert!(report.dropped.is_empty(), "{:?}", report.dropped);
}

/// How long `report` took, over `bound` seconds.
fn ratio(report: &Report, bound: f64) -> f64 {
    report.drain.as_secs_f64() / bound
}

/// 1,500 replies to as many users on one lane.
fn burst(wire: Wire, planted: Planted, config: PacerConfig, seed: u64) -> Report {
    let mut day = Day::new(config, 1, wire, planted, seed);
    for user in 1..=1_500 {
        let parcel = day.parcel(user);
        day.arrive(0, parcel);
    }
    day.play()
}

#[test]
fn a_burst_without_latency_drains_at_the_bound() {
    let report = burst(Wire::PERFECT, Planted::None, fresh(), 1);
    assert_clean(&report);
    let ratio = ratio(&report, 50.0);
    assert!((0.97..=1.01).contains(&ratio), "{ratio}");
}

#[test]
fn a_burst_right_after_a_restart_costs_one_second_more() {
    let report = burst(Wire::PERFECT, Planted::None, PacerConfig::default(), 1);
    assert_clean(&report);
    assert!(report.drain <= Duration::from_millis(50_500), "{:?}", report.drain);
}

#[test]
fn a_burst_under_jitter_drains_as_an_ideal_slot_pacer_without_one_refusal() {
    for seed in 1..=8 {
        let report = burst(Wire::JITTERY, Planted::None, fresh(), seed);
        assert_clean(&report);
        let ratio = ratio(&report, 50.0);
        assert!((1.03..=1.07).contains(&ratio), "seed {seed}: {ratio}");
    }
}

#[test]
fn five_replies_to_each_of_300_chats_drain_in_order_at_the_bound() {
    for chat_major in [true, false] {
        let mut day = Day::new(fresh(), 1, Wire::PERFECT, Planted::None, 3);
        for i in 0..1_500 {
            let user = if chat_major { i / 5 } else { i % 300 };
            let parcel = day.parcel(1 + user);
            day.arrive(0, parcel);
        }
        let report = day.play();
        assert_clean(&report);
        assert!(ratio(&report, 50.0) <= 1.02, "{:?}", report.drain);
    }
}

#[test]
fn seventeen_lanes_drain_as_one() {
    let mut day = Day::new(fresh(), 17, Wire::JITTERY, Planted::None, 4);
    let mut users: Vec<u64> = (17..17 + 25_500).collect();
    Random::new(4).shuffle(&mut users);
    for user in users {
        let parcel = day.parcel(user);
        day.arrive(0, parcel);
    }
    let report = day.play();
    assert_clean(&report);
    assert!(ratio(&report, 50.0) <= 1.075, "{:?}", report.drain);
}

#[test]
fn a_few_chats_with_long_backlogs_are_limited_by_their_chats_alone() {
    let mut day = Day::new(fresh(), 1, Wire::JITTERY, Planted::None, 5);
    for i in 0..200 {
        let parcel = day.parcel(1 + i / 50);
        day.arrive(0, parcel);
    }
    let report = day.play();
    assert_clean(&report);
    // 50 to one chat: 3 at once, then one a second after each answer.
    assert!(report.drain <= Duration::from_secs(47 + 6), "{:?}", report.drain);
}

#[test]
fn groups_keep_to_twenty_a_minute_under_jitter() {
    let mut day = Day::new(fresh(), 2, Wire::JITTERY, Planted::None, 6);
    for i in 0..300 {
        let parcel = Parcel { chat: group(i % 3), ..day.parcel(1 + i % 40) };
        day.arrive(i * 10, parcel);
    }
    let report = day.play();
    assert_clean(&report);
}

/// A full lane on which one of ten sends is an album of 2 to 10.
fn albums(planted: Planted, seed: u64) -> Report {
    let mut day = Day::new(fresh(), 1, Wire::JITTERY, planted, seed);
    let mut random = Random::new(seed);
    for user in 1..=900 {
        let more = if random.chance(0.1) { 1 + random.below(9) as u8 } else { 0 };
        let class = Class::ALL[1 + random.below(3) as usize];
        let parcel = Parcel { more, class, ..day.parcel(user) };
        day.arrive(random.below(20_000), parcel);
    }
    day.play()
}

#[test]
fn albums_among_messages_cost_no_refusal_and_little_of_the_lane() {
    for seed in 1..=16 {
        let report = albums(Planted::None, seed);
        assert_clean(&report);
        // 900 sends make some 1,300 messages: 44 s of a lane under this jitter 46, and what albums have to wait.
        assert!(report.drain <= Duration::from_secs(60), "{:?}", report.drain);
    }
}

#[test]
fn an_album_that_is_taken_for_one_message_is_noticed() {
    assert!(albums(Planted::AlbumsAsOne, 1).faults.refused > 0);
}

#[test]
fn while_replies_wait_bulk_gets_one_send_in_32_and_never_none() {
    let mut day = Day::new(fresh(), 1, Wire::JITTERY, Planted::None, 7);
    for i in 0..1_000 {
        let class = if i % 2 == 0 { Class::Reply } else { Class::Bulk };
        let parcel = Parcel { class, ..day.parcel(1 + i) };
        day.arrive(0, parcel);
    }
    let report = day.play();
    assert_clean(&report);
    let turns = &report.turns[&0];
    let replies = turns.iter().rposition(|class| *class == Some(Class::Reply)).expect("replies");
    let mut since = 0;
    for sends in turns[..replies].windows(32) {
        assert!(sends.iter().filter(|class| **class == Some(Class::Bulk)).count() <= 1);
    }
    for class in &turns[..replies] {
        since = if *class == Some(Class::Bulk) { 0 } else { since + 1 };
        assert!(since <= 32, "bulk starves");
    }
}

#[test]
fn notices_ahead_take_one_send_in_32_and_never_cost_a_refusal() {
    for seed in 1..=8 {
        let mut day = Day::new(fresh(), 1, Wire::JITTERY, Planted::None, seed);
        for user in 1..=1_500 {
            let parcel = day.parcel(user);
            day.arrive(0, parcel);
        }
        // Impatient people, twice as fast as the lane, and some with answers of their own to pass.
        let mut random = Random::new(seed);
        for i in 0..2_400 {
            let user = 1 + random.below(1_500);
            let place = if i % 4 == 0 { Place::InOrder } else { Place::Ahead };
            let parcel = Parcel { place, ..day.parcel(user) };
            day.arrive(500 + i * 15, parcel);
        }
        let report = day.play();
        assert_clean(&report);
        assert!(report.said_ahead >= 40, "{}", report.said_ahead);
        let turns = &report.turns[&0];
        for sends in turns[..1_500].windows(32) {
            assert!(sends.iter().filter(|turn| turn.is_none()).count() <= 1);
        }
    }
}

#[test]
fn a_chat_gets_its_burst_and_no_more_when_notices_fly_beside_its_answers() {
    let mut said = 0;
    for seed in 1..=40 {
        let wire = Wire { median_ms: 900.0, sigma: 1.0, ..Wire::PERFECT };
        let mut day = Day::new(fresh(), 1, wire, Planted::None, seed);
        let mut random = Random::new(seed);
        for i in 0..400 {
            let place = if random.chance(0.5) { Place::InOrder } else { Place::Ahead };
            let parcel = Parcel { place, ..day.parcel(1 + random.below(8)) };
            day.arrive(i / 5 * 900, parcel);
        }
        let report = day.play();
        assert_clean(&report);
        said += report.said_ahead;
    }
    assert!(said > 100, "{said}");
}

#[test]
fn where_no_home_reaches_everything_goes_through_the_one_lane_at_its_bound() {
    let config = PacerConfig { reach: ReachMode::Try, ..fresh() };
    let mut day = Day::new(config, 17, Wire::PERFECT, Planted::None, 8);
    day.platform.started = Some((1..=3_000).map(|user| (0, user)).collect());
    for user in 1..=3_000 {
        let parcel = day.parcel(user);
        day.arrive(0, parcel);
    }
    let report = day.play();
    assert_clean(&report);
    assert_eq!(report.accepted, 3_000);
    assert!(ratio(&report, 100.0) <= 1.01, "{:?}", report.drain);
}

#[test]
fn a_token_that_dies_and_comes_back_loses_nothing_but_what_was_bound_to_it() {
    let mut day = Day::new(fresh(), 17, Wire::JITTERY, Planted::None, 9);
    for user in 17..17 + 3_400 {
        let parcel = day.parcel(user);
        day.arrive(0, parcel);
    }
    for lane in [3, 5, 0] {
        day.happen(2_000, Event::Dies(lane));
        day.happen(600_000, Event::Revives(lane));
    }
    let report = day.play();
    assert_eq!((report.disorder, report.wrong_lane, report.lost, report.repeated), (0, 0, 0, 0));
    assert_eq!((report.accepted, report.dropped.len()), (3_400, 0));
}

/// A day with everything in it: classes, groups, calls, pinned ones, resets, lost answers, 429s without a
/// cause, tokens that die, bots not started.
fn faulty_day(seed: u64, scope: RetryScope, planted: Planted) -> Report {
    let mut random = Random::new(seed ^ 0xda7);
    let lanes = 1 + random.below(5) as u16;
    let rate = |random: &mut Random, most: f64| if random.chance(0.5) { random.unit() * most } else { 0.0 };
    let wire = Wire {
        reset: rate(&mut random, 0.1),
        lost: rate(&mut random, 0.05),
        storm: rate(&mut random, 0.02),
        storm_scope: if random.chance(0.5) { Scope::Token } else { Scope::Chat },
        ..Wire::JITTERY
    };
    let reach = [ReachMode::All, ReachMode::Try, ReachMode::Known][random.below(3) as usize];
    let config = PacerConfig { reach, retry_scope: scope, attempts: 50, ..PacerConfig::default() };
    let mut day = Day::new(config, lanes, wire, planted, seed);
    let users = 1 + random.below(400);
    let share = random.unit();
    let mut started = BTreeSet::new();
    for user in 1..=users {
        started.insert((0, user));
        if random.chance(share) {
            started.insert((UserId(user).home(lanes).0, user));
        }
    }
    if random.chance(0.5) {
        day.platform.started = Some(started);
    }
    let mut instants: Vec<u64> = (0..random.below(1_500)).map(|_| random.below(20_000)).collect();
    instants.sort_unstable();
    for after_ms in instants {
        let mut parcel = day.parcel(1 + random.below(users));
        parcel.class = Class::ALL[random.below(4) as usize];
        if random.chance(0.1) {
            parcel.chat = group(random.below(3));
        }
        if random.chance(0.1) {
            parcel.route = Route::Pinned(LaneIx(0));
        }
        if random.chance(0.1) {
            parcel.more = random.below(10) as u8;
        }
        if random.chance(0.1) {
            (parcel.place, parcel.route) = (Place::Call, Route::Pinned(LaneIx(0)));
        } else if random.chance(0.2) {
            parcel.place = Place::Ahead;
        }
        day.arrive(after_ms, parcel);
    }
    if random.chance(0.3) {
        let lane = random.below(u64::from(lanes)) as u16;
        day.happen(random.below(20_000), Event::Dies(lane));
        day.happen(100_000 + random.below(20_000), Event::Revives(lane));
    }
    day.play()
}

/// What holds on any day. Groups are shared by bots that are not told of each other's reach.
fn assert_faulty_day(report: &Report, scope: RetryScope) {
    assert_eq!(report.faults.refused, 0, "a limit was exceeded");
    assert_eq!(report.faults.defiance, 0, "a wait was not heeded");
    assert_eq!((report.disorder, report.wrong_lane, report.lost, report.repeated), (0, 0, 0, 0));
    assert!(
        report.dropped.keys().all(|reason| ["lane_gone", "exhausted"].contains(reason)),
        "{:?}",
        report.dropped
    );
    let ends = ["stale", "unreachable", "lane_gone"];
    assert!(report.not_said.keys().all(|reason| ends.contains(reason)), "{:?}", report.not_said);
    if scope == RetryScope::Token {
        assert_eq!(report.faults.probes, 0);
    }
}

#[expect(clippy::disallowed_methods, reason = "the seed of a test is its one setting")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn on_days_full_of_faults_nothing_is_lost_refused_or_out_of_order() {
    let seeds = match number("NOBAT_SIM_SEED") {
        Some(seed) => (seed..seed + 1).collect::<Vec<_>>(),
        None => (0..number("NOBAT_SIM_SEEDS").unwrap_or(64)).collect(),
    };
    let (whole, mut told) = (seeds.len() >= 64, 0);
    for seed in seeds {
        for scope in [RetryScope::ChatFirst, RetryScope::Token] {
            let played = std::panic::catch_unwind(|| {
                let report = faulty_day(seed, scope, Planted::None);
                assert_faulty_day(&report, scope);
                report.faults.probes
            });
            let Ok(probes) = played else { panic!("replay it with NOBAT_SIM_SEED={seed} ({scope:?})") };
            told += probes;
        }
    }
    assert!(!whole || told > 0, "no day had a wait that was meant for a whole token: the faults are asleep");
}

#[test]
fn the_same_seed_is_the_same_day() {
    let day = |_| format!("{:?}", faulty_day(11, RetryScope::ChatFirst, Planted::None));
    assert_eq!(day(0), day(1));
}

#[test]
fn a_window_that_refills_from_the_send_is_noticed() {
    let report = burst(Wire::JITTERY, Planted::AnswersAtSend, fresh(), 1);
    assert!(report.faults.refused > 0);
}

#[test]
fn a_31st_slot_is_noticed() {
    let report = burst(Wire::JITTERY, Planted::None, PacerConfig { slots: 31, ..fresh() }, 1);
    assert!(report.faults.refused > 0);
}

#[test]
fn a_chat_that_gets_more_than_its_burst_is_noticed() {
    let chat = nobat_core::bucket::Rate::per_second(1, 4);
    let mut day = Day::new(PacerConfig { chat, ..fresh() }, 1, Wire::PERFECT, Planted::None, 1);
    for _ in 0..4 {
        let parcel = day.parcel(1);
        day.arrive(0, parcel);
    }
    assert!(day.play().faults.refused > 0);
}

#[test]
fn a_sender_that_does_not_hear_waits_is_noticed() {
    let wire = Wire { storm: 0.05, ..Wire::JITTERY };
    let report = burst(wire, Planted::DeafToWaits, fresh(), 1);
    assert!(report.faults.defiance > 0);
}

#[test]
fn a_swapped_lane_and_a_forgotten_envelope_are_noticed() {
    let mut day = Day::new(fresh(), 3, Wire::JITTERY, Planted::WrongLane, 1);
    for user in 1..=500 {
        let parcel = Parcel { route: Route::Pinned(LaneIx((user % 3) as u16)), ..day.parcel(user) };
        day.arrive(0, parcel);
    }
    assert!(day.play().wrong_lane > 0);
    let report = burst(Wire::JITTERY, Planted::Forgets, fresh(), 1);
    assert_eq!(report.lost, 1);
}
