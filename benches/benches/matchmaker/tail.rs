//! Latencies while threads lose their processors.
//!
//! Workers and two hogs that never sleep want the same processors, so a worker is preempted wherever it
//! happens to be, now and then in the middle of a call. Two questions are asked of each run:
//!
//! * **All calls, as they come**: what a stop watch around the call shows. A call whose own thread lost its
//!   processor counts, whatever the design.
//! * **Waiting for others**: what the design is responsible for. Calls whose own thread lost its processor are
//!   left out (longer than [`SLOW`], and the thread has not gone to sleep of its own accord, by the kernel's
//!   count). And whoever waits 3 ms for a preempted holder of a lock makes one slow call where he meant to make
//!   three thousand or more: each wait stands for the calls that were due meanwhile, one each [`DUE`] (coordinated
//!   omission, as `HdrHistogram` corrects it).

use super::paired::{Pairs, Spread};
use super::redis::Redis;
use super::{LONG, Naive, Shared, crowd, step, svg};
use crossbeam::queue::SegQueue;
use hdrhistogram::Histogram;
use nobat_core::matchmaker::{LockFree, Matchmaker, Seat, Spec};
use nobat_core::time::Nanos;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A longer call is looked at: did its thread sleep, or lose its processor?
const SLOW: u64 = 20_000;
/// How often a worker means to call at least. Undisturbed it does ten times as often.
const DUE: u64 = 1_000;
/// Turns of the loop of other work between two calls: about 0.1 us, so that a thread that is preempted is in the
/// middle of a call often enough to be seen in each run.
const WORK: u64 = 100;
/// Runs of each design, by turns.
const RUNS: usize = 9;

/// How long a run takes. Two workers are rarely preempted at the wrong moment.
const fn length(threads: usize) -> Duration {
    Duration::from_millis(if threads == 2 { 4_000 } else { 1_500 })
}

/// Some workers' calls.
struct Latencies {
    all: Histogram<u64>,
    waits: Histogram<u64>,
    /// How often this thread has gone to sleep of its own accord; workers do so only to wait for a lock or
    /// an answer.
    slept: u64,
}

fn histogram() -> Histogram<u64> {
    // With its bounds from the start: one that grows makes its thread wait for memory.
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("three digits up to ten seconds")
}

impl Latencies {
    fn new() -> Self {
        Self { all: histogram(), waits: histogram(), slept: sleeps() }
    }

    fn timed<R>(&mut self, call: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = call();
        let nanos = start.elapsed().as_nanos() as u64;
        self.all.record(nanos).expect("less than ten seconds");
        let slept = if nanos > SLOW { sleeps() } else { self.slept };
        if nanos <= SLOW || slept > self.slept {
            self.waits.record_correct(nanos, DUE).expect("less than ten seconds");
        }
        self.slept = slept;
        if nanos > SLOW {
            // To read the count may have put the thread to sleep: that is no wait of its next call.
            while sleeps() != self.slept {
                self.slept = sleeps();
            }
        }
        result
    }

    fn add(&mut self, other: &Self) {
        self.all.add(&other.all).expect("one range");
        self.waits.add(&other.waits).expect("one range");
    }
}

/// The kernel's count of this thread's voluntary switches; 0 where there is none.
fn sleeps() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

pub(crate) fn other_work(turns: u64) {
    black_box((0..turns).fold(0, |a, b| a ^ black_box(b)));
}

/// Some workers for a while, beside two hogs.
fn hour(threads: usize, work: impl Fn(&AtomicBool, &mut Latencies) + Sync) -> Latencies {
    let stop = AtomicBool::new(false);
    let mut total = Latencies::new();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    other_work(1_000);
                }
            });
        }
        let worker = |_| {
            scope.spawn(|| {
                let mut latencies = Latencies::new();
                work(&stop, &mut latencies);
                latencies
            })
        };
        let workers: Vec<_> = (0..threads).map(worker).collect();
        thread::sleep(length(threads));
        stop.store(true, Ordering::Relaxed);
        for worker in workers {
            total.add(&worker.join().expect("no panic"));
        }
    });
    total
}

fn shared<S: Shared>(threads: usize, backlog: usize) -> Latencies {
    // As many people however many threads, so that caches do not tell the one from the other.
    const PEOPLE: usize = 2_048;
    let shared = S::new(PEOPLE + backlog);
    let _waiting = crowd(&shared, backlog);
    hour(threads, |stop, latencies| {
        let mut seats: Vec<Seat> =
            (0..PEOPLE / threads).map(|_| shared.with(|m| m.seat(0).expect("a seat"))).collect();
        let mut now = Nanos::from_secs(1);
        // Once without the watch: a page that is touched first makes its thread wait, and no other.
        seats.iter_mut().for_each(|seat| step(&shared, seat, now));
        latencies.slept = sleeps();
        while !stop.load(Ordering::Relaxed) {
            now = now.after(LONG);
            for seat in &mut seats {
                latencies.timed(|| step(&shared, seat, now));
                other_work(WORK);
            }
        }
    })
}

fn naive(naive: &impl Naive, threads: usize) -> Latencies {
    hour(threads, |stop, latencies| {
        while !stop.load(Ordering::Relaxed) {
            latencies.timed(|| black_box(naive.meet(1)));
            other_work(WORK);
        }
    })
}

fn by_redis(redis: &Redis, threads: usize) -> Latencies {
    hour(threads, |stop, latencies| {
        let mut client = redis.client();
        while !stop.load(Ordering::Relaxed) {
            latencies.timed(|| client.meet(1));
            other_work(WORK);
        }
    })
}

fn told(label: &str, threads: usize, total: &Latencies) {
    let (all, waits) = (&total.all, &total.waits);
    println!(
        "{label:<29} {threads:>2} {:>6} {:>7} {:>9} {:>10} | {:>9} {:>10} {:>11} {:>11}",
        all.value_at_quantile(0.5),
        all.value_at_quantile(0.99),
        all.value_at_quantile(0.999),
        all.value_at_quantile(0.9999),
        waits.value_at_quantile(0.999),
        waits.value_at_quantile(0.9999),
        waits.value_at_quantile(0.99999),
        waits.max(),
    );
}

/// Both designs with so many workers, by turns; what is drawn of them.
fn compared(threads: usize, backlog: usize) -> [(String, Histogram<u64>); 2] {
    let (mut free, mut spec) = (Latencies::new(), Latencies::new());
    let run = |run: Latencies, total: &mut Latencies| {
        total.add(&run);
        run.waits.value_at_quantile(0.9999) as f64
    };
    let runs = Pairs::run(
        RUNS,
        || run(shared::<LockFree>(threads, backlog), &mut free),
        || run(shared::<Mutex<Spec>>(threads, backlog), &mut spec),
    );
    let waiting = if backlog == 0 { "" } else { ", 100,000 wait" };
    let labels = [format!("lock-free{waiting}"), format!("Mutex<Spec>{waiting}")];
    told(&labels[0], threads, &free);
    told(&labels[1], threads, &spec);
    let spread = |s: Spread| format!("{:.0} ({:.0} to {:.0})", s.median, s.least, s.most);
    println!(
        "    waits, p99.99 of each run: lock-free {}, mutex {}; mutex / lock-free {}",
        spread(runs.one()),
        spread(runs.other()),
        spread(runs.ratio())
    );
    let [one, other] = labels;
    [(one, free.waits), (other, spec.waits)]
}

pub(crate) fn tails(picture: Option<&str>) {
    println!(
        "\nns, beside two hogs: all calls as they come | waiting for others, for each call that was due; {RUNS} runs \
         by turns"
    );
    println!(
        "{:<29} {:>2} {:>6} {:>7} {:>9} {:>10} | {:>9} {:>10} {:>11} {:>11}",
        "", "n", "p50", "p99", "p99.9", "p99.99", "p99.9", "p99.99", "p99.999", "max"
    );
    let mut drawn = Vec::new();
    for threads in [2, 4, 8, 16] {
        let curves = compared(threads, 0);
        if threads == 2 || threads == 16 {
            drawn.extend(curves.map(|(label, curve)| (format!("{label}, {threads} workers"), curve)));
        }
    }
    compared(16, 100_000);
    let redis = Redis::start();
    for threads in [2, 16] {
        told("Mutex<VecDeque> (naive)", threads, &naive(&Mutex::new(VecDeque::new()), threads));
        told("SegQueue (naive)", threads, &naive(&SegQueue::new(), threads));
        match &redis {
            Some(redis) => told("Redis, Lua", threads, &by_redis(redis, threads)),
            None => println!("Redis, Lua: redis-server is not installed"),
        }
    }
    if let Some(path) = picture {
        let title = "Waiting for others, beside two hogs on two processors";
        std::fs::write(path, svg::draw(title, &drawn)).expect("the picture's folder exists");
    }
}
