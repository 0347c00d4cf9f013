//! Who is put off first: what users write before payments, and never the ends of sends.

use super::*;
use crate::bot::Payment;
use crate::limits::SENDS_PER_DECISION_MAX;

fn paying(update: i64, user: u64) -> Inbound<'static> {
    let payment = Payment { stars: Some(50), payload: "vip", charge: "c1" };
    Inbound { input: Input::PreCheckout { id: "q", payment }, ..text(update, user, "") }
}

#[test]
fn at_the_configured_bound_users_are_put_off_and_payments_are_not() {
    let journal = List { frames: Arc::default(), room: 1_000, spare: 0 };
    let e = detached().with_pending_max(SENDS_PER_DECISION_MAX + 1).attach(journal);
    assert!(e.handle_update(at(1), &text(1, 1, "a")).is_ok());
    assert!(e.handle_update(at(1), &text(2, 2, "b")).is_ok());
    assert_eq!(e.handle_update(at(1), &text(3, 3, "c")), Err(Busy::Pending));
    assert!(e.handle_update(at(1), &paying(4, 3)).is_ok());
    // Nothing was changed by the refusal: it is taken as new once an answer has left.
    let first = pushed(&e)[0].clone();
    e.settle(&[Ended { conversation: first.conversation, id: first.id, end: End::Sent }], &[]).unwrap();
    assert_eq!(e.handle_update(at(1), &text(3, 3, "c")).unwrap().as_what, AdmittedAs::Decided);
}

#[test]
fn the_spare_room_of_the_journal_is_left_to_payments_and_to_the_ends_of_sends() {
    let e = detached().attach(List { frames: Arc::default(), room: 3, spare: 2 });
    assert!(e.handle_update(at(1), &text(1, 1, "a")).is_ok());
    assert_eq!(e.handle_update(at(1), &text(2, 2, "b")), Err(Busy::Journal));
    assert!(e.handle_update(at(1), &paying(3, 2)).is_ok());
    let first = pushed(&e)[0].clone();
    let ended = Ended { conversation: first.conversation, id: first.id, end: End::Sent };
    assert!(e.settle(&[ended], &[]).is_ok());
}

#[test]
fn what_was_recovered_over_a_lowered_bound_is_kept() {
    let before = engine(100);
    for user in 0..9 {
        before.handle_update(at(1), &text(user, 1 + user as u64, "a")).unwrap();
    }
    let lowered = detached().with_pending_max(SENDS_PER_DECISION_MAX);
    let mut recovered = Recovered::default();
    for (n, entry) in (1..).zip(before.journal.frames.lock().iter()) {
        lowered.replay(&mut recovered, Seq(n), &entry.payload).unwrap();
    }
    assert_eq!(recovered.take_pending().count(), 9);
    assert_eq!(
        lowered.attach(before.journal.clone()).handle_update(at(2), &text(10, 20, "a")),
        Err(Busy::Pending)
    );
}
