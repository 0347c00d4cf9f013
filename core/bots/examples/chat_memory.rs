//! What the anonymous chat keeps in memory: bytes a registered user, a waiting one, a pair, a pair that has talked.
//!
//! `cargo run --release -p nobat-bots --example chat_memory [USERS]` (20,000). Each case is a process of its own
//! around the real engine and the real bot, on a journal that forgets: the growth of its resident memory, so that
//! what the allocator takes besides is counted too. What is being sent is not: every message has its end at once.

#![expect(clippy::disallowed_macros, reason = "it prints what it measures")]

use nobat_bots::chat::{ChatBot, Gender, Language, Person, Settings};
use nobat_core::bot::{Call, Input, RenderView};
use nobat_core::engine::{Detached, Ended, Engine, Entry, Inbound, Journal, Kind, Rank};
use nobat_core::envelope::{End, Envelope};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{BotId, KindIx, LaneIx, MessageId, Seq, UpdateId, UserId};
use nobat_core::matchmaker::{Rules, Size};
use nobat_core::record::Record;
use nobat_core::time::{Nanos, Now, UnixMillis};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Messages of each direction of a chat that can be answered; with so many the memory of a pair is full.
const TALK: u64 = 70;
const LANES: u16 = 17;
/// Asks how many wait and talk.
const ADMIN: u64 = 1 << 40;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Takes everything and keeps what is to be sent until it is asked for.
#[derive(Default)]
struct Forgetful {
    frames: AtomicU64,
    out: Mutex<Vec<Envelope>>,
}

impl Journal for Forgetful {
    type Room<'a> = ();
    fn reserve(&self, _: usize, _: Rank) -> Option<()> {
        Some(())
    }
    fn push(&self, (): (), mut entry: Entry) -> Seq {
        let seq = Seq(self.frames.fetch_add(1, Ordering::Relaxed) + 1);
        entry.number(seq);
        self.out.lock().expect("no panic").append(&mut entry.envelopes);
        seq
    }
    fn tail(&self) -> Seq {
        Seq(self.frames.load(Ordering::Relaxed))
    }
}

struct World {
    engine: Engine<Forgetful>,
    millis: u64,
    updates: i64,
    numbers: i64,
    /// What the administrator was told last.
    told: String,
}

impl World {
    fn new(users: u32) -> Self {
        let size = Size { users, pools: 1, blocks: users };
        let rate = Rate::new(64, Duration::from_secs(10));
        let kind = Kind::new(
            ChatBot::new(Settings { admins: vec![UserId(ADMIN)], ..Settings::default() }),
            LANES,
            rate,
        )
        .with_pairs(Rules::default(), size);
        let engine: Engine<Detached> = Engine::new(vec![kind], 7);
        Self {
            engine: engine.attach(Forgetful::default()),
            millis: 1_000_000,
            updates: 0,
            numbers: 1_000,
            told: String::new(),
        }
    }

    fn give(&mut self, user: u64, input: impl FnOnce(MessageId) -> Input<'static>) {
        (self.updates, self.numbers) = (self.updates + 1, self.numbers + 1);
        let now = Now { mono: Nanos::from_millis(self.millis), wall: UnixMillis(self.millis) };
        let inbound = Inbound {
            kind: KindIx(0),
            lane: LaneIx((user % u64::from(LANES)) as u16),
            update: UpdateId(self.updates),
            user: UserId(user),
            chat: UserId(user).private_chat(),
            language: "en",
            input: input(MessageId(self.numbers)),
        };
        self.engine.handle_update(now, &inbound).expect("room");
        self.deliver();
    }

    fn says(&mut self, user: u64, text: &'static str) {
        self.give(user, |message| Input::Text { text: text.into(), message, reply_to: None });
    }

    /// The platform takes everything at once.
    fn deliver(&mut self) {
        let out = std::mem::take(&mut *self.engine.journal().out.lock().expect("no panic"));
        for envelope in out {
            self.numbers += 1;
            if envelope.conversation.user == UserId(ADMIN) {
                self.hear(&envelope);
            }
            let links = self.engine.links(&envelope, &[MessageId(self.numbers)]);
            let ended = Ended { conversation: envelope.conversation, id: envelope.id, end: End::Sent };
            self.engine.settle_linked(&[ended], &[], &links).expect("room");
        }
    }

    fn hear(&mut self, envelope: &Envelope) {
        let now = Now { mono: Nanos::from_millis(self.millis), wall: UnixMillis(self.millis) };
        let (user, chat) = (UserId(ADMIN), envelope.chat);
        let view = RenderView { now, user, chat, lane: LaneIx(0), bot: BotId(1), refers: None };
        if let Ok(Call::Text { text, .. }) = self.engine.render(KindIx(0), &view, &envelope.payload) {
            self.told = text;
        }
    }

    /// How many wait and talk, by the bot's own word.
    fn census(&mut self) -> Vec<u64> {
        self.says(ADMIN, "/stats");
        let words = self.told.split(|c: char| !c.is_ascii_digit());
        words.filter_map(|word| word.parse().ok()).collect()
    }

    /// Somebody with a profile, who is a VIP: only these choose whom they meet.
    fn knows(&mut self, user: u64) {
        let vip_until = UnixMillis(self.millis).after(DAY * 30);
        let (gender, language) = (Some(Gender::Male), Some(Language::English));
        let person = Person { gender, age: 30, language, vip_until, ..Person::default() };
        let now = Now { mono: Nanos::from_millis(self.millis), wall: UnixMillis(self.millis) };
        self.engine
            .import(now, KindIx(0), UserId(user), &{
                let mut record = Vec::new();
                person.encode(&mut record);
                record
            })
            .expect("room");
        self.deliver();
    }
}

/// Resident memory in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// Prints a case; its figures are differences between its steps.
fn measure(case: &str, users: u64) {
    let mut world = World::new(users as u32 + 1);
    // What is made at the first of everything belongs to nobody.
    world.knows(users + 1);
    let people = || 1..=users;
    let before = resident();
    people().for_each(|user| world.knows(user));
    let known = resident();
    let each = |from: u64, to: u64, of: u64| to.saturating_sub(from) as f64 / of as f64;
    if case == "waiting" {
        println!("{:<44} {:>8.0} bytes", "a registered user", each(before, known, users));
        // Men who look for women: there are none, so everybody waits.
        for user in people() {
            world.give(user, |message| Input::Callback {
                id: "7",
                data: "w:2".into(),
                message: Some(message),
            });
        }
        let known = resident();
        people().for_each(|user| world.says(user, "/find"));
        println!("{:<44} {:>8.0} bytes", "... who waits, besides", each(known, resident(), users));
        assert_eq!(world.census()[1..3], [users, 0], "not everybody waits: {}", world.told);
        return;
    }
    people().for_each(|user| world.says(user, "/find"));
    let paired = resident();
    println!("{:<44} {:>8.0} bytes", "a pair, besides its two users", each(known, paired, users / 2));
    assert_eq!(world.census()[1..3], [0, users], "not everybody has a partner: {}", world.told);
    for _ in 0..TALK {
        world.millis += 2_000;
        people().for_each(|user| world.says(user, "hello, how are you?"));
    }
    let name = format!("... of whom each has said {TALK} messages, besides");
    println!("{name:<44} {:>8.0} bytes", each(paired, resident(), users / 2));
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let users: u64 = arguments.next().and_then(|users| users.parse().ok()).unwrap_or(20_000);
    // Nobody is left over.
    let users = users / 2 * 2;
    if let Some(case) = arguments.next() {
        measure(&case, users);
        return ExitCode::SUCCESS;
    }
    println!("{users} users");
    let run = |case: &str| {
        let program = std::env::current_exe()?;
        Command::new(program).args([&users.to_string(), case]).status()
    };
    let passed = ["waiting", "pairs"].map(|case| run(case).is_ok_and(|status| status.success()));
    ExitCode::from(u8::from(passed.contains(&false)))
}
