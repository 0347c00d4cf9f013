//! A life in a real data directory: what a version writes, and what the next one finds.

use nobat::disk::io::FsDirectory;
use nobat::disk::{Journal as Disk, Options, follow, snapshot};
use nobat::recovery::{self, RecoveryError};
use nobat_bots::chat::{ChatBot, Gave, Offer, Settings as ChatSettings, Shop};
use nobat_bots::results::{ResultsBot, Settings as ResultsSettings, Shelf};
use nobat_core::bot::{Call, Input, Outcome, Payment, RenderView};
use nobat_core::engine::{Detached, Ended, Engine, Entry, Inbound, Journal, Kind, Rank};
use nobat_core::envelope::{End, Envelope, Route};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{BotId, KindIx, LaneIx, MessageId, Seq, UpdateId, UserId};
use nobat_core::matchmaker::{Rules, Size};
use nobat_core::time::{Nanos, Now, UnixMillis};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A fixed salt and a fixed day, so that a version writes the same bytes again.
const SALT: u64 = 0x676f_6c64_656e;
const DAY: u64 = 1_800_000_000_000;

/// Bytes of a segment: small files.
const SEGMENT_BYTES: u64 = 8 << 10;

/// Frames on their way to the disk, and envelopes on their way to users.
#[derive(Clone, Default)]
pub(crate) struct List {
    written: u64,
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
        let seq = Seq(self.written + frames.len() as u64 + 1);
        entry.number(seq);
        frames.push(entry.payload);
        self.out.lock().unwrap().append(&mut entry.envelopes);
        seq
    }
    fn tail(&self) -> Seq {
        Seq(self.written + self.frames.lock().unwrap().len() as u64)
    }
}

pub(crate) fn kinds(kind: &str) -> Vec<Kind> {
    let rate = Rate::new(256, Duration::from_secs(1));
    if kind == "results" {
        let bot = ResultsBot::new(ResultsSettings::default(), Arc::new(Shelf::default()));
        return vec![Kind::new(bot, 3, rate)];
    }
    let credits = vec![Offer { gives: Gave::Credits(5), stars: 50 }];
    let settings = ChatSettings { shop: Shop { credits, ..Shop::default() }, ..ChatSettings::default() };
    let size = Size { users: 64, pools: 1, blocks: 256 };
    vec![Kind::new(ChatBot::new(settings), 3, rate).with_pairs(Rules::default(), size)]
}

/// One process.
pub(crate) struct Life {
    pub(crate) engine: Engine<List>,
    /// It began with a snapshot.
    pub(crate) snapshot: bool,
    disk: Disk,
    updates: i64,
    millis: u64,
    numbers: i64,
    heard: BTreeMap<u64, Vec<String>>,
    /// Whether what is said reaches anyone.
    delivers: bool,
}

impl Life {
    pub(crate) fn begin(kind: &str, dir: &Path) -> Self {
        Self::try_begin(kinds(kind), dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
    }

    pub(crate) fn try_begin(kinds: Vec<Kind>, dir: &Path) -> Result<Self, RecoveryError> {
        let engine: Engine<Detached> = Engine::new(kinds, 7);
        let options = Options { segment_bytes: SEGMENT_BYTES, spare_ahead: false, ..Options::new(dir) };
        let found = recovery::recover(Arc::new(FsDirectory::new(dir)), &options, SALT, None, engine)?;
        let list = List { written: found.journal.next_seq() - 1, ..List::default() };
        let (engine, disk) = (found.engine.attach(list), found.journal);
        let snapshot = found.loaded.header.is_some();
        let updates = 1_000 * disk.next_seq() as i64;
        let life = Self {
            engine,
            snapshot,
            disk,
            updates,
            millis: DAY,
            numbers: 100,
            heard: BTreeMap::new(),
            delivers: true,
        };
        life.engine.resume(life.now()).expect("room");
        Ok(life)
    }

    fn now(&self) -> Now {
        Now { mono: Nanos::from_millis(self.millis - DAY + 1), wall: UnixMillis(self.millis) }
    }

    /// Frames of this life.
    pub(crate) fn frames(&self) -> usize {
        self.engine.journal().frames.lock().unwrap().len()
    }

    pub(crate) fn heard(&self, user: u64) -> Vec<String> {
        self.heard.get(&user).cloned().unwrap_or_default()
    }

    fn give(&mut self, update: i64, user: u64, input: Input<'_>) {
        self.millis += 1_000;
        let inbound = Inbound {
            kind: KindIx(0),
            lane: LaneIx((user % 3) as u16),
            update: UpdateId(update),
            user: UserId(user),
            chat: UserId(user).private_chat(),
            language: "en",
            input,
        };
        self.engine.handle_update(self.now(), &inbound).expect("room");
        let out = std::mem::take(&mut *self.engine.journal().out.lock().unwrap());
        if self.delivers {
            out.iter().for_each(|envelope| self.deliver(envelope));
        }
    }

    fn next(&mut self) -> i64 {
        self.updates += 1;
        self.updates
    }

    pub(crate) fn says(&mut self, user: u64, text: &str) {
        let update = self.next();
        self.numbers += 1;
        let message = MessageId(self.numbers);
        self.give(update, user, Input::Text { text: text.into(), message, reply_to: None });
    }

    /// An update of this number, whatever it says.
    pub(crate) fn asks_again(&mut self, update: i64, user: u64) {
        self.give(update, user, Input::Text { text: "/help".into(), message: MessageId(1), reply_to: None });
    }

    fn presses(&mut self, user: u64, data: &str) {
        let update = self.next();
        self.give(update, user, Input::Callback { id: "7", data: data.into(), message: Some(MessageId(9)) });
    }

    pub(crate) fn pays(&mut self, user: u64, charge: &str) {
        let update = self.next();
        let payment = Payment { charge, payload: "credits:5:50", stars: Some(50) };
        self.give(update, user, Input::Paid(payment));
    }

    /// He registers.
    pub(crate) fn joins(&mut self, user: u64) {
        self.says(user, "/start");
        self.presses(user, "l:en");
        self.presses(user, if user.is_multiple_of(2) { "g:2" } else { "g:1" });
        self.says(user, "30");
    }

    /// The platform takes it and numbers it.
    fn deliver(&mut self, envelope: &Envelope) {
        let conversation = envelope.conversation;
        let lane = match envelope.route {
            Route::Pinned(lane) => lane,
            _ => envelope.arrived_on,
        };
        let (user, chat) = (conversation.user, envelope.chat);
        let view =
            RenderView { now: self.now(), user, chat, lane, bot: BotId(u64::from(lane.0) + 1), refers: None };
        let call = self.engine.render(conversation.kind, &view, &envelope.payload).expect("its words");
        if let Call::Text { text, .. } | Call::Said { text, .. } = call {
            self.heard.entry(user.0).or_default().push(text);
        }
        self.engine.came_of(envelope, Outcome::Sent);
        self.numbers += 1;
        let links = self.engine.links(envelope, &[MessageId(self.numbers)]);
        let ended = Ended { conversation, id: envelope.id, end: End::Sent };
        self.engine.settle_linked(&[ended], &[], &links).expect("room");
    }

    /// Everything to the disk.
    fn commit(&mut self) {
        let frames = std::mem::take(&mut *self.engine.journal().frames.lock().unwrap());
        for frame in &frames {
            self.disk.append(frame).expect("written");
        }
    }
}

/// What happens in a golden directory.
pub(crate) mod at_work {
    use super::Life;

    /// Who wrote to the results bot, update by update, numbered from 1.
    pub(crate) const RESULTS_USERS: [u64; 8] = [1, 2, 3, 4, 5, 6, 1, 2];

    pub(super) fn first(kind: &str, life: &mut Life) {
        if kind == "results" {
            life.updates = 0;
            (1..=5).for_each(|user| life.says(user, "/start"));
            return;
        }
        (1..=6).for_each(|user| life.joins(user));
        life.says(1, "/find");
        life.says(2, "/find");
        life.says(1, "hello, who are you?");
        life.pays(3, "charge-1");
        life.says(5, "/find");
        life.says(6, "/find");
        let block = "/block";
        life.says(5, block);
    }

    pub(super) fn second(kind: &str, life: &mut Life) {
        if kind == "results" {
            life.updates = 5;
            // Whose answers are never sent: a greeting, and two numbers noted, each to be told at the hour.
            life.delivers = false;
            life.says(6, "/start");
            life.says(1, "11000001");
            life.says(2, "12000002");
            return;
        }
        life.says(2, "nobody");
        life.says(4, "/find");
    }
}

/// Writes a data directory: a sealed segment with a snapshot behind it, and the segment of a process that was
/// killed.
pub(crate) fn write(kind: &str, dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    let mut life = Life::begin(kind, dir);
    at_work::first(kind, &mut life);
    life.commit();
    life.disk.seal().unwrap();
    drop(life);
    let mut life = Life::begin(kind, dir);
    let files = FsDirectory::new(dir);
    let due = follow::due(&files).unwrap().expect("a sealed segment");
    recovery::snapshot(&files, &life.engine, &due, UnixMillis(DAY), &mut |_| Ok(())).unwrap();
    snapshot::prune(&files).unwrap();
    at_work::second(kind, &mut life);
    life.commit();
}
