//! One bot's long poll as a state machine: no clock, no socket.
//!
//! What lives here: [`Feed`]. It says what to ask next ([`Feed::next`]) and is told what came
//! ([`Feed::heard`], [`Feed::troubled`]). Its one rule: the offset moves past an update only when the journal
//! is durable up to the frame which that update caused, because the next call's offset makes the platform
//! forget everything before it.

use nobat_core::id::{Seq, UpdateId};
use nobat_core::time::Nanos;
use std::time::Duration;

/// After a batch that was put off, and while the disk takes nothing.
const BUSY: Duration = Duration::from_secs(1);
/// The platform delays a second poller by 3 s itself; before that it is not worth asking.
const OTHER_POLLER: Duration = Duration::from_secs(3);
/// A webhook that somebody else has to remove.
const WEBHOOK: Duration = Duration::from_secs(15);
/// A token comes back only by hand.
const TOKEN_DEAD: Duration = Duration::from_secs(60);
/// The first pause after a failure; doubled up to [`FAILED_MAX`].
const FAILED: Duration = Duration::from_millis(500);
const FAILED_MAX: Duration = Duration::from_secs(30);

/// What to send for a bot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    /// Updates, held by the platform while there are none; an offset makes it forget all before. It is sent
    /// until it was answered and not again: numbers start anew at random after a quiet week, perhaps below it.
    Updates(Option<UpdateId>),
    /// The same offset once more, without waiting for updates: the process ends, and what was taken must not
    /// be delivered to its successor.
    Confirm(UpdateId),
    /// `deleteWebhook`.
    ClearWebhook,
}

/// A batch, as far as it was decided.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Batch {
    /// The last update that was decided; all before it in the batch were, too.
    pub(super) last: Option<UpdateId>,
    /// Durable up to here, and all that was decided is.
    pub(super) after: Seq,
    /// The rest was put off.
    pub(super) busy: bool,
}

/// Why no updates came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    OtherPoller,
    WebhookActive,
    TokenDead,
    RetryAfter(Duration),
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// To be asked at this moment.
    Due(Nanos),
    /// Asked, and not answered yet.
    Asked(Ask),
    /// Decided up to before `offset`, and not yet durable. Then due at `again`.
    Committing { after: Seq, offset: UpdateId, again: Nanos },
    /// Nothing more is asked.
    Over,
}

/// One bot's long poll.
#[derive(Debug)]
pub(super) struct Feed {
    phase: Phase,
    /// All before it are durable here.
    offset: Option<UpdateId>,
    /// The platform has forgotten all before it.
    confirmed: Option<UpdateId>,
    failures: u32,
    /// The last call was answered well.
    good: bool,
    stopping: bool,
}

impl Feed {
    /// To be asked at `now`. Without an offset: the platform gives what nobody confirmed.
    pub(super) const fn new(now: Nanos) -> Self {
        Self {
            phase: Phase::Due(now),
            offset: None,
            confirmed: None,
            failures: 0,
            good: false,
            stopping: false,
        }
    }

    /// What to ask now, if anything. `durable`: how far the journal is; none: it takes nothing.
    pub(super) fn next(&mut self, now: Nanos, durable: Option<Seq>) -> Option<Ask> {
        if let Phase::Committing { after, offset, again } = self.phase
            && durable.is_some_and(|durable| after <= durable)
        {
            self.offset = Some(offset);
            self.phase = Phase::Due(again);
        }
        let Phase::Due(at) = self.phase else { return None };
        if self.stopping {
            let owed = self.unconfirmed();
            self.phase = owed.map_or(Phase::Over, |offset| Phase::Asked(Ask::Confirm(offset)));
            return owed.map(Ask::Confirm);
        }
        if at > now {
            return None;
        }
        if durable.is_none() {
            self.phase = Phase::Due(now.after(BUSY));
            return None;
        }
        let ask = Ask::Updates(self.unconfirmed());
        self.phase = Phase::Asked(ask);
        Some(ask)
    }

    /// Whether the platform may hold the next call. The first, and the first after a trouble, shall be answered
    /// at once: the operator wants to know.
    pub(super) const fn may_be_held(&self) -> bool {
        self.good
    }

    /// What is asked and not answered.
    pub(super) const fn asked(&self) -> Option<Ask> {
        match self.phase {
            Phase::Asked(ask) => Some(ask),
            _ => None,
        }
    }

    /// An answer with updates came, and they were decided as `batch` says.
    pub(super) fn heard(&mut self, now: Nanos, batch: Batch) {
        let asked = self.answered();
        (self.failures, self.good) = (0, true);
        match asked {
            Some(Ask::Updates(Some(offset))) => self.confirmed = Some(offset),
            Some(Ask::Confirm(_)) => {
                self.phase = Phase::Over;
                return;
            }
            Some(Ask::Updates(None) | Ask::ClearWebhook) | None => {}
        }
        let again = if batch.busy { now.after(BUSY) } else { now };
        self.phase = match batch.last {
            Some(last) => {
                Phase::Committing { after: batch.after, offset: UpdateId(last.0.saturating_add(1)), again }
            }
            None => Phase::Due(again),
        };
    }

    /// No updates came. `clear`: a webhook that stands in the way is removed at once.
    pub(super) fn troubled(&mut self, now: Nanos, trouble: Trouble, clear: bool) -> Option<Ask> {
        let asked = self.answered();
        self.good = false;
        if let Some(Ask::Confirm(_)) = asked {
            // Not worth a second try: the successor meets duplicates, and knows them.
            self.phase = Phase::Over;
            return None;
        }
        if trouble == Trouble::WebhookActive && clear && !self.stopping {
            self.phase = Phase::Asked(Ask::ClearWebhook);
            return Some(Ask::ClearWebhook);
        }
        self.phase = Phase::Due(now.after(self.pause(trouble)));
        None
    }

    fn pause(&mut self, trouble: Trouble) -> Duration {
        match trouble {
            Trouble::OtherPoller => OTHER_POLLER,
            Trouble::WebhookActive => WEBHOOK,
            Trouble::TokenDead => TOKEN_DEAD,
            Trouble::RetryAfter(wait) => wait,
            Trouble::Failed => {
                self.failures += 1;
                FAILED.saturating_mul(1 << (self.failures - 1).min(10)).min(FAILED_MAX)
            }
        }
    }

    fn unconfirmed(&self) -> Option<UpdateId> {
        self.offset.filter(|_| self.offset != self.confirmed)
    }

    fn answered(&self) -> Option<Ask> {
        debug_assert!(self.asked().is_some(), "an answer that nobody waits for");
        self.asked()
    }

    /// Asks for nothing new: what is held by the platform is given up, what was taken is confirmed.
    pub(super) fn stop(&mut self, now: Nanos) {
        self.stopping = true;
        if matches!(self.phase, Phase::Asked(_)) {
            self.phase = Phase::Due(now);
        }
    }

    /// Nothing more is asked, and nothing is awaited.
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// When [`Feed::next`] has something to do although nothing came.
    pub(super) const fn due(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Due(at) => Some(at),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
