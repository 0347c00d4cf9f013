//! `getUpdates`: long polling, confirmed by offset, one poll at a time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::{Desk, Done, Refusal, Verdict};
use crate::telegram::counters::count;
use crate::telegram::delivery::pump::drop_expired;
use crate::telegram::delivery::queue::Confirmed;
use crate::telegram::fault::Stage;
use crate::telegram::params::Params;
use crate::telegram::world::{Bot, BotState, World};
use crate::wire::{At, Delivery, Wire};

const ACTIVE: &str = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
const OTHER: &str =
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
const SET: &str = "Conflict: terminated by setWebhook request";

/// Confirms what the offset passes, then waits until there is something to return, the poll's time is over,
/// or another call ends it. Returns the description of the 409 then.
pub(crate) async fn wait(world: &World, bot: &Bot, params: &Params) -> Option<&'static str> {
    let now = world.clock.now();
    let offset = params.integer("offset").unwrap_or(0);
    let asked = params.integer("timeout").and_then(|s| u64::try_from(s).ok()).unwrap_or(0);
    // A fault that stands in for the answer does not wait for updates.
    let struck = world.faults.is_sure_to_strike(Stage::Decision, bot.ix, "getupdates", now);
    let timeout = if struck { Duration::ZERO } else { Duration::from_secs(asked).min(world.config.poll_max) };
    let deadline = world.clock.instant(now + timeout);
    let epoch = {
        let mut state = bot.state();
        if state.webhook.is_some() {
            return Some(ACTIVE);
        }
        if !struck {
            confirm(world, bot, &mut state, offset);
        }
        state.poll_epoch += 1;
        state.poll_epoch
    };
    bot.poll.notify_waiters();
    loop {
        let mut changed = std::pin::pin!(bot.poll.notified());
        changed.as_mut().enable();
        {
            let state = bot.state();
            if state.webhook.is_some() {
                return Some(SET);
            }
            if state.poll_epoch != epoch {
                return Some(OTHER);
            }
            if state.queue.has_after(world.clock.now(), offset) {
                return None;
            }
        }
        if tokio::time::timeout_at(deadline, changed).await.is_err() {
            return None;
        }
    }
}

/// What the offset passes is delivered: the bot has said so.
fn confirm(world: &World, bot: &Bot, state: &mut BotState, offset: i64) {
    let now = world.clock.now().max(state.decided_at);
    let Confirmed { taken, expired } = state.queue.confirm(now, offset);
    for taken in taken {
        count(&bot.counters.delivered);
        tell(world, bot, taken.update_id, taken.attempts, taken.handed_at.unwrap_or(now), now, Ok(200));
    }
    drop_expired(world, bot, expired, now);
    bot.publish(state);
}

/// What is there now. An update that was handed over before and never confirmed counts as a failed attempt.
pub(super) fn get_updates(desk: &mut Desk<'_>) -> Verdict {
    if desk.state.webhook.is_some() {
        return Err(Refusal::Refused(409, ACTIVE.into()));
    }
    let params = desk.params;
    let limit = params.integer("limit").unwrap_or(100).clamp(1, 100);
    if let Ok(Some(kinds)) = params.nested("allowed_updates") {
        desk.state.allowed_updates = super::webhook::kinds_of(&kinds);
    }
    let updates = desk.state.queue.hand_over(desk.at, usize::try_from(limit).unwrap_or(100));
    let mut body = BytesMut::from(&br#"{"ok":true,"result":["#[..]);
    for (i, update) in updates.iter().enumerate() {
        if i > 0 {
            body.extend_from_slice(b",");
        }
        body.extend_from_slice(&update.body);
        if let Some(before) = update.before {
            count(&desk.bot.counters.delivery_failures);
            let result = Err("handed over, but not confirmed".to_owned());
            tell(desk.world, desk.bot, update.update_id, update.attempt - 1, before, desk.at, result);
        }
    }
    body.extend_from_slice(b"]}");
    Ok(Done { body: Bytes::from(body), message_id: None })
}

fn tell(
    world: &World,
    bot: &Bot,
    update_id: i64,
    attempt: u32,
    sent_at: At,
    done_at: At,
    result: Result<u16, String>,
) {
    world.tell(Wire::Delivery(Delivery { bot: bot.ix, update_id, attempt, sent_at, done_at, result }));
}
