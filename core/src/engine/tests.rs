mod images;
mod shed;

use super::*;
use crate::bot::{Bot, Decision, Input, Outgoing, View};
use crate::envelope::{Class, End, Place, Route};
use crate::gate::rate::Rate;
use crate::id::{ChatId, LaneIx, UpdateId};
use crate::record::{Malformed, Reader, Record, Write};
use crate::sync::lock::Mutex;
use crate::time::{Nanos, Now, UnixMillis};
use core::time::Duration;
use proptest::prelude::*;
use std::sync::Arc;

mod meeting;
mod records;
#[cfg(shuttle)]
mod shuttle_storm;
mod talk;

/// Counts what it is told and echoes it; coalesces a repeat of what waits.
struct Echo;

#[derive(Clone, Default, Debug, PartialEq, Eq)]
struct Told(u64);

impl Record for Told {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_varint(self.0);
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(from.varint()?))
    }
}

impl Bot for Echo {
    type State = Told;
    type Event = Told;

    fn decide(&self, view: &View<'_>, _: &Told, input: &Input<'_>) -> Decision<Told> {
        let text = match input {
            Input::Text { text, .. } => text.as_ref(),
            Input::TooFast { .. } => "too fast",
            _ => return Decision::default(),
        };
        let question = text.len() as u64;
        if view.waiting.questions.contains(&question) {
            return Decision::default();
        }
        let payload = Payload { template: 1, args: text.as_bytes().into() };
        Decision {
            events: vec![Told(question)],
            sends: vec![Outgoing { question, ..Outgoing::reply(payload) }],
            wants: Vec::new(),
        }
    }

    fn evolve(state: &mut Told, event: &Told) {
        state.0 = state.0 * 31 + event.0;
    }

    fn render(&self, _: &RenderView, payload: &Payload) -> Result<Call, Unrenderable> {
        let text = String::from_utf8(payload.args.to_vec()).map_err(|_| Unrenderable("not UTF-8"))?;
        Ok(Call::Text { text, keyboard: Vec::new() })
    }
}

/// A journal that is a list; `room` frames may be reserved, the last `spare` of them by protected ones.
#[derive(Clone)]
struct List {
    frames: Arc<Mutex<Vec<Entry>>>,
    room: usize,
    spare: usize,
}

impl Journal for List {
    type Room<'a> = ();
    fn reserve(&self, _: usize, rank: Rank) -> Option<()> {
        let spare = if rank == Rank::Ordinary { self.spare } else { 0 };
        (self.frames.lock().len() + spare < self.room).then_some(())
    }
    fn push(&self, (): (), mut entry: Entry) -> Seq {
        let mut frames = self.frames.lock();
        let seq = Seq(frames.len() as u64 + 1);
        entry.number(seq);
        frames.push(entry);
        seq
    }
    fn tail(&self) -> Seq {
        Seq(self.frames.lock().len() as u64)
    }
}

fn detached() -> Engine<Detached> {
    Engine::new(vec![Kind::new(Echo, 3, Rate::new(10, Duration::from_secs(60)))], 7)
}

fn engine(room: usize) -> Engine<List> {
    detached().attach(List { frames: Arc::new(Mutex::new(Vec::new())), room, spare: 0 })
}

fn at(secs: u64) -> Now {
    Now { mono: Nanos::from_secs(secs), wall: UnixMillis(secs * 1000) }
}

fn text(update: i64, user: u64, text: &str) -> Inbound<'_> {
    Inbound {
        kind: KindIx(0),
        lane: LaneIx(0),
        update: UpdateId(update),
        user: UserId(user),
        chat: ChatId(user as i64),
        language: "ar",
        input: Input::Text { text: text.into(), message: crate::id::MessageId(1), reply_to: None },
    }
}

fn pushed(engine: &Engine<List>) -> Vec<Envelope> {
    engine.journal.frames.lock().iter().flat_map(|e| e.envelopes.clone()).collect()
}

#[test]
fn an_update_is_decided_once_and_its_repeat_waits_for_the_same_commit() {
    let e = engine(9);
    let first = e.handle_update(at(1), &text(5, 42, "hello")).unwrap();
    assert_eq!(first, Admitted { after: Seq(1), as_what: AdmittedAs::Decided });
    let again = e.handle_update(at(1), &text(5, 42, "hello")).unwrap();
    assert_eq!(again, Admitted { after: Seq(1), as_what: AdmittedAs::Duplicate });
    let sent = pushed(&e);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].id, EnvelopeId::new(Seq(1), 0));
    assert_eq!((sent[0].chat, sent[0].route), (ChatId(42), Route::Home));
}

#[test]
fn a_repeat_of_a_waiting_question_is_coalesced_until_it_is_in_flight() {
    let e = engine(9);
    e.handle_update(at(1), &text(1, 42, "same")).unwrap();
    assert_eq!(e.handle_update(at(1), &text(2, 42, "same")).unwrap().as_what, AdmittedAs::Quiet);
    let envelope = pushed(&e)[0].clone();
    e.dispatching(envelope.conversation, envelope.id);
    assert_eq!(e.handle_update(at(1), &text(3, 42, "same")).unwrap().as_what, AdmittedAs::Decided);
    e.requeued(envelope.conversation, envelope.id);
    assert_eq!(e.handle_update(at(1), &text(4, 42, "same")).unwrap().as_what, AdmittedAs::Quiet);
}

#[test]
fn over_the_rate_he_is_told_once() {
    let e = engine(99);
    let texts: Vec<String> = (21..=33).map(|n| "x".repeat(n)).collect();
    let became: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(i, t)| e.handle_update(at(1), &text(i as i64, 42, t)).unwrap().as_what)
        .collect();
    assert_eq!(became[..10], [AdmittedAs::Decided; 10]);
    assert_eq!(became[10..], [AdmittedAs::TooFast; 3]);
    let notices = pushed(&e).iter().filter(|s| &*s.payload.args == b"too fast").count();
    assert_eq!(notices, 1);
}

#[test]
fn a_press_over_the_rate_is_answered_without_words_each_time() {
    let e = engine(99);
    let press = |update: i64, id: &'static str| Inbound {
        input: Input::Callback { id, data: "x".into(), message: None },
        lane: LaneIx(2),
        ..text(update, 42, "")
    };
    (0..10).for_each(|update| {
        e.handle_update(at(1), &text(update, 42, &"x".repeat(20 + update as usize))).unwrap();
    });
    for (update, id) in [(10, "first"), (11, "second"), (12, "third")] {
        assert_eq!(e.handle_update(at(1), &press(update, id)).unwrap().as_what, AdmittedAs::TooFast);
    }
    assert_eq!(e.handle_update(at(1), &text(13, 42, "hello")).unwrap().as_what, AdmittedAs::TooFast);
    let sent = pushed(&e).split_off(10);
    assert_eq!(&*sent[0].payload.args, b"too fast", "he is told once");
    let lane = LaneIx(2);
    let bot = crate::id::BotId(0);
    let view = RenderView { user: UserId(42), chat: ChatId(42), lane, bot, now: at(2), refers: None };
    for (answer, id) in sent[1..].iter().zip(["first", "second", "third"]) {
        assert_eq!((answer.place, answer.route), (Place::Call, Route::Pinned(LaneIx(2))));
        assert_eq!(answer.class, Class::Urgent);
        let call = e.render(KindIx(0), &view, &answer.payload).unwrap();
        assert_eq!(call, Call::AnswerCallback { id: id.into(), text: String::new(), alert: false });
    }
    assert_eq!(sent.len(), 4);
    // Within the rate the bot answers, or not.
    assert_eq!(e.handle_update(at(100), &press(14, "later")).unwrap().as_what, AdmittedAs::Quiet);
}

#[test]
fn without_room_in_the_journal_nothing_changes_and_the_platform_may_deliver_again() {
    let mut e = engine(0);
    assert_eq!(e.handle_update(at(1), &text(1, 42, "hello")), Err(Busy::Journal));
    assert_eq!(e.pending(), 0);
    e.journal.room = 1;
    assert_eq!(e.handle_update(at(1), &text(1, 42, "hello")).unwrap().as_what, AdmittedAs::Decided);
}

#[test]
fn an_end_closes_its_envelope_once() {
    let e = engine(9);
    e.handle_update(at(1), &text(1, 42, "hello")).unwrap();
    let sent = pushed(&e)[0].clone();
    let ended = Ended { conversation: sent.conversation, id: sent.id, end: End::Sent };
    e.settle(&[ended], &[]).unwrap();
    e.settle(&[ended], &[]).unwrap();
    assert_eq!(e.pending(), 0);
}

#[test]
fn who_blocks_the_bot_stays_unreachable_after_a_restart() {
    let e = engine(9);
    e.handle_update(at(1), &text(1, 42, "hello")).unwrap();
    let blocked = Inbound { input: Input::Blocked, ..text(2, 42, "") };
    e.handle_update(at(2), &blocked).unwrap();
    let (_, recovered) = replayed(&e, 2);
    let facts: Vec<_> = recovered.reach().collect();
    assert_eq!(facts, [ReachFact { kind: KindIx(0), user: UserId(42), lane: LaneIx(0), reached: false }]);
}

#[test]
fn a_frame_that_was_lost_is_noticed_at_replay() {
    let e = engine(9);
    e.handle_update(at(1), &text(1, 42, "a")).unwrap();
    e.handle_update(at(1), &text(2, 42, "bb")).unwrap();
    let payload = e.journal.frames.lock()[1].payload.clone();
    let error = detached().replay(&mut Recovered::default(), Seq(2), &payload).unwrap_err();
    assert_eq!(error, Corrupt::Version(Seq(2), UserId(42), 1, 2));
}

/// A new engine that has replayed the first `n` frames.
fn replayed(of: &Engine<List>, n: usize) -> (Engine<Detached>, Recovered) {
    let fresh = detached();
    let mut recovered = Recovered::default();
    for (i, entry) in of.journal.frames.lock()[..n].iter().enumerate() {
        fresh.replay(&mut recovered, Seq(i as u64 + 1), &entry.payload).unwrap();
    }
    (fresh, recovered)
}

proptest! {
    /// Every durable prefix is a legal state: the live state is what its frames replay to, and the
    /// pending envelopes are those queued and not ended.
    #[test]
    fn the_journal_replays_to_the_live_state(
        ops in prop::collection::vec((0u64..4, 1usize..5, any::<bool>()), 1..40),
    ) {
        let e = engine(usize::MAX);
        for (i, (user, len, end)) in ops.into_iter().enumerate() {
            e.handle_update(at(i as u64 * 20), &text(i as i64, user, &"x".repeat(len))).unwrap();
            if end && let Some(first) = pushed(&e).iter().find(|p| p.conversation.user == UserId(user)) {
                e.settle(&[Ended { conversation: first.conversation, id: first.id, end: End::Sent }], &[]).unwrap();
            }
        }
        let n = e.journal.frames.lock().len();
        for prefix in 0..n {
            replayed(&e, prefix);
        }
        let (fresh, mut recovered) = replayed(&e, n);
        prop_assert_eq!(fresh.pending.load(Relaxed), e.pending());
        prop_assert_eq!(recovered.take_pending().count() as u64, e.pending());
        for user in 0..4 {
            let who = Conversation { kind: KindIx(0), user: UserId(user) };
            let (a, b) = (e.cells.of(who), fresh.cells.of(who));
            prop_assert_eq!(&a.lock().state, &b.lock().state);
            prop_assert_eq!(a.lock().version, b.lock().version);
        }
    }
}
