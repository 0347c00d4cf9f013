//! The way of one input, from the door to its frame.
//!
//! What lives here: [`Engine::handle_update`] and `Engine::take`, the way of every input: settle what the matchmaker
//! has decided of the user meanwhile, pass the gate, decide, and commit while every cell that changes is locked.
//! A decision is pure, so an input that turns out to need a second user's cell is simply decided again with
//! both locked. What a decision is asked of is `decide`'s subject, what wants mean is `wants`'.

use super::cell::{Cell, Open, Taken, Those, those};
use super::erased::Effects;
use super::frame::{self, InputHead};
use super::turn::{Rooms, Turn};
use super::wants::Carried;
use super::{Admitted, AdmittedAs, Busy, Engine, Entry, Inbound, Journal, Kind, Rank};
use crate::bot::{Input, Outgoing};
use crate::envelope::{Class, Payload, Place};
use crate::gate::rate::Pass;
use crate::id::{EnvelopeId, KindIx, LaneIx, Seq, UserId};
use crate::limits::{
    ASIDE_BYTES_MAX, ASIDES_MAX, DECISION_BYTES_MAX, PAYLOAD_BYTES_MAX, PENDING_RESERVE,
    SENDS_PER_DECISION_MAX,
};
use crate::time::Now;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;

/// The template of the engine's own answer to a press. Kinds number theirs from below.
pub(super) const RELEASE: u16 = u16::MAX;
/// Pressed 150 s ago, a button's client has given up waiting.
const PRESS_DEADLINE: Duration = Duration::from_secs(140);

impl<J: Journal> Engine<J> {
    /// Decides one update. O(log) in nothing: one cell, one decision, one push; two cells if the user
    /// ends a pair or is paired.
    ///
    /// # Errors
    /// [`Busy`] if it cannot be admitted now; nothing was changed and the platform will deliver it again.
    pub fn handle_update(&self, now: Now, inbound: &Inbound<'_>) -> Result<Admitted, Busy> {
        self.take(now, &Turn::of(inbound))
    }

    /// Takes over what another program knew of a user; [`AdmittedAs::Quiet`] if nothing of it is new. For an
    /// import before serving.
    ///
    /// # Errors
    /// As [`Engine::handle_update`]; try again after the next commit.
    pub fn import(&self, now: Now, kind: KindIx, user: UserId, record: &[u8]) -> Result<Admitted, Busy> {
        let input = &Input::Imported { record };
        let (update, lane, chat, language) = (None, LaneIx(0), user.private_chat(), "");
        self.take(now, &Turn { kind, user, update, lane, chat, language, input })
    }

    /// Runs an input to completion.
    pub(super) fn take(&self, now: Now, turn: &Turn<'_>) -> Result<Admitted, Busy> {
        let rank = rank(turn.input);
        let reserve = if rank == Rank::Protected { PENDING_RESERVE } else { 0 };
        if self.pending.load(Relaxed) as usize + SENDS_PER_DECISION_MAX > self.pending_max + reserve {
            return Err(Busy::Pending);
        }
        let kind = &self.kinds[turn.kind.index()];
        // Most who come into a channel never wrote to a bot of ours.
        if matches!(turn.input, Input::Member { .. }) && !self.cells.has(turn.conversation()) {
            return Ok(self.admitted(AdmittedAs::Quiet));
        }
        let rooms = self.rooms(kind, rank)?;
        self.spare_seats(now, turn.kind);
        let mut passed = None;
        let mut those: Those = those(turn.user, None);
        loop {
            let taken = Taken::of(&self.cells, turn.conversation(), those);
            let mut held = taken.lock();
            let Some(cell) = held.cell(turn.user) else { return Err(Busy::Pending) };
            if kind.pairs.as_ref().is_some_and(|pairs| pairs.unsettled(cell).is_some()) {
                drop(held);
                let room = self.journal.reserve(2 * ASIDE_BYTES_MAX, rank).ok_or(Busy::Journal)?;
                self.settle_pair(now, turn.conversation(), room);
                continue;
            }
            // He may have set another one since it was seen to be due.
            if matches!(turn.input, Input::Alarm { due } if cell.ties().alarm != Some(*due)) {
                return Ok(self.admitted(AdmittedAs::Quiet));
            }
            // The same update is the same user's, so under his lock its first copy is either unseen or
            // pushed: the tail covers it.
            if !self.see(kind, turn) {
                return Ok(self.admitted(AdmittedAs::Duplicate));
            }
            let limited = limited(turn.input);
            let pass = *passed.get_or_insert_with(|| {
                if limited { cell.spell.take(&kind.rate(), now.mono) } else { Pass::Yes }
            });
            let too_fast;
            let (input, as_what) = match pass {
                Pass::Yes => (turn.input, AdmittedAs::Decided),
                Pass::TellOnce(until) => {
                    too_fast = Input::TooFast { until: now.wall.after(until.since(now.mono)) };
                    (&too_fast, AdmittedAs::TooFast)
                }
                Pass::No if press(turn.input).is_none() => return Ok(self.admitted(AdmittedAs::TooFast)),
                // He was told, but his client waits for a word on the button: it gets one, and the bot is not asked.
                Pass::No => (turn.input, AdmittedAs::TooFast),
            };
            let asked = if pass == Pass::No { None } else { self.decide(kind, now, turn, cell, input) };
            let decided = if pass == Pass::Yes { asked } else { release(turn, now, cell, asked) };
            let Some(effects) = decided else {
                let quiet = if as_what == AdmittedAs::TooFast { as_what } else { AdmittedAs::Quiet };
                return Ok(self.admitted(quiet));
            };
            // A plain frame says that an update came.
            if effects.wants.is_empty() && turn.update.is_some() {
                let after = self.commit(kind, now, turn, cell, effects, rooms.own);
                return Ok(Admitted { after, as_what });
            }
            match self.carry_out(turn, effects, &mut held) {
                Carried::Needs(more) => those = more,
                Carried::Overtaken => {}
                Carried::Ready(plan, effects) => {
                    let after = self.finish(now, turn, plan, effects, held, rooms);
                    return Ok(Admitted { after, as_what });
                }
            }
            // Once more, with other cells or after settling: nobody has seen it, for he is locked still.
            self.unsee(kind, turn);
        }
    }

    fn rooms(&self, kind: &Kind, rank: Rank) -> Result<Rooms<J::Room<'_>>, Busy> {
        let reserve = |bytes| self.journal.reserve(bytes, rank).ok_or(Busy::Journal);
        let Some(_) = kind.pairs else { return Ok(Rooms { own: reserve(DECISION_BYTES_MAX)?, after: None }) };
        let own = reserve(DECISION_BYTES_MAX + ASIDES_MAX * ASIDE_BYTES_MAX)?;
        Ok(Rooms { own, after: Some(reserve(2 * ASIDE_BYTES_MAX)?) })
    }

    /// Remembers the update; `false` if it was seen before.
    fn see(&self, kind: &Kind, turn: &Turn<'_>) -> bool {
        turn.update.is_none_or(|update| kind.seen[turn.lane.index()].lock().insert(update))
    }

    fn unsee(&self, kind: &Kind, turn: &Turn<'_>) {
        if let Some(update) = turn.update {
            kind.seen[turn.lane.index()].lock().remove(update);
        }
    }

    fn admitted(&self, as_what: AdmittedAs) -> Admitted {
        Admitted { after: self.journal.tail(), as_what }
    }

    /// Commits a decision that wants nothing: it is one user's alone.
    fn commit(
        &self,
        kind: &Kind,
        now: Now,
        turn: &Turn<'_>,
        cell: &mut Cell,
        effects: Effects,
        room: J::Room<'_>,
    ) -> Seq {
        cell.state = effects.state;
        cell.version += 1;
        if let Some(ties) = cell.ties.as_mut() {
            ties.writes_on(turn.conversation(), turn.chat, turn.lane);
        }
        let head = InputHead {
            conversation: turn.conversation(),
            lane: turn.lane,
            chat: turn.chat,
            update: turn.update.unwrap_or_default(),
            at: now.wall,
            version: cell.version,
            blocked: matches!(turn.input, Input::Blocked),
        };
        let mut payload = Vec::with_capacity(64 + effects.events.len());
        frame::encode_input(&head, &effects.events, &effects.sends, &mut payload);
        let envelopes: Vec<_> = effects
            .sends
            .into_iter()
            .enumerate()
            .map(|(index, send)| frame::envelope(&head, Seq(0), index, send))
            .collect();
        let mut opens: Vec<_> = envelopes.iter().map(|e| Open::of(e, kind.load.stamp(e))).collect();
        self.pending.fetch_add(envelopes.len() as u64, Relaxed);
        let seq = self.journal.push(room, Entry { payload, envelopes, reach: turn.reach() });
        for (index, open) in opens.iter_mut().enumerate() {
            open.id = EnvelopeId::new(seq, index as u8);
        }
        cell.open.append(&mut opens);
        seq
    }
}

/// Who is put off last: a payment is answered within 10 s or fails, and one that was made must be booked.
const fn rank(input: &Input<'_>) -> Rank {
    match input {
        Input::PreCheckout { .. } | Input::Paid(_) | Input::Refunded(_) => Rank::Protected,
        _ => Rank::Ordinary,
    }
}

/// The platform's id of a pressed button.
const fn press<'a>(input: &Input<'a>) -> Option<&'a str> {
    match input {
        Input::Callback { id, .. } => Some(*id),
        _ => None,
    }
}

/// What was decided of an input over the rate and, if that was a pressed button, an answer without words to
/// it: nothing is done, but his client stops to wait.
fn release(turn: &Turn<'_>, now: Now, cell: &Cell, decided: Option<Effects>) -> Option<Effects> {
    let Some(id) = press(turn.input) else { return decided };
    let mut effects = decided.unwrap_or_else(|| Effects::none(&cell.state));
    if effects.sends.len() < SENDS_PER_DECISION_MAX && id.len() <= PAYLOAD_BYTES_MAX {
        effects.sends.push(Outgoing {
            class: Class::Urgent,
            pinned: true,
            place: Place::Call,
            deadline: Some(now.wall.after(PRESS_DEADLINE)),
            ..Outgoing::reply(Payload { template: RELEASE, args: id.as_bytes().into() })
        });
    }
    Some(effects)
}

/// Whether an input counts against the user's rate.
const fn limited(input: &Input<'_>) -> bool {
    matches!(
        input,
        Input::Text { .. }
            | Input::Callback { .. }
            | Input::OtherMessage { .. }
            | Input::Edited { .. }
            | Input::Reacted { .. }
    )
}
