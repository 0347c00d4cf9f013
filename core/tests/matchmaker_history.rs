//! Histories of several threads, replayed against the rules in an order that agrees with real time and with
//! every user's versions.
//!
//! Each call is stamped before and after by one counter. A pairing names the version of both its users, so
//! the life of each user is a chain: filed, paired or withdrawn, parted, filed. A history is right if
//! these chains and the order of calls that do not overlap have no circle, an oracle can play an order that
//! extends both, step by step, and nobody was passed by someone who came later.

use nobat_core::matchmaker::{
    Gender, Joined, Left, LockFree, Matchmaker, Member, Pairing, Pool, Rules, Seat, Size, Slot, Standing,
    Ticket, Wants,
};
use nobat_core::time::Nanos;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const THREADS: usize = 4;
const EACH: usize = 3;
const STEPS: usize = 40;
const NOW: Nanos = Nanos::from_secs(1);

/// Men who want women, and women who want men: two lines, and every order in them shows.
fn ticket(slot: Slot) -> Ticket {
    match slot.index() % 2 {
        0 => Ticket::vip(Gender::Male, Wants::Women, Pool(0)),
        _ => Ticket::vip(Gender::Female, Wants::Men, Pool(0)),
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// Filed, and paired by this call or told to wait.
    Joined(Option<Pairing>),
    Withdrawn,
    Parted(Pairing),
}

#[derive(Clone, Copy, Debug)]
struct Call {
    user: usize,
    called: u64,
    returned: u64,
    event: Event,
}

/// A linear congruential generator; its upper bits.
fn dice(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn wander(shared: &LockFree, seats: &mut [Seat], stamp: &AtomicU64, seed: u64) -> Vec<Call> {
    let (mut m, mut state, mut calls) = (shared, seed, Vec::new());
    for _ in 0..STEPS {
        let seat = &mut seats[dice(&mut state) as usize % EACH];
        let (slot, join) = (seat.slot(), !dice(&mut state).is_multiple_of(3));
        let called = stamp.fetch_add(1, Ordering::SeqCst);
        let event = if join {
            match m.join(seat, &ticket(slot), NOW) {
                Ok(Joined::Paired(pairing)) => Some(Event::Joined(Some(pairing))),
                // Withdrawn: found by another thread, which has ended the pair already.
                Ok(Joined::Waiting { .. } | Joined::Withdrawn) => Some(Event::Joined(None)),
                Err(_) => None,
            }
        } else {
            match m.leave(slot, NOW) {
                Left::Line => Some(Event::Withdrawn),
                Left::Pair(pairing) => Some(Event::Parted(pairing)),
                Left::Nothing => None,
            }
        };
        let returned = stamp.fetch_add(1, Ordering::SeqCst);
        calls.extend(event.map(|event| Call { user: slot.index(), called, returned, event }));
    }
    calls
}

/// A span of stamps in which something took effect.
type Span = (u64, u64);
const NEVER: Span = (u64::MAX, u64::MAX);

/// A ticket from its filing to its end, each with the span in which it took effect.
#[derive(Clone, Copy, Debug)]
struct Life {
    user: usize,
    filed: Span,
    /// Taken by this pairing; otherwise withdrawn, or waiting still.
    taken: Option<Pairing>,
    ended: Span,
    /// When that pairing was ended.
    parted: Span,
}

fn version_of(pairing: &Pairing, user: usize) -> Option<u64> {
    [pairing.searcher, pairing.found].iter().find(|m| m.slot.index() == user).map(|m| m.version)
}

/// Each user's tickets in order: filed and withdrawn by his own thread's calls; those not withdrawn were
/// taken by his pairings in the order of his versions.
fn lives(calls: &[Call], pairs: &[(Pairing, Span)]) -> Vec<Life> {
    let mut lives: Vec<Life> = Vec::new();
    for user in 0..THREADS * EACH {
        let (mut of_user, first) = (calls.to_vec(), lives.len());
        of_user.retain(|call| call.user == user);
        of_user.sort_by_key(|call| call.called);
        for call in of_user {
            let filed = (call.called, call.returned);
            match call.event {
                Event::Joined(_) => {
                    lives.push(Life { user, filed, taken: None, ended: NEVER, parted: NEVER });
                }
                Event::Withdrawn => lives.last_mut().expect("he had joined").ended = filed,
                Event::Parted(_) => {}
            }
        }
        let mut of_user: Vec<_> = pairs.iter().filter(|(p, _)| version_of(p, user).is_some()).collect();
        of_user.sort_by_key(|(pairing, _)| version_of(pairing, user));
        let mut left = lives[first..].iter_mut().filter(|life| life.ended == NEVER);
        for (pairing, span) in of_user {
            let life = left.next().expect("a pairing takes a ticket of each");
            (life.taken, life.ended) = (Some(*pairing), *span);
            let parted = calls.iter().find(|call| matches!(call.event, Event::Parted(p) if p == *pairing));
            life.parted = parted.map_or(NEVER, |call| (call.called, call.returned));
        }
        assert!(left.count() <= 1, "a ticket of user {user} was neither taken nor withdrawn");
    }
    lives
}

/// Runs one history and checks it.
fn history(seed: u64) {
    let rules = Rules { recent_for: Duration::ZERO, ..Rules::default() };
    let shared = LockFree::new(rules, Size { users: (THREADS * EACH) as u32, pools: 1, blocks: 0 });
    let mut seats: Vec<Seat> = (0..THREADS * EACH).map(|_| (&shared).seat(0).expect("a seat")).collect();
    let (stamp, barrier) = (AtomicU64::new(0), Barrier::new(THREADS));
    let calls: Vec<Call> = thread::scope(|scope| {
        let threads: Vec<_> = seats
            .chunks_mut(EACH)
            .enumerate()
            .map(|(i, seats)| {
                let (shared, stamp, barrier) = (&shared, &stamp, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    wander(shared, seats, stamp, seed.wrapping_mul(THREADS as u64) + i as u64)
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });

    // Every pairing is reported by its searcher's join, once; it took effect within that call.
    let mut pairs: Vec<(Pairing, Span)> = calls
        .iter()
        .filter_map(|call| match call.event {
            Event::Joined(Some(p)) if p.searcher.slot.index() == call.user => {
                Some((p, (call.called, call.returned)))
            }
            _ => None,
        })
        .collect();
    pairs.sort_by_key(|(_, interval)| interval.0);
    for call in &calls {
        if let Event::Joined(Some(p)) | Event::Parted(p) = call.event {
            assert!(pairs.iter().any(|(pair, _)| *pair == p), "a pairing that nobody made: {p:?}");
        }
    }
    let lives = lives(&calls, &pairs);
    oracle(&lives, &pairs, &an_order(&lives, &pairs));
    nobody_is_passed(&lives, &pairs);
    let waiting = |parity| seats.iter().filter(move |seat| seat.slot().index() % 2 == parity);
    let waits = |seat: &&Seat| (&shared).standing(seat.slot()) == Standing::Waiting;
    assert!(
        waiting(0).filter(waits).count() == 0 || waiting(1).filter(waits).count() == 0,
        "a man and a woman both wait"
    );
}

/// A moment for each event, within its call and behind what the chains of its users put before it: in
/// thousandths of a stamp, two for each life, then two for each pair.
fn an_order(lives: &[Life], pairs: &[(Pairing, Span)]) -> Vec<u64> {
    // Filed: 2 * life. Withdrawn: 2 * life + 1. Of pair p, made: 2 * (lives + p); ended: the next.
    let event = |pairing: &Pairing| {
        2 * (lives.len() + pairs.iter().position(|(p, _)| p == pairing).expect("a reported pairing"))
    };
    let mut spans = vec![NEVER; 2 * (lives.len() + pairs.len())];
    let mut chains = Vec::new();
    for user in 0..THREADS * EACH {
        let mut last = None;
        for (i, life) in lives.iter().enumerate().filter(|(_, life)| life.user == user) {
            let mut chain = vec![(2 * i, life.filed)];
            match life.taken {
                Some(pairing) => {
                    chain.push((event(&pairing), life.ended));
                    chain.push((event(&pairing) + 1, life.parted));
                }
                None => chain.push((2 * i + 1, life.ended)),
            }
            for (event, span) in chain {
                spans[event] = span;
                chains.extend(last.map(|last| (last, event)));
                last = Some(event);
            }
        }
    }
    // Each edge costs one thousandth of a stamp, so that a circle climbs out of its spans.
    let mut at: Vec<u64> = spans.iter().map(|span| span.0.saturating_mul(1_000)).collect();
    loop {
        let mut moved = false;
        for &(before, after) in &chains {
            let earliest = at[before].saturating_add(1);
            moved |= at[after] < earliest;
            at[after] = at[after].max(earliest);
            assert!(at[after] <= spans[after].1.saturating_mul(1_000), "no order: {lives:#?}");
        }
        if !moved {
            return at;
        }
    }
}

/// What can happen, in one order of all.
#[derive(Clone, Copy, Debug)]
enum Step {
    Filed(usize),
    Withdrawn(usize),
    Made(usize),
    Parted(usize),
}

/// Plays the order in a sequential oracle: each step must be possible where it stands, and in the end nobody
/// who could meet waits.
fn oracle(lives: &[Life], pairs: &[(Pairing, Span)], at: &[u64]) {
    let mut steps = Vec::new();
    for (i, life) in lives.iter().enumerate() {
        steps.push((at[2 * i], Step::Filed(i)));
        if life.taken.is_none() && life.ended != NEVER {
            steps.push((at[2 * i + 1], Step::Withdrawn(i)));
        }
    }
    for (i, (pairing, _)) in pairs.iter().enumerate() {
        let parted = lives.iter().any(|life| life.taken == Some(*pairing) && life.parted != NEVER);
        let event = 2 * (lives.len() + i);
        steps.push((at[event], Step::Made(i)));
        steps.extend(parted.then_some((at[event + 1], Step::Parted(i))));
    }
    steps.sort_by_key(|(at, _)| *at);
    let mut standing = [Standing::Idle; THREADS * EACH];
    let mut change = |user: usize, from: Standing, to: Standing, step: Step| {
        assert_eq!(standing[user], from, "{step:?} is not possible where it stands");
        standing[user] = to;
    };
    for (_, step) in steps {
        match step {
            Step::Filed(i) => change(lives[i].user, Standing::Idle, Standing::Waiting, step),
            Step::Withdrawn(i) => change(lives[i].user, Standing::Waiting, Standing::Idle, step),
            Step::Made(i) | Step::Parted(i) => {
                let (pairing, _) = pairs[i];
                let users = [pairing.searcher, pairing.found].map(|member| member.slot.index());
                assert_ne!(users[0] % 2, users[1] % 2, "they do not want each other");
                for user in users {
                    match step {
                        Step::Made(_) => change(user, Standing::Waiting, Standing::Paired(pairing), step),
                        _ => change(user, Standing::Paired(pairing), Standing::Idle, step),
                    }
                }
            }
        }
    }
    let waits =
        |parity| (0..standing.len()).any(|user| user % 2 == parity && standing[user] == Standing::Waiting);
    assert!(!(waits(0) && waits(1)), "a man and a woman both wait at the end");
}

/// C takes B although A stands before him: only if A's join had not returned when B's was called, or A
/// was taken or withdrew before C's call was over.
fn nobody_is_passed(lives: &[Life], pairs: &[(Pairing, Span)]) {
    for (pairing, call) in pairs {
        let found = |life: &&Life| life.taken == Some(*pairing) && life.user == pairing.found.slot.index();
        let b = lives.iter().find(found).expect("he was found");
        let passed = lives.iter().find(|a| {
            a.user != b.user && a.user % 2 == b.user % 2 && a.filed.1 < b.filed.0 && a.ended.0 > call.1
        });
        assert!(passed.is_none(), "{passed:?} was passed for {b:?} by {pairing:?} in {call:?}");
    }
}

#[test]
fn histories_of_four_threads_agree_with_the_rules() {
    for seed in 0..if cfg!(miri) { 2 } else { 400 } {
        history(seed);
    }
}

/// The checker is a program too: it must refuse a history in which one user is in two pairs.
#[test]
#[should_panic(expected = "is not possible where it stands")]
fn a_history_with_someone_in_two_pairs_is_refused() {
    let shared = LockFree::new(Rules::default(), Size { users: 4, pools: 1, blocks: 0 });
    let slots: Vec<Slot> = (0..4).map(|_| (&shared).seat(0).expect("a seat").slot()).collect();
    let member = |user: usize| Member { slot: slots[user], version: 1 };
    let pair = |a, b| (Pairing { searcher: member(a), found: member(b) }, (0, 100));
    let pairs = [pair(0, 1), pair(0, 3)];
    let life = |user, pair: usize| {
        let taken = Some(pairs[pair].0);
        Life { user, filed: (0, 9), taken, ended: (0, 100), parted: NEVER }
    };
    let lives = [life(0, 0), life(1, 0), life(3, 1)];
    // Everyone files, then the one pair, then the other.
    oracle(&lives, &pairs, &[0, 0, 0, 0, 0, 0, 5, 0, 6, 0]);
}
