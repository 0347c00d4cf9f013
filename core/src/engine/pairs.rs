//! The matchmaker of one kind, as the engine uses it.
//!
//! What lives here: [`Pairs`]: the matchmaker, whose slot is whose, and the numbers of pairs. It decides
//! nothing of its own: who is paired is the matchmaker's word, what a cell knows of it is `settle`'s work.
//! Whoever calls it for a user holds that user's lock.

use super::cell::Cell;
use super::ties::{Stage, Ties};
use crate::id::{PairNo, UserId};
use crate::matchmaker::{
    Full, Joined, LockFree, Matchmaker, Pairing, Refused, Rules, Seat, Size, Slot, Standing, Ticket, Woken,
};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::lock::Mutex;
use crate::sync::words::Words;
use crate::time::{Nanos, UnixMillis};
use core::time::Duration;

pub(super) struct Pairs {
    pub(super) rules: Rules,
    matchmaker: LockFree,
    /// Whose slot it is, by slot.
    owners: Words,
    /// Seats that are not out.
    free: AtomicU64,
    /// Whose seat is looked at next, when they become few.
    hand: AtomicU64,
    /// Blocks that were refused: the table was full.
    blocks_refused: AtomicU64,
    /// The last number given.
    numbers: AtomicU64,
    /// Who waits since before the last stop and is not in line yet, who came last first; see `resume`.
    pub(super) to_file: Mutex<Option<Vec<(UnixMillis, UserId)>>>,
}

impl Pairs {
    pub(super) fn new(rules: Rules, size: Size) -> Self {
        Self {
            rules,
            matchmaker: LockFree::new(rules, size),
            owners: Words::new(size.users as usize),
            free: AtomicU64::new(u64::from(size.users)),
            hand: AtomicU64::new(0),
            blocks_refused: AtomicU64::new(0),
            numbers: AtomicU64::new(0),
            to_file: Mutex::new(None),
        }
    }

    /// The user's seat, taken at first.
    pub(super) fn seat<'t>(&self, user: UserId, ties: &'t mut Ties) -> Result<&'t mut Seat, Full> {
        if ties.seat.is_none() {
            let mut matchmaker = &self.matchmaker;
            let seat = matchmaker.seat(0)?;
            // ORDERING: Relaxed; a count, for `few_seats` alone.
            self.free.fetch_sub(1, Ordering::Relaxed);
            if let Some(owner) = self.owners.get(seat.slot().index()) {
                // ORDERING: Release; whoever reads the slot out of a pairing reads a status that was stored
                // after this, and acquired it.
                owner.store(user.0, Ordering::Release);
            }
            ties.seat = Some(seat);
        }
        ties.seat.as_mut().ok_or(Full("seats"))
    }

    /// Whether it is time to ask people for seats that they do not need: an eighth is left.
    pub(super) fn few_seats(&self) -> bool {
        // ORDERING: Relaxed; a hint.
        self.free.load(Ordering::Relaxed) <= self.owners.len() as u64 / 8
    }

    /// Someone who has, or had, a seat: each in turn.
    pub(super) fn next_owner(&self) -> Option<UserId> {
        // ORDERING: Relaxed; any order does.
        let hand = self.hand.fetch_add(1, Ordering::Relaxed) as usize;
        let owner = self.owners.get(hand.checked_rem(self.owners.len())?)?;
        // ORDERING: Relaxed; his ties say whether he has one still.
        Some(UserId(owner.load(Ordering::Relaxed))).filter(|user| user.0 != 0)
    }

    /// Takes his seat back, unless he needs it: he waits or is paired, met someone of late, or is kept apart
    /// from someone. He gets another when he joins again.
    pub(super) fn take_back(&self, ties: &mut Ties, now: Nanos) {
        if ties.stage != Stage::Apart || !ties.blocked.is_empty() {
            return;
        }
        let Some(seat) = ties.seat.take() else { return };
        let mut matchmaker = &self.matchmaker;
        ties.seat = matchmaker.give_back(seat, now).err();
        if ties.seat.is_none() {
            ties.pairing = None;
            // ORDERING: Relaxed; as in `seat`.
            self.free.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Files his ticket, as one who has waited for `waited`, and searches.
    pub(super) fn join(
        &self,
        user: UserId,
        ties: &mut Ties,
        ticket: &Ticket,
        waited: Duration,
        now: Nanos,
    ) -> Result<Joined, Refused> {
        let seat = self.seat(user, ties).map_err(|_| Refused::Full)?;
        let mut matchmaker = &self.matchmaker;
        matchmaker.restore(seat, ticket, waited, now)
    }

    /// Looks again for someone who waits.
    pub(super) fn wake(&self, ties: &mut Ties, now: Nanos) -> Woken {
        let mut matchmaker = &self.matchmaker;
        ties.seat.as_mut().map_or(Woken::Idle, |seat| matchmaker.wake(seat, now))
    }

    /// Takes him out of line; `false` if he was paired first.
    pub(super) fn cancel(&self, ties: &Ties) -> bool {
        let mut matchmaker = &self.matchmaker;
        ties.seat.as_ref().is_some_and(|seat| matchmaker.cancel(seat.slot()))
    }

    /// Ends the pair that these ties are in.
    pub(super) fn end(&self, ties: &Ties, now: Nanos) {
        let mut matchmaker = &self.matchmaker;
        let ended = ties.pairing.is_some_and(|pairing| matchmaker.end(pairing, now));
        debug_assert!(ended, "pairs are ended under both locks, once");
    }

    /// Keeps two people apart. `false` if no more blocks can be known, which is counted.
    pub(super) fn block(&self, who: Slot, whom: Slot) -> bool {
        let mut matchmaker = &self.matchmaker;
        let known = matchmaker.block(who, whom).is_ok();
        if !known {
            self.block_refused();
        }
        known
    }

    /// Counts a block that could not be made.
    pub(super) fn block_refused(&self) {
        // ORDERING: Relaxed; a count.
        self.blocks_refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn blocks_refused(&self) -> u64 {
        // ORDERING: Relaxed; a count.
        self.blocks_refused.load(Ordering::Relaxed)
    }

    pub(super) fn unblock(&self, who: Slot, whom: Slot) {
        let mut matchmaker = &self.matchmaker;
        matchmaker.unblock(who, whom);
    }

    /// Restores a recent partner. Only before his ticket or pair is.
    pub(super) fn remember(&self, ties: &mut Ties, whom: Slot, until: Nanos) {
        let mut matchmaker = &self.matchmaker;
        let remembered = ties.seat.as_mut().map(|seat| matchmaker.remember(seat, whom, until));
        debug_assert!(matches!(remembered, Some(Ok(()))), "before he waits or is paired");
    }

    /// Restores a pair.
    pub(super) fn restore_pair(&self, one: &mut Seat, other: &mut Seat) -> Option<Pairing> {
        let mut matchmaker = &self.matchmaker;
        matchmaker.restore_pair(one, other).ok()
    }

    /// The pairing that the matchmaker has made of someone whose cell says that he waits. The word cannot
    /// be further ahead than that: a pair is ended, and a ticket filed, only under the locks of those who
    /// have applied what was before.
    pub(super) fn unsettled(&self, cell: &Cell) -> Option<Pairing> {
        let ties = cell.ties.as_ref()?;
        let (Stage::Waiting { .. }, Some(seat)) = (ties.stage, &ties.seat) else { return None };
        let mut matchmaker = &self.matchmaker;
        match matchmaker.standing(seat.slot()) {
            Standing::Paired(pairing) => Some(pairing),
            _ => None,
        }
    }

    /// The other one of a pairing.
    pub(super) fn partner(&self, pairing: &Pairing, cell: &Cell) -> Option<UserId> {
        let slot = cell.ties.as_ref()?.seat.as_ref()?.slot();
        let other = pairing.partner_of(slot)?.slot;
        // ORDERING: Acquire; pairs with the Release in `seat`.
        self.owners.get(other.index()).map(|owner| UserId(owner.load(Ordering::Acquire)))
    }

    /// The next pair's number.
    pub(super) fn number(&self) -> PairNo {
        // ORDERING: Relaxed; only distinctness counts, and both users' locks order what they see of it.
        PairNo(self.numbers.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// A number that was given before the last stop.
    pub(super) fn was_given(&self, number: PairNo) {
        // ORDERING: Relaxed; replay has one thread.
        self.numbers.fetch_max(number.0, Ordering::Relaxed);
    }

    /// The last number given.
    #[cfg(test)]
    pub(super) fn last_given(&self) -> PairNo {
        // ORDERING: Relaxed; a test has one thread.
        PairNo(self.numbers.load(Ordering::Relaxed))
    }
}
