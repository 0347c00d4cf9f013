//! What a join costs, and what it costs when threads are preempted: the lock-free matchmaker beside the
//! specification under a mutex and beside what is usually written, in one run.
//!
//! ```text
//! cargo bench -p nobat-benches --bench matchmaker              everything, about six minutes
//! cargo bench -p nobat-benches --bench matchmaker -- cost      ns per operation
//! cargo bench -p nobat-benches --bench matchmaker -- storm     threads together, beside a backlog
//! cargo bench -p nobat-benches --bench matchmaker -- tail      latency with preempted threads
//! cargo bench -p nobat-benches --bench matchmaker -- tail --svg docs/matchmaker.svg
//! ```
//!
//! The naive peers pair anyone with anyone: no VIPs, wants, recent partners, cancel, or expiry.

mod paired;
mod redis;
mod storm;
mod svg;
mod tail;

use crossbeam::queue::SegQueue;
use nobat_core::matchmaker::{
    Gender, Joined, LockFree, Matchmaker, Pairing, Pool, Rules, Seat, Size, Spec, Ticket, Wants,
};
use nobat_core::time::Nanos;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::hint::black_box;
use std::time::{Duration, Instant};

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
        storm::storms();
    }
    if wants("tail") {
        tail::tails(picture.map(String::as_str));
    }
}
