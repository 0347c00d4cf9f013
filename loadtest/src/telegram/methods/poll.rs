//! `getUpdates`: long polling, confirmed by offset, one poll at a time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::{Desk, Done, Refusal, Verdict};
use crate::telegram::params::Params;
use crate::telegram::world::{Bot, World};
use crate::wire::{Delivery, Wire};

const ACTIVE: &str = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
const OTHER: &str =
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
const SET: &str = "Conflict: terminated by setWebhook request";

/// Waits until there is something to return, the poll's time is over, or another call ends it. Returns the
/// description of the 409 then.
pub(crate) async fn wait(world: &World, bot: &Bot, params: &Params) -> Option<&'static str> {
    let offset = params.integer("offset").unwrap_or(0);
    let asked = params.integer("timeout").and_then(|s| u64::try_from(s).ok()).unwrap_or(0);
    let timeout = Duration::from_secs(asked).min(world.config.poll_max);
    let deadline = world.clock.instant(world.clock.now() + timeout);
    let epoch = {
        let mut state = bot.state();
        if state.webhook.is_some() {
            return Some(ACTIVE);
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

/// What is there now. The handing-over counts as the delivery; the next offset confirms it.
pub(super) fn get_updates(desk: &mut Desk<'_>) -> Verdict {
    if desk.state.webhook.is_some() {
        return Err(Refusal::Refused(409, ACTIVE.into()));
    }
    let params = desk.params;
    let limit = params.integer("limit").unwrap_or(100).clamp(1, 100);
    if let Ok(Some(kinds)) = params.nested("allowed_updates") {
        desk.state.allowed_updates = super::webhook::kinds_of(&kinds);
    }
    let offset = params.integer("offset").unwrap_or(0);
    let updates = desk.state.queue.poll(desk.at, offset, usize::try_from(limit).unwrap_or(100));
    desk.bot.publish(desk.state);
    let mut body = BytesMut::from(&br#"{"ok":true,"result":["#[..]);
    for (i, (update_id, update)) in updates.iter().enumerate() {
        if i > 0 {
            body.extend_from_slice(b",");
        }
        body.extend_from_slice(update);
        let (sent_at, done_at) = (desk.at, desk.at);
        let (bot, update_id) = (desk.bot.ix, *update_id);
        desk.world.tell(Wire::Delivery(Delivery {
            bot,
            update_id,
            attempt: 1,
            sent_at,
            done_at,
            result: Ok(200),
        }));
    }
    body.extend_from_slice(b"]}");
    Ok(Done { body: Bytes::from(body), message_id: None })
}
