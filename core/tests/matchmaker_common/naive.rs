//! The specification's naive twin: a list of people, and the rules written as one predicate.

use super::common::{Op, RULES, Seen, USERS};
use nobat_core::matchmaker::{Gender, Ticket, Tier, Wants};
use std::time::Duration;

/// Until when those who parted stay apart is kept in steps of 2^30 ns.
const STEP: i128 = 1 << 30;

#[derive(Clone, Copy)]
struct Waiter {
    user: usize,
    ticket: Ticket,
    joined: i128,
}

/// Times in nanoseconds; the line is in order of joining.
#[derive(Default)]
pub(crate) struct Naive {
    pub(crate) now: i128,
    line: Vec<Waiter>,
    pub(crate) pairs: Vec<(usize, usize)>,
    parted: Vec<(usize, usize, i128)>,
    blocks: Vec<(usize, usize)>,
}

fn nanos(by: Duration) -> i128 {
    i128::try_from(by.as_nanos()).expect("durations fit")
}

impl Waiter {
    fn wants(&self, gender: Gender, now: i128) -> bool {
        match self.ticket.tier {
            Tier::Plain | Tier::Vip { wants: Wants::Anyone, .. } => true,
            Tier::Vip { widens: true, .. } if now >= self.joined + nanos(RULES.widen_after) => true,
            Tier::Vip { wants: Wants::Men, .. } => gender == Gender::Male,
            Tier::Vip { wants: Wants::Women, .. } => gender == Gender::Female,
        }
    }

    fn rank(&self) -> (i128, bool) {
        match self.ticket.tier {
            Tier::Plain => (self.joined, true),
            Tier::Vip { .. } => (self.joined - nanos(RULES.vip_head_start), false),
        }
    }

    fn expired(&self, now: i128) -> bool {
        self.joined + nanos(self.ticket.patience) <= now
    }
}

impl Naive {
    fn compatible(&self, a: &Waiter, b: &Waiter) -> bool {
        let both =
            |list: &[(usize, usize)]| list.contains(&(a.user, b.user)) || list.contains(&(b.user, a.user));
        let recent = |&(x, y, until): &(usize, usize, i128)| {
            (x, y) == (a.user.min(b.user), a.user.max(b.user)) && until > self.now
        };
        a.user != b.user
            && a.ticket.pool == b.ticket.pool
            && a.wants(b.ticket.gender, self.now)
            && b.wants(a.ticket.gender, self.now)
            && !a.expired(self.now)
            && !b.expired(self.now)
            && !both(&self.blocks)
            && !self.parted.iter().any(recent)
    }

    /// Every pair of people who wait although they might have each other.
    pub(crate) fn missed(&self) -> Vec<(usize, usize)> {
        let pairs = self.line.iter().flat_map(|a| self.line.iter().map(move |b| (a, b)));
        pairs.filter(|(a, b)| self.compatible(a, b)).map(|(a, b)| (a.user, b.user)).collect()
    }

    fn idle(&self, user: usize) -> bool {
        !self.line.iter().any(|w| w.user == user) && !self.pairs.iter().any(|&(a, b)| a == user || b == user)
    }

    /// What the search of someone in line must see.
    fn search(&mut self, user: usize) -> Vec<Seen> {
        let me = *self.line.iter().find(|w| w.user == user).expect("he is in line");
        let best = self.line.iter().filter(|w| self.compatible(&me, w)).min_by_key(|w| w.rank()).copied();
        let Some(found) = best else { return vec![Seen::Waiting] };
        self.line.retain(|w| w.user != user && w.user != found.user);
        self.pairs.push((user, found.user));
        vec![Seen::Paired { searcher: user, found: found.user }]
    }

    fn end(&mut self, user: usize) -> Option<Seen> {
        let at = self.pairs.iter().position(|&(a, b)| a == user || b == user)?;
        let (a, b) = self.pairs.remove(at);
        let until = self.now + nanos(RULES.recent_for);
        self.parted.push((a.min(b), a.max(b), (until + STEP - 1) / STEP * STEP));
        Some(Seen::Ended(a, b))
    }

    fn join(&mut self, user: usize, ticket: Ticket) -> Vec<Seen> {
        let waiter = Waiter { user, ticket, joined: self.now };
        if !self.idle(user) || waiter.expired(self.now) {
            return vec![Seen::Nothing];
        }
        self.line.push(waiter);
        self.search(user)
    }

    fn wake(&mut self, user: usize) -> Vec<Seen> {
        if let Some(&(searcher, found)) = self.pairs.iter().find(|&&(a, b)| a == user || b == user) {
            return vec![Seen::Paired { searcher, found }];
        }
        match self.line.iter().position(|w| w.user == user) {
            None => vec![Seen::Nothing],
            Some(at) if self.line[at].expired(self.now) => {
                self.line.remove(at);
                vec![Seen::Expired]
            }
            Some(_) => self.search(user),
        }
    }

    /// What `op` must be seen to do. Time passes elsewhere: see [`Naive::rang`].
    pub(crate) fn run(&mut self, op: Op) -> Vec<Seen> {
        match op {
            Op::Join(u, t) => self.join(u, t),
            Op::Next(u, t) => {
                if self.waiting()[u] {
                    return vec![Seen::Nothing];
                }
                let ended = self.end(u);
                ended.into_iter().chain(self.join(u, t)).collect()
            }
            Op::Wake(u) => self.wake(u),
            Op::Leave(u) => match self.line.iter().position(|w| w.user == u) {
                Some(at) => {
                    self.line.remove(at);
                    vec![Seen::LeftLine]
                }
                None => vec![self.end(u).unwrap_or(Seen::Nothing)],
            },
            Op::Block(u, v) => {
                self.blocks.push((u, v));
                vec![Seen::Nothing]
            }
            Op::Unblock(u, v) => {
                self.blocks.retain(|&block| block != (u, v));
                [u, v].into_iter().flat_map(|who| self.wake(who)).collect()
            }
            Op::Reseat(_) => vec![Seen::Nothing],
            Op::Pass(_) => unreachable!("the driver rings alarms one by one"),
        }
    }

    /// An alarm of `user` rang at `now`.
    pub(crate) fn rang(&mut self, user: usize, now: i128) -> Vec<Seen> {
        self.now = now;
        self.wake(user)
    }

    pub(crate) fn waiting(&self) -> [bool; USERS] {
        core::array::from_fn(|user| self.line.iter().any(|w| w.user == user))
    }
}
