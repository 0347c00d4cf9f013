//! What comes in: `enqueue`, and what makes room for it.

use super::dialogue::{Dialogue, State, Waiting};
use super::env::{Deadline, Env, Via};
use super::index::Vacant;
use super::reach::{Reach, ReachMode};
use super::route::Way;
use super::slab::{Links, NIL};
use super::{Full, Pacer, Parcel};
use crate::envelope::{Class, DropReason, Place, Route};
use crate::id::LaneIx;
use crate::time::Nanos;

/// The shedding rule has no room for it, or its conversation has not.
pub(super) struct NoRoom;

impl<T: Copy> Pacer<T> {
    /// Takes an envelope in. It leaves through [`Pacer::poll_dispatch`], or ends in [`Pacer::poll_dropped`].
    /// O(1), one hash look-up.
    ///
    /// # Errors
    /// [`Full`] with the parcel, if the shedding rule gives it no room or its conversation is at its bound;
    /// nothing was shed for it then.
    pub fn enqueue(&mut self, now: Nanos, parcel: Parcel<T>) -> Result<(), Full<T>> {
        self.now = self.now.max(now);
        let taken = match (self.enqueue_lane(&parcel), parcel.place) {
            (Some(lane), Place::InOrder) => self.enqueue_message(&parcel, lane),
            (Some(lane), Place::Call) => self.enqueue_call(&parcel, lane),
            (Some(_), Place::Ahead) => self.enqueue_ahead(&parcel),
            // Pinned to a lane that never was: it ends as one whose bot is gone.
            (None, _) => self.admit(&parcel).map(|()| self.end_at_once(&parcel, DropReason::LaneGone)),
        };
        taken.map_err(|NoRoom| self.refuse(parcel))
    }

    /// Ends a parcel that never waits.
    pub(super) fn end_at_once(&mut self, parcel: &Parcel<T>, reason: DropReason) {
        self.dropped.push_back((parcel.handle, parcel.id, reason));
        self.counters.dropped[reason as usize] += 1;
    }

    /// The lane it is counted at until it is settled: for a message a guess, for a call its lane.
    #[inline]
    fn enqueue_lane(&self, parcel: &Parcel<T>) -> Option<LaneIx> {
        let lane = match parcel.route {
            Route::Pinned(lane) => lane,
            Route::Home if parcel.arrived_on.index() < self.lanes.len() => parcel.arrived_on,
            Route::Home => self.homes.of(parcel.conversation.user),
        };
        (lane.index() < self.lanes.len()).then_some(lane)
    }

    #[inline]
    fn enqueue_message(&mut self, parcel: &Parcel<T>, lane: LaneIx) -> Result<(), NoRoom> {
        // One may be made below, so one that is full goes: as many as come in are forgotten.
        self.dialogues.forget_full(self.now, 1);
        match self.dialogues.search(parcel.conversation) {
            Err(vacant) if self.envs.len() < self.config.max_pending && self.starts_ready(parcel) => {
                self.start(parcel, lane, vacant);
                Ok(())
            }
            _ => self.enqueue_behind(parcel, lane),
        }
    }

    /// Whether nothing but its lane could hold back a message whose conversation is not known: no announced
    /// wait, no group, no spent bucket, no bound, no deadline.
    #[inline]
    fn starts_ready(&self, parcel: &Parcel<T>) -> bool {
        let free = parcel.chat.0 >= 0 && self.config.chat.peek(self.unseen, self.now).is_ok();
        free && self.freezes.is_empty() && parcel.deadline.is_none() && self.config.max_per_conversation > 0
    }

    /// The first message of a conversation, if its lane is up: what [`Pacer::settle`] would do, without looking
    /// anything up twice.
    #[inline]
    fn start(&mut self, parcel: &Parcel<T>, guess: LaneIx, vacant: Vacant) {
        let user = parcel.conversation.user;
        let reach = self.reach_at_arrival(parcel, self.reach.get(user));
        let class = parcel.class;
        let way = self.way(Via::new(parcel.route, parcel.arrived_on), user, reach);
        let mut node = Dialogue::new(parcel.conversation, self.unseen, reach);
        node.waiting.add(class);
        let Way::Up(l) = way else {
            let d = self.dialogues.insert(vacant, node);
            let e = self.insert_env(parcel, guess, d);
            self.dialogues.nodes[d].queue.push_back(&mut self.envs, e);
            return self.settle(d, self.now, Nanos::ZERO);
        };
        let d = self.dialogues.next_number();
        let e = self.insert_env(parcel, l, d);
        node.queue.push_back(&mut self.envs, e);
        (node.lane, node.class, node.state) = (l, class, State::Ready);
        node.turn = self.clock.tick(self.now);
        self.dialogues.insert(vacant, node);
        let lane = &mut self.lanes[l.index()];
        lane.insert_ready(class, &mut self.dialogues.nodes, d);
        if !lane.sleeps {
            self.active.insert(l);
        }
    }

    /// A message of a conversation that is known, or that something may hold back.
    fn enqueue_behind(&mut self, parcel: &Parcel<T>, lane: LaneIx) -> Result<(), NoRoom> {
        let now = self.now;
        let mut d = self.dialogue_of(parcel);
        let crowded = self.dialogues.nodes[d].waiting.total() >= u32::from(self.config.max_per_conversation);
        let full = self.envs.len() >= self.config.max_pending;
        if crowded || (full && self.make_room(parcel).is_err()) {
            self.retire_if_loose(d, now);
            return Err(NoRoom);
        }
        if full {
            // Making room may have ended it, if its only envelope was the one to go.
            d = self.dialogue_of(parcel);
        }
        let reach = self.dialogues.nodes[d].reach;
        self.dialogues.nodes[d].reach = self.reach_at_arrival(parcel, reach);
        let e = self.insert_env(parcel, lane, d);
        let node = &mut self.dialogues.nodes[d];
        let (state, before) = (node.state, node.waiting);
        node.queue.push_back(&mut self.envs, e);
        node.waiting.add(parcel.class);
        if state == State::Loose {
            self.settle(d, now, Nanos::ZERO);
        } else {
            self.join_others(d, parcel.class, before);
        }
        Ok(())
    }

    /// What follows from a message of `class` behind those counted in `before`.
    fn join_others(&mut self, d: u32, class: Class, before: Waiting) {
        let state = self.dialogues.nodes[d].state;
        // Something waits before it, and in a lower class.
        let raises = before.total() > u32::from(state == State::Flying) && class < before.highest();
        match state {
            State::Cooling => {
                self.unlink(d);
                self.settle(d, self.now, Nanos::ZERO);
            }
            State::Ready | State::Held if raises => self.raise(d, class),
            _ if raises => self.turn_from_now(d),
            _ => {}
        }
    }

    #[inline]
    fn dialogue_of(&mut self, parcel: &Parcel<T>) -> u32 {
        let (reach, unseen, user) = (&self.reach, self.unseen, parcel.conversation.user);
        self.dialogues.find_or_insert(parcel.conversation, || (unseen, reach.get(user)))
    }

    /// Calls have their lane at once and keep it: nearly all of them are bound to a token anyway.
    fn enqueue_call(&mut self, parcel: &Parcel<T>, lane: LaneIx) -> Result<(), NoRoom> {
        self.admit(parcel)?;
        let e = self.insert_env(parcel, lane, NIL);
        self.lanes[lane.index()].calls[parcel.class as usize].push_back(&mut self.envs, e);
        self.active.insert(lane);
        Ok(())
    }

    /// An update on his home lane proves that it reaches him. The engine makes it durable, since it saw
    /// the update; here it saves a try.
    #[inline]
    fn reach_at_arrival(&mut self, parcel: &Parcel<T>, known: Reach) -> Reach {
        let user = parcel.conversation.user;
        let is_news = self.config.reach != ReachMode::All && known != Reach::Reached;
        if !is_news || self.homes.of(user) != parcel.arrived_on {
            return known;
        }
        self.reach.set(user, Reach::Reached);
        Reach::Reached
    }

    #[inline]
    pub(super) fn insert_env(&mut self, parcel: &Parcel<T>, lane: LaneIx, dialogue: u32) -> u32 {
        let class = parcel.class;
        let lasts = class == Class::Urgent && parcel.place != Place::Ahead;
        let deadline = if lasts { None } else { parcel.deadline };
        let e = self.envs.insert(Env {
            id: parcel.id,
            user: parcel.conversation.user,
            chat: parcel.chat,
            deadline: Deadline::new(deadline, self.start),
            queue: Links::default(),
            age: Links::default(),
            dialogue,
            handle: parcel.handle,
            arrived: self.clock.tick(self.now),
            via: Via::new(parcel.route, parcel.arrived_on),
            lane,
            kind: parcel.conversation.kind,
            class,
            place: parcel.place,
            attempts: 0,
        });
        self.counters.enqueued += 1;
        self.lanes[lane.index()].pending[class as usize] += 1;
        if self.may_be_shed(class) {
            self.ages[class as usize].push_back(&mut self.envs, e);
        }
        e
    }

    /// Counts an envelope that comes back from a flight as waiting.
    pub(super) fn count_in_again(&mut self, e: u32) {
        let (lane, class) = (self.envs[e].lane, self.envs[e].class);
        self.lanes[lane.index()].pending[class as usize] += 1;
        if self.may_be_shed(class) {
            self.ages[class as usize].push_front(&mut self.envs, e);
        }
    }

    /// Counts it out: it is in flight, or ended.
    #[inline]
    pub(super) fn count_out(&mut self, e: u32) {
        let (lane, class) = (self.envs[e].lane, self.envs[e].class);
        self.lanes[lane.index()].pending[class as usize] -= 1;
        self.forget_age(e);
    }

    /// From now on nothing sheds it.
    #[inline]
    pub(super) fn forget_age(&mut self, e: u32) {
        let env = &self.envs[e];
        if env.age.is_linked() {
            self.ages[env.class as usize].remove(&mut self.envs, e);
        }
    }

    const fn may_be_shed(&self, class: Class) -> bool {
        match class {
            Class::Urgent => false,
            Class::Reply => self.config.shed_replies,
            Class::Relay | Class::Bulk => true,
        }
    }

    /// Makes room for one more, or says that there is none.
    #[inline]
    fn admit(&mut self, parcel: &Parcel<T>) -> Result<(), NoRoom> {
        if self.envs.len() < self.config.max_pending {
            return Ok(());
        }
        self.make_room(parcel)
    }

    #[cold]
    fn make_room(&mut self, parcel: &Parcel<T>) -> Result<(), NoRoom> {
        let lower = (parcel.class as usize + 1..4).rev();
        let victim = lower.map(|class| self.ages[class].tail).find(|victim| *victim != NIL);
        if let Some(victim) = victim {
            // Its own conversation's bound was checked before; a victim of the same one is in order too.
            self.shed(victim);
            return Ok(());
        }
        let reserve = if parcel.class == Class::Urgent { self.config.urgent_reserve } else { 0 };
        if self.envs.len() < self.config.max_pending.saturating_add(reserve) { Ok(()) } else { Err(NoRoom) }
    }

    /// Drops a waiting envelope wherever it stands.
    fn shed(&mut self, e: u32) {
        let (d, class, lane) = (self.envs[e].dialogue, self.envs[e].class, self.envs[e].lane);
        if d == NIL {
            let lane = &mut self.lanes[lane.index()];
            let list = match self.envs[e].place {
                Place::Ahead => &mut lane.ahead,
                Place::InOrder | Place::Call => &mut lane.calls[class as usize],
            };
            list.remove(&mut self.envs, e);
            self.drop_env(e, DropReason::Shed);
            return;
        }
        let was_head = self.dialogues.nodes[d].queue.head == e;
        self.leave_queue(d, e);
        self.drop_env(e, DropReason::Shed);
        let node = &self.dialogues.nodes[d];
        if node.state == State::Flying || node.state == State::Loose {
            return;
        }
        if was_head || node.waiting.highest() != node.class {
            self.unlink(d);
            self.settle(d, self.now, Nanos::ZERO);
        }
    }

    /// Takes an envelope out of its dialogue's queue.
    pub(super) fn leave_queue(&mut self, d: u32, e: u32) {
        let class = self.envs[e].class;
        let node = &mut self.dialogues.nodes[d];
        node.queue.remove(&mut self.envs, e);
        node.waiting.remove(class);
    }

    /// Ends an envelope that waits and is in no queue any more.
    pub(super) fn drop_env(&mut self, e: u32, reason: DropReason) {
        self.count_out(e);
        self.dropped.push_back((self.envs[e].handle, self.envs[e].id, reason));
        self.counters.dropped[reason as usize] += 1;
        self.envs.remove(e);
    }

    #[cold]
    pub(super) fn refuse(&mut self, parcel: Parcel<T>) -> Full<T> {
        self.counters.refused_full += 1;
        Full(parcel)
    }
}
