//! A kind that registers people and counts what they ask: for the tables that no kind of this version fills.
//!
//! `name=value` answers a question of the registration, `confirm` confirms it, `?` uses up one of his questions.

use nobat::disk::io::FsDirectory;
use nobat::disk::{Journal, Options};
use nobat::records::{Open, Projector, Turn};
use nobat::recovery;
use nobat_core::bot::records::{Quota, Registration, Row, Standing};
use nobat_core::bot::{Bot, Call, Decision, Input, Moment, RenderView, Unrenderable, View};
use nobat_core::engine::records::{Recorded, Recorder};
use nobat_core::engine::{Engine, Entry, Inbound, Kind, Rank};
use nobat_core::envelope::Payload;
use nobat_core::gate::rate::Rate;
use nobat_core::id::{BotId, ChatId, KindIx, LaneIx, MessageId, Seq, UpdateId, UserId};
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::{Nanos, Now, UnixMillis};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// 2027-01-15T08:00:00Z.
pub(crate) const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

struct Clerk;

/// What stands, and what happened, whole.
#[derive(Clone, Default)]
struct Desk {
    registration: Option<Registration>,
    quota: Option<Quota>,
}

enum Happened {
    Registered(Registration),
    Asked(Quota),
}

impl Record for Desk {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(u8::from(self.registration.is_some()) | u8::from(self.quota.is_some()) << 1);
        self.registration.iter().for_each(|it| it.encode(out));
        self.quota.iter().for_each(|it| it.encode(out));
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let has = from.u8()?;
        let registration = if has & 1 == 0 { None } else { Some(Registration::decode(from)?) };
        let quota = if has & 2 == 0 { None } else { Some(Quota::decode(from)?) };
        Ok(Self { registration, quota })
    }
}

impl Record for Happened {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Registered(it) => {
                out.put_u8(1);
                it.encode(out);
            }
            Self::Asked(it) => {
                out.put_u8(2);
                it.encode(out);
            }
        }
    }
    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.u8()? {
            1 => Registration::decode(from).map(Self::Registered),
            2 => Quota::decode(from).map(Self::Asked),
            _ => Err(Malformed("an unknown event")),
        }
    }
}

impl Bot for Clerk {
    type State = Desk;
    type Event = Happened;

    fn decide(&self, view: &View<'_>, state: &Desk, input: &Input<'_>) -> Decision<Happened> {
        let (Input::Text { text, .. }, now) = (input, view.now.wall) else { return Decision::default() };
        let mut it = state.registration.clone().unwrap_or(Registration {
            subject: "physics".into(),
            started_at: now,
            ..Registration::default()
        });
        it.changed_at = now;
        let event = match text.split_once('=') {
            None if text == "?" => {
                let used = state.quota.as_ref().map_or(0, |quota| quota.used) + 1;
                let (quota, tier) = ("questions_a_day".into(), "free".into());
                Happened::Asked(Quota {
                    quota,
                    tier,
                    used,
                    allowed: 5,
                    resets_at: now.after(DAY),
                    changed_at: now,
                })
            }
            None => Happened::Registered(Registration {
                standing: Standing::Confirmed,
                stage: "done".into(),
                ..it
            }),
            Some((name, value)) => {
                it.stage = name.into();
                match name {
                    "first_name" => it.first_name = value.into(),
                    "last_name" => it.last_name = value.into(),
                    _ => it.mobile = value.into(),
                }
                Happened::Registered(it)
            }
        };
        Decision { events: vec![event], ..Decision::default() }
    }

    fn evolve(state: &mut Desk, event: &Happened) {
        match event {
            Happened::Registered(it) => state.registration = Some(it.clone()),
            Happened::Asked(it) => state.quota = Some(it.clone()),
        }
    }

    fn noted(moment: &Moment<'_, Self>, out: &mut Vec<Row>) {
        out.push(match moment.event {
            Happened::Registered(it) => it.row(),
            Happened::Asked(it) => it.row(),
        });
    }

    fn remembered(_: UserId, state: &Desk, out: &mut Vec<Row>) {
        out.extend(state.registration.iter().map(Registration::row));
        out.extend(state.quota.iter().map(Quota::row));
    }

    fn render(&self, _: &RenderView, _: &Payload) -> Result<Call, Unrenderable> {
        Err(Unrenderable("it never says anything"))
    }
}

/// Frames on their way to the disk.
#[derive(Default)]
struct List(Mutex<Vec<Vec<u8>>>);

impl nobat_core::engine::Journal for List {
    type Room<'a> = ();
    fn reserve(&self, _: usize, _: Rank) -> Option<()> {
        Some(())
    }
    fn push(&self, (): (), entry: Entry) -> Seq {
        let mut frames = self.0.lock().expect("frames");
        frames.push(entry.payload);
        Seq(frames.len() as u64)
    }
    fn tail(&self) -> Seq {
        Seq(self.0.lock().expect("frames").len() as u64)
    }
}

/// What some users said, one a second, journaled in `dir` as `serve` does. The last frame.
pub(crate) fn said(dir: &Path, lines: &[(u64, &str)]) -> Seq {
    let kind = Kind::new(Clerk, 1, Rate::new(256, Duration::from_secs(1)));
    let files = Arc::new(FsDirectory::new(dir));
    let opened = recovery::recover(files, &Options::new(dir), 7, None, Engine::new(vec![kind], 7));
    let opened = opened.expect("a new journal");
    let (engine, mut journal): (_, Journal) = (opened.engine.attach(List::default()), opened.journal);
    for (update, (user, line)) in (1..).zip(lines) {
        let now = Now { mono: Nanos::from_secs(update), wall: UnixMillis(NOW.0 + (update - 1) * 1000) };
        let input = Input::Text { text: (*line).into(), message: MessageId(1), reply_to: None };
        let (kind, lane, chat) = (KindIx(0), LaneIx(0), ChatId(*user as i64));
        let (update, user) = (UpdateId(update as i64), UserId(*user));
        let inbound = Inbound { kind, lane, update, user, chat, language: "fa", input };
        engine.handle_update(now, &inbound).expect("room");
    }
    for frame in &*engine.journal().0.lock().expect("frames") {
        journal.append(frame).expect("written");
    }
    Seq(journal.next_seq() - 1)
}

/// Brings a database level with that journal.
pub(crate) fn project(dir: &Path, last: Seq, open: Open) {
    let recorder = Recorder::new(vec![Recorded::new::<Clerk>("clerk", vec![BotId(1_000_001)])]);
    let mut projector = Projector::new(recorder, Arc::new(FsDirectory::new(dir)), open);
    while projector.turn(last, NOW).expect("a turn") != Turn::Level {}
}

/// Two people register and one of them asks.
pub(crate) const LINES: &[(u64, &str)] = &[
    (7, "first_name=سارا"),
    (7, "last_name=احمدی"),
    (8, "first_name=Omid"),
    (7, "mobile=09123456789"),
    (7, "confirm"),
    (7, "?"),
    (7, "?"),
];
