//! What the tests of the matchmakers share: random operations, and the naive twin of the specification.

use nobat_core::matchmaker::{
    Gender, Joined, Left, Matchmaker, Pool, Rules, Seat, Size, Slot, Standing, Ticket, Tier, Wants, Woken,
};
use nobat_core::time::Nanos;
use proptest::prelude::*;
use std::time::Duration;

pub(crate) const USERS: usize = 8;
pub(crate) const SIZE: Size = Size { users: USERS as u32, pools: 2, blocks: 64 };
/// Short times, so that everything timed happens within a test.
pub(crate) const RULES: Rules = Rules {
    recent_for: Duration::from_secs(20),
    vip_head_start: Duration::from_secs(5),
    widen_after: Duration::from_secs(7),
};

/// One step of a test; users are named by their place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Join(usize, Ticket),
    Next(usize, Ticket),
    Wake(usize),
    Leave(usize),
    Block(usize, usize),
    Unblock(usize, usize),
    Pass(Duration),
    /// Gives the seat back and takes one.
    Reseat(usize),
}

fn ticket() -> impl Strategy<Value = Ticket> {
    let gender = prop_oneof![Just(Gender::Male), Just(Gender::Female), Just(Gender::Unstated)];
    let wants = prop_oneof![Just(Wants::Anyone), Just(Wants::Men), Just(Wants::Women)];
    let vip = (wants, any::<bool>()).prop_map(|(wants, widens)| Tier::Vip { wants, widens });
    let tier = prop_oneof![Just(Tier::Plain), vip];
    let patience = prop_oneof![3 => Just(Duration::MAX), 1 => (0u64..15).prop_map(Duration::from_secs)];
    (gender, tier, 0u8..2, patience).prop_map(|(gender, tier, pool, patience)| Ticket {
        gender,
        tier,
        pool: Pool(pool),
        patience,
    })
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let user = 0..USERS;
    prop_oneof![
        8 => (user.clone(), ticket()).prop_map(|(u, t)| Op::Join(u, t)),
        2 => (user.clone(), ticket()).prop_map(|(u, t)| Op::Next(u, t)),
        4 => user.clone().prop_map(Op::Wake),
        4 => user.clone().prop_map(Op::Leave),
        1 => (user.clone(), 0..USERS).prop_map(|(u, v)| Op::Block(u, v)),
        1 => (user, 0..USERS).prop_map(|(u, v)| Op::Unblock(u, v)),
        1 => (0..USERS).prop_map(Op::Reseat),
        4 => (1u64..9_000).prop_map(|ms| Op::Pass(Duration::from_millis(ms))),
    ]
}

/// What an operation was seen to do, without versions and wake times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    Paired { searcher: usize, found: usize },
    Waiting,
    LeftLine,
    Ended(usize, usize),
    Expired,
    Nothing,
}

fn seen_pair(p: nobat_core::matchmaker::Pairing) -> Seen {
    Seen::Paired { searcher: p.searcher.slot.index(), found: p.found.slot.index() }
}

/// A matchmaker with everyone's seats and a clock; alarms ring as time passes.
pub(crate) struct Driven<M> {
    pub(crate) matchmaker: M,
    pub(crate) seats: Vec<Seat>,
    pub(crate) now: Nanos,
    wakes: Vec<Nanos>,
    /// Whose alarms rang in the last operation, and when.
    pub(crate) rang: Vec<(usize, Nanos)>,
    /// How many seats were given back.
    pub(crate) given_back: usize,
}

impl<M: Matchmaker> Driven<M> {
    pub(crate) fn new(mut matchmaker: M) -> Self {
        let seats = (0..USERS).map(|_| matchmaker.seat(0).expect("a seat for each")).collect();
        Self {
            matchmaker,
            seats,
            now: Nanos::from_secs(1),
            wakes: vec![Nanos::NEVER; USERS],
            rang: Vec::new(),
            given_back: 0,
        }
    }

    pub(crate) fn slot(&self, user: usize) -> Slot {
        self.seats[user].slot()
    }

    fn joined(&mut self, user: usize, joined: Joined) -> Seen {
        self.wakes[user] = Nanos::NEVER;
        match joined {
            Joined::Paired(pairing) => seen_pair(pairing),
            Joined::Waiting { wake } => {
                assert!(wake > self.now, "an alarm that has come already is a busy loop");
                self.wakes[user] = wake;
                Seen::Waiting
            }
            Joined::Withdrawn => Seen::Nothing,
        }
    }

    fn woken(&mut self, user: usize) -> Seen {
        match self.matchmaker.wake(&mut self.seats[user], self.now) {
            Woken::Paired(pairing) => self.joined(user, Joined::Paired(pairing)),
            Woken::Waiting { wake } => self.joined(user, Joined::Waiting { wake }),
            Woken::Expired => Seen::Expired,
            Woken::Idle => Seen::Nothing,
        }
    }

    /// Runs one operation; returns everything that was seen, alarms included.
    pub(crate) fn run(&mut self, op: Op) -> Vec<Seen> {
        self.now = Nanos(self.now.0 + 1); // No two operations at one instant: nothing ties.
        let now = self.now;
        self.rang.clear();
        vec![match op {
            Op::Join(u, t) => match self.matchmaker.join(&mut self.seats[u], &t, now) {
                Ok(joined) => self.joined(u, joined),
                Err(_) => Seen::Nothing,
            },
            Op::Next(u, t) => {
                let (ended, joined) = self.matchmaker.next(&mut self.seats[u], &t, now);
                let ended = ended.map(|p| Seen::Ended(p.searcher.slot.index(), p.found.slot.index()));
                let joined = joined.map(|j| self.joined(u, j)).unwrap_or(Seen::Nothing);
                return ended.into_iter().chain([joined]).collect();
            }
            Op::Wake(u) => self.woken(u),
            Op::Leave(u) => match self.matchmaker.leave(self.slot(u), now) {
                Left::Line => Seen::LeftLine,
                Left::Pair(p) => Seen::Ended(p.searcher.slot.index(), p.found.slot.index()),
                Left::Nothing => Seen::Nothing,
            },
            Op::Block(u, v) => {
                let _full = self.matchmaker.block(self.slot(u), self.slot(v));
                Seen::Nothing
            }
            Op::Unblock(u, v) => {
                self.matchmaker.unblock(self.slot(u), self.slot(v));
                return [u, v].map(|who| self.woken(who)).to_vec();
            }
            Op::Reseat(u) => {
                // The one given back last comes out first, so his place and his slot stay the same.
                let seat = self.seats.remove(u);
                let seat = self.matchmaker.give_back(seat, now).err().unwrap_or_else(|| {
                    self.given_back += 1;
                    self.matchmaker.seat(0).expect("it was given back")
                });
                self.seats.insert(u, seat);
                Seen::Nothing
            }
            Op::Pass(by) => return self.pass(by),
        }]
    }

    /// Lets time pass, ringing each alarm at its moment.
    fn pass(&mut self, by: Duration) -> Vec<Seen> {
        let end = self.now.after(by);
        let mut seen = Vec::new();
        while let Some(user) = (0..USERS).filter(|&u| self.wakes[u] <= end).min_by_key(|&u| self.wakes[u]) {
            self.now = self.wakes[user];
            self.wakes[user] = Nanos::NEVER;
            self.rang.push((user, self.now));
            seen.push(self.woken(user));
        }
        self.now = end;
        seen
    }

    pub(crate) fn standing(&mut self, user: usize) -> Standing {
        let slot = self.slot(user);
        self.matchmaker.standing(slot)
    }
}
