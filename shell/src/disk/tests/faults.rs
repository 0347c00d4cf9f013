//! One fault at a time, on the real thread.

use super::super::{JournalHandle, spawn};
use super::*;
use nobat_core::sync::ring::Producer;
use std::sync::mpsc::{Receiver, Sender, channel};

#[derive(Debug, PartialEq)]
enum News {
    Durable(u64),
    Stalled,
    Healed,
    Failed(String),
}

struct Teller(Sender<News>);

impl Hooks<()> for Teller {
    fn committed(&mut self, batch: &mut Vec<Committed<()>>) {
        for committed in batch.drain(..) {
            let _ = self.0.send(News::Durable(committed.seq.0));
        }
    }
    fn stalled(&mut self, error: &DiskError) {
        assert!(error.heals(), "{error}");
        let _ = self.0.send(News::Stalled);
    }
    fn healed(&mut self) {
        let _ = self.0.send(News::Healed);
    }
    fn failed(&mut self, error: &DiskError) {
        let _ = self.0.send(News::Failed(error.to_string()));
    }
}

fn start(disk: &SimDisk) -> (JournalHandle, Producer<Entry<()>>, Receiver<News>) {
    let journal = open(disk, &Mutex::default(), 7).unwrap();
    let (tx, rx) = ring_for(&journal);
    let (sender, news) = channel();
    (spawn(journal, rx, Teller(sender)).unwrap(), tx, news)
}

fn push(tx: &Producer<Entry<()>>, bytes: usize) -> Option<u64> {
    tx.try_reserve(bytes as u64).map(|r| r.push(Entry { payload: vec![b'x'; bytes], extra: () }))
}

#[test]
fn a_full_disk_stalls_commits_until_space_returns_without_a_restart() {
    let disk = SimDisk::new(1);
    let (handle, tx, news) = start(&disk);
    // Room for the first segment and no other.
    disk.set_faults(Faults { capacity: Some(6000), ..Faults::default() });
    for seq in 1..=10 {
        assert_eq!(push(&tx, 400), Some(seq));
    }
    let mut durable = 0;
    loop {
        match news.recv().unwrap() {
            News::Durable(seq) => durable = seq,
            News::Stalled => break,
            other => panic!("{other:?}"),
        }
    }
    assert!((1..10).contains(&durable), "what fits is durable, the rest waits: {durable}");
    assert!(handle.stalled() && !handle.failed());
    assert_eq!(handle.durable(), durable);
    let refused = std::iter::repeat_with(|| push(&tx, 400)).take(17).any(|p| p.is_none());
    assert!(refused, "the ring's budget ends before memory does");
    disk.set_faults(Faults::default());
    // The new segment is made, which ends the spell; then the commits go on.
    assert_eq!(news.recv().unwrap(), News::Healed);
    let tail = tx.tail();
    for seq in durable + 1..tail {
        assert_eq!(news.recv().unwrap(), News::Durable(seq));
    }
    assert!(!handle.stalled());
    handle.stop_and_join().unwrap();
    let replayed =
        Mutex::new(Promises { pushed: vec![vec![b'x'; 400]; tail as usize - 1], ..Promises::default() });
    disk.crash();
    open(&disk, &replayed, 8).unwrap();
    assert_eq!(replayed.lock().unwrap().acked as u64, tail - 1);
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_and_the_next_start_makes_durable_what_is_readable() {
    let disk = SimDisk::new(2);
    let (handle, tx, news) = start(&disk);
    push(&tx, 100).unwrap();
    assert_eq!(news.recv().unwrap(), News::Durable(1));
    disk.set_faults(Faults { sync_error: 1000, ..Faults::default() });
    push(&tx, 100).unwrap();
    let News::Failed(why) = news.recv().unwrap() else { panic!("it was acknowledged") };
    assert!(why.contains("nothing is acknowledged any more"), "{why}");
    assert!(handle.failed());
    disk.set_faults(Faults::default());
    push(&tx, 100).unwrap();
    assert!(handle.stop_and_join().is_err());
    assert!(news.recv().is_err(), "no more news after the failure");
    // The page cache still shows entry 2, which the disk does not have.
    disk.restart();
    let promises = Mutex::new(Promises { pushed: vec![vec![b'x'; 100]; 2], ..Promises::default() });
    let journal = open(&disk, &promises, 9).unwrap();
    assert_eq!(journal.recovered().copied, 1, "{:?}", journal.recovered());
    drop(journal);
    for _ in 0..20 {
        disk.crash();
        assert!(open(&disk, &promises, 10).is_some());
        assert_eq!(promises.lock().unwrap().broken, None);
        assert_eq!(promises.lock().unwrap().acked, 2);
    }
}

#[test]
fn a_stop_during_a_full_disk_ends_with_the_reason() {
    let disk = SimDisk::new(3);
    let (handle, tx, news) = start(&disk);
    disk.set_faults(Faults { no_space: 1000, ..Faults::default() });
    push(&tx, 100).unwrap();
    assert_eq!(news.recv().unwrap(), News::Stalled);
    assert!(handle.stop_and_join().is_err_and(|e| e.heals()));
    assert!(matches!(news.recv().unwrap(), News::Failed(_)));
}
