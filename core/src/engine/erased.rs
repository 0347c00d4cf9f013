//! One type for all kinds: states and events cross as record bytes.
//!
//! What lives here: the adapter between [`Bot`], which has types of its own, and the engine, which holds
//! several kinds at once. A state is decoded, changed by `evolve` and encoded again; states are small.

use crate::bot::{Bot, Call, Echo, Input, Outcome, Outgoing, RenderView, Thread, Unrenderable, View, Want};
use crate::envelope::Payload;
use crate::record::{Malformed, Reader, Record, Write};
use core::time::Duration;
use std::sync::Arc;

/// A kind without its types.
pub(crate) trait ErasedBot: Send + Sync {
    /// Decides and evolves. `Ok(None)`: nothing happened and nothing is said.
    fn decide(&self, view: &View<'_>, state: &[u8], input: &Input<'_>) -> Result<Option<Effects>, Malformed>;

    /// The bot as this state of [`crate::bot::COMMON`] has it, if its kind has such settings.
    fn under(&self, common: &[u8]) -> Result<Option<Arc<dyn ErasedBot>>, Malformed>;

    /// How often one user may write, if the bot says so.
    fn rate(&self) -> Option<(u32, Duration)>;

    /// What a partner is shown of who has this state.
    fn card(&self, state: &[u8]) -> Result<Vec<u8>, Malformed>;

    /// Evolves a state by journaled events.
    fn evolve(&self, state: &[u8], events: &[u8]) -> Result<Box<[u8]>, Malformed>;

    fn thread(&self, payload: &Payload) -> Option<Thread>;

    fn echo(&self, payload: &Payload, outcome: Outcome) -> Option<Echo>;

    fn messages(&self, payload: &Payload) -> u8;

    fn render(&self, view: &RenderView, payload: &Payload) -> Result<Call, Unrenderable>;
}

/// What one decision changes.
pub(crate) struct Effects {
    pub state: Box<[u8]>,
    pub events: Vec<u8>,
    pub sends: Vec<Outgoing>,
    pub wants: Vec<Want>,
}

impl Effects {
    /// What is said to him, to his partner and elsewhere.
    pub(crate) fn sends(&self) -> impl Iterator<Item = &Outgoing> {
        let others = self.wants.iter().filter_map(|want| match want {
            Want::Relay { what, .. } | Want::Post { what, .. } => Some(what),
            _ => None,
        });
        self.sends.iter().chain(others)
    }

    /// No event: the state stays as it is.
    pub(crate) fn none(state: &[u8]) -> Self {
        Self { state: state.into(), events: vec![0], sends: Vec::new(), wants: Vec::new() }
    }
}

impl<B: Bot> ErasedBot for B {
    fn decide(&self, view: &View<'_>, state: &[u8], input: &Input<'_>) -> Result<Option<Effects>, Malformed> {
        let mut state = read_state::<B>(state)?;
        let decision = Bot::decide(self, view, &state, input);
        if decision.events.is_empty() && decision.sends.is_empty() && decision.wants.is_empty() {
            return Ok(None);
        }
        let mut events = Vec::new();
        events.put_varint(decision.events.len() as u64);
        for event in &decision.events {
            event.encode(&mut events);
            B::evolve(&mut state, event);
        }
        Ok(Some(Effects { state: bytes(&state), events, sends: decision.sends, wants: decision.wants }))
    }

    fn rate(&self) -> Option<(u32, Duration)> {
        Bot::rate(self)
    }

    fn card(&self, state: &[u8]) -> Result<Vec<u8>, Malformed> {
        Ok(B::card(&read_state::<B>(state)?))
    }

    fn evolve(&self, state: &[u8], events: &[u8]) -> Result<Box<[u8]>, Malformed> {
        let mut state = read_state::<B>(state)?;
        let mut r = Reader::new(events);
        for _ in 0..r.varint()? {
            B::evolve(&mut state, &B::Event::decode(&mut r)?);
        }
        if r.is_empty() { Ok(bytes(&state)) } else { Err(Malformed("trailing bytes in events")) }
    }

    fn under(&self, common: &[u8]) -> Result<Option<Arc<dyn ErasedBot>>, Malformed> {
        let bot = Bot::under(self, &read_state::<B>(common)?);
        Ok(bot.map(|bot| Arc::new(bot) as Arc<dyn ErasedBot>))
    }

    fn thread(&self, payload: &Payload) -> Option<Thread> {
        Bot::thread(self, payload)
    }

    fn echo(&self, payload: &Payload, outcome: Outcome) -> Option<Echo> {
        Bot::echo(self, payload, outcome)
    }

    fn messages(&self, payload: &Payload) -> u8 {
        Bot::messages(self, payload)
    }

    fn render(&self, view: &RenderView, payload: &Payload) -> Result<Call, Unrenderable> {
        Bot::render(self, view, payload)
    }
}

/// A user of whom nothing is kept yet has the default state; it is written as no bytes at all.
fn read_state<B: Bot>(state: &[u8]) -> Result<B::State, Malformed> {
    if state.is_empty() { Ok(B::State::default()) } else { B::State::from_bytes(state) }
}

fn bytes(state: &impl Record) -> Box<[u8]> {
    let mut out = Vec::with_capacity(32);
    state.encode(&mut out);
    out.into_boxed_slice()
}
