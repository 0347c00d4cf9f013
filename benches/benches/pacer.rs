//! The pacer at 100 to 1,000,000 pending conversations, beside pacers on a BinaryHeap and on a BTreeMap.
//!
//! `cargo bench -p nobat-benches --bench pacer`. One step is a whole send in the steady state: take one
//! envelope in, let one leave, hear its answer. Chats come in shuffled order, all different; 17 lanes of
//! 30 a second; the clock moves 1/510 s per step. The peers do less: no order of a conversation, no turns,
//! no classes, no reach; their messages, not their chats, wait in the queue.
//!
//! Instructions per send (the goal is that they do not grow with what is pending), under callgrind, which
//! counts only inside the measured function:
//!
//! ```text
//! cargo bench -p nobat-benches --bench pacer --no-run            # prints the path of the binary
//! NOBAT_COUNT=nobat:1000000:20000 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
//!     --collect-atstart=no --toggle-collect='*measured_sends*' BINARY
//! ```
//!
//! With an out-file instead of `/dev/null`, `callgrind_annotate --inclusive=yes FILE` tells `take_in`, `let_leave`
//! and `hear` apart. Forgetting a conversation falls to `take_in`: for each that comes one goes.
//!
//! `NOBAT_COUNT` is `nobat`, `nothing` (the bench itself), `heap` or `btree`, what is pending, and how many sends
//! are counted; divide the `Collected` line by the latter.

use criterion::{BenchmarkId, Criterion, criterion_group};
use hashbrown::HashMap;
use nobat_core::bucket::{Rate, Window};
use nobat_core::envelope::{Class, Conversation, Place, Route, Verdict};
use nobat_core::id::{EnvelopeId, KindIx, LaneIx, UserId};
use nobat_core::limits::WINDOW;
use nobat_core::pacer::{Dispatch, FlightId, Pacer, PacerConfig, Parcel};
use nobat_core::time::Nanos;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::hint::black_box;
use std::time::Duration;

const LANES: u16 = 17;
/// The clock's step: 17 lanes of 30 a second, with a hair to spare.
const STEP: u64 = 1_000_000_000 / 509;
const LATENCY: Duration = Duration::ZERO;

/// A pacer under measurement: one step is one send.
trait Subject {
    fn new() -> Self;
    fn enqueue(&mut self, now: Nanos, user: u64);
    /// Lets one leave and answers it; `false` if none could.
    fn send(&mut self, now: Nanos) -> bool;
}

struct Nobat(Pacer<u32>);

/// The three calls of a send, kept apart for whoever counts them.
#[inline(never)]
fn take_in(pacer: &mut Pacer<u32>, now: Nanos, parcel: Parcel<u32>) {
    pacer.enqueue(now, parcel).expect("room");
}

#[inline(never)]
fn let_leave(pacer: &mut Pacer<u32>, now: Nanos) -> Option<Dispatch<u32>> {
    pacer.poll_dispatch(now)
}

#[inline(never)]
fn hear(pacer: &mut Pacer<u32>, now: Nanos, flight: FlightId) {
    black_box(pacer.handle_verdict(now, flight, &Verdict::Sent, LATENCY));
}

impl Subject for Nobat {
    fn new() -> Self {
        let config = PacerConfig { spent: false, max_pending: 1 << 22, ..PacerConfig::default() };
        Self(Pacer::new(config, LANES, Nanos::ZERO, 7))
    }

    fn enqueue(&mut self, now: Nanos, user: u64) {
        let parcel = Parcel {
            handle: user as u32,
            id: EnvelopeId(user),
            conversation: Conversation { kind: KindIx(0), user: UserId(user) },
            chat: UserId(user).private_chat(),
            arrived_on: LaneIx(0),
            route: Route::Home,
            class: Class::Reply,
            place: Place::InOrder,
            more: 0,
            deadline: None,
        };
        take_in(&mut self.0, now, parcel);
    }

    fn send(&mut self, now: Nanos) -> bool {
        let Some(dispatch) = let_leave(&mut self.0, now) else { return false };
        black_box(dispatch.handle);
        hear(&mut self.0, now, dispatch.flight);
        true
    }
}

/// No pacer at all: what the bench itself costs, which the others' figures hold.
struct Nothing;

impl Subject for Nothing {
    fn new() -> Self {
        Self
    }

    fn enqueue(&mut self, now: Nanos, user: u64) {
        black_box((now, user));
    }

    fn send(&mut self, now: Nanos) -> bool {
        black_box(now);
        true
    }
}

/// Messages by (due, number), and the chats' buckets in a map: the pacer one writes first.
trait Queue: Default {
    fn push(&mut self, due: u64, number: u64, user: u64);
    fn pop_due(&mut self, now: u64) -> Option<(u64, u64)>;
}

impl Queue for BinaryHeap<Reverse<(u64, u64, u64)>> {
    fn push(&mut self, due: u64, number: u64, user: u64) {
        self.push(Reverse((due, number, user)));
    }
    fn pop_due(&mut self, now: u64) -> Option<(u64, u64)> {
        let Reverse((due, ..)) = self.peek()?;
        if *due > now {
            return None;
        }
        self.pop().map(|Reverse((_, number, user))| (number, user))
    }
}

impl Queue for BTreeMap<(u64, u64), u64> {
    fn push(&mut self, due: u64, number: u64, user: u64) {
        self.insert((due, number), user);
    }
    fn pop_due(&mut self, now: u64) -> Option<(u64, u64)> {
        let first = self.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let ((_, number), user) = first.remove_entry();
        Some((number, user))
    }
}

struct Sorted<Q> {
    lanes: Vec<(Q, Window)>,
    tats: HashMap<u64, Nanos, foldhash::fast::FixedState>,
    rate: Rate,
    number: u64,
    turn: usize,
}

impl<Q: Queue> Subject for Sorted<Q> {
    fn new() -> Self {
        Self {
            lanes: (0..LANES).map(|_| (Q::default(), Window::new(30, WINDOW))).collect(),
            tats: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(7)),
            rate: Rate::per_second(1, 3),
            number: 0,
            turn: 0,
        }
    }

    fn enqueue(&mut self, now: Nanos, user: u64) {
        self.number += 1;
        let lane = UserId(user).home(LANES).index();
        self.lanes[lane].0.push(now.0, self.number, user);
    }

    fn send(&mut self, now: Nanos) -> bool {
        for _ in 0..LANES {
            self.turn = (self.turn + 1) % usize::from(LANES);
            let (queue, window) = &mut self.lanes[self.turn];
            if window.peek(now).is_err() {
                continue;
            }
            let Some((number, user)) = queue.pop_due(now.0) else { continue };
            let tat = self.tats.entry(user).or_insert(Nanos::ZERO);
            if let Err(later) = self.rate.peek(*tat, now) {
                queue.push(later.0.0, number, user);
                continue;
            }
            *tat = self.rate.taken(*tat, now);
            let taken = window.take(now);
            window.answered(now);
            black_box((taken.is_ok(), user));
            return true;
        }
        false
    }
}

/// A subject in its steady state.
struct Steady<S> {
    subject: S,
    users: Vec<u64>,
    next: usize,
    now: u64,
}

impl<S: Subject> Steady<S> {
    /// `pending` conversations wait; twice as many users take part (enough that no chat is held back by its
    /// own rate), in shuffled order.
    fn new(pending: usize) -> Self {
        // Shuffled, but every run of 17 has one user of each lane: the fullest lane is not what is measured.
        let mut users: Vec<u64> = (1..=(2 * pending as u64).max(4_096)).collect();
        let mut state = 0x1234_5678u64;
        for i in (1..users.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            users.swap(i, (state >> 33) as usize % (i + 1));
        }
        for (i, user) in (0..).zip(&mut users) {
            *user = *user * u64::from(LANES) + i % u64::from(LANES);
        }
        let mut steady = Self { subject: S::new(), users, next: 0, now: 1_000_000_000 };
        for _ in 0..pending {
            steady.enqueue();
        }
        // Windows, rings and slabs find their size.
        for _ in 0..2_000 {
            steady.step();
        }
        steady
    }

    fn enqueue(&mut self) {
        let user = self.users[self.next];
        self.next = if self.next + 1 == self.users.len() { 0 } else { self.next + 1 };
        self.subject.enqueue(Nanos(self.now), user);
    }

    fn step(&mut self) {
        self.enqueue();
        self.now += STEP;
        while !self.subject.send(Nanos(self.now)) {
            self.now += STEP;
        }
    }
}

#[inline(never)]
fn measured_sends<S: Subject>(steady: &mut Steady<S>, sends: usize) {
    for _ in 0..sends {
        steady.step();
    }
}

fn bench<S: Subject>(c: &mut Criterion, name: &str) {
    let mut group = c.benchmark_group("pacer/send");
    for pending in [100usize, 10_000, 1_000_000] {
        let mut steady = Steady::<S>::new(pending);
        group.bench_function(BenchmarkId::new(name, pending), |b| b.iter(|| steady.step()));
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    bench::<Nothing>(c, "nothing");
    bench::<Nobat>(c, "nobat");
    bench::<Sorted<BinaryHeap<Reverse<(u64, u64, u64)>>>>(c, "binary_heap");
    bench::<Sorted<BTreeMap<(u64, u64), u64>>>(c, "btree_map");
}

fn quick() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
}

criterion_group! { name = benches; config = quick(); targets = all }

/// Counts what `NOBAT_COUNT` asks for, for callgrind; see the top of this file.
fn count(order: &str) {
    let mut parts = order.split(':');
    let name = parts.next().unwrap_or_default();
    let mut number = || parts.next().and_then(|part| part.parse().ok());
    let (Some(pending), Some(sends)) = (number(), number()) else {
        eprintln!("NOBAT_COUNT is NAME:PENDING:SENDS, for example nobat:10000:20000, not {order:?}");
        std::process::exit(2);
    };
    match name {
        "nobat" => measured_sends(&mut Steady::<Nobat>::new(pending), sends),
        "nothing" => measured_sends(&mut Steady::<Nothing>::new(pending), sends),
        "heap" => {
            measured_sends(&mut Steady::<Sorted<BinaryHeap<Reverse<(u64, u64, u64)>>>>::new(pending), sends);
        }
        "btree" => measured_sends(&mut Steady::<Sorted<BTreeMap<(u64, u64), u64>>>::new(pending), sends),
        other => {
            eprintln!("NOBAT_COUNT knows nobat, nothing, heap and btree, not {other:?}");
            std::process::exit(2);
        }
    }
}

fn main() {
    if let Ok(order) = std::env::var("NOBAT_COUNT") {
        return count(&order);
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
