//! What a matchmaker does, whoever does it: the trait, its answers and its refusals.
//!
//! What lives here: [`Matchmaker`] and the types it speaks. The engine and the tests are written against
//! it; it knows neither implementation.

use super::ticket::{Seat, Slot, Ticket};
use crate::time::Nanos;
use core::time::Duration;

/// One side of a pairing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Who.
    pub slot: Slot,
    /// Which of his states: rises with each of his tickets, so each of his pairings has its own.
    pub version: u64,
}

/// Names a pairing for as long as the process lives: the searcher's slot (22 bits) and version (40 bits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PairingId(pub u64);

impl PairingId {
    pub(super) const fn of(searcher: Member) -> Self {
        Self((searcher.slot.0 as u64) << VERSION_BITS | searcher.version)
    }

    pub(super) const fn searcher(self) -> Member {
        Member { slot: Slot((self.0 >> VERSION_BITS) as u32), version: self.0 & VERSION_MAX }
    }
}

/// Bits of a version. A user who joined a million times a second would use them up in twelve days.
pub(super) const VERSION_BITS: u32 = 40;
/// The last version.
pub const VERSION_MAX: u64 = (1 << VERSION_BITS) - 1;

/// Two people who were brought together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pairing {
    /// He whose search found the other.
    pub searcher: Member,
    /// He who was found waiting.
    pub found: Member,
}

impl Pairing {
    /// Its name.
    #[must_use]
    pub const fn id(&self) -> PairingId {
        PairingId::of(self.searcher)
    }

    /// The other side of it; `None` for someone who is not in it.
    #[must_use]
    pub fn partner_of(&self, slot: Slot) -> Option<Member> {
        match slot {
            s if s == self.searcher.slot => Some(self.found),
            s if s == self.found.slot => Some(self.searcher),
            _ => None,
        }
    }
}

/// What became of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Joined {
    /// Paired: by this search, or by someone else's that met this ticket first.
    Paired(Pairing),
    /// Nobody for now: the ticket waits in line.
    Waiting {
        /// When to call [`Matchmaker::wake`]: someone skipped for a time may be met, his own wants
        /// widen, or his patience ends. Strictly later than `now`; [`Nanos::NEVER`] if nothing is due.
        wake: Nanos,
    },
    /// Someone withdrew the ticket before the search ended, or paired it and parted the pair.
    Withdrawn,
}

/// What became of a rescan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Woken {
    /// In a pair: by this rescan, or already.
    Paired(Pairing),
    /// Still nobody.
    Waiting {
        /// When to call again; as in [`Joined::Waiting`].
        wake: Nanos,
    },
    /// His patience has ended and the ticket is gone.
    Expired,
    /// He was not waiting.
    Idle,
}

/// What leaving left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// A waiting ticket was withdrawn.
    Line,
    /// This call ended this pair.
    Pair(Pairing),
    /// He was neither waiting nor paired.
    Nothing,
}

/// Where someone stands at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Neither waiting nor paired.
    Idle,
    /// In line.
    Waiting,
    /// In a pair that has not ended.
    Paired(Pairing),
}

/// Why a ticket was not filed. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// Leave first.
    #[error("already waiting in line")]
    AlreadyWaiting,
    /// Leave first, or use `next`.
    #[error("already in a pair")]
    AlreadyPaired,
    /// The pool is not below `Size::pools`.
    #[error("no such pool: raise `Size::pools`")]
    NoSuchPool,
    /// What he was willing to wait has passed already.
    #[error("the ticket's patience had ended before it was filed")]
    Expired,
    /// The seat is another matchmaker's, larger than this one.
    #[error("no such seat in this matchmaker")]
    NoSuchSeat,
    /// No room to stand in: more wait than `Size::users` can account for.
    #[error("the line is full: raise `Size::users`")]
    Full,
}

/// A table that was sized too small. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the matchmaker has no room for more {0}: raise its `Size`")]
pub struct Full(pub &'static str);

/// Pairs people who want each other.
///
/// Implemented by [`super::Spec`], which says what is right, and by `&`[`super::LockFree`], which does
/// the same for many threads at once (like `std::io::Read` for `&File`).
///
/// **Who meets whom.** Two tickets are compatible at `now` if they are in one pool, each wants the
/// other's gender (or has widened), neither blocked the other, they did not part within
/// `Rules::recent_for`, and the patience of neither has ended. A search takes the compatible ticket with
/// the smallest *rank*: the time of its first join, for a VIP `Rules::vip_head_start` earlier; a VIP
/// first among equals; within a class first come, first served. Skipped tickets keep their places.
///
/// **Bounds.** Someone who has waited `Rules::vip_head_start` is passed by nobody who joins later, VIP or
/// not. Two compatible people both wait only until the `wake` that one of them was given.
pub trait Matchmaker {
    /// Gives out a seat: one that was given back, or the next. `version` is the last one that this user is
    /// known to have had (0 for a newcomer), so that versions rise over restarts too; at most [`VERSION_MAX`].
    ///
    /// # Errors
    /// [`Full`] when `Size::users` seats are out, or `version` is beyond the last.
    fn seat(&mut self, version: u64) -> Result<Seat, Full>;

    /// Gives a seat back, for another person: his slot may then come out of [`Matchmaker::seat`] again, with
    /// a higher version. Whoever kept the slot forgets it first. O(1).
    ///
    /// # Errors
    /// The seat, while he waits or is paired, while someone he met of late counts as such, or while he
    /// blocks anyone or is blocked: the next owner would be taken for him.
    fn give_back(&mut self, seat: Seat, now: Nanos) -> Result<(), Seat>;

    /// Files a ticket whose owner has waited for `waited` already, and searches. This is how waiting
    /// users are restored: call it for each, longest wait first, before anyone new joins.
    ///
    /// Costs one step per live ticket that is skipped on the way.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed.
    fn restore(
        &mut self,
        seat: &mut Seat,
        ticket: &Ticket,
        waited: Duration,
        now: Nanos,
    ) -> Result<Joined, Refused>;

    /// Files a new ticket and searches.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed.
    fn join(&mut self, seat: &mut Seat, ticket: &Ticket, now: Nanos) -> Result<Joined, Refused> {
        self.restore(seat, ticket, Duration::ZERO, now)
    }

    /// Ends the pair, if there is one, and joins anew; the partner just left counts as met of late.
    ///
    /// # Errors
    /// [`Refused`]; someone who waits in line keeps his place. The pair that this call ended, if it did,
    /// comes back beside the answer in every case.
    fn next(
        &mut self,
        seat: &mut Seat,
        ticket: &Ticket,
        now: Nanos,
    ) -> (Option<Pairing>, Result<Joined, Refused>) {
        let ended = match self.standing(seat.slot()) {
            Standing::Paired(pairing) => self.end(pairing.id(), now).then_some(pairing),
            Standing::Waiting => return (None, Err(Refused::AlreadyWaiting)),
            Standing::Idle => None,
        };
        (ended, self.join(seat, ticket, now))
    }

    /// Searches again for a ticket that waits, or expires it. Call it when the last answer's `wake` has
    /// come, and after [`Matchmaker::unblock`]; it is harmless at any other time.
    fn wake(&mut self, seat: &mut Seat, now: Nanos) -> Woken;

    /// Withdraws his ticket or ends his pair, whichever there is. O(1).
    fn leave(&mut self, who: Slot, now: Nanos) -> Left;

    /// Withdraws his ticket if it waits; `true` if this call did it. A pair he is in goes on, so who finds
    /// `false` here looks at [`Matchmaker::standing`] again. O(1).
    fn cancel(&mut self, who: Slot) -> bool;

    /// Ends this pair; `true` if this call did it. O(1).
    fn end(&mut self, pairing: PairingId, now: Nanos) -> bool;

    /// Where he stands.
    fn standing(&mut self, who: Slot) -> Standing;

    /// From its return on, these two are not paired again. A pair they are in goes on.
    ///
    /// # Errors
    /// [`Full`] when `Size::blocks` pairs are known already.
    fn block(&mut self, who: Slot, whom: Slot) -> Result<(), Full>;

    /// Takes `who`'s block back; the other's stays. A rescan of whichever waits is then due.
    fn unblock(&mut self, who: Slot, whom: Slot);

    /// Restores one entry of his recent partners, oldest first.
    ///
    /// # Errors
    /// [`Refused`] while he waits or is paired: that would change whom he may meet in mid-search.
    fn remember(&mut self, seat: &mut Seat, whom: Slot, until: Nanos) -> Result<(), Refused>;

    /// Restores a pair that was alive at the end of the last process.
    ///
    /// # Errors
    /// [`Refused`] if one of them waits or is paired.
    fn restore_pair(&mut self, searcher: &mut Seat, found: &mut Seat) -> Result<Pairing, Refused>;
}
