//! Models of a line alone, with two cells to a chunk.

use super::line::Lines;
use super::loom_pairs::model;
use super::word::Entry;
use super::*;
use loom::sync::Arc;
use loom::thread;

fn entry(slot: u32) -> Entry {
    Entry::new(Slot(slot), 1)
}

fn walked(lines: &Lines) -> Vec<u32> {
    let mut walk = lines.walk(0);
    std::iter::from_fn(|| walk.next_entry()).map(|(_, entry)| entry.slot().0).collect()
}

#[test]
fn loom_two_who_append_both_stand_in_line_each_in_his_order() {
    model("line: append + append, append + append", Some(4), || {
        let lines = Arc::new(Lines::new(1, 4));
        let other = lines.clone();
        let thread = thread::spawn(move || [2, 3].map(|slot| other.append(0, entry(slot)).is_some()));
        assert_eq!([0, 1].map(|slot| lines.append(0, entry(slot)).is_some()), [true; 2]);
        assert_eq!(thread.join().expect("no panic"), [true; 2]);
        let seen = walked(&lines);
        let place = |slot| seen.iter().position(|s| *s == slot).expect("everyone stands in line");
        assert!(place(0) < place(1) && place(2) < place(3) && seen.len() == 4, "{seen:?}");
    });
}

#[test]
fn loom_two_who_begin_a_line_both_stand_in_it() {
    model("line: append, append, to a line that nobody has used", None, || {
        let lines = Arc::new(Lines::new(1, 2));
        let other = lines.clone();
        let thread = thread::spawn(move || other.append(0, entry(1)).is_some());
        assert!(lines.append(0, entry(0)).is_some() && thread.join().expect("no panic"));
        let mut seen = walked(&lines);
        seen.sort_unstable();
        assert_eq!(seen, [0, 1]);
    });
}

#[test]
fn loom_a_walk_misses_nobody_while_chunks_are_recycled_under_it() {
    model("line: walk, strike + append", Some(4), || {
        let lines = Arc::new(Lines::new(1, 2));
        let places: Vec<_> = (0..3).map(|slot| lines.append(0, entry(slot)).expect("room")).collect();
        lines.strike(places[0], entry(0));
        let other = lines.clone();
        // The reader is the thread that loom runs last: it looks for races with what was done before.
        let thread = thread::spawn(move || {
            let seen = walked(&other);
            let place = |slot| seen.iter().position(|s| *s == slot);
            let second = place(2).expect("he stands in line all the time");
            // Who came behind him, into the chunk that was recycled, is not met before him.
            assert!([3, 4, 5].iter().all(|slot| place(*slot).is_none_or(|p| p > second)), "{seen:?}");
        });
        lines.strike(places[1], entry(1));
        // This walk unlinks and recycles the first chunk, and the line grows into it.
        assert_eq!(walked(&lines), [2]);
        for slot in [3, 4, 5] {
            lines.append(0, entry(slot)).expect("room");
        }
        thread.join().expect("no panic");
        assert_eq!(walked(&lines), [2, 3, 4, 5]);
    });
}

#[test]
fn loom_a_late_strike_hits_no_later_ticket() {
    model("line: strike, strike + walk + append", Some(4), || {
        let lines = Arc::new(Lines::new(1, 2));
        let places: Vec<_> = (0..3).map(|slot| lines.append(0, entry(slot)).expect("room")).collect();
        let (other, place) = (lines.clone(), places[0]);
        let thread = thread::spawn(move || other.strike(place, entry(0)));
        lines.strike(places[0], entry(0));
        lines.strike(places[1], entry(1));
        assert_eq!(walked(&lines), [2]);
        for slot in [3, 4, 5] {
            lines.append(0, entry(slot)).expect("room");
        }
        thread.join().expect("no panic");
        assert_eq!(walked(&lines), [2, 3, 4, 5]);
    });
}
