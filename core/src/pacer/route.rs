//! Where a dialogue goes next: to a lane, onto the wheel, behind its group, or out.
//!
//! What lives here: `settle`, the one place that decides it, and the linking and unlinking it needs. Every
//! dialogue with something pending and nothing in flight is in exactly one list; `settle` puts it there.

use super::Pacer;
use super::dialogue::State;
use super::env::Via;
use super::health::LaneHealth;
use super::lane::Lane;
use super::reach::{Reach, ReachMode};
use super::slab::NIL;
use crate::bucket::Window;
use crate::envelope::{Class, DropReason};
use crate::id::{ChatId, LaneIx, UserId};
use crate::time::Nanos;
use crate::wheel::TimerId;

/// What a timer's key names: two bits above the number of a node.
pub(super) const DIALOGUE: u32 = 0 << 30;
pub(super) const LANE: u32 = 1 << 30;
pub(super) const GROUP: u32 = 2 << 30;
pub(super) const CALL: u32 = 3 << 30;
pub(super) const NUMBER: u32 = (1 << 30) - 1;

/// Where the head of a dialogue may go.
pub(super) enum Way {
    /// Through this lane, which is up.
    Up(LaneIx),
    /// Through this lane or none, and it is down.
    Down(LaneIx),
    /// Nowhere any more.
    Gone,
}

impl<T: Copy> Pacer<T> {
    /// Puts a loose dialogue where it belongs. Nothing of it leaves before `not_before`.
    pub(super) fn settle(&mut self, d: u32, now: Nanos, not_before: Nanos) {
        debug_assert_eq!(self.dialogues.nodes[d].state, State::Loose);
        let (head, lane, up) = loop {
            let node = &self.dialogues.nodes[d];
            let (head, reach) = (node.queue.head, node.reach);
            if head == NIL {
                return self.retire(d, now);
            }
            let env = &self.envs[head];
            let (via, user) = (env.via, env.user);
            if env.deadline.is_over(self.start, now) {
                self.drop_head(d, DropReason::Stale);
                continue;
            }
            match self.way(via, user, reach) {
                Way::Up(lane) => break (head, lane, true),
                Way::Down(lane) => break (head, lane, false),
                Way::Gone => self.drop_head(d, DropReason::LaneGone),
            }
        };
        self.attribute(head, lane);
        let (chat, album) = (self.envs[head].chat, self.envs[head].stance.is_album());
        let frozen = self.freezes.until(lane, chat, now).max(not_before);
        let node = &mut self.dialogues.nodes[d];
        node.lane = lane;
        node.class = node.waiting.highest();
        let at = if chat.0 < 0 { frozen } else { node.eligible_at(self.config.chat, album, now).max(frozen) };
        if at > now {
            self.keep_grant_only_of(d, NIL, now);
            return self.park(d, at);
        }
        if (chat.0 < 0 || node.group != NIL) && self.awaits_group(d, lane, chat, now) {
            return;
        }
        if up { self.link_ready(d) } else { self.link_held(d) }
    }

    /// A head that goes to a group needs the group's grant: whether it has to wait for it.
    fn awaits_group(&mut self, d: u32, lane: LaneIx, chat: ChatId, now: Nanos) -> bool {
        let group = self.group_of(lane, chat);
        self.keep_grant_only_of(d, group, now);
        let waits = group != NIL && self.dialogues.nodes[d].group != group;
        if waits {
            self.wait_for_group(d, group, now);
        }
        waits
    }

    /// Which lane the head may go through.
    pub(super) fn way(&mut self, via: Via, user: UserId, reach: Reach) -> Way {
        let Some(pinned) = via.pinned() else {
            return self.way_home(via.arrived_on().unwrap_or(LaneIx(0)), user, reach);
        };
        match self.lanes[pinned.index()].health.state {
            LaneHealth::Dead => Way::Gone,
            LaneHealth::Open(_) => Way::Down(pinned),
            LaneHealth::Closed | LaneHealth::HalfOpen => Way::Up(pinned),
        }
    }

    #[inline]
    fn way_home(&mut self, arrived: LaneIx, user: UserId, reach: Reach) -> Way {
        let exists = |lane: LaneIx, lanes: &[Lane]| lane.index() < lanes.len();
        let home = self.homes.of(user);
        let home_exists = exists(home, &self.lanes);
        let arrived = if exists(arrived, &self.lanes) { arrived } else { home };
        if !exists(arrived, &self.lanes) {
            return Way::Gone;
        }
        if home == arrived || !home_exists {
            return if self.lanes[arrived.index()].health.is_up() {
                Way::Up(arrived)
            } else {
                Way::Down(arrived)
            };
        }
        // Asked only of a lane that could take it, so that a rare probe is not wasted on one that is down.
        if self.takes_strangers(home) && self.may_use_home(reach, home) {
            return Way::Up(home);
        }
        let state = self.lanes[arrived.index()].health.state;
        let refused = reach == Reach::Refused;
        match state {
            LaneHealth::Closed | LaneHealth::HalfOpen => Way::Up(arrived),
            LaneHealth::Open(_) => Way::Down(arrived),
            // Its bot is gone. Where his home may still reach him he waits for it, else for a new token.
            LaneHealth::Dead if !refused && self.lanes[home.index()].health.state != LaneHealth::Dead => {
                if self.lanes[home.index()].health.is_up() {
                    Way::Up(home)
                } else {
                    Way::Down(home)
                }
            }
            LaneHealth::Dead => Way::Down(arrived),
        }
    }

    /// A lane that is half-open takes one envelope that could go elsewhere, as its probe.
    #[inline]
    fn takes_strangers(&self, lane: LaneIx) -> bool {
        let lane = &self.lanes[lane.index()];
        match lane.health.state {
            LaneHealth::Closed => true,
            LaneHealth::HalfOpen => lane.is_idle(),
            LaneHealth::Open(_) | LaneHealth::Dead => false,
        }
    }

    #[inline]
    fn may_use_home(&mut self, reach: Reach, home: LaneIx) -> bool {
        match (reach, self.config.reach) {
            (Reach::Reached, _) | (Reach::Unknown, ReachMode::All) => true,
            (Reach::Refused, _) | (Reach::Unknown, ReachMode::Known) => false,
            (Reach::Unknown, ReachMode::Try) => self.lanes[home.index()].tries.admits(),
        }
    }

    /// Counts a waiting envelope at the lane it will go through.
    #[inline]
    fn attribute(&mut self, e: u32, lane: LaneIx) {
        let env = &mut self.envs[e];
        if env.lane != lane {
            let (from, class) = (core::mem::replace(&mut env.lane, lane), env.class as usize);
            self.lanes[from.index()].pending[class] -= 1;
            self.lanes[lane.index()].pending[class] += 1;
        }
    }

    pub(super) fn drop_head(&mut self, d: u32, reason: DropReason) {
        let head = self.dialogues.nodes[d].queue.head;
        self.leave_queue(d, head);
        self.drop_env(head, reason);
    }

    /// An empty dialogue stays until its bucket is full.
    pub(super) fn retire(&mut self, d: u32, now: Nanos) {
        self.keep_grant_only_of(d, NIL, now);
        self.dialogues.cool(d, now);
    }

    /// As `retire`, for one that a refused parcel may have made.
    pub(super) fn retire_if_loose(&mut self, d: u32, now: Nanos) {
        if self.dialogues.nodes[d].state == State::Loose {
            self.retire(d, now);
        }
    }

    fn park(&mut self, d: u32, until: Nanos) {
        let timer = self.wheel.insert(until, DIALOGUE | d);
        let node = &mut self.dialogues.nodes[d];
        (node.state, node.timer) = (State::Parked, timer);
    }

    pub(super) fn link_ready(&mut self, d: u32) {
        let node = &mut self.dialogues.nodes[d];
        node.state = State::Ready;
        node.turn = self.clock.turn(self.envs[node.queue.head].arrived, node.turn, self.now);
        let (ix, class) = (node.lane, node.class);
        let lane = &mut self.lanes[ix.index()];
        lane.insert_ready(class, &mut self.dialogues.nodes, d);
        if !lane.sleeps {
            self.active.insert(ix);
        }
    }

    fn link_held(&mut self, d: u32) {
        let node = &mut self.dialogues.nodes[d];
        node.state = State::Held;
        let (lane, class) = (node.lane, node.class as usize);
        self.lanes[lane.index()].held[class].push_back(&mut self.dialogues.nodes, d);
    }

    /// Takes a dialogue out of the list it is in.
    pub(super) fn unlink(&mut self, d: u32) {
        let nodes = &mut self.dialogues.nodes;
        let (lane, class) = (nodes[d].lane.index(), nodes[d].class);
        match nodes[d].state {
            State::Loose | State::Flying => {}
            State::Cooling => self.dialogues.cooling.remove(nodes, d),
            State::Parked => self.wheel.cancel(core::mem::replace(&mut nodes[d].timer, TimerId::NONE)),
            State::Ready => self.lanes[lane].remove_ready(class, nodes, d),
            State::Held => self.lanes[lane].held[class as usize].remove(nodes, d),
            State::InGroup => {
                let group = core::mem::replace(&mut nodes[d].group, NIL);
                self.groups.nodes[group].waiters.remove(nodes, d);
            }
        }
        self.dialogues.nodes[d].state = State::Loose;
    }

    /// Moves a ready or held dialogue up to a higher class.
    pub(super) fn raise(&mut self, d: u32, class: Class) {
        let ready = self.dialogues.nodes[d].state == State::Ready;
        self.unlink(d);
        self.turn_from_now(d);
        self.dialogues.nodes[d].class = class;
        if ready { self.link_ready(d) } else { self.link_held(d) }
    }

    /// What waited in a lower class has no old claim on a turn of the higher one. Not for one that is ready:
    /// its calendar knows it by its turn.
    pub(super) fn turn_from_now(&mut self, d: u32) {
        let node = &mut self.dialogues.nodes[d];
        node.turn = node.turn.max(self.clock.tick(self.now));
    }

    /// The group a chat is, or [`NIL`] for a private chat.
    #[inline]
    fn group_of(&mut self, lane: LaneIx, chat: ChatId) -> u32 {
        if chat.0 >= 0 {
            return NIL;
        }
        let (config, start, unseen) = (&self.config, self.start, self.unseen);
        self.groups.find_or_insert(lane, chat, || {
            let (slots, period) = (config.group_slots, config.group_period);
            let window =
                if config.spent { Window::spent(slots, period, start) } else { Window::new(slots, period) };
            (unseen, window)
        })
    }

    /// Gives back the grant of any group but this one.
    #[inline]
    pub(super) fn keep_grant_only_of(&mut self, d: u32, group: u32, now: Nanos) {
        let held = self.dialogues.nodes[d].group;
        if held != NIL && held != group {
            self.dialogues.nodes[d].group = NIL;
            self.groups.nodes[held].granted = false;
            self.pump(held, now);
        }
    }

    fn wait_for_group(&mut self, d: u32, group: u32, now: Nanos) {
        let node = &mut self.dialogues.nodes[d];
        (node.state, node.group) = (State::InGroup, group);
        self.groups.nodes[group].waiters.push_back(&mut self.dialogues.nodes, d);
        self.pump(group, now);
    }

    /// Grants a group to whoever waits longest for it, or sets its timer, or forgets it.
    pub(super) fn pump(&mut self, group: u32, now: Nanos) {
        let node = &mut self.groups.nodes[group];
        if node.granted {
            return;
        }
        self.wheel.cancel(core::mem::replace(&mut node.timer, TimerId::NONE));
        let at = match node.waiters.head {
            NIL => node.full_at(),
            first => {
                let messages = self.envs[self.dialogues.nodes[first].queue.head].stance.messages();
                node.eligible_at(&self.config, messages, now)
            }
        };
        if at > now {
            node.timer = self.wheel.insert(at, GROUP | group);
            return;
        }
        match node.waiters.pop_front(&mut self.dialogues.nodes) {
            Some(d) => {
                node.granted = true;
                let waiter = &mut self.dialogues.nodes[d];
                waiter.class = waiter.waiting.highest();
                self.link_ready(d);
            }
            None => self.groups.remove(group),
        }
    }
}
