//! Lives of a journal under chance, one seed each.

use super::super::commit::Worker;
use super::*;

/// The test's own chance, apart from the disk's.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        // xorshift64*.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % n
    }
}

/// One life: open, push and commit for a while, stop somehow. `turns` commits at most.
fn live(disk: &SimDisk, promises: &Arc<Mutex<Promises>>, chance: &mut Chance, turns: u64, round: u64) {
    let Some(journal) = open(disk, promises, chance.below(u64::MAX)) else { return };
    let (tx, rx) = ring_for(&journal);
    let mut worker = Worker::new(journal, rx, Notary(promises.clone()), |_| {});
    let durability = worker.durability();
    for _ in 0..turns {
        for _ in 0..chance.below(6) {
            let Some(reservation) = tx.try_reserve(0) else { break };
            let mut promises = promises.lock().unwrap();
            let payload = entry(promises.pushed.len() + 1, round);
            promises.pushed.push(payload.clone());
            let seq = reservation.push(Entry { payload, extra: () });
            assert_eq!(seq as usize, promises.pushed.len());
        }
        if worker.turn().is_err() {
            let last = durability.durable();
            assert!(worker.turn().is_err(), "after a failure nothing is ever committed");
            assert_eq!(durability.durable(), last);
            return;
        }
    }
    if chance.below(3) == 0 {
        let _ = worker.seal();
    }
}

/// Lives of one seed; the first broken promise, if any.
fn seed(seed: u64, lives: u64, plant: Faults) -> Option<String> {
    let disk = SimDisk::new(seed);
    let mut chance = Chance(seed.wrapping_mul(2) + 1);
    let promises = Arc::new(Mutex::new(Promises::default()));
    for round in 0..lives {
        let faults = match chance.below(4) {
            0 => Faults { dies_at: Some(disk.ops() + 1 + chance.below(60)), ..plant },
            1 => Faults { sync_error: 40, write_error: 10, short_write: 200, ..plant },
            2 => Faults { short_write: 300, no_space: 200, ..plant },
            _ => plant,
        };
        disk.set_faults(faults);
        let turns = chance.below(12);
        live(&disk, &promises, &mut chance, turns, round);
        match chance.below(3) {
            0 => disk.restart(),
            _ => disk.crash(),
        }
        if let Some(broken) = promises.lock().unwrap().broken.take() {
            return Some(format!("seed {seed}, life {round}: {broken}"));
        }
    }
    None
}

fn seeds(default: u64) -> std::ops::Range<u64> {
    match std::env::var("NOBAT_SIM_SEED").ok().and_then(|s| s.parse::<u64>().ok()) {
        Some(one) => one..one + 1,
        None => 0..default,
    }
}

#[test]
fn no_promise_is_broken_in_any_life() {
    let broken: Vec<_> = seeds(400).filter_map(|n| seed(n, 8, Faults::default())).collect();
    assert!(broken.is_empty(), "{} seeds; the first: {}", broken.len(), broken[0]);
}

#[test]
fn an_acknowledgement_before_the_sync_is_caught() {
    let plant = Faults { lies_about_files: true, ..Faults::default() };
    assert!((0..50).any(|n| seed(n, 8, plant).is_some()));
}

#[test]
fn a_forgotten_sync_of_the_directory_is_caught() {
    let plant = Faults { lies_about_names: true, ..Faults::default() };
    assert!((0..50).any(|n| seed(n, 8, plant).is_some()));
}

#[test]
fn a_kill_at_any_operation_of_any_of_two_lives_loses_nothing() {
    for n in 0..6 {
        // Two lives are killed one after the other, the second within its recovery of the first.
        for (first, second) in (1..).step_by(3).map(|at| (at, at % 23 + 1)).take(40) {
            let disk = SimDisk::new(n);
            let mut chance = Chance(2 * n + 1);
            let promises = Arc::new(Mutex::new(Promises::default()));
            for dies_in in [first, second, u64::MAX - 100_000] {
                disk.set_faults(Faults { dies_at: Some(disk.ops() + dies_in), ..Faults::default() });
                live(&disk, &promises, &mut chance, 8, dies_in);
                if n % 2 == 0 { disk.crash() } else { disk.restart() }
            }
            let broken = promises.lock().unwrap().broken.take();
            assert_eq!(broken, None, "disk {n}, killed at {first}, then {second}");
        }
    }
}
