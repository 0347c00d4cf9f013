//! What a kind wants of the engine, carried out.
//!
//! What lives here: [`Plan`], the wants of one decision put in order and rid of what makes no sense, and the
//! two halves of doing it. First, before anything is written, what the matchmaker may refuse because it was
//! faster: to leave a line in which one was just found, to block someone whom one was just paired with.
//! If it was faster, the pair is settled and the input decided again, now in a pair. Then the frame, and
//! after it what others may act upon: to stand in line.

use super::cell::{Cell, Locked, Those, those};
use super::erased::Effects;
use super::pairs::Pairs;
use super::parts::{Draft, apply};
use super::step::Relay;
use super::ties::{Fact, Stage, Ties};
use super::turn::{Rooms, Turn};
use super::{Engine, Journal, Kind};
use crate::bot::{COMMON, EndedBy, Input, Outgoing, Partner, Ticket, Unmatched, Want};
use crate::envelope::Conversation;
use crate::id::{Seq, UserId};
use crate::limits::{BLOCKED_MAX, INFORMS_PER_DECISION_MAX};
use crate::matchmaker::{Joined, Refused, Slot, Woken};
use crate::time::Now;
use core::time::Duration;

/// The wants of one decision, in the order in which they are done.
#[derive(Default)]
pub(super) struct Plan {
    block: Option<(UserId, bool)>,
    relays: Vec<Outgoing>,
    notes: Vec<Box<[u8]>>,
    informs: Vec<(UserId, Box<[u8]>)>,
    posts: Vec<Relay>,
    leave: bool,
    join: Option<Ticket>,
    alarm: Option<Fact>,
    /// The pair he is in.
    partner: Option<Partner>,
}

impl Plan {
    fn of(wants: Vec<Want>, user: UserId, cell: &Cell) -> Self {
        let stage = cell.ties.as_ref().map_or(Stage::Apart, |ties| ties.stage);
        let partner = if let Stage::Paired(partner) = stage { Some(partner) } else { None };
        let known = |whom: UserId| cell.ties.as_ref().is_some_and(|ties| ties.blocked.contains(&whom));
        let full = cell.ties.as_ref().is_some_and(|ties| ties.blocked.len() >= BLOCKED_MAX);
        let mut plan = Self { partner, ..Self::default() };
        for want in wants {
            let is_his = |pair| partner.is_some_and(|partner| partner.pair == pair);
            match want {
                Want::Block(whom) if whom != user && !known(whom) && !full => plan.block = Some((whom, true)),
                Want::Unblock(whom) if known(whom) => plan.block = Some((whom, false)),
                Want::Relay { pair, what } if is_his(pair) => plan.relays.push(what),
                Want::Tell { pair, note } if is_his(pair) => plan.notes.push(note),
                Want::Inform { user: whom, note }
                    if whom != user && plan.informs.len() < INFORMS_PER_DECISION_MAX =>
                {
                    plan.informs.push((whom, note));
                }
                Want::Post { chat, lane, what } => plan.posts.push(Relay::post(chat, lane, what)),
                Want::Leave => plan.leave = stage != Stage::Apart,
                Want::Join(ticket) => plan.join = Some(ticket),
                Want::Alarm(at) => plan.alarm = Some(Fact::Alarm(at)),
                _ => {}
            }
        }
        if stage != Stage::Apart && !plan.leave {
            plan.join = None;
        }
        plan
    }

    /// Whose cells it changes, or whose seats it needs.
    fn those(&self, user: UserId) -> Those {
        let partner = self.partner.filter(|_| self.leave || !self.notes.is_empty());
        let mut those = those(user, partner.map(|partner| partner.user));
        those[2] = self.block.map(|(whom, _)| whom);
        for (place, (whom, _)) in those[3..].iter_mut().zip(&self.informs) {
            *place = Some(*whom);
        }
        those
    }

    /// The pair that it ends.
    fn ends(&self) -> Option<Partner> {
        self.partner.filter(|_| self.leave)
    }
}

/// Whether wants can be carried out now.
#[allow(clippy::large_enum_variant)] // It lives for one match, on the stack.
pub(super) enum Carried {
    /// These cells must be locked, then the input is decided again.
    Needs(Those),
    /// The matchmaker was faster: settle, then the input is decided again.
    Overtaken,
    /// Nothing can come between any more.
    Ready(Plan, Effects),
}

/// What a search led to.
pub(super) enum Found {
    Nobody,
    Pair,
    Refused(Unmatched),
}

impl<J: Journal> Engine<J> {
    /// Makes sure that the wants of a decision can be done: locks, and the matchmaker's word.
    pub(super) fn carry_out(&self, turn: &Turn<'_>, mut effects: Effects, held: &mut Locked<'_>) -> Carried {
        let kind = &self.kinds[turn.kind.index()];
        let Some(cell) = held.cell(turn.user) else { return Carried::Overtaken };
        let mut wants = core::mem::take(&mut effects.wants);
        let Some(pairs) = &kind.pairs else {
            wants.retain(|want| matches!(want, Want::Alarm(_) | Want::Post { .. }));
            return Carried::Ready(Plan::of(wants, turn.user, cell), effects);
        };
        let mut plan = Plan::of(wants, turn.user, cell);
        if !held.has(&plan.those(turn.user)) {
            return Carried::Needs(plan.those(turn.user));
        }
        if let Some((whom, true)) = plan.block {
            let slots = self.slots(pairs, held, turn.user, whom);
            if !slots.is_some_and(|(one, other)| pairs.block(one, other)) {
                plan.block = None; // The table of blocks is full: counted; see `Engine::blocks_refused`.
            }
        }
        let Some(cell) = held.cell(turn.user) else { return Carried::Overtaken };
        let Some(ties) = cell.ties.as_ref() else { return Carried::Ready(plan, effects) };
        let waits = matches!(ties.stage, Stage::Waiting { .. });
        if waits && plan.leave && !pairs.cancel(ties) {
            return Carried::Overtaken;
        }
        // A block that came too late for a pair just made is told after that pair, as it happened.
        if let Some((whom, on)) = plan.block
            && !plan.leave
            && pairs.unsettled(cell).is_some()
        {
            if on && let Some((one, other)) = self.slots(pairs, held, turn.user, whom) {
                pairs.unblock(one, other);
            }
            return Carried::Overtaken;
        }
        Carried::Ready(plan, effects)
    }

    /// Writes it all down, then lets the matchmaker act.
    pub(super) fn finish(
        &self,
        now: Now,
        turn: &Turn<'_>,
        plan: Plan,
        effects: Effects,
        mut held: Locked<'_>,
        rooms: Rooms<J::Room<'_>>,
    ) -> Seq {
        let kind = &self.kinds[turn.kind.index()];
        let draft = self.draft(now, kind, turn, &plan, effects, &mut held);
        let seq = self.push(kind, draft, &mut held, rooms.own);
        if let Some(cell) = held.cell(COMMON) {
            kind.set_common(&cell.state);
        }
        let Some(pairs) = &kind.pairs else {
            held.cell(turn.user).into_iter().for_each(|cell| kind.alarms.set(turn.user, cell, now));
            return seq;
        };
        let found = self.act(now, pairs, turn.user, &plan, &mut held);
        let pair = matches!(found, Found::Pair);
        if let Found::Refused(why) = found {
            if let Some(room) = rooms.after {
                self.unmatched(now, kind, turn.conversation(), &mut held, why, room);
            }
            return seq;
        }
        for user in plan.those(turn.user).into_iter().flatten() {
            held.cell(user).into_iter().for_each(|cell| kind.alarms.set(user, cell, now));
        }
        drop(held);
        if let Some(room) = rooms.after.filter(|_| pair) {
            self.settle_pair(now, turn.conversation(), room);
        }
        seq
    }

    /// The frame of a plan, applied to the cells.
    fn draft(
        &self,
        now: Now,
        kind: &Kind,
        turn: &Turn<'_>,
        plan: &Plan,
        effects: Effects,
        held: &mut Locked<'_>,
    ) -> Draft {
        let blocked = matches!(turn.input, Input::Blocked);
        let mut draft = Draft::of(now, turn.update.map(|update| (update, blocked)));
        draft.reach = turn.reach();
        let relay =
            |what: &Outgoing| plan.partner.map(|to| Relay { to: to.user, lane: to.lane, what: what.clone() });
        let relays = plan.relays.iter().filter_map(relay).chain(plan.posts.iter().cloned()).collect();
        let filed = plan.join.map(|ticket| Fact::Filed { ticket, since: now.wall });
        let mut facts: Vec<Fact> = Vec::new();
        facts.extend(
            plan.block.map(|(whom, on)| if on { Fact::Blocked(whom) } else { Fact::Unblocked(whom) }),
        );
        facts.extend((plan.leave && plan.partner.is_none()).then_some(Fact::Withdrawn));
        facts.extend(filed.filter(|_| plan.ends().is_none()));
        facts.extend(plan.alarm);
        if let Some(cell) = held.cell(turn.user) {
            cell.ties().writes_on(turn.conversation(), turn.chat, turn.lane);
            apply(kind, cell, &facts);
            draft.add(turn.conversation(), (turn.lane, turn.chat), cell, effects, relays, facts);
        }
        let his = |user| Conversation { user, ..turn.conversation() };
        if let Some(partner) = plan.partner {
            let me = Partner { user: turn.user, lane: turn.lane, ..partner };
            for note in &plan.notes {
                if let Some(cell) = held.cell(partner.user) {
                    let told = Input::Told { partner: me, note };
                    self.aside(&mut draft, kind, now, his(partner.user), cell, &[], &told);
                }
            }
        }
        for (whom, note) in &plan.informs {
            if let Some(cell) = held.cell(*whom) {
                let informed = Input::Informed { by: turn.user, note };
                self.aside(&mut draft, kind, now, his(*whom), cell, &[], &informed);
            }
        }
        if let (Some(partner), Some(pairs)) = (plan.ends(), &kind.pairs) {
            let me = Partner { user: turn.user, lane: turn.lane, ..partner };
            let ended = Fact::Ended { pair: partner.pair, until: now.wall.after(pairs.rules.recent_for) };
            let both = [(turn.user, partner, EndedBy::Himself), (partner.user, me, EndedBy::Partner)];
            for (user, partner, by) in both {
                if let Some(cell) = held.cell(user) {
                    let input = Input::PairEnded { partner, by };
                    self.aside(&mut draft, kind, now, his(user), cell, &[ended], &input);
                }
            }
            if let (Some(filed), Some(cell)) = (filed, held.cell(turn.user)) {
                apply(kind, cell, &[filed]);
                let nothing = Effects::none(&cell.state);
                draft.add(
                    turn.conversation(),
                    (turn.lane, turn.chat),
                    cell,
                    nothing,
                    Vec::new(),
                    vec![filed],
                );
            }
        }
        draft
    }

    /// Lets the matchmaker do what the frame says.
    fn act(&self, now: Now, pairs: &Pairs, user: UserId, plan: &Plan, held: &mut Locked<'_>) -> Found {
        if let Some(partner) = plan.ends()
            && let Some(ties) = held.cell(user).map(Cell::ties)
        {
            pairs.end(ties, now.mono);
            ties.pairing = None;
            held.cell(partner.user).into_iter().for_each(|cell| cell.ties().pairing = None);
        }
        if plan.leave
            && let Some(cell) = held.cell(user)
        {
            cell.ties().rescan = None;
        }
        let unblocked = plan.block.filter(|(_, on)| !on);
        if let Some((one, other)) = unblocked.and_then(|(whom, _)| self.slots(pairs, held, user, whom)) {
            pairs.unblock(one, other);
        }
        let Some(ties) = held.cell(user).map(Cell::ties) else { return Found::Nobody };
        match plan.join {
            Some(ticket) => self.search(pairs, user, ties, &ticket, Duration::ZERO, now),
            // Who is not blocked any more may stand in line: look again.
            None if unblocked.is_some() => match pairs.wake(ties, now.mono) {
                Woken::Paired(_) => Found::Pair,
                Woken::Waiting { wake } => {
                    ties.rescan = Some(wake);
                    Found::Nobody
                }
                Woken::Expired => Found::Refused(Unmatched::Expired),
                Woken::Idle => Found::Nobody,
            },
            None => Found::Nobody,
        }
    }

    /// Files a ticket whose frame has its place, and searches.
    pub(super) fn search(
        &self,
        pairs: &Pairs,
        user: UserId,
        ties: &mut Ties,
        ticket: &Ticket,
        waited: Duration,
        now: Now,
    ) -> Found {
        match pairs.join(user, ties, ticket, waited, now.mono) {
            Ok(Joined::Paired(_)) => Found::Pair,
            Ok(Joined::Waiting { wake }) => {
                ties.rescan = Some(wake);
                Found::Nobody
            }
            // Nobody withdraws him or ends his pair but under his lock, which is ours.
            Ok(Joined::Withdrawn) => Found::Nobody,
            Err(Refused::NoSuchPool) => Found::Refused(Unmatched::NoSuchPool),
            Err(Refused::Expired) => Found::Refused(Unmatched::Expired),
            Err(_) => Found::Refused(Unmatched::Full),
        }
    }

    fn slots(
        &self,
        pairs: &Pairs,
        held: &mut Locked<'_>,
        one: UserId,
        other: UserId,
    ) -> Option<(Slot, Slot)> {
        let mut slot = |user| pairs.seat(user, held.cell(user)?.ties()).ok().map(|seat| seat.slot());
        Some((slot(one)?, slot(other)?))
    }
}
