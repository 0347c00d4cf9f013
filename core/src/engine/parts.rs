//! A frame in the making: the changes of one turn, applied to locked cells and written down as they go.
//!
//! What lives here: [`Draft`] and the two ways to add to it: the user's own decision, and what the engine
//! asks a kind in the course of it (`aside`). [`Engine::push`] gives it its place. The cells stay locked from
//! the first change to the push.

use super::cell::{Cell, Locked, Open};
use super::erased::Effects;
use super::step::{Part, RELAYED, Relay, Step};
use super::ties::Fact;
use super::turn::Turn;
use super::{Engine, Entry, Journal, Kind, ReachFact};
use crate::bot::{Input, Want};
use crate::envelope::Conversation;
use crate::id::{ChatId, EnvelopeId, LaneIx, Seq, UpdateId};
use crate::limits::{ASIDE_BYTES_MAX, ASIDE_POSTS_MAX, ASIDE_SENDS_MAX};
use crate::time::Now;
use core::sync::atomic::Ordering::Relaxed;

/// A frame in the making.
pub(super) struct Draft {
    step: Step,
    pub(super) reach: Option<ReachFact>,
}

impl Draft {
    pub(super) const fn of(now: Now, update: Option<(UpdateId, bool)>) -> Self {
        Self { step: Step { at: now.wall, update, parts: Vec::new() }, reach: None }
    }

    /// Applies a change to a cell and writes it down.
    pub(super) fn add(
        &mut self,
        conversation: Conversation,
        (lane, chat): (LaneIx, ChatId),
        cell: &mut Cell,
        effects: Effects,
        relays: Vec<Relay>,
        facts: Vec<Fact>,
    ) {
        cell.state = effects.state;
        cell.version += 1;
        let version = cell.version;
        let (events, sends) = (effects.events, effects.sends);
        self.step.parts.push(Part { conversation, lane, chat, version, events, sends, relays, facts });
    }
}

/// Changes ties as the journal will say.
pub(super) fn apply(kind: &Kind, cell: &mut Cell, facts: &[Fact]) {
    for fact in facts {
        kind.counts.count(fact);
        let applied = cell.ties().apply(fact);
        debug_assert!(applied.is_ok(), "{fact:?}: {applied:?}");
    }
}

impl<J: Journal> Engine<J> {
    /// Changes a user's ties and asks his kind what that means to him.
    #[allow(clippy::too_many_arguments)] // Each is another thing; a struct would name them twice.
    pub(super) fn aside(
        &self,
        draft: &mut Draft,
        kind: &Kind,
        now: Now,
        conversation: Conversation,
        cell: &mut Cell,
        facts: &[Fact],
        input: &Input<'_>,
    ) {
        apply(kind, cell, facts);
        let (lane, chat) = (cell.ties().lane, conversation.user.private_chat());
        let (Conversation { kind: index, user }, language) = (conversation, "");
        let turn = Turn { kind: index, user, update: None, lane, chat, language, input };
        let mut effects =
            self.decide(kind, now, &turn, cell, input).unwrap_or_else(|| Effects::none(&cell.state));
        let bytes = effects.events.len() + effects.sends().map(|s| s.payload.args.len() + 32).sum::<usize>();
        if effects.sends.len() > ASIDE_SENDS_MAX || bytes > ASIDE_BYTES_MAX {
            debug_assert!(false, "a decision over the limits of what is asked in the course of another");
            effects = Effects::none(&cell.state);
        }
        let mut facts = facts.to_vec();
        let alarm = effects.wants.iter().rev().find_map(|want| match want {
            Want::Alarm(at) => Some(Fact::Alarm(*at)),
            _ => None,
        });
        if let Some(alarm) = alarm {
            apply(kind, cell, &[alarm]);
            facts.push(alarm);
        }
        let posts = core::mem::take(&mut effects.wants).into_iter().filter_map(|want| match want {
            Want::Post { chat, lane, what } => Some(Relay::post(chat, lane, what)),
            _ => None,
        });
        let posts = posts.take(ASIDE_POSTS_MAX).collect();
        draft.add(conversation, (lane, chat), cell, effects, posts, facts);
    }

    /// Gives a draft its place in the journal. Its cells are still locked.
    pub(super) fn push(&self, kind: &Kind, draft: Draft, held: &mut Locked<'_>, room: J::Room<'_>) -> Seq {
        let Draft { step, reach } = draft;
        let mut payload = Vec::with_capacity(128);
        step.encode(&mut payload);
        let envelopes = step.envelopes();
        self.pending.fetch_add(envelopes.len() as u64, Relaxed);
        let opens: Vec<_> = envelopes
            .iter()
            .filter(|envelope| envelope.id.index() < RELAYED)
            .map(|envelope| (envelope.conversation.user, Open::of(envelope, kind.load.stamp(envelope))))
            .collect();
        let seq = self.journal.push(room, Entry { payload, envelopes, reach });
        for (user, mut open) in opens {
            open.id = EnvelopeId::new(seq, open.id.index());
            if let Some(cell) = held.cell(user) {
                cell.open.push(open);
            }
        }
        seq
    }
}
