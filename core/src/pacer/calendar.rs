//! Whose turn it is within a class: a virtual clock, and the calendar that keeps it.
//!
//! What lives here: [`Clock`], which says in which tick a conversation's turn comes, and [`Calendar`], the
//! ready conversations of one lane and class by that tick.
//!
//! A conversation's turn is the arrival of its next message, but no earlier than one interval of the chat's
//! rate after its last turn: the virtual clock of Zhang (SIGCOMM 1990). So conversations are served first
//! come, first served, message by message, as long as each stays within the pace its chat may have anyway;
//! and one that has many messages waiting takes turns with the others, one message per interval of *their*
//! arrivals. A turn is never further ahead of the real clock than the chat's burst, so what arrives later
//! than that stands behind it: nobody starves.
//!
//! The calendar (after Brown, "Calendar queues", CACM 1988) is a row of ticks, from the earliest turn to the
//! latest, each with a list: everything is O(1), however many wait. Within a tick of 0.13 s it is first in,
//! first out. Its length follows how far apart the turns are, not how many there are.

use super::dialogue::Dialogue;
use super::slab::{List, NIL, Slab};
use crate::bucket::Rate;
use crate::time::{Nanos, nanos_of};

/// A tick is 2^27 ns, 0.134 s: seven of them in the second that a chat's messages keep apart.
const TICK_BITS: u32 = 27;
/// Ticks between the earliest and the latest turn, 36 minutes. Turns that lie further apart are pulled
/// together: in the last tick they are served as they come in, which is how they arrive.
const TICKS_MAX: usize = 1 << 14;

/// Where turns lie in time. Ticks count from the pacer's start, for 18 years.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Nanos,
    /// Between two turns of one conversation.
    interval: u32,
    /// How far ahead of the real clock a turn may be.
    ahead: u32,
}

impl Clock {
    pub(super) fn new(chat: Rate, start: Nanos) -> Self {
        let ticks = |nanos: u64| u32::try_from(nanos >> TICK_BITS).unwrap_or(u32::MAX / 4).max(1);
        let interval = nanos_of(chat.interval());
        let burst = interval.saturating_add(nanos_of(chat.tolerance()));
        Self { start, interval: ticks(interval), ahead: ticks(burst) }
    }

    /// The tick of an instant.
    #[inline]
    pub(super) const fn tick(&self, at: Nanos) -> u32 {
        (at.0.saturating_sub(self.start.0) >> TICK_BITS) as u32
    }

    /// The turn of a conversation whose next message came in in tick `arrived` and whose last turn lets it
    /// have one from `earliest` on.
    #[inline]
    pub(super) fn turn(&self, arrived: u32, earliest: u32, now: Nanos) -> u32 {
        arrived.max(earliest.min(self.tick(now).saturating_add(self.ahead)))
    }

    /// From when on a conversation that had its turn in `turn` may have the next.
    #[inline]
    pub(super) const fn next(&self, turn: u32) -> u32 {
        turn.saturating_add(self.interval)
    }
}

/// One tick of the row.
#[derive(Clone, Copy, Default, Debug)]
struct Tick {
    list: List<0>,
    len: u32,
    /// How many ever came in: the next one's stamp.
    came: u32,
}

/// Ready conversations by the tick of their turn.
#[derive(Clone, Default, Debug)]
pub(super) struct Calendar {
    /// A power of two of ticks; tick t stands where t's remainder is. Outside of the span all are empty.
    row: Vec<Tick>,
    /// The first tick of the span, which has somebody unless the span is empty.
    first: u32,
    /// So many consecutive ticks may have somebody.
    span: u32,
    len: u32,
}

/// The smallest row.
const ROW_MIN: usize = 32;

impl Calendar {
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    /// Whose turn it is, or [`NIL`].
    #[inline]
    pub(super) fn head(&self) -> u32 {
        if self.len == 0 { NIL } else { self.tick(self.first).list.head }
    }

    #[inline]
    fn tick(&self, turn: u32) -> &Tick {
        &self.row[turn as usize & (self.row.len() - 1)]
    }

    #[inline]
    fn tick_mut(&mut self, turn: u32) -> &mut Tick {
        let mask = self.row.len() - 1;
        &mut self.row[turn as usize & mask]
    }

    /// Takes a conversation in, at its node's turn, and gives the node. Amortized O(1): the row grows by the
    /// ticks that pass.
    #[inline(always)]
    pub(super) fn insert<'a>(&mut self, nodes: &'a mut Slab<Dialogue>, d: u32) -> &'a mut Dialogue {
        let mut turn = nodes[d].turn;
        if turn.wrapping_sub(self.first) >= self.span {
            turn = self.reach(turn);
        }
        self.len += 1;
        let tick = self.tick_mut(turn);
        let stamp = tick.came;
        (tick.len, tick.came) = (tick.len + 1, stamp.wrapping_add(1));
        let node = tick.list.append(nodes, d);
        (node.turn, node.stamp) = (turn, stamp);
        node
    }

    /// Takes one in again that was just taken out, in front of its tick.
    pub(super) fn put_back(&mut self, nodes: &mut Slab<Dialogue>, d: u32) {
        let mut turn = nodes[d].turn;
        if turn.wrapping_sub(self.first) >= self.span {
            turn = self.reach(turn);
        }
        self.len += 1;
        let tick = self.tick_mut(turn);
        tick.len += 1;
        tick.list.push_front(nodes, d);
        nodes[d].turn = turn;
    }

    /// Makes the span reach to a turn outside of it, or as near as it may be long; gives the tick reached.
    #[inline(never)]
    fn reach(&mut self, turn: u32) -> u32 {
        let most = TICKS_MAX as u32;
        let (mut first, mut span) = if self.span == 0 { (turn, 1) } else { (self.first, self.span) };
        if turn < first {
            let more = (first - turn).min(most - span);
            (first, span) = (first - more, span + more);
        } else {
            span = span.max((turn - first).saturating_add(1).min(most));
        }
        if self.row.len() < span as usize {
            self.lengthen(span as usize);
        }
        (self.first, self.span) = (first, span);
        turn.clamp(first, first + (span - 1))
    }

    /// Makes the row so long that a span of so many ticks fits.
    #[cold]
    fn lengthen(&mut self, span: usize) {
        let ticks = span.next_power_of_two().max(ROW_MIN);
        let old = core::mem::replace(&mut self.row, vec![Tick::default(); ticks]);
        for turn in (self.first..).take(self.span as usize) {
            *self.tick_mut(turn) = old[turn as usize & (old.len() - 1)];
        }
    }

    /// Takes a conversation of this calendar out.
    #[inline(always)]
    pub(super) fn remove(&mut self, nodes: &mut Slab<Dialogue>, d: u32) {
        let tick = self.tick_mut(nodes[d].turn);
        tick.list.remove(nodes, d);
        tick.len -= 1;
        let emptied = tick.len == 0;
        self.len -= 1;
        if emptied {
            self.advance();
        }
    }

    /// Takes out whose turn it is, and gives its number. There must be somebody.
    #[inline(always)]
    pub(super) fn pop(&mut self, nodes: &mut Slab<Dialogue>) -> u32 {
        let tick = self.tick_mut(self.first);
        let d = tick.list.pop_front(nodes).unwrap_or(NIL);
        tick.len -= 1;
        let emptied = tick.len == 0;
        self.len -= 1;
        if emptied {
            self.advance();
        }
        d
    }

    /// Moves the span's beginning to the first tick that has somebody.
    #[inline(never)]
    fn advance(&mut self) {
        if self.len == 0 {
            self.span = 0;
        }
        while self.span > 0 && self.tick(self.first).len == 0 {
            (self.first, self.span) = (self.first.wrapping_add(1), self.span - 1);
        }
    }

    /// How many have their turn before a conversation of this calendar: exact, but for those of its own
    /// tick that left out of turn. O(ticks in front of it): seven for each second it has waited.
    pub(super) fn before(&self, node: &Dialogue) -> u32 {
        let earlier: u32 = (self.first..node.turn).map(|turn| self.tick(turn).len).sum();
        let own = self.tick(node.turn);
        // Those in the tick are the last `len` that came in.
        earlier + own.len.saturating_sub(own.came.wrapping_sub(node.stamp))
    }

    /// The lists, in the order of their turns.
    pub(super) fn lists(&self) -> impl Iterator<Item = (u32, List<0>, u32)> + '_ {
        let span = (self.first..).take(self.span as usize);
        span.map(|turn| (turn, self.tick(turn))).map(|(turn, tick)| (turn, tick.list, tick.len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Conversation;
    use crate::id::{KindIx, UserId};
    use crate::pacer::dialogue::Dialogues;
    use crate::pacer::reach::Reach;
    use core::time::Duration;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Op {
        Insert(u32),
        Pop,
        Remove(prop::sample::Index),
    }

    fn op() -> impl Strategy<Value = Op> {
        let turn = prop_oneof![4 => 1_000u32..1_040, 2 => 0u32..3_000, 1 => 0u32..200_000];
        prop_oneof![
            3 => turn.prop_map(Op::Insert),
            2 => Just(Op::Pop),
            1 => any::<prop::sample::Index>().prop_map(Op::Remove),
        ]
    }

    /// The calendar and its naive twin: a list in the order of insertion.
    struct Rig {
        dialogues: Dialogues,
        calendar: Calendar,
        twin: Vec<u32>,
        made: u64,
    }

    impl Rig {
        fn insert(&mut self, turn: u32) {
            self.made += 1;
            let conversation = Conversation { kind: KindIx(0), user: UserId(self.made) };
            let d = self.dialogues.find_or_insert(conversation, || (Nanos::ZERO, Reach::Unknown));
            self.dialogues.nodes[d].turn = turn;
            self.calendar.insert(&mut self.dialogues.nodes, d);
            self.twin.push(d);
        }

        fn turn(&self, d: u32) -> u32 {
            self.dialogues.nodes[d].turn
        }

        fn remove(&mut self, d: u32) {
            self.calendar.remove(&mut self.dialogues.nodes, d);
            self.twin.retain(|held| *held != d);
        }

        fn check(&self) {
            let first = self.twin.iter().copied().min_by_key(|d| self.turn(*d));
            assert_eq!(self.calendar.head(), first.unwrap_or(NIL));
            assert_eq!(self.calendar.len() as usize, self.twin.len());
            assert!(self.calendar.row.len() <= TICKS_MAX && self.calendar.span as usize <= TICKS_MAX);
        }

        fn check_last(&self) {
            let Some(last) = self.twin.last() else { return };
            let before = self.twin.iter().filter(|d| self.turn(**d) <= self.turn(*last)).count() as u32 - 1;
            assert_eq!(self.calendar.before(&self.dialogues.nodes[*last]), before);
        }
    }

    proptest! {
        #[test]
        fn the_earliest_turn_is_next_and_within_a_tick_the_first_that_came(
            ops in prop::collection::vec(op(), 1..300),
        ) {
            let (dialogues, calendar) = (Dialogues::new(1), Calendar::default());
            let mut rig = Rig { dialogues, calendar, twin: Vec::new(), made: 0 };
            for op in ops {
                match op {
                    Op::Insert(turn) => {
                        rig.insert(turn);
                        rig.check_last();
                        let given = rig.turn(*rig.twin.last().expect("one"));
                        let (first, row) = (rig.calendar.first, rig.calendar.span as usize);
                        let ends = [first, first + TICKS_MAX as u32 - 1];
                        // Only what does not fit into the row is moved, and to its end that is nearer.
                        prop_assert!(given == turn || row == TICKS_MAX && ends.contains(&given));
                    }
                    Op::Pop if rig.twin.is_empty() => {}
                    Op::Pop => rig.remove(rig.calendar.head()),
                    Op::Remove(_) if rig.twin.is_empty() => {}
                    Op::Remove(which) => rig.remove(rig.twin[which.index(rig.twin.len())]),
                }
                rig.check();
            }
        }
    }

    #[test]
    fn turns_keep_the_chats_interval_apart_and_never_run_further_ahead_than_its_burst() {
        let clock = Clock::new(Rate::per_second(1, 3), Nanos::ZERO);
        let now = Nanos::from_secs(100);
        let tick = clock.tick(now);
        assert_eq!(clock.turn(tick - 50, 0, now), tick - 50);
        assert_eq!(clock.turn(tick - 50, clock.next(tick - 50), now), tick - 43);
        assert_eq!(clock.turn(tick, tick + 5_000, now), tick + clock.tick(Nanos::from_secs(3)));
        let free = Clock::new(Rate::new(Duration::ZERO, 1), Nanos::ZERO);
        assert_eq!(free.next(7), 8, "even without a rate they take turns");
    }
}
