//! Latencies while threads lose their processors.
//!
//! What lives here: [`Latencies`], one worker's calls, told apart by whether its own thread was preempted or
//! waited for another; and [`tail`], which runs workers beside two hogs and prints a row.

use hdrhistogram::Histogram;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Latencies of some workers' calls. A thread may lose its processor in the middle of a call, whatever the
/// design: such a call counts in `all` only. `others` has what a design is responsible for.
pub(crate) struct Latencies {
    all: Histogram<u64>,
    others: Histogram<u64>,
    /// How often this thread has gone to sleep of its own accord; workers do so only to wait for a lock or
    /// an answer.
    slept: u64,
}

/// A longer call is looked at: did its thread sleep, or lose its processor?
const SLOW: u64 = 20_000;

impl Latencies {
    fn new() -> Self {
        let histogram = || Histogram::<u64>::new(3).expect("three digits");
        Self { all: histogram(), others: histogram(), slept: sleeps() }
    }

    pub(crate) fn timed<R>(&mut self, call: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = call();
        let nanos = start.elapsed().as_nanos() as u64;
        self.all.record(nanos).expect("the histogram grows");
        let slept = if nanos > SLOW { sleeps() } else { self.slept };
        if nanos <= SLOW || slept > self.slept {
            self.others.record(nanos).expect("the histogram grows");
        }
        self.slept = slept;
        result
    }
}

/// The kernel's count of this thread's voluntary switches; 0 where there is none.
fn sleeps() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// Latency of each call of some workers, with other work between calls, while two hogs want the same
/// processors: a thread is preempted wherever it happens to be.
pub(crate) fn tail(
    label: &str,
    threads: usize,
    seconds: u64,
    work: impl Fn(&AtomicBool, &mut Latencies) + Sync,
) -> Histogram<u64> {
    let stop = AtomicBool::new(false);
    let mut total = Latencies::new();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    black_box((0..1_000u64).fold(0, |a, b| a ^ black_box(b)));
                }
            });
        }
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut latencies = Latencies::new();
                    work(&stop, &mut latencies);
                    latencies
                })
            })
            .collect();
        thread::sleep(Duration::from_secs(seconds));
        stop.store(true, Ordering::Relaxed);
        for worker in workers {
            let Latencies { all, others, .. } = worker.join().expect("no panic");
            total.all.add(all).expect("one range");
            total.others.add(others).expect("one range");
        }
    });
    let (all, others) = (&total.all, &total.others);
    println!(
        "{label:<29} {threads:>2} {:>5} {:>6} {:>7} {:>10} | {:>9} {:>10} {:>10} {:>6} {:>9}",
        all.value_at_quantile(0.5),
        all.value_at_quantile(0.99),
        all.value_at_quantile(0.999),
        all.value_at_quantile(0.9999),
        others.value_at_quantile(0.9999),
        others.value_at_quantile(0.99999),
        others.max(),
        all.len() - others.len(),
        all.len()
    );
    total.others
}
