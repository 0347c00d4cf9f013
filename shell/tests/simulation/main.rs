//! The whole engine on virtual time: real recovery, engine, ring, journal, snapshots and pacer; simulated
//! users, platform, wire and disk. The ledger knows what was promised.
//!
//! A seed is a whole day of 300 users and 1,000 updates with one kill, half of them with the power gone.
//! `NOBAT_SIM_SEED=n` plays one day, `NOBAT_SIM_DAYS=n` the first n (60 without it); a failed day names its
//! seed. The long form: `NOBAT_SIM_DAYS=10000 cargo test --release -p nobat --test simulation -- --nocapture`.

mod bot;
mod ledger;
mod server;
mod world;

use std::env::var;
use std::ops::Range;
use std::time::Instant;
use world::{Plan, Planted, Report, World};

fn day(seed: u64, planted: Planted) -> Plan {
    Plan { seed, users: 300, updates: 1_000, hours: 24, dies_at: None, planted }
}

fn number(name: &str) -> Option<u64> {
    var(name).ok().and_then(|n| n.parse().ok())
}

fn seeds() -> Range<u64> {
    match number("NOBAT_SIM_SEED") {
        Some(one) => one..one + 1,
        None => 0..number("NOBAT_SIM_DAYS").unwrap_or(60),
    }
}

#[test]
fn in_no_day_is_a_promise_broken() {
    let (began, mut sum, mut days) = (Instant::now(), Report::default(), 0);
    for seed in seeds() {
        let report = World::new(day(seed, Planted::None)).play().unwrap_or_else(|broken| panic!("{broken}"));
        days += 1;
        sum.kills += report.kills;
        sum.snapshots += report.snapshots;
        sum.repeats += report.repeats;
        sum.redeliveries += report.redeliveries;
        sum.ops += report.ops;
    }
    println!("{days} days in {:.1} s: {sum:?}", began.elapsed().as_secs_f64());
    assert!(sum.kills * 10 >= days * 9, "nearly every day has its kill: {sum:?}");
    assert!(sum.snapshots >= days, "snapshots are made: {sum:?}");
}

#[test]
fn a_kill_at_every_operation_of_the_disk_breaks_no_promise() {
    let small = |seed, dies_at| Plan {
        seed,
        users: 12,
        updates: 30,
        hours: 1,
        dies_at: Some(dies_at),
        planted: Planted::None,
    };
    // Every operation of one seed, and of the others those that it leaves out: all of them in the long form.
    let (seeds, step) = if number("NOBAT_SIM_DAYS").is_some() { (50, 1) } else { (10, 10) };
    let mut kills = 0;
    for seed in 0..seeds {
        for at in (1 + seed % step..).step_by(step as usize) {
            let report = World::new(small(seed, at)).play();
            let report = report.unwrap_or_else(|broken| panic!("killed at operation {at}: {broken}"));
            if report.kills == 0 {
                break;
            }
            kills += 1;
        }
    }
    println!("{kills} kills at operations of {seeds} seeds");
    assert!(kills > 50);
}

/// How many of the first days notice a planted bug.
fn noticed(planted: Planted) -> usize {
    (0..30).filter(|&seed| World::new(day(seed, planted)).play().is_err()).count()
}

#[test]
fn a_200_before_the_sync_is_noticed() {
    assert!(noticed(Planted::EarlyAnswer) > 0);
}

#[test]
fn a_forgotten_sync_of_a_file_is_noticed() {
    assert!(noticed(Planted::ForgottenFileSync) > 0);
}

#[test]
fn a_forgotten_sync_of_the_directory_is_noticed() {
    assert!(noticed(Planted::ForgottenDirectorySync) > 0);
}

#[test]
fn a_forgotten_duplicate_check_is_noticed() {
    assert!(noticed(Planted::ForgottenDuplicateCheck) > 0);
}

#[test]
fn the_same_seed_is_the_same_day() {
    let play = || format!("{:?}", World::new(day(7, Planted::None)).play());
    assert_eq!(play(), play());
}
