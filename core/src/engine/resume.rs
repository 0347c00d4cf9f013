//! What recovery does with people: everyone stands where he stood, before anyone new comes in.
//!
//! What lives here: [`Engine::resume`]. Called after replay and before intake, by one thread. Seats, blocks,
//! recent partners and pairs are restored at once; then those who wait join in the order in which they
//! first joined, with the time they have waited already, so that nobody loses his place by a restart. Two who
//! stood in line at a stop and may meet by now (a kill between a join's frame and its search, a time that has
//! run out) meet here, and their frames go to the journal like any other.

use super::cell::{Taken, those};
use super::pairs::Pairs;
use super::ties::Stage;
use super::wants::Found;
use super::{Busy, Engine, Journal, Kind, Rank};
use crate::bot::COMMON;
use crate::envelope::Conversation;
use crate::id::{KindIx, UserId};
use crate::limits::ASIDE_BYTES_MAX;
use crate::matchmaker::Slot;
use crate::time::{Now, UnixMillis};

impl<J: Journal> Engine<J> {
    /// Brings the matchmakers to where the journal says that people stand.
    ///
    /// # Errors
    /// [`Busy`] if the journal has no room for what was found: call again after the next commit.
    pub fn resume(&self, now: Now) -> Result<(), Busy> {
        for (index, kind) in self.kinds.iter().enumerate() {
            let index = KindIx(index as u8);
            let common = Conversation { kind: index, user: COMMON };
            if self.cells.has(common) {
                kind.set_common(&self.cells.of(common).lock().state);
            }
            let Some(pairs) = &kind.pairs else {
                self.ring_again(now, index, kind);
                continue;
            };
            if pairs.to_file.lock().is_none() {
                kind.counts.count_all(index, &self.cells);
                let waiting = self.restore(now, index, pairs);
                self.ring_again(now, index, kind);
                *pairs.to_file.lock() = Some(waiting);
            }
            loop {
                let next = pairs.to_file.lock().as_ref().and_then(|waiting| waiting.last().copied());
                let Some((_, user)) = next else { break };
                self.file_again(now, Conversation { kind: index, user }, kind, pairs)?;
                pairs.to_file.lock().as_mut().and_then(Vec::pop);
            }
        }
        Ok(())
    }

    /// Restores all but those who wait; returns these, who came first last.
    fn restore(&self, now: Now, kind: KindIx, pairs: &Pairs) -> Vec<(UnixMillis, UserId)> {
        let mut waiting = Vec::new();
        let mut paired = Vec::new();
        for (who, cell) in self.cells.all() {
            if who.kind != kind {
                continue;
            }
            let (recent, blocked) = match &cell.lock().ties {
                None => continue,
                Some(ties) => {
                    match ties.stage {
                        Stage::Apart => {}
                        Stage::Waiting { since, .. } => waiting.push((since, who.user)),
                        Stage::Paired(partner) if who.user < partner.user => {
                            paired.push((who.user, partner.user));
                        }
                        Stage::Paired(_) => {}
                    }
                    (ties.recent.clone(), ties.blocked.clone())
                }
            };
            for (whom, until) in recent {
                // Never longer than the original wait, also if the wall clock went back.
                let left = until.since(now.wall).min(pairs.rules.recent_for);
                if left.is_zero() {
                    continue;
                }
                if let Some(slot) = self.slot(pairs, Conversation { user: whom, ..who })
                    && self.slot(pairs, who).is_some()
                {
                    pairs.remember(cell.lock().ties(), slot, now.mono.after(left));
                }
            }
            for whom in blocked {
                if let Some(slot) = self.slot(pairs, Conversation { user: whom, ..who })
                    && let Some(own) = self.slot(pairs, who)
                {
                    // A table that has become too small is counted: see `Engine::blocks_refused`.
                    let _known = pairs.block(own, slot);
                }
            }
        }
        for (one, other) in paired {
            self.pair_again(Conversation { kind, user: one }, other, pairs);
        }
        waiting.sort_unstable_by(|a, b| b.cmp(a));
        waiting
    }

    /// His slot, taken if he has none. Nobody's lock may be held.
    fn slot(&self, pairs: &Pairs, who: Conversation) -> Option<Slot> {
        let cell = self.cells.of(who);
        let mut cell = cell.lock();
        pairs.seat(who.user, cell.ties()).ok().map(|seat| seat.slot())
    }

    fn pair_again(&self, who: Conversation, other: UserId, pairs: &Pairs) {
        let both = [who.user, other];
        let taken = Taken::of(&self.cells, who, those(who.user, Some(other)));
        let mut held = taken.lock();
        let mut seats = both.map(|user| {
            let ties = held.cell(user)?.ties();
            pairs.seat(user, ties).ok()?;
            ties.seat.take()
        });
        let pairing = match &mut seats {
            [Some(one), Some(other)] => pairs.restore_pair(one, other),
            _ => None,
        };
        for (user, seat) in both.into_iter().zip(seats) {
            if let Some(ties) = held.cell(user).map(super::cell::Cell::ties) {
                (ties.seat, ties.pairing) = (seat, pairing.map(|pairing| pairing.id()));
            }
        }
    }

    fn ring_again(&self, now: Now, index: KindIx, kind: &Kind) {
        for (who, cell) in self.cells.all() {
            if who.kind == index {
                kind.alarms.set(who.user, &mut cell.lock(), now);
            }
        }
    }

    /// Stands someone in line again, at his old place.
    fn file_again(&self, now: Now, who: Conversation, kind: &Kind, pairs: &Pairs) -> Result<(), Busy> {
        let room = self.journal.reserve(2 * ASIDE_BYTES_MAX, Rank::Ordinary).ok_or(Busy::Journal)?;
        let taken = Taken::of(&self.cells, who, those(who.user, None));
        let mut held = taken.lock();
        let Some(ties) = held.cell(who.user).map(super::cell::Cell::ties) else { return Ok(()) };
        // Whoever came before him may have met him already.
        let Stage::Waiting { ticket, since } = ties.stage else { return Ok(()) };
        match self.search(pairs, who.user, ties, &ticket, now.wall.since(since), now) {
            Found::Refused(why) => self.unmatched(now, kind, who, &mut held, why, room),
            Found::Nobody => {
                if let Some(cell) = held.cell(who.user) {
                    kind.alarms.set(who.user, cell, now);
                }
            }
            Found::Pair => {
                drop(held);
                self.settle_pair(now, who, room);
            }
        }
        Ok(())
    }
}
