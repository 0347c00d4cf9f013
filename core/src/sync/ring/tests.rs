//! The ring against a model, and with real threads.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::rc::Rc;
use std::thread;

/// One step of the model test.
#[derive(Clone, Debug)]
enum Op {
    Reserve(u64),
    Shrink(u64),
    Push,
    Abandon,
    Pop,
    Release,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0u64..40).prop_map(Op::Reserve),
        1 => (0u64..40).prop_map(Op::Shrink),
        3 => Just(Op::Push),
        1 => Just(Op::Abandon),
        3 => Just(Op::Pop),
        2 => Just(Op::Release),
    ]
}

proptest! {
    #[test]
    fn it_behaves_like_a_queue_with_two_counters(
        capacity in 1usize..9,
        first in prop_oneof![Just(1u64), 0u64..1 << 40],
        ops in prop::collection::vec(op(), 0..200),
    ) {
        const BUDGET: u64 = 100;
        let (tx, mut rx) = ring::<u64>(capacity, BUDGET, first);
        let (mut free_slots, mut free_bytes) = (capacity as u64, BUDGET);
        let mut reserved = VecDeque::new();
        let mut queue = VecDeque::new();
        let mut popped: Vec<u64> = Vec::new();
        let (mut next, mut head) = (first, first);
        for op in ops {
            match op {
                Op::Reserve(bytes) => {
                    let fits = free_slots > 0 && free_bytes >= bytes;
                    let got = tx.try_reserve(bytes);
                    prop_assert_eq!(got.is_some(), fits);
                    if let Some(r) = got {
                        free_slots -= 1;
                        free_bytes -= bytes;
                        reserved.push_back(r);
                    }
                }
                Op::Shrink(to) => {
                    if let Some(r) = reserved.back_mut() {
                        free_bytes += r.bytes().saturating_sub(to);
                        r.shrink_to(to);
                    }
                }
                Op::Push => {
                    if let Some(r) = reserved.pop_front() {
                        queue.push_back(r.bytes());
                        prop_assert_eq!(tx.push(r, next), next);
                        next += 1;
                    }
                }
                Op::Abandon => {
                    if let Some(r) = reserved.pop_front() {
                        free_slots += 1;
                        free_bytes += r.bytes();
                    }
                }
                Op::Pop => match queue.pop_front() {
                    Some(bytes) => {
                        prop_assert_eq!(rx.pop(), Some((head, head)));
                        head += 1;
                        popped.push(bytes);
                    }
                    None => prop_assert_eq!(rx.pop(), None),
                },
                Op::Release => {
                    rx.release();
                    free_slots += popped.len() as u64;
                    free_bytes += popped.drain(..).sum::<u64>();
                }
            }
            prop_assert_eq!(tx.room(), (free_slots, free_bytes));
            prop_assert_eq!((tx.tail(), rx.head()), (next, head));
            prop_assert_eq!(rx.doze(), queue.is_empty());
        }
    }
}

#[test]
fn a_popped_slot_is_not_admitted_again_before_its_release() {
    let (tx, mut rx) = ring(1, 10, 0);
    tx.push(tx.try_reserve(10).unwrap(), 'a');
    assert_eq!(rx.pop(), Some((0, 'a')));
    assert!(tx.try_reserve(0).is_none());
    rx.release();
    assert!(tx.try_reserve(10).is_some());
}

#[test]
fn a_split_reservation_pushes_each_of_its_parts() {
    let (tx, mut rx) = ring(3, 100, 5);
    let mut both = tx.try_reserve_slots(3, 90).unwrap();
    let one = both.split(40).unwrap();
    assert!(both.split(60).is_none(), "only 50 bytes are left");
    assert_eq!(one.push('a'), 5);
    assert_eq!(both.push('b'), 6, "the third slot goes back unused");
    assert_eq!(tx.room(), (1, 10));
    assert_eq!((rx.pop(), rx.pop()), (Some((5, 'a')), Some((6, 'b'))));
    rx.release();
    assert_eq!(tx.room(), (3, 100));
}

#[test]
fn items_left_in_the_ring_are_dropped_once() {
    let item = Rc::new(());
    let (tx, mut rx) = ring(4, 0, 0);
    for _ in 0..3 {
        tx.try_reserve(0).unwrap().push(item.clone());
    }
    drop(rx.pop());
    assert_eq!(Rc::strong_count(&item), 3);
    drop(rx);
    assert_eq!(Rc::strong_count(&item), 1, "the consumer drops what it would have popped");
    tx.try_reserve(0).unwrap().push(item.clone());
    drop(tx);
    assert_eq!(Rc::strong_count(&item), 1, "the last handle drops what came later");
}

#[test]
fn without_a_consumer_nothing_is_admitted_once_the_ring_is_full() {
    let (tx, rx) = ring(2, 0, 0);
    drop(rx);
    tx.try_reserve(0).unwrap().push(1);
    tx.try_reserve(0).unwrap().push(2);
    assert!(tx.try_reserve(0).is_none());
}

#[test]
fn four_threads_lose_nothing_and_each_keeps_its_order_while_the_consumer_sleeps_and_wakes() {
    const EACH: u64 = 20_000;
    let (tx, mut rx) = ring(64, 1 << 12, 1);
    let me = thread::current();
    rx.set_waker(move || me.unpark());
    thread::scope(|scope| {
        for producer in 0..4u64 {
            let tx = tx.clone();
            scope.spawn(move || {
                for n in 0..EACH {
                    loop {
                        if let Some(r) = tx.try_reserve(n % 100) {
                            r.push((producer, n));
                            break;
                        }
                        thread::yield_now();
                    }
                }
            });
        }
        let mut next = [0u64; 4];
        let mut position = 1;
        while position <= 4 * EACH {
            match rx.pop() {
                Some((at, (producer, n))) => {
                    assert_eq!(at, position);
                    assert_eq!(n, next[producer as usize]);
                    next[producer as usize] += 1;
                    position += 1;
                }
                None => {
                    rx.release();
                    // Nothing but the waker ends this: a lost wake-up hangs the test.
                    if rx.doze() {
                        thread::park();
                    }
                }
            }
        }
    });
    rx.release();
    assert_eq!(tx.room(), (64, 1 << 12));
}
