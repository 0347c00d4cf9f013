//! The shipped ring under loom: every interleaving of small histories.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p nobat-core --release --lib ring::loom`

use super::*;
use loom::thread;

/// Runs a model to three preemptions, where `LOOM_MAX_PREEMPTIONS` says nothing. With more a wake-up may come after the
/// consumer has popped everything, and loom takes it for the end of the thread that it joins then.
fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(f);
}

/// Pops `count` items, sleeping when there are none; a lost wake-up is a deadlock, which loom reports.
fn pop_all<T>(rx: &mut Consumer<T>, count: usize) -> Vec<(u64, T)> {
    let mut out = Vec::new();
    while out.len() < count {
        match rx.pop() {
            Some(item) => out.push(item),
            None => {
                rx.release();
                if rx.doze() {
                    thread::park();
                }
            }
        }
    }
    out
}

#[test]
fn two_producers_get_dense_positions_and_no_wake_up_is_lost() {
    model(|| {
        let (tx, mut rx) = ring(4, 8, 7);
        let me = thread::current();
        rx.set_waker(move || me.unpark());
        let other = tx.clone();
        let t1 = thread::spawn(move || other.try_reserve(2).unwrap().push(1));
        let t2 = thread::spawn(move || tx.try_reserve(2).unwrap().push(2));
        let items = pop_all(&mut rx, 2);
        let (p1, p2) = (t1.join().unwrap(), t2.join().unwrap());
        assert_eq!(p1 + p2, 7 + 8, "7 and 8, in one order or the other");
        assert_eq!(items, if p1 == 7 { vec![(7, 1), (8, 2)] } else { vec![(7, 2), (8, 1)] });
    });
}

#[test]
fn a_slot_is_filled_again_only_after_it_was_emptied_and_released() {
    model(|| {
        // One slot: the second push of either producer must see the consumer's emptying. Loom's cell
        // reports any overlap.
        let (tx, mut rx) = ring(1, 1, 0);
        let producer = thread::spawn(move || {
            for n in 0..2 {
                loop {
                    if let Some(r) = tx.try_reserve(1) {
                        r.push(n);
                        break;
                    }
                    thread::yield_now();
                }
            }
        });
        for n in 0..2 {
            loop {
                if let Some(item) = rx.pop() {
                    assert_eq!(item, (n, n));
                    rx.release();
                    break;
                }
                thread::yield_now();
            }
        }
        producer.join().unwrap();
    });
}

#[test]
fn an_early_reservation_pushed_late_lands_in_a_slot_emptied_after_it_was_made() {
    model(|| {
        // Two slots. `early` is reserved before anything is released; the other producer goes round the
        // ring meanwhile, so that `early` may land in a slot whose release only the other has acquired.
        let (tx, mut rx) = ring(2, 2, 0);
        let other = tx.clone();
        let late = thread::spawn(move || {
            let early = tx.try_reserve(1);
            if let Some(early) = early {
                early.push(100);
            }
        });
        let busy = thread::spawn(move || {
            for n in 0..2 {
                if let Some(r) = other.try_reserve(1) {
                    r.push(n);
                }
            }
        });
        for _ in 0..2 {
            if rx.pop().is_some() {
                rx.release();
            }
        }
        late.join().unwrap();
        busy.join().unwrap();
        while rx.pop().is_some() {}
    });
}

#[test]
fn the_tail_covers_a_push_that_happened_before() {
    model(|| {
        let (tx, _rx) = ring(4, 4, 1);
        let other = tx.clone();
        let flag = Arc::new(AtomicBool::new(false));
        let seen = flag.clone();
        let t = thread::spawn(move || {
            let position = other.try_reserve(1).unwrap().push(());
            flag.store(true, Ordering::Release);
            position
        });
        if seen.load(Ordering::Acquire) {
            assert_eq!(tx.tail(), 2);
        }
        assert_eq!(t.join().unwrap(), 1);
    });
}
