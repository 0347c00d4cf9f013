//! How people are brought together, one input at a time, and what a restart leaves of it.

use super::talk::{Life, Talk};
use super::*;
use crate::bot::Meeting;
use crate::matchmaker::{Rules, Size};

const SIZE: Size = Size { users: 64, pools: 1, blocks: 64 };

pub(super) fn detached() -> Engine<Detached> {
    let kind = Kind::new(Talk, 3, Rate::new(200, Duration::from_secs(60)));
    Engine::new(vec![kind.with_pairs(Rules::default(), SIZE)], 7)
}

/// An engine and its clock; each word is one update.
struct World {
    engine: Engine<List>,
    secs: u64,
    updates: i64,
}

impl World {
    fn new() -> Self {
        Self::of(detached())
    }

    fn of(engine: Engine<Detached>) -> Self {
        let list = List { frames: Arc::new(Mutex::new(Vec::new())), room: usize::MAX, spare: 0 };
        Self { engine: engine.attach(list), secs: 10, updates: 0 }
    }

    fn says(&mut self, user: u64, words: &str) -> Admitted {
        self.updates += 1;
        let inbound = Inbound { lane: LaneIx((user % 3) as u16), ..text(self.updates, user, words) };
        self.engine.handle_update(at(self.secs), &inbound).unwrap()
    }

    fn meeting(&self, user: u64) -> Meeting {
        self.engine.cells.of(conversation(user)).lock().meeting()
    }

    fn partner(&self, user: u64) -> Option<u64> {
        if let Meeting::Paired(partner) = self.meeting(user) { Some(partner.user.0) } else { None }
    }

    fn life(&self, user: u64) -> Life {
        Life::from_bytes(&self.engine.cells.of(conversation(user)).lock().state).unwrap_or_default()
    }

    /// What was queued for him, in order.
    fn heard(&self, user: u64) -> Vec<String> {
        let envelopes = pushed(&self.engine).into_iter().filter(|e| e.conversation.user == UserId(user));
        envelopes.map(|e| String::from_utf8(e.payload.args.to_vec()).unwrap()).collect()
    }

    fn wake(&self) -> usize {
        self.engine.wake(at(self.secs), 100).unwrap()
    }

    fn frames(&self) -> usize {
        self.engine.journal.frames.lock().len()
    }

    /// A new process that has read the first `n` frames.
    fn restarted(&self, n: usize) -> Self {
        let fresh = detached();
        let mut recovered = Recovered::default();
        for (i, entry) in self.engine.journal.frames.lock()[..n].iter().enumerate() {
            fresh.replay(&mut recovered, Seq(i as u64 + 1), &entry.payload).unwrap();
        }
        fresh.check_pairs().unwrap();
        let world = Self { secs: self.secs, updates: 1_000_000, ..Self::of(fresh) };
        world.engine.resume(at(self.secs)).unwrap();
        world
    }
}

fn conversation(user: u64) -> Conversation {
    Conversation { kind: KindIx(0), user: UserId(user) }
}

#[test]
fn two_who_want_each_other_meet_and_both_are_told_with_the_others_card() {
    let mut w = World::new();
    w.says(1, "find man");
    assert!(matches!(w.meeting(1), Meeting::Waiting { .. }));
    w.says(2, "find woman");
    assert_eq!((w.partner(1), w.partner(2)), (Some(2), Some(1)));
    assert_eq!((w.heard(1), w.heard(2)), (vec!["met 2 1".into()], vec!["met 1 1".into()]));
}

#[test]
fn a_message_goes_to_the_partner_alone_and_to_nobody_once_the_pair_is_over() {
    let mut w = World::new();
    for (user, words) in [(1, "find man"), (2, "find man"), (1, "hello"), (3, "hello?")] {
        w.says(user, words);
    }
    w.says(2, "stop");
    w.says(1, "still there?");
    assert_eq!(w.heard(2), ["met 1 1", "hello", "over"]);
    assert_eq!(w.heard(1), ["met 2 1", "over"]);
    assert_eq!(w.heard(3), Vec::<String>::new());
    assert_eq!((w.life(2).left, w.life(1).was_left), (1, 1));
    assert_eq!((w.meeting(1), w.meeting(2)), (Meeting::Apart, Meeting::Apart));
}

#[test]
fn a_relayed_message_takes_the_partners_lane_and_its_end_is_counted() {
    let mut w = World::new();
    for (user, words) in [(1, "find man"), (2, "find man"), (1, "hello")] {
        w.says(user, words);
    }
    let relayed = pushed(&w.engine).pop().unwrap();
    assert_eq!((relayed.conversation, relayed.arrived_on), (conversation(2), LaneIx(2)));
    assert_eq!((relayed.chat, w.engine.pending()), (ChatId(2), 3));
    w.engine
        .settle(&[Ended { conversation: relayed.conversation, id: relayed.id, end: End::Sent }], &[])
        .unwrap();
    assert_eq!(w.engine.pending(), 2);
}

#[test]
fn next_ends_the_pair_and_meets_someone_else() {
    let mut w = World::new();
    for (user, words) in [(1, "find man"), (2, "find man"), (3, "find man"), (1, "next man")] {
        w.says(user, words);
    }
    assert_eq!((w.partner(1), w.partner(3), w.partner(2)), (Some(3), Some(1), None));
    w.says(2, "find man");
    w.says(3, "next man");
    assert_eq!(w.partner(3), Some(2), "who was never met is met");
    w.says(1, "find man");
    assert!(matches!(w.meeting(1), Meeting::Waiting { .. }));
    w.says(2, "next man");
    assert!(matches!(w.meeting(1), Meeting::Waiting { .. }), "they parted a moment ago");
}

#[test]
fn what_one_tells_reaches_the_partners_state_in_the_same_frame() {
    let mut w = World::new();
    w.says(1, "find man");
    w.says(2, "find man");
    let before = w.frames();
    w.says(1, "tell locked");
    assert_eq!((w.frames() - before, w.life(2).told), (1, 1));
    assert_eq!(w.heard(2).last().unwrap(), "told 6");
}

#[test]
fn who_is_blocked_is_not_met_until_he_is_unblocked() {
    let mut w = World::new();
    for (user, words) in [(1, "block 2"), (1, "find man"), (2, "find man")] {
        w.says(user, words);
    }
    assert_eq!((w.partner(1), w.partner(2)), (None, None));
    w.says(1, "unblock 2");
    assert_eq!((w.partner(1), w.partner(2)), (Some(2), Some(1)), "the rescan is due at once");
}

#[test]
fn patience_ends_and_he_is_told_once() {
    let mut w = World::new();
    w.says(1, "find hasty");
    assert_eq!(w.engine.next_alarm(), Some(Nanos::from_secs(40)));
    w.secs = 41;
    assert_eq!((w.wake(), w.wake()), (1, 0));
    assert_eq!((w.heard(1), w.meeting(1)), (vec!["nobody".into()], Meeting::Apart));
    w.says(2, "find woman");
    assert_eq!(w.partner(2), None);
}

#[test]
fn a_ticket_for_a_pool_that_does_not_exist_is_refused_and_he_may_ask_again() {
    let mut w = World::new();
    w.says(1, "find nobody");
    assert_eq!((w.heard(1), w.meeting(1)), (vec!["no pool".into()], Meeting::Apart));
    w.says(1, "find man");
    assert!(matches!(w.meeting(1), Meeting::Waiting { .. }));
}

#[test]
fn two_who_parted_meet_again_when_their_time_is_over_and_not_before() {
    let mut w = World::new();
    for (user, words) in [(1, "find man"), (2, "find man"), (1, "stop"), (1, "find man"), (2, "find man")] {
        w.says(user, words);
    }
    w.secs += 19 * 60;
    w.wake();
    assert_eq!(w.partner(1), None);
    w.secs += 2 * 60;
    w.wake();
    assert_eq!((w.partner(1), w.partner(2)), (Some(2), Some(1)));
}

#[test]
fn an_alarm_rings_once_and_again_only_if_it_is_set_again() {
    let mut w = World::new();
    w.says(1, "ring 60");
    assert_eq!((w.wake(), w.engine.next_alarm()), (0, Some(Nanos::from_secs(60))));
    w.secs = 61;
    assert_eq!((w.wake(), w.life(1).rung, w.engine.next_alarm()), (1, 1, None));
    let again = w.restarted(w.frames());
    assert_eq!(again.engine.next_alarm(), None);
}

#[test]
fn an_alarm_set_before_a_restart_rings_after_it() {
    let mut w = World::new();
    w.says(1, "ring 60");
    let mut w = w.restarted(w.frames());
    w.secs = 300;
    assert_eq!((w.wake(), w.life(1).rung), (1, 1));
}

#[test]
fn after_a_restart_the_waiting_keep_their_turn_and_pairs_go_on() {
    let mut w = World::new();
    w.says(1, "find suitor");
    w.secs += 1;
    w.says(2, "find suitor");
    w.says(3, "find man");
    w.says(4, "find man");
    w.secs += 5;
    let mut w = w.restarted(w.frames());
    assert_eq!((w.partner(3), w.partner(4)), (Some(4), Some(3)));
    assert_eq!(w.meeting(1), Meeting::Waiting { since: UnixMillis(10_000) });
    w.says(3, "are you there?");
    assert_eq!(w.heard(4), ["are you there?"]);
    w.says(5, "find woman");
    assert_eq!((w.partner(5), w.partner(2)), (Some(1), None), "who came first is served first");
}

#[test]
fn after_a_restart_the_recent_and_the_blocked_are_still_kept_apart() {
    let mut w = World::new();
    for (user, words) in [(1, "find man"), (2, "find man"), (1, "stop"), (3, "block 1")] {
        w.says(user, words);
    }
    let mut w = w.restarted(w.frames());
    for user in [1, 2, 3] {
        w.says(user, "find man");
    }
    assert_eq!((w.partner(1), w.partner(2), w.partner(3)), (None, Some(3), Some(2)));
    w.secs += 21 * 60;
    w.says(3, "stop");
    w.says(2, "find man");
    assert_eq!(w.partner(2), Some(1), "their time is over");
}

#[test]
fn a_kill_between_a_joins_frame_and_its_search_is_made_good() {
    let mut w = World::new();
    w.says(1, "find man");
    w.says(2, "find woman");
    // Frames: 1 files, 2 files, the pair. The kill takes the pair.
    assert_eq!(w.frames(), 3);
    let again = w.restarted(2);
    assert_eq!((again.partner(1), again.partner(2), again.frames()), (Some(2), Some(1), 1));
}

#[test]
fn numbers_of_pairs_rise_over_a_restart() {
    let mut w = World::new();
    for user in 1..5 {
        w.says(user, "find man");
    }
    let mut w = w.restarted(w.frames());
    w.says(6, "find man");
    w.says(7, "find man");
    let Meeting::Paired(partner) = w.meeting(7) else { panic!() };
    assert_eq!(partner.pair, crate::id::PairNo(3));
}

#[test]
fn half_a_pair_is_noticed_at_the_end_of_a_replay() {
    let fresh = detached();
    let partner = crate::bot::Partner {
        pair: crate::id::PairNo(1),
        user: UserId(2),
        lane: LaneIx(0),
        since: UnixMillis(5),
    };
    fresh.cells.of(conversation(1)).lock().ties().stage = ties::Stage::Paired(partner);
    assert_eq!(fresh.check_pairs(), Err(Corrupt::Pair(UserId(1), UserId(2))));
}

proptest! {
    #[test]
    fn every_prefix_of_a_random_day_is_a_legal_state_and_the_whole_is_the_live_one(
        ops in prop::collection::vec((1u64..7, 0usize..12, 0u64..400), 1..60),
    ) {
        let mut w = World::new();
        let words = ["find man", "find woman", "find suitor", "find lady", "stop", "next man", "next lady",
            "hello", "tell me", "block 3", "unblock 3", "ring 500"];
        for (user, word, secs) in ops {
            w.secs += secs;
            w.wake();
            w.says(user, words[word]);
        }
        for n in 0..w.frames() {
            w.restarted(n);
        }
        let again = w.restarted(w.frames());
        for user in 1..7 {
            let (a, b) = (w.engine.cells.of(conversation(user)), again.engine.cells.of(conversation(user)));
            prop_assert_eq!(w.partner(user), again.partner(user));
            prop_assert_eq!(&a.lock().state, &b.lock().state);
        }
        prop_assert_eq!(w.engine.pending(), again.engine.pending());
        // Nothing new was found: whoever could meet had met.
        prop_assert_eq!(again.frames(), 0);
    }
}

#[test]
fn more_people_come_in_a_life_than_there_are_seats() {
    let mut w = World::new();
    for pair in 0..500 {
        let (one, other) = (2 * pair + 1, 2 * pair + 2);
        w.says(one, "find man");
        w.says(other, "find man");
        assert_eq!(w.partner(one), Some(other), "pair {pair} of 500, with 64 seats");
        w.says(one, "stop");
        // So long that who parted half an hour of pairs ago may meet again, and needs no seat to be kept apart.
        w.secs += 60;
    }
    // He who comes back has none any more, and gets one.
    w.says(1, "find man");
    w.says(2, "find man");
    assert_eq!(w.partner(1), Some(2));
}

#[test]
fn who_is_kept_apart_from_someone_keeps_his_seat_and_so_the_block_holds() {
    let mut w = World::new();
    w.says(1, "block 2");
    for user in 3..200 {
        w.says(user, "find man");
        w.says(user, "stop");
        w.secs += 60;
    }
    w.says(1, "find man");
    w.says(2, "find man");
    assert_eq!((w.partner(1), w.partner(2)), (None, None), "still apart");
    let mut newcomer = |user| {
        w.says(user, "find man");
        w.partner(user)
    };
    assert!(newcomer(900).is_some(), "whoever has a seat that someone gave up is nobody's block");
}
