//! Homes, reach, health, 429.

use super::*;
use crate::envelope::Unreachable;

fn secs(n: u64) -> Verdict {
    Verdict::RetryAfter(Duration::from_secs(n))
}

const NOT_STARTED: Verdict = Verdict::Unreachable(Unreachable::NotStarted);

/// 17 lanes in a mode; a reply to each user in turn, answered, gives the lane that carried it.
fn reach(mode: ReachMode) -> Rig {
    Rig::new(PacerConfig { reach: mode, ..fresh() }, 17)
}

#[test]
fn a_user_is_answered_through_his_home_lane() {
    let mut rig = reach(ReachMode::All);
    rig.reply(12_345);
    assert_eq!(rig.poll().unwrap().lane, LaneIx(3));
}

#[test]
fn a_home_that_does_not_reach_is_tried_once_and_the_same_message_goes_where_he_wrote() {
    let mut rig = reach(ReachMode::Try);
    let (first, second) = (rig.reply(3), rig.reply(3));
    let tried = rig.poll().unwrap();
    assert_eq!((tried.lane, tried.handle), (LaneIx(3), first));
    let outcome = rig.answer(tried, &NOT_STARTED);
    let learned = ReachLearned { user: UserId(3), lane: LaneIx(3), reached: false };
    assert_eq!(outcome.learned, Some(learned));
    assert_eq!(outcome.fate, Fate::Requeued { id: tried.id, moved_to: Some(LaneIx(0)) });
    for handle in [first, second] {
        let dispatch = rig.poll().unwrap();
        assert_eq!((dispatch.lane, dispatch.handle), (LaneIx(0), handle));
        rig.sent(dispatch);
    }
}

#[test]
fn a_blocked_home_falls_back_but_a_deleted_account_ends_it() {
    let mut rig = reach(ReachMode::All);
    rig.reply(3);
    let dispatch = rig.poll().unwrap();
    rig.answer(dispatch, &Verdict::Unreachable(Unreachable::Blocked));
    assert_eq!(rig.poll().unwrap().lane, LaneIx(0));
    rig.reply(4);
    let dispatch = rig.poll().unwrap();
    let outcome = rig.answer(dispatch, &Verdict::Unreachable(Unreachable::Deactivated));
    assert!(matches!(outcome.fate, Fate::Done { end: End::Dropped(DropReason::Unreachable), .. }));
}

#[test]
fn the_bot_he_wrote_to_is_the_last_resort() {
    let mut rig = reach(ReachMode::Try);
    rig.reply(17);
    let dispatch = rig.poll().unwrap();
    assert_eq!(dispatch.lane, LaneIx(0));
    let outcome = rig.answer(dispatch, &NOT_STARTED);
    assert!(matches!(outcome.fate, Fate::Done { end: End::Dropped(DropReason::Unreachable), .. }));
    assert_eq!(outcome.learned, None);
}

#[test]
fn in_mode_known_only_started_bots_are_used() {
    let mut rig = reach(ReachMode::Known);
    rig.reply(3);
    assert_eq!(rig.poll().unwrap().lane, LaneIx(0));
    rig.pacer.learn(ReachLearned { user: UserId(4), lane: LaneIx(4), reached: true });
    rig.reply(4);
    assert_eq!(rig.poll().unwrap().lane, LaneIx(4));
    let arrived = Parcel { arrived_on: LaneIx(5), ..rig.parcel(5) };
    rig.put(arrived);
    assert_eq!(rig.poll().unwrap().lane, LaneIx(5));
    rig.reply(5 + 17);
    assert_eq!(rig.poll().unwrap().lane, LaneIx(0), "nothing is known of the neighbour");
}

#[test]
fn what_was_learned_holds_for_conversations_that_already_wait() {
    let mut rig = reach(ReachMode::All);
    rig.pacer.pause(LaneIx(0));
    rig.reply(3);
    let dispatch = rig.poll().unwrap();
    rig.reply(3);
    rig.pacer.learn(ReachLearned { user: UserId(3), lane: LaneIx(3), reached: false });
    rig.sent(dispatch);
    rig.pacer.resume(LaneIx(0));
    assert_eq!(rig.poll().unwrap().lane, LaneIx(3), "the send that passed since is newer than the fact");
}

#[test]
fn a_lane_that_refuses_nearly_everybody_is_hardly_tried() {
    let mut rig =
        Rig::new(PacerConfig { reach: ReachMode::Try, slots: 9_999, in_flight: 9_999, ..fresh() }, 2);
    let mut tries = 0;
    for user in 0..1_000 {
        rig.reply(user * 2 + 1);
        let dispatch = rig.poll().unwrap();
        if dispatch.lane == LaneIx(1) {
            tries += 1;
            rig.answer(dispatch, &NOT_STARTED);
            let dispatch = rig.poll().unwrap();
            rig.sent(dispatch);
        } else {
            rig.sent(dispatch);
        }
    }
    assert!((20..=20 + 1_000 / 64 + 1).contains(&tries), "{tries}");
    assert!(rig.pacer.lane(LaneIx(1)).unwrap().distrusted);
}

#[test]
fn a_dead_token_gives_what_waits_to_the_fallback_and_ends_what_is_pinned() {
    let mut rig = reach(ReachMode::All);
    let (a, b) = (rig.reply(3), rig.reply(3));
    let pinned = Parcel { route: Route::Pinned(LaneIx(3)), ..rig.parcel(20) };
    let call = Parcel { route: Route::Pinned(LaneIx(3)), place: Place::Call, ..rig.parcel(20) };
    let first = rig.poll().unwrap();
    let (pinned, call) = (rig.put(pinned), rig.put(call));
    let outcome = rig.answer(first, &Verdict::TokenDead);
    assert_eq!(outcome.fate, Fate::Requeued { id: first.id, moved_to: Some(LaneIx(0)) });
    let next = rig.poll().unwrap();
    assert_eq!((next.lane, next.handle), (LaneIx(0), a));
    assert_eq!(rig.poll(), None);
    assert_eq!(rig.dropped(), [(pinned, DropReason::LaneGone), (call, DropReason::LaneGone)]);
    rig.sent(next);
    assert_eq!(rig.poll().unwrap().handle, b);
    let late = Parcel { route: Route::Pinned(LaneIx(3)), ..rig.parcel(20) };
    let late = rig.put(late);
    assert_eq!(rig.dropped(), [(late, DropReason::LaneGone)]);
}

#[test]
fn with_his_only_bot_dead_a_message_waits_for_a_new_token() {
    let mut rig = Rig::new(fresh(), 1);
    let handle = rig.reply(1);
    rig.pacer.lane_gone(LaneIx(0));
    assert_eq!((rig.next_within(3_600_000), rig.dropped()), (None, vec![]));
    rig.pacer.lane_revived(rig.now, LaneIx(0));
    assert_eq!(rig.handles(), [handle]);
}

#[test]
fn repeated_failures_open_a_lane_and_one_probe_closes_it() {
    let mut rig = reach(ReachMode::All);
    for i in 0..5 {
        rig.reply(3 + 17 * i);
    }
    let burst = rig.burst();
    assert!(burst.iter().all(|dispatch| dispatch.lane == LaneIx(3)));
    for dispatch in burst {
        rig.answer(dispatch, &Verdict::Failed);
    }
    assert!(matches!(rig.pacer.lane(LaneIx(3)).unwrap().health, LaneHealth::Open(_)));
    rig.wait(700);
    let moved = rig.burst();
    assert_eq!(moved.len(), 5);
    assert!(moved.iter().all(|dispatch| dispatch.lane == LaneIx(0)), "the bot he wrote to stands in");
    let pinned: Vec<u32> = (0..3)
        .map(|i| {
            let parcel = Parcel { route: Route::Pinned(LaneIx(3)), ..rig.parcel(1_000 + i) };
            rig.put(parcel)
        })
        .collect();
    let probe = rig.next_within(2_000).unwrap();
    assert_eq!((probe.lane, probe.handle, rig.poll()), (LaneIx(3), pinned[0], None), "one probe");
    rig.sent(probe);
    assert_eq!(rig.handles(), pinned[1..]);
}

#[test]
fn a_message_that_fails_while_its_lane_works_for_others_is_given_up_at_last() {
    let mut rig = Rig::new(PacerConfig { attempts: 3, ..fresh() }, 1);
    let poison = rig.reply(1);
    for attempt in 0..3 {
        let dispatch = rig.next_within(10_000).unwrap();
        assert_eq!((dispatch.handle, dispatch.attempt), (poison, attempt));
        let outcome = rig.answer(dispatch, &Verdict::Unknown);
        let ended = matches!(outcome.fate, Fate::Done { end: End::Dropped(DropReason::Exhausted), .. });
        assert_eq!(ended, attempt == 2);
    }
    assert_eq!(rig.pacer.counters().unknown, 3);
}

#[test]
fn a_429_stops_the_chat_until_its_wait_is_over() {
    let mut rig = Rig::new(fresh(), 1);
    let first = rig.reply(1);
    let dispatch = rig.poll().unwrap();
    let told = rig.now;
    rig.answer(dispatch, &secs(7));
    let other = rig.reply(2);
    let dispatch = rig.poll().unwrap();
    assert_eq!(dispatch.handle, other);
    rig.sent(dispatch);
    let dispatch = rig.next_within(60_000).unwrap();
    assert_eq!(dispatch.handle, first);
    assert!(rig.now.since(told) >= Duration::from_secs(7));
}

#[test]
fn a_second_chat_refused_meanwhile_stops_the_token_retries_and_calls_included() {
    let mut rig = Rig::new(fresh(), 2);
    for user in [2, 4, 6] {
        rig.reply(user);
    }
    let burst = rig.burst();
    let told = rig.now;
    rig.answer(burst[0], &secs(9));
    rig.answer(burst[1], &secs(5));
    rig.answer(burst[2], &Verdict::Sent);
    let urgent = Parcel { place: Place::Call, class: Class::Urgent, ..rig.parcel(8) };
    rig.put(urgent);
    rig.reply(10);
    let elsewhere = rig.reply(1);
    assert_eq!(rig.handles(), [elsewhere], "the other token goes on");
    assert_eq!(rig.pacer.counters().widened, 1);
    assert!(rig.next_within(60_000).is_some());
    assert!(rig.now.since(told) >= Duration::from_secs(9), "the longer of the two waits");
    assert_eq!(rig.burst().len(), 3);
}

#[test]
fn a_later_longer_wait_extends_and_a_shorter_does_not_shorten() {
    let mut rig = Rig::new(PacerConfig { retry_scope: RetryScope::Token, ..fresh() }, 1);
    for user in 1..=3 {
        rig.reply(user);
    }
    let burst = rig.burst();
    let told = rig.now;
    rig.answer(burst[0], &secs(5));
    rig.wait(1_000);
    rig.answer(burst[1], &secs(10));
    rig.answer(burst[2], &secs(1));
    assert!(rig.next_within(60_000).is_some());
    assert!(rig.now.since(told) >= Duration::from_secs(11));
}

#[test]
fn until_another_chat_succeeds_a_lane_that_was_told_to_wait_sends_one_at_a_time() {
    let mut rig = Rig::new(fresh(), 1);
    rig.reply(1);
    let dispatch = rig.poll().unwrap();
    rig.answer(dispatch, &secs(30));
    for user in 2..=5 {
        rig.reply(user);
    }
    let probe = rig.burst();
    assert_eq!(probe.len(), 1);
    rig.sent(probe[0]);
    assert_eq!(rig.burst().len(), 3);
}

#[test]
fn calls_wait_with_their_chat_but_payments_pass() {
    let mut rig = Rig::new(fresh(), 1);
    let message = rig.reply(1);
    let dispatch = rig.poll().unwrap();
    rig.answer(dispatch, &secs(20));
    let typing = Parcel { place: Place::Call, ..rig.parcel(1) };
    let checkout = Parcel { place: Place::Call, class: Class::Urgent, ..rig.parcel(1) };
    let (typing, checkout) = (rig.put(typing), rig.put(checkout));
    let passed = rig.burst();
    assert_eq!(passed.iter().map(|d| d.handle).collect::<Vec<_>>(), [checkout]);
    rig.answer(passed[0], &secs(25));
    let second = Parcel { place: Place::Call, class: Class::Urgent, ..rig.parcel(2) };
    let second = rig.put(second);
    assert_eq!(rig.next_within(24_999), None, "it names no chat, so the whole token was meant");
    let mut rest = Vec::new();
    while let Some(dispatch) = rig.next_within(60_000) {
        rest.push(dispatch.handle);
        rig.sent(dispatch);
    }
    rest.sort_unstable();
    assert_eq!(rest, [message, typing, checkout, second]);
}

#[test]
fn a_long_freeze_counts_as_a_lane_that_is_down() {
    let mut rig = Rig::new(PacerConfig { retry_scope: RetryScope::Token, ..fresh() }, 17);
    rig.reply(3);
    let dispatch = rig.poll().unwrap();
    let told = rig.now;
    let outcome = rig.answer(dispatch, &secs(8_288));
    assert_eq!(outcome.fate, Fate::Requeued { id: dispatch.id, moved_to: Some(LaneIx(0)) });
    assert_eq!(rig.poll().unwrap().lane, LaneIx(0));
    let pinned = Parcel { route: Route::Pinned(LaneIx(3)), ..rig.parcel(20) };
    rig.put(pinned);
    assert_eq!(rig.next_within(10_000_000).unwrap().lane, LaneIx(3));
    assert!(rig.now.since(told) >= Duration::from_secs(8_288));
}

#[test]
fn a_lane_added_live_moves_nobody_and_may_stand_in_for_one_that_is_gone() {
    let mut rig = reach(ReachMode::All);
    assert_eq!(rig.pacer.add_lane(rig.now), Some(LaneIx(17)));
    rig.reply(12_345);
    assert_eq!(rig.poll().unwrap().lane, LaneIx(3));
    rig.pacer.lane_gone(LaneIx(3));
    assert!(rig.pacer.replace_home(LaneIx(3), LaneIx(17)));
    rig.reply(12_345 + 17);
    assert_eq!(rig.poll().unwrap().lane, LaneIx(17));
    rig.reply(4);
    assert_eq!(rig.poll().unwrap().lane, LaneIx(4));
}

#[test]
fn a_parcel_for_a_lane_that_never_was_ends_as_one_whose_bot_is_gone() {
    let mut rig = Rig::new(fresh(), 1);
    let parcel = Parcel { route: Route::Pinned(LaneIx(9)), ..rig.parcel(1) };
    let handle = rig.put(parcel);
    assert_eq!(rig.dropped(), [(handle, DropReason::LaneGone)]);
}

#[test]
fn adaptive_slots_grow_while_replies_are_limited_and_shrink_at_a_429() {
    let config = PacerConfig { adaptive: Some(Adaptive::default()), in_flight: 9_999, ..fresh() };
    let mut rig = Rig::new(config, 1);
    for user in 1..=3_000 {
        let parcel = rig.parcel(user);
        rig.pacer.enqueue(rig.now, parcel).unwrap();
    }
    for _ in 0..5 {
        let burst = rig.burst();
        rig.wait(60);
        burst.into_iter().for_each(|dispatch| rig.sent(dispatch));
        rig.wait(1_001);
    }
    let grown = rig.pacer.lane(LaneIx(0)).unwrap().slots;
    assert!(grown >= 510, "{grown}");
    let burst = rig.burst();
    rig.answer(burst[0], &secs(1));
    assert_eq!(rig.pacer.lane(LaneIx(0)).unwrap().slots, grown * 7 / 10);
}
