//! The timing wheel: what is to be looked at when, in constant time.
//!
//! What lives here: [`Wheel`], a hierarchical wheel (Varghese and Lauck 1987, scheme 7) with a bitmap per
//! level, so that the next deadline is found by counting zeros and empty time is skipped, not walked.
//! The pacer parks conversations on it. It knows keys (`u32`), not what they mean, and reads no clock.
//!
//! Nodes live in one slab and are linked by `u32`s: no allocation per timer once the slab has grown.

use crate::time::Nanos;

/// Nanoseconds of a tick, as a power of two: 0.26 ms. Deadlines are rounded *up* to a tick.
const TICK_BITS: u32 = 18;
/// Slots of a level, as a power of two.
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
/// 8 levels of 6 bits hold every tick of a 64-bit nanosecond clock: nothing ever wraps.
const LEVELS: usize = 8;
const NIL: u32 = u32::MAX;

/// A timer that is set. It ends when its key is handed out or it is cancelled; the owner must forget it
/// then, because the number is used again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerId(u32);

impl TimerId {
    /// No timer.
    pub const NONE: Self = Self(NIL);

    /// Whether this is a timer at all.
    #[must_use]
    pub fn is_set(self) -> bool {
        self != Self::NONE
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    tick: u64,
    key: u32,
    prev: u32,
    next: u32,
    /// The slot it is in. [`FREE`] while it is on the free list.
    list: u16,
}

const FREE: u16 = u16::MAX;

/// Keys by deadline. Insert, cancel and hand out are O(1); a timer is moved down at most 7 levels.
///
/// A key is handed out at the first tick at or after its deadline, never before: at most 0.26 ms late by
/// the wheel's doing. Keys of one tick come out in the order in which they were inserted, as long as they
/// were inserted with the same distance; no order is promised beyond the tick.
#[derive(Clone, Debug)]
pub struct Wheel {
    nodes: Vec<Node>,
    free: u32,
    /// Head of each slot's circular list.
    heads: Box<[u32; LEVELS * SLOTS]>,
    occupied: [u64; LEVELS],
    /// No slot with timers begins before this tick.
    soonest: u64,
    /// Everything before this tick was handed out; what is left in its slot is due.
    now: u64,
    len: usize,
}

impl Default for Wheel {
    fn default() -> Self {
        Self::new(Nanos::ZERO)
    }
}

impl Wheel {
    /// An empty wheel that stands at `now`.
    #[must_use]
    pub fn new(now: Nanos) -> Self {
        Self {
            nodes: Vec::new(),
            free: NIL,
            heads: Box::new([NIL; LEVELS * SLOTS]),
            occupied: [0; LEVELS],
            soonest: u64::MAX,
            now: now.0 >> TICK_BITS,
            len: 0,
        }
    }

    /// Timers that are set.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// No timer is set.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets a timer: `key` comes out of [`Wheel::pop_due`] at `deadline`, or at the next tick if that is
    /// past already. A deadline of [`Nanos::NEVER`] is kept and never comes.
    pub fn insert(&mut self, deadline: Nanos, key: u32) -> TimerId {
        let tick = (deadline.0 >> TICK_BITS) + u64::from(deadline.0 & ((1 << TICK_BITS) - 1) != 0);
        let node = Node { tick: tick.max(self.now + 1), key, prev: NIL, next: NIL, list: FREE };
        let index = if self.free == NIL {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        } else {
            let index = self.free;
            self.free = self.nodes[index as usize].next;
            self.nodes[index as usize] = node;
            index
        };
        self.len += 1;
        self.place(index);
        TimerId(index)
    }

    /// Takes a timer back. One that is not set is left alone.
    pub fn cancel(&mut self, timer: TimerId) {
        if self.nodes.get(timer.0 as usize).is_some_and(|node| node.list != FREE) {
            self.unlink(timer.0);
            self.release(timer.0);
        }
    }

    /// The next key whose deadline is not after `now`; `None` when all of them were handed out, and the
    /// wheel stands at `now` then. Time that goes back is ignored.
    #[inline]
    pub fn pop_due(&mut self, now: Nanos) -> Option<u32> {
        let target = (now.0 >> TICK_BITS).max(self.now);
        while self.soonest <= target {
            let next = self.next_slot();
            self.soonest = next.map_or(u64::MAX, |(_, tick)| tick);
            let Some((list, tick)) = next.filter(|(_, tick)| *tick <= target) else { break };
            self.now = tick;
            if usize::from(list) >= SLOTS {
                self.open(list);
                continue;
            }
            // A slot of the lowest level is one tick: all of it is due.
            let due = self.heads[usize::from(list)];
            let key = self.nodes[due as usize].key;
            self.unlink(due);
            self.release(due);
            return Some(key);
        }
        self.now = target;
        None
    }

    /// When to call [`Wheel::pop_due`] next: never before the instant it was last called with and, once
    /// it has returned `None`, strictly after it. May be early (a slot of a higher level must be opened),
    /// never late. O(levels).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Nanos> {
        // A tick beyond the last instant of the clock (NEVER, rounded up) does not come.
        let (_, tick) = self.next_slot()?;
        (tick <= u64::MAX >> TICK_BITS).then_some(Nanos(tick << TICK_BITS))
    }

    /// The first slot with timers, and its tick. All timers of a level lie behind the present slot of
    /// that level (in it, on the lowest, where it is one tick) and before the next of the level above, so the
    /// lowest level that has any has the next.
    #[inline]
    fn next_slot(&self) -> Option<(u16, u64)> {
        for (level, occupied) in self.occupied.iter().enumerate() {
            if *occupied != 0 {
                let slot = occupied.trailing_zeros();
                let shift = level as u32 * SLOT_BITS;
                let above = (self.now >> shift >> SLOT_BITS) << SLOT_BITS;
                return Some(((level * SLOTS) as u16 + slot as u16, (above | u64::from(slot)) << shift));
            }
        }
        None
    }

    /// Moves every timer of a slot to where it belongs now that the wheel stands at the slot's tick.
    fn open(&mut self, list: u16) {
        let head = core::mem::replace(&mut self.heads[list as usize], NIL);
        self.occupied[list as usize / SLOTS] &= !(1 << (list as usize % SLOTS));
        if head == NIL {
            return;
        }
        let mut index = head;
        loop {
            let next = self.nodes[index as usize].next;
            self.place(index);
            if next == head {
                break;
            }
            index = next;
        }
    }

    /// Links a node into the slot of its tick: the level is that of the highest bit in which its tick
    /// differs from now.
    #[inline]
    fn place(&mut self, index: u32) {
        let tick = self.nodes[index as usize].tick;
        let level = (63 - (tick ^ self.now | 1).leading_zeros()) / SLOT_BITS;
        let first = tick >> (level * SLOT_BITS);
        let slot = first as usize % SLOTS;
        self.occupied[level as usize] |= 1 << slot;
        self.soonest = self.soonest.min(first << (level * SLOT_BITS));
        let list = (level as usize * SLOTS + slot) as u16;
        let head = self.heads[list as usize];
        let (prev, next) = if head == NIL {
            self.heads[list as usize] = index;
            (index, index)
        } else {
            (self.nodes[head as usize].prev, head)
        };
        self.nodes[prev as usize].next = index;
        self.nodes[next as usize].prev = index;
        let node = &mut self.nodes[index as usize];
        (node.prev, node.next, node.list) = (prev, next, list);
    }

    #[inline]
    fn unlink(&mut self, index: u32) {
        let Node { prev, next, list, .. } = self.nodes[index as usize];
        if next == index {
            self.heads[list as usize] = NIL;
            self.occupied[list as usize / SLOTS] &= !(1 << (list as usize % SLOTS));
            return;
        }
        self.nodes[prev as usize].next = next;
        self.nodes[next as usize].prev = prev;
        if self.heads[list as usize] == index {
            self.heads[list as usize] = next;
        }
    }

    #[inline]
    fn release(&mut self, index: u32) {
        let node = &mut self.nodes[index as usize];
        (node.list, node.next) = (FREE, self.free);
        self.free = index;
        self.len -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TICK: u64 = 1 << TICK_BITS;

    #[derive(Clone, Debug)]
    enum Op {
        Insert(u64),
        Cancel(usize),
        Advance(u64),
    }

    fn span() -> impl Strategy<Value = u64> {
        // Every level gets its share: a number of bits first, then a number of that size.
        (0u32..62).prop_flat_map(|bits| 0..(1u64 << bits))
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => span().prop_map(Op::Insert),
            1 => any::<prop::sample::Index>().prop_map(|i| Op::Cancel(i.index(usize::MAX))),
            3 => span().prop_map(Op::Advance),
        ]
    }

    proptest! {
        #[test]
        fn every_key_comes_out_once_at_its_tick_unless_cancelled(
            ops in prop::collection::vec(op(), 1..300),
            start in span(),
        ) {
            let mut wheel = Wheel::new(Nanos(start));
            let (mut now, mut set) = (start, Vec::<(u64, u32, TimerId)>::new());
            for (key, op) in (0u32..).zip(ops) {
                match op {
                    Op::Insert(wait) => {
                        let deadline = now.saturating_add(wait);
                        set.push((deadline, key, wheel.insert(Nanos(deadline), key)));
                    }
                    Op::Cancel(_) if set.is_empty() => {}
                    Op::Cancel(which) => {
                        let (_, _, timer) = set.swap_remove(which % set.len());
                        wheel.cancel(timer);
                    }
                    Op::Advance(by) => {
                        now = now.saturating_add(by);
                        while let Some(key) = wheel.pop_due(Nanos(now)) {
                            let at = set.iter().position(|(_, k, _)| *k == key);
                            prop_assert!(at.is_some(), "key {} came twice or was cancelled", key);
                            let (deadline, _, _) = set.swap_remove(at.unwrap());
                            prop_assert!(deadline <= now, "early");
                        }
                        for (deadline, ..) in &set {
                            prop_assert!(deadline.saturating_add(2 * TICK) > now, "late");
                        }
                        let next = wheel.poll_timeout();
                        prop_assert!(next.is_none_or(|at| at.0 > now), "not strictly later");
                        let first = set.iter().map(|(deadline, ..)| *deadline).min();
                        if let (Some(first), Some(at)) = (first, next) {
                            prop_assert!(at.0 < first.max(now).saturating_add(2 * TICK), "wakes too late");
                        }
                    }
                }
                prop_assert_eq!(wheel.len(), set.len());
            }
        }
    }

    #[test]
    fn a_past_deadline_comes_at_the_next_tick() {
        let mut wheel = Wheel::new(Nanos::from_secs(1));
        wheel.insert(Nanos::ZERO, 9);
        assert_eq!(wheel.pop_due(Nanos::from_secs(1)), None);
        let next = wheel.poll_timeout().unwrap();
        assert!(next > Nanos::from_secs(1));
        assert_eq!(wheel.pop_due(next), Some(9));
        assert_eq!((wheel.pop_due(next), wheel.poll_timeout()), (None, None));
    }

    #[test]
    fn equal_deadlines_come_in_the_order_of_their_insertion() {
        let mut wheel = Wheel::new(Nanos::ZERO);
        for key in 0..100 {
            wheel.insert(Nanos::from_secs(3), key);
        }
        let out: Vec<u32> = core::iter::from_fn(|| wheel.pop_due(Nanos::from_millis(3_001))).collect();
        assert_eq!(out, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_stale_timer_id_cancels_nothing() {
        let mut wheel = Wheel::new(Nanos::ZERO);
        let timer = wheel.insert(Nanos(1), 1);
        wheel.cancel(timer);
        wheel.cancel(timer);
        wheel.cancel(TimerId::NONE);
        assert!(wheel.is_empty());
    }

    #[test]
    fn a_timer_at_the_end_of_time_is_kept_and_never_comes() {
        let mut wheel = Wheel::new(Nanos::ZERO);
        wheel.insert(Nanos::NEVER, 1);
        assert_eq!((wheel.pop_due(Nanos(u64::MAX - 1)), wheel.len()), (None, 1));
    }
}
