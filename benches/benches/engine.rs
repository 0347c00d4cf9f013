//! What one update costs the engine, decided and encoded, and how fast its frames are replayed. The journal
//! is a list here: the disk has a bench of its own.
//!
//! Run: `cargo bench -p nobat-benches --bench engine`

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use nobat_bots::results::{ResultsBot, Settings, Shelf};
use nobat_core::bot::Input;
use nobat_core::engine::{Detached, Ended, Engine, Entry, Inbound, Journal, Kind, Rank, Recovered};
use nobat_core::envelope::{Conversation, End};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{ChatId, EnvelopeId, KindIx, LaneIx, MessageId, Seq, UpdateId, UserId};
use nobat_core::time::{Nanos, Now, UnixMillis};
use parking_lot::Mutex;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

/// Users who write in turn: as many as the profile has.
const USERS: u64 = 100_000;
/// Frames of a replay.
const FRAMES: usize = 50_000;

#[derive(Clone, Default)]
struct List(Arc<Mutex<Vec<Vec<u8>>>>);

impl Journal for List {
    type Room<'a> = ();
    fn reserve(&self, _: usize, _: Rank) -> Option<()> {
        Some(())
    }
    fn push(&self, (): (), entry: Entry) -> Seq {
        let mut frames = self.0.lock();
        frames.push(entry.payload);
        Seq(frames.len() as u64)
    }
    fn tail(&self) -> Seq {
        Seq(self.0.lock().len() as u64)
    }
}

fn detached() -> Engine<Detached> {
    let bot = ResultsBot::new(Settings::default(), Arc::new(Shelf::default()));
    Engine::new(vec![Kind::new(bot, 17, Rate::new(10, Duration::from_secs(60)))], 7)
}

/// The `n`th update: users in turn, a minute between two of the same.
fn ask(engine: &Engine<List>, n: u64) -> Seq {
    let now = Now { mono: Nanos::from_millis(n), wall: UnixMillis(1_800_000_000_000 + n) };
    let user = n % USERS + 1;
    let inbound = Inbound {
        kind: KindIx(0),
        lane: LaneIx(0),
        update: UpdateId(n as i64),
        user: UserId(user),
        chat: ChatId(user as i64),
        language: "ar",
        input: Input::Text { text: "/start".into(), message: MessageId(1), reply_to: None },
    };
    engine.handle_update(now, &inbound).expect("there is room").after
}

fn updates(c: &mut Criterion) {
    let mut group = c.benchmark_group("engine");
    group.throughput(Throughput::Elements(1));
    let engine = detached().attach(List::default());
    let mut n = 0;
    group.bench_function("update with one reply, and its end", |b| {
        b.iter(|| {
            n += 1;
            let seq = ask(&engine, n);
            let conversation = Conversation { kind: KindIx(0), user: UserId(n % USERS + 1) };
            let ended = Ended { conversation, id: EnvelopeId::new(seq, 0), end: End::Sent };
            black_box(engine.settle(&[ended], &[]).expect("there is room"));
            // The list would grow without end; the engine never reads it.
            if n.is_multiple_of(4096) {
                engine.journal().0.lock().clear();
            }
        });
    });
    group.bench_function("the same update again", |b| b.iter(|| black_box(ask(&engine, n))));
    group.finish();
}

fn replay(c: &mut Criterion) {
    let list = List::default();
    let engine = detached().attach(list.clone());
    for n in 0..FRAMES as u64 {
        ask(&engine, n);
    }
    let frames = list.0.lock();
    let mut group = c.benchmark_group("engine");
    group.throughput(Throughput::Elements(FRAMES as u64)).sample_size(10);
    group.bench_function("replay of 50,000 frames", |b| {
        b.iter_batched(
            detached,
            |fresh| {
                let mut recovered = Recovered::default();
                for (n, payload) in frames.iter().enumerate() {
                    fresh.replay(&mut recovered, Seq(n as u64 + 1), payload).expect("its own frames");
                }
                recovered
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, updates, replay);
criterion_main!(benches);
