//! Messages that pass their conversation's order.

use super::*;

fn ahead(rig: &mut Rig, user: u64) -> u32 {
    let parcel = Parcel { place: Place::Ahead, ..rig.parcel(user) };
    rig.put(parcel)
}

/// One slot is taken every second, so what is put next waits.
fn one_slot() -> Rig {
    Rig::new(PacerConfig { slots: 1, ..fresh() }, 1)
}

#[test]
fn a_notice_passes_the_answer_it_is_about_and_costs_it_neither_place_nor_bucket() {
    let mut rig = one_slot();
    let first = rig.reply(1);
    assert_eq!(rig.poll().map(|d| d.handle), Some(first));
    let (answer, other) = (rig.reply(2), rig.reply(3));
    let notice = ahead(&mut rig, 2);
    rig.pacer.set_slots(LaneIx(0), 10);
    assert_eq!(rig.handles(), [notice, answer, other], "beside each other, one ahead in flight");
}

#[test]
fn where_nothing_waits_any_more_a_notice_ends_at_once() {
    let mut rig = Rig::new(fresh(), 1);
    let stranger = ahead(&mut rig, 1);
    let _answer = rig.reply(2);
    let dispatch = rig.poll().expect("ready");
    let in_flight = ahead(&mut rig, 2);
    rig.sent(dispatch);
    let answered = ahead(&mut rig, 2);
    let stale = [stranger, in_flight, answered].map(|handle| (handle, DropReason::Stale));
    assert_eq!(rig.dropped(), stale);
    assert!(rig.pacer.is_empty());
}

#[test]
fn a_notice_takes_a_token_of_the_window_until_a_second_after_its_answer() {
    let mut rig = Rig::new(PacerConfig { slots: 2, ..fresh() }, 1);
    let (answer, other) = (rig.reply(1), rig.reply(2));
    let notice = ahead(&mut rig, 1);
    let sent = rig.burst();
    assert_eq!(sent.iter().map(|d| d.handle).collect::<Vec<_>>(), [notice, answer]);
    rig.wait(300);
    sent.into_iter().for_each(|dispatch| rig.sent(dispatch));
    assert!(rig.next_within(999).is_none());
    assert_eq!(rig.next_within(50).map(|d| d.handle), Some(other));
}

#[test]
fn a_notice_for_which_the_chat_has_no_room_beside_the_answer_is_not_said() {
    let mut rig = Rig::new(PacerConfig { slots: 3, ..fresh() }, 1);
    for _ in 0..2 {
        rig.reply(1);
        let dispatch = rig.poll().expect("within the burst");
        rig.sent(dispatch);
    }
    let answer = rig.reply(1);
    let notice = ahead(&mut rig, 1);
    assert_eq!(rig.handles(), [answer], "one was left, and it is the answer's");
    assert_eq!(rig.dropped(), [(notice, DropReason::Stale)]);
}

#[test]
fn a_stale_notice_is_not_said_and_does_not_wait_for_its_turn_to_go() {
    let mut rig = one_slot();
    let _out = (rig.reply(1), rig.poll());
    let _answer = rig.reply(2);
    let deadline = Some(rig.now.after(Duration::from_secs(5)));
    let notice = Parcel { place: Place::Ahead, class: Class::Urgent, deadline, ..rig.parcel(2) };
    let notice = rig.put(notice);
    rig.wait(5_005);
    rig.pacer.resume(LaneIx(0));
    assert_eq!(rig.handles(), [], "the window is shut");
    assert_eq!(rig.dropped(), [(notice, DropReason::Stale)]);
}

#[test]
fn a_refused_notice_is_not_repeated_but_its_wait_is_heard() {
    let mut rig = Rig::new(fresh(), 1);
    let answer = rig.reply(1);
    let notice = ahead(&mut rig, 1);
    let dispatch = rig.poll().expect("ready");
    assert_eq!(dispatch.handle, notice);
    let outcome = rig.answer(dispatch, &Verdict::RetryAfter(Duration::from_secs(7)));
    let stale = End::Dropped(DropReason::Stale);
    assert!(matches!(outcome.fate, Fate::Done { end, .. } if end == stale));
    assert!(rig.next_within(6_999).is_none());
    assert_eq!(rig.next_within(10).map(|d| d.handle), Some(answer));
}

#[test]
fn a_notice_that_fails_or_cannot_reach_is_not_repeated() {
    for verdict in [Verdict::Failed, Verdict::Unknown, Verdict::TokenDead, Verdict::Rejected] {
        let mut rig = Rig::new(fresh(), 2);
        let _answer = rig.reply(1);
        let notice = ahead(&mut rig, 1);
        let dispatch = rig.poll().expect("ready");
        assert_eq!((dispatch.handle, dispatch.lane), (notice, LaneIx(1)));
        let outcome = rig.answer(dispatch, &verdict);
        assert!(matches!(outcome.fate, Fate::Done { handle, .. } if handle == notice), "{verdict:?}");
        assert_eq!(rig.pacer.len(), 1);
    }
    let mut rig = Rig::new(fresh(), 2);
    let answer = rig.reply(1);
    let _notice = ahead(&mut rig, 1);
    let dispatch = rig.poll().expect("ready");
    let refused = rig.answer(dispatch, &Verdict::Unreachable(crate::envelope::Unreachable::NotStarted));
    let end = End::Dropped(DropReason::Unreachable);
    assert!(matches!(refused.fate, Fate::Done { end: ended, .. } if ended == end));
    assert!(refused.learned.is_some_and(|learned| !learned.reached), "what it found out is kept");
    assert_eq!(rig.handles(), [answer]);
}

#[test]
fn a_lane_that_stops_gives_its_notices_up() {
    let mut rig = one_slot();
    let _out = (rig.reply(1), rig.poll());
    let _answer = rig.reply(2);
    let notice = ahead(&mut rig, 2);
    rig.pacer.lane_gone(LaneIx(0));
    assert_eq!(rig.handles(), []);
    let late = ahead(&mut rig, 2);
    assert_eq!(rig.dropped(), [(notice, DropReason::Stale), (late, DropReason::Stale)]);
}

#[test]
fn a_conversation_that_ends_while_its_notice_flies_is_remembered_until_the_answer() {
    let chat = crate::bucket::Rate::new(Duration::ZERO, 1);
    let mut rig = Rig::new(PacerConfig { chat, ..fresh() }, 1);
    let (_answer, _notice) = (rig.reply(1), ahead(&mut rig, 1));
    let sent = rig.burst();
    rig.sent(sent[1]);
    rig.wait(60_000);
    assert_eq!(rig.handles(), []);
    assert_eq!(rig.pacer.conversations(), 1);
    rig.sent(sent[0]);
    assert_eq!(rig.handles(), []);
    assert_eq!(rig.pacer.conversations(), 0);
}

#[test]
fn neither_a_group_nor_a_full_pacer_takes_a_notice() {
    let mut rig = Rig::new(PacerConfig { max_pending: 2, ..fresh() }, 1);
    let chat = ChatId(-5);
    let in_group = Parcel { chat, ..rig.parcel(1) };
    rig.put(in_group);
    let notice = Parcel { chat, place: Place::Ahead, ..rig.parcel(1) };
    let notice = rig.put(notice);
    assert_eq!(rig.dropped(), [(notice, DropReason::Stale)]);
    let bulk = Parcel { class: Class::Bulk, ..rig.parcel(2) };
    rig.put(bulk);
    let parcel = Parcel { place: Place::Ahead, ..rig.parcel(2) };
    assert_eq!(rig.pacer.enqueue(rig.now, parcel), Err(Full(parcel)), "it makes no room for itself");
}
