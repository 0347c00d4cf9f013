//! A lane: one credential with its window, in-flight cap, health, and those whose turn comes.
//!
//! What lives here: [`Lane`], the gate that says whether anything may leave through it now, and [`LaneSet`],
//! the lanes worth looking at. It decides about the lane, never about a conversation.

use super::aimd::Aimd;
use super::calendar::Calendar;
use super::config::PacerConfig;
use super::dialogue::Dialogue;
use super::health::{Health, LaneHealth};
use super::reach::Tries;
use super::slab::{List, NIL, Slab};
use super::turns::Turns;
use crate::bucket::{NotBefore, Window};
use crate::envelope::Class;
use crate::id::{ChatId, LaneIx};
use crate::limits::{LANES_MAX, WINDOW};
use crate::time::Nanos;
use crate::wheel::TimerId;
use core::time::Duration;

/// What the gate says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gate {
    /// Nothing before this instant; [`Nanos::NEVER`]: until something happens.
    Shut(Nanos),
    /// It is down, and what is ready must look for another lane.
    Evacuate,
    /// A call of this class may leave.
    Call(Class),
    /// A message of this class may leave.
    Message(Class),
    /// A message ahead of its conversation may leave.
    Ahead,
}

#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub(super) window: Window,
    /// For each class with a ceiling below the lane's slots, a window of its own beside the lane's.
    pub(super) ceilings: [Option<Window>; 4],
    /// Of the bucket for calls that are not messages.
    pub(super) calls_tat: Nanos,
    pub(super) in_flight: u32,
    pub(super) health: Health,
    pub(super) paused: bool,
    /// The wait announced for the whole token.
    pub(super) frozen_until: Nanos,
    /// The chat refused last with 429, and until when: a second one while it runs widens the wait.
    pub(super) refused: Option<(ChatId, Nanos)>,
    /// After a 429 for one chat: one in flight at most, until a send that left after it is accepted.
    pub(super) cautious: bool,
    /// Those whose turn comes, by class; changed through the methods below only.
    pub(super) ready: [Calendar; 4],
    /// The classes that have any: bit c is class c.
    waiting: u8,
    /// A class has a ceiling.
    capped: bool,
    pub(super) held: [List<0>; 4],
    pub(super) calls: [List<0>; 4],
    /// Messages ahead of their conversations, first come first served.
    pub(super) ahead: List<0>,
    pub(super) turns: Turns,
    pub(super) timer: TimerId,
    pub(super) timer_at: Nanos,
    /// The window is empty until the timer: neither an answer nor what becomes ready changes that, so the
    /// lane is not asked before.
    pub(super) sleeps: bool,
    /// Envelopes that wait for this lane, by class.
    pub(super) pending: [u32; 4],
    pub(super) aimd: Option<Aimd>,
    /// When the window was last what held a ready conversation back.
    pub(super) starved_at: Option<Nanos>,
    pub(super) tries: Tries,
}

impl Lane {
    pub(super) fn new(config: &PacerConfig, now: Nanos) -> Self {
        let window =
            |slots| if config.spent { Window::spent(slots, WINDOW, now) } else { Window::new(slots, WINDOW) };
        let mut ceilings = config.ceilings;
        if config.adaptive.is_some() {
            // What grows is the ceiling of replies. Bulk is what the platform's number was said of.
            ceilings[Class::Bulk as usize].get_or_insert(config.slots);
        }
        Self {
            window: window(config.slots),
            ceilings: ceilings.map(|ceiling| ceiling.map(window)),
            calls_tat: if config.spent { config.calls.spent(now) } else { Nanos::ZERO },
            in_flight: 0,
            health: Health::default(),
            paused: false,
            frozen_until: Nanos::ZERO,
            refused: None,
            cautious: false,
            ready: Default::default(),
            waiting: 0,
            capped: ceilings.iter().any(Option::is_some),
            held: [List::default(); 4],
            calls: [List::default(); 4],
            ahead: List::default(),
            turns: Turns::default(),
            timer: TimerId::NONE,
            timer_at: Nanos::NEVER,
            sleeps: false,
            pending: [0; 4],
            aimd: config.adaptive.map(|bounds| Aimd::new(bounds, config.slots)),
            starved_at: None,
            tries: Tries::default(),
        }
    }

    /// The class of the message that may leave at `now` through a lane that nothing troubles, as is the rule.
    /// `None`: [`Lane::gate`] knows. Takes nothing.
    #[inline(always)]
    pub(super) fn grants(&mut self, config: &PacerConfig, now: Nanos) -> Option<Class> {
        let odd = self.paused | self.cautious | self.capped;
        if odd || self.in_flight >= config.in_flight || !self.ahead.is_empty() {
            return None;
        }
        if !self.carries_ahead(now) || self.first_call().is_some() {
            return None;
        }
        let class = self.turns.choose(self.waiting)?;
        self.window.peek(now).ok()?;
        self.sleeps = false;
        Some(class)
    }

    /// Whether something may leave at `now`, and what. Takes nothing. O(classes).
    #[inline]
    pub(super) fn gate(&mut self, config: &PacerConfig, now: Nanos) -> Gate {
        self.sleeps = false;
        if self.carries_ahead(now) { self.next(config, now) } else { self.gate_of_troubled(config, now) }
    }

    /// The same for a lane that is frozen, paused, or not known to work.
    fn gate_of_troubled(&mut self, config: &PacerConfig, now: Nanos) -> Gate {
        if self.frozen_until > now && self.health.is_up() {
            return Gate::Shut(self.frozen_until);
        }
        match self.health.state {
            LaneHealth::Closed => {}
            LaneHealth::HalfOpen if self.in_flight == 0 => {}
            LaneHealth::HalfOpen => return Gate::Shut(Nanos::NEVER),
            LaneHealth::Open(_) | LaneHealth::Dead if self.evacuates() => return Gate::Evacuate,
            LaneHealth::Open(until) => return Gate::Shut(until.max(self.frozen_until)),
            LaneHealth::Dead => return Gate::Shut(Nanos::NEVER),
        }
        if self.paused {
            return Gate::Shut(Nanos::NEVER);
        }
        self.next(config, now)
    }

    /// The same for a lane that is up.
    #[inline]
    fn next(&mut self, config: &PacerConfig, now: Nanos) -> Gate {
        let full = self.in_flight >= config.in_flight || (self.cautious && self.in_flight > 0);
        let mut shut = Nanos::NEVER;
        if let Some(class) = self.first_call() {
            match config.calls.peek(self.calls_tat, now) {
                Ok(()) if !full || class == Class::Urgent => return Gate::Call(class),
                Ok(()) => {}
                Err(NotBefore(at)) => shut = at,
            }
        }
        if full {
            return Gate::Shut(shut);
        }
        match self.message(now) {
            Ok(gate) => gate,
            Err(NotBefore(at)) => Gate::Shut(shut.min(at)),
        }
    }

    /// The highest class of a call that waits.
    #[inline]
    fn first_call(&self) -> Option<Class> {
        let [urgent, reply, relay, bulk] = &self.calls;
        // Of four empty lists all heads have all bits set.
        if urgent.head & reply.head & relay.head & bulk.head == NIL {
            return None;
        }
        Class::ALL.into_iter().find(|class| !self.calls[*class as usize].is_empty())
    }

    /// The classes that wait and whose ceiling has a token, and when else the first one has.
    fn under_ceilings(&mut self, now: Nanos) -> (u8, Nanos) {
        let (mut waiting, mut back) = (self.waiting, Nanos::NEVER);
        for (class, ceiling) in (0..).zip(&mut self.ceilings) {
            if let Some(ceiling) = ceiling
                && waiting & 1 << class != 0
                && let Err(NotBefore(at)) = ceiling.peek(now)
            {
                waiting &= !(1 << class);
                back = back.min(at);
            }
        }
        (waiting, back)
    }

    /// Whose turn it is among the messages, if the window has a token.
    #[inline]
    fn message(&mut self, now: Nanos) -> Result<Gate, NotBefore> {
        let (waiting, back) =
            if self.capped { self.under_ceilings(now) } else { (self.waiting, Nanos::NEVER) };
        let gate = if !self.ahead.is_empty() && self.turns.lets_ahead(waiting) {
            Gate::Ahead
        } else {
            Gate::Message(self.turns.choose(waiting).ok_or(NotBefore(back))?)
        };
        if let Err(NotBefore(at)) = self.window.peek(now) {
            self.starved_at = Some(now);
            self.sleeps = at != Nanos::NEVER;
            return Err(NotBefore(at));
        }
        Ok(gate)
    }

    /// Whether anything sits in it that must look for another lane.
    fn evacuates(&self) -> bool {
        let calls = self.health.state == LaneHealth::Dead && self.calls.iter().any(|list| !list.is_empty());
        calls || self.waiting != 0
    }

    /// Nothing is ready for it.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.waiting == 0
    }

    /// Takes in a conversation of `class` whose turn comes.
    #[inline]
    pub(super) fn insert_ready<'a>(
        &mut self,
        class: Class,
        nodes: &'a mut Slab<Dialogue>,
        d: u32,
    ) -> &'a mut Dialogue {
        self.waiting |= 1 << class as u8;
        self.ready[class as usize].insert(nodes, d)
    }

    /// Whether any of this class stands in it.
    pub(super) const fn has_ready(&self, class: usize) -> bool {
        self.waiting & 1 << class != 0
    }

    /// Takes out the one of this class whose turn it is. There must be one.
    #[inline]
    pub(super) fn pop_ready(&mut self, class: Class, nodes: &mut Slab<Dialogue>) -> u32 {
        let ready = &mut self.ready[class as usize];
        let d = ready.pop(nodes);
        self.waiting &= !(u8::from(ready.is_empty()) << class as u8);
        d
    }

    /// Takes one out.
    pub(super) fn remove_ready(&mut self, class: Class, nodes: &mut Slab<Dialogue>, d: u32) {
        let ready = &mut self.ready[class as usize];
        ready.remove(nodes, d);
        self.waiting &= !(u8::from(ready.is_empty()) << class as u8);
    }

    /// Takes the tokens of a message of `class` in whose turn it leaves.
    #[inline]
    pub(super) fn take(&mut self, class: Class, now: Nanos) {
        self.take_tokens(class, now);
        self.turns.took(class);
    }

    /// The slots that a message of `class` may take at most.
    pub(super) fn slots_for(&self, class: Class) -> u32 {
        let ceiling = self.ceilings[class as usize].as_ref().map_or(u32::MAX, Window::slots);
        self.window.slots().min(ceiling)
    }

    /// Whether there are tokens for a send of so many messages in whose turn it is; notes what holds it back.
    pub(super) fn peek_many(&mut self, class: Class, messages: u32, now: Nanos) -> Result<(), NotBefore> {
        if let Some(ceiling) = &mut self.ceilings[class as usize] {
            ceiling.peek_many(messages, now)?;
        }
        self.window.peek_many(messages, now).inspect_err(|_| self.starved_at = Some(now))
    }

    /// Takes the tokens of so many messages in one turn of `class`.
    pub(super) fn take_many(&mut self, class: Class, messages: u32, now: Nanos) {
        (0..messages).for_each(|_| self.take_tokens(class, now));
        self.turns.took(class);
    }

    /// Puts one back in front that was taken out for nothing.
    pub(super) fn put_back(&mut self, class: Class, nodes: &mut Slab<Dialogue>, d: u32) {
        self.waiting |= 1 << class as u8;
        self.ready[class as usize].put_back(nodes, d);
    }

    /// When the first call that waits may leave, if one waits.
    pub(super) fn call_at(&self, config: &PacerConfig, now: Nanos) -> Option<Nanos> {
        self.first_call()?;
        config.calls.peek(self.calls_tat, now).err().map(|NotBefore(at)| at)
    }

    /// Whether a message ahead of its conversation may still leave through it: only while it works.
    #[inline]
    pub(super) fn carries_ahead(&self, now: Nanos) -> bool {
        self.health.state == LaneHealth::Closed && !self.paused && self.frozen_until <= now
    }

    /// Takes the tokens of a message ahead of its conversation, of `class`; `false` if the class's ceiling
    /// has none.
    pub(super) fn take_ahead(&mut self, class: Class, now: Nanos) -> bool {
        if self.ceilings[class as usize].as_mut().is_some_and(|ceiling| ceiling.peek(now).is_err()) {
            return false;
        }
        self.take_tokens(class, now);
        self.turns.took_ahead();
        true
    }

    #[inline]
    fn take_tokens(&mut self, class: Class, now: Nanos) {
        debug_assert!(self.window.peek(now).is_ok(), "the gate is asked first");
        self.window.taken();
        if self.capped
            && let Some(ceiling) = &mut self.ceilings[class as usize]
        {
            let taken = ceiling.take(now);
            debug_assert!(taken.is_ok(), "the gate is asked first");
        }
    }

    /// A message of `class` was answered, or given up, at `now`.
    #[inline(always)]
    pub(super) fn answered(&mut self, class: Class, now: Nanos) {
        self.window.answered(now);
        if self.capped
            && let Some(ceiling) = &mut self.ceilings[class as usize]
        {
            ceiling.answered(now);
        }
    }

    /// So many more messages of that send were.
    #[cold]
    pub(super) fn answered_more(&mut self, class: Class, messages: u32, now: Nanos) {
        (0..messages).for_each(|_| self.answered(class, now));
    }

    /// A send was accepted after `latency`; `vouches` if it left after the lane's last 429.
    #[inline]
    pub(super) fn accepted(&mut self, vouches: bool, latency: Duration, now: Nanos) {
        self.health.answered();
        self.cautious &= !vouches;
        if let Some(aimd) = &mut self.aimd {
            let limited = self.starved_at.is_some_and(|at| now.since(at) < WINDOW * 2);
            aimd.accepted(now, latency, limited);
            self.window.set_slots(aimd.slots());
        }
    }

    /// A message of `class` never left.
    pub(super) fn give_back(&mut self, class: Class) {
        self.window.give_back();
        if let Some(ceiling) = &mut self.ceilings[class as usize] {
            ceiling.give_back();
        }
    }
}

/// A set of lanes, and whose turn it is among them.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct LaneSet {
    words: [u64; LANES_MAX / 64],
    cursor: u16,
}

/// Which word of a set tells of a lane. There are no more than [`LANES_MAX`].
const fn word_of(lane: LaneIx) -> usize {
    lane.index() / 64 % (LANES_MAX / 64)
}

impl LaneSet {
    #[inline]
    pub(super) fn insert(&mut self, lane: LaneIx) {
        self.words[word_of(lane)] |= 1 << (lane.index() % 64);
    }

    #[inline]
    pub(super) fn remove(&mut self, lane: LaneIx) {
        self.words[word_of(lane)] &= !(1 << (lane.index() % 64));
    }

    /// The next lane of the set at or after the cursor, around the end.
    #[inline]
    pub(super) fn next(&self) -> Option<LaneIx> {
        let (word, bit) = (word_of(LaneIx(self.cursor)), self.cursor % 64);
        let ahead = self.words[word] & (u64::MAX << bit);
        if ahead != 0 {
            return Some(LaneIx(word as u16 * 64 + ahead.trailing_zeros() as u16));
        }
        let n = self.words.len();
        (1..=n).map(|step| (word + step) % n).find_map(|word| {
            let bits = self.words[word];
            (bits != 0).then(|| LaneIx(word as u16 * 64 + bits.trailing_zeros() as u16))
        })
    }

    /// Puts the cursor behind a lane that had its turn.
    #[inline]
    pub(super) fn had_turn(&mut self, lane: LaneIx) {
        self.cursor = (lane.0 + 1) % LANES_MAX as u16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_take_turns_around_the_end() {
        let mut set = LaneSet::default();
        for lane in [0, 63, 64, 255] {
            set.insert(LaneIx(lane));
        }
        let mut seen = Vec::new();
        for _ in 0..6 {
            let lane = set.next().unwrap();
            set.had_turn(lane);
            seen.push(lane.0);
        }
        assert_eq!(seen, [0, 63, 64, 255, 0, 63]);
        for lane in [0, 63, 64, 255] {
            set.remove(LaneIx(lane));
        }
        assert_eq!(set.next(), None);
    }
}
