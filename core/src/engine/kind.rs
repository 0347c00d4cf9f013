//! One bot kind as the engine runs it.
//!
//! What lives here: [`Kind`], its bot beside what is kept for all of its users (ids seen, the matchmaker, alarms, the
//! release gate), and `Load`, how much of it waits. Who decides with it are the rooms above; it decides nothing.

use super::alarms::Alarms;
use super::census::Counted;
use super::erased::ErasedBot;
use super::pairs::Pairs;
use super::threads::Echoes;
use crate::bot::Bot;
use crate::envelope::{Envelope, Place};
use crate::gate::dedup::Seen;
use crate::gate::rate::Rate;
use crate::matchmaker::{Rules, Size};
use crate::sync::lock::Mutex;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

/// One kind's settings as the engine needs them.
pub struct Kind {
    /// As its common state has it. Held for the length of a copy.
    pub(super) bot: Mutex<Arc<dyn ErasedBot>>,
    pub(super) lanes: u16,
    /// As it was made; see [`Kind::rate`].
    rate: Rate,
    /// One set of ids per lane.
    pub(super) seen: Box<[Mutex<Seen>]>,
    pub(super) released: AtomicBool,
    pub(super) load: Load,
    /// For a kind that brings people together.
    pub(super) pairs: Option<Pairs>,
    pub(super) alarms: Alarms,
    pub(super) echoes: Echoes,
    pub(super) counts: Counted,
}

impl Kind {
    /// A kind with `lanes` tokens whose users may write `rate`.
    #[must_use]
    pub fn new(bot: impl Bot, lanes: u16, rate: Rate) -> Self {
        let seen = (0..lanes).map(|_| Mutex::new(Seen::new())).collect();
        let load = Load {
            stamped: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            per_s: AtomicU32::new(u32::from(lanes) * 30),
        };
        let released = AtomicBool::new(false);
        let bot: Mutex<Arc<dyn ErasedBot>> = Mutex::new(Arc::new(bot));
        let (pairs, alarms, echoes, counts) = Default::default();
        Self { bot, lanes, rate, seen, released, load, pairs, alarms, echoes, counts }
    }

    pub(super) fn bot(&self) -> Arc<dyn ErasedBot> {
        Arc::clone(&self.bot.lock())
    }

    /// How often one user may write now.
    pub(super) fn rate(&self) -> Rate {
        self.bot.lock().rate().map_or(self.rate, |(count, per)| Rate::new(count, per))
    }

    /// From here on the kind is as this state of [`crate::bot::COMMON`] has it. Called under that user's lock.
    pub(super) fn set_common(&self, state: &[u8]) {
        // A state that cannot be read is a bug; the settings stay as they were.
        if let Ok(Some(bot)) = self.bot().under(state) {
            *self.bot.lock() = bot;
        }
    }

    /// The same, with a matchmaker: its bot may want partners. `size.users` bounds who may ever have wanted
    /// one since the start, at 256 bytes each, touched as they come.
    #[must_use]
    pub fn with_pairs(self, rules: Rules, size: Size) -> Self {
        Self { pairs: Some(Pairs::new(rules, size)), ..self }
    }
}

/// How much of a kind waits, for telling people their place. Statistics: relaxed.
pub(super) struct Load {
    pub(super) stamped: AtomicU64,
    pub(super) ended: AtomicU64,
    /// Messages that left in the last second, as the outbound thread saw it.
    pub(super) per_s: AtomicU32,
}

impl Load {
    /// The place of an envelope in the queue, 0 for one that takes no turn.
    pub(super) fn stamp(&self, envelope: &Envelope) -> u64 {
        if envelope.place == Place::InOrder && !envelope.held {
            self.stamped.fetch_add(1, Relaxed) + 1
        } else {
            0
        }
    }
}
