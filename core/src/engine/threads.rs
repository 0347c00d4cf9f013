//! Which message of one chat is which of the other, and who hears what came of a send.
//!
//! What lives here: how a [`Link`] is made of an answer and found again at the moment of sending; and echoes,
//! which wait until [`Engine::wake`] makes inputs of them. Links are durable; echoes are not: a stop between an
//! answer and its echo loses it.

use super::cell::Cell;
use super::links::{Link, Links};
use super::ties::Ties;
use super::turn::Turn;
use super::{Busy, Engine, Journal, Kind};
use crate::bot::{Echo, Input, Meeting, Outcome};
use crate::envelope::{Conversation, Envelope, Payload};
use crate::id::{KindIx, LaneIx, MessageId, PairNo};
use crate::limits::ECHOES_MAX;
use crate::sync::lock::Mutex;
use crate::time::Now;
use std::collections::VecDeque;

impl Ties {
    /// Remembers a link, if he is still where it belongs.
    pub(crate) fn link(&mut self, link: &Link) {
        let belongs = match self.meeting() {
            Meeting::Paired(partner) => partner.pair == link.pair,
            Meeting::Waiting { .. } => link.pair == PairNo(0),
            Meeting::Apart => false,
        };
        if belongs {
            self.links.add(link.here, link.there);
        }
    }
}

/// Echoes of one kind that nobody has heard yet.
#[derive(Default)]
pub(super) struct Echoes(Mutex<VecDeque<Echo>>);

impl Kind {
    pub(super) fn echoes_wait(&self) -> bool {
        !self.echoes.0.lock().is_empty()
    }
}

impl<J: Journal> Engine<J> {
    /// The platform's numbers of an envelope's messages, as links for [`Engine::settle_linked`]. None for most.
    #[must_use]
    pub fn links(&self, envelope: &Envelope, messages: &[MessageId]) -> Vec<Link> {
        let kind = self.kinds[envelope.conversation.kind.index()].bot();
        let Some(thread) = kind.thread(&envelope.payload) else { return Vec::new() };
        let (conversation, pair) = (envelope.conversation, thread.pair);
        let link = |(&there, &here)| Link { conversation, pair, here, there };
        thread.copies.iter().zip(messages).map(link).collect()
    }

    /// How many messages the platform makes of an envelope, at least one.
    #[must_use]
    pub fn messages(&self, envelope: &Envelope) -> u8 {
        self.kinds[envelope.conversation.kind.index()].bot().messages(&envelope.payload).max(1)
    }

    /// Notes what came of an envelope, if its kind wants someone to hear of it.
    pub fn came_of(&self, envelope: &Envelope, outcome: Outcome) {
        let kind = &self.kinds[envelope.conversation.kind.index()];
        if let Some(echo) = kind.bot().echo(&envelope.payload, outcome) {
            let mut echoes = kind.echoes.0.lock();
            if echoes.len() < ECHOES_MAX {
                echoes.push_back(echo);
            }
        }
    }

    /// The message in the receiver's chat that a payload speaks of.
    pub(super) fn refers(&self, to: Conversation, payload: &Payload) -> Option<MessageId> {
        let thread = self.kinds[to.kind.index()].bot().thread(payload)?;
        let message = thread.refers?;
        // One lock after the other: a link that comes meanwhile is for a later send.
        let look = |user, find: &dyn Fn(&Links) -> Option<MessageId>| {
            let cell = self.cells.of(Conversation { user, ..to });
            let cell = cell.lock();
            let ties = cell.ties.as_ref()?;
            let now_in = match ties.meeting() {
                Meeting::Paired(partner) => partner.pair,
                _ => PairNo(0),
            };
            find(&ties.links).filter(|_| now_in == thread.pair)
        };
        let received = look(to.user, &|links| links.here(message));
        received.or_else(|| look(thread.author, &|links| links.there(message)))
    }

    /// Lets those hear who are to; returns how many did.
    pub(super) fn hear(&self, now: Now, index: KindIx, at_most: usize) -> Result<usize, Busy> {
        let kind = &self.kinds[index.index()];
        for heard in 0..at_most {
            let Some(echo) = kind.echoes.0.lock().pop_front() else { return Ok(heard) };
            let conversation = Conversation { kind: index, user: echo.to };
            let lane = self.cells.of(conversation).lock().ties.as_ref().map_or(LaneIx(0), |ties| ties.lane);
            let turn = Turn {
                kind: index,
                user: echo.to,
                update: None,
                lane,
                chat: echo.to.private_chat(),
                language: "",
                input: &Input::Heard { note: &echo.note },
            };
            if let Err(busy) = self.take(now, &turn) {
                kind.echoes.0.lock().push_front(echo);
                return Err(busy);
            }
        }
        Ok(at_most)
    }
}

impl<J> Engine<J> {
    /// Remembers links whose frame has its place.
    pub(super) fn learn_links(&self, links: &[Link]) {
        for link in links {
            let cell = self.cells.of(link.conversation);
            let mut cell: crate::sync::lock::MutexGuard<'_, Cell> = cell.lock();
            if let Some(ties) = cell.ties.as_mut() {
                ties.link(link);
            }
        }
    }
}
