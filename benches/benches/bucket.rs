//! Buckets beside the floor (a bare CAS loop on one word) and governor, in one run.
//!
//! `cargo bench -p nobat-benches --bench bucket`. Goals: take with the time passed in at most 1.2 times the
//! bare CAS loop; a take among 100,000 keyed buckets at most 15 ns, at most 30 ns with two threads.
//!
//! The bare CAS loop of the goal is passed the time as well, by the same driver, and adds it to its word: a time
//! that advances is a store to memory, which a locked instruction has to wait for, and that is the driver's
//! cost and not the bucket's. The same loop without a clock, which counts up by one, has a row of its own.
//! governor reads its own clock (quanta) at each check, which is how it is used; with its fake clock it is
//! measured too, so that the algorithms can be compared alone.

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use governor::clock::FakeRelativeClock;
use governor::{Quota, RateLimiter};
use nobat_core::bucket::{Gcra, Keyed, Rate, Window};
use nobat_core::time::Nanos;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

const KEYS: u64 = 100_000;

/// Never refuses within a run: a grant is the dear case.
fn wide() -> Rate {
    Rate::new(Duration::from_nanos(1), u32::MAX)
}

fn wide_quota() -> Quota {
    Quota::per_second(NonZeroU32::new(1_000_000_000).expect("not zero")).allow_burst(NonZeroU32::MAX)
}

/// Keys in an order that no prefetcher guesses.
fn scattered(i: u64) -> u64 {
    (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % KEYS
}

/// The floor: a word is read and exchanged for itself and `more`, as often as it takes.
#[inline]
fn exchange(word: &AtomicU64, more: u64) -> bool {
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        let next = seen.wrapping_add(more);
        match word.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(now) => seen = now,
        }
    }
}

fn one(c: &mut Criterion) {
    let mut group = c.benchmark_group("bucket/one");
    let (word, mut now) = (AtomicU64::new(0), 0u64);
    group.bench_function("bare_cas_loop", |b| {
        b.iter(|| {
            now += 1;
            exchange(&word, now)
        });
    });
    let (bucket, rate, mut now) = (Gcra::full(), black_box(wide()), 0u64);
    group.bench_function("nobat_gcra_take", |b| {
        b.iter(|| {
            now += 1;
            bucket.take(rate, Nanos(now)).is_ok()
        });
    });
    let word = AtomicU64::new(0);
    group.bench_function("bare_cas_loop_without_a_clock", |b| b.iter(|| exchange(&word, black_box(1))));
    let (spent, slow) = (Gcra::spent(Rate::per_second(1, 1), Nanos(0)), Rate::per_second(1, 1));
    group.bench_function("nobat_gcra_denied", |b| b.iter(|| spent.take(slow, black_box(Nanos(1))).is_ok()));
    let limiter = RateLimiter::direct(wide_quota());
    group.bench_function("governor_direct", |b| b.iter(|| limiter.check().is_ok()));
    let limiter = RateLimiter::direct_with_clock(wide_quota(), FakeRelativeClock::default());
    group.bench_function("governor_direct_fake_clock", |b| b.iter(|| limiter.check().is_ok()));
    let (mut window, mut now) = (Window::new(30, Duration::from_secs(1)), 0u64);
    group.bench_function("nobat_window_take_and_answer", |b| {
        b.iter(|| {
            now += 40_000_000;
            let taken = window.take(Nanos(now));
            window.answered(Nanos(now));
            taken
        });
    });
    group.finish();
}

fn keyed(c: &mut Criterion) {
    let mut group = c.benchmark_group("bucket/keyed_100k");
    let mut buckets = Keyed::new(wide(), 1 << 20, 1);
    let mut i = 0u64;
    // An interval of hours keeps every key: this measures the look-up, not the forgetting.
    let keep = Rate::new(Duration::from_secs(3_600), u32::MAX);
    let mut kept = Keyed::new(keep, 1 << 20, 1);
    (0..KEYS).for_each(|key| {
        black_box(kept.take(key, Nanos(1)).is_ok());
    });
    group.bench_function("nobat_keyed", |b| {
        b.iter(|| {
            i += 1;
            kept.take(scattered(i), Nanos(i)).is_ok()
        });
    });
    group.bench_function("nobat_keyed_forgetting", |b| {
        b.iter(|| {
            i += 1;
            buckets.take(scattered(i), Nanos(i * 1_000)).is_ok()
        });
    });
    let limiter = RateLimiter::dashmap(wide_quota());
    (0..KEYS).for_each(|key| {
        black_box(limiter.check_key(&key).is_ok());
    });
    group.bench_function("governor_keyed_dashmap", |b| {
        b.iter(|| {
            i += 1;
            limiter.check_key(&scattered(i)).is_ok()
        });
    });
    group.finish();
}

/// Runs `work(thread, iterations)` on two threads at once; the time of one call as each thread sees it.
fn on_two(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, work: impl Fn(u64, u64) + Sync) {
    group.bench_function(name, |b| {
        b.iter_custom(|iterations| {
            let barrier = Barrier::new(2);
            std::thread::scope(|scope| {
                let run = |thread| {
                    let (barrier, work) = (&barrier, &work);
                    scope.spawn(move || {
                        barrier.wait();
                        let start = Instant::now();
                        work(thread, iterations);
                        start.elapsed()
                    })
                };
                let threads = [run(0), run(1)];
                let times = threads.map(|thread| thread.join().expect("a bench thread"));
                (times[0] + times[1]) / 2
            })
        });
    });
}

fn two_threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("bucket/two_threads");
    let rate = wide();
    let word = AtomicU64::new(0);
    on_two(&mut group, "bare_cas_loop_same_word", |_, n| {
        (0..n).for_each(|i| {
            black_box(exchange(&word, i));
        });
    });
    let bucket = Gcra::full();
    on_two(&mut group, "nobat_gcra_same_bucket", |_, n| {
        (0..n).for_each(|i| {
            black_box(bucket.take(rate, Nanos(i)).is_ok());
        });
    });
    let limiter = RateLimiter::direct(wide_quota());
    on_two(&mut group, "governor_same_limiter", |_, n| {
        (0..n).for_each(|_| {
            black_box(limiter.check().is_ok());
        });
    });
    let shared: Arc<[Gcra]> = (0..KEYS).map(|_| Gcra::full()).collect();
    on_two(&mut group, "nobat_gcra_100k_by_index", |thread, n| {
        for i in 0..n {
            let key = scattered(i ^ thread << 40) as usize;
            black_box(shared[key].take(rate, Nanos(i)).is_ok());
        }
    });
    let limiter = RateLimiter::dashmap(wide_quota());
    (0..KEYS).for_each(|key| {
        black_box(limiter.check_key(&key).is_ok());
    });
    on_two(&mut group, "governor_keyed_dashmap_100k", |thread, n| {
        for i in 0..n {
            black_box(limiter.check_key(&scattered(i ^ thread << 40)).is_ok());
        }
    });
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
}

criterion_group! { name = benches; config = quick(); targets = one, keyed, two_threads }
criterion_main!(benches);
