//! Storms over the whole: 8 to 16 tasks, engine, matchmaker, journal ring, and a kill.
//!
//! Each task is an intake thread that handles inputs of anyone, another is the timer, another the journal's
//! writer, which dies at a random frame. Then *every* prefix of what was pushed must replay to a legal state,
//! the whole of it to the live one, and a process that resumes from the prefix that was durable must find
//! everyone whom the dead one might have paired. What is drawn comes from the schedule's own generator, so
//! that a schedule that fails is replayed with its draws.
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo test -p nobat-core --release --lib shuttle_
//! ```

use super::talk::Talk;
use super::*;
use crate::bot::Meeting;
use crate::engine::frame::Frame;
use crate::engine::step::Step;
use crate::engine::ties::{Fact, Stage};
use crate::matchmaker::{Rules, Size};
use crate::sync::ring::{Producer, Reservation, ring};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use std::sync::atomic::AtomicU64 as Clock;

const USERS: u64 = 7;
const RULES: Rules = Rules {
    recent_for: Duration::from_secs(40),
    vip_head_start: Duration::from_secs(5),
    widen_after: Duration::from_secs(7),
};
const WORDS: [&str; 14] = [
    "find man",
    "find woman",
    "find suitor",
    "find lady",
    "find hasty",
    "stop",
    "next man",
    "next lady",
    "hello",
    "hello",
    "tell me",
    "block 3",
    "unblock 3",
    "ring 30",
];

struct RingJournal(Producer<Vec<u8>>);

impl Journal for RingJournal {
    type Room<'a> = Reservation<'a, Vec<u8>>;
    fn reserve(&self, bytes: usize, _: Rank) -> Option<Self::Room<'_>> {
        self.0.try_reserve(bytes as u64)
    }
    fn push(&self, mut room: Self::Room<'_>, entry: Entry) -> Seq {
        room.shrink_to(entry.payload.len() as u64);
        Seq(self.0.push(room, entry.payload))
    }
    fn tail(&self) -> Seq {
        Seq(self.0.tail() - 1)
    }
}

fn detached() -> Engine<Detached> {
    let size = Size { users: USERS as u32 + 1, pools: 1, blocks: 16 };
    let kind = Kind::new(Talk, 3, Rate::new(200, Duration::from_secs(60)));
    Engine::new(vec![kind.with_pairs(RULES, size)], 7)
}

/// The time of this moment, and a little later at each look.
fn tick(clock: &Clock) -> Now {
    at(10 + clock.fetch_add(1, Relaxed) / 2)
}

/// One intake thread's share.
fn intake(engine: &Engine<RingJournal>, clock: &Clock, task: i64) {
    // Half a pair that is then ended leaves nothing that could be settled: a storm of it would not end.
    let words = if engine.plant.one_side { 5 } else { WORDS.len() };
    for i in 0..6 {
        let (user, word) = (thread_rng().gen_range(1..=USERS), thread_rng().gen_range(0..words));
        let inbound = Inbound { lane: LaneIx((user % 3) as u16), ..text(task * 100 + i, user, WORDS[word]) };
        // A full ring is the platform's to deliver again; here it is a message that was never sent.
        let _busy = engine.handle_update(tick(clock), &inbound);
    }
}

/// A storm; returns what was pushed, in order, and how much of it was durable at the kill.
fn storm(plant: Plant) -> (Vec<Vec<u8>>, usize, Arc<Engine<RingJournal>>) {
    let (producer, mut consumer) = ring(256, 1 << 30, 1);
    let mut engine = detached().attach(RingJournal(producer));
    engine.plant = plant;
    let (engine, clock) = (Arc::new(engine), Arc::new(Clock::new(0)));
    let tasks = thread_rng().gen_range(6..=14);
    let mut threads: Vec<_> = (0..tasks)
        .map(|task| {
            let (engine, clock) = (engine.clone(), clock.clone());
            thread::spawn(move || intake(&engine, &clock, task))
        })
        .collect();
    let (timed, timer) = (engine.clone(), clock.clone());
    threads.push(thread::spawn(move || {
        for _ in 0..6 {
            let _busy = timed.wake(tick(&timer), 3);
        }
    }));
    let killed_at = thread_rng().gen_range(0..60);
    let writer = thread::spawn(move || {
        let mut disk = Vec::new();
        for _ in 0..200 {
            match consumer.pop() {
                Some((_, payload)) if disk.len() < killed_at => disk.push(payload),
                Some((_, payload)) => return (disk, vec![payload], consumer),
                None => thread::yield_now(),
            }
            consumer.release();
        }
        (disk, Vec::new(), consumer)
    });
    threads.into_iter().for_each(|t| t.join().expect("no panic"));
    let (mut frames, in_hand, mut consumer) = writer.join().expect("no panic");
    let durable = frames.len();
    frames.extend(in_hand);
    frames.extend(std::iter::from_fn(|| consumer.pop().map(|(_, payload)| payload)));
    (frames, durable, engine)
}

/// What a frame must not do where people stand.
fn legal(engine: &Engine<Detached>, step: &Step) {
    for part in &step.parts {
        let cell = engine.cells.of(part.conversation);
        let cell = cell.lock();
        let stage = cell.ties.as_ref().map_or(Stage::Apart, |ties| ties.stage);
        for relay in &part.relays {
            let his = matches!(stage, Stage::Paired(partner) if partner.user == relay.to);
            assert!(his, "a message to someone who is not his partner: {step:?}");
        }
        for fact in &part.facts {
            let (Fact::Paired(partner), Some(ties)) = (fact, &cell.ties) else { continue };
            assert!(!ties.blocked.contains(&partner.user), "paired with whom he has blocked: {step:?}");
            let recent =
                ties.recent.iter().any(|(who, until)| *who == partner.user && *until > step.at.after(SLACK));
            assert!(!recent, "paired with whom he left a moment ago: {step:?}");
        }
    }
}

/// Tasks look at the clock before they are locked, so one may act at a moment that another has passed.
const SLACK: Duration = Duration::from_secs(25);

/// Replays frame by frame; each prefix must be a legal state.
fn replay(frames: &[Vec<u8>]) -> Engine<Detached> {
    let fresh = detached();
    let mut recovered = Recovered::default();
    for (i, payload) in frames.iter().enumerate() {
        if let Ok(Frame::Step(step)) = frame::decode(payload) {
            legal(&fresh, &step);
        }
        let replayed = fresh.replay(&mut recovered, Seq(i as u64 + 1), payload);
        assert!(replayed.is_ok(), "a prefix does not replay: {replayed:?}");
        assert_eq!(fresh.check_pairs(), Ok(()), "a prefix is no legal state");
    }
    fresh
}

fn stage_of<J>(engine: &Engine<J>, user: u64) -> (u32, Meeting) {
    let cell = engine.cells.of(Conversation { kind: KindIx(0), user: UserId(user) });
    let cell = cell.lock();
    (cell.version, cell.meeting())
}

fn storm_and_check(plant: Plant) {
    let (frames, durable, live) = storm(plant);
    let whole = replay(&frames);
    for user in 1..=USERS {
        assert_eq!(stage_of(&whole, user), stage_of(&live, user), "the whole is not the live state");
    }
    // The process that begins anew with what was durable.
    let list = List { frames: Arc::new(Mutex::new(Vec::new())), room: usize::MAX, spare: 0 };
    let again = replay(&frames[..durable]).attach(list);
    again.resume(at(200)).expect("room");
    let mut resumed: Vec<_> = frames[..durable].to_vec();
    resumed.extend(again.journal.frames.lock().iter().map(|entry| entry.payload.clone()));
    let resumed = replay(&resumed);
    for user in 1..=USERS {
        assert_eq!(stage_of(&resumed, user), stage_of(&again, user), "resuming is journaled");
    }
    // Everyone who waits has looked: another look finds nobody.
    let before = again.journal.frames.lock().len();
    again.resume(at(200)).expect("room");
    assert_eq!(again.journal.frames.lock().len(), before, "resuming is done once");
}

#[test]
fn shuttle_every_prefix_of_the_ring_is_a_legal_state() {
    let storm = || storm_and_check(Plant::default());
    shuttle::check_random(storm, 3_000);
    shuttle::check_pct(storm, 2_000, 3);
}

#[test]
#[should_panic(expected = "a prefix does not replay")]
fn shuttle_a_frame_pushed_after_the_unlock_is_caught() {
    let plant = Plant { push_after_unlock: true, ..Plant::default() };
    shuttle::check_random(move || storm_and_check(plant), 3_000);
}

#[test]
#[should_panic(expected = "a prefix is no legal state")]
fn shuttle_a_pair_settled_on_one_side_is_caught() {
    let plant = Plant { one_side: true, ..Plant::default() };
    shuttle::check_random(move || storm_and_check(plant), 3_000);
}
