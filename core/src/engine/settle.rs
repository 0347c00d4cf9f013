//! How cells learn of what the matchmaker has decided.
//!
//! What lives here: [`Engine::settle_pair`]. The matchmaker's word says *who* is paired; the two cells, and
//! the journal, learn of it here and nowhere else. The thread whose search made the pair settles it at once;
//! anyone who meets a user whose cell is behind settles first (`take`). Both cells are locked, in the order
//! of ids, and the frame gets its place in the journal before either is released: ring order is causal order,
//! and a durable prefix holds a pair for both or for neither.

use super::cell::{Locked, Taken, those};
use super::parts::Draft;
use super::ties::Fact;
use super::{Engine, Journal, Kind};
use crate::bot::{Input, Partner, Unmatched};
use crate::envelope::Conversation;
use crate::id::{LaneIx, UserId};
use crate::time::Now;

/// What there was to settle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Settled {
    /// Nothing, or nothing any more.
    Nothing,
    /// This pair.
    Pair,
    /// He is with another one than a moment ago: look again.
    Other,
}

impl<J: Journal> Engine<J> {
    /// Settles the pairing that a user is in, if his cell has not applied it. Nobody's lock may be held.
    pub(super) fn settle_pair(&self, now: Now, conversation: Conversation, room: J::Room<'_>) -> Settled {
        let (user, kind) = (conversation.user, &self.kinds[conversation.kind.index()]);
        let Some(pairs) = &kind.pairs else { return Settled::Nothing };
        let other = {
            let cell = self.cells.of(conversation);
            let cell = cell.lock();
            let Some(pairing) = pairs.unsettled(&cell) else { return Settled::Nothing };
            pairs.partner(&pairing, &cell)
        };
        let Some(other) = other else { return Settled::Nothing };
        let taken = Taken::of(&self.cells, conversation, those(user, Some(other)));
        let mut held = taken.lock();
        // Read again: while neither was locked, someone else may have settled this pair, and more.
        let Some(cell) = held.cell(user) else { return Settled::Nothing };
        let Some(pairing) = pairs.unsettled(cell) else { return Settled::Nothing };
        if pairs.partner(&pairing, cell) != Some(other) {
            return Settled::Other;
        }
        let mut draft = Draft::of(now, None);
        let (number, since) = (pairs.number(), now.wall);
        let both = [user, other].map(|who| self.introduce(kind, &mut held, who));
        for (i, who) in [user, other].into_iter().enumerate() {
            let (lane, card) = &both[1 - i];
            let partner = Partner { pair: number, user: [user, other][1 - i], lane: *lane, since };
            let Some(cell) = held.cell(who) else { continue };
            let ties = cell.ties();
            (ties.pairing, ties.rescan) = (Some(pairing.id()), None);
            let who = Conversation { user: who, ..conversation };
            self.aside(
                &mut draft,
                kind,
                now,
                who,
                cell,
                &[Fact::Paired(partner)],
                &Input::Paired { partner, card },
            );
            #[cfg(shuttle)]
            if self.plant.one_side {
                break;
            }
        }
        #[cfg(shuttle)]
        if self.plant.push_after_unlock {
            drop(held);
            self.push(kind, draft, &mut taken.lock(), room);
            return Settled::Pair;
        }
        self.push(kind, draft, &mut held, room);
        for who in [user, other] {
            held.cell(who).into_iter().for_each(|cell| kind.alarms.set(who, cell, now));
        }
        Settled::Pair
    }

    /// What a user's partner is told of him: his lane and his card.
    fn introduce(&self, kind: &Kind, held: &mut Locked<'_>, user: UserId) -> (LaneIx, Vec<u8>) {
        let Some(cell) = held.cell(user) else { return Default::default() };
        let lane = cell.ties().lane;
        // A state that cannot be read shows no card, as it gets no answer.
        (lane, kind.bot().card(&cell.state).unwrap_or_default())
    }

    /// His search has ended without a partner, and not by his wish: he is out of line, and told.
    pub(super) fn unmatched(
        &self,
        now: Now,
        kind: &Kind,
        conversation: Conversation,
        held: &mut Locked<'_>,
        why: Unmatched,
        room: J::Room<'_>,
    ) {
        let mut draft = Draft::of(now, None);
        let Some(cell) = held.cell(conversation.user) else { return };
        cell.ties().rescan = None;
        self.aside(&mut draft, kind, now, conversation, cell, &[Fact::Withdrawn], &Input::Unmatched(why));
        self.push(kind, draft, held, room);
        if let Some(cell) = held.cell(conversation.user) {
            kind.alarms.set(conversation.user, cell, now);
        }
    }
}
