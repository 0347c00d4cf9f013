//! Users, bots and a platform that accepts everything, around the real engine.

use nobat_bots::chat::{ChatBot, Settings};
use nobat_core::bot::{Action, Call, Input, Outcome, Payment, RenderView, Unrenderable};
use nobat_core::engine::{Detached, Ended, Engine, Entry, Inbound, Journal, Kind, Rank, Recovered};
use nobat_core::envelope::{DropReason, End, Envelope, Place, Route};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{BotId, KindIx, LaneIx, MessageId, Seq, UpdateId, UserId};
use nobat_core::matchmaker::{Rules, Size};
use nobat_core::time::{Nanos, Now, UnixMillis};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const LANES: u16 = 3;

/// A journal that is a list, and what is not delivered yet.
#[derive(Clone, Default)]
pub(crate) struct List {
    frames: Arc<Mutex<Vec<Vec<u8>>>>,
    out: Arc<Mutex<Vec<Envelope>>>,
}

impl Journal for List {
    type Room<'a> = ();
    fn reserve(&self, _: usize, _: Rank) -> Option<()> {
        Some(())
    }
    fn push(&self, (): (), mut entry: Entry) -> Seq {
        let mut frames = self.frames.lock().unwrap();
        let seq = Seq(frames.len() as u64 + 1);
        entry.number(seq);
        frames.push(entry.payload);
        self.out.lock().unwrap().append(&mut entry.envelopes);
        seq
    }
    fn tail(&self) -> Seq {
        Seq(self.frames.lock().unwrap().len() as u64)
    }
}

/// One user's screen: what each bot has said to him, oldest first.
pub(crate) type Screen = Vec<(u16, Call)>;

pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) engine: Engine<List>,
    pub(crate) millis: u64,
    pub(crate) screens: BTreeMap<u64, Screen>,
    /// The numbers of the last message in each chat: his own and the bot's.
    pub(crate) numbers: BTreeMap<u64, i64>,
    /// What the platform says to sends that it does not take.
    pub(crate) refuses: Option<DropReason>,
    /// Who is in which channel; where nothing is said, the platform cannot say.
    pub(crate) members: BTreeMap<(String, u64), bool>,
    /// The platform takes nothing: what is to be sent waits.
    pub(crate) stuck: bool,
    /// The numbers of the messages that told each of his last chat.
    pub(crate) told: BTreeMap<u64, i64>,
    updates: i64,
}

fn detached(settings: &Settings) -> Engine<Detached> {
    let size = Size { users: 64, pools: LANES, blocks: 256 };
    let rate = Rate::new(20, Duration::from_secs(10));
    let kind = Kind::new(ChatBot::new(settings.clone()), LANES, rate).with_pairs(Rules::default(), size);
    Engine::new(vec![kind], 7)
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        let engine = detached(&settings).attach(List::default());
        Self {
            settings,
            engine,
            millis: 1_000_000_000,
            screens: BTreeMap::new(),
            numbers: BTreeMap::new(),
            refuses: None,
            members: BTreeMap::new(),
            stuck: false,
            told: BTreeMap::new(),
            updates: 0,
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now { mono: Nanos::from_millis(self.millis), wall: UnixMillis(self.millis) }
    }

    pub(crate) fn give(&mut self, user: u64, lane: u16, input: Input<'_>) {
        self.updates += 1;
        let inbound = Inbound {
            kind: KindIx(0),
            lane: LaneIx(lane),
            update: UpdateId(self.updates),
            user: UserId(user),
            chat: UserId(user).private_chat(),
            language: "fa-IR",
            input,
        };
        self.engine.handle_update(self.now(), &inbound).expect("room");
        self.deliver();
    }

    /// He writes on the bot that is his: by his id.
    pub(crate) fn says(&mut self, user: u64, text: &str) {
        self.says_on(user, lane_of(user), text);
    }

    pub(crate) fn says_on(&mut self, user: u64, lane: u16, text: &str) {
        let message = self.number(user);
        self.wrote(user, lane, message.0, text);
    }

    /// A text of his comes that has this number.
    pub(crate) fn wrote(&mut self, user: u64, lane: u16, message: i64, text: &str) {
        let message = MessageId(message);
        self.give(user, lane, Input::Text { text: text.into(), message, reply_to: None });
    }

    /// He writes an answer to a message of his chat.
    pub(crate) fn answers(&mut self, user: u64, to: i64, text: &str) {
        let message = self.number(user);
        let reply_to = Some(MessageId(to));
        self.give(user, lane_of(user), Input::Text { text: text.into(), message, reply_to });
    }

    /// The next number of a chat.
    pub(crate) fn number(&mut self, user: u64) -> MessageId {
        let last = self.numbers.entry(user).or_insert(1_000 * user as i64);
        *last += 1;
        MessageId(*last)
    }

    pub(crate) fn presses(&mut self, user: u64, data: &str) {
        let input = Input::Callback { id: "77", data: data.into(), message: Some(MessageId(9)) };
        self.give(user, lane_of(user), input);
    }

    /// The data of the newest button on his screen whose data begins so.
    pub(crate) fn button(&self, user: u64, prefix: &str) -> Option<String> {
        let keyboards = self.screens.get(&user)?.iter().rev().filter_map(|(_, call)| match call {
            Call::Text { keyboard, .. } => Some(keyboard),
            _ => None,
        });
        keyboards.flatten().flatten().find_map(|button| match &button.action {
            Action::Callback(data) if data.starts_with(prefix) => Some(data.clone()),
            _ => None,
        })
    }

    /// He registers: `age` years, English, a man if his id is odd.
    pub(crate) fn joins(&mut self, user: u64, age: u8) {
        self.says(user, "/start");
        self.presses(user, "l:en");
        self.presses(user, if user % 2 == 1 { "g:1" } else { "g:2" });
        self.says(user, &age.to_string());
        assert!(self.last(user).starts_with("Your profile is complete"), "{}", self.last(user));
        self.pass(Duration::from_secs(10));
    }

    /// Time passes, and who is due is rung.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.millis + time.as_millis() as u64;
        while let Some(due) = self.engine.next_alarm().filter(|due| due.0 <= end * 1_000_000) {
            self.millis = self.millis.max(due.0.div_ceil(1_000_000));
            self.engine.wake(self.now(), 100).expect("room");
            self.deliver();
        }
        self.millis = end;
        self.deliver();
    }

    pub(crate) fn deliver(&mut self) {
        if self.stuck {
            return;
        }
        let out = std::mem::take(&mut *self.engine.journal().out.lock().unwrap());
        for envelope in out {
            self.show(&envelope);
        }
    }

    /// The platform refuses for good what waits for him and begins so.
    pub(crate) fn loses(&mut self, user: u64, beginning: &str) {
        let out = std::mem::take(&mut *self.engine.journal().out.lock().unwrap());
        let (lost, kept): (Vec<_>, Vec<_>) = out.into_iter().partition(|envelope| {
            let his = envelope.conversation.user == UserId(user);
            his && self.text_of(envelope).is_some_and(|text| text.starts_with(beginning))
        });
        assert_eq!(lost.len(), 1);
        lost.iter().for_each(|envelope| self.end(envelope, End::Dropped(DropReason::Rejected), &[]));
        self.engine.journal().out.lock().unwrap().extend(kept);
    }

    fn text_of(&self, envelope: &Envelope) -> Option<String> {
        let view = RenderView {
            now: self.now(),
            user: envelope.conversation.user,
            chat: envelope.chat,
            lane: LaneIx(0),
            bot: BotId(1),
            refers: None,
        };
        match self.engine.render(envelope.conversation.kind, &view, &envelope.payload) {
            Ok(Call::Text { text, .. }) => Some(text),
            _ => None,
        }
    }

    /// It was not sent, and will not be.
    pub(crate) fn gives_up(&mut self, envelope: &Envelope) {
        self.end(envelope, End::Dropped(DropReason::Stale), &[]);
    }

    /// What is to be sent and was not taken by anybody.
    pub(crate) fn take_out(&mut self) -> Vec<Envelope> {
        std::mem::take(&mut *self.engine.journal().out.lock().unwrap())
    }

    pub(crate) fn show(&mut self, envelope: &Envelope) {
        if envelope.deadline.is_some_and(|deadline| deadline < self.now().wall) {
            return self.end(envelope, End::Dropped(DropReason::Stale), &[]);
        }
        let Route::Pinned(lane) = envelope.route else { panic!("not pinned: {envelope:?}") };
        let conversation = envelope.conversation;
        assert_eq!(envelope.chat, conversation.user.private_chat());
        let view = RenderView {
            now: self.now(),
            user: conversation.user,
            chat: envelope.chat,
            lane,
            bot: BotId(u64::from(lane.0) + 1),
            refers: None,
        };
        let call = match self.engine.render(conversation.kind, &view, &envelope.payload) {
            Ok(call) => call,
            Err(Unrenderable::FORGOTTEN) => {
                return self.end(envelope, End::Dropped(DropReason::Unrenderable), &[]);
            }
            Err(other) => panic!("{other}"),
        };
        assert_eq!(
            envelope.place == Place::Call,
            matches!(
                call,
                Call::AnswerCallback { .. }
                    | Call::AnswerPreCheckout { .. }
                    | Call::RefundStars { .. }
                    | Call::React { .. }
                    | Call::Typing
                    | Call::IsMember { .. }
            )
        );
        if let Call::IsMember { channel, user } = &call {
            assert_eq!((envelope.place, *user), (Place::Call, conversation.user));
            let member = self.members.get(&(channel.clone(), user.0)).copied();
            let outcome = member.map_or(Outcome::Dropped(DropReason::Rejected), Outcome::Member);
            self.engine.came_of(envelope, outcome);
            let end = member.map_or(End::Dropped(DropReason::Rejected), |_| End::Sent);
            let ended = Ended { conversation, id: envelope.id, end };
            self.engine.settle(&[ended], &[]).expect("room");
            return self.screens.entry(conversation.user.0).or_default().push((lane.0, call));
        }
        let made = match &call {
            Call::Text { .. } | Call::Said { .. } | Call::Copy { .. } | Call::Invoice { .. } => 1,
            Call::CopyAlbum { messages, .. } => messages.len(),
            _ => 0,
        };
        if let (Some(reason), Call::Said { .. } | Call::Copy { .. }) = (self.refuses, &call) {
            return self.end(envelope, End::Dropped(reason), &[]);
        }
        let numbers: Vec<_> = (0..made).map(|_| self.number(conversation.user.0)).collect();
        if matches!(&call, Call::Text { text, .. } if text.starts_with("🎉 You have a partner")) {
            self.told.insert(conversation.user.0, numbers[0].0);
        }
        self.screens.entry(conversation.user.0).or_default().push((lane.0, call));
        self.end(envelope, End::Sent, &numbers);
    }

    /// What the outbound thread does with an answer.
    fn end(&mut self, envelope: &Envelope, end: End, numbers: &[MessageId]) {
        let outcome = match end {
            End::Sent => Outcome::Sent,
            End::Dropped(reason) => Outcome::Dropped(reason),
        };
        self.engine.came_of(envelope, outcome);
        let links = self.engine.links(envelope, numbers);
        let ended = Ended { conversation: envelope.conversation, id: envelope.id, end };
        self.engine.settle_linked(&[ended], &[], &links).expect("room");
    }

    /// The number of the last message of a chat.
    pub(crate) fn last_number(&self, user: u64) -> i64 {
        self.numbers[&user]
    }

    /// The last call that reached him.
    pub(crate) fn last_call(&self, user: u64) -> &Call {
        &self.screens[&user].last().expect("something").1
    }

    /// The process is killed after `kept` frames and starts again; what was pending is sent then.
    pub(crate) fn restart(&mut self, kept: usize) {
        let fresh = detached(&self.settings);
        let mut recovered = Recovered::default();
        let mut frames = self.engine.journal().frames.lock().unwrap().clone();
        frames.truncate(kept);
        for (i, payload) in frames.iter().enumerate() {
            fresh.replay(&mut recovered, Seq(i as u64 + 1), payload).expect("a legal prefix");
        }
        fresh.check_pairs().expect("both know, or neither");
        let list = List { frames: Arc::new(Mutex::new(frames)), out: Arc::default() };
        list.out.lock().unwrap().extend(recovered.take_pending());
        self.engine = fresh.attach(list);
        self.engine.resume(self.now()).expect("room");
        self.deliver();
    }

    pub(crate) fn frames(&self) -> usize {
        self.engine.journal().frames.lock().unwrap().len()
    }

    /// What he was told and not as an answer to a press, oldest first.
    pub(crate) fn heard(&self, user: u64) -> Vec<&str> {
        let calls = self.screens.get(&user).into_iter().flatten();
        calls
            .filter_map(|(_, call)| match call {
                Call::Text { text, .. } | Call::Said { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn last(&self, user: u64) -> &str {
        self.heard(user).last().copied().unwrap_or("")
    }

    /// The notice of the last press.
    pub(crate) fn notice(&self, user: u64) -> &str {
        let found = self.screens[&user].iter().rev().find_map(|(_, call)| match call {
            Call::AnswerCallback { text, .. } => Some(text.as_str()),
            _ => None,
        });
        found.unwrap_or("")
    }

    /// The newest invoice on his screen: its payload and its price.
    pub(crate) fn invoice(&self, user: u64) -> (String, u32) {
        let found = self.screens[&user].iter().rev().find_map(|(_, call)| match call {
            Call::Invoice { payload, stars, .. } => Some((payload.clone(), *stars)),
            _ => None,
        });
        found.expect("an invoice")
    }

    /// The platform's question before he pays this; the words of the refusal, empty for none.
    pub(crate) fn asks_to_pay(&mut self, user: u64, (payload, stars): &(String, u32)) -> String {
        let payment = Payment { charge: "", payload, stars: Some(*stars) };
        self.give(user, lane_of(user), Input::PreCheckout { id: "88", payment });
        match self.screens[&user].last() {
            Some((_, Call::AnswerPreCheckout { id, refusal })) if id == "88" => refusal.clone(),
            other => panic!("not an answer: {other:?}"),
        }
    }

    pub(crate) fn pays(&mut self, user: u64, charge: &str, (payload, stars): &(String, u32)) {
        let payment = Payment { charge, payload, stars: Some(*stars) };
        self.give(user, lane_of(user), Input::Paid(payment));
    }

    pub(crate) fn is_refunded(&mut self, user: u64, charge: &str, (payload, stars): &(String, u32)) {
        let payment = Payment { charge, payload, stars: Some(*stars) };
        self.give(user, lane_of(user), Input::Refunded(payment));
    }

    pub(crate) fn pair(&mut self, a: u64, b: u64) {
        self.says(a, "/find");
        self.says(b, "/find");
        assert!(self.last(a).starts_with("🎉") && self.last(b).starts_with("🎉"));
    }
}

/// The bot that a user writes to.
pub(crate) fn lane_of(user: u64) -> u16 {
    (user % u64::from(LANES)) as u16
}
