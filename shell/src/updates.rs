//! An update on its way to the engine, however it came: by webhook or by long polling.
//!
//! What lives here: [`Updates`], the one door to the engine, with its counters and its log line; [`Bot`],
//! whose update it is; [`Durable`], what may be acknowledged. The webhook and the poller call it. It decides
//! nothing about a user, and it acknowledges nothing: whoever brought the update does, once the journal is
//! durable up to the frame that [`Taken::After`] names.

use crate::channel::telegram::Update;
use crate::clock::Clock;
use crate::observe::{Registry, Sampler, log, names};
use crate::say;
use nobat_core::engine::{Admitted, AdmittedAs, Busy, Engine, Inbound, Journal};
use nobat_core::id::{BotId, KindIx, LaneIx, Seq};
use nobat_core::time::{Nanos, Now};
use std::sync::Arc;

/// A bot of this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bot {
    /// Which kind.
    pub kind: KindIx,
    /// Which of its lanes.
    pub lane: LaneIx,
    /// The platform's number of it.
    pub id: BotId,
}

/// What is durable.
pub trait Durable: Send + Sync {
    /// Every frame up to and including this one survives a crash.
    fn durable(&self) -> Seq;
    /// The disk takes nothing at present (full, or a sync failed): take nothing.
    fn stalled(&self) -> bool;
    /// Nothing new is taken any more, on purpose: what comes is another's, or a later process's.
    fn draining(&self) -> bool {
        false
    }
}

/// What became of an update.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// Nothing of ours: a channel post, a poll, a kind we do not know. Acknowledge it at once; refused, it
    /// would come again and hold others up.
    NotOurs,
    /// May be acknowledged once the journal is durable up to here.
    After(Seq),
    /// The platform is to keep it; nothing was changed.
    Busy(Busy),
}

/// The door. Shared by all threads that bring updates.
pub struct Updates<J> {
    /// Where updates are decided.
    pub engine: Arc<Engine<J>>,
    /// What may be acknowledged.
    pub durable: Arc<dyn Durable>,
    /// Counters.
    pub registry: Arc<Registry>,
    /// Bounds the log lines about single updates.
    pub sampler: Sampler,
    /// Bounds the log lines about updates put off.
    pub put_off_lines: Sampler,
    /// For those lines.
    pub clock: Clock,
    /// How many lanes share the users by home, for the log; 0 where the bot that was written to answers.
    pub lanes: u16,
}

impl<J: Journal> Updates<J> {
    /// Has the engine decide one update of `bot`.
    pub fn take(&self, now: Now, bot: Bot, update: &Update<'_>) -> Taken {
        self.registry.inc_at(names::UPDATES, update.kind as usize);
        let Some(inbound) = inbound(bot, update) else { return Taken::NotOurs };
        match self.engine.handle_update(now, &inbound) {
            Ok(admitted) => {
                self.count(now.mono, &inbound, admitted);
                Taken::After(admitted.after)
            }
            Err(busy) => {
                self.put_off(busy);
                Taken::Busy(busy)
            }
        }
    }

    /// Counts an update that the platform is to keep.
    pub fn put_off(&self, why: Busy) {
        self.registry.inc_at(names::UPDATES_REFUSED, names::OVERLOAD);
        if let Some(others) = self.put_off_lines.admit(self.clock.mono()) {
            let remedy = remedy(why);
            say!(
                Warn,
                "updates are put off, the platform keeps them and delivers again: {why}; {remedy}",
                others_meanwhile = others
            );
        }
    }

    fn count(&self, now: Nanos, inbound: &Inbound<'_>, admitted: Admitted) {
        match admitted.as_what {
            AdmittedAs::Decided => {}
            AdmittedAs::Quiet => self.registry.inc(names::COALESCED),
            AdmittedAs::Duplicate => self.registry.inc(names::UPDATES_DUPLICATE),
            AdmittedAs::TooFast => self.registry.inc(names::RATE_LIMITED),
        }
        if log::enabled(log::Level::Info)
            && let Some(suppressed) = self.sampler.admit(now)
        {
            let (user, lane) = (inbound.user, inbound.lane);
            let backend = if self.lanes == 0 { lane } else { user.home(self.lanes) };
            say!(
                Info,
                "Update from user {user}, backend bot {backend}",
                lane = lane,
                suppressed = suppressed
            );
        }
    }
}

/// What an operator can do about it.
const fn remedy(why: Busy) -> &'static str {
    match why {
        Busy::Journal => "look at the disk of the data directory (`nobat doctor` measures it)",
        Busy::Pending => {
            "they go on as answers leave: look at nobat_envelopes_pending and the lanes, or raise limits.pending"
        }
    }
}

/// The update as the engine wants it; `None` if it is nobody's private conversation.
fn inbound<'a>(bot: Bot, update: &Update<'a>) -> Option<Inbound<'a>> {
    let (user, chat) = update.conversation()?;
    Some(Inbound {
        kind: bot.kind,
        lane: bot.lane,
        update: update.update_id,
        user,
        chat,
        language: update.language,
        input: update.input()?,
    })
}
