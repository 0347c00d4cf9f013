//! Messages that pass their conversation's order: "please wait, you are number 40".
//!
//! What lives here: their way in, their turn, and when they are given up. Such a message speaks of what waits
//! in its conversation, so behind it it would be useless, and never said it does no harm. Hence:
//!
//! - It is taken only while something waits there, into a list of the lane through which that will leave.
//! - At its turn (see [`super::turns`]) it leaves if its conversation stands ready on that lane and the chat's
//!   bucket has room for it *and* for the message it passes, which keeps its place. Else it is stale.
//! - It passes no album, which may spend the chat's whole burst.
//! - It is tried once. What the answer says of the lane, the chat and the user is heard as always.
//! - It is never sent to a group, whose bucket belongs to others as well, nor through a lane that is frozen,
//!   paused or on probation.
//! - It makes no room for itself: at the memory bound it is refused.
//!
//! It flies beside a message in order, so the platform may judge the two either way round. That is why the
//! bucket must have room for both at its departure, and counts it as sent *now* until its answer
//! ([`super::dialogue::Dialogue::tat_at`]); at the answer it is charged like any other.

use super::dialogue::State;
use super::intake::NoRoom;
use super::lane::Lane;
use super::slab::NIL;
use super::{Dispatch, Pacer, Parcel};
use crate::envelope::{DropReason, Route};
use crate::id::LaneIx;
use crate::time::Nanos;

impl<T: Copy> Pacer<T> {
    /// Takes it in, or ends it as stale if nothing that waits could be passed.
    pub(super) fn enqueue_ahead(&mut self, parcel: &Parcel<T>) -> Result<(), NoRoom> {
        let Some(lane) = self.lane_ahead(parcel) else {
            self.end_at_once(parcel, DropReason::Stale);
            return Ok(());
        };
        if self.envs.len() >= self.config.max_pending {
            return Err(NoRoom);
        }
        let e = self.insert_env(parcel, lane, NIL);
        let Lane { ahead, sleeps, .. } = &mut self.lanes[lane.index()];
        ahead.push_back(&mut self.envs, e);
        if !*sleeps {
            self.active.insert(lane);
        }
        Ok(())
    }

    /// The lane through which what waits in its conversation will leave, if it may be passed there.
    fn lane_ahead(&self, parcel: &Parcel<T>) -> Option<LaneIx> {
        let node = &self.dialogues.nodes[self.dialogues.find(parcel.conversation)?];
        let waits = match node.state {
            State::Cooling | State::Loose => false,
            State::Flying => node.waiting.total() > 1,
            State::Parked | State::Ready | State::Held | State::InGroup => true,
        };
        let allowed = match parcel.route {
            Route::Pinned(lane) => lane == node.lane,
            Route::Home => true,
        };
        let carries = self.lanes[node.lane.index()].carries_ahead(self.now);
        (waits && allowed && carries && parcel.chat.0 >= 0).then_some(node.lane)
    }

    /// Gives up what can no more leave through the lane, so that a flood of them does not pile up between
    /// their rare turns. Amortized O(1): each is dropped once.
    #[inline]
    pub(super) fn sweep_ahead(&mut self, l: LaneIx, now: Nanos) {
        let lane = &self.lanes[l.index()];
        if lane.ahead.is_empty() {
            return;
        }
        let closed = !lane.carries_ahead(now);
        while let head = self.lanes[l.index()].ahead.head
            && head != NIL
            && (closed || self.envs[head].deadline.is_over(self.start, now))
        {
            self.lanes[l.index()].ahead.remove(&mut self.envs, head);
            self.drop_env(head, DropReason::Stale);
        }
    }

    /// The first of the lane has its turn: it leaves, or is given up.
    pub(super) fn dispatch_ahead(&mut self, l: LaneIx, now: Nanos) -> Option<Dispatch<T>> {
        let e = self.lanes[l.index()].ahead.pop_front(&mut self.envs)?;
        let class = self.envs[e].class;
        let passed = self.passable(e, l, now).filter(|_| self.lanes[l.index()].take_ahead(class, now));
        let Some(d) = passed else {
            self.drop_env(e, DropReason::Stale);
            return None;
        };
        self.dialogues.nodes[d].passing = true;
        self.envs[e].dialogue = d;
        Some(self.depart(e, l, class))
    }

    /// The dialogue it may pass now, through this lane.
    fn passable(&mut self, e: u32, l: LaneIx, now: Nanos) -> Option<u32> {
        let (env, rate) = (&self.envs[e], self.config.chat);
        let (conversation, chat, deadline) = (env.conversation(), env.chat, env.deadline);
        let d = self.dialogues.find(conversation)?;
        let node = &self.dialogues.nodes[d];
        let ready = node.state == State::Ready && node.lane == l && !node.passing;
        let ready = ready && !self.envs[node.queue.head].stance.is_album();
        let room = rate.peek(node.tat, now).is_ok() && rate.peek(rate.taken(node.tat, now), now).is_ok();
        let free = self.freezes.until(l, chat, now) <= now;
        (ready && room && free && !deadline.is_over(self.start, now)).then_some(d)
    }
}
