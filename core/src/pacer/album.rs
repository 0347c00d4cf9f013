//! Sends that the platform counts as several messages: albums, which are judged by their parts.
//!
//! What lives here: how such a send waits until its lane's window has a token for each part, and how all of
//! them are charged. Its turn comes like that of any other; the lane then lets its class wait until there are
//! tokens enough, so that an album is not overtaken for ever by messages that need one. Higher classes, and
//! whoever may pass anyway, still pass.
//!
//! A send of more parts than the window (or the class's ceiling) has slots leaves when all slots are free: the
//! platform would never take more. A chat is charged with its burst at most, a group with its slots at most.

use super::{Dispatch, Flight, Pacer};
use crate::bucket::NotBefore;
use crate::envelope::Class;
use crate::id::LaneIx;
use crate::time::Nanos;

impl<T: Copy> Pacer<T> {
    /// Lets the head of a dialogue that was just taken out of its calendar leave, or puts it back in front and
    /// has the lane wait for the tokens that are missing.
    #[cold]
    #[inline(never)]
    pub(super) fn dispatch_album(
        &mut self,
        l: LaneIx,
        turn: Class,
        d: u32,
        now: Nanos,
    ) -> Option<Dispatch<T>> {
        let e = self.dialogues.nodes[d].queue.head;
        let lane = &mut self.lanes[l.index()];
        let env = &mut self.envs[e];
        // What is in flight must know how many it took, whatever becomes of the slots meanwhile.
        env.stance = env.stance.at_most(lane.slots_for(turn));
        let messages = env.stance.messages();
        if let Err(NotBefore(at)) = lane.peek_many(turn, messages, now) {
            lane.put_back(turn, &mut self.dialogues.nodes, d);
            let at = lane.call_at(&self.config, now).map_or(at, |call| call.min(at));
            self.active.remove(l);
            self.wake_lane(l, at);
            return None;
        }
        lane.take_many(turn, messages, now);
        self.dialogues.nodes[d].state = super::dialogue::State::Flying;
        Some(self.depart(e, l, turn))
    }

    /// The tokens of its further parts come back as that of the first.
    #[inline]
    pub(super) fn answered_more(&mut self, flight: Flight, now: Nanos) {
        let stance = self.envs[flight.envelope].stance;
        if stance.is_album() {
            self.lanes[flight.lane.index()].answered_more(flight.turn, stance.messages() - 1, now);
        }
    }

    /// Charges the chat at the answer: at the platform it was charged no later.
    pub(super) fn charge(&mut self, e: u32, now: Nanos) {
        let env = &self.envs[e];
        let (private, messages) = (env.chat.0 >= 0, env.stance.messages());
        let (rate, node) = (self.config.chat, &mut self.dialogues.nodes[env.dialogue]);
        let at_once = u64::from(messages).min(rate.burst());
        if private {
            (0..at_once).for_each(|_| node.tat = rate.taken(node.tat, now));
        } else if node.group != super::slab::NIL {
            let group = &mut self.groups.nodes[node.group];
            (0..at_once).for_each(|_| group.tat = rate.taken(group.tat, now));
            for _ in 0..messages.min(self.config.group_slots) {
                if group.window.take(now).is_ok() {
                    group.window.answered(now);
                }
            }
        }
    }
}
