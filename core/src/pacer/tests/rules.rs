//! Order, turns, rates, waits, memory.

use super::*;

#[test]
fn a_conversation_has_one_message_in_flight_and_keeps_its_order() {
    let mut rig = Rig::new(fresh(), 1);
    let ours: Vec<u32> = (0..3).map(|_| rig.reply(5)).collect();
    for handle in ours {
        let first = rig.poll().unwrap();
        assert_eq!((first.handle, rig.poll()), (handle, None));
        rig.sent(first);
    }
    assert_eq!(rig.poll(), None);
    assert!(rig.pacer.is_empty());
}

#[test]
fn a_window_lets_thirty_go_at_once_and_each_again_one_second_after_its_answer() {
    let mut rig = Rig::new(fresh(), 1);
    for user in 1..=60 {
        rig.reply(user);
    }
    let first = rig.burst();
    assert_eq!(first.len(), 30);
    rig.wait(60);
    first.into_iter().for_each(|dispatch| rig.sent(dispatch));
    let answered = rig.now;
    assert_eq!(rig.poll(), None);
    let next = rig.next_within(2_000).unwrap();
    assert!(rig.now.since(answered) >= Duration::from_secs(1));
    assert!(rig.now.since(answered) < Duration::from_millis(1_001));
    assert_eq!(1 + rig.burst().len(), 30);
    rig.sent(next);
}

#[test]
fn after_a_restart_nothing_leaves_for_one_second() {
    let mut rig = Rig::new(PacerConfig::default(), 1);
    rig.reply(1);
    assert_eq!(rig.next_within(999), None);
    assert!(rig.next_within(2).is_some());
}

#[test]
fn a_chat_takes_a_burst_of_three_and_then_one_a_second() {
    let mut rig = Rig::new(fresh(), 1);
    for _ in 0..5 {
        rig.reply(5);
    }
    let start = rig.now;
    let mut at = Vec::new();
    while let Some(dispatch) = rig.next_within(5_000) {
        at.push(rig.now.since(start).as_millis());
        rig.sent(dispatch);
    }
    assert_eq!(at, [0, 0, 0, 1_000, 2_000]);
}

#[test]
fn a_group_takes_twenty_a_minute_whoever_writes_to_it() {
    let mut rig = Rig::new(fresh(), 1);
    for user in 1..=25 {
        let parcel = Parcel { chat: ChatId(-77), ..rig.parcel(user) };
        rig.put(parcel);
    }
    let start = rig.now;
    let mut at = Vec::new();
    while let Some(dispatch) = rig.next_within(120_000) {
        assert_eq!(rig.poll(), None, "two at once to one group");
        at.push(rig.now.since(start).as_millis());
        rig.sent(dispatch);
    }
    assert_eq!(at.len(), 25);
    assert_eq!(at[..4], [0, 0, 0, 1_000]);
    assert!(at.windows(21).all(|w| w[20] - w[0] >= 60_000), "{at:?}");
    rig.wait(200_000);
    rig.poll();
    assert_eq!(rig.pacer.groups.nodes.len(), 0, "a full group is forgotten");
}

#[test]
fn conversations_of_a_class_take_turns() {
    let mut rig = Rig::new(fresh(), 1);
    for user in [1, 2, 3] {
        for _ in 0..3 {
            rig.reply(user);
        }
    }
    let mut users = Vec::new();
    while let Some(dispatch) = rig.next_within(1) {
        users.push(dispatch.conversation.user.0);
        rig.sent(dispatch);
    }
    assert_eq!(users, [1, 2, 3, 1, 2, 3, 1, 2, 3]);
}

#[test]
fn a_conversation_has_the_class_of_its_highest_envelope() {
    let mut rig = Rig::new(PacerConfig { slots: 1, ..fresh() }, 1);
    let bulk = Parcel { class: Class::Bulk, ..rig.parcel(1) };
    let relay = Parcel { class: Class::Relay, ..rig.parcel(2) };
    let (bulk, relay) = (rig.put(bulk), rig.put(relay));
    let reply = rig.reply(1);
    let order: Vec<(u32, Class, Class)> = core::iter::from_fn(|| {
        let dispatch = rig.next_within(2_000)?;
        rig.sent(dispatch);
        Some((dispatch.handle, dispatch.class, dispatch.turn))
    })
    .collect();
    let expected = [
        (bulk, Class::Bulk, Class::Reply),
        (reply, Class::Reply, Class::Reply),
        (relay, Class::Relay, Class::Relay),
    ];
    assert_eq!(order, expected, "the bulk in front of the reply leaves in the reply's turn");
}

#[test]
fn while_replies_wait_every_32nd_send_keeps_bulk_alive() {
    let mut rig = Rig::new(PacerConfig { slots: 1_000, in_flight: 1_000, ..fresh() }, 1);
    for user in 1..=320 {
        let bulk = Parcel { class: Class::Bulk, ..rig.parcel(1_000 + user) };
        rig.put(bulk);
        rig.reply(user);
    }
    let classes: Vec<Class> = rig.burst().into_iter().map(|dispatch| dispatch.turn).collect();
    let replies = classes.iter().rposition(|class| *class == Class::Reply).unwrap();
    let bulk = classes[..replies].iter().filter(|class| **class == Class::Bulk).count();
    assert_eq!(bulk, 10, "319 replies make way ten times");
    for sends in classes[..replies].windows(32) {
        assert!(sends.iter().filter(|class| **class == Class::Bulk).count() <= 1);
    }
}

#[test]
fn a_class_ceiling_leaves_slots_to_the_others() {
    let mut rig = Rig::new(PacerConfig { ceilings: [None, None, None, Some(20)], ..fresh() }, 1);
    for user in 1..=40 {
        let bulk = Parcel { class: Class::Bulk, ..rig.parcel(user) };
        rig.put(bulk);
    }
    assert_eq!(rig.burst().len(), 20);
    for user in 100..120 {
        rig.reply(user);
    }
    assert_eq!(rig.burst().len(), 10);
}

#[test]
fn calls_have_no_place_in_the_order_and_leave_the_window_alone() {
    let mut rig = Rig::new(PacerConfig { slots: 1, ..fresh() }, 1);
    rig.reply(5);
    let message = rig.poll().unwrap();
    let call = Parcel { place: Place::Call, route: Route::Pinned(LaneIx(0)), ..rig.parcel(5) };
    let call = rig.put(call);
    let dispatch = rig.poll().unwrap();
    assert_eq!(dispatch.handle, call, "it passes its own conversation's message in flight");
    rig.sent(dispatch);
    rig.sent(message);
    rig.reply(6);
    assert_eq!(rig.poll(), None);
    assert!(rig.next_within(1_001).is_some());
}

#[test]
fn urgent_calls_pass_the_cap_on_what_is_in_flight() {
    let mut rig = Rig::new(PacerConfig { in_flight: 1, ..fresh() }, 1);
    rig.reply(1);
    assert!(rig.poll().is_some());
    let typing = Parcel { place: Place::Call, ..rig.parcel(2) };
    rig.put(typing);
    assert_eq!(rig.poll(), None);
    let checkout = Parcel { place: Place::Call, class: Class::Urgent, ..rig.parcel(2) };
    let checkout = rig.put(checkout);
    assert_eq!(rig.handles(), [checkout]);
}

#[test]
fn what_is_stale_is_dropped_and_payments_never_are() {
    let mut rig = Rig::new(fresh(), 1);
    rig.pacer.pause(LaneIx(0));
    let deadline = Some(rig.now.after(Duration::from_secs(5)));
    let late = Parcel { deadline, ..rig.parcel(1) };
    let call = Parcel { deadline, place: Place::Call, ..rig.parcel(2) };
    let paid = Parcel { deadline, class: Class::Urgent, ..rig.parcel(3) };
    let (late, call, paid) = (rig.put(late), rig.put(call), rig.put(paid));
    rig.wait(5_005);
    rig.pacer.resume(LaneIx(0));
    assert_eq!(rig.handles(), [paid]);
    let mut dropped = rig.dropped();
    dropped.sort_unstable_by_key(|(handle, _)| *handle);
    assert_eq!(dropped, [(late, DropReason::Stale), (call, DropReason::Stale)]);
    assert_eq!(rig.pacer.counters().dropped[DropReason::Stale as usize], 2);
}

#[test]
fn at_the_memory_bound_the_newest_bulk_goes_first_and_replies_are_kept() {
    let mut rig = Rig::new(PacerConfig { max_pending: 4, urgent_reserve: 1, ..fresh() }, 1);
    rig.pacer.pause(LaneIx(0));
    let of = |rig: &mut Rig, user, class| Parcel { class, ..rig.parcel(user) };
    let first = of(&mut rig, 1, Class::Bulk);
    let second = of(&mut rig, 2, Class::Bulk);
    let relay = of(&mut rig, 3, Class::Relay);
    let (first, second, relay) = (rig.put(first), rig.put(second), rig.put(relay));
    rig.reply(4);
    let refused = of(&mut rig, 5, Class::Bulk);
    assert_eq!(rig.pacer.enqueue(rig.now, refused), Err(Full(refused)), "itself the newest bulk");
    for gone in [second, first, relay] {
        rig.reply(10 + u64::from(gone));
        assert_eq!(rig.dropped(), [(gone, DropReason::Shed)]);
    }
    let refused = rig.parcel(30);
    assert_eq!(
        rig.pacer.enqueue(rig.now, refused),
        Err(Full(refused)),
        "replies do not make way for replies"
    );
    let paid = of(&mut rig, 31, Class::Urgent);
    rig.put(paid);
    let refused = of(&mut rig, 32, Class::Urgent);
    assert_eq!(rig.pacer.enqueue(rig.now, refused), Err(Full(refused)), "the reserve is bounded too");
    assert_eq!((rig.pacer.len(), rig.pacer.counters().refused_full), (5, 3));
}

#[test]
fn making_room_may_end_the_very_conversation_that_needs_it() {
    let mut rig = Rig::new(PacerConfig { max_pending: 1, ..fresh() }, 1);
    rig.pacer.pause(LaneIx(0));
    let bulk = Parcel { class: Class::Bulk, ..rig.parcel(1) };
    let bulk = rig.put(bulk);
    let reply = rig.reply(1);
    assert_eq!(rig.dropped(), [(bulk, DropReason::Shed)]);
    rig.pacer.resume(LaneIx(0));
    assert_eq!(rig.handles(), [reply]);
}

#[test]
fn a_conversation_has_a_bound_of_its_own() {
    let mut rig = Rig::new(PacerConfig { max_per_conversation: 2, ..fresh() }, 1);
    rig.reply(1);
    rig.reply(1);
    let refused = rig.parcel(1);
    assert_eq!(rig.pacer.enqueue(rig.now, refused), Err(Full(refused)));
    rig.reply(2);
}

#[test]
fn a_withdrawn_dispatch_costs_neither_a_slot_nor_the_chat() {
    let mut rig =
        Rig::new(PacerConfig { slots: 1, chat: crate::bucket::Rate::per_second(1, 1), ..fresh() }, 1);
    let (first, second) = (rig.reply(1), rig.reply(1));
    let dispatch = rig.poll().unwrap();
    assert_eq!(rig.pacer.withdraw(rig.now, dispatch.flight, DropReason::Unrenderable), Some(first));
    assert_eq!(rig.pacer.withdraw(rig.now, dispatch.flight, DropReason::Unrenderable), None);
    assert_eq!(rig.handles(), [second]);
}

#[test]
fn a_verdict_that_comes_twice_changes_nothing() {
    let mut rig = Rig::new(fresh(), 1);
    rig.reply(1);
    let dispatch = rig.poll().unwrap();
    rig.sent(dispatch);
    let again = rig.answer(dispatch, &Verdict::TokenDead);
    assert_eq!(again, Outcome { fate: Fate::NotInFlight, learned: None });
    assert_eq!(rig.pacer.lane(LaneIx(0)).unwrap().health, LaneHealth::Closed);
}

#[test]
fn empty_conversations_are_forgotten_once_their_bucket_is_full() {
    let mut rig = Rig::new(PacerConfig { slots: 1_000, in_flight: 1_000, ..fresh() }, 1);
    for user in 1..=100 {
        rig.reply(user);
    }
    rig.burst().into_iter().for_each(|dispatch| rig.sent(dispatch));
    assert_eq!(rig.pacer.conversations(), 100);
    rig.wait(3_000);
    rig.burst();
    rig.burst();
    assert_eq!(rig.pacer.conversations(), 0);
}

#[test]
fn a_place_in_the_queue_counts_turns() {
    let mut rig = Rig::new(PacerConfig { slots: 10, ..fresh() }, 1);
    for user in 1..=50 {
        rig.reply(user);
    }
    let of = |user| Conversation { kind: KindIx(0), user: UserId(user) };
    assert_eq!(rig.pacer.estimate(of(1), LaneIx(0)).ahead, 0);
    assert_eq!(rig.pacer.estimate(of(50), LaneIx(0)).ahead, 49);
    let place = rig.pacer.estimate(of(99), LaneIx(0));
    assert_eq!(place, Estimate { ahead: 50, wait: Duration::from_secs(5) });
    assert_eq!(rig.burst().len(), 10);
    assert_eq!(rig.pacer.estimate(of(50), LaneIx(0)).ahead, 39);
}
