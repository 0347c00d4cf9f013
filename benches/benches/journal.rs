//! What a durable commit costs, beside SQLite and a plain growing file in the same run; and what handing an
//! entry to the journal's thread costs, beside crossbeam's queues.
//!
//! `cargo bench -p nobat-benches --bench journal`; the directory is `TMPDIR`, which must be on a real disk. With
//! `-- --ratios`: nine runs of the commits alone, each with files of its own, and the median and range of what is
//! compared: one run's p99 is the luck of a shared disk.
//! The rounds are interleaved, so that a noisy neighbour hits all alike. Where other work fills the cores, run
//! it under `chrt -f 50`: otherwise every commit also waits for a time slice, and all look the same.

use criterion::{BenchmarkId, Criterion, Throughput};
use crossbeam::queue::ArrayQueue;
use hdrhistogram::Histogram;
use nobat::disk::{Committed, DiskError, Entry, Hooks, Journal, JournalHandle, Options, spawn};
use nobat_core::sync::ring::{Producer, ring};
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

const RECORD_BYTES: usize = 200;
const GROUP: usize = 100;

/// Somewhere to commit records to.
trait Log {
    fn name(&self) -> &'static str;
    /// Adds a record to the coming commit.
    fn add(&mut self, record: &[u8; RECORD_BYTES]);
    /// Makes what was added durable.
    fn commit(&mut self);
}

/// The journal as the commit thread drives it, without the thread.
struct Ours {
    journal: Journal,
    group: Vec<[u8; RECORD_BYTES]>,
}

impl Log for Ours {
    fn name(&self) -> &'static str {
        "nobat journal"
    }
    fn add(&mut self, record: &[u8; RECORD_BYTES]) {
        self.group.push(*record);
    }
    fn commit(&mut self) {
        self.journal.append_group(self.group.iter().map(|r| r.as_slice())).expect("commit");
        self.group.clear();
    }
}

/// The journal through ring and thread: push, then sleep until the last record is durable.
struct Threaded {
    ring: Producer<Entry<()>>,
    handle: JournalHandle,
    last: u64,
}

struct WakeMain(Thread);

impl Hooks<()> for WakeMain {
    fn committed(&mut self, _: &mut Vec<Committed<()>>) {
        self.0.unpark();
    }
    fn stalled(&mut self, error: &DiskError) {
        panic!("{error}");
    }
    fn healed(&mut self) {}
    fn failed(&mut self, error: &DiskError) {
        panic!("{error}");
    }
}

impl Log for Threaded {
    fn name(&self) -> &'static str {
        "nobat journal, ring and thread"
    }
    fn add(&mut self, record: &[u8; RECORD_BYTES]) {
        let reservation = loop {
            match self.ring.try_reserve(RECORD_BYTES as u64) {
                Some(reservation) => break reservation,
                None => thread::park(),
            }
        };
        self.last = reservation.push(Entry { payload: record.to_vec(), extra: () });
    }
    fn commit(&mut self) {
        while self.handle.durable() < self.last {
            thread::park();
        }
    }
}

/// SQLite, write-ahead log, synced at each commit.
struct Sqlite {
    db: rusqlite::Connection,
    open: bool,
}

impl Sqlite {
    fn new(dir: &Path) -> rusqlite::Result<Self> {
        let db = rusqlite::Connection::open(dir.join("peer.sqlite"))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.execute_batch("CREATE TABLE log (seq INTEGER PRIMARY KEY, payload BLOB NOT NULL)")?;
        Ok(Self { db, open: false })
    }
}

impl Log for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite WAL, synchronous=FULL"
    }
    fn add(&mut self, record: &[u8; RECORD_BYTES]) {
        if !self.open {
            self.db.execute_batch("BEGIN").expect("begin");
            self.open = true;
        }
        let insert = self.db.prepare_cached("INSERT INTO log (payload) VALUES (?1)");
        insert.and_then(|mut insert| insert.execute([record.as_slice()])).expect("insert");
    }
    fn commit(&mut self) {
        self.db.execute_batch("COMMIT").expect("commit");
        self.open = false;
    }
}

/// A growing file: length, bytes; one write, one fdatasync. No checksum, no recovery.
struct Plain {
    file: File,
    group: Vec<u8>,
}

impl Log for Plain {
    fn name(&self) -> &'static str {
        "plain append + fdatasync"
    }
    fn add(&mut self, record: &[u8; RECORD_BYTES]) {
        self.group.extend_from_slice(&(RECORD_BYTES as u32).to_le_bytes());
        self.group.extend_from_slice(record);
    }
    fn commit(&mut self) {
        self.file.write_all(&self.group).and_then(|()| self.file.sync_data()).expect("append");
        self.group.clear();
    }
}

fn logs(dir: &Path) -> Vec<Box<dyn Log>> {
    let open = |name| Journal::open(&Options::new(dir.join(name)), |_, _| Ok(())).expect("open");
    let journal = open("threaded");
    let (producer, consumer) = ring(1 << 16, 1 << 30, journal.next_seq());
    let handle = spawn(journal, consumer, WakeMain(thread::current())).expect("spawn");
    let file = File::create(dir.join("plain.log")).expect("create");
    vec![
        Box::new(Ours { journal: open("ours"), group: Vec::new() }),
        Box::new(Threaded { ring: producer, handle, last: 0 }),
        Box::new(Sqlite::new(dir).expect("sqlite")),
        Box::new(Plain { file, group: Vec::new() }),
    ]
}

/// A record that costs about what a small decision costs to encode: its bytes are made, not copied.
fn record(n: u64) -> [u8; RECORD_BYTES] {
    let mut bytes = [0; RECORD_BYTES];
    let mut x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for chunk in bytes.chunks_exact_mut(8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        chunk.copy_from_slice(&x.to_le_bytes());
    }
    bytes
}

struct Tally {
    commits: Histogram<u64>,
    records: u64,
    busy: Duration,
}

impl Tally {
    fn us(&self, quantile: f64) -> f64 {
        self.commits.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// Thousands a second.
    fn rate(&self) -> f64 {
        self.records as f64 / self.busy.as_secs_f64() / 1000.0
    }
}

/// Commits groups made by `fill` and prints what a commit took and what went through in all.
fn compare(title: &str, rounds: usize, n: (usize, usize), fill: impl Fn(&mut dyn Log) -> u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut logs = logs(dir.path());
    let tallies = tallies(&mut logs, rounds, n, fill);
    println!("\n{title}: records/s, commit p50 / p99 / max in us");
    for (log, tally) in logs.iter().zip(&tallies) {
        let (rate, max) = (tally.rate(), tally.commits.max() / 1000);
        println!("  {:32} {rate:7.0}k  {:5.0} / {:5.0} / {max:6}", log.name(), tally.us(0.5), tally.us(0.99));
    }
}

/// Commits groups made by `fill`, round by round, each log in its turn.
fn tallies(
    logs: &mut [Box<dyn Log>],
    rounds: usize,
    (warm, commits): (usize, usize),
    fill: impl Fn(&mut dyn Log) -> u64,
) -> Vec<Tally> {
    let new = || Tally { commits: Histogram::new(3).expect("3 digits"), records: 0, busy: Duration::ZERO };
    let mut tallies: Vec<Tally> = logs.iter().map(|_| new()).collect();
    for round in 0..rounds {
        for (log, tally) in logs.iter_mut().zip(&mut tallies) {
            // The first round warms caches, files and statements, and writes past the first segment of a process,
            // of which only the beginning is filled with zeros.
            if round == 1 {
                *tally = new();
            }
            for _ in 0..if round == 0 { warm } else { commits } {
                let start = Instant::now();
                let records = fill(&mut **log);
                let filled = Instant::now();
                log.commit();
                // For a fixed group its making counts as well; SQLite does its work there.
                let from = if records == GROUP as u64 { start } else { filled };
                let _ = tally.commits.record(from.elapsed().as_nanos() as u64);
                tally.records += records;
                tally.busy += start.elapsed();
            }
        }
    }
    tallies
}

fn hundred(log: &mut dyn Log) -> u64 {
    for n in 0..GROUP as u64 {
        log.add(&record(n));
    }
    GROUP as u64
}

fn a_millisecond(log: &mut dyn Log) -> u64 {
    let (start, mut records) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_millis(1) {
        for _ in 0..16 {
            log.add(&record(records));
            records += 1;
        }
    }
    records
}

/// Runs of the whole comparison, so that their spread is seen.
const RUNS: usize = 9;

/// The median of what these runs gave, and their range.
fn spread(title: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let (least, median, most) = (values[0], values[values.len() / 2], values[values.len() - 1]);
    println!("  {title:52} {median:8.2} ({least:.2} to {most:.2})");
}

/// Nine runs of both comparisons without the ring and its thread, turn by turn in short rounds.
fn ratios() {
    let places = |names: &[&str], logs: &[Box<dyn Log>]| -> Vec<usize> {
        names.iter().filter_map(|name| logs.iter().position(|log| log.name() == *name)).collect()
    };
    let mut columns: [Vec<f64>; 9] = Default::default();
    for run in 1..=RUNS {
        let dir = tempfile::tempdir().expect("a directory");
        let mut logs = logs(dir.path());
        logs.remove(1);
        let at =
            places(&["nobat journal", "SQLite WAL, synchronous=FULL", "plain append + fdatasync"], &logs);
        let of = tallies(&mut logs, 41, (3_200, 100), hundred);
        let (ours, sqlite) = (&of[at[0]], &of[at[1]]);
        logs.remove(at[1]);
        let filled = tallies(&mut logs, 11, (20, 50), a_millisecond);
        let rate = filled[0].rate() / filled[1].rate();
        let values = [
            ours.us(0.5),
            sqlite.us(0.5),
            ours.us(0.5) / sqlite.us(0.5),
            ours.us(0.99),
            sqlite.us(0.99),
            ours.us(0.99) / sqlite.us(0.99),
            ours.us(0.999),
            sqlite.us(0.999),
            rate,
        ];
        println!(
            "run {run}: p50 {:.0} over {:.0} = {:.2}; p99 {:.0} over {:.0} = {:.2}; windows {rate:.2}",
            values[0], values[1], values[2], values[3], values[4], values[5]
        );
        columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
    }
    println!("\n{RUNS} runs, 4,000 commits of 100 records of 200 bytes each: median and range");
    let titles = [
        "p50 of a commit, us",
        "p50 of SQLite's, us",
        "p50 over SQLite's",
        "p99 of a commit, us",
        "p99 of SQLite's, us",
        "p99 over SQLite's",
        "p99.9 of a commit, us",
        "p99.9 of SQLite's, us",
        "filled 1 ms windows over plain append + fdatasync",
    ];
    titles.into_iter().zip(columns).for_each(|(title, values)| spread(title, values));
}

fn commits(quick: bool) {
    let (rounds, n) = if quick { (2, (5, 5)) } else { (21, (3_200, 200)) };
    compare("100 records of 200 bytes a commit", rounds, n, hundred);
    let (rounds, n) = if quick { (2, (5, 5)) } else { (11, (100, 50)) };
    compare("as many records as 1 ms makes, then commit", rounds, n, a_millisecond);
}

type Item = (u64, [u8; 40]);
const ITEM: Item = (7, [1; 40]);

fn handoff(c: &mut Criterion) {
    let mut group = c.benchmark_group("handoff of 48 bytes, push and pop on one thread");
    let (tx, mut rx) = ring::<Item>(1024, 1 << 20, 0);
    group.bench_function("nobat ring: reserve, push, pop, release", |b| {
        b.iter(|| {
            let reservation = tx.try_reserve(40).expect("room");
            reservation.push(black_box(ITEM));
            black_box(rx.pop());
            rx.release();
        });
    });
    let (tx, rx) = crossbeam::channel::bounded::<Item>(1024);
    group.bench_function("crossbeam-channel bounded: try_send, try_recv", |b| {
        b.iter(|| {
            let _ = tx.try_send(black_box(ITEM));
            let _ = black_box(rx.try_recv());
        });
    });
    let queue = ArrayQueue::<Item>::new(1024);
    group.bench_function("crossbeam ArrayQueue: push, pop", |b| {
        b.iter(|| {
            let _ = queue.push(black_box(ITEM));
            black_box(queue.pop());
        });
    });
    group.finish();

    let mut group = c.benchmark_group("handoff of 48 bytes, one thread to another");
    const ITEMS: u64 = 100_000;
    group.throughput(Throughput::Elements(ITEMS)).sample_size(20);
    group.bench_function(BenchmarkId::new("nobat ring", ITEMS), |b| b.iter(through_ring));
    group.bench_function(BenchmarkId::new("crossbeam-channel bounded", ITEMS), |b| b.iter(through_channel));
    group.bench_function(BenchmarkId::new("crossbeam ArrayQueue", ITEMS), |b| b.iter(through_queue));
    group.finish();

    fn through_ring() {
        let (tx, mut rx) = ring::<Item>(1024, 1 << 20, 0);
        thread::scope(|scope| {
            scope.spawn(move || {
                for _ in 0..ITEMS {
                    let reservation = loop {
                        match tx.try_reserve(40) {
                            Some(reservation) => break reservation,
                            None => thread::yield_now(),
                        }
                    };
                    reservation.push(black_box(ITEM));
                }
            });
            let mut got = 0;
            while got < ITEMS {
                match rx.pop() {
                    Some(item) => {
                        black_box(item);
                        got += 1;
                        if got % 64 == 0 {
                            rx.release();
                        }
                    }
                    None => {
                        rx.release();
                        thread::yield_now();
                    }
                }
            }
        });
    }

    fn through_channel() {
        let (tx, rx) = crossbeam::channel::bounded::<Item>(1024);
        thread::scope(|scope| {
            scope.spawn(move || (0..ITEMS).for_each(|_| tx.send(black_box(ITEM)).expect("open")));
            for _ in 0..ITEMS {
                let _ = black_box(rx.recv());
            }
        });
    }

    fn through_queue() {
        let queue = ArrayQueue::<Item>::new(1024);
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..ITEMS {
                    while queue.push(black_box(ITEM)).is_err() {
                        thread::yield_now();
                    }
                }
            });
            let mut got = 0;
            while got < ITEMS {
                match queue.pop() {
                    Some(item) => {
                        black_box(item);
                        got += 1;
                    }
                    None => thread::yield_now(),
                }
            }
        });
    }
}

fn main() {
    let quick = std::env::args().any(|arg| arg == "--test");
    if std::env::args().any(|arg| arg == "--ratios") {
        return ratios();
    }
    commits(quick);
    let mut criterion = Criterion::default().configure_from_args();
    handoff(&mut criterion);
    criterion.final_summary();
}
