//! Taking two users at once: the two-word compare-and-swap that makes a pair, and ends it.
//!
//! What lives here: the claims of [`LockFree`]. `claim` proposes, `help` decides, anyone may help; `end`
//! parts. Only this room uses it.
//!
//! A claim is three words in its searcher's record: whom it takes (`peer`), at which version of his own
//! (`own`), and `control`, its sequence and fate. The searcher fills them and opens the claim. From then
//! on its fate is decided by whoever meets it:
//!
//! ```text
//! in the order of slots, lower first:  status  Waiting(version) -> Claimed(searcher, version)
//! then                                 control Open -> Paired   (or Failed, if one was not waiting)
//! and if it failed, both:              status  Claimed(searcher, version) -> Waiting(version + 1)
//! in the end                           control Paired -> Ended
//! ```
//!
//! A pair is thus two status words that name a claim whose fate is `Paired`; when it ends, or when its
//! searcher has gone on to another claim, both words mean idle, and nobody has to write them.
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
//!   when a failed one has released both users, and after a pair only when that pair has ended. So a
//!   status that stays `Claimed` while the claim has moved on belongs to a pair that has ended.
//! * **No circle.** Everyone installs the lower slot first, so a helper that meets another claim on the
//!   higher slot meets one that holds it as its lower slot, or has both: recursion climbs strictly, and
//!   is no deeper than there are threads.
//! * **Readers see whole claims.** `control` is read before and after the other words; the searcher
//!   changes it before he touches them.

use super::LockFree;
use super::faults::Faults;
use super::user::User;
use super::word::{Control, Fate, Status, Tag, peer, peer_of};
use crate::matchmaker::api::{Member, Pairing, PairingId};
use crate::matchmaker::recent::{self, RECENT};
use crate::matchmaker::ticket::{Seat, Slot};
use crate::sync::atomic::Ordering;
use crate::time::Nanos;

/// What someone is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doing {
    Nothing,
    Waiting,
    Paired(Pairing),
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
        (control.sequence() == before.sequence()
            && control.fate() != Fate::Filling
            && before.fate() != Fate::Filling)
            .then_some(Claim {
                control,
                pairing: Pairing { searcher: Member { slot: searcher, version: own }, found },
            })
    }

    /// What a user is doing, with every claim decided that he was met in. The status is the word that was
    /// read; it is `Claimed` for a pair, living or ended.
    pub(super) fn settled(&self, slot: Slot, user: User<'_>) -> (Status, Doing) {
        // ORDERING: Acquire, here and below; pairs with the Release of every change. Carries: the
        // ticket's words, or the claim's.
        let mut status = Status(user.status().load(Ordering::Acquire));
        loop {
            match status.tag() {
                Tag::Idle => return (status, Doing::Nothing),
                Tag::Waiting => return (status, Doing::Waiting),
                Tag::Claimed => {}
            }
            let claim = self.read_claim(status.searcher()).filter(|claim| claim.is_of(slot, status));
            match claim.map(|claim| (claim, claim.control.fate())) {
                Some((claim, Fate::Paired)) => return (status, Doing::Paired(claim.pairing)),
                Some((_, Fate::Ended)) => return (status, Doing::Nothing),
                Some((claim, _)) => _ = self.resolve(&claim),
                None => {}
            }
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
        let sequence = Control(me.control().load(Ordering::Relaxed)).sequence() + 1;
        // ORDERING: Release; who sees that the last claim is over sees what it did to both status words.
        me.control().store(Control::new(sequence, Fate::Filling).0, Ordering::Release);
        // ORDERING: Release, both; see `read_claim`. Carries: that the last claim is over.
        me.peer().store(peer(pairing.found), Ordering::Release);
        me.own().store(pairing.searcher.version, Ordering::Release);
        let control = Control::new(sequence, fate);
        // ORDERING: Release; pairs with `read_claim`. Carries: peer and own.
        me.control().store(control.0, Ordering::Release);
        control
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
        if claim.pairing.id() != id || claim.control.fate() != Fate::Paired {
            return false;
        }
        let Pairing { searcher, found } = claim.pairing;
        let Some(me) = self.users.get(searcher.slot) else { return false };
        // Each writes into both rings before the pair ends, so that no ticket filed after the end can
        // miss them; of several who end it at once, one is first in each ring.
        for (slot, partner) in [(searcher.slot, found.slot), (found.slot, searcher.slot)] {
            let Some(user) = self.users.get(slot) else { continue };
            // ORDERING: Acquire; pairs with the Release in `restore`: a count of after the end would show
            // the end in the load of `control` below.
            let place = user.met().load(Ordering::Acquire) as usize % RECENT;
            // ORDERING: Acquire, for the same reason.
            let old = user.ring()[place].load(Ordering::Acquire);
            // ORDERING: Acquire; still alive, so `place` and `old` are those of this pair.
            if me.control().load(Ordering::Acquire) != claim.control.0 {
                return false;
            }
            let entry = recent::ended(partner, now, self.rules.recent_for);
            // ORDERING: Relaxed; the end below releases it. It fails if another thread ends the same pair.
            let _written_before =
                user.ring()[place].compare_exchange(old, entry, Ordering::Relaxed, Ordering::Relaxed);
        }
        // ORDERING: AcqRel; Release carries both ring entries to whoever sees the end. Relaxed on failure:
        // another thread ended it.
        // LINEARIZES: the end of the pair.
        let ended = claim.control.with(Fate::Ended);
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
