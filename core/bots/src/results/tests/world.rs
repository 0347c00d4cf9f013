//! One user, one bot, and an engine reduced to what the contract promises.

use crate::results::dataset::{
    Builder, Dataset, Field, FieldRole, Label, MarkColumn, MarkRole, NameSearch, Row, Schema,
};
use crate::results::{ResultsBot, Settings, Shelf, State};
use nobat_core::bot::{Action, Bot, Button, Call, Input, Meeting, Outgoing, RenderView, View, Waiting};
use nobat_core::id::{BotId, LaneIx, MessageId, UserId};
use nobat_core::record::Record;
use nobat_core::time::{Now, UnixMillis};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct World {
    pub(super) bot: ResultsBot,
    pub(super) shelf: Arc<Shelf>,
    pub(super) state: State,
    pub(super) user: UserId,
    pub(super) lane: u16,
    pub(super) lanes: u16,
    pub(super) now: UnixMillis,
    pub(super) released: bool,
    pub(super) wait: Duration,
    /// What was queued and not yet delivered, in order.
    pub(super) queue: Vec<Outgoing>,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        let shelf = Arc::new(Shelf::default());
        Self {
            bot: ResultsBot::new(settings, shelf.clone()),
            shelf,
            state: State::default(),
            user: UserId(5_000_000_001),
            lane: 0,
            lanes: 1,
            now: UnixMillis(1_000_000),
            released: true,
            wait: Duration::ZERO,
            queue: Vec::new(),
        }
    }

    /// With a data set of these pupils, marks by name as told.
    pub(super) fn with(pupils: &[(&str, &str, &str)], names: NameSearch) -> Self {
        let world = Self::new(Settings::default());
        world.shelf.put(Some(data_set(pupils, schema(names))));
        world
    }

    pub(super) fn give(&mut self, input: &Input<'_>) -> Vec<Outgoing> {
        let questions: Vec<u64> = self.queue.iter().map(|o| o.question).filter(|q| *q != 0).collect();
        let waiting = Waiting { questions: &questions, ahead: self.queue.len() as u32, wait: self.wait };
        let view = View {
            now: Now { wall: self.now, ..Now::default() },
            user: self.user,
            chat: self.user.private_chat(),
            lane: LaneIx(self.lane),
            lanes: self.lanes,
            language: "ar",
            waiting,
            released: self.released,
            received: Default::default(),
            census: Default::default(),
            meeting: Meeting::Apart,
        };
        let decision = self.bot.decide(&view, &self.state, input);
        for event in &decision.events {
            ResultsBot::evolve(&mut self.state, event);
        }
        let mut bytes = Vec::new();
        self.state.encode(&mut bytes);
        assert_eq!(State::from_bytes(&bytes).as_ref(), Ok(&self.state));
        self.queue.extend(decision.sends.iter().cloned());
        decision.sends
    }

    pub(super) fn text(&mut self, text: &str) -> Vec<Outgoing> {
        self.give(&Input::Text { text: Cow::Borrowed(text), message: MessageId(1), reply_to: None })
    }

    pub(super) fn press(&mut self, data: &str) -> Vec<Outgoing> {
        self.give(&Input::Callback { id: "77", data: Cow::Borrowed(data), message: Some(MessageId(9)) })
    }

    pub(super) fn render(&self, outgoing: &Outgoing) -> Call {
        let view = RenderView {
            now: Now { wall: self.now, ..Now::default() },
            user: self.user,
            chat: self.user.private_chat(),
            lane: LaneIx(self.lane),
            bot: BotId(1),
            refers: None,
        };
        self.bot.render(&view, &outgoing.payload).expect("what is queued can be said")
    }

    /// Delivers everything that waits.
    pub(super) fn deliver(&mut self) -> Vec<Call> {
        let queue = std::mem::take(&mut self.queue);
        queue.iter().map(|outgoing| self.render(outgoing)).collect()
    }

    /// Asks and delivers; the words of the only answer.
    pub(super) fn ask(&mut self, text: &str) -> String {
        self.text(text);
        let calls = self.deliver();
        assert_eq!(calls.len(), 1, "{calls:?}");
        words(&calls[0]).to_owned()
    }
}

pub(super) fn words(call: &Call) -> &str {
    match call {
        Call::Text { text, .. } | Call::EditText { text, .. } | Call::AnswerCallback { text, .. } => text,
        _ => "",
    }
}

pub(super) fn buttons(call: &Call) -> Vec<Button> {
    match call {
        Call::Text { keyboard, .. } | Call::EditText { keyboard, .. } => keyboard.concat(),
        _ => Vec::new(),
    }
}

pub(super) fn data(button: &Button) -> &str {
    match &button.action {
        Action::Callback(data) => data,
        Action::Url(_) => panic!("an address, not a callback"),
    }
}

pub(super) fn schema(names: NameSearch) -> Schema {
    let field = |ar: &str, en: &str, role| Field { label: Label::new(ar, en), role };
    let mark =
        |ar: &str, en: &str, role, pass| MarkColumn { label: Label::new(ar, en), role, max: None, pass };
    Schema {
        title: Label::new("نتائج 2026", "Results 2026"),
        names,
        fields: vec![
            field("المدرسة", "School", FieldRole::School),
            field("المحافظة", "Governorate", FieldRole::Governorate),
            field("النتيجة", "Result", FieldRole::Status),
        ],
        marks: vec![
            mark("الرياضيات", "Mathematics", MarkRole::Subject, Some(5_000)),
            mark("المعدل", "Average", MarkRole::Average, None),
        ],
        words: vec![("ناجح".into(), "Passed".into())],
        ..Schema::default()
    }
}

/// Pupils as (number, name, mark); a code is the number backwards.
pub(super) fn data_set(pupils: &[(&str, &str, &str)], schema: Schema) -> Dataset {
    let mut builder = Builder::new(schema).expect("a schema that can be served");
    for (i, (number, name, mark)) in pupils.iter().enumerate() {
        let code: String = number.chars().rev().collect();
        let (fields, marks) = (["ثانوية الرافدين", "بغداد", "ناجح"], [*mark, *mark]);
        let row = Row { line: i as u64, number, code: &code, name, fields: &fields, marks: &marks };
        builder.push(&row).expect("a row that can be shown");
    }
    Dataset::load(builder.finish().expect("no duplicates")).expect("a data set that was just made")
}
