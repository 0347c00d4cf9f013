//! What the operator and the engine may change in a running pacer.

use super::Pacer;
use super::health::Health;
use super::lane::Lane;
use super::reach::{Reach, ReachLearned};
use crate::id::LaneIx;
use crate::limits::LANES_MAX;
use crate::time::Nanos;

impl<T: Copy> Pacer<T> {
    /// A fact about reach that was learned before (at recovery) or outside (the user started or blocked his
    /// home lane's bot). Facts about lanes that are not his home are of no use and ignored.
    pub fn learn(&mut self, fact: ReachLearned) {
        if self.homes.of(fact.user) != fact.lane {
            return;
        }
        let reach = if fact.reached { Reach::Reached } else { Reach::Refused };
        self.reach.set(fact.user, reach);
        // A live dialogue keeps a copy; kinds share users, so all of them must be asked.
        for kind in 0..crate::limits::KINDS_MAX as u8 {
            let conversation =
                crate::envelope::Conversation { kind: crate::id::KindIx(kind), user: fact.user };
            if let Some(d) = self.dialogues.find(conversation) {
                self.dialogues.nodes[d].reach = reach;
            }
        }
    }

    /// The home lane of a user.
    #[must_use]
    pub fn home(&self, user: crate::id::UserId) -> LaneIx {
        self.homes.of(user)
    }

    /// Adds a lane; `None` at the bound of [`LANES_MAX`]. Nobody's home changes: it carries what is pinned
    /// to it or arrives on it, and may stand in for another ([`Pacer::replace_home`]).
    pub fn add_lane(&mut self, now: Nanos) -> Option<LaneIx> {
        if self.lanes.len() >= LANES_MAX {
            return None;
        }
        self.lanes.push(Lane::new(&self.config, now));
        Some(LaneIx((self.lanes.len() - 1) as u16))
    }

    /// Makes `stand_in` the home of everybody whose home is `lane`; nobody else moves. What was known about
    /// `lane` reaching them is forgotten. O(users known and conversations pending); returns whether both
    /// lanes exist.
    pub fn replace_home(&mut self, lane: LaneIx, stand_in: LaneIx) -> bool {
        if lane.index() >= self.lanes.len() || stand_in.index() >= self.lanes.len() {
            return false;
        }
        let homes = &self.homes;
        self.reach.forget(|user| homes.of(user) == lane);
        for node in self.dialogues.nodes.all_mut() {
            if homes.of(node.conversation().user) == lane {
                node.reach = Reach::Unknown;
            }
        }
        self.homes.replace(lane, stand_in);
        true
    }

    /// The lane's token was found dead outside of a send, or was taken away: as a verdict of
    /// [`crate::envelope::Verdict::TokenDead`].
    pub fn lane_gone(&mut self, lane: LaneIx) {
        if lane.index() < self.lanes.len() {
            self.kill(lane);
        }
    }

    /// The lane has a new token: it is closed (healthy) again, with every token out for one period. What
    /// waited for it, or for any lane that is down, looks for its way anew. An announced wait belongs to
    /// the old token and ends.
    pub fn lane_revived(&mut self, now: Nanos, lane: LaneIx) {
        self.now = self.now.max(now);
        if lane.index() >= self.lanes.len() {
            return;
        }
        let revived = &mut self.lanes[lane.index()];
        revived.health = Health::default();
        (revived.frozen_until, revived.refused, revived.cautious) = (Nanos::ZERO, None, false);
        self.active.insert(lane);
        for down in 0..self.lanes.len() {
            if down == lane.index() || !self.lanes[down].health.is_up() {
                self.release_held(LaneIx(down as u16));
            }
        }
    }

    /// Stops a lane. What is in flight ends as it ends; what waits for it waits, and nothing moves away.
    pub fn pause(&mut self, lane: LaneIx) {
        if let Some(lane) = self.lanes.get_mut(lane.index()) {
            lane.paused = true;
        }
    }

    /// Lets a paused lane go on.
    pub fn resume(&mut self, lane: LaneIx) {
        if let Some(paused) = self.lanes.get_mut(lane.index()) {
            paused.paused = false;
            self.active.insert(lane);
        }
    }

    /// Changes a lane's window. With `adaptive` this is the number to go on from only until the next
    /// answer.
    pub fn set_slots(&mut self, lane: LaneIx, slots: u32) {
        if let Some(changed) = self.lanes.get_mut(lane.index()) {
            changed.window.set_slots(slots);
            self.active.insert(lane);
        }
    }
}
