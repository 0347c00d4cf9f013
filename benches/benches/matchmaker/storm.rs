//! Threads together: ns of a join, of all threads, beside a backlog; in a tight loop, with other work between
//! the calls, and with looks at where people stand.

use super::paired::Pairs;
use super::redis::Redis;
use super::tail::other_work;
use super::{LONG, Naive, Shared, best, crowd, nanos_each, step};
use crossbeam::queue::SegQueue;
use nobat_core::matchmaker::{LockFree, Matchmaker, Seat, Spec};
use nobat_core::time::Nanos;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// What a thread does beside joining.
#[derive(Clone, Copy)]
struct Beside {
    /// People who wait whom nobody here may meet.
    backlog: usize,
    /// Other work before each call, in turns of a loop.
    work: u64,
    /// Looks at where someone stands, after each join.
    looks: usize,
}

/// Threads that join their own users one after another; whoever is paired parts at once. ns per join, of
/// all threads together.
fn storm<S: Shared>(threads: usize, rounds: usize, beside: Beside) -> f64 {
    const EACH: usize = 1_024;
    let shared = S::new(EACH * threads + beside.backlog);
    let _waiting = crowd(&shared, beside.backlog);
    let seats = |_| (0..EACH).map(|_| shared.with(|m| m.seat(0).expect("a seat"))).collect();
    let seats: Vec<Vec<Seat>> = (0..threads).map(seats).collect();
    let barrier = Barrier::new(threads + 1);
    let mut start = Instant::now();
    thread::scope(|scope| {
        for mut seats in seats {
            let (shared, barrier) = (&shared, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for round in 0..rounds {
                    let now = Nanos::from_secs(1).after(LONG * round as u32);
                    for i in 0..EACH {
                        other_work(beside.work);
                        step(shared, &mut seats[i], now);
                        for look in 0..beside.looks {
                            let who = seats[(i + look * 7) % EACH].slot();
                            black_box(shared.with(|m| m.standing(who)));
                        }
                    }
                }
            });
        }
        start = Instant::now();
        barrier.wait();
    });
    nanos_each(start, EACH * rounds * threads)
}

/// A row: both designs with so many threads, eleven times by turns.
fn row(label: &str, threads: usize, rounds: usize, beside: Beside) {
    let runs = Pairs::run(
        11,
        || storm::<LockFree>(threads, rounds, beside),
        || storm::<Mutex<Spec>>(threads, rounds, beside),
    );
    let (free, spec, ratio) = (runs.one(), runs.other(), runs.ratio());
    println!(
        "{label:<52} {threads:>2} {:>7.1} {:>7.1} {:>7.1} | {:>7.1} {:>7.1} {:>7.1} | {:>6.2} {:>6.2} {:>6.2}",
        free.least,
        free.median,
        free.most,
        spec.least,
        spec.median,
        spec.most,
        ratio.least,
        ratio.median,
        ratio.most
    );
}

fn naive_storm(naive: &impl Naive, threads: usize) -> f64 {
    const EACH: u32 = 10_000_000;
    best(5, || {
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..EACH).for_each(|me| _ = black_box(naive.meet(me))));
            }
        });
        nanos_each(start, EACH as usize * threads)
    })
}

fn redis_storm(redis: &Redis, threads: usize, at_once: usize) -> f64 {
    const CALLS: usize = 64 * 1_024;
    let calls = if at_once == 1 { CALLS / 4 } else { CALLS };
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            let mut client = redis.client();
            scope.spawn(move || (0..calls / at_once).for_each(|_| client.meet(at_once)));
        }
    });
    nanos_each(start, calls * threads)
}

pub(crate) fn storms() {
    println!("\nns per join, all threads together; least, median and most of eleven runs by turns");
    println!(
        "{:<52} {:>2} {:^23} | {:^23} | {:^20}",
        "", "n", "lock-free", "parking_lot::Mutex<Spec>", "mutex / lock-free"
    );
    let tight = Beside { backlog: 0, work: 0, looks: 0 };
    for backlog in [0, 20_000, 100_000] {
        for threads in [1, 2] {
            row(&format!("a tight loop, {backlog} waiting"), threads, 400, Beside { backlog, ..tight });
        }
    }
    for threads in [1, 2] {
        row("8 looks at where someone stands to a join", threads, 200, Beside { looks: 8, ..tight });
    }
    for threads in [1, 2] {
        row("0.6 us of other work between the calls", threads, 100, Beside { work: WORK, ..tight });
    }
    println!("\n{:<52} {:>10} {:>10}", "ns per join, best run", "1 thread", "2 threads");
    let row = |label: &str, one: f64, two: f64| println!("{label:<52} {one:>10.1} {two:>10.1}");
    let line = Mutex::new(VecDeque::new());
    row("parking_lot::Mutex<VecDeque> (naive)", naive_storm(&line, 1), naive_storm(&line, 2));
    let queue = SegQueue::new();
    row("crossbeam SegQueue (naive, loses people)", naive_storm(&queue, 1), naive_storm(&queue, 2));
    match Redis::start() {
        Some(redis) => {
            let one = |at_once| redis_storm(&redis, 1, at_once);
            let two = |at_once| redis_storm(&redis, 2, at_once);
            row("Redis, match-or-enqueue in Lua, one call at a time", one(1), two(1));
            row("Redis, match-or-enqueue in Lua, 64 calls at once", one(64), two(64));
        }
        None => println!("Redis, match-or-enqueue in Lua: redis-server is not installed"),
    }
}

/// Turns of the loop of other work: about 0.6 us.
const WORK: u64 = 600;
