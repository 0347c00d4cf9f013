//! What people may read says what the state says.

use super::*;
use crate::bot::records::{Cell as Value, Row, USERS};
use crate::engine::records::{Applied, Known, Recorded, Recorder};
use crate::id::BotId;
use std::collections::BTreeMap;

fn recorder() -> Recorder {
    Recorder::new(vec![Recorded::new::<Echo>("echo", vec![BotId(1), BotId(2), BotId(3)])])
}

/// Gives a frame to what is known, as a database would.
fn give(known: &mut BTreeMap<u64, Known>, seq: u64, payload: &[u8]) -> (Vec<Applied>, Vec<Row>) {
    let (recorder, mut changes, mut rows) = (recorder(), Vec::new(), Vec::new());
    recorder.changes(Seq(seq), payload, &mut changes).unwrap();
    let apply = |change: &crate::engine::records::Change| {
        recorder.apply(change, known.entry(change.who.user.0).or_default(), &mut rows).unwrap()
    };
    (changes.iter().map(apply).collect(), rows)
}

proptest! {
    #[test]
    fn what_is_known_is_the_state_and_a_frame_counts_once(
        said in prop::collection::vec((1u64..5, "[a-z]{1,9}"), 1..40),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let e = engine(1000);
        for (n, (user, words)) in said.iter().enumerate() {
            let _ = e.handle_update(at(10 * n as u64 + 10), &text(n as i64 + 1, *user, words)).unwrap();
        }
        let frames: Vec<_> = e.journal.frames.lock().iter().map(|entry| entry.payload.clone()).collect();
        let mut known = BTreeMap::new();
        for (seq, frame) in (1..).zip(&frames) {
            let (applied, rows) = give(&mut known, seq, frame);
            prop_assert_eq!(applied, [Applied::Now]);
            prop_assert_eq!((rows.len(), rows[0].table), (1, &USERS));
            prop_assert_eq!(rows[0].get("kind"), &Value::from("echo"));
        }
        for (user, his) in &known {
            let cell = e.cells.of(Conversation { kind: KindIx(0), user: UserId(*user) });
            let cell = cell.lock();
            prop_assert_eq!((cell.version, &cell.state), (his.version, &his.state));
        }
        let whole = known.clone();
        for index in again {
            let at = index.index(frames.len());
            let (applied, rows) = give(&mut known, at as u64 + 1, &frames[at]);
            prop_assert_eq!((applied, rows.len()), (vec![Applied::Before], 0));
        }
        prop_assert_eq!(known, whole);
    }

    #[test]
    fn any_bytes_are_changes_or_malformed(bytes: Vec<u8>) {
        let _ = recorder().changes(Seq(1), &bytes, &mut Vec::new());
        let _ = recorder().image(&bytes, |_, _, _| ());
    }
}

#[test]
fn a_frame_that_was_left_out_is_noticed() {
    let e = engine(9);
    for n in 1..=3 {
        e.handle_update(at(10 * n), &text(n as i64, 42, "hello you")).unwrap();
        let envelope = pushed(&e).pop().unwrap();
        e.dispatching(envelope.conversation, envelope.id);
    }
    let frames: Vec<_> = e.journal.frames.lock().iter().map(|entry| entry.payload.clone()).collect();
    let mut known = BTreeMap::new();
    assert_eq!(give(&mut known, 1, &frames[0]).0, [Applied::Now]);
    let (applied, rows) = give(&mut known, 3, &frames[2]);
    assert_eq!((applied, rows.len()), (vec![Applied::Missing], 0));
    assert_eq!(known[&42].version, 1);
}

#[test]
fn the_first_update_is_dated_once_and_the_last_each_time() {
    let e = engine(9);
    e.handle_update(at(10), &text(1, 42, "hello")).unwrap();
    e.handle_update(at(20), &text(2, 42, "hello again")).unwrap();
    let mut known = BTreeMap::new();
    let frames: Vec<_> = e.journal.frames.lock().iter().map(|entry| entry.payload.clone()).collect();
    let (_, mut rows) = give(&mut known, 1, &frames[0]);
    let mut row = rows.remove(0);
    row.overwrite(give(&mut known, 2, &frames[1]).1.remove(0));
    let seen = ["first_seen", "last_seen"].map(|column| row.get(column).clone());
    assert_eq!(seen, [UnixMillis(10_000).into(), UnixMillis(20_000).into()]);
    assert_eq!(row.get("bot_id"), &Value::Whole(1));
}
