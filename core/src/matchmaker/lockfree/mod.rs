//! The lock-free matchmaker: the same answers as the specification, for many threads at once.
//!
//! What lives here: [`LockFree`], joining and leaving. Below it: `line` (who stands where), `search`
//! (whom one may have), `claim` (taking two at once), `blocks`, and how all of it lies in words. No lock,
//! no waiting: a thread that meets another's unfinished work finishes it.
//!
//! # How it works
//!
//! Each user has a **status word** (idle, waiting, claimed; and a version). Each class has a **line** of
//! entries, each pool a **turnstile**: a word that counts who has passed. To join is to
//!
//! 1. read the turnstile, and scan the lines of compatible classes. If someone is there, **take** him: one
//!    compare-and-swap of his status word. Done.
//! 2. Otherwise write the ticket's words, store `Waiting(version)` into the status, append an entry to the line,
//! 3. **pass the turnstile**. If it says what it said in 1, nobody has come since. Done.
//! 4. Otherwise scan again and **claim** the first compatible ticket, by a compare-and-swap of two status words;
//!    begin again if either has changed meanwhile.
//!
//! Without steps 3 and 4 this is the obvious order, to look first and to stand in line if nobody is there; it
//! leaves two joiners waiting for each other for ever.
//!
//! # Why nobody is missed
//!
//! Let A and B join, compatible, and let A pass the turnstile before B. What A wrote before that is visible to
//! what B reads behind it: A's entry, and the status that makes it alive. If the turnstile tells B that nobody
//! has passed since before his first scan, then A had passed before that scan, and the same holds of it. If A
//! is claimed by a third, B helps to decide that and looks again. So B ends with a claim on A or on someone who
//! goes before A, or finds A dead. Hence of two compatible people who both wait, one is in the middle of his
//! join; or a moment has come (a recent partner may be met, a ticket has widened) for which one of the two was
//! told to be woken.
//!
//! # Order under concurrency
//!
//! A line's order is the order of its appends. Someone who joins passes over a compatible A for a B behind
//! him only if A was claimed meanwhile, or A's entry was not there when he looked: then A's join had not
//! returned when B's was called. For if A's had returned, A had passed the turnstile before the joiner first
//! read it, and the joiner saw A in every scan. One who stands in line but has not looked again yet may be taken
//! by a later one, whom he would have passed over for A. The bounds of the trait thus hold plus one ticket for
//! each thread that is in the middle of a join.
//!
//! # Progress
//!
//! A step is repeated only because another thread's step took effect: a claim fails if one of its users
//! was paired, cancelled, rejoined, was blocked, or is held by another claim, which is then decided first
//! (`claim` shows why that ends); a walk begins anew if a chunk was recycled. `leave` and `end` retry only
//! against a claim on that very user. `join` looks once at each live ticket that it skips, plus at those
//! that other threads are about to strike.
//!
//! A join that others got in the way of lets them have a turn before it looks again: it pauses, for a bounded
//! time, while they get much done ([`crate::sync::turns`]). Two threads that do nothing but join thus work by
//! turns, each with warm caches. Nobody waits for a particular thread: one that is preempted stops nobody.
//!
//! # Memory
//!
//! Nothing is allocated after `new` and nothing is freed: 256 bytes for each user, 256 for each chunk of 30
//! entries. Pages are touched as they are used. Dead entries are struck in O(1) by whoever killed them; chunks
//! full of them are recycled, as are seats that are given back. Generations and versions make late words
//! harmless.
//!
//! # What the engine does with it
//!
//! The status word decides *who* is paired; a user's cell learns of it by `settle`. With u locked, read
//! [`Matchmaker::standing`]: if it names a pairing that the cell has not applied, release u, lock both users in
//! id order, read again, apply `Paired` (idempotent by [`PairingId`]; versions rise per user, over restarts
//! too, if [`Matchmaker::seat`] is given the last one) and push its frame. `join` and `wake` return a pairing
//! to the thread that made it, which settles at once; a relay compares the pairing's id; a pair ends by
//! [`Matchmaker::end`], which returns `true` to exactly one caller, who journals it. A `Seat` lies in the
//! user's
//! cell, so holding the user's lock is holding `&mut Seat`. After a restart: seats with their last versions,
//! then blocks, `remember`, `restore_pair`, then `restore` in the order of waiting, then intake.

mod blocks;
mod chunk;
mod claim;
mod faults;
mod line;
mod search;
mod seats;
mod turnstile;
mod user;
mod walk;
mod word;

#[cfg(test)]
mod tests;

use super::api::{
    Full, Joined, Left, Matchmaker, Member, Pairing, PairingId, Refused, Standing, VERSION_MAX, Woken,
};
use super::class::{CLASSES, Class};
use super::instant::Instant;
use super::recent;
use super::ticket::{Filed, POOLS_MAX, Pool, Rules, Seat, Size, Slot, Ticket, USERS_MAX};
use crate::sync::atomic::Ordering;
use crate::sync::turns::give_way;
use crate::time::Nanos;
use blocks::Blocks;
use chunk::Place;
use claim::{Doing, Ended};
use core::marker::PhantomData;
use core::time::Duration;
use faults::{Faults, Sound};
use line::Lines;
use search::{Met, Searcher};
use seats::Seats;
use turnstile::{Passed, Turnstiles};
use user::{User, Users};
use word::{Entry, Status, Tag};

/// The matchmaker that runs. Share it by reference; `&LockFree` is a [`Matchmaker`].
///
/// The parameter plants bugs in the tests of the tests; outside of them there is only the default.
#[derive(Debug)]
pub struct LockFree<F: Faults = Sound> {
    rules: Rules,
    pools: u16,
    users: Users,
    lines: Lines,
    turnstiles: Turnstiles,
    blocks: Blocks,
    seats: Seats,
    faults: PhantomData<F>,
}

impl LockFree {
    /// An empty matchmaker. Users and pools beyond [`USERS_MAX`] and [`POOLS_MAX`] are not counted.
    #[must_use]
    pub fn new(rules: Rules, size: Size) -> Self {
        Self::with_faults(rules, size)
    }
}

impl<F: Faults> LockFree<F> {
    fn with_faults(rules: Rules, size: Size) -> Self {
        let (count, pools) = (size.users.min(USERS_MAX), size.pools.min(POOLS_MAX));
        Self {
            rules,
            pools,
            users: Users::new(count),
            lines: Lines::new(usize::from(pools) * CLASSES, count),
            turnstiles: Turnstiles::new(pools),
            blocks: Blocks::new(size.blocks),
            seats: Seats::new(),
            faults: PhantomData,
        }
    }

    /// His record and last version, if he neither waits nor is paired. From here to the next store into
    /// his status nobody else writes to it: he has one seat, and it is held by `&mut`.
    fn idle(&self, seat: &Seat) -> Result<(User<'_>, u64), Refused> {
        let user = self.users.get(seat.slot).ok_or(Refused::NoSuchSeat)?;
        // ORDERING: Acquire; as in `settled`.
        let status = Status(user.status().load(Ordering::Acquire));
        if !status.is(Tag::Idle) {
            let met = self.met(seat.slot, user, status)?;
            // ORDERING: Release, and before the ring: see `hand_over`. Nobody writes to the status of someone
            // whose pair has ended.
            user.status().store(Status::idle(status.version()).0, Ordering::Release);
            user.remember(met);
        }
        Ok((user, status.version()))
    }

    /// Whom he met in his last pair, for his ring, if it has ended.
    #[inline]
    fn met(&self, slot: Slot, user: User<'_>, status: Status) -> Result<u64, Refused> {
        // ORDERING: Relaxed; handed over before the claim that was read in its stead.
        let handed_over = || user.next_in_ring(Ordering::Relaxed).load(Ordering::Relaxed);
        match self.ended(slot, status) {
            Some(Ended::Told(partner, until)) => return Ok(recent::parted(partner, until)),
            Some(Ended::HandedOver) => return Ok(handed_over()),
            None => {}
        }
        match self.settled(slot, user).1 {
            Doing::Waiting => Err(Refused::AlreadyWaiting),
            Doing::Paired(_) => Err(Refused::AlreadyPaired),
            Doing::Parted { partner, until } => Ok(recent::parted(partner, until)),
            Doing::Nothing => Ok(handed_over()),
        }
    }

    /// Writes a ticket and makes its owner wait.
    #[inline(always)]
    fn write(&self, number: u64, searcher: &Searcher<'_>) {
        let (user, filed) = (searcher.user, searcher.filed);
        // ORDERING: Relaxed, all four; released by the status below. A late searcher who reads them under the
        // last ticket's version cannot claim with it.
        user.ticket().store(word::ticket(number, filed.ticket.pool, searcher.class), Ordering::Relaxed);
        user.rank().store(filed.rank.0, Ordering::Relaxed);
        user.expires().store(filed.expires.0, Ordering::Relaxed);
        user.widens().store(filed.widens.0, Ordering::Relaxed);
        // ORDERING: Release; carries the ticket and everything before it.
        // LINEARIZES: waiting (see `Lines::append` for the place in line).
        user.status().store(Status::waiting(number).0, Ordering::Release);
    }

    /// Stands someone who waits in line.
    #[inline(always)]
    fn stand(&self, number: u64, searcher: &Searcher<'_>) -> Option<(Place, Entry)> {
        let entry = Entry::new(searcher.slot, number);
        let line = searcher.line(searcher.class);
        let place = self.lines.append(line, entry).or_else(|| self.stand_after_a_sweep(line, entry))?;
        // ORDERING: Relaxed; a hint for whoever cancels. Without it the entry is struck by a walk.
        searcher.user.place().store(place.0, Ordering::Relaxed);
        Some((place, entry))
    }

    /// Every chunk is in use: unlinks all that are full of dead tickets, then appends.
    #[cold]
    fn stand_after_a_sweep(&self, line: usize, entry: Entry) -> Option<Place> {
        (0..usize::from(self.pools) * CLASSES).for_each(|line| _ = self.lines.sweep(line));
        self.lines.append(line, entry)
    }

    /// Passes the turnstile of his pool; who had passed before.
    #[inline]
    fn pass(&self, pool: Pool, class: Class, seen: Passed) -> Passed {
        let ordering = if F::NO_FENCE { Ordering::Relaxed } else { Ordering::AcqRel };
        self.turnstiles.pass(pool.index(), class, seen, ordering)
    }

    /// Others of this pool were faster: lets them have a turn, if that is of use to them. Whoever waits in line
    /// can be found meanwhile.
    fn give_way(&self, pool: Pool) {
        give_way(|| self.turnstiles.read(pool.index()).count());
    }

    /// Takes his ticket out of line if it waits; otherwise the pair he is in, if he is in one.
    fn withdraw(&self, slot: Slot, user: User<'_>) -> Result<(), Doing> {
        loop {
            let (status, doing) = self.settled(slot, user);
            if doing != Doing::Waiting {
                return Err(doing);
            }
            // Read before he can join again: what is struck is this ticket, never his next.
            let (place, entry) = Self::standing_at(slot, user);
            // ORDERING: Release; what we read of the ticket is read before his next join writes. Relaxed on
            // failure: we look again.
            // LINEARIZES: leaving the line.
            let idle = Status::idle(status.version()).0;
            if user.status().compare_exchange(status.0, idle, Ordering::Release, Ordering::Relaxed).is_ok() {
                self.lines.strike(place, entry);
                return Ok(());
            }
        }
    }

    /// Where his last ticket stands, as far as this thread knows.
    fn standing_at(slot: Slot, user: User<'_>) -> (Place, Entry) {
        // ORDERING: Relaxed, both; `strike` compares them with the cell.
        let place = Place(user.place().load(Ordering::Relaxed));
        let number = user.ticket().load(Ordering::Relaxed) >> 13;
        (place, Entry::new(slot, number))
    }

    /// Counts a block that names them, before it is made, or one less, after it was taken back.
    fn wary(&self, both: [Slot; 2], by: u64) {
        for user in both.into_iter().filter_map(|slot| self.users.get(slot)) {
            // ORDERING: Relaxed; ordered by the turnstiles in `block`, or carried by the raised version.
            user.wary().fetch_add(by, Ordering::Relaxed);
        }
    }

    /// Makes every claim on him that was judged before now fail, if he waits.
    fn raise_version(&self, slot: Slot) {
        let Some(user) = self.users.get(slot) else { return };
        loop {
            let (status, doing) = self.settled(slot, user);
            let raised = Status::waiting(status.version() + 1);
            // ORDERING: Release; carries the block to the search that reads the new version. Relaxed on
            // failure: we look again.
            if doing != Doing::Waiting
                || user
                    .status()
                    .compare_exchange(status.0, raised.0, Ordering::Release, Ordering::Relaxed)
                    .is_ok()
            {
                return;
            }
        }
    }
}

impl<F: Faults> Matchmaker for &LockFree<F> {
    fn seat(&mut self, version: u64) -> Result<Seat, Full> {
        if version >= VERSION_MAX {
            return Err(Full("seats"));
        }
        let (slot, user) = self.seats.take(&self.users).ok_or(Full("seats"))?;
        // ORDERING: Relaxed; read by `take` with the record, if he had an owner.
        let last = Status(user.status().load(Ordering::Relaxed)).version();
        // ORDERING: Release; nobody else knows the slot yet, or any more.
        user.status().store(Status::idle(last.max(version)).0, Ordering::Release);
        Ok(Seat::new(slot))
    }

    fn give_back(&mut self, seat: Seat, now: Nanos) -> Result<(), Seat> {
        match self.idle(&seat) {
            // ORDERING: Relaxed; blocks are made before, in the caller's order: see the trait.
            Ok((user, _)) if !user.met_of_late(now) && user.wary().load(Ordering::Relaxed) == 0 => {
                self.seats.give_back(seat.slot, user);
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
        if u16::from(ticket.pool.0) >= self.pools {
            return Err(Refused::NoSuchPool);
        }
        if filed.expires <= Instant::at(now) {
            return Err(Refused::Expired);
        }
        let (user, version) = self.idle(seat)?;
        let mut me = Member { slot: seat.slot, version: (version + 1) & VERSION_MAX };
        let seen = self.turnstiles.read(ticket.pool.index());
        let searcher = Searcher::new(me.slot, user, &filed, seen, now);
        let met = self.meet_at_once(&mut me, searcher);
        if let Met::Pair(pairing) = met {
            return Ok(Joined::Paired(pairing));
        }
        seat.filed = filed;
        self.write(me.version, &searcher);
        let Some(at) = self.stand(me.version, &searcher) else {
            let _nobody_could_find_him = self.withdraw(seat.slot, user);
            return Err(Refused::Full);
        };
        let passed = self.pass(ticket.pool, searcher.class, seen);
        match met {
            // LINEARIZES: nothing more; whoever comes now finds him.
            Met::Nobody(wake) if passed == seen => Ok(Joined::Waiting { wake: wake.nanos() }),
            _ => {
                self.give_way(ticket.pool);
                Ok(self.serve(searcher.passed(passed), at))
            }
        }
    }

    fn wake(&mut self, seat: &mut Seat, now: Nanos) -> Woken {
        let Some(user) = self.users.get(seat.slot) else { return Woken::Idle };
        let (_, mut doing) = self.settled(seat.slot, user);
        if doing == Doing::Waiting && seat.filed.expires <= Instant::at(now) {
            match self.withdraw(seat.slot, user) {
                Ok(()) => return Woken::Expired,
                Err(other) => doing = other,
            }
        }
        match doing {
            Doing::Nothing | Doing::Parted { .. } => return Woken::Idle,
            Doing::Paired(pairing) => return Woken::Paired(pairing),
            Doing::Waiting => {}
        }
        let (pool, class) = (seat.filed.ticket.pool, Class::of(&seat.filed.ticket));
        let passed = self.pass(pool, class, self.turnstiles.read(pool.index()));
        let at = LockFree::<F>::standing_at(seat.slot, user);
        match self.serve(Searcher::new(seat.slot, user, &seat.filed, passed, now), at) {
            Joined::Paired(pairing) => Woken::Paired(pairing),
            Joined::Waiting { wake } => Woken::Waiting { wake },
            Joined::Withdrawn => Woken::Idle,
        }
    }

    fn leave(&mut self, who: Slot, now: Nanos) -> Left {
        let Some(user) = self.users.get(who) else { return Left::Nothing };
        match self.withdraw(who, user) {
            Ok(()) => Left::Line,
            Err(Doing::Paired(pairing)) if self.part(pairing.id(), now) => Left::Pair(pairing),
            Err(_) => Left::Nothing,
        }
    }

    fn cancel(&mut self, who: Slot) -> bool {
        self.users.get(who).is_some_and(|user| self.withdraw(who, user).is_ok())
    }

    fn end(&mut self, pairing: PairingId, now: Nanos) -> bool {
        self.part(pairing, now)
    }

    fn standing(&mut self, who: Slot) -> Standing {
        let Some(user) = self.users.get(who) else { return Standing::Idle };
        match self.settled(who, user).1 {
            Doing::Nothing | Doing::Parted { .. } => Standing::Idle,
            Doing::Waiting => Standing::Waiting,
            Doing::Paired(pairing) => Standing::Paired(pairing),
        }
    }

    fn block(&mut self, who: Slot, whom: Slot) -> Result<(), Full> {
        self.wary([who, whom], 1);
        let inserted = self.blocks.insert(who, whom);
        if inserted != Some(true) {
            self.wary([who, whom], 1u64.wrapping_neg());
        }
        inserted.ok_or(Full("blocks"))?;
        // Either we see that one of them waits, and what was judged of him is void; or his own search,
        // behind the turnstile of whatever pool he joins, sees the block.
        self.turnstiles.pass_all();
        self.raise_version(who);
        self.raise_version(whom);
        Ok(())
    }

    fn unblock(&mut self, who: Slot, whom: Slot) {
        if self.blocks.remove(who, whom) {
            self.wary([who, whom], 1u64.wrapping_neg());
        }
    }

    fn remember(&mut self, seat: &mut Seat, whom: Slot, until: Nanos) -> Result<(), Refused> {
        let (user, _) = self.idle(seat)?;
        user.remember(recent::entry(whom, until));
        Ok(())
    }

    fn restore_pair(&mut self, searcher: &mut Seat, found: &mut Seat) -> Result<Pairing, Refused> {
        let (_, version) = self.idle(searcher)?;
        let (_, other) = self.idle(found)?;
        let versions = [version + 1, other + 1].map(|version| version & VERSION_MAX);
        self.restore_claim(searcher, found, versions).ok_or(Refused::NoSuchSeat)
    }
}
