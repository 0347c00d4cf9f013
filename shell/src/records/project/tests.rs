use super::super::Sqlite;
use super::*;
use crate::disk::io::FsDirectory;
use crate::disk::{Journal, Options, follow, snapshot};
use crate::recovery;
use nobat_bots::chat::{ChatBot, Settings};
use nobat_core::bot::records::{PAYMENTS, SUBSCRIPTIONS, TABLES, USERS};
use nobat_core::bot::{Input, Payment};
use nobat_core::engine::records::Recorded;
use nobat_core::engine::{Engine, Entry, Inbound, Kind};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{BotId, ChatId, KindIx, LaneIx, MessageId, UpdateId, UserId};
use nobat_core::matchmaker::{Rules, Size};
use nobat_core::time::{Nanos, Now};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

/// A journal in memory, in front of the one on disk.
struct List {
    frames: Mutex<Vec<Vec<u8>>>,
    next: Seq,
}

impl nobat_core::engine::Journal for List {
    type Room<'a> = ();
    fn reserve(&self, _: usize, _: nobat_core::engine::Rank) -> Option<()> {
        Some(())
    }
    fn push(&self, (): (), entry: Entry) -> Seq {
        let mut frames = self.frames.lock().unwrap();
        frames.push(entry.payload);
        Seq(self.next.0 + frames.len() as u64 - 1)
    }
    fn tail(&self) -> Seq {
        Seq(self.next.0 + self.frames.lock().unwrap().len() as u64 - 1)
    }
}

/// A chat bot with its data directory, as `serve` has it, but without a socket or a thread.
struct Life {
    engine: Engine<List>,
    journal: Journal,
    written: usize,
    dir: Arc<FsDirectory>,
    at: u64,
}

/// What someone does. Each is another update.
#[derive(Clone, Copy, Debug)]
enum Act {
    Writes,
    Pays(u8),
    GetsBack(u8),
    Blocks,
}

impl Life {
    fn open(path: &Path, round: u64) -> Life {
        let size = Size { users: 1000, pools: 1, blocks: 1000 };
        let rate = Rate::new(256, Duration::from_secs(1));
        let kind = Kind::new(ChatBot::new(Settings::default()), 2, rate).with_pairs(Rules::default(), size);
        let dir = Arc::new(FsDirectory::new(path));
        let options = Options { segment_bytes: 4096 + 1200, spare_ahead: false, ..Options::new(path) };
        let opened =
            recovery::recover(dir.clone(), &options, 7 + round, None, Engine::new(vec![kind], 7)).unwrap();
        let next = opened.journal.next_seq();
        let list = List { frames: Mutex::default(), next: Seq(next) };
        let engine = opened.engine.attach(list);
        Life { engine, journal: opened.journal, written: 0, dir, at: 1000 * round }
    }

    fn act(&mut self, user: u64, act: Act) {
        self.at += 1;
        let charge;
        let payment = |charge| Payment { charge, payload: "vip:30:300", stars: Some(300) };
        let input = match act {
            Act::Writes => Input::Text { text: "/start".into(), message: MessageId(1), reply_to: None },
            Act::Pays(n) => {
                charge = format!("charge {user}/{n}");
                Input::Paid(payment(&charge))
            }
            Act::GetsBack(n) => {
                charge = format!("charge {user}/{n}");
                Input::Refunded(payment(&charge))
            }
            Act::Blocks => Input::Blocked,
        };
        let now = Now { mono: Nanos::from_secs(self.at), wall: UnixMillis(NOW.0 + self.at * 1000) };
        let inbound = Inbound {
            kind: KindIx(0),
            lane: LaneIx((user % 2) as u16),
            update: UpdateId(self.at as i64),
            user: UserId(user),
            chat: ChatId(user as i64),
            language: "fa",
            input,
        };
        self.engine.handle_update(now, &inbound).unwrap();
        let frames = self.engine.journal().frames.lock().unwrap();
        for frame in &frames[self.written..] {
            self.journal.append(frame).unwrap();
        }
        self.written = frames.len();
    }

    fn durable(&self) -> Seq {
        Seq(self.journal.next_seq() - 1)
    }

    /// Makes the snapshot that is due, if one is, and lets segments go that `keep` does not hold.
    fn snapshot(&self, keep: Seq) {
        if let Some(due) = follow::due(&*self.dir).unwrap() {
            recovery::snapshot(&*self.dir, &self.engine, &due, NOW, &mut |_| Ok(())).unwrap();
            snapshot::prune_keeping(&*self.dir, keep).unwrap();
        }
    }

    fn projector(&self, database: &Path) -> Projector {
        let kinds = vec![Recorded::new::<ChatBot>("chat", vec![BotId(1_000_001), BotId(1_000_002)])];
        let path = database.to_owned();
        let open: Open = Box::new(move || Ok(Box::new(Sqlite::open(&path, vec!["chat".to_owned()])?)));
        Projector::new(Recorder::new(kinds), self.dir.clone(), open)
    }
}

fn level(projector: &mut Projector, durable: Seq) -> Vec<Turn> {
    let mut turns = Vec::new();
    loop {
        match projector.turn(durable, NOW).unwrap() {
            Turn::Level => return turns,
            turn => turns.push(turn),
        }
        assert!(turns.len() < 1000, "it does not come to an end");
    }
}

fn rows(database: &Path, table: &'static Table) -> Vec<Row> {
    let mut out = Vec::new();
    let mut store = Sqlite::read(database).unwrap();
    let mut each = |cells: &[Cell]| {
        out.push(Row { table, cells: cells.into() });
        Ok(())
    };
    store.each(table, None, &mut each).unwrap().unwrap();
    out.sort_by(|a, b| a.key().cmp(b.key()));
    out
}

/// The users, without what a snapshot does not know.
fn dateless(database: &Path) -> Vec<Vec<Cell>> {
    let columns = ["user_id", "stage", "language", "credits"];
    let shown = |row: Row| columns.iter().map(|column| row.get(column).clone()).collect();
    rows(database, &USERS).into_iter().map(shown).collect()
}

/// Everything that is there to be read.
fn all(database: &Path) -> Vec<Vec<Row>> {
    TABLES.iter().map(|table| rows(database, table)).collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A charge and whether it was given back, by what was done.
fn money(acts: &[(u64, Act)]) -> Vec<(String, bool)> {
    let mut paid = BTreeMap::new();
    for (user, act) in acts {
        match act {
            Act::Pays(n) => {
                paid.entry(format!("charge {user}/{n}")).or_insert(false);
            }
            Act::GetsBack(n) => {
                paid.entry(format!("charge {user}/{n}")).and_modify(|back| *back = true);
            }
            _ => {}
        }
    }
    paid.into_iter().collect()
}

fn payments(database: &Path) -> Vec<(String, bool)> {
    let shown = |row: Row| match (row.get("charge"), row.get("refunded")) {
        (Cell::Text(charge), Cell::Flag(back)) => (charge.to_string(), *back),
        other => panic!("{other:?}"),
    };
    rows(database, &PAYMENTS).into_iter().map(shown).collect()
}

fn acts() -> impl Strategy<Value = Vec<(u64, Act)>> {
    let act = prop_oneof![
        3 => Just(Act::Writes),
        3 => (0u8..3).prop_map(Act::Pays),
        2 => (0u8..3).prop_map(Act::GetsBack),
        1 => Just(Act::Blocks),
    ];
    prop::collection::vec((1u64..6, act), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever stops it wherever, and whatever is tidied up meanwhile as long as it is waited for: the tables are
    /// those of one uninterrupted reading.
    #[test]
    fn stops_and_restarts_change_nothing(
        acts in acts(),
        stops in prop::collection::vec(0u8..6, 60),
    ) {
        let (place, data) = (folder(), folder());
        let (often, once) = (place.path().join("often.sqlite"), place.path().join("once.sqlite"));
        let mut life = Life::open(data.path(), 1);
        let mut projector = life.projector(&often);
        let mut whole = life.projector(&once);
        let mut rounds = 1;
        for ((user, act), stop) in acts.iter().zip(&stops) {
            life.act(*user, *act);
            match stop {
                0 => projector = life.projector(&often),
                1 => { level(&mut projector, life.durable()); }
                2 => {
                    level(&mut projector, Seq(life.durable().0 / 2));
                    let held = projector.position().unwrap_or(Seq(0)).min(whole.position().unwrap_or(Seq(0)));
                    life.snapshot(held);
                }
                3 => {
                    drop(life);
                    rounds += 1;
                    life = Life::open(data.path(), rounds);
                    (projector, whole) = (life.projector(&often), life.projector(&once));
                }
                _ => {}
            }
        }
        level(&mut projector, life.durable());
        level(&mut whole, life.durable());
        let money = money(&acts);
        prop_assert_eq!(payments(&often), money);
        // A first reading may begin at a snapshot, which knows no dates.
        if all(&often) != all(&once) {
            prop_assert!(stops[..acts.len()].contains(&2));
            prop_assert_eq!(dateless(&often), dateless(&once));
        }
    }

    /// Where segments went before they were read, payments and users are whole all the same.
    #[test]
    fn a_gap_is_filled_from_a_snapshot(before in acts(), between in acts(), after in acts()) {
        let (place, data) = (folder(), folder());
        let database = place.path().join("records.sqlite");
        let mut life = Life::open(data.path(), 1);
        let mut projector = life.projector(&database);
        for (user, act) in &before {
            life.act(*user, *act);
        }
        level(&mut projector, life.durable());
        drop(projector);
        // Some acts change nothing and leave no frame; a word of each user always does.
        let between: Vec<_> =
            between.iter().cycle().take(120).flat_map(|&(user, act)| [(user, act), (user, Act::Writes)]).collect();
        for (user, act) in &between {
            life.act(*user, *act);
            life.snapshot(Seq(u64::MAX));
        }
        let mut projector = life.projector(&database);
        let turns = level(&mut projector, life.durable());
        prop_assert!(turns.iter().any(|turn| matches!(turn, Turn::Rebuilt { .. })), "{:?}", turns);
        for (user, act) in &after {
            life.act(*user, *act);
        }
        level(&mut projector, life.durable());
        let acts: Vec<_> =
            before.iter().chain(&between).chain(&after).copied().collect();
        prop_assert_eq!(payments(&database), money(&acts));
        let told = rows(&database, &AUDIT);
        prop_assert!(told.iter().any(|row| row.get("action") == &Cell::from("reprojected")));
    }
}

#[test]
fn a_restored_backup_takes_its_people_back_and_forgets_no_payment() {
    let (place, data, copy) = (folder(), folder(), folder());
    let database = place.path().join("records.sqlite");
    let mut life = Life::open(data.path(), 1);
    let mut projector = life.projector(&database);
    life.act(1, Act::Pays(0));
    level(&mut projector, life.durable());
    for entry in std::fs::read_dir(data.path()).unwrap().flatten() {
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    life.act(2, Act::Pays(0));
    level(&mut projector, life.durable());
    drop((projector, life));

    let mut life = Life::open(copy.path(), 2);
    // A longer history than the other, and not the same: nothing but the frame itself tells.
    life.act(3, Act::Writes);
    life.act(4, Act::Writes);
    let mut projector = life.projector(&database);
    level(&mut projector, life.durable());
    let who: Vec<_> = rows(&database, &USERS).iter().map(|row| row.get("user_id").clone()).collect();
    assert_eq!(who, [Cell::Whole(1), Cell::Whole(3), Cell::Whole(4)]);
    let who: Vec<_> = rows(&database, &SUBSCRIPTIONS).iter().map(|row| row.get("user_id").clone()).collect();
    assert_eq!(who, [Cell::Whole(1)]);
    assert_eq!(payments(&database).len(), 2, "money that was paid stays to be seen");
    assert!(rows(&database, &AUDIT).iter().any(|row| row.get("action") == &Cell::from("reprojected")));
}

#[test]
fn a_shorter_history_than_the_databases_is_noticed() {
    let (place, data, other) = (folder(), folder(), folder());
    let database = place.path().join("records.sqlite");
    let mut life = Life::open(data.path(), 1);
    (0..5).for_each(|n| life.act(n + 1, Act::Writes));
    level(&mut life.projector(&database), life.durable());
    let mut life = Life::open(other.path(), 2);
    life.act(9, Act::Writes);
    let turns = level(&mut life.projector(&database), life.durable());
    assert!(matches!(turns[0], Turn::Rebuilt { users: 0, .. }), "{turns:?}");
    let who: Vec<_> = rows(&database, &USERS).iter().map(|row| row.get("user_id").clone()).collect();
    assert_eq!(who, [Cell::Whole(9)]);
}

#[test]
fn a_database_that_cannot_be_written_is_made_up_for_when_it_can() {
    let (place, data) = (folder(), folder());
    let database = place.path().join("records.sqlite");
    let mut life = Life::open(data.path(), 1);
    let mut projector = life.projector(&database);
    life.act(1, Act::Pays(0));
    level(&mut projector, life.durable());
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; DELETE FROM nobat_known;").unwrap();
    life.act(2, Act::Pays(0));
    let told = projector.turn(life.durable(), NOW).unwrap_err().to_string();
    assert!(told.contains("locked") && !projector.connected(), "{told}");
    other.execute_batch("ROLLBACK").unwrap();
    level(&mut projector, life.durable());
    assert_eq!(payments(&database).len(), 2);
}

#[test]
fn tables_of_a_newer_version_are_refused_and_left_alone() {
    let place = folder();
    let path = place.path().join("records.sqlite");
    drop(Sqlite::open(&path, Vec::new()).unwrap());
    let change = |version: u32| {
        let db = rusqlite::Connection::open(&path).unwrap();
        db.execute("UPDATE nobat_schema SET version = ?1", [version]).unwrap();
    };
    change(99);
    let told = Sqlite::open(&path, Vec::new()).err().expect("refused");
    assert_eq!(told, StoreError::Newer { found: 99, known: 2 });
    assert!(told.to_string().contains("start the newer nobat"), "{told}");
    change(2);
    Sqlite::open(&path, Vec::new()).unwrap();
    // Only its owner may read who pays.
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn what_is_over_ends_and_what_is_old_goes() {
    let place = folder();
    let path = place.path().join("records.sqlite");
    let mut store = Sqlite::open(&path, Vec::new()).unwrap();
    let vip = |user: u64, until: u64| {
        Row::of(&SUBSCRIPTIONS)
            .with("kind", "chat")
            .with("user_id", user)
            .with("plan", "vip")
            .with("status", "active")
            .with("until", UnixMillis(until))
            .with("changed_at", UnixMillis(until - 1000))
    };
    store.put(&SUBSCRIPTIONS, &[vip(1, 50_000), vip(2, 90_000)]).unwrap();
    store.lapse(UnixMillis(60_000)).unwrap();
    let status = |path: &Path| {
        rows(path, &SUBSCRIPTIONS).iter().map(|row| row.get("status").clone()).collect::<Vec<_>>()
    };
    assert_eq!(status(&path), [Cell::from("ended"), Cell::from("active")]);
    assert_eq!(store.retire(&SUBSCRIPTIONS, UnixMillis(60_000)).unwrap(), 1);
    assert_eq!(status(&path), [Cell::from("active")]);
    store.vacuum().unwrap();
}
