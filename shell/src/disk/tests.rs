//! The journal on a simulated disk: seeded lives that end in kills, power cuts and broken disks, and a
//! checker that knows what was promised. `NOBAT_SIM_SEED=n` replays one seed.

mod faults;
mod lives;
mod snapshots;

use super::sim::{Faults, SimDisk};
use super::{Committed, DiskError, Entry, Hooks, Journal, Options};
use nobat_core::sync::ring::{Consumer, ring};
use std::sync::{Arc, Mutex};

/// What the world was told about the journal.
#[derive(Default)]
struct Promises {
    /// Payloads by sequence, from 1, as they were pushed.
    pushed: Vec<Vec<u8>>,
    /// That many of them were acknowledged.
    acked: usize,
    /// The first broken promise.
    broken: Option<String>,
}

impl Promises {
    fn check(&mut self, fine: bool, what: impl FnOnce() -> String) {
        if !fine && self.broken.is_none() {
            self.broken = Some(what());
        }
    }

    /// What a start replayed must be what was pushed, at least as far as was acknowledged.
    fn compare(&mut self, replayed: &[Vec<u8>]) {
        let (acked, pushed) = (self.acked, self.pushed.len());
        let n = replayed.len();
        self.check(n >= acked, || format!("{acked} were acknowledged, {n} came back"));
        self.check(n <= pushed, || format!("{pushed} were pushed, {n} came back"));
        let wrong = replayed.iter().zip(&self.pushed).position(|(a, b)| a != b);
        self.check(wrong.is_none(), || format!("entry {wrong:?} is not what was pushed"));
        self.pushed.truncate(n);
        // A start makes durable what it replays before it returns: from now on all of it is promised.
        self.acked = n;
    }
}

/// Notes each acknowledgement.
#[derive(Clone)]
struct Notary(Arc<Mutex<Promises>>);

impl Hooks<()> for Notary {
    fn committed(&mut self, batch: &mut Vec<Committed<()>>) {
        let mut promises = self.0.lock().unwrap();
        for Committed { seq, entry } in batch.drain(..) {
            let dense = seq.0 == promises.acked as u64 + 1;
            promises.check(dense, || format!("{seq} was acknowledged out of order"));
            let right = promises.pushed.get(seq.0 as usize - 1) == Some(&entry.payload);
            promises.check(right, || format!("{seq} was acknowledged with another payload"));
            promises.acked = seq.0 as usize;
        }
    }
    fn stalled(&mut self, _: &DiskError) {}
    fn healed(&mut self) {}
    fn failed(&mut self, _: &DiskError) {}
}

fn options() -> Options {
    Options { segment_bytes: 4096 + 1500, spare_ahead: false, ..Options::new("") }
}

/// Opens the simulated disk; damage is a broken promise, a failing disk is not.
fn open(disk: &SimDisk, promises: &Mutex<Promises>, salt: u64) -> Option<Journal> {
    let mut replayed = Vec::new();
    let opened = Journal::open_in(Arc::new(disk.clone()), &options(), salt, None, |seq, payload| {
        replayed.push(payload.to_vec());
        assert_eq!(seq.0 as usize, replayed.len(), "the callback is called in order");
        Ok(())
    });
    let mut promises = promises.lock().unwrap();
    match opened {
        Ok(journal) => {
            promises.compare(&replayed);
            Some(journal)
        }
        Err(DiskError::Io { .. } | DiskError::Sync { .. }) => None,
        Err(e) => {
            promises.check(false, || e.to_string());
            None
        }
    }
}

fn entry(seq: usize, round: u64) -> Vec<u8> {
    let text = format!("{seq}/{round} ");
    text.repeat(1 + (seq * 7 + round as usize) % 40).into_bytes()
}

type Ring = (nobat_core::sync::ring::Producer<Entry<()>>, Consumer<Entry<()>>);

fn ring_for(journal: &Journal) -> Ring {
    ring(16, 1 << 20, journal.next_seq())
}
