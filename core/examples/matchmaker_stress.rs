//! Audited random operations on the lock-free matchmaker, from several threads, in numbers.
//!
//! ```text
//! cargo run --release -p nobat-core --example matchmaker_stress -- 100000000 4
//! ```
//!
//! Each thread acts for its own people (join, next, wake, block) and, as anyone may, against all (leave,
//! cancel, end). A third number is added to the seeds, so that runs add up. Checked on the way: a join or
//! rescan reports a pairing of its own, with a compatible partner, not blocked before, not met of late; a
//! pairing ends once; versions rise, also from one owner of a seat to the next. At pauses, with all threads at
//! rest: pairs are symmetric, nobody is in two, nobody who waits could have anyone who waits.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // A program, not the core.

use nobat_core::matchmaker::{
    Gender, Joined, Left, LockFree, Matchmaker, Pairing, Pool, Rules, Seat, Size, Slot, Standing, Ticket,
    Tier, Wants, Woken,
};
use nobat_core::time::Nanos;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const EACH: usize = 48;
/// Short, so that people who have all met may soon meet again.
const ROUND: u64 = 2_000;
const RULES: Rules = Rules {
    recent_for: Duration::from_millis(40),
    vip_head_start: Duration::from_millis(5),
    widen_after: Duration::from_millis(10),
};

/// xorshift64*: every thread its own, seeded by its number and the round.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }
}

/// A person, as his own thread knows him.
struct Person {
    seat: Seat,
    ticket: Ticket,
    version: u64,
    /// Tickets he has filed.
    tickets: u64,
    /// Partners whose pairing this thread saw end: when, and how many tickets he had filed.
    parted: HashMap<Slot, (Nanos, u64)>,
    /// Whom he has blocked, and how many tickets he had filed when the call returned.
    blocked: HashMap<Slot, u64>,
}

impl Person {
    fn new(seat: Seat) -> Self {
        let ticket = ticket_of(seat.slot(), 0);
        Self { seat, ticket, version: 0, tickets: 0, parted: HashMap::new(), blocked: HashMap::new() }
    }
}

/// What is counted, and what must be found at rest.
#[derive(Default)]
struct Tally {
    pairs: AtomicU64,
    ends: AtomicU64,
    /// Seats that went to another person.
    reseated: AtomicU64,
}

/// Tickets are a function of the user and the round, so that anyone can check a partner's.
fn ticket_of(slot: Slot, round: u64) -> Ticket {
    let mut dice = Dice((slot.index() as u64 + 1) * 0x9E37_79B9 + round * 0x85EB_CA6B + 1);
    dice.below(2);
    let gender = [Gender::Male, Gender::Female, Gender::Unstated][dice.below(3) as usize];
    let wants = [Wants::Anyone, Wants::Men, Wants::Women][dice.below(3) as usize];
    let tier = if dice.below(2) == 0 { Tier::Plain } else { Tier::Vip { wants, widens: dice.below(2) == 0 } };
    Ticket { gender, tier, pool: Pool(dice.below(2) as u8), patience: Duration::MAX }
}

fn accepts(mine: &Ticket, theirs: &Ticket, widened: bool) -> bool {
    match mine.tier {
        Tier::Vip { widens: true, .. } if widened => true,
        Tier::Vip { wants: Wants::Men, .. } => theirs.gender == Gender::Male,
        Tier::Vip { wants: Wants::Women, .. } => theirs.gender == Gender::Female,
        _ => true,
    }
}

fn may_meet(a: &Ticket, b: &Ticket, widened: bool) -> bool {
    a.pool == b.pool && accepts(a, b, widened) && accepts(b, a, widened)
}

fn met(person: &mut Person, pairing: Pairing, round: u64, now: Nanos, tally: &Tally) {
    let partner = pairing.partner_of(person.seat.slot()).expect("his own pairing");
    let me = pairing.partner_of(partner.slot).expect("he is in it");
    assert!(me.version > person.version, "versions rise with every pairing");
    person.version = me.version;
    assert!(may_meet(&person.ticket, &ticket_of(partner.slot, round), true), "incompatible");
    if let Some(&(parted, _)) = person.parted.get(&partner.slot).filter(|(_, t)| person.tickets - t <= 16) {
        // He has had at most fifteen others since, so his own ring still knows.
        assert!(parted.after(RULES.recent_for) <= now, "met again too early");
    }
    if let Some(tickets) = person.blocked.get(&partner.slot) {
        // A ticket that was not waiting any more may have been taken before: only a later one counts.
        assert!(person.tickets <= *tickets, "met after the block had returned");
    }
    if pairing.searcher.slot == person.seat.slot() {
        tally.pairs.fetch_add(1, Ordering::Relaxed);
    }
}

fn parted(person: &mut Person, pairing: Pairing, now: Nanos) {
    if let Some(partner) = pairing.partner_of(person.seat.slot()) {
        person.parted.insert(partner.slot, (now, person.tickets));
    }
}

/// One thread's share of a round: all operations at one instant, so that times cannot disagree.
fn wander(
    shared: &LockFree,
    people: &mut [Person],
    everyone: &[Slot],
    round: u64,
    now: Nanos,
    dice: &mut Dice,
    tally: &Tally,
) {
    let mut m = shared;
    for _ in 0..ROUND {
        let person = &mut people[dice.below(EACH as u64) as usize];
        let slot = person.seat.slot();
        match dice.below(16) {
            0..8 => match m.join(&mut person.seat, &person.ticket, now) {
                Ok(Joined::Paired(pairing)) => {
                    person.tickets += 1;
                    met(person, pairing, round, now, tally);
                }
                Ok(_) => person.tickets += 1,
                Err(_) => {}
            },
            8..10 => {
                let (ended, joined) = m.next(&mut person.seat, &person.ticket, now);
                if let Some(pairing) = ended {
                    tally.ends.fetch_add(1, Ordering::Relaxed);
                    parted(person, pairing, now);
                }
                person.tickets += u64::from(joined.is_ok());
                if let Ok(Joined::Paired(pairing)) = joined {
                    met(person, pairing, round, now, tally);
                }
            }
            10..12 => {
                if let Woken::Paired(pairing) = m.wake(&mut person.seat, now) {
                    let me = pairing.partner_of(slot).and_then(|other| pairing.partner_of(other.slot));
                    if me.expect("his own pairing").version > person.version {
                        met(person, pairing, round, now, tally);
                    }
                }
            }
            12..14 => {
                if let Left::Pair(pairing) = m.leave(slot, now) {
                    tally.ends.fetch_add(1, Ordering::Relaxed);
                    parted(person, pairing, now);
                    assert!(!m.end(pairing.id(), now), "a pairing ends once");
                }
            }
            14 => {
                // Someone of any thread: it is his searches, not his seat, that a leave meets.
                let anyone = everyone[dice.below(everyone.len() as u64) as usize];
                match dice.below(3) {
                    0 => _ = m.cancel(anyone),
                    1 => {
                        if let Standing::Paired(pairing) = m.standing(anyone) {
                            assert!(pairing.partner_of(anyone).is_some(), "someone else's pairing");
                            let ended = m.end(pairing.id(), now);
                            tally.ends.fetch_add(u64::from(ended), Ordering::Relaxed);
                        }
                    }
                    _ => {
                        let ended = matches!(m.leave(anyone, now), Left::Pair(_));
                        tally.ends.fetch_add(u64::from(ended), Ordering::Relaxed);
                    }
                }
            }
            _ if dice.below(64) == 0 => {
                let whom = everyone[dice.below(everyone.len() as u64) as usize];
                if person.blocked.remove(&whom).is_some() {
                    m.unblock(slot, whom);
                } else if person.blocked.len() < 4 && whom != slot && m.block(slot, whom).is_ok() {
                    // Who waits still when the call has returned is met by him no more, under this ticket.
                    let waits = m.standing(slot) == Standing::Waiting;
                    person.blocked.insert(whom, person.tickets - u64::from(waits));
                }
            }
            _ => _ = m.standing(slot),
        }
    }
}

/// With everyone at rest; returns how many pairs live.
fn audit(shared: &LockFree, people: &mut [Vec<Person>], now: Nanos) -> u64 {
    let mut m = shared;
    for person in people.iter_mut().flatten() {
        let before = m.standing(person.seat.slot());
        let woken = m.wake(&mut person.seat, now);
        assert!(before != Standing::Waiting || matches!(woken, Woken::Waiting { .. }), "missed: {woken:?}");
    }
    let mut sides = 0;
    for person in people.iter().flatten() {
        let slot = person.seat.slot();
        if let Standing::Paired(pairing) = m.standing(slot) {
            let partner = pairing.partner_of(slot).expect("his own pairing");
            assert_eq!(m.standing(partner.slot), Standing::Paired(pairing), "not symmetric");
            sides += 1;
        }
    }
    sides / 2
}

/// At rest, after everyone has left: all take their blocks back, some give their seats back, and others come
/// in their places.
fn reseat(shared: &LockFree, people: &mut [Vec<Person>], dice: &mut Dice, now: Nanos, tally: &Tally) {
    let mut m = shared;
    for person in people.iter_mut().flatten() {
        person.blocked.drain().for_each(|(whom, _)| m.unblock(person.seat.slot(), whom));
    }
    for people in people {
        for _ in 0..EACH / 4 {
            let mut person = people.swap_remove(dice.below(EACH as u64) as usize);
            match m.give_back(person.seat, now) {
                Err(kept) => person.seat = kept,
                Ok(()) => {
                    let next = Person::new(m.seat(0).expect("one was given back"));
                    person = Person { version: person.version, ..next };
                    tally.reseated.fetch_add(1, Ordering::Relaxed);
                }
            }
            people.push(person);
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let (operations, threads) = (arguments.next().unwrap_or(10_000_000), arguments.next().unwrap_or(4));
    let seed = arguments.next().unwrap_or(0);
    let users = threads as u32 * EACH as u32;
    let shared = LockFree::new(RULES, Size { users, pools: 2, blocks: users * users });
    let mut people: Vec<Vec<Person>> = (0..threads)
        .map(|_| (0..EACH).map(|_| Person::new((&shared).seat(0).expect("a seat for each"))).collect())
        .collect();
    let everyone: Vec<Slot> = people.iter().flatten().map(|person| person.seat.slot()).collect();
    let (tally, start) = (Tally::default(), Instant::now());
    let rounds = operations.div_ceil(ROUND * threads);
    let (mut now, mut live) = (Nanos::from_secs(1), 0);
    for round in 0..rounds {
        // Everyone leaves; new tickets, a little later.
        now = now.after(Duration::from_millis(15));
        for person in people.iter_mut().flatten() {
            if let Left::Pair(_) = (&shared).leave(person.seat.slot(), now) {
                tally.ends.fetch_add(1, Ordering::Relaxed);
            }
            person.ticket = ticket_of(person.seat.slot(), round);
        }
        if round % 50 == 0 {
            // Long enough that nobody counts as met of late.
            now = now.after(Duration::from_secs(2));
            let mut dice = Dice(((seed << 20) + round + 1) * 0x9E37_79B1 + 1);
            reseat(&shared, &mut people, &mut dice, now, &tally);
            people
                .iter_mut()
                .flatten()
                .for_each(|person| person.ticket = ticket_of(person.seat.slot(), round));
        }
        thread::scope(|scope| {
            for (i, people) in people.iter_mut().enumerate() {
                let (shared, tally, everyone) = (&shared, &tally, &everyone);
                let mut dice = Dice(((seed << 20) + round + 1) * 0xA076_1D64 + i as u64 * 0xE703_7ED1 + 1);
                scope.spawn(move || wander(shared, people, everyone, round, now, &mut dice, tally));
            }
        });
        live = audit(&shared, &mut people, now);
    }
    let (pairs, ends, reseated) =
        (tally.pairs.into_inner(), tally.ends.into_inner(), tally.reseated.into_inner());
    assert_eq!(pairs, ends + live, "every pair has one beginning and one end");
    println!(
        "{} operations, {threads} threads, seed {seed}, {rounds} audits: {pairs} pairs reported by their searchers, {ends} \
         ended, {live} alive, {reseated} seats to others, 0 violations, {:?}",
        rounds * ROUND * threads,
        start.elapsed()
    );
}
