//! The long poll's rules: what may be confirmed, and when to ask again.

use super::*;
use proptest::prelude::*;

const NOW: Nanos = Nanos(5_000_000_000);

fn id(n: i64) -> Option<UpdateId> {
    Some(UpdateId(n))
}

fn batch(last: i64, after: u64) -> Batch {
    Batch { last: id(last), after: Seq(after), busy: false }
}

fn later(pause: Duration) -> Nanos {
    NOW.after(pause)
}

#[test]
fn the_offset_advances_only_after_the_commit() {
    let mut feed = Feed::new(NOW);
    assert_eq!(feed.next(NOW, Some(Seq(3))), Some(Ask::Updates(None)));
    assert_eq!(feed.next(NOW, Some(Seq(3))), None);
    feed.heard(NOW, batch(41, 7));
    assert_eq!(feed.next(NOW, Some(Seq(6))), None);
    assert_eq!(feed.next(NOW, None), None);
    assert_eq!(feed.next(NOW, Some(Seq(7))), Some(Ask::Updates(id(42))));
    // It was answered, so it is confirmed: it is not sent again, and lower numbers are not shut out.
    feed.heard(NOW, Batch::default());
    assert_eq!(feed.next(NOW, Some(Seq(7))), Some(Ask::Updates(None)));
    feed.heard(NOW, batch(3, 8));
    assert_eq!(feed.next(NOW, Some(Seq(8))), Some(Ask::Updates(id(4))));
    // It was not answered: it is sent again.
    feed.troubled(NOW, Trouble::Failed, false);
    assert_eq!(feed.next(later(FAILED), Some(Seq(8))), Some(Ask::Updates(id(4))));
}

#[test]
fn what_was_put_off_is_asked_for_again_from_the_first_that_was() {
    let mut feed = Feed::new(NOW);
    feed.next(NOW, Some(Seq(0)));
    feed.heard(NOW, Batch { busy: true, ..batch(41, 7) });
    assert_eq!(feed.next(NOW, Some(Seq(7))), None);
    assert_eq!(feed.due(), Some(later(BUSY)));
    assert_eq!(feed.next(later(BUSY), Some(Seq(7))), Some(Ask::Updates(id(42))));
    feed.heard(NOW, Batch { busy: true, ..Batch::default() });
    assert_eq!((feed.next(NOW, Some(Seq(7))), feed.due()), (None, Some(later(BUSY))));
    assert_eq!(feed.next(later(BUSY), Some(Seq(7))), Some(Ask::Updates(None)));
}

#[test]
fn nothing_is_asked_for_while_the_disk_takes_nothing() {
    let mut feed = Feed::new(NOW);
    assert_eq!(feed.next(NOW, None), None);
    assert_eq!(feed.due(), Some(later(BUSY)));
    assert_eq!(feed.next(later(BUSY), Some(Seq(0))), Some(Ask::Updates(None)));
}

#[test]
fn each_trouble_has_its_pause_and_failures_wait_longer_each_time() {
    let mut feed = Feed::new(NOW);
    let mut pause_after = |trouble| {
        feed.phase = Phase::Asked(Ask::Updates(None));
        assert_eq!(feed.troubled(NOW, trouble, false), None);
        feed.due().expect("due").since(NOW)
    };
    assert_eq!(pause_after(Trouble::OtherPoller), OTHER_POLLER);
    assert_eq!(pause_after(Trouble::WebhookActive), WEBHOOK);
    assert_eq!(pause_after(Trouble::TokenDead), TOKEN_DEAD);
    assert_eq!(pause_after(Trouble::RetryAfter(Duration::from_secs(7))), Duration::from_secs(7));
    let pauses: Vec<_> = (0..12).map(|_| pause_after(Trouble::Failed).as_millis()).collect();
    assert_eq!(pauses[..5], [500, 1000, 2000, 4000, 8000]);
    assert_eq!(pauses[11], 30_000);
    feed.phase = Phase::Asked(Ask::Updates(None));
    feed.heard(NOW, Batch::default());
    feed.phase = Phase::Asked(Ask::Updates(None));
    feed.troubled(NOW, Trouble::Failed, false);
    assert_eq!(feed.due(), Some(later(FAILED)));
}

#[test]
fn a_webhook_is_removed_only_if_polling_was_asked_for() {
    let mut feed = Feed::new(NOW);
    feed.next(NOW, Some(Seq(0)));
    assert_eq!(feed.troubled(NOW, Trouble::WebhookActive, true), Some(Ask::ClearWebhook));
    feed.heard(NOW, Batch::default());
    assert_eq!(feed.next(NOW, Some(Seq(0))), Some(Ask::Updates(None)));
}

#[test]
fn a_stop_confirms_what_was_taken_and_waits_for_its_commit() {
    let mut feed = Feed::new(NOW);
    feed.next(NOW, Some(Seq(0)));
    feed.heard(NOW, batch(9, 5));
    feed.stop(NOW);
    assert_eq!(feed.next(NOW, Some(Seq(4))), None);
    assert!(!feed.is_over());
    assert_eq!(feed.next(NOW, Some(Seq(5))), Some(Ask::Confirm(UpdateId(10))));
    assert!(!feed.is_over());
    feed.heard(NOW, Batch::default());
    assert!(feed.is_over());
}

#[test]
fn a_stop_gives_up_a_poll_that_is_held_and_confirms_only_what_is_not() {
    for (confirmed, ask) in
        [(id(10), None), (id(7), Some(Ask::Confirm(UpdateId(10)))), (None, Some(Ask::Confirm(UpdateId(10))))]
    {
        let mut feed = Feed::new(NOW);
        (feed.offset, feed.confirmed) = (id(10), confirmed);
        assert!(matches!(feed.next(NOW, Some(Seq(0))), Some(Ask::Updates(_))));
        feed.stop(NOW);
        assert_eq!(feed.next(NOW, Some(Seq(0))), ask);
        assert_eq!(feed.is_over(), ask.is_none());
        if ask.is_some() {
            feed.troubled(NOW, Trouble::Failed, true);
            assert!(feed.is_over());
        }
    }
}

proptest! {
    /// Whatever comes in whatever order, no offset that is sent covers an update whose frame is not durable,
    /// and no update is passed over.
    #[test]
    fn nothing_is_confirmed_before_it_is_durable(
        steps in prop::collection::vec((0u8..6, 0u64..4, any::<bool>()), 0..120),
        stop_at in 0usize..160,
    ) {
        let mut feed = Feed::new(NOW);
        let (mut now, mut pushed, mut durable, mut next_id) = (NOW, 0u64, 0u64, 1i64);
        // Of each update that was decided: the frame that covers it.
        let mut frames: Vec<(i64, u64)> = Vec::new();
        for (nth, (step, amount, busy)) in steps.into_iter().enumerate() {
            if nth == stop_at {
                feed.stop(now);
            }
            now = now.after(Duration::from_secs(amount * 10));
            match step {
                0 | 1 => durable = (durable + amount).min(pushed),
                2 | 3 if feed.asked().is_some() => {
                    let from = next_id;
                    for _ in 0..amount {
                        pushed += 1;
                        frames.push((next_id, pushed));
                        next_id += 1;
                    }
                    let last = (next_id > from).then(|| UpdateId(next_id - 1));
                    // A poll that confirms, or that removes the webhook, brings no updates to be decided.
                    if matches!(feed.asked(), Some(Ask::Updates(_))) {
                        feed.heard(now, Batch { last, after: Seq(pushed), busy });
                    } else {
                        frames.truncate(frames.len() - amount as usize);
                        (pushed, next_id) = (pushed - amount, from);
                        feed.heard(now, Batch::default());
                    }
                }
                4 if feed.asked().is_some() => {
                    feed.troubled(now, if busy { Trouble::Failed } else { Trouble::WebhookActive }, busy);
                }
                _ => {}
            }
            let asked = feed.next(now, (step != 5).then_some(Seq(durable)));
            let offset = match asked {
                Some(Ask::Updates(offset)) => offset,
                Some(Ask::Confirm(offset)) => Some(offset),
                Some(Ask::ClearWebhook) | None => None,
            };
            if let Some(offset) = offset {
                prop_assert!(offset.0 <= next_id);
                for (update, frame) in &frames {
                    prop_assert!(*update >= offset.0 || *frame <= durable, "{update} {frame} {durable}");
                }
            }
        }
    }
}
