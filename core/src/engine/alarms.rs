//! Whom to ring when: the timed rescans of the matchmaker and the alarms that kinds ask for.
//!
//! What lives here: [`Alarms`], at most one entry a user, and the calls by which the shell drives them:
//! [`Engine::next_alarm`] and [`Engine::wake`]. Nothing here is durable: a rescan's time comes from the
//! matchmaker, an alarm's from the user's ties.

use super::cell::{Cell, Taken, those};
use super::settle::Settled;
use super::turn::Turn;
use super::{Busy, Engine, Journal, Rank};
use crate::bot::{Input, Unmatched};
use crate::envelope::Conversation;
use crate::id::{KindIx, UserId};
use crate::limits::ASIDE_BYTES_MAX;
use crate::matchmaker::Woken;
use crate::sync::lock::Mutex;
use crate::time::{Nanos, Now};
use std::collections::BTreeSet;

/// The alarms of one kind. About 20 bytes each.
#[derive(Default)]
pub(super) struct Alarms(Mutex<BTreeSet<(Nanos, UserId)>>);

impl Alarms {
    /// Sets his alarm to the earlier of what the matchmaker and the kind want. Called under his lock.
    pub(super) fn set(&self, user: UserId, cell: &mut Cell, now: Now) {
        let Some(ties) = cell.ties.as_mut() else { return };
        let rescan = ties.rescan.unwrap_or(Nanos::NEVER);
        let next = ties.alarm.map_or(rescan, |at| rescan.min(now.mono_of(at)));
        let old = core::mem::replace(&mut ties.rings, next);
        if old != next {
            let mut due = self.0.lock();
            due.remove(&(old, user));
            if next != Nanos::NEVER {
                due.insert((next, user));
            }
        }
    }

    fn next(&self) -> Option<Nanos> {
        self.0.lock().first().map(|(at, _)| *at)
    }

    /// Someone whose alarm has come; it is gone then.
    fn pop(&self, now: Nanos) -> Option<UserId> {
        let mut due = self.0.lock();
        let first = *due.first().filter(|(at, _)| *at <= now)?;
        due.remove(&first);
        Some(first.1)
    }

    fn put_back(&self, user: UserId, now: Nanos) {
        self.0.lock().insert((now, user));
    }
}

impl<J: Journal> Engine<J> {
    /// When [`Engine::wake`] will next have someone to ring.
    #[must_use]
    pub fn next_alarm(&self) -> Option<Nanos> {
        // Who is to hear something hears it at once.
        let due =
            |kind: &super::Kind| if kind.echoes_wait() { Some(Nanos::ZERO) } else { kind.alarms.next() };
        self.kinds.iter().filter_map(due).min()
    }

    /// Rings those whose time has come and tells those who are to hear something, `at_most` so many; returns how
    /// many that were. Call it when
    /// [`Engine::next_alarm`] has come, and again while it returns `at_most`.
    ///
    /// # Errors
    /// [`Busy`] if the journal has no room: call again after the next commit, nobody is forgotten.
    pub fn wake(&self, now: Now, at_most: usize) -> Result<usize, Busy> {
        let mut rung = 0;
        for (index, kind) in self.kinds.iter().enumerate() {
            rung += self.hear(now, KindIx(index as u8), at_most - rung)?;
            while rung < at_most {
                let Some(user) = kind.alarms.pop(now.mono) else { break };
                let conversation = Conversation { kind: KindIx(index as u8), user };
                if let Err(busy) = self.ring(now, conversation) {
                    kind.alarms.put_back(user, now.mono);
                    return Err(busy);
                }
                rung += 1;
            }
        }
        Ok(rung)
    }

    fn ring(&self, now: Now, conversation: Conversation) -> Result<(), Busy> {
        let kind = &self.kinds[conversation.kind.index()];
        while let Settled::Other = self.rescan(now, conversation)? {}
        let (lane, due) = {
            let cell = self.cells.of(conversation);
            let mut cell = cell.lock();
            let due = cell.ties.as_ref().and_then(|ties| Some((ties.lane, ties.alarm?)));
            kind.alarms.set(conversation.user, &mut cell, now);
            match due.filter(|(_, at)| *at <= now.wall) {
                Some(due) => due,
                None => return Ok(()),
            }
        };
        let turn = Turn {
            kind: conversation.kind,
            user: conversation.user,
            update: None,
            lane,
            chat: conversation.user.private_chat(),
            language: "",
            input: &Input::Alarm { due },
        };
        self.take(now, &turn).map(|_| ())
    }

    /// Lets the matchmaker look at a ticket again, or settles what it has made of it meanwhile.
    fn rescan(&self, now: Now, conversation: Conversation) -> Result<Settled, Busy> {
        let (user, kind) = (conversation.user, &self.kinds[conversation.kind.index()]);
        let Some(pairs) = &kind.pairs else { return Ok(Settled::Nothing) };
        let room = self.journal.reserve(2 * ASIDE_BYTES_MAX, Rank::Ordinary).ok_or(Busy::Journal)?;
        let taken = Taken::of(&self.cells, conversation, those(user, None));
        let mut held = taken.lock();
        let Some(cell) = held.cell(user) else { return Ok(Settled::Nothing) };
        let unsettled = pairs.unsettled(cell).is_some();
        let Some(ties) = cell.ties.as_mut() else { return Ok(Settled::Nothing) };
        if ties.rings <= now.mono {
            ties.rings = Nanos::NEVER; // It was popped.
        }
        let mut paired = unsettled;
        if !unsettled && ties.rescan.is_some_and(|at| at <= now.mono) {
            ties.rescan = None;
            match pairs.wake(ties, now.mono) {
                Woken::Paired(_) => paired = true,
                Woken::Waiting { wake } => ties.rescan = Some(wake),
                Woken::Idle => {}
                Woken::Expired => {
                    self.unmatched(now, kind, conversation, &mut held, Unmatched::Expired, room);
                    return Ok(Settled::Nothing);
                }
            }
        }
        drop(held);
        if paired {
            return Ok(self.settle_pair(now, conversation, room));
        }
        Ok(Settled::Nothing)
    }
}
