//! What leaves now.
//!
//! What lives here: `poll_dispatch`, which asks the lanes in turn, and what a lane does when the gate lets
//! something through or says that the lane is down.

use super::calendar::Calendar;
use super::dialogue::State;
use super::env::Env;
use super::health::LaneHealth;
use super::lane::{Gate, Lane};
use super::route::{CALL, DIALOGUE, GROUP, LANE, NUMBER};
use super::slab::{Links, NIL};
use super::{Dispatch, FlightId, Mark, Pacer};
use crate::envelope::{Class, DropReason};
use crate::id::LaneIx;
use crate::time::Nanos;
use crate::wheel::TimerId;

/// Notes an envelope that nothing can shed any more as under way through its lane, with the next number.
#[inline(always)]
fn fly<T: Copy>(
    number: &mut u32,
    (e, env): (u32, &mut Env<T>),
    (l, lane): (LaneIx, &mut Lane),
    turn: Class,
) -> Dispatch<T> {
    debug_assert_eq!(env.lane, l, "what leaves is counted at its lane");
    lane.pending[env.class as usize] -= 1;
    lane.in_flight += 1;
    let tries = env.dialogue != NIL && env.via.arrived_on().is_some_and(|arrived| arrived != l);
    let vouches = lane.refused.is_none_or(|(chat, _)| chat != env.chat);
    let mark = Mark::new(*number, turn, vouches, tries);
    *number = if *number + 1 == Mark::NUMBERS { 0 } else { *number + 1 };
    env.age = Links::keeping(mark.0);
    Dispatch {
        flight: FlightId(u64::from(mark.0) << 32 | u64::from(e)),
        lane: l,
        conversation: env.conversation(),
        chat: env.chat,
        class: env.class,
        turn,
        id: env.id,
        handle: env.handle,
        attempt: env.attempts,
    }
}

impl<T: Copy> Pacer<T> {
    /// The next send that may leave at `now`; `None` when nothing more may. Lanes take turns. Amortized
    /// O(1) in what is pending: each call handles the timers that are due, and every envelope and
    /// conversation it passes over is moved to where it will not be met again.
    pub fn poll_dispatch(&mut self, now: Nanos) -> Option<Dispatch<T>> {
        self.now = self.now.max(now);
        let now = self.now;
        while let Some(key) = self.wheel.pop_due(now) {
            self.timer_fired(key, now);
        }
        while let Some(lane) = self.active.next() {
            if let Some(dispatch) = self.ask(lane, now) {
                self.active.had_turn(lane);
                return Some(dispatch);
            }
        }
        (0..64).all(|_| self.dialogues.forget_full(now));
        None
    }

    fn timer_fired(&mut self, key: u32, now: Nanos) {
        let number = key & NUMBER;
        match key & !NUMBER {
            DIALOGUE => {
                let node = &mut self.dialogues.nodes[number];
                (node.state, node.timer) = (State::Loose, TimerId::NONE);
                self.settle(number, now, Nanos::ZERO);
            }
            LANE => {
                let lane = &mut self.lanes[number as usize];
                (lane.timer, lane.timer_at) = (TimerId::NONE, Nanos::NEVER);
                self.active.insert(LaneIx(number as u16));
            }
            GROUP => {
                self.groups.nodes[number].timer = TimerId::NONE;
                self.pump(number, now);
            }
            _ => self.requeue_call(number, now, Nanos::ZERO),
        }
    }

    /// Lets the lane send one thing, or finds out why it cannot; then it is not asked again before that
    /// has changed.
    #[inline]
    fn ask(&mut self, l: LaneIx, now: Nanos) -> Option<Dispatch<T>> {
        if let Some(class) = self.lanes[l.index()].grants(&self.config, now) {
            return self.dispatch_message(l, class, now);
        }
        self.ask_gate(l, now)
    }

    #[inline(never)]
    fn ask_gate(&mut self, l: LaneIx, now: Nanos) -> Option<Dispatch<T>> {
        self.half_open(l, now);
        self.sweep_ahead(l, now);
        match self.lanes[l.index()].gate(&self.config, now) {
            Gate::Message(class) => self.dispatch_message(l, class, now),
            Gate::Ahead => self.dispatch_ahead(l, now),
            Gate::Call(class) => self.dispatch_call(l, class, now),
            Gate::Evacuate => {
                self.evacuate_one(l, now);
                None
            }
            Gate::Shut(until) => {
                self.active.remove(l);
                self.wake_lane(l, until);
                None
            }
        }
    }

    /// An open lane whose time is over takes one send, to find out.
    #[inline]
    fn half_open(&mut self, l: LaneIx, now: Nanos) {
        let lane = &mut self.lanes[l.index()];
        if let LaneHealth::Open(until) = lane.health.state
            && until.max(lane.frozen_until) <= now
        {
            lane.health.state = LaneHealth::HalfOpen;
            self.release_held(l);
        }
    }

    /// Sets the lane's timer to `at`, if that is not what it is set to.
    #[inline]
    pub(super) fn wake_lane(&mut self, l: LaneIx, at: Nanos) {
        let lane = &mut self.lanes[l.index()];
        if lane.timer_at == at {
            return;
        }
        self.wheel.cancel(lane.timer);
        (lane.timer, lane.timer_at) = (TimerId::NONE, at);
        if at != Nanos::NEVER {
            lane.timer = self.wheel.insert(at, LANE | u32::from(l.0));
        }
    }

    #[inline(always)]
    fn dispatch_message(&mut self, l: LaneIx, turn: Class, now: Nanos) -> Option<Dispatch<T>> {
        let Self { lanes, dialogues, envs, .. } = self;
        let lane = &mut lanes[l.index()];
        let d = lane.pop_ready(turn, &mut dialogues.nodes);
        let node = &mut dialogues.nodes[d];
        let e = node.queue.head;
        let env = &mut envs[e];
        // What changed since it became ready: its time ran out, or its chat was told to wait.
        if env.deadline.is_over(self.start, now) || self.freezes.until(l, env.chat, now) > now {
            node.state = State::Loose;
            self.settle(d, now, Nanos::ZERO);
            return None;
        }
        if env.stance.is_album() {
            return self.dispatch_album(l, turn, d, now);
        }
        node.state = State::Flying;
        lane.take(turn, now);
        if env.age.is_linked() {
            return Some(self.depart(e, l, turn));
        }
        self.counters.dispatched[turn as usize] += 1;
        Some(fly(&mut self.flight, (e, env), (l, lane), turn))
    }

    fn dispatch_call(&mut self, l: LaneIx, class: Class, now: Nanos) -> Option<Dispatch<T>> {
        let e = self.lanes[l.index()].calls[class as usize].head;
        let env = &self.envs[e];
        let (chat, stale) = (env.chat, env.deadline.is_over(self.start, now));
        self.lanes[l.index()].calls[class as usize].remove(&mut self.envs, e);
        if stale {
            self.drop_env(e, DropReason::Stale);
            return None;
        }
        // Urgent calls (the answer to a pre-checkout) name no chat, so no chat's wait concerns them.
        let until = if class == Class::Urgent { now } else { self.freezes.until(l, chat, now) };
        if until > now {
            self.requeue_call(e, now, until);
            return None;
        }
        let lane = &mut self.lanes[l.index()];
        lane.calls_tat = self.config.calls.taken(lane.calls_tat, now);
        Some(self.depart(e, l, class))
    }

    /// Notes an envelope as under way.
    pub(super) fn depart(&mut self, e: u32, l: LaneIx, turn: Class) -> Dispatch<T> {
        self.forget_age(e);
        self.counters.dispatched[turn as usize] += 1;
        fly(&mut self.flight, (e, &mut self.envs[e]), (l, &mut self.lanes[l.index()]), turn)
    }

    /// Puts a call back into its lane, or onto the wheel until `not_before`.
    pub(super) fn requeue_call(&mut self, e: u32, now: Nanos, not_before: Nanos) {
        let (lane, class) = (self.envs[e].lane, self.envs[e].class);
        if not_before > now {
            // On the wheel it is in no list that shedding could take it from.
            self.forget_age(e);
            self.wheel.insert(not_before, CALL | e);
            return;
        }
        self.lanes[lane.index()].calls[class as usize].push_front(&mut self.envs, e);
        self.active.insert(lane);
    }

    /// Lets one thing that sits in a lane that is down look for another way.
    fn evacuate_one(&mut self, l: LaneIx, now: Nanos) {
        let lane = &self.lanes[l.index()];
        let ready = lane.ready.iter().map(Calendar::head).find(|head| *head != NIL);
        if let Some(d) = ready {
            self.unlink(d);
            self.settle(d, now, Nanos::ZERO);
            return;
        }
        for class in 0..4 {
            if let Some(e) = self.lanes[l.index()].calls[class].pop_front(&mut self.envs) {
                self.drop_env(e, DropReason::LaneGone);
                return;
            }
        }
    }

    /// What was held for a lane is ready again, or is to look for another way.
    pub(super) fn release_held(&mut self, l: LaneIx) {
        for class in 0..4 {
            while let Some(d) = self.lanes[l.index()].held[class].pop_front(&mut self.dialogues.nodes) {
                self.link_ready(d);
            }
        }
        self.active.insert(l);
    }
}
