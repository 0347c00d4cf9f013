//! Finding a partner: the scan over lines, and the loop of those who wait.
//!
//! What lives here: the searches of [`LockFree`]. They judge and choose; claims are made next door. Only
//! this room uses it.

use super::LockFree;
use super::chunk::Place;
use super::claim::Doing;
use super::faults::Faults;
use super::user::User;
use super::word::{Entry, ticket};
use crate::matchmaker::api::{Joined, Member, Pairing};
use crate::matchmaker::class::{CLASSES, Class, Look};
use crate::matchmaker::instant::Instant;
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
    user: User<'a>,
    filed: &'a Filed,
    now: Nanos,
    /// Whether any of his own recent partners still counts.
    recent: bool,
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
            // The version is read before the lines: what the scan sees is no older than what it claims with,
            // and a block that raised the version is seen by it.
            let (status, doing) = self.settled(slot, user);
            match doing {
                Doing::Waiting => {}
                Doing::Paired(pairing) => {
                    self.lines.strike(at.0, at.1);
                    return Joined::Paired(pairing);
                }
                Doing::Nothing => {
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

    /// Takes someone who waits already, without standing in line: one who is not in line is found by
    /// nobody, so if this finds nobody either, it has decided nothing.
    ///
    /// With several lines to look into, one might be passed that has got a ticket since, for a later
    /// ticket of another line: hence the second look, which sees whatever was there before the first's choice.
    /// Lines that he has no business in do not count.
    pub(super) fn meet_at_once(
        &self,
        me: Member,
        user: User<'_>,
        filed: &Filed,
        now: Nanos,
    ) -> Option<Pairing> {
        let candidate = self.scan(me.slot, user, filed, now).ok()?;
        let widened = filed.widens(&self.rules) <= Instant::at(now);
        if Look::of(&filed.ticket, widened).classes(self.used(filed)).nth(1).is_some() {
            let again = self.scan(me.slot, user, filed, now).ok()?;
            if again.member != candidate.member {
                return None;
            }
        }
        let pairing = self.claim(me, candidate.member)?;
        self.lines.strike(candidate.place, candidate.entry);
        Some(pairing)
    }

    /// The compatible ticket of the smallest rank; otherwise the first moment that may bring one.
    fn scan(&self, slot: Slot, user: User<'_>, filed: &Filed, now: Nanos) -> Result<Candidate, Instant> {
        let at = Instant::at(now);
        let (widens, expires) = (filed.widens(&self.rules), filed.expires());
        let mut searcher = Searcher {
            slot,
            user,
            filed,
            now,
            recent: user.newest() > now,
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
        // If a claim holds him it is decided first: his place in line counts until his fate is known, and
        // to skip him would be to serve later ones first.
        let (status, doing) = self.settled(other, them);
        // ORDERING: Relaxed, here and for his other words; written before the status that was acquired. A
        // later ticket's word means that he has moved on, and then the claim fails.
        let named = them.ticket().load(Ordering::Relaxed);
        if named != ticket(entry.number(), searcher.filed.ticket.pool, class) || doing != Doing::Waiting {
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
        // ORDERING: Relaxed, but after his status: whoever blocks sets it first, then raises the version of
        // those who wait. So who read the raised version reads 1 here, and who read the one before it
        // cannot claim with it.
        let wary = searcher.user.wary().load(Ordering::Relaxed) != 0;
        if word(them.expires()) <= at || wary && self.blocks.either(searcher.slot, other) {
            return Verdict::Skip;
        }
        Verdict::Take(Member { slot: other, version: status.version() }, word(them.rank()))
    }
}

impl Searcher<'_> {
    /// Until when these two may not meet for having met; zero if they may. Both rings are asked, for
    /// either may have forgotten.
    fn recent_until(&self, other: Slot, them: User<'_>, one_sided: bool) -> Nanos {
        let mine = if self.recent { self.user.recent_until(other) } else { Nanos::ZERO };
        let asked = !one_sided && them.newest() > self.now;
        mine.max(if asked { them.recent_until(self.slot) } else { Nanos::ZERO })
    }
}
