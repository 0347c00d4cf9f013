//! A naive twin for the ordering rules: lists that are searched, nothing linked, nothing timed.
//!
//! With rates that never bind, one lane, and no faults but a failed send, what leaves next is decided by
//! order, class and turns alone. The twin decides it by reading the rules off the page; it forgets nobody, so
//! it also shows that nothing is lost with a conversation that is forgotten.

use super::*;
use crate::bucket::Rate;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Ticks of 2^27 ns between two turns of one conversation.
const INTERVAL: u32 = 7;

/// One conversation of the twin: its queue with the tick of each arrival, whether its head is under way, and
/// the tick of its turn, or that from which on its next may be.
#[derive(Default)]
struct Talk {
    queue: Vec<(u32, Class, u32)>,
    flying: bool,
    turn: u32,
}

/// The rules, naively.
#[derive(Default)]
struct Twin {
    talks: BTreeMap<u64, Talk>,
    /// Conversations whose turn may come, with their class and the tick of their turn, as they came in.
    turns: Vec<(u64, Class, u32)>,
    /// Classes of all that left, for the rule about giving way.
    history: Vec<Class>,
    /// Messages ahead of their conversation.
    ahead: Vec<(u64, u32)>,
    /// Whose is in flight.
    passing: Vec<u64>,
    /// Sends in order since the last one ahead.
    since_ahead: Option<usize>,
}

impl Twin {
    fn class(&self, user: u64) -> Class {
        self.talks[&user].queue.iter().map(|(_, class, _)| *class).min().expect("not empty")
    }

    fn enqueue(&mut self, user: u64, handle: u32, class: Class, tick: u32) {
        let talk = self.talks.entry(user).or_default();
        // A higher class gives it a turn among those who come now.
        let waits = talk.queue.len() > usize::from(talk.flying);
        let raises = waits && talk.queue.iter().all(|(_, other, _)| class < *other);
        if raises {
            talk.turn = talk.turn.max(tick);
        }
        talk.queue.push((handle, class, tick));
        if talk.flying || waits && !raises {
            return;
        }
        self.turns.retain(|(waiting, ..)| *waiting != user);
        self.stand(user);
    }

    fn stand(&mut self, user: u64) {
        let class = self.class(user);
        let talk = self.talks.get_mut(&user).expect("known");
        talk.turn = talk.turn.max(talk.queue[0].2);
        self.turns.push((user, class, talk.turn));
    }

    /// While a class waits, it gives way once after 31 sends of its own in which nothing lower left.
    fn gives_way(&self, class: Class) -> bool {
        let own = self.history.iter().rev().take_while(|sent| **sent <= class);
        own.filter(|sent| **sent == class).count() >= 31
    }

    /// It leaves beside what is ready, when nothing waits or after 31 others; or it is given up.
    fn dispatch_ahead(&mut self) -> Option<u32> {
        let turn = |twin: &Self| twin.turns.is_empty() || twin.since_ahead.is_none_or(|sends| sends >= 31);
        while !self.ahead.is_empty() && turn(self) {
            let (user, handle) = self.ahead.remove(0);
            let ready = self.turns.iter().any(|(waiting, ..)| *waiting == user);
            if ready && !self.passing.contains(&user) {
                self.passing.push(user);
                self.since_ahead = Some(0);
                return Some(handle);
            }
        }
        None
    }

    fn enqueue_ahead(&mut self, user: u64, handle: u32) {
        let waits = |talk: &Talk| talk.queue.len() > usize::from(talk.flying);
        if self.talks.get(&user).is_some_and(waits) {
            self.ahead.push((user, handle));
        }
    }

    fn dispatch(&mut self) -> Option<u32> {
        if let Some(handle) = self.dispatch_ahead() {
            return Some(handle);
        }
        let mut waiting: Vec<Class> = self.turns.iter().map(|(_, class, _)| *class).collect();
        waiting.sort_unstable();
        waiting.dedup();
        let last = waiting.last().copied()?;
        let class = waiting.into_iter().find(|class| *class == last || !self.gives_way(*class))?;
        let of_class = self.turns.iter().enumerate().filter(|(_, (_, waiting, _))| *waiting == class);
        let (at, _) = of_class.min_by_key(|(_, (_, _, turn))| *turn)?;
        let (user, ..) = self.turns.remove(at);
        let talk = self.talks.get_mut(&user)?;
        talk.flying = true;
        self.history.push(class);
        self.since_ahead = self.since_ahead.map(|sends| sends + 1);
        Some(talk.queue[0].0)
    }

    fn verdict(&mut self, user: u64, sent: bool) {
        let talk = self.talks.get_mut(&user).expect("in flight");
        talk.flying = false;
        if sent {
            talk.queue.remove(0);
            talk.turn += INTERVAL;
        }
        if !talk.queue.is_empty() {
            self.stand(user);
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Enqueue {
        user: u64,
        class: u8,
    },
    Ahead {
        user: u64,
    },
    Dispatch,
    /// So many twentieths of a second pass.
    Wait(u64),
    /// The n-th of those under way is answered.
    Answer {
        which: prop::sample::Index,
        sent: bool,
    },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0u64..12, 0u8..4).prop_map(|(user, class)| Op::Enqueue { user, class }),
        1 => (0u64..12).prop_map(|user| Op::Ahead { user }),
        5 => Just(Op::Dispatch),
        2 => (0u64..60).prop_map(Op::Wait),
        4 => (any::<prop::sample::Index>(), prop::bool::weighted(0.9))
            .prop_map(|(which, sent)| Op::Answer { which, sent }),
    ]
}

proptest! {
    #[test]
    fn order_classes_and_turns_are_those_of_the_naive_twin(ops in prop::collection::vec(op(), 1..600)) {
        let config = PacerConfig {
            chat: Rate::per_second(1, u32::MAX),
            slots: 1_000_000,
            in_flight: 1_000_000,
            attempts: u8::MAX,
            failures_to_open: u32::MAX,
            retry_pause: Duration::ZERO,
            ..fresh()
        };
        let (mut rig, mut twin) = (Rig::new(config, 1), Twin::default());
        let mut flying: Vec<Dispatch<u32>> = Vec::new();
        let (mut aheads, start) = (BTreeSet::new(), rig.now.0);
        for op in ops {
            match op {
                Op::Enqueue { user, class } => {
                    let parcel = rig.parcel(user);
                    let parcel = Parcel { class: Class::from_u8(class).unwrap(), ..parcel };
                    let tick = ((rig.now.0 - start) >> 27) as u32;
                    twin.enqueue(user, rig.put(parcel), parcel.class, tick);
                }
                Op::Ahead { user } => {
                    let parcel = rig.parcel(user);
                    aheads.insert(parcel.handle);
                    twin.enqueue_ahead(user, rig.put(Parcel { place: Place::Ahead, ..parcel }));
                }
                Op::Dispatch => {
                    let dispatch = rig.poll();
                    prop_assert_eq!(dispatch.map(|d| d.handle), twin.dispatch());
                    flying.extend(dispatch);
                }
                Op::Wait(twentieths) => rig.wait(twentieths * 50),
                Op::Answer { .. } if flying.is_empty() => {}
                Op::Answer { which, sent } => {
                    let dispatch = flying.swap_remove(which.index(flying.len()));
                    rig.answer(dispatch, if sent { &Verdict::Sent } else { &Verdict::Failed });
                    let user = dispatch.conversation.user.0;
                    if aheads.contains(&dispatch.handle) {
                        twin.passing.retain(|passing| *passing != user);
                    } else {
                        twin.verdict(user, sent);
                    }
                }
            }
        }
    }
}
