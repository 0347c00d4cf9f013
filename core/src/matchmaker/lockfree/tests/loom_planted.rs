//! Bugs that loom must find: the tempting design, and three planted into the shipped source.

use super::loom_pairs::model;
use super::*;
use crate::sync::atomic::AtomicU64;
use loom::sync::Arc;
use loom::thread;

/// Look first, stand in line if nobody is there: over a perfect queue of one place, popped and pushed in
/// one step each, and still wrong.
#[test]
#[should_panic(expected = "both wait")]
fn loom_to_pop_and_then_to_publish_leaves_two_people_waiting() {
    model("pop, then publish", None, || {
        let places = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let joins = |places: &[AtomicU64; 2], me: u64| {
            // Pop whoever stands in line.
            for place in places.iter() {
                let other = place.load(Ordering::SeqCst);
                if other != 0 && place.compare_exchange(other, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok()
                {
                    return true;
                }
            }
            // Nobody: publish.
            places[me as usize - 1].store(me, Ordering::SeqCst);
            false
        };
        let other = places.clone();
        let thread = thread::spawn(move || joins(&other, 2));
        let one = joins(&places, 1);
        assert!(one || thread.join().expect("no panic"), "both wait");
    });
}

fn two_join<F: Faults>() {
    model("planted: join, join", None, || {
        let (shared, mut seats) = opened::<F>(2);
        let (shared, mut b) = (Arc::new(shared), seats.pop().expect("two"));
        let other = shared.clone();
        let thread = thread::spawn(move || (&*other).join(&mut b, &WOMAN, NOW));
        let _one = (&*shared).join(&mut seats[0], &MAN, NOW);
        let _two = thread.join().expect("no panic");
        let standings = pairs_are_symmetric(&shared, 2);
        assert!(matches!(standings[0], Standing::Paired(_)), "both wait");
    });
}

#[test]
#[should_panic(expected = "both wait")]
fn loom_a_missing_fence_is_caught() {
    two_join::<NoFence>();
}

/// He leaves and comes back wanting women only, while another man joins: they must not meet then.
fn changes_his_mind<F: Faults>() {
    model("planted: join + leave + join otherwise, join", Some(3), || {
        let (shared, mut seats) = opened::<F>(2);
        let (shared, mut b) = (Arc::new(shared), seats.pop().expect("two"));
        let mut m = &*shared;
        let _waits = m.join(&mut seats[0], &MAN, NOW);
        let other = shared.clone();
        let thread = thread::spawn(move || (&*other).join(&mut b, &MAN, NOW));
        let left = m.leave(seats[0].slot(), NOW);
        let _again = m.join(&mut seats[0], &SUITOR, NOW);
        let _joined = thread.join().expect("no panic");
        let met = pairs_are_symmetric(&shared, 2).iter().any(|s| matches!(s, Standing::Paired(_)));
        assert!(!met, "an incompatible ticket was taken, after {left:?}");
    });
}

#[test]
fn loom_bounded_a_claim_takes_the_ticket_that_was_judged() {
    changes_his_mind::<Sound>();
}

#[test]
#[should_panic(expected = "an incompatible ticket was taken")]
fn loom_a_forgotten_generation_is_caught() {
    changes_his_mind::<AnyVersion>();
}

/// Two join of whom only one remembers that they have met: they must not meet, whoever searches.
fn one_remembers<F: Faults>() {
    model("planted: join, join of two of whom one remembers", Some(2), || {
        let (shared, mut seats) = opened::<F>(2);
        let (shared, mut b) = (Arc::new(shared), seats.pop().expect("two"));
        let mut m = &*shared;
        m.remember(&mut b, seats[0].slot(), NOW.after(Duration::from_secs(60))).expect("idle");
        let other = shared.clone();
        let thread = thread::spawn(move || (&*other).join(&mut b, &MAN, NOW));
        let _one = m.join(&mut seats[0], &MAN, NOW);
        let _two = thread.join().expect("no panic");
        let standings = pairs_are_symmetric(&shared, 2);
        assert_eq!(standings, [Standing::Waiting; 2], "they had met a moment ago");
    });
}

#[test]
fn loom_bounded_either_ones_memory_keeps_two_apart() {
    one_remembers::<Sound>();
}

#[test]
#[should_panic(expected = "they had met a moment ago")]
fn loom_a_one_sided_look_at_recent_partners_is_caught() {
    one_remembers::<OneSided>();
}
