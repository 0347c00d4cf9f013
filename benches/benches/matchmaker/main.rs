//! What a join costs, and what it costs when threads are preempted: the lock-free matchmaker beside the
//! specification under a mutex and beside what is usually written, in one run.
//!
//! ```text
//! cargo bench -p nobat-benches --bench matchmaker              everything, about three minutes
//! cargo bench -p nobat-benches --bench matchmaker -- cost      ns per operation
//! cargo bench -p nobat-benches --bench matchmaker -- storm     threads together, beside a backlog
//! cargo bench -p nobat-benches --bench matchmaker -- tail      latency with preempted threads
//! cargo bench -p nobat-benches --bench matchmaker -- tail --svg docs/matchmaker.svg
//! ```
//!
//! The naive peers pair anyone with anyone: no VIPs, wants, recent partners, cancel, or expiry.

mod redis;
mod svg;
mod tail;

use crossbeam::queue::SegQueue;
use hdrhistogram::Histogram;
use nobat_core::matchmaker::{
    Gender, Joined, LockFree, Matchmaker, Pairing, Pool, Rules, Seat, Size, Spec, Ticket, Wants,
};
use nobat_core::time::Nanos;
use parking_lot::Mutex;
use redis::Redis;
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};
use tail::tail;

const ANYONE: Ticket = Ticket::plain(Gender::Male, Pool(0));
const SUITOR: Ticket = Ticket::vip(Gender::Male, Wants::Women, Pool(0));
const WOMAN: Ticket = Ticket::vip(Gender::Female, Wants::Men, Pool(0));
/// After this, nobody met before counts as recent.
const LONG: Duration = Duration::from_secs(21 * 60);

fn size(users: usize) -> Size {
    Size { users: u32::try_from(users).expect("a small number"), pools: 1, blocks: 0 }
}

/// A matchmaker that threads share, and how one of them calls it.
trait Shared: Sync {
    type View<'a>: Matchmaker
    where
        Self: 'a;

    fn with<R>(&self, f: impl FnOnce(&mut Self::View<'_>) -> R) -> R;
    fn new(users: usize) -> Self;
}

impl Shared for LockFree {
    type View<'a> = &'a Self;

    fn with<R>(&self, f: impl FnOnce(&mut Self::View<'_>) -> R) -> R {
        f(&mut { self })
    }

    fn new(users: usize) -> Self {
        Self::new(Rules::default(), size(users))
    }
}

impl Shared for Mutex<Spec> {
    type View<'a> = Spec;

    fn with<R>(&self, f: impl FnOnce(&mut Spec) -> R) -> R {
        f(&mut self.lock())
    }

    fn new(users: usize) -> Self {
        Self::new(Spec::new(Rules::default(), size(users)))
    }
}

fn seats(m: &mut impl Matchmaker, users: usize) -> Vec<Seat> {
    (0..users).map(|_| m.seat(0).expect("as many seats as users")).collect()
}

/// The best of several runs: what the code costs, not what else the machine did.
fn best(runs: usize, mut run: impl FnMut() -> f64) -> f64 {
    (0..runs).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn nanos_each(start: Instant, count: usize) -> f64 {
    start.elapsed().as_nanos() as f64 / count as f64
}

/// Two join, meet, and part. Their rings are full, of people met `apart` ago for each place: nobody who
/// counts any more if that is long, sixteen who count if it is short. ns per join, the end included.
fn join_to_end(mut m: impl Matchmaker, apart: Duration) -> f64 {
    const HALF: usize = 512;
    let mut seats = seats(&mut m, 2 * HALF);
    let (ones, others) = seats.split_at_mut(HALF);
    let (mut now, mut shift) = (Nanos::from_secs(1), 0);
    let mut run = |rounds: usize| {
        let start = Instant::now();
        for _ in 0..rounds {
            (now, shift) = (now.after(apart), shift + 1);
            for (i, one) in ones.iter_mut().enumerate() {
                let other = &mut others[(i + shift) % HALF];
                assert!(matches!(m.join(one, &ANYONE, now), Ok(Joined::Waiting { .. })));
                let Ok(Joined::Paired(pairing)) = m.join(other, &ANYONE, now) else { panic!("one waits") };
                assert!(m.end(pairing.id(), now));
            }
        }
        nanos_each(start, rounds * 2 * HALF)
    };
    run(40);
    best(20, || run(20))
}

/// Someone joins and leaves while so many wait. ns for both.
fn join_and_cancel(mut m: impl Matchmaker, backlog: usize) -> f64 {
    let mut seats = seats(&mut m, backlog + 64);
    let now = Nanos::from_secs(1);
    let (waiting, rest) = seats.split_at_mut(backlog);
    for seat in waiting {
        assert!(matches!(m.join(seat, &SUITOR, now), Ok(Joined::Waiting { .. })));
    }
    let mut run = |rounds: usize| {
        let start = Instant::now();
        for _ in 0..rounds {
            for seat in &mut *rest {
                assert!(matches!(m.join(seat, &SUITOR, now), Ok(Joined::Waiting { .. })));
                black_box(m.leave(seat.slot(), now));
            }
        }
        nanos_each(start, rounds * 64)
    };
    run(100);
    best(10, || run(200))
}

/// Sixteen men wait, and of those at the head so many left her a moment ago. She joins, meets the first whom
/// she may (or waits and leaves, if there is none), they part, and he joins again. ns per call of join, with
/// what ends it.
fn past_recent_heads(mut m: impl Matchmaker, recent: usize) -> f64 {
    let mut seats = seats(&mut m, 17);
    let now = Nanos::from_secs(1);
    let (woman, men) = seats.split_last_mut().expect("seventeen");
    for (i, man) in men.iter_mut().enumerate() {
        if i < recent {
            // In his list, not in hers: hers would forget them as she meets others.
            m.remember(man, woman.slot(), now.after(LONG)).expect("idle");
        }
        assert!(matches!(m.join(man, &SUITOR, now), Ok(Joined::Waiting { .. })));
    }
    let mut run = |rounds: usize| {
        let (start, mut joins) = (Instant::now(), 0);
        for _ in 0..rounds {
            joins += 1;
            match m.join(woman, &WOMAN, now) {
                Ok(Joined::Paired(pairing)) => {
                    assert!(m.end(pairing.id(), now));
                    let man = &mut men[pairing.found.slot.index()];
                    assert!(matches!(m.join(man, &SUITOR, now), Ok(Joined::Waiting { .. })));
                    joins += 1;
                }
                _ => _ = black_box(m.leave(woman.slot(), now)),
            }
        }
        nanos_each(start, joins)
    };
    run(1_000);
    best(10, || run(5_000))
}

/// Threads that join their own users one after another; whoever is paired parts at once. ns per join, of
/// all threads together. Beside them so many wait whom none of them may meet.
fn storm<S: Shared>(threads: usize, backlog: usize) -> f64 {
    const EACH: usize = 1_024;
    const ROUNDS: usize = 3_000;
    best(3, || {
        let shared = S::new(EACH * threads + backlog);
        let _waiting = crowd(&shared, backlog);
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                let mut seats: Vec<Seat> =
                    (0..EACH).map(|_| shared.with(|m| m.seat(0).expect("a seat"))).collect();
                let shared = &shared;
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let now = Nanos::from_secs(1).after(LONG * round as u32);
                        for seat in &mut seats {
                            step(shared, seat, now);
                        }
                    }
                });
            }
        });
        nanos_each(start, EACH * ROUNDS * threads)
    })
}

/// So many who wait for women, among men.
fn crowd<S: Shared>(shared: &S, backlog: usize) -> Vec<Seat> {
    let file = |_| {
        shared.with(|m| {
            let mut seat = m.seat(0).expect("a seat");
            assert!(matches!(m.join(&mut seat, &SUITOR, Nanos::from_secs(1)), Ok(Joined::Waiting { .. })));
            seat
        })
    };
    (0..backlog).map(file).collect()
}

fn step<S: Shared>(shared: &S, seat: &mut Seat, now: Nanos) {
    let part = |pairing: Pairing| shared.with(|m| m.end(pairing.id(), now));
    match shared.with(|m| m.join(seat, &ANYONE, now)) {
        Ok(Joined::Paired(pairing)) => _ = part(pairing),
        Ok(_) => {}
        Err(_) => _ = shared.with(|m| m.leave(seat.slot(), now)),
    }
}

/// The naive peers: whoever comes takes who waits, or waits.
trait Naive: Sync {
    fn meet(&self, me: u32) -> Option<u32>;
}

impl Naive for Mutex<VecDeque<u32>> {
    fn meet(&self, me: u32) -> Option<u32> {
        let mut line = self.lock();
        let other = line.pop_front();
        if other.is_none() {
            line.push_back(me);
        }
        other
    }
}

impl Naive for SegQueue<u32> {
    fn meet(&self, me: u32) -> Option<u32> {
        let other = self.pop();
        if other.is_none() {
            self.push(me);
        }
        other
    }
}

fn naive_storm(naive: &impl Naive, threads: usize) -> f64 {
    const EACH: u32 = 20_000_000;
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

fn between_calls() {
    black_box((0..600u64).fold(0, |a, b| a ^ black_box(b)));
}

fn shared_tail<S: Shared>(label: &str, threads: usize, backlog: usize, seconds: u64) -> Histogram<u64> {
    // As many people however many threads, so that caches do not tell the one from the other.
    const PEOPLE: usize = 2_048;
    let shared = S::new(PEOPLE + backlog);
    let _waiting = crowd(&shared, backlog);
    tail(label, threads, seconds, |stop, latencies| {
        let mut seats: Vec<Seat> =
            (0..PEOPLE / threads).map(|_| shared.with(|m| m.seat(0).expect("a seat"))).collect();
        let mut now = Nanos::from_secs(1);
        while !stop.load(Ordering::Relaxed) {
            now = now.after(LONG);
            for seat in &mut seats {
                latencies.timed(|| step(&shared, seat, now));
                between_calls();
            }
        }
    })
}

fn naive_tail(label: &str, naive: &impl Naive, threads: usize, seconds: u64) -> Histogram<u64> {
    tail(label, threads, seconds, |stop, latencies| {
        while !stop.load(Ordering::Relaxed) {
            latencies.timed(|| black_box(naive.meet(1)));
            between_calls();
        }
    })
}

fn redis_tail(label: &str, redis: &Redis, threads: usize, seconds: u64) -> Histogram<u64> {
    tail(label, threads, seconds, |stop, latencies| {
        let mut client = redis.client();
        while !stop.load(Ordering::Relaxed) {
            latencies.timed(|| client.meet(1));
            between_calls();
        }
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

fn cost() {
    let free = |users| LockFree::new(Rules::default(), size(users));
    let spec = |users| Spec::new(Rules::default(), size(users));
    println!("\n{:<60} {:>10} {:>10}", "ns, one thread, uncontended", "spec", "lock-free");
    let row = |label: &str, spec: f64, free: f64| println!("{label:<60} {spec:>10.1} {free:>10.1}");
    for (label, apart) in [("nobody met of late", LONG), ("16 partners met of late", Duration::from_secs(1))]
    {
        row(
            &format!("join, with the end of the pair: {label}"),
            join_to_end(spec(1_024), apart),
            join_to_end(&free(1_024), apart),
        );
    }
    for backlog in [0, 20_000, 100_000] {
        let users = backlog + 64;
        row(
            &format!("join + cancel, {backlog} waiting"),
            join_and_cancel(spec(users), backlog),
            join_and_cancel(&free(users), backlog),
        );
    }
    // Whoever parts here may meet again at once; only those whom the test remembers are kept apart.
    let rules = Rules { recent_for: Duration::ZERO, ..Rules::default() };
    for recent in [0, 8, 16] {
        row(
            &format!("join, {} % of the 16 at the head met of late", recent * 100 / 16),
            past_recent_heads(Spec::new(rules, size(17)), recent),
            past_recent_heads(&LockFree::new(rules, size(17)), recent),
        );
    }
}

fn storms() {
    println!("\n{:<60} {:>10} {:>10}", "ns per join, all threads together", "1 thread", "2 threads");
    let row = |label: &str, one: f64, two: f64| println!("{label:<60} {one:>10.1} {two:>10.1}");
    for backlog in [0, 20_000, 100_000] {
        let (free, spec) = (storm::<LockFree>, storm::<Mutex<Spec>>);
        row(&format!("lock-free, {backlog} waiting"), free(1, backlog), free(2, backlog));
        row(&format!("parking_lot::Mutex<Spec>, {backlog} waiting"), spec(1, backlog), spec(2, backlog));
    }
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

fn tails(picture: Option<&str>) {
    println!(
        "\nns of a call, beside two hogs; behind the bar without those whose own thread lost its processor"
    );
    println!(
        "{:<29} {:>2} {:>5} {:>6} {:>7} {:>10} | {:>9} {:>10} {:>10} {:>6} {:>9}",
        "", "n", "p50", "p99", "p99.9", "p99.99", "p99.99", "p99.999", "max", "lost", "calls"
    );
    let redis = Redis::start();
    let mut drawn = Vec::new();
    for threads in [2, 16] {
        let mut curves = Vec::new();
        for backlog in [0, 100_000] {
            let waiting = if backlog == 0 { "" } else { ", 100,000 wait" };
            let mut curve = |label: String, histogram| curves.push((label, histogram));
            let label = format!("lock-free{waiting}");
            curve(label.clone(), shared_tail::<LockFree>(&label, threads, backlog, 8));
            let label = format!("Mutex<Spec>{waiting}");
            curve(label.clone(), shared_tail::<Mutex<Spec>>(&label, threads, backlog, 8));
        }
        let mut curve = |label: &str, histogram| curves.push((label.to_owned(), histogram));
        let label = "Mutex<VecDeque> (naive)";
        curve(label, naive_tail(label, &Mutex::new(VecDeque::new()), threads, 6));
        let label = "SegQueue (naive)";
        curve(label, naive_tail(label, &SegQueue::new(), threads, 6));
        match &redis {
            Some(redis) => _ = redis_tail("Redis, Lua", redis, threads, 6),
            None => println!("Redis, Lua: redis-server is not installed"),
        }
        if threads == 16 {
            drawn = curves;
        }
    }
    if let Some(path) = picture {
        let title = "A call of 16 threads beside two hogs, on two processors: waiting for others";
        std::fs::write(path, svg::draw(title, &drawn)).expect("the picture's folder exists");
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let known = ["cost", "storm", "tail"];
    let all = !arguments.iter().any(|argument| known.contains(&&**argument));
    let wants = |what: &str| all || arguments.iter().any(|argument| argument == what);
    let picture =
        arguments.iter().position(|argument| argument == "--svg").and_then(|i| arguments.get(i + 1));
    if wants("cost") {
        cost();
    }
    if wants("storm") {
        storms();
    }
    if wants("tail") {
        tails(picture.map(String::as_str));
    }
}
