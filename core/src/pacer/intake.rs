//! What comes in: `enqueue`, and what makes room for it.

use super::dialogue::{Dialogue, State, Waiting};
use super::env::{Deadline, Env, Stance, Via};
use super::health::LaneHealth;
use super::lane::Lane;
use super::reach::{Reach, ReachMode};
use super::slab::{Links, List, NIL, Slab};
use super::{Full, Pacer, Parcel};
use crate::envelope::{Class, DropReason, Place, Route};
use crate::id::LaneIx;
use crate::time::Nanos;

/// The shedding rule has no room for it, or its conversation has not.
pub(super) struct NoRoom;

/// Builds a parcel's envelope in its place, for a lane and a dialogue, as of a tick; gives its number.
#[inline(always)]
fn place_env<T: Copy>(
    envs: &mut Slab<Env<T>>,
    parcel: &Parcel<T>,
    (lane, dialogue): (LaneIx, u32),
    (queue, stance): (Links, Stance),
    (arrived, deadline): (u32, Deadline),
) -> u32 {
    let (e, place) = envs.reserve(|| Env::blank(parcel.handle));
    *place = Env {
        id: parcel.id,
        user: parcel.conversation.user,
        chat: parcel.chat,
        queue,
        age: Links::default(),
        dialogue,
        handle: parcel.handle,
        deadline,
        arrived,
        via: Via::new(parcel.route, parcel.arrived_on),
        lane,
        kind: parcel.conversation.kind,
        class: parcel.class,
        stance,
        attempts: 0,
    };
    e
}

impl<T: Copy> Pacer<T> {
    /// Takes an envelope in. It leaves through [`Pacer::poll_dispatch`], or ends in [`Pacer::poll_dropped`].
    /// O(1), one hash look-up.
    ///
    /// # Errors
    /// [`Full`] with the parcel, if the shedding rule gives it no room or its conversation is at its bound;
    /// nothing was shed for it then.
    pub fn enqueue(&mut self, now: Nanos, parcel: Parcel<T>) -> Result<(), Full<T>> {
        self.now = self.now.max(now);
        if parcel.place == Place::InOrder {
            // One may be made below, so one that is full goes: as many as come in are forgotten.
            self.dialogues.forget_full(self.now);
            if self.starts(&parcel) {
                return Ok(());
            }
        }
        self.enqueue_slowly(parcel)
    }

    /// Takes in what [`Pacer::starts`] leaves alone.
    #[inline(never)]
    fn enqueue_slowly(&mut self, parcel: Parcel<T>) -> Result<(), Full<T>> {
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

    /// Takes in the first message of a conversation, if nothing but the window of its home lane can hold it back:
    /// no announced wait, no group, no spent bucket, no bound, no deadline, no lane that is down, and no album. It
    /// does then what [`Pacer::settle`] would do, without looking anything up twice. `false`: nothing was done.
    #[inline(always)]
    fn starts(&mut self, parcel: &Parcel<T>) -> bool {
        let (now, user, class) = (self.now, parcel.conversation.user, parcel.class);
        if parcel.chat.0 < 0 || parcel.route != Route::Home || parcel.deadline.is_some() || parcel.more > 0 {
            return false;
        }
        if !self.freezes.is_empty() || self.config.chat.peek(self.unseen, now).is_err() {
            return false;
        }
        if self.envs.len() >= self.config.max_pending || self.config.max_per_conversation == 0 {
            return false;
        }
        let Err(vacant) = self.dialogues.search(parcel.conversation) else { return false };
        let home = self.homes.of(user);
        let known = self.reach.get(user);
        let reached = known == Reach::Unknown && self.config.reach == ReachMode::All;
        let trusted = reached || known == Reach::Reached || home == parcel.arrived_on;
        let closed = |lane: &Lane| trusted && lane.health.state == LaneHealth::Closed;
        if !self.lanes.get(home.index()).is_some_and(closed) {
            return false;
        }
        let reach = self.reach_at_arrival(parcel, known);
        let tick = self.clock.tick(now);
        let mut waiting = Waiting::default();
        waiting.add(class);
        let node = Dialogue {
            waiting,
            turn: tick,
            lane: home,
            class,
            state: State::Ready,
            ..Dialogue::new(parcel.conversation, self.unseen, reach)
        };
        let d = self.dialogues.insert(vacant, node);
        let queue = (Links::alone(), Stance::PLAIN);
        let e = place_env(&mut self.envs, parcel, (home, d), queue, (tick, Deadline::NONE));
        let lane = &mut self.lanes[home.index()];
        lane.insert_ready(class, &mut self.dialogues.nodes, d).queue = List::of_one(e);
        if !lane.sleeps {
            self.active.insert(home);
        }
        self.count_in(e, home, class);
        true
    }

    /// A message of a conversation that is known, or that something may hold back.
    fn enqueue_message(&mut self, parcel: &Parcel<T>, lane: LaneIx) -> Result<(), NoRoom> {
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
    #[inline(always)]
    fn reach_at_arrival(&mut self, parcel: &Parcel<T>, known: Reach) -> Reach {
        let user = parcel.conversation.user;
        let is_news = self.config.reach != ReachMode::All && known != Reach::Reached;
        if !is_news || self.homes.of(user) != parcel.arrived_on {
            return known;
        }
        self.reach.set(user, Reach::Reached);
        Reach::Reached
    }

    pub(super) fn insert_env(&mut self, parcel: &Parcel<T>, lane: LaneIx, dialogue: u32) -> u32 {
        let lasts = parcel.class == Class::Urgent && parcel.place != Place::Ahead;
        let deadline = Deadline::new(if lasts { None } else { parcel.deadline }, self.start);
        // A call is no message, and what passes others makes one.
        let more = if parcel.place == Place::InOrder { parcel.more } else { 0 };
        let queue = (Links::default(), Stance::new(parcel.place, more));
        let tick = self.clock.tick(self.now);
        let e = place_env(&mut self.envs, parcel, (lane, dialogue), queue, (tick, deadline));
        self.count_in(e, lane, parcel.class);
        e
    }

    /// Counts a new one in.
    #[inline(always)]
    fn count_in(&mut self, e: u32, lane: LaneIx, class: Class) {
        self.counters.enqueued += 1;
        self.lanes[lane.index()].pending[class as usize] += 1;
        if self.may_be_shed(class) {
            self.ages[class as usize].push_back(&mut self.envs, e);
        }
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
            let list = match self.envs[e].stance.place() {
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
