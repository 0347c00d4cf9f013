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
//! then both:                           status  -> Paired(searcher, version)   (or Waiting(version + 1))
//! ```
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
//!   when both users are released, and after a pair only when that pair has ended.
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

/// A claim as read at one moment.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    control: Control,
    pairing: Pairing,
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

    /// The pair that a status `Paired` names, unless it has ended.
    pub(super) fn living_pair(&self, slot: Slot, status: Status) -> Option<Pairing> {
        let claim = self.read_claim(status.searcher())?;
        let Pairing { searcher, found } = claim.pairing;
        let me = Member { slot, version: status.version() };
        (claim.control.fate() == Fate::Paired && (me == searcher || me == found)).then_some(claim.pairing)
    }

    /// Decides the claim that holds someone, and releases both. On return the word that led here has
    /// changed.
    pub(super) fn help(&self, searcher: Slot) {
        if let Some(claim) = self.read_claim(searcher) {
            self.resolve(&claim);
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
        // ORDERING: Relaxed; ordered before the Release stores that follow.
        me.control().store(Control::new(sequence, Fate::Filling).0, Ordering::Relaxed);
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
            [(me, searcher.version), (them, found.version)]
        } else {
            [(them, found.version), (me, searcher.version)]
        };
        let open = claim.control.with(Fate::Open);
        if claim.control == open {
            let fate =
                if both.iter().all(|&(user, version)| self.install(user, version, me, searcher.slot, open)) {
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
        let paired = control.fate() != Fate::Failed;
        for (user, version) in both {
            let free = if F::SAME_VERSION { version } else { version + 1 };
            let released =
                if paired { Status::paired(searcher.slot, version) } else { Status::waiting(free) };
            // ORDERING: Release; carries the decision to whoever reads the status. Relaxed on failure:
            // another helper was first, or the word was never installed.
            let _released_before = user.status().compare_exchange(
                Status::claimed(searcher.slot, version).0,
                released.0,
                Ordering::Release,
                Ordering::Relaxed,
            );
        }
        paired
    }

    /// Holds one user for a claim; `false` if he does not stand at this version any more.
    fn install(&self, user: User<'_>, version: u64, me: User<'_>, searcher: Slot, open: Control) -> bool {
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
                Err(word) if Status(word).tag() == Tag::Claimed => self.help(Status(word).searcher()),
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
            user.status().store(Status::paired(searcher.slot(), version).0, Ordering::Release);
        }
        Some(pairing)
    }
}
