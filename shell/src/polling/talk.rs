//! What one bot's poll says: its requests to the platform, and its troubles to the operator.
//!
//! What lives here: [`Talk`] and [`Word`]. A trouble is said when it begins, each minute while it lasts or comes
//! back (two pollers end each other in turns), and when it is over; not at every try.

use super::feed::{Ask, Trouble};
use crate::channel::telegram::polling::{self, BATCH, Polled, Polls};
use crate::channel::telegram::{Encoder, RequestHead};
use crate::outbound::client::{Answer, Failure};
use crate::say;
use crate::updates::Bot;
use core::mem::discriminant;
use core::ops::ControlFlow;
use nobat_core::id::{BotId, LaneIx};
use nobat_core::time::Nanos;
use std::time::Duration;

/// How often a trouble that lasts is said again.
const AGAIN: Duration = Duration::from_secs(60);

/// How a call ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// Good; with updates, or without.
    Good { empty: bool },
    /// Not good, and why in words.
    Bad(Trouble, String),
}

impl Word {
    pub(super) fn of(polled: Polled) -> Self {
        let bad = |trouble| Self::Bad(trouble, String::new());
        match polled {
            Polled::Updates(shown) => Self::Good { empty: shown == 0 },
            Polled::OtherPoller => bad(Trouble::OtherPoller),
            Polled::WebhookActive => bad(Trouble::WebhookActive),
            Polled::TokenDead => bad(Trouble::TokenDead),
            Polled::RetryAfter(wait) => bad(Trouble::RetryAfter(wait)),
            Polled::Failed(why) => Self::Bad(Trouble::Failed, why),
        }
    }

    pub(super) fn failed(failure: Failure) -> Self {
        Self::Bad(Trouble::Failed, failure.to_string())
    }

    pub(super) const fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Good { .. } => None,
            Self::Bad(trouble, _) => Some(*trouble),
        }
    }

    /// Its place among the values of `nobat_polls_total`.
    pub(super) const fn index(&self) -> usize {
        match self {
            Self::Good { empty: false } => 0,
            Self::Good { empty: true } => 1,
            Self::Bad(Trouble::OtherPoller, _) => 2,
            Self::Bad(Trouble::WebhookActive, _) => 3,
            Self::Bad(Trouble::TokenDead, _) => 4,
            Self::Bad(Trouble::RetryAfter(_), _) => 5,
            Self::Bad(Trouble::Failed, _) => 6,
        }
    }
}

/// The answer to a call whose updates, if any, are not for us: a confirmation, a removal.
pub(super) fn plain(polls: &mut Polls, mut answer: Answer) -> Word {
    if answer.status == 200 {
        return Word::Good { empty: true };
    }
    let polled = polls.read(answer.status, answer.retry_after, &mut answer.body, |_| ControlFlow::Break(()));
    Word::of(polled)
}

/// One bot's voice.
pub(super) struct Talk {
    head: RequestHead,
    bot: BotId,
    /// The kinds of updates that are asked for.
    allowed: &'static [&'static str],
    encoder: Encoder,
    /// Of the last call.
    tag: u32,
    /// The trouble that was said last, and when.
    said: Option<(Trouble, Nanos)>,
    /// That it is over was not said yet.
    owes_all_clear: bool,
}

impl Talk {
    pub(super) fn new(bot: Bot, head: RequestHead, allowed: &'static [&'static str]) -> Self {
        let (bot, encoder) = (bot.id, Encoder::new());
        Self { head, bot, allowed, encoder, tag: 0, said: None, owes_all_clear: false }
    }

    /// Writes the request and gives its tag.
    pub(super) fn request(&mut self, ask: Ask, hold: Duration, out: &mut Vec<u8>) -> u64 {
        let (method, params) = match ask {
            Ask::Updates(offset) => ("getUpdates", polling::ask(offset, BATCH, hold, self.allowed)),
            Ask::Confirm(offset) => {
                ("getUpdates", polling::ask(Some(offset), 1, Duration::ZERO, self.allowed))
            }
            Ask::ClearWebhook => ("deleteWebhook", polling::clear()),
        };
        self.encoder.method(&self.head, method, &params, out);
        self.tag = self.tag.wrapping_add(1);
        u64::from(self.tag)
    }

    /// Whether this is the tag of the last call.
    pub(super) const fn awaits(&self, tag: u32) -> bool {
        self.tag == tag
    }

    /// Tells the operator, if it is worth telling.
    pub(super) fn tell(&mut self, now: Nanos, lane: LaneIx, word: &Word, clears: bool) {
        let bot = self.bot;
        let Word::Bad(trouble, why) = word else {
            if std::mem::take(&mut self.owes_all_clear) {
                say!(Info, "updates come by long polling", lane = lane, bot = bot);
            }
            return;
        };
        let known = self
            .said
            .is_some_and(|(said, at)| discriminant(&said) == discriminant(trouble) && now.since(at) < AGAIN);
        if known {
            return;
        }
        self.said = Some((*trouble, now));
        self.owes_all_clear = true;
        match trouble {
            Trouble::OtherPoller => {
                say!(Warn, "another instance polls this token: stop it; trying again", lane = lane, bot = bot)
            }
            Trouble::WebhookActive if clears => {
                say!(Warn, "the bot has a webhook: it is removed, polling is forced", lane = lane, bot = bot);
            }
            Trouble::WebhookActive => say!(
                Error,
                "the bot has a webhook, so it cannot be polled: run `nobat webhook clear`, or set FORCE_POLLING=true; \
                 or say with NOBAT_LISTEN and WEBHOOK_URL where webhooks arrive",
                lane = lane,
                bot = bot
            ),
            Trouble::TokenDead => say!(
                Error,
                "the platform refuses this lane's token, its updates are not heard: copy it again from @BotFather",
                lane = lane,
                bot = bot
            ),
            Trouble::RetryAfter(wait) => say!(
                Warn,
                "the platform answered 429 to a poll",
                lane = lane,
                bot = bot,
                retry_after_s = wait.as_secs()
            ),
            Trouble::Failed => {
                say!(
                    Warn,
                    "updates cannot be asked for, trying again: {why}; `nobat doctor` looks closer",
                    lane = lane,
                    bot = bot
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metric_knows_every_word() {
        let bad = |trouble| Word::Bad(trouble, String::new()).index();
        let all = [
            Word::Good { empty: false }.index(),
            Word::Good { empty: true }.index(),
            bad(Trouble::OtherPoller),
            bad(Trouble::WebhookActive),
            bad(Trouble::TokenDead),
            bad(Trouble::RetryAfter(Duration::ZERO)),
            bad(Trouble::Failed),
        ];
        assert_eq!(all, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(crate::observe::names::POLL_OUTCOMES.len(), all.len());
    }

    #[test]
    fn the_answer_to_a_confirmation_is_read_by_its_status() {
        let answer = |status, body: &str| Answer { status, retry_after: None, body: body.into() };
        let mut polls = Polls::new();
        assert_eq!(
            plain(&mut polls, answer(200, "{\"ok\":true,\"result\":true}")),
            Word::Good { empty: true }
        );
        let refused = plain(&mut polls, answer(401, "{\"ok\":false}"));
        assert_eq!(refused.trouble(), Some(Trouble::TokenDead));
    }
}
