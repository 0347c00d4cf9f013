//! The journal on real files: what was committed comes back, in order, once, to one process at a time.

use nobat::disk::{Committed, DiskError, Entry, Hooks, Journal, Options, spawn};
use nobat_core::id::Seq;
use nobat_core::record::Malformed;
use nobat_core::sync::ring::ring;
use std::path::Path;
use std::sync::mpsc;

/// Sequences with their payloads.
type Entries = Vec<(u64, Vec<u8>)>;

/// Small segments, so that a few hundred entries roll several times.
fn options(dir: &Path) -> Options {
    Options { segment_bytes: 16 << 10, ..Options::new(dir) }
}

fn open(options: &Options) -> Result<(Journal, Entries), DiskError> {
    let mut entries = Vec::new();
    let journal = Journal::open(options, |seq, payload| {
        entries.push((seq.0, payload.to_vec()));
        Ok(())
    })?;
    Ok((journal, entries))
}

fn payload(seq: u64) -> Vec<u8> {
    format!("entry {seq} {}", "x".repeat(seq as usize % 300)).into_bytes()
}

fn names(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// Hands every committed entry to a channel.
struct Forward(mpsc::Sender<(u64, Vec<u8>, u64)>);

impl Hooks<u64> for Forward {
    fn committed(&mut self, batch: &mut Vec<Committed<u64>>) {
        for Committed { seq: Seq(seq), entry: Entry { payload, extra } } in batch.drain(..) {
            self.0.send((seq, payload, extra)).unwrap();
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

#[test]
fn what_was_committed_is_replayed_in_order_over_many_segments_and_starts() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(dir.path());
    let mut written = 0;
    for round in 0..4u64 {
        let (journal, entries) = open(&options).unwrap();
        let expected: Vec<_> = (1..=written).map(|seq| (seq, payload(seq))).collect();
        assert_eq!(entries, expected);
        assert_eq!(journal.next_seq(), written + 1);
        assert!(journal.recovered().clean, "round {round}: {:?}", journal.recovered());
        let (tx, rx) = ring(64, 1 << 20, journal.next_seq());
        let (sender, committed) = mpsc::channel();
        let handle = spawn(journal, rx, Forward(sender)).unwrap();
        for _ in 0..200 {
            let reservation = loop {
                match tx.try_reserve(1000) {
                    Some(r) => break r,
                    None => std::thread::yield_now(),
                }
            };
            written += 1;
            let entry = Entry { payload: payload(written), extra: round };
            assert_eq!(tx.push(reservation, entry), written);
        }
        for seq in written - 199..=written {
            assert_eq!(committed.recv().unwrap(), (seq, payload(seq), round));
            assert!(handle.durable() >= seq, "the hook comes after the durable mark");
        }
        assert!(handle.durability().covers(tx.tail()));
        handle.stop_and_join().unwrap();
        assert_eq!(tx.room(), (64, 1 << 20), "everything was released");
    }
}

#[test]
fn two_opens_of_one_directory_are_refused_and_the_holder_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(dir.path());
    let (first, _) = open(&options).unwrap();
    let error = open(&options).err().unwrap();
    let DiskError::Locked { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(*holder, std::process::id().to_string());
    assert!(error.to_string().contains("is in use by process"), "{error}");
    drop(first);
    open(&options).unwrap();
}

#[test]
fn an_entry_that_cannot_be_applied_stops_the_start_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(dir.path());
    let (mut journal, _) = open(&options).unwrap();
    journal.append(b"good").unwrap();
    journal.append(b"strange").unwrap();
    drop(journal);
    let before = names(dir.path());
    let refused =
        Journal::open(
            &options,
            |_, payload| {
                if payload == b"strange" { Err(Malformed("unknown event")) } else { Ok(()) }
            },
        );
    let error = refused.err().unwrap();
    assert!(matches!(error, DiskError::Unreadable { seq: Seq(2), .. }), "{error}");
    assert_eq!(before, names(dir.path()));
    assert_eq!(open(&options).unwrap().1.len(), 2);
}

#[test]
fn starting_and_stopping_without_traffic_leaves_one_segment() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(dir.path());
    for _ in 0..5 {
        let (mut journal, _) = open(&options).unwrap();
        journal.seal().unwrap();
    }
    assert_eq!(names(dir.path()).iter().filter(|n| n.ends_with(".seg")).count(), 1);
}

#[test]
fn a_spare_of_an_earlier_life_becomes_the_next_segment_whatever_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 64 << 10, spare_ahead: false, ..Options::new(dir.path()) };
    let spare = dir.path().join("spare.ready");
    for (len, taken) in [(64 << 10, true), (32 << 10, false)] {
        // Frames of another segment, or anything else: none of it counts.
        let before = std::fs::read_dir(dir.path()).unwrap().count();
        std::fs::write(&spare, vec![0xab; len]).unwrap();
        let mut replayed = Vec::new();
        let mut journal = Journal::open(&options, |_, payload| {
            replayed.push(payload.to_vec());
            Ok(())
        })
        .unwrap();
        assert!(!spare.exists(), "it is taken, or of no use");
        assert_eq!(replayed, if taken { vec![] } else { vec![b"first".to_vec()] }, "{before} files before");
        journal.append(if taken { b"first" } else { b"later" }).unwrap();
    }
    let reports = inspect_all(dir.path());
    assert_eq!(reports, 2);
}

fn inspect_all(dir: &Path) -> u64 {
    let reports = nobat::disk::inspect::verify(dir, Seq(0)).unwrap();
    reports.iter().map(|report| report.entries).sum()
}
