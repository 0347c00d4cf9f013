//! Taking two users at once: the two-word compare-and-swap that makes a pair, and ends it.
//!
//! What lives here: the claims of [`LockFree`]. `claim` proposes, `help` decides, anyone may help; `end`
//! parts. Only this room uses it.
//!
//! A claim is three words in its searcher's record: whom it takes (`peer`), at which version of his own
//! (`own`), and `control`, its sequence and fate. The searcher fills them and opens the claim.
//!
//! **Between two who both stand in line** its fate is decided by whoever meets it:
//!
//! ```text
//! in the order of slots, lower first:  status  Waiting(version) -> Claimed(searcher, version)
//! then                                 control Open -> Paired   (or Failed, if one was not waiting)
//! and if it failed, both:              status  Claimed(searcher, version) -> Waiting(version + 1)
//! in the end                           control Paired -> Ended(until)
//! ```
//!
//! **By one who stands in no line**, which is how most pairs are made, one swap is enough. Nobody can
//! claim him, and nobody but his own thread changes his status, so there is nothing to hold:
//!
//! ```text
//! the searcher's                       status  Claimed(searcher, version)    a store
//! the found one's                      status  Waiting(version) -> Claimed(searcher, version)
//! in the end                           control Taking -> Ended(until)
//! ```
//!
//! The swap decides. `Taking` means: paired if the found one's word names this claim, and otherwise not.
//!
//! A pair is thus two status words that name a claim whose fate is `Paired` (or `Taking`, and taken); when it
//! ends, or when its searcher has gone on to another claim, both words mean idle, and nobody has to write them.
//! To end a pair is one swap on one word. Each of the two notes down whom he has met when he joins again, with
//! the moment from that word; a searcher whose next claim would overwrite it hands it over first.
//!
//! Why it is right:
//!
//! * **Each version is claimed at most once.** A failed claim gives back `version + 1`; a pair keeps
//!   its version until the next join. So a status word `Claimed(s, v)` of user x occurs once in the life
//!   of x, in one claim of s, and a swap that a late helper prepared for an earlier claim can never
//!   succeed: what it expects, `Waiting(v)`, was used up when that claim was decided. (It failed because
//!   one word had moved past `Waiting(v)` for ever; if that was the lower slot's, nobody went on to the
//!   higher one; if the higher one's, the lower one's was used up by the claim itself.)
//! * **A claim's words are not reused while anyone needs them.** Its searcher opens the next one only
//!   when a failed one has released both users, and after a pair only when that pair has ended and the other
//!   one has noted it down, or it was handed over to him. So a status that stays `Claimed` while the claim has
//!   moved on belongs to a pair that has ended.
//! * **No circle.** Everyone installs the lower slot first, so a helper that meets another claim on the
//!   higher slot meets one that holds it as its lower slot, or has both: recursion climbs strictly, and
//!   is no deeper than there are threads. A `Taking` claim is met decided, and helps nobody.
//! * **Readers see whole claims.** `control` is read before and after the other words; the searcher
//!   changes it before he touches them.

use super::LockFree;
use super::faults::Faults;
use super::user::User;
use super::word::{Control, Fate, Status, Tag, peer, peer_of};
use crate::matchmaker::api::{Member, Pairing, PairingId};
use crate::matchmaker::recent;
use crate::matchmaker::ticket::{Seat, Slot};
use crate::sync::atomic::Ordering;
use crate::time::Nanos;

/// What someone is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doing {
    /// Nothing. If his status is `Claimed`, that pair has ended and the searcher has gone on; or it is his own
    /// claim, which has taken nobody yet.
    Nothing,
    /// Nothing since a pair that has ended, which the claim still tells of.
    Parted {
        partner: Slot,
        until: Nanos,
    },
    Waiting,
    Paired(Pairing),
}

/// How someone's last pair has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    /// With him, who does not meet him until then.
    Told(Slot, Nanos),
    /// His ring has it already.
    HandedOver,
}

/// A claim as read at one moment.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    control: Control,
    pairing: Pairing,
}

impl Claim {
    /// Whether the claim is the one that this status names.
    fn is_of(&self, slot: Slot, status: Status) -> bool {
        let me = Member { slot, version: status.version() };
        me == self.pairing.searcher || me == self.pairing.found
    }

    /// What one of the two does after the end.
    fn parted(&self, slot: Slot) -> Doing {
        let partner = self.pairing.partner_of(slot);
        partner.map_or(Doing::Nothing, |p| Doing::Parted { partner: p.slot, until: self.control.until() })
    }
}

impl<F: Faults> LockFree<F> {
    /// Reads the claim of `searcher`; `None` while he is writing it (then nobody is held by it).
    fn read_claim(&self, searcher: Slot) -> Option<Claim> {
        let user = self.users.get(searcher)?;
        // ORDERING: Acquire; pairs with the Release that opens the claim. Carries: peer and own.
        let before = Control(user.control().load(Ordering::Acquire));
        // ORDERING: Acquire, both; pairs with the Release stores in `propose`: who reads a word of a later
        // claim sees, in the load after them, that `control` has moved on.
        let found = peer_of(user.peer().load(Ordering::Acquire));
        let own = user.own().load(Ordering::Acquire);
        // ORDERING: Acquire; a fate read here carries the end of the pair to whoever joins after it.
        let control = Control(user.control().load(Ordering::Acquire));
        (control.sequence() == before.sequence() && !control.is(Fate::Filling) && !before.is(Fate::Filling))
            .then_some(Claim {
                control,
                pairing: Pairing { searcher: Member { slot: searcher, version: own }, found },
            })
    }

    /// What a user is doing, with every claim decided that he was met in. The status is the word that was
    /// read; it is `Claimed` for a pair, living or ended.
    #[inline]
    pub(super) fn settled(&self, slot: Slot, user: User<'_>) -> (Status, Doing) {
        // ORDERING: Acquire; pairs with the Release of every change. Carries: the ticket's words, or the
        // claim's.
        let status = Status(user.status().load(Ordering::Acquire));
        if status.is(Tag::Waiting) { (status, Doing::Waiting) } else { self.settle(slot, user, status) }
    }

    /// How his pair has ended, if it has and that can be seen at once: what `settled` would find, in fewer
    /// steps. Only his own thread may call it.
    #[inline(always)]
    pub(super) fn ended(&self, slot: Slot, status: Status) -> Option<Ended> {
        let by = status.searcher();
        let searcher = self.users.get(by).filter(|_| status.is(Tag::Claimed))?;
        // ORDERING: Acquire, all three; pair with the Release stores in `propose`, and the second with the end
        // of the pair. Carries: what was handed over, if it is of a later claim.
        let found = peer_of(searcher.peer().load(Ordering::Acquire));
        let control = Control(searcher.control().load(Ordering::Acquire));
        if by == slot {
            return control.is(Fate::Ended).then(|| Ended::Told(found.slot, control.until()));
        }
        let mine = Member { slot, version: status.version() };
        if found != mine || control.is(Fate::Filling) {
            return Some(Ended::HandedOver);
        }
        // It names him before and after, so the fate between is of his pair: he is found once at each version.
        let same = peer_of(searcher.peer().load(Ordering::Acquire)) == mine;
        (same && control.is(Fate::Ended)).then(|| Ended::Told(by, control.until()))
    }

    /// The same for one who was found in a claim.
    #[inline(never)]
    fn settle(&self, slot: Slot, user: User<'_>, mut status: Status) -> (Status, Doing) {
        loop {
            match status.tag() {
                Tag::Idle => return (status, Doing::Nothing),
                Tag::Waiting => return (status, Doing::Waiting),
                Tag::Claimed => {}
            }
            let claim = self.read_claim(status.searcher()).filter(|claim| claim.is_of(slot, status));
            match claim.map(|claim| (claim, claim.control.fate())) {
                Some((claim, Fate::Paired)) => return (status, Doing::Paired(claim.pairing)),
                Some((claim, Fate::Taking)) if claim.pairing.found.slot == slot || self.has_taken(&claim) => {
                    return (status, Doing::Paired(claim.pairing));
                }
                // His join has not come to that yet, or they have parted since.
                Some((_, Fate::Taking)) => return (status, Doing::Nothing),
                Some((claim, Fate::Ended)) => return (status, claim.parted(slot)),
                Some((claim, _)) => _ = self.resolve(&claim),
                None => {}
            }
            // ORDERING: Acquire; as in `settled`.
            let again = Status(user.status().load(Ordering::Acquire));
            if claim.is_none() && again == status {
                return (status, Doing::Nothing); // His searcher has moved on: they have parted.
            }
            status = again;
        }
    }

    /// Takes `found`, if both still stand as they were seen. Only the searcher's own thread may call it.
    pub(super) fn claim(&self, searcher: Member, found: Member) -> Option<Pairing> {
        let me = self.users.get(searcher.slot)?;
        let found = if F::ANY_VERSION { self.planted_any_version(found) } else { found };
        let pairing = Pairing { searcher, found };
        let control = self.propose(me, &pairing, Fate::Open);
        self.resolve(&Claim { control, pairing }).then_some(pairing)
    }

    /// Takes `found`, if he still waits as he was seen, for someone who stands in no line. Only the
    /// searcher's own thread may call it. If it fails the searcher is idle.
    pub(super) fn take(
        &self,
        (searcher, me): (Member, User<'_>),
        (found, them): (Member, User<'_>),
    ) -> Option<Pairing> {
        let found = if F::ANY_VERSION { self.planted_any_version(found) } else { found };
        let pairing = Pairing { searcher, found };
        self.propose(me, &pairing, Fate::Taking);
        // ORDERING: Release; carries the claim. Before the swap, so that nobody finds one of the two paired and
        // the other not.
        me.status().store(Status::claimed(searcher.slot, searcher.version).0, Ordering::Release);
        // ORDERING: Release; carries the claim, and the searcher's status. Relaxed on failure: nothing is read.
        // LINEARIZES: the match.
        let taken = them.status().compare_exchange(
            Status::waiting(found.version).0,
            Status::claimed(searcher.slot, found.version).0,
            Ordering::Release,
            Ordering::Relaxed,
        );
        if taken.is_err() {
            // ORDERING: Release; nobody writes to the status of someone who takes.
            me.status().store(Status::idle(searcher.version).0, Ordering::Release);
        }
        taken.is_ok().then_some(pairing)
    }

    /// Whether a `Taking` claim has taken him: then both are paired, if it has not ended.
    fn has_taken(&self, claim: &Claim) -> bool {
        let Pairing { searcher, found } = claim.pairing;
        let taken = Status::claimed(searcher.slot, found.version);
        // ORDERING: Acquire; pairs with the swap in `take`.
        self.users.get(found.slot).is_some_and(|user| user.status().load(Ordering::Acquire) == taken.0)
    }

    /// The planted bug: his ticket may be another one than the one that was judged.
    fn planted_any_version(&self, found: Member) -> Member {
        let status = self.users.get(found.slot).map_or(0, |user| {
            // ORDERING: Acquire, as where it is right.
            user.status().load(Ordering::Acquire)
        });
        Member { version: Status(status).version(), ..found }
    }

    /// Writes a claim and opens it with this fate.
    fn propose(&self, me: User<'_>, pairing: &Pairing, fate: Fate) -> Control {
        // ORDERING: Relaxed; only this thread raises the sequence, and it has decided the last claim.
        let last = Control(me.control().load(Ordering::Relaxed));
        if last.is(Fate::Ended) {
            self.hand_over(pairing.searcher.slot, me, last);
        }
        // ORDERING: Release; who sees that the last claim is over sees what it did to both status words, and
        // what was handed over.
        me.control().store(last.next(Fate::Filling).0, Ordering::Release);
        // ORDERING: Release, both; see `read_claim`. Carries: that the last claim is over.
        me.peer().store(peer(pairing.found), Ordering::Release);
        me.own().store(pairing.searcher.version, Ordering::Release);
        let control = last.next(fate);
        // ORDERING: Release; pairs with `read_claim`. Carries: peer and own.
        me.control().store(control.0, Ordering::Release);
        control
    }

    /// Notes the end of the searcher's last pair in the other's ring, unless he has done so himself: the claim
    /// that tells of it is about to be overwritten.
    fn hand_over(&self, searcher: Slot, me: User<'_>, last: Control) {
        // ORDERING: Relaxed; this thread wrote it.
        let found = peer_of(me.peer().load(Ordering::Relaxed));
        let Some(them) = self.users.get(found.slot) else { return };
        let held = Status::claimed(searcher, found.version).0;
        // ORDERING: Relaxed; saves the rest if he has gone on.
        if them.status().load(Ordering::Relaxed) != held {
            return;
        }
        // ORDERING: Acquire; pairs with `User::remember`: a count of after this pair would show, in the load
        // of the status below, that he has gone on.
        let place = them.next_in_ring(Ordering::Acquire);
        // ORDERING: Relaxed; if his status is still of this pair, what stands there was written before it.
        let old = place.load(Ordering::Relaxed);
        // ORDERING: Acquire; as above.
        if them.status().load(Ordering::Acquire) == held {
            // ORDERING: Relaxed; released by the next store into `control`. It fails if he notes it down
            // himself meanwhile; what was there before does not come back, for moments only grow.
            let entry = recent::parted(searcher, last.until());
            let _noted_by_himself = place.compare_exchange(old, entry, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Runs a claim to its end, as its searcher or as a helper; `true` if it made the pair.
    fn resolve(&self, claim: &Claim) -> bool {
        let Pairing { searcher, found } = claim.pairing;
        let (Some(me), Some(them)) = (self.users.get(searcher.slot), self.users.get(found.slot)) else {
            return false;
        };
        let both = if searcher.slot < found.slot {
            [(searcher.slot, me, searcher.version), (found.slot, them, found.version)]
        } else {
            [(found.slot, them, found.version), (searcher.slot, me, searcher.version)]
        };
        let open = claim.control.with(Fate::Open);
        if claim.control == open {
            let fate = if both.iter().all(|held| self.install(held, me, searcher.slot, open)) {
                Fate::Paired
            } else {
                Fate::Failed
            };
            // ORDERING: AcqRel; Release carries both installed words to whoever reads the fate, Acquire
            // takes over what an earlier decider saw. Acquire on failure, for the same reason.
            // LINEARIZES: the match: from here on both are paired. A claim that fails has no effect.
            let _decided_before =
                me.control().compare_exchange(open.0, open.with(fate).0, Ordering::AcqRel, Ordering::Acquire);
        }
        // ORDERING: Acquire; pairs with the decision.
        let control = Control(me.control().load(Ordering::Acquire));
        if control.sequence() != open.sequence() {
            return false; // Decided, released and over: only a helper can be this late.
        }
        if control.fate() != Fate::Failed {
            return true;
        }
        for (_, user, version) in both {
            // ORDERING: Release; carries the decision to whoever reads the status. Relaxed on failure:
            // another helper was first, or the word was never installed.
            let free = Status::waiting(version + 1);
            let _released_before = user.status().compare_exchange(
                Status::claimed(searcher.slot, version).0,
                free.0,
                Ordering::Release,
                Ordering::Relaxed,
            );
        }
        false
    }

    /// Holds one user for a claim; `false` if he does not stand at this version any more.
    fn install(&self, held: &(Slot, User<'_>, u64), me: User<'_>, searcher: Slot, open: Control) -> bool {
        let &(slot, user, version) = held;
        let claimed = Status::claimed(searcher, version);
        loop {
            // ORDERING: Acquire on both; the word of another claim leads to its fields. Release: who finds
            // this word finds this claim's fields.
            let installed = user.status().compare_exchange(
                Status::waiting(version).0,
                claimed.0,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            match installed {
                Ok(_) => return true,
                Err(word) if word == claimed.0 => return true,
                Err(word) if Status(word).tag() == Tag::Claimed => {
                    // Another claim holds him: decide it. If it fails he waits again, under another version.
                    let (status, doing) = self.settled(slot, user);
                    if doing != Doing::Waiting {
                        // Gone; or our own claim has been installed and decided by another helper.
                        return status == claimed;
                    }
                }
                Err(_) => return false,
            }
            // ORDERING: Acquire; the claim may have been decided while we helped another.
            if me.control().load(Ordering::Acquire) != open.0 {
                return false; // What we would decide now is refused by the swap on `control`.
            }
        }
    }

    /// Ends a pair; `true` if this call did.
    pub(super) fn part(&self, id: PairingId, now: Nanos) -> bool {
        let Some(claim) = self.read_claim(id.searcher().slot) else { return false };
        let control = claim.control;
        let lives = control.is(Fate::Taking) && self.has_taken(&claim) || control.is(Fate::Paired);
        let Some(me) = self.users.get(id.searcher().slot).filter(|_| lives && claim.pairing.id() == id)
        else {
            return false;
        };
        // Who joins after the end reads from this word, or is handed, whom he has met and until when that counts.
        let ended = claim.control.ended(recent::apart_until(now, self.rules.recent_for));
        // ORDERING: AcqRel; the next join of either comes after all that was done in the pair. Relaxed on
        // failure: another thread ended it.
        // LINEARIZES: the end of the pair.
        me.control().compare_exchange(claim.control.0, ended.0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Puts two idle users into a pair, as if `searcher`'s claim had just made it.
    pub(super) fn restore_claim(&self, searcher: &Seat, found: &Seat, versions: [u64; 2]) -> Option<Pairing> {
        let (me, them) = (self.users.get(searcher.slot())?, self.users.get(found.slot())?);
        let pairing = Pairing {
            searcher: Member { slot: searcher.slot(), version: versions[0] },
            found: Member { slot: found.slot(), version: versions[1] },
        };
        self.propose(me, &pairing, Fate::Paired);
        for (user, version) in [(me, versions[0]), (them, versions[1])] {
            // ORDERING: Release; carries the claim.
            // LINEARIZES: the pair's beginning, for each of the two.
            user.status().store(Status::claimed(searcher.slot(), version).0, Ordering::Release);
        }
        Some(pairing)
    }
}
