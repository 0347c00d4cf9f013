//! A bot whose answers say what was done: each names its question and how many of its user came before.

use nobat_core::bot::{Bot, Call, Decision, Input, Outgoing, RenderView, Unrenderable, View};
use nobat_core::envelope::Payload;
use nobat_core::record::{Malformed, Reader, Record, Write};

/// Counts what it is told. A text that begins with `?` is answered, any other only counts: like money.
pub(crate) struct Counter;

#[derive(Clone, Default)]
pub(crate) struct Count(pub(crate) u64);

impl Record for Count {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_varint(self.0);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(from.varint()?))
    }
}

impl Bot for Counter {
    type State = Count;
    type Event = ();

    fn decide(&self, _: &View<'_>, state: &Count, input: &Input<'_>) -> Decision<()> {
        let Input::Text { text, .. } = input else { return Decision::default() };
        let mut sends = Vec::new();
        if let Some(question) = text.strip_prefix('?') {
            let mut args = Vec::new();
            args.put_varint(question.parse().unwrap_or(u64::MAX));
            args.put_varint(state.0 + 1);
            sends.push(Outgoing::reply(Payload { template: 1, args: args.into() }));
        }
        Decision { events: vec![()], sends, wants: Vec::new() }
    }

    fn evolve(state: &mut Count, (): &()) {
        state.0 += 1;
    }

    fn render(&self, _: &RenderView, _: &Payload) -> Result<Call, Unrenderable> {
        Err(Unrenderable("the simulation reads payloads"))
    }
}

/// What an answer says: its question, and the count after it.
pub(crate) fn read(payload: &Payload) -> (u64, u64) {
    let mut r = Reader::new(&payload.args);
    (r.varint().expect("a question"), r.varint().expect("a count"))
}
