//! kill -9 on real files: a writer is killed at random moments, again and again; what it was told is durable
//! must come back. The writer is this test binary, run again with a directory in its environment.

use nobat::disk::{Committed, DiskError, Entry, Hooks, Journal, Options, inspect, spawn};
use nobat_core::id::Seq;
use nobat_core::sync::ring::ring;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const DIR: &str = "NOBAT_TEST_JOURNAL_DIR";
const KILLS: u64 = 25;

fn options(dir: &Path) -> Options {
    Options { segment_bytes: 256 << 10, ..Options::new(dir) }
}

fn payload(seq: u64) -> Vec<u8> {
    format!("entry {seq} {}", "k".repeat(seq as usize % 500)).into_bytes()
}

/// Says on its standard output what is durable, as a webhook would say 200.
struct Say;

impl Hooks<()> for Say {
    fn committed(&mut self, batch: &mut Vec<Committed<()>>) {
        if let Some(last) = batch.last() {
            let mut out = std::io::stdout().lock();
            // The reader may be gone already; then nobody was told.
            let _ = writeln!(out, "durable {}", last.seq).and_then(|()| out.flush());
        }
    }
    fn stalled(&mut self, error: &DiskError) {
        panic!("{error}");
    }
    fn healed(&mut self) {}
    fn failed(&mut self, error: &DiskError) {
        panic!("{error}");
    }
}

/// The child: not a test of its own. Without the variable it does nothing.
#[test]
fn writer() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let journal = Journal::open(&options(Path::new(&dir)), |_, _| Ok(())).unwrap();
    let (tx, rx) = ring(256, 1 << 20, journal.next_seq());
    let mut next = journal.next_seq();
    let _handle = spawn(journal, rx, Say).unwrap();
    loop {
        match tx.try_reserve(600) {
            Some(reservation) => {
                reservation.push(Entry { payload: payload(next), extra: () });
                next += 1;
            }
            None => std::thread::sleep(Duration::from_micros(50)),
        }
    }
}

#[test]
fn what_a_killed_writer_was_told_is_durable_comes_back_every_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut told = 0;
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["writer", "--exact", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after a number of commits that differs from round to round; 0 is before or within its start.
        let commits = round * 7 % 23;
        for _ in 0..commits {
            let line = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("durable "));
            told = line.expect("the writer died by itself")["durable ".len()..].parse().unwrap();
        }
        child.kill().unwrap();
        // What it had said before it died counts as well; a last line may be torn.
        for line in lines.map_while(Result::ok) {
            told = line.strip_prefix("durable ").and_then(|n| n.parse().ok()).unwrap_or(told).max(told);
        }
        child.wait().unwrap();

        let reports = inspect::verify(dir.path(), Seq(0)).unwrap_or_else(|e| panic!("round {round}: {e}"));
        let mut next = 1;
        let journal = Journal::open(&options(dir.path()), |seq, bytes| {
            assert_eq!((seq.0, bytes), (next, payload(next).as_slice()));
            next += 1;
            Ok(())
        });
        let journal = journal.unwrap_or_else(|e| panic!("round {round}: {e}"));
        assert!(next > told, "round {round}: {told} was durable, {} came back", next - 1);
        assert_eq!(reports.last().map_or(1, |r| r.next.0), journal.next_seq());
    }
    assert!(told > KILLS, "the writer hardly wrote: {told}");
}
