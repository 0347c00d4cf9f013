//! Finding a partner: the scan over lines, and the loop of those who wait.
//!
//! What lives here: the searches of [`LockFree`]. They judge and choose; claims are made next door. Only
//! this room uses it.

use super::LockFree;
use super::chunk::Place;
use super::claim::Doing;
use super::faults::Faults;
use super::turnstile::Passed;
use super::user::User;
use super::word::{Entry, ticket};
use crate::matchmaker::api::{Joined, Member, Pairing, VERSION_MAX};
use crate::matchmaker::class::{CLASSES, Class, Look};
use crate::matchmaker::instant::Instant;
use crate::matchmaker::ticket::{Filed, Slot};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::time::Nanos;

/// Someone waiting whom the searcher may have.
struct Candidate<'a> {
    member: Member,
    user: User<'a>,
    rank: Instant,
    place: Place,
    entry: Entry,
}

/// One search: who looks, when, and what he knows of himself.
#[derive(Clone, Copy)]
pub(super) struct Searcher<'a> {
    pub(super) slot: Slot,
    pub(super) user: User<'a>,
    pub(super) filed: &'a Filed,
    /// Where he stands himself, or would.
    pub(super) class: Class,
    now: Nanos,
    look: Look,
    /// The lines of his pool that were ever used, as the turnstile said when he came to it last.
    used: u32,
    /// Whether any of his own recent partners still counts.
    recent: bool,
}

/// What the first look of a join has come to.
pub(super) enum Met {
    Pair(Pairing),
    /// Nobody, until this moment, if nobody comes.
    Nobody(Instant),
    /// Someone, but others were faster.
    Lost,
}

/// What a look at one entry says.
enum Verdict {
    Take(Member, Instant),
    Skip,
    /// Not before this moment.
    Until(Instant),
    /// He and all behind him have not widened yet.
    NotYet,
    /// His ticket is gone.
    Dead,
}

impl<F: Faults> LockFree<F> {
    /// Searches until he is paired, has seen everyone, or waits no more. He stands in line already, and has
    /// passed the turnstile since. `at` is where his entry stands, if the caller knows.
    #[inline(never)]
    pub(super) fn serve(&self, searcher: Searcher<'_>, at: (Place, Entry)) -> Joined {
        loop {
            // The version is read before the lines: what the scan sees is no older than what it claims with,
            // and a block that raised the version is seen by it.
            let (status, doing) = self.settled(searcher.slot, searcher.user);
            match doing {
                Doing::Waiting => {}
                Doing::Paired(pairing) => {
                    self.lines.strike(at.0, at.1);
                    return Joined::Paired(pairing);
                }
                Doing::Nothing | Doing::Parted { .. } => {
                    self.lines.strike(at.0, at.1);
                    return Joined::Withdrawn;
                }
            }
            // LINEARIZES: if it finds nobody, the search did nothing after standing in line, and whoever
            // comes later finds him (see the module's proof).
            let candidate = match self.scan_again(&searcher) {
                Ok(candidate) => candidate,
                Err(wake) => return Joined::Waiting { wake: wake.nanos() },
            };
            let me = Member { slot: searcher.slot, version: status.version() };
            if let Some(pairing) = self.claim(me, candidate.member) {
                self.lines.strike(candidate.place, candidate.entry);
                self.lines.strike(at.0, at.1);
                return Joined::Paired(pairing);
            }
            self.give_way(searcher.filed.ticket.pool);
        }
    }

    /// Takes someone who waits already, without standing in line: one who is not in line is found by
    /// nobody, so if this finds nobody either, it has decided nothing. `me` has the next version if a claim
    /// has failed, for each is claimed at most once.
    ///
    /// With several lines to look into, one might be passed that has got a ticket since, for a later
    /// ticket of another line: hence the second look, which sees whatever was there before the first's choice.
    /// Lines that he has no business in do not count.
    #[inline(always)]
    pub(super) fn meet_at_once(&self, me: &mut Member, searcher: Searcher<'_>) -> Met {
        let candidate = match self.scan(&searcher) {
            Ok(candidate) => candidate,
            Err(wake) => return Met::Nobody(wake),
        };
        if searcher.look.has_several(searcher.used) {
            match self.scan_again(&{ searcher }) {
                Ok(again) if again.member == candidate.member => {}
                _ => return Met::Lost,
            }
        }
        match self.take((*me, searcher.user), (candidate.member, candidate.user)) {
            Some(pairing) => {
                self.lines.strike(candidate.place, candidate.entry);
                Met::Pair(pairing)
            }
            None => {
                me.version = (me.version + 1) & VERSION_MAX;
                Met::Lost
            }
        }
    }

    /// `scan`, apart from the first look of a join, which is compiled into it.
    #[inline(never)]
    fn scan_again<'a>(&'a self, searcher: &Searcher<'_>) -> Result<Candidate<'a>, Instant> {
        self.scan(searcher)
    }

    /// The compatible ticket of the smallest rank; otherwise the first moment that may bring one.
    #[inline(always)]
    fn scan<'a>(&'a self, searcher: &Searcher<'_>) -> Result<Candidate<'a>, Instant> {
        let Filed { expires, widens, .. } = *searcher.filed;
        let mut wake = if widens > Instant::at(searcher.now) { expires.min(widens) } else { expires };
        let mut best: Option<Candidate<'a>> = None;
        for (class, only_widened) in searcher.look.classes(searcher.used) {
            let before = best.as_ref().map(|best| best.rank);
            if let Some(first) = self.first_in(searcher, class, only_widened, before, &mut wake) {
                best = Some(first);
            }
        }
        best.ok_or(wake)
    }

    /// The first ticket of a line that he may have, if its rank is below `best`.
    #[inline(always)] // What it finds is large, and is not to be moved about.
    fn first_in<'a>(
        &'a self,
        searcher: &Searcher<'_>,
        class: Class,
        only_widened: bool,
        best: Option<Instant>,
        wake: &mut Instant,
    ) -> Option<Candidate<'a>> {
        let mut walk = self.lines.walk(searcher.line(class));
        while let Some((place, entry)) = walk.next_entry() {
            if entry.slot() == searcher.slot {
                continue;
            }
            let Some(user) = self.users.get(entry.slot()) else { continue };
            match self.judge(searcher, entry, user, class, only_widened) {
                Verdict::Take(member, rank) => {
                    let first = best.is_none_or(|best| rank < best);
                    return first.then_some(Candidate { member, user, rank, place, entry });
                }
                Verdict::Skip => {}
                Verdict::Until(moment) => *wake = (*wake).min(moment),
                Verdict::NotYet => return None,
                Verdict::Dead => self.lines.strike(place, entry),
            }
        }
        None
    }

    /// Whether he may have this ticket. What is read here belongs to one ticket if the claim that follows
    /// succeeds: the claim compares the version that was read first.
    #[inline]
    fn judge(
        &self,
        searcher: &Searcher<'_>,
        entry: Entry,
        them: User<'_>,
        class: Class,
        only_widened: bool,
    ) -> Verdict {
        let other = entry.slot();
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
            return Verdict::Until(Instant::at(recent));
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

impl<'a> Searcher<'a> {
    pub(super) fn new(slot: Slot, user: User<'a>, filed: &'a Filed, passed: Passed, now: Nanos) -> Self {
        let look = Look::of(&filed.ticket, filed.widens <= Instant::at(now));
        let (used, recent) = (passed.used(), user.met_of_late(now));
        Self { slot, user, filed, class: Class::of(&filed.ticket), now, look, used, recent }
    }

    /// A line of his pool.
    pub(super) const fn line(&self, class: Class) -> usize {
        self.filed.ticket.pool.index() * CLASSES + class.index()
    }

    /// He has passed the turnstile.
    pub(super) const fn passed(self, passed: Passed) -> Self {
        Self { used: passed.used(), ..self }
    }

    /// Until when these two may not meet for having met; zero if they may. Both rings are asked, for
    /// either may have forgotten.
    fn recent_until(&self, other: Slot, them: User<'_>, one_sided: bool) -> Nanos {
        let mine = if self.recent { self.user.recent_until(other) } else { Nanos::ZERO };
        let asked = !one_sided && them.met_of_late(self.now);
        mine.max(if asked { them.recent_until(self.slot) } else { Nanos::ZERO })
    }
}
