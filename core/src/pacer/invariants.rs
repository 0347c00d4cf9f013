//! What must hold between any two calls, checked from outside the rules: for tests, simulations, fuzzing.

use super::Pacer;
use super::dialogue::{State, Waiting};
use super::env::QUEUE;
use super::slab::{List, NIL};
use crate::envelope::Place;

impl<T: Copy> Pacer<T> {
    /// Panics unless every conversation is in the one list that its state names, at the class and lane of
    /// its head, and every count is that of what it counts. O(everything).
    #[doc(hidden)]
    pub fn assert_invariants(&mut self) {
        let mut pending = vec![[0u32; 4]; self.lanes.len()];
        let (mut dialogues, mut envelopes) = (0usize, 0usize);
        for lane in 0..self.lanes.len() {
            for class in 0..4 {
                let mut here = self.assert_calendar(lane, class);
                here.extend(self.walk(self.lanes[lane].held[class], State::Held));
                for d in here {
                    let node = &self.dialogues.nodes[d];
                    assert_eq!((node.lane.index(), node.class as usize), (lane, class), "in a wrong list");
                    assert_eq!(
                        node.class,
                        node.waiting.highest(),
                        "not at the class of its highest envelope"
                    );
                    assert_eq!(self.envs[node.queue.head].lane, node.lane, "its head is counted elsewhere");
                }
                let mut e = self.lanes[lane].calls[class].head;
                while e != NIL {
                    assert_eq!(self.envs[e].lane.index(), lane);
                    e = List::<QUEUE>::after(&mut self.envs, e);
                }
            }
        }
        self.assert_ahead();
        self.walk(self.dialogues.cooling, State::Cooling);
        for d in self.dialogues.live() {
            dialogues += 1;
            let (state, mut e) = (self.dialogues.nodes[d].state, self.dialogues.nodes[d].queue.head);
            assert_ne!(state, State::Loose, "nobody would ever look at it again");
            assert_eq!(state == State::Cooling, e == NIL, "empty if and only if it cools down");
            assert_eq!(state == State::Parked, self.dialogues.nodes[d].timer.is_set());
            let mut waiting = Waiting::default();
            while e != NIL {
                waiting.add(self.envs[e].class);
                let flies = state == State::Flying && e == self.dialogues.nodes[d].queue.head;
                if !flies {
                    pending[self.envs[e].lane.index()][self.envs[e].class as usize] += 1;
                }
                assert_eq!(self.envs[e].dialogue, d);
                envelopes += 1;
                e = List::<QUEUE>::after(&mut self.envs, e);
            }
            assert_eq!(waiting, self.dialogues.nodes[d].waiting);
        }
        assert_eq!(dialogues, self.dialogues.nodes.len(), "a conversation was lost");
        let flying = self.flying().len();
        assert_eq!(self.in_flight(), flying, "a flight was lost");
        let counted: usize = self.lanes.iter().flat_map(|lane| lane.pending).map(|n| n as usize).sum();
        assert_eq!(counted + flying, self.envs.len(), "an envelope was lost");
        assert!(envelopes <= self.envs.len(), "an envelope is in two places");
        for (lane, messages) in self.lanes.iter().zip(&pending) {
            for (counted, messages) in lane.pending.iter().zip(messages) {
                assert!(counted >= messages, "more waits than is counted");
            }
        }
        let bound = self.config.max_pending.saturating_add(self.config.urgent_reserve);
        assert!(self.envs.len() <= bound, "over the memory bound");
    }

    /// What waits ahead is counted at its lane, and what flies ahead keeps its dialogue and is alone in it.
    fn assert_ahead(&mut self) {
        for lane in 0..self.lanes.len() {
            let mut e = self.lanes[lane].ahead.head;
            while e != NIL {
                let env = &self.envs[e];
                assert_eq!((env.lane.index(), env.stance.place(), env.dialogue), (lane, Place::Ahead, NIL));
                e = List::<QUEUE>::after(&mut self.envs, e);
            }
        }
        let ahead = self.flying().into_iter().filter(|e| self.envs[*e].stance.place() == Place::Ahead);
        let mut passed: Vec<u32> = ahead.map(|e| self.envs[e].dialogue).collect();
        let live = self.dialogues.live().into_iter();
        let mut passing: Vec<u32> = live.filter(|d| self.dialogues.nodes[*d].passing).collect();
        passed.sort_unstable();
        passing.sort_unstable();
        assert_eq!(passed, passing, "a message ahead lost its dialogue, or has company");
    }

    /// The envelopes that keep the mark of a flight.
    fn flying(&mut self) -> Vec<u32> {
        (0..).zip(self.envs.all_mut()).filter(|(_, env)| env.age.kept() != NIL).map(|(e, _)| e).collect()
    }

    /// The dialogues of a list, each of which must be in this state.
    fn walk(&mut self, list: List<0>, state: State) -> Vec<u32> {
        let (mut found, mut d) = (Vec::new(), list.head);
        while d != NIL {
            assert_eq!(self.dialogues.nodes[d].state, state);
            found.push(d);
            d = List::<0>::after(&mut self.dialogues.nodes, d);
        }
        assert_eq!(found.last().copied().unwrap_or(NIL), list.tail, "a list ends elsewhere");
        found
    }

    /// The ready dialogues of a lane and class, each of which must stand in the tick of its turn.
    fn assert_calendar(&mut self, lane: usize, class: usize) -> Vec<u32> {
        let calendar = &self.lanes[lane].ready[class];
        let (len, head) = (calendar.len() as usize, calendar.head());
        let ticks: Vec<_> = calendar.lists().collect();
        assert!(ticks.first().is_none_or(|(_, _, len)| *len > 0), "the first tick is empty");
        let mut found = Vec::new();
        for (turn, list, len) in ticks {
            let here = self.walk(list, State::Ready);
            assert_eq!(here.len(), len as usize, "a tick and its length disagree");
            assert!(
                here.iter().all(|d| self.dialogues.nodes[*d].turn == turn),
                "not in the tick of its turn"
            );
            found.extend(here);
        }
        assert_eq!(self.lanes[lane].has_ready(class), len > 0, "a lane does not know who waits");
        assert_eq!(found.len(), len, "a calendar and its length disagree");
        assert_eq!(found.first().copied().unwrap_or(NIL), head, "not the first is next");
        found
    }
}
