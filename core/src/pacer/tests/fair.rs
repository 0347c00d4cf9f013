//! Whose turn it is among the conversations of a class.

use super::*;

/// Sends everything, `per_step` at each step of the clock, and gives the users in the order of their sends.
fn served(rig: &mut Rig, step_ms: u64) -> Vec<u64> {
    let mut users = Vec::new();
    while !rig.pacer.is_empty() {
        for dispatch in rig.burst() {
            users.push(dispatch.conversation.user.0);
            rig.sent(dispatch);
        }
        rig.wait(step_ms);
    }
    users
}

/// A lane that sends `slots` a second.
fn narrow(slots: u32) -> Rig {
    Rig::new(PacerConfig { slots, ..fresh() }, 1)
}

#[test]
fn messages_are_served_by_arrival_whoever_sent_them() {
    let mut rig = narrow(1);
    rig.pacer.pause(LaneIx(0));
    let asked = [9, 1, 2, 9, 3, 4, 9, 5, 9, 6];
    for user in asked {
        rig.reply(user);
        rig.wait(600);
    }
    rig.pacer.resume(LaneIx(0));
    assert_eq!(served(&mut rig, 1_000), asked);
}

#[test]
fn a_talker_takes_turns_with_those_who_come_later() {
    let mut rig = narrow(2);
    for _ in 0..100 {
        rig.reply(99);
    }
    let (mut talker, mut longest) = (0, 0);
    for user in 1..=60 {
        let handle = rig.reply(user);
        let asked = rig.now;
        let mut waits = true;
        while waits {
            for dispatch in rig.burst() {
                talker += u32::from(dispatch.conversation.user.0 == 99);
                if dispatch.handle == handle {
                    waits = false;
                    longest = longest.max(rig.now.since(asked).as_millis());
                }
                rig.sent(dispatch);
            }
            rig.wait(100);
        }
        rig.wait(1_000);
    }
    assert!(longest <= 2_000, "{longest} ms behind a talker");
    assert!(talker >= 50, "the talker had {talker} turns in {:?}", rig.now);
}

#[test]
fn a_turn_is_never_further_ahead_of_the_clock_than_the_burst_of_a_chat() {
    // Nothing holds the talker back while he is alone, and each of his messages is a turn.
    let chat = crate::bucket::Rate::new(Duration::ZERO, 1);
    let mut rig = Rig::new(PacerConfig { slots: 30, chat, ..fresh() }, 1);
    for _ in 0..40 {
        rig.reply(99);
    }
    for _ in 0..29 {
        let dispatch = rig.poll().expect("a slot");
        rig.sent(dispatch);
    }
    // His next turn is one tick ahead of the clock, not 29: he is before who comes half a second later.
    rig.wait(500);
    rig.reply(1);
    let mut order = Vec::new();
    while order.len() < 4 {
        let dispatch = rig.next_within(1_001).expect("a slot");
        order.push(dispatch.conversation.user.0);
        rig.sent(dispatch);
    }
    assert_eq!(order[0], 99);
    assert!(order.contains(&1), "{order:?}");
}

#[test]
fn what_was_refused_by_its_home_keeps_its_turn_on_the_lane_it_falls_back_to() {
    let mut rig = Rig::new(PacerConfig { reach: ReachMode::Try, slots: 1, ..fresh() }, 2);
    let tried = rig.reply(1);
    let dispatch = rig.poll().expect("his home is tried");
    assert_eq!((dispatch.handle, dispatch.lane), (tried, LaneIx(1)));
    let others: Vec<u32> = [2, 4, 6].into_iter().map(|user| rig.reply(user)).collect();
    let first = rig.poll().expect("lane 0 is free");
    rig.wait(300);
    rig.answer(dispatch, &Verdict::Unreachable(crate::envelope::Unreachable::NotStarted));
    rig.sent(first);
    let next = rig.next_within(1_100).expect("a second later");
    assert_eq!((first.handle, next.handle), (others[0], others[1]), "they came in the same tick");
    rig.sent(next);
    rig.reply(8);
    assert_eq!(rig.next_within(1_100).map(|d| d.handle), Some(others[2]));
    assert_eq!(rig.next_within(1_100), None);
}

#[test]
fn what_was_raised_to_a_higher_class_stands_behind_those_who_came_before() {
    let mut rig = narrow(1);
    rig.pacer.pause(LaneIx(0));
    let old = Parcel { class: Class::Bulk, ..rig.parcel(1) };
    let old = rig.put(old);
    rig.wait(10_000);
    let first = rig.reply(2);
    rig.wait(1_000);
    let raising = rig.reply(1);
    rig.wait(1_000);
    let later = rig.reply(3);
    rig.pacer.resume(LaneIx(0));
    let mut order = Vec::new();
    while let Some(dispatch) = rig.next_within(1_500) {
        order.push(dispatch.handle);
        rig.sent(dispatch);
    }
    assert_eq!(order, [first, old, raising, later]);
}

#[test]
fn a_place_in_the_queue_counts_those_who_came_before_in_whatever_tick() {
    let mut rig = narrow(10);
    for user in 1..=50 {
        rig.reply(user);
        rig.wait(40);
    }
    let of = |user| Conversation { kind: KindIx(0), user: UserId(user) };
    for user in [1, 2, 25, 50] {
        assert_eq!(u64::from(rig.pacer.estimate(of(user), LaneIx(0)).ahead), user - 1);
    }
}
