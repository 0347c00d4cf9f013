//! A lane that has far more to send than it may: what is urgent leaves at once, what is for show makes way.

use crate::world::{World, lane_of};
use nobat_bots::chat::{Gave, Offer, Settings, Shop};
use nobat_core::bot::{Call, Input, Payment};
use nobat_core::envelope::{Class, Envelope, Place, Route, Verdict};
use nobat_core::id::{EnvelopeId, LaneIx, Seq, UserId};
use nobat_core::pacer::{Dispatch, Fate, Pacer, PacerConfig, Parcel};
use std::collections::VecDeque;
use std::time::Duration;

const LATENCY: u64 = 60;

/// The lane of a world's users, as it is in the process: the real pacer, and a platform that answers in time.
struct Lane {
    pacer: Pacer<usize>,
    held: Vec<Option<Envelope>>,
    flying: VecDeque<(u64, Dispatch<usize>)>,
    /// When each left, and of what class.
    left: Vec<(u64, Class)>,
    /// Of other people: no envelope of the world.
    filler: u64,
}

impl Lane {
    fn new(w: &World) -> Self {
        let config = PacerConfig { spent: false, ..PacerConfig::default() };
        let pacer = Pacer::new(config, 3, w.now().mono, 7);
        Self { pacer, held: Vec::new(), flying: VecDeque::new(), left: Vec::new(), filler: 1_000_000 }
    }

    /// Somebody else's message, or call, waits on lane 1.
    fn fill(&mut self, w: &World, class: Class, place: Place) {
        self.filler += 1;
        let user = UserId(self.filler);
        let parcel = Parcel {
            handle: usize::MAX,
            id: EnvelopeId::new(Seq(self.filler), 0),
            conversation: nobat_core::envelope::Conversation { kind: nobat_core::id::KindIx(0), user },
            chat: user.private_chat(),
            arrived_on: LaneIx(1),
            route: Route::Pinned(LaneIx(1)),
            class,
            place,
            more: 0,
            deadline: None,
        };
        self.pacer.enqueue(w.now().mono, parcel).expect("room");
    }

    fn take(&mut self, w: &mut World) {
        for envelope in w.take_out() {
            let parcel = Parcel {
                handle: self.held.len(),
                id: envelope.id,
                conversation: envelope.conversation,
                chat: envelope.chat,
                arrived_on: envelope.arrived_on,
                route: envelope.route,
                class: envelope.class,
                place: envelope.place,
                more: 0,
                deadline: envelope.deadline.map(|at| w.now().mono_of(at)),
            };
            self.held.push(Some(envelope));
            self.pacer.enqueue(w.now().mono, parcel).expect("room");
        }
    }

    /// So many milliseconds pass; each millisecond `also` may do something.
    fn run(&mut self, w: &mut World, millis: u64, mut also: impl FnMut(&mut Self, &mut World)) {
        for _ in 0..millis {
            w.pass(Duration::from_millis(1));
            also(self, w);
            self.take(w);
            while self.flying.front().is_some_and(|(at, _)| *at <= w.millis) {
                let (_, dispatch) = self.flying.pop_front().expect("looked");
                let latency = Duration::from_millis(LATENCY);
                let outcome =
                    self.pacer.handle_verdict(w.now().mono, dispatch.flight, &Verdict::Sent, latency);
                assert!(matches!(outcome.fate, Fate::Done { .. }));
                if let Some(envelope) = self.held.get_mut(dispatch.handle).and_then(Option::take) {
                    w.show(&envelope);
                }
            }
            while let Some(dispatch) = self.pacer.poll_dispatch(w.now().mono) {
                if self.held.get(dispatch.handle).is_some() || dispatch.class != Class::Urgent {
                    self.left.push((w.millis, dispatch.turn));
                }
                self.flying.push_back((w.millis + LATENCY, dispatch));
            }
            while let Some((handle, ..)) = self.pacer.poll_dropped() {
                if let Some(envelope) = self.held.get_mut(handle).and_then(Option::take) {
                    w.gives_up(&envelope);
                }
            }
        }
    }
}

#[test]
fn the_question_before_a_payment_is_answered_at_once_whatever_waits() {
    let offer = Offer { gives: Gave::Days(7), stars: 100 };
    let mut w =
        World::new(Settings { shop: Shop { vip: vec![offer], ..Shop::default() }, ..Settings::default() });
    w.joins(1, 30);
    w.stuck = true;
    let mut lane = Lane::new(&w);
    for i in 0..6_000 {
        lane.fill(&w, [Class::Reply, Class::Relay, Class::Bulk][i % 3], Place::InOrder);
    }
    // Answers to presses and "typing" are no messages and have a bucket of their own: it is full as well.
    (0..600).for_each(|_| lane.fill(&w, Class::Reply, Place::Call));
    lane.run(&mut w, 5_000, |_, _| {});
    // His own conversation has a hundred messages waiting too.
    for _ in 0..5 {
        (0..19).for_each(|_| w.says(1, "/profile"));
        w.pass(Duration::from_secs(11));
        lane.take(&mut w);
    }
    let asked_at = w.millis;
    let payment = Payment { charge: "", payload: "vip:7:100", stars: Some(100) };
    w.give(1, lane_of(1), Input::PreCheckout { id: "88", payment });
    let mut answered = None;
    lane.run(&mut w, 1_000, |_, w| {
        let is = |call: &Call| matches!(call, Call::AnswerPreCheckout { id, refusal } if id == "88" && refusal.is_empty());
        if answered.is_none() && w.screens[&1].iter().any(|(_, call)| is(call)) {
            answered = Some(w.millis);
        }
    });
    let took = answered.expect("answered") - asked_at;
    assert!(took <= LATENCY + 5, "{took} ms, {} wait", lane.pacer.len());
    assert!(lane.pacer.len() > 4_000);
}

#[test]
fn a_message_that_turns_takes_no_slot_from_replies() {
    let mut w = World::new(Settings::default());
    (1..=40).for_each(|n| w.joins(3 * n + 1, 30));
    w.stuck = true;
    let mut lane = Lane::new(&w);
    w.says(4, "/find");
    // With nothing to do, its message turns every 3 s.
    lane.run(&mut w, 10_000, |_, _| {});
    let turns =
        |w: &World| w.screens[&4].iter().filter(|(_, call)| matches!(call, Call::EditText { .. })).count();
    assert_eq!(turns(&w), 3);
    // From now on the lane has more replies to send than it may: people ask for their profiles.
    let before = turns(&w);
    lane.left.clear();
    let mut tick = 0u64;
    lane.run(&mut w, 30_000, |lane, w| {
        tick += 1;
        if tick.is_multiple_of(20) {
            let n = 2 + tick / 20 % 38;
            w.says(3 * n + 1, "/profile");
        }
        if tick.is_multiple_of(10) {
            lane.take(w);
        }
    });
    // The first one was on its way before the backlog was there.
    assert!(turns(&w) - before <= 1, "{}", turns(&w) - before);
    let lower = lane.left.iter().filter(|(_, class)| *class == Class::Bulk).count();
    assert!(lower <= 1, "{lower} of {}", lane.left.len());
    let sent = lane.left.len();
    assert!(sent > 27 * 30, "the lane was full: {sent}");
    // When the backlog is gone it turns again, within its minute.
    lane.run(&mut w, 60_000, |_, _| {});
    assert!(turns(&w) <= 20);
}
