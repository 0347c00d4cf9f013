//! The specification: what a matchmaker does, one call at a time.
//!
//! What lives here: [`Spec`], whole. It is the executable meaning of [`Matchmaker`], the oracle of every
//! test of the lock-free one, and a good matchmaker for a single thread. It must stay readable in one
//! sitting; an idea that needs explaining twice does not belong here.
//!
//! Each class of each pool is a doubly linked line through the users themselves, so that joining at its
//! end, leaving from its middle and skipping in place are all O(1) and nothing is allocated.

use super::api::{
    Full, Joined, Left, Matchmaker, Member, Pairing, PairingId, Refused, Standing, VERSION_MAX, Woken,
};
use super::class::{CLASSES, Class, Look};
use super::instant::Instant;
use super::recent::{self, RECENT};
use super::ticket::{Filed, Pool, Rules, Seat, Size, Slot, Ticket};
use crate::time::Nanos;
use core::time::Duration;
use foldhash::fast::FixedState;
use hashbrown::HashSet;

/// No user: the end of a line.
const NONE: u32 = u32::MAX;

/// One line of one pool.
#[derive(Clone, Copy, Debug)]
struct Line {
    first: u32,
    last: u32,
}

/// A user and, while he waits, his place in a line.
#[derive(Debug)]
struct User {
    state: Standing,
    version: u64,
    line: usize,
    ahead: u32,
    behind: u32,
    rank: Instant,
    widens: Instant,
    expires: Instant,
    /// How many blocks name him, his own and others'.
    wary: usize,
    /// How many partners he had; the ring's next place is this modulo its length.
    met: usize,
    recent: [u64; RECENT],
}

impl User {
    /// Until when his last partner counts: the last one to part is the last to be forgotten.
    const fn newest(&self) -> Nanos {
        recent::until(self.recent[self.met.wrapping_sub(1) % RECENT])
    }
}

/// The sequential matchmaker.
#[derive(Debug)]
pub struct Spec {
    rules: Rules,
    size: Size,
    users: Vec<User>,
    /// Seats given back, the last one last.
    free: Vec<Slot>,
    lines: Vec<Line>,
    /// Per pool, the lines that are not empty.
    used: Vec<u32>,
    blocked: HashSet<(Slot, Slot), FixedState>,
}

/// What a search found.
enum Found {
    Partner(Slot),
    Nobody { wake: Instant },
}

impl Spec {
    /// An empty matchmaker.
    #[must_use]
    pub fn new(rules: Rules, size: Size) -> Self {
        let pools = usize::from(size.pools);
        Self {
            rules,
            size,
            users: Vec::new(),
            free: Vec::new(),
            lines: vec![Line { first: NONE, last: NONE }; pools * CLASSES],
            used: vec![0; pools],
            blocked: HashSet::with_hasher(FixedState::with_seed(0)),
        }
    }

    fn enter_line(&mut self, slot: Slot, filed: &Filed) {
        let pool = usize::from(filed.ticket.pool.0);
        let class = Class::of(&filed.ticket);
        let line = pool * CLASSES + class.index();
        let last = core::mem::replace(&mut self.lines[line].last, slot.0);
        match last {
            NONE => self.lines[line].first = slot.0,
            last => self.users[last as usize].behind = slot.0,
        }
        self.used[pool] |= 1 << class.0;
        let user = &mut self.users[slot.index()];
        (user.state, user.line, user.ahead, user.behind) = (Standing::Waiting, line, last, NONE);
        (user.rank, user.widens, user.expires) = (filed.rank, filed.widens, filed.expires);
    }

    fn leave_line(&mut self, slot: Slot) {
        let User { line, ahead, behind, .. } = self.users[slot.index()];
        match ahead {
            NONE => self.lines[line].first = behind,
            ahead => self.users[ahead as usize].behind = behind,
        }
        match behind {
            NONE => self.lines[line].last = ahead,
            behind => self.users[behind as usize].ahead = ahead,
        }
        if self.lines[line].first == NONE {
            self.used[line / CLASSES] &= !(1 << (line % CLASSES));
        }
        self.users[slot.index()].state = Standing::Idle;
    }

    /// Until when these two may not meet for having met; zero if they may.
    fn recent_until(&self, a: Slot, b: Slot, now: Nanos) -> Nanos {
        let of = |user: Slot, partner: Slot| {
            let user = &self.users[user.index()];
            if user.newest() <= now {
                return Nanos::ZERO;
            }
            user.recent.iter().map(|&word| recent::forbids(word, partner)).max().unwrap_or(Nanos::ZERO)
        };
        of(a, b).max(of(b, a))
    }

    fn blocked(&self, a: Slot, b: Slot) -> bool {
        !self.blocked.is_empty() && (self.blocked.contains(&(a, b)) || self.blocked.contains(&(b, a)))
    }

    /// The compatible ticket of the smallest rank; otherwise the first moment that may bring one.
    fn search(&self, slot: Slot, ticket: &Ticket, now: Nanos) -> Found {
        let me = &self.users[slot.index()];
        let at = Instant::at(now);
        let mut wake = if me.widens > at { me.expires.min(me.widens) } else { me.expires };
        let mut best: Option<(Instant, u32)> = None;
        let Pool(pool) = ticket.pool;
        let look = Look::of(ticket, me.widens <= at);
        for (class, only_widened) in look.classes(self.used[usize::from(pool)]) {
            let mut next = self.lines[usize::from(pool) * CLASSES + class.index()].first;
            while next != NONE {
                let other = Slot(next);
                let them = &self.users[other.index()];
                if only_widened && them.widens > at || best.is_some_and(|(rank, _)| rank <= them.rank) {
                    break; // Those behind him have joined later still.
                }
                let recent = self.recent_until(slot, other, now);
                if recent > now {
                    wake = wake.min(Instant::at(recent));
                } else if other != slot && them.expires > at && !self.blocked(slot, other) {
                    best = Some((them.rank, next));
                    break;
                }
                next = them.behind;
            }
        }
        best.map_or(Found::Nobody { wake }, |(_, other)| Found::Partner(Slot(other)))
    }

    fn pair(&mut self, searcher: Slot, found: Slot) -> Pairing {
        let member = |slot: Slot| Member { slot, version: self.users[slot.index()].version };
        let pairing = Pairing { searcher: member(searcher), found: member(found) };
        for slot in [searcher, found] {
            self.users[slot.index()].state = Standing::Paired(pairing);
        }
        pairing
    }

    /// Searches for someone who stands in line.
    fn serve(&mut self, slot: Slot, ticket: &Ticket, now: Nanos) -> Joined {
        match self.search(slot, ticket, now) {
            Found::Nobody { wake } => Joined::Waiting { wake: wake.nanos() },
            Found::Partner(other) => {
                self.leave_line(slot);
                self.leave_line(other);
                Joined::Paired(self.pair(slot, other))
            }
        }
    }

    /// Refuses those who wait or are paired; otherwise begins his next version.
    fn begin(&mut self, slot: Slot) -> Result<(), Refused> {
        let user = self.users.get_mut(slot.index()).ok_or(Refused::NoSuchSeat)?;
        match user.state {
            Standing::Waiting => return Err(Refused::AlreadyWaiting),
            Standing::Paired(_) => return Err(Refused::AlreadyPaired),
            Standing::Idle => user.version += 1,
        }
        Ok(())
    }

    /// Counts a block that names them, or one less.
    fn wary(&mut self, both: [Slot; 2], by: isize) {
        for slot in both {
            if let Some(user) = self.users.get_mut(slot.index()) {
                user.wary = user.wary.saturating_add_signed(by);
            }
        }
    }

    fn meet(&mut self, slot: Slot, entry: u64) {
        let user = &mut self.users[slot.index()];
        user.recent[user.met % RECENT] = entry;
        user.met += 1;
    }
}

impl Matchmaker for Spec {
    fn seat(&mut self, version: u64) -> Result<Seat, Full> {
        if version >= VERSION_MAX {
            return Err(Full("seats"));
        }
        if let Some(slot) = self.free.pop() {
            let user = &mut self.users[slot.index()];
            user.version = user.version.max(version);
            return Ok(Seat::new(slot));
        }
        let slot = u32::try_from(self.users.len()).ok().filter(|&slot| slot < self.size.users);
        let slot = Slot(slot.ok_or(Full("seats"))?);
        self.users.push(User {
            state: Standing::Idle,
            version,
            line: 0,
            ahead: NONE,
            behind: NONE,
            rank: Instant::NEVER,
            widens: Instant::NEVER,
            expires: Instant::NEVER,
            wary: 0,
            met: 0,
            recent: [0; RECENT],
        });
        Ok(Seat::new(slot))
    }

    fn give_back(&mut self, seat: Seat, now: Nanos) -> Result<(), Seat> {
        match self.users.get(seat.slot.index()) {
            Some(user) if user.state == Standing::Idle && user.wary == 0 && user.newest() <= now => {
                self.free.push(seat.slot);
                Ok(())
            }
            _ => Err(seat),
        }
    }

    fn restore(
        &mut self,
        seat: &mut Seat,
        ticket: &Ticket,
        waited: Duration,
        now: Nanos,
    ) -> Result<Joined, Refused> {
        let filed = Filed::new(ticket, waited, now, &self.rules);
        if u16::from(ticket.pool.0) >= self.size.pools {
            return Err(Refused::NoSuchPool);
        }
        if filed.expires <= Instant::at(now) {
            return Err(Refused::Expired);
        }
        self.begin(seat.slot)?;
        seat.filed = filed;
        self.enter_line(seat.slot, &filed);
        Ok(self.serve(seat.slot, ticket, now))
    }

    fn wake(&mut self, seat: &mut Seat, now: Nanos) -> Woken {
        match self.standing(seat.slot) {
            Standing::Idle => Woken::Idle,
            Standing::Paired(pairing) => Woken::Paired(pairing),
            Standing::Waiting if self.users[seat.slot.index()].expires <= Instant::at(now) => {
                self.leave_line(seat.slot);
                Woken::Expired
            }
            Standing::Waiting => match self.serve(seat.slot, &seat.filed.ticket, now) {
                Joined::Paired(pairing) => Woken::Paired(pairing),
                Joined::Waiting { wake } => Woken::Waiting { wake },
                Joined::Withdrawn => Woken::Idle,
            },
        }
    }

    fn leave(&mut self, who: Slot, now: Nanos) -> Left {
        match self.standing(who) {
            Standing::Idle => Left::Nothing,
            Standing::Waiting => {
                self.leave_line(who);
                Left::Line
            }
            Standing::Paired(pairing) => {
                self.end(pairing.id(), now);
                Left::Pair(pairing)
            }
        }
    }

    fn cancel(&mut self, who: Slot) -> bool {
        let waits = self.standing(who) == Standing::Waiting;
        if waits {
            self.leave_line(who);
        }
        waits
    }

    fn end(&mut self, id: PairingId, now: Nanos) -> bool {
        let Standing::Paired(pairing) = self.standing(id.searcher().slot) else { return false };
        if pairing.id() != id {
            return false;
        }
        let (a, b) = (pairing.searcher.slot, pairing.found.slot);
        let until = recent::apart_until(now, self.rules.recent_for);
        for (slot, partner) in [(a, b), (b, a)] {
            self.meet(slot, recent::parted(partner, until));
            self.users[slot.index()].state = Standing::Idle;
        }
        true
    }

    fn standing(&mut self, who: Slot) -> Standing {
        self.users.get(who.index()).map_or(Standing::Idle, |user| user.state)
    }

    fn block(&mut self, who: Slot, whom: Slot) -> Result<(), Full> {
        if self.blocked.len() >= self.size.blocks as usize && !self.blocked(who, whom) {
            return Err(Full("blocks"));
        }
        if self.blocked.insert((who, whom)) {
            self.wary([who, whom], 1);
        }
        Ok(())
    }

    fn unblock(&mut self, who: Slot, whom: Slot) {
        if self.blocked.remove(&(who, whom)) {
            self.wary([who, whom], -1);
        }
    }

    fn remember(&mut self, seat: &mut Seat, whom: Slot, until: Nanos) -> Result<(), Refused> {
        self.begin(seat.slot)?;
        self.meet(seat.slot, recent::entry(whom, until));
        Ok(())
    }

    fn restore_pair(&mut self, searcher: &mut Seat, found: &mut Seat) -> Result<Pairing, Refused> {
        for slot in [searcher.slot, found.slot] {
            match self.users.get(slot.index()).ok_or(Refused::NoSuchSeat)?.state {
                Standing::Waiting => return Err(Refused::AlreadyWaiting),
                Standing::Paired(_) => return Err(Refused::AlreadyPaired),
                Standing::Idle => {}
            }
        }
        for slot in [searcher.slot, found.slot] {
            self.users[slot.index()].version += 1;
        }
        Ok(self.pair(searcher.slot, found.slot))
    }
}
