//! Recovery: frames from the journal become the state they were written from.
//!
//! What lives here: [`Recovered`], which collects envelopes without an end and what is known about reach
//! while [`Engine::replay`] folds frames by the same `evolve` as the live path. Called before intake,
//! single-threaded.

use super::frame::{self, Frame, InputHead};
use super::step::{RELAYED, Step};
use super::ties::Fact;
use super::{Corrupt, Detached, Engine, Open, ReachFact};
use crate::bot::{Meeting, Outgoing};
use crate::envelope::{Conversation, Envelope};
use crate::id::{EnvelopeId, LaneIx, Seq};
use core::sync::atomic::Ordering::Relaxed;
use std::collections::{BTreeMap, HashMap};

/// What replay hands to the outbound thread.
#[derive(Default, Debug)]
pub struct Recovered {
    pub(super) pending: BTreeMap<EnvelopeId, Envelope>,
    reach: HashMap<(Conversation, LaneIx), bool, foldhash::fast::FixedState>,
    /// Frames replayed.
    pub frames: u64,
}

impl Recovered {
    /// Envelopes without an end, in the order in which they were queued.
    pub fn take_pending(&mut self) -> impl Iterator<Item = Envelope> + use<> {
        core::mem::take(&mut self.pending).into_values()
    }

    /// The last word on who is reached by which lane.
    pub fn reach(&self) -> impl Iterator<Item = ReachFact> + '_ {
        self.reach.iter().map(|(&(who, lane), &reached)| ReachFact {
            kind: who.kind,
            user: who.user,
            lane,
            reached,
        })
    }

    pub(super) fn learn(&mut self, fact: ReachFact) {
        let who = Conversation { kind: fact.kind, user: fact.user };
        self.reach.insert((who, fact.lane), fact.reached);
    }
}

impl Engine<Detached> {
    /// Applies one frame.
    ///
    /// # Errors
    /// [`Corrupt`] if the frame does not continue what was applied; the process must not serve then.
    pub fn replay(&self, into: &mut Recovered, seq: Seq, payload: &[u8]) -> Result<(), Corrupt> {
        into.frames += 1;
        match frame::decode(payload).map_err(|e| Corrupt::Frame(seq, e))? {
            Frame::Input { head, events, sends } => self.replay_input(into, seq, &head, events, sends),
            Frame::Step(step) => self.replay_step(into, seq, &step),
            Frame::Ends { ends, reach, links } => {
                for ended in &ends {
                    into.pending.remove(&ended.id);
                    if ended.conversation.kind.index() >= self.kinds.len() {
                        return Err(Corrupt::UnknownKind(seq, ended.conversation.kind));
                    }
                    self.close(ended);
                }
                reach.into_iter().for_each(|fact| into.learn(fact));
                self.learn_links(&links);
                Ok(())
            }
        }
    }

    fn replay_input(
        &self,
        into: &mut Recovered,
        seq: Seq,
        head: &InputHead,
        events: &[u8],
        sends: Vec<Outgoing>,
    ) -> Result<(), Corrupt> {
        let unknown = || Corrupt::UnknownKind(seq, head.conversation.kind);
        let kind = self.kinds.get(head.conversation.kind.index()).ok_or_else(unknown)?;
        // A lane that is no longer configured keeps its users' states; its update ids cannot come again.
        if let Some(seen) = kind.seen.get(head.lane.index()) {
            seen.lock().insert(head.update);
        }
        let cell = self.cells.of(head.conversation);
        let mut cell = cell.lock();
        cell.state = kind.bot().evolve(&cell.state, events).map_err(|e| Corrupt::Frame(seq, e))?;
        cell.version += 1;
        if cell.version != head.version {
            return Err(Corrupt::Version(seq, head.conversation.user, cell.version, head.version));
        }
        if let Some(ties) = cell.ties.as_mut() {
            ties.writes_on(head.conversation, head.chat, head.lane);
        }
        self.pending.fetch_add(sends.len() as u64, Relaxed);
        for (index, send) in sends.into_iter().enumerate() {
            let envelope = frame::envelope(head, seq, index, send);
            cell.open.push(Open::of(&envelope, kind.load.stamp(&envelope)));
            into.pending.insert(envelope.id, envelope);
        }
        if head.chat == head.conversation.user.private_chat() {
            let (kind, user) = (head.conversation.kind, head.conversation.user);
            into.learn(ReachFact { kind, user, lane: head.lane, reached: !head.blocked });
        }
        Ok(())
    }

    fn replay_step(&self, into: &mut Recovered, seq: Seq, step: &Step) -> Result<(), Corrupt> {
        for (index, part) in step.parts.iter().enumerate() {
            let Conversation { kind: kind_ix, user } = part.conversation;
            let kind = self.kinds.get(kind_ix.index()).ok_or(Corrupt::UnknownKind(seq, kind_ix))?;
            let update = step.update.filter(|_| index == 0);
            if let (Some((update, _)), Some(seen)) = (update, kind.seen.get(part.lane.index())) {
                seen.lock().insert(update);
            }
            let cell = self.cells.of(part.conversation);
            let mut cell = cell.lock();
            cell.state = kind.bot().evolve(&cell.state, &part.events).map_err(|e| Corrupt::Frame(seq, e))?;
            cell.version += 1;
            if cell.version != part.version {
                return Err(Corrupt::Version(seq, user, cell.version, part.version));
            }
            cell.ties().writes_on(part.conversation, part.chat, part.lane);
            for fact in &part.facts {
                cell.ties().apply(fact).map_err(|e| Corrupt::Frame(seq, e))?;
                if let (Fact::Paired(partner), Some(pairs)) = (fact, &kind.pairs) {
                    pairs.was_given(partner.pair);
                }
            }
            if let Some((_, blocked)) = update.filter(|_| part.chat == user.private_chat()) {
                into.learn(ReachFact { kind: kind_ix, user, lane: part.lane, reached: !blocked });
            }
        }
        let mut envelopes = step.envelopes();
        super::number(&mut envelopes, seq);
        self.pending.fetch_add(envelopes.len() as u64, Relaxed);
        for envelope in envelopes {
            if envelope.id.index() < RELAYED {
                let stamp = self.kinds[envelope.conversation.kind.index()].load.stamp(&envelope);
                self.cells.of(envelope.conversation).lock().open.push(Open::of(&envelope, stamp));
            }
            into.pending.insert(envelope.id, envelope);
        }
        Ok(())
    }

    /// Checks that every pair is known to both of its users: true after every frame that was durable.
    /// For the end of a replay; O(users).
    ///
    /// # Errors
    /// [`Corrupt::Pair`] for the first that is not; the process must not serve then.
    pub fn check_pairs(&self) -> Result<(), Corrupt> {
        for (who, cell) in self.cells.all() {
            let Meeting::Paired(partner) = cell.lock().meeting() else { continue };
            let other = self.cells.of(Conversation { user: partner.user, ..who });
            let mutual = match other.lock().meeting() {
                Meeting::Paired(back) => back.user == who.user && back.pair == partner.pair,
                _ => false,
            };
            if !mutual || partner.user == who.user {
                return Err(Corrupt::Pair(who.user, partner.user));
            }
        }
        Ok(())
    }
}
