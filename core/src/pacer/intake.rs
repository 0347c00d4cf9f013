//! What comes in: `enqueue`, and what makes room for it.

use super::dialogue::State;
use super::env::{Deadline, Env, Via};
use super::reach::{Reach, ReachMode};
use super::slab::{Links, NIL};
use super::{Full, Pacer, Parcel};
use crate::envelope::{Class, DropReason, Place, Route};
use crate::id::LaneIx;
use crate::time::Nanos;

impl<T: Copy> Pacer<T> {
    /// Takes an envelope in. It leaves through [`Pacer::poll_dispatch`], or ends in [`Pacer::poll_dropped`].
    /// O(1), one hash look-up.
    ///
    /// # Errors
    /// [`Full`] with the parcel, if the shedding rule gives it no room or its conversation is at its bound;
    /// nothing was shed for it then.
    pub fn enqueue(&mut self, now: Nanos, parcel: Parcel<T>) -> Result<(), Full<T>> {
        self.now = self.now.max(now);
        let Some(lane) = self.enqueue_lane(&parcel) else {
            self.admit(&parcel).map_err(|()| self.refuse(parcel))?;
            // Pinned to a lane that never was: it ends as one whose bot is gone.
            self.end_at_once(&parcel, DropReason::LaneGone);
            return Ok(());
        };
        match parcel.place {
            Place::InOrder => self.enqueue_message(parcel, lane),
            Place::Ahead => self.enqueue_ahead(parcel),
            Place::Call => self.enqueue_call(parcel, lane),
        }
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

    fn enqueue_message(&mut self, parcel: Parcel<T>, lane: LaneIx) -> Result<(), Full<T>> {
        let now = self.now;
        // One may be made below, so one that is full goes: as many as come in are forgotten.
        self.dialogues.forget_full(now, 1);
        let mut d = self.dialogue_of(&parcel);
        let crowded = self.dialogues.nodes[d].pending() >= u32::from(self.config.max_per_conversation);
        let full = self.envs.len() >= self.config.max_pending;
        if crowded || (full && self.make_room(&parcel).is_err()) {
            self.retire_if_loose(d, now);
            return Err(self.refuse(parcel));
        }
        if full {
            // Making room may have ended it, if its only envelope was the one to go.
            d = self.dialogue_of(&parcel);
        }
        self.learn_from_arrival(d, &parcel);
        let e = self.insert_env(&parcel, lane, d);
        let node = &mut self.dialogues.nodes[d];
        // Something waits before it, and in a lower class.
        let raises = node.pending() > u32::from(node.state == State::Flying) && parcel.class < node.highest();
        node.queue.push_back(&mut self.envs, e);
        node.waiting[parcel.class as usize] += 1;
        match node.state {
            State::Loose => self.settle(d, now, Nanos::ZERO),
            State::Cooling => {
                self.unlink(d);
                self.settle(d, now, Nanos::ZERO);
            }
            State::Ready | State::Held if raises => self.raise(d, parcel.class),
            _ if raises => self.turn_from_now(d),
            _ => {}
        }
        Ok(())
    }

    #[inline]
    fn dialogue_of(&mut self, parcel: &Parcel<T>) -> u32 {
        let (reach, unseen, user) = (&self.reach, self.unseen, parcel.conversation.user);
        self.dialogues.find_or_insert(parcel.conversation, || (unseen, reach.get(user)))
    }

    /// Calls have their lane at once and keep it: nearly all of them are bound to a token anyway.
    fn enqueue_call(&mut self, parcel: Parcel<T>, lane: LaneIx) -> Result<(), Full<T>> {
        self.admit(&parcel).map_err(|()| self.refuse(parcel))?;
        let e = self.insert_env(&parcel, lane, NIL);
        self.lanes[lane.index()].calls[parcel.class as usize].push_back(&mut self.envs, e);
        self.active.insert(lane);
        Ok(())
    }

    /// An update on his home lane proves that it reaches him. The engine makes it durable, since it saw
    /// the update; here it saves a try.
    #[inline]
    fn learn_from_arrival(&mut self, d: u32, parcel: &Parcel<T>) {
        if self.config.reach == ReachMode::All || self.dialogues.nodes[d].reach == Reach::Reached {
            return;
        }
        let user = parcel.conversation.user;
        if self.homes.of(user) == parcel.arrived_on {
            self.dialogues.nodes[d].reach = Reach::Reached;
            self.reach.set(user, Reach::Reached);
        }
    }

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
        self.count_in(e, false);
        self.counters.enqueued += 1;
        e
    }

    /// Counts an envelope as waiting; `again` if it comes back from a flight.
    #[inline]
    pub(super) fn count_in(&mut self, e: u32, again: bool) {
        let (lane, class) = (self.envs[e].lane, self.envs[e].class);
        self.lanes[lane.index()].pending[class as usize] += 1;
        if !self.may_be_shed(class) {
            return;
        }
        if again {
            self.ages[class as usize].push_front(&mut self.envs, e);
        } else {
            self.ages[class as usize].push_back(&mut self.envs, e);
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
    fn admit(&mut self, parcel: &Parcel<T>) -> Result<(), ()> {
        if self.envs.len() < self.config.max_pending {
            return Ok(());
        }
        self.make_room(parcel)
    }

    #[cold]
    fn make_room(&mut self, parcel: &Parcel<T>) -> Result<(), ()> {
        let lower = (parcel.class as usize + 1..4).rev();
        let victim = lower.map(|class| self.ages[class].tail).find(|victim| *victim != NIL);
        if let Some(victim) = victim {
            // Its own conversation's bound was checked before; a victim of the same one is in order too.
            self.shed(victim);
            return Ok(());
        }
        let reserve = if parcel.class == Class::Urgent { self.config.urgent_reserve } else { 0 };
        if self.envs.len() < self.config.max_pending.saturating_add(reserve) { Ok(()) } else { Err(()) }
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
        if was_head || node.highest() != node.class {
            self.unlink(d);
            self.settle(d, self.now, Nanos::ZERO);
        }
    }

    /// Takes an envelope out of its dialogue's queue.
    pub(super) fn leave_queue(&mut self, d: u32, e: u32) {
        let class = self.envs[e].class;
        let node = &mut self.dialogues.nodes[d];
        node.queue.remove(&mut self.envs, e);
        node.waiting[class as usize] -= 1;
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
