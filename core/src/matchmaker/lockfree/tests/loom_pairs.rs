//! Models of whole operations over the shipped source. Exhaustive where no bound is given.

use super::*;
use loom::sync::Arc;
use loom::thread;
use std::sync::atomic::{AtomicUsize, Ordering as Count};

/// Executions of one model, at most, where `LOOM_MAX_PERMUTATIONS` says nothing: some ten minutes. A model that
/// has more says that it was cut off.
const AT_MOST: usize = 2_700_000;

/// Runs a model; tells how many executions there were, and whether these were all within its bound.
pub(super) fn model(name: &str, preemptions: Option<usize>, f: impl Fn() + Sync + Send + 'static) {
    static TOLD: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let count = std::sync::Arc::new(AtomicUsize::new(0));
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 100_000;
    let at_most = *builder.max_permutations.get_or_insert(AT_MOST);
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    let bound = builder.preemption_bound;
    let counted = count.clone();
    builder.check(move || {
        counted.fetch_add(1, Count::Relaxed);
        f();
    });
    let count = count.load(Count::Relaxed);
    // Loom looks before an execution, so the last one allowed is not held.
    let cut_off = if count + 1 >= at_most { ", CUT OFF" } else { "" };
    let _one_line_at_a_time = TOLD.lock();
    eprintln!("{name}: {count} executions, bound {bound:?}{cut_off}");
}

type Shared = Arc<LockFree<Sound>>;

fn start<const N: usize>() -> (Shared, [Seat; N]) {
    let (shared, seats) = opened::<Sound>(N as u32);
    (Arc::new(shared), seats.try_into().expect("a seat for each"))
}

fn waits(joined: Result<Joined, Refused>) -> bool {
    matches!(joined, Ok(Joined::Waiting { .. }))
}

/// Two compatible people who both join are paired, whoever was first.
fn join_join(name: &str, bound: Option<usize>, make: fn(u32) -> (LockFree, Vec<Seat>), tickets: [Ticket; 2]) {
    model(name, bound, move || {
        let (shared, seats) = make(2);
        let [mut a, mut b] = seats.try_into().expect("a seat for each");
        let shared = Arc::new(shared);
        let other = shared.clone();
        let thread = thread::spawn(move || (&*other).join(&mut b, &tickets[1], NOW));
        let (one, two) = ((&*shared).join(&mut a, &tickets[0], NOW), thread.join().expect("no panic"));
        assert!(!(waits(one) && waits(two)), "both were told to wait");
        let standings = pairs_are_symmetric(&shared, 2);
        assert!(matches!(standings[0], Standing::Paired(_)), "{standings:?}");
    });
}

#[test]
fn loom_two_of_different_classes_who_join_meet() {
    join_join("join, join: two classes", None, opened, [MAN, WOMAN]);
}

#[test]
fn loom_two_of_one_class_who_join_meet() {
    join_join("join, join: one class", None, opened, [MAN, MAN]);
}

#[test]
fn loom_bounded_the_first_two_ever_meet() {
    join_join("join, join: the first ever", Some(3), seated, [MAN, WOMAN]);
}

#[test]
fn loom_someone_who_leaves_is_paired_or_gone() {
    model("join + leave, join", None, || {
        let (shared, [mut a, mut b]) = start();
        let other = shared.clone();
        let thread = thread::spawn(move || (&*other).join(&mut b, &WOMAN, NOW));
        let joined = (&*shared).join(&mut a, &MAN, NOW).expect("idle");
        let left = (&*shared).leave(a.slot(), NOW);
        let other = thread.join().expect("no panic").expect("idle");
        let standings = pairs_are_symmetric(&shared, 2);
        assert_eq!(standings[0], Standing::Idle);
        match left {
            // They met and parted, and she has been told so, or will be when she looks.
            Left::Pair(_) => assert_eq!(standings[1], Standing::Idle),
            Left::Line => {
                assert!(matches!(joined, Joined::Waiting { .. }) && matches!(other, Joined::Waiting { .. }));
                assert_eq!(standings[1], Standing::Waiting);
            }
            Left::Nothing => panic!("nobody else ends what a is in"),
        }
    });
}

#[test]
fn loom_bounded_someone_who_rejoins_is_met_under_his_new_ticket() {
    model("join + leave + join, join", Some(3), || {
        let (shared, [mut a, mut b]) = start();
        let other = shared.clone();
        let thread = thread::spawn(move || (&*other).join(&mut b, &WOMAN, NOW));
        let _met = (&*shared).join(&mut a, &MAN, NOW).expect("idle");
        let left = (&*shared).leave(a.slot(), NOW);
        let again = (&*shared).join(&mut a, &MAN, NOW).expect("idle again");
        let _other = thread.join().expect("no panic");
        let standings = pairs_are_symmetric(&shared, 2);
        match left {
            Left::Pair(_) => {
                assert!(matches!(again, Joined::Waiting { .. }));
                assert_eq!(standings, [Standing::Waiting, Standing::Idle]);
            }
            _ => assert!(matches!(standings[0], Standing::Paired(_)), "{standings:?}"),
        }
    });
}

#[test]
fn loom_bounded_next_never_meets_the_partner_just_left() {
    model("next, next, with one who waits", Some(3), || {
        let (shared, [mut a, mut b, mut c]) = start();
        let mut m = &*shared;
        assert!(waits(m.join(&mut a, &MAN, NOW)) && !waits(m.join(&mut b, &MAN, NOW)));
        assert!(waits(m.join(&mut c, &MAN, NOW)));
        let other = shared.clone();
        let thread = thread::spawn(move || (&*other).next(&mut b, &MAN, NOW));
        let (ended, one) = m.next(&mut a, &MAN, NOW);
        let (ended_too, two) = thread.join().expect("no panic");
        assert!(ended.is_some() != ended_too.is_some(), "a pair ends once");
        let standings = pairs_are_symmetric(&shared, 3);
        assert!(
            matches!(standings[2], Standing::Paired(_)),
            "he who waited is met: {standings:?} {one:?} {two:?}"
        );
        let waiting = standings.iter().filter(|s| **s == Standing::Waiting).count();
        assert_eq!(waiting, 1, "the two who parted do not meet: {standings:?}");
    });
}

/// Three threads.
fn three(
    name: &str,
    bound: usize,
    run: impl Fn(&Shared, [Seat; 3]) -> Vec<Standing> + Send + Sync + Copy + 'static,
    waiting: impl Fn(&[Standing]) -> usize + Send + Sync + 'static,
) {
    model(name, Some(bound), move || {
        let (shared, seats) = start();
        let standings = run(&shared, seats);
        let still = standings.iter().filter(|s| **s == Standing::Waiting).count();
        assert_eq!(still, waiting(&standings), "{standings:?}");
    });
}

#[test]
fn loom_three_who_join_leave_one_waiting() {
    let run = |shared: &Shared, [mut a, mut b, mut c]: [Seat; 3]| {
        let (one, two) = (shared.clone(), shared.clone());
        let one = thread::spawn(move || _ = (&*one).join(&mut a, &MAN, NOW));
        let two = thread::spawn(move || _ = (&*two).join(&mut b, &MAN, NOW));
        let _three = (&**shared).join(&mut c, &MAN, NOW);
        one.join().expect("no panic");
        two.join().expect("no panic");
        pairs_are_symmetric(shared, 3)
    };
    three("three: join, join, join", 2, run, |_| 1);
}

#[test]
fn loom_three_two_who_join_and_one_who_leaves_the_line() {
    let run = |shared: &Shared, [mut a, mut b, mut c]: [Seat; 3]| {
        let _waits = (&**shared).join(&mut c, &MAN, NOW);
        let (one, two) = (shared.clone(), shared.clone());
        let one = thread::spawn(move || _ = (&*one).join(&mut a, &MAN, NOW));
        let two = thread::spawn(move || _ = (&*two).join(&mut b, &MAN, NOW));
        let cancelled = (&**shared).cancel(c.slot());
        one.join().expect("no panic");
        two.join().expect("no panic");
        let standings = pairs_are_symmetric(shared, 3);
        assert_eq!(cancelled, standings[2] == Standing::Idle, "{standings:?}");
        standings
    };
    // Who left the line is met by nobody, so the other two meet; else one of them has nobody.
    three("three: join, join, cancel of one who waits", 2, run, |s| usize::from(s[2] != Standing::Idle));
}

#[test]
fn loom_three_of_whom_one_leaves_do_not_leave_two_waiting() {
    let run = |shared: &Shared, [mut a, mut b, mut c]: [Seat; 3]| {
        let _waits = (&**shared).join(&mut c, &MAN, NOW);
        let (one, two) = (shared.clone(), shared.clone());
        let one = thread::spawn(move || _ = (&*one).join(&mut a, &MAN, NOW));
        let two = thread::spawn(move || _ = (&*two).join(&mut b, &MAN, NOW));
        let _left = (&**shared).leave(c.slot(), NOW);
        one.join().expect("no panic");
        two.join().expect("no panic");
        pairs_are_symmetric(shared, 3)
    };
    // He left the line: the two have met. He left his pair: one of them was in it, the other waits or they
    // met before. Two never wait.
    three("three: join, join, leave", 2, run, |s| {
        assert_eq!(s[2], Standing::Idle);
        let met = s.iter().any(|s| matches!(s, Standing::Paired(_)));
        usize::from(!met)
    });
}

#[test]
fn loom_bounded_the_first_in_line_is_served_first() {
    model("join + join, join: order", Some(3), || {
        let (shared, [mut first, mut second, mut woman]) = start();
        let other = shared.clone();
        let thread = thread::spawn(move || (&*other).join(&mut woman, &WOMAN, NOW));
        let mut m = &*shared;
        // The second is asked for only when the first has been told.
        let _told = (m.join(&mut first, &SUITOR, NOW), m.join(&mut second, &SUITOR, NOW));
        let _joined = thread.join().expect("no panic");
        let standings = pairs_are_symmetric(&shared, 3);
        let Standing::Paired(pairing) = standings[2] else { panic!("nobody met her: {standings:?}") };
        // Her own choice is the first. The second may find her only while she is in the middle of her join.
        let second_found_her = pairing.searcher.slot == Slot(1);
        assert!(second_found_her || pairing.partner_of(Slot(0)).is_some(), "{standings:?}");
        assert_eq!(standings.iter().filter(|s| **s == Standing::Waiting).count(), 1, "{standings:?}");
    });
}

#[test]
fn loom_bounded_a_recent_partner_is_skipped_and_keeps_his_turn() {
    model("join, join + join: recent", Some(3), || {
        let (shared, [mut a, mut b, mut c]) = start();
        let mut m = &*shared;
        m.remember(&mut a, b.slot(), NOW.after(Duration::from_secs(60))).expect("idle");
        let other = shared.clone();
        let thread = thread::spawn(move || (&*other).join(&mut a, &SUITOR, NOW));
        let _waits = m.join(&mut b, &WOMAN, NOW);
        let _joined = m.join(&mut c, &WOMAN, NOW);
        let _waits = thread.join().expect("no panic");
        let standings = pairs_are_symmetric(&shared, 3);
        let women_met = matches!(standings[1], Standing::Paired(p) if p.partner_of(c.slot()).is_some());
        let a_met = matches!(standings[0], Standing::Paired(p) if p.partner_of(c.slot()).is_some());
        assert!(women_met || a_met, "{standings:?}");
    });
}

#[test]
fn loom_bounded_nobody_is_paired_with_whom_he_has_blocked() {
    model("block + look, join", Some(3), || {
        let (shared, [mut a, mut b]) = start();
        let mut m = &*shared;
        assert!(waits(m.join(&mut a, &MAN, NOW)));
        let other = shared.clone();
        let thread = thread::spawn(move || (&*other).join(&mut b, &MAN, NOW));
        m.block(a.slot(), Slot(1)).expect("room");
        let when_it_returned = m.standing(a.slot());
        let _joined = thread.join().expect("no panic");
        let standings = pairs_are_symmetric(&shared, 2);
        assert_eq!(standings[0], when_it_returned, "paired after the block had returned");
    });
}
