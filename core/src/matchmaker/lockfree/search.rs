//! Finding a partner: the scan over lines, and the loop of those who wait.
//!
//! What lives here: the searches of [`LockFree`]. They judge and choose; claims are made next door. Only
//! this room uses it.

use super::LockFree;
use super::chunk::Place;
use super::faults::Faults;
use super::user::User;
use super::word::{Entry, Status, Tag, ticket};
use crate::matchmaker::api::{Joined, Member, Pairing};
use crate::matchmaker::class::{CLASSES, Class, Look};
use crate::matchmaker::instant::Instant;
use crate::matchmaker::recent::{self, RECENT};
use crate::matchmaker::ticket::{Filed, Slot};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::time::Nanos;

/// Someone waiting whom the searcher may have.
struct Candidate {
    member: Member,
    rank: Instant,
    place: Place,
    entry: Entry,
}

/// One search: who looks, when, and what he knows of himself.
struct Searcher<'a> {
    slot: Slot,
    filed: &'a Filed,
    now: Nanos,
    /// His own recent partners; constant while he waits.
    ring: [u64; RECENT],
    wary: bool,
    wake: Instant,
}

/// What a look at one entry says.
enum Verdict {
    Take(Member, Instant),
    Skip,
    /// He and all behind him have not widened yet.
    NotYet,
    /// His ticket is gone.
    Dead,
}

impl<F: Faults> LockFree<F> {
    /// Searches until he is paired, has seen everyone, or waits no more. He stands in line already, and
    /// a fence lies between that and this. `at` is where his entry stands, if the caller knows.
    pub(super) fn serve(
        &self,
        slot: Slot,
        user: User<'_>,
        filed: &Filed,
        at: (Place, Entry),
        now: Nanos,
    ) -> Joined {
        loop {
            // ORDERING: Acquire; pairs with the Release of a claim, or of a block, which raises the version:
            // what the scan below reads is no older than the version that it claims with.
            let status = Status(user.status().load(Ordering::Acquire));
            match status.tag() {
                Tag::Waiting => {}
                Tag::Claimed => {
                    self.help(status.searcher());
                    continue;
                }
                Tag::Paired => {
                    self.lines.strike(at.0, at.1);
                    let pair = self.living_pair(slot, status);
                    return pair.map_or(Joined::Withdrawn, Joined::Paired);
                }
                Tag::Idle => {
                    self.lines.strike(at.0, at.1);
                    return Joined::Withdrawn;
                }
            }
            // LINEARIZES: if it finds nobody, the search did nothing after standing in line, and whoever
            // comes later finds him (see the module's proof).
            let candidate = match self.scan(slot, user, filed, now) {
                Ok(candidate) => candidate,
                Err(wake) => return Joined::Waiting { wake: wake.nanos() },
            };
            let me = Member { slot, version: status.version() };
            if let Some(pairing) = self.claim(me, candidate.member) {
                self.lines.strike(candidate.place, candidate.entry);
                self.lines.strike(at.0, at.1);
                return Joined::Paired(pairing);
            }
        }
    }

    /// The compatible ticket of the smallest rank; otherwise the first moment that may bring one.
    fn scan(&self, slot: Slot, user: User<'_>, filed: &Filed, now: Nanos) -> Result<Candidate, Instant> {
        let at = Instant::at(now);
        let (widens, expires) = (filed.widens(&self.rules), filed.expires());
        let mut searcher = Searcher {
            slot,

            filed,
            now,
            // ORDERING: Relaxed; written before this ticket was filed, and by nobody while it waits.
            ring: core::array::from_fn(|i| user.ring()[i].load(Ordering::Relaxed)),
            // ORDERING: Relaxed; `block` sets it before its fence, and ours lies before this search; or it
            // raised our version, which we acquired.
            wary: user.wary().load(Ordering::Relaxed) != 0,
            wake: if widens > at { expires.min(widens) } else { expires },
        };
        let look = Look::of(&filed.ticket, widens <= at);
        let mut best: Option<Candidate> = None;
        for (class, only_widened) in look.classes(self.used(filed)) {
            let candidate = self.first_in(&mut searcher, class, only_widened, best.as_ref());
            best = candidate.or(best);
        }
        best.ok_or(searcher.wake)
    }

    /// The lines of his pool that were ever used.
    fn used(&self, filed: &Filed) -> u32 {
        let word = self.used.get(usize::from(filed.ticket.pool.0));
        // ORDERING: Relaxed; a bit is set before the fence of whoever first stands there, and read behind
        // ours: as with the entries themselves, one of two sees the other. Bits are never cleared.
        word.map_or(0, |word| word.load(Ordering::Relaxed) as u32)
    }

    /// The first ticket of a line that he may have, if it goes before `best`.
    fn first_in(
        &self,
        searcher: &mut Searcher<'_>,
        class: Class,
        only_widened: bool,
        best: Option<&Candidate>,
    ) -> Option<Candidate> {
        let line = usize::from(searcher.filed.ticket.pool.0) * CLASSES + class.index();
        let mut walk = self.lines.walk(line);
        while let Some((place, entry)) = walk.next_entry() {
            if entry.slot() == searcher.slot {
                continue;
            }
            match self.judge(searcher, entry, class, only_widened) {
                Verdict::Take(member, rank) => {
                    let first = best.is_none_or(|best| rank < best.rank);
                    return first.then_some(Candidate { member, rank, place, entry });
                }
                Verdict::Skip => {}
                Verdict::NotYet => return None,
                Verdict::Dead => self.lines.strike(place, entry),
            }
        }
        None
    }

    /// Whether he may have this ticket. What is read here belongs to one ticket if the claim that follows
    /// succeeds: the claim compares the version that was read first.
    fn judge(&self, searcher: &mut Searcher<'_>, entry: Entry, class: Class, only_widened: bool) -> Verdict {
        let other = entry.slot();
        let Some(them) = self.users.get(other) else { return Verdict::Dead };
        let status = loop {
            // ORDERING: Acquire; pairs with the Release that made it wait. Carries: the ticket's words.
            let status = Status(them.status().load(Ordering::Acquire));
            if status.tag() != Tag::Claimed {
                break status;
            }
            // His place in line counts until his fate is known: skipping him would serve later ones first.
            self.help(status.searcher());
        };
        // ORDERING: Relaxed, here and for his other words; written before the status that was acquired. A
        // later ticket's word means that he has moved on, and then the claim fails.
        let named = them.ticket().load(Ordering::Relaxed);
        if named != ticket(entry.number(), searcher.filed.ticket.pool, class) || status.tag() != Tag::Waiting
        {
            return Verdict::Dead;
        }
        let at = Instant::at(searcher.now);
        let word = |word: &AtomicU64| Instant(word.load(Ordering::Relaxed));
        if only_widened && word(them.widens()) > at {
            return Verdict::NotYet;
        }
        let recent = searcher.recent_until(other, them, F::ONE_SIDED);
        if recent > searcher.now {
            searcher.wake = searcher.wake.min(Instant::at(recent));
            return Verdict::Skip;
        }
        if word(them.expires()) <= at || (searcher.wary && self.blocks.either(searcher.slot, other)) {
            return Verdict::Skip;
        }
        Verdict::Take(Member { slot: other, version: status.version() }, word(them.rank()))
    }

    /// Who is in the pair of a status, deciding it first if it is undecided; and the status then.
    pub(super) fn settled(&self, slot: Slot, user: User<'_>) -> (Status, Option<Pairing>) {
        loop {
            // ORDERING: Acquire; pairs with the Release of every change. Carries: the claim's words.
            let status = Status(user.status().load(Ordering::Acquire));
            match status.tag() {
                Tag::Claimed => self.help(status.searcher()),
                Tag::Paired => return (status, self.living_pair(slot, status)),
                Tag::Idle | Tag::Waiting => return (status, None),
            }
        }
    }
}

impl Searcher<'_> {
    /// Until when these two may not meet for having met; zero if they may. Both rings are asked, for
    /// either may have forgotten.
    fn recent_until(&self, other: Slot, them: User<'_>, one_sided: bool) -> Nanos {
        let mut until = Nanos::ZERO;
        for (mine, theirs) in self.ring.iter().zip(them.ring()) {
            until = until.max(recent::forbids(*mine, other));
            if !one_sided {
                // ORDERING: Relaxed; written before his ticket was filed, as judged by his status.
                until = until.max(recent::forbids(theirs.load(Ordering::Relaxed), self.slot));
            }
        }
        until
    }
}
