//! The control endpoint, on the same port: `/_emulator/...`, for tests in other languages.
//!
//! `POST fault` and `DELETE fault`, `POST update` (a user does something), `POST reach`, `GET status`.
//! Bodies and answers are JSON in the platform's own envelope. It has no password: listen on loopback.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::counters::Totals;
use super::fault::{Fault, FaultId};
use super::methods::Answer;
use super::update::{Submit, submit};
use super::world::World;
use super::{clear_faults, json as wire_json, set_fault, set_reach};
use crate::wire::{BotIx, What};

/// What a fault may say; anything else is a slip of the pen and refused.
const FAULT_KEYS: [&str; 12] = [
    "kind",
    "bot",
    "method",
    "share",
    "count",
    "from_ms",
    "until_ms",
    "retry_after",
    "code",
    "description",
    "hold_ms",
    "extra_ms",
];

type Answered = Result<Value, (u16, String)>;

/// Answers one control request; `path` is what follows `/_emulator/`.
pub(crate) fn answer(world: &Arc<World>, method: &Method, path: &str, body: &Bytes) -> Answer {
    let answered = match (method, path) {
        (&Method::POST, "fault") => add_fault(world, body),
        (&Method::DELETE, "fault") => {
            clear_faults(world);
            Ok(json!({}))
        }
        (&Method::POST, "update") => add_update(world, body),
        (&Method::POST, "reach") => change_reach(world, body),
        (&Method::GET, "status") => Ok(status(world)),
        _ => Err((404, format!("no such control endpoint: {method} /_emulator/{path}"))),
    };
    match answered {
        Ok(result) => Answer::json(200, wire_json::success(&result, None)),
        Err((status, description)) => Answer::failure(status, &description),
    }
}

fn known_bot(world: &World, bot: BotIx) -> Result<BotIx, (u16, String)> {
    match world.bots.len() {
        bots if bot < bots => Ok(bot),
        bots => Err((400, format!("bot {bot} does not exist: there are {bots}, counted from 0"))),
    }
}

fn add_fault(world: &Arc<World>, body: &Bytes) -> Answered {
    let unreadable = |e: serde_json::Error| (400, format!("the fault cannot be read: {e}"));
    let fields: Map<String, Value> = serde_json::from_slice(body).map_err(unreadable)?;
    if let Some(unknown) = fields.keys().find(|key| !FAULT_KEYS.contains(&key.as_str())) {
        return Err((400, format!("a fault has no {unknown:?}; it may have {FAULT_KEYS:?}")));
    }
    let fault: Fault = serde_json::from_value(Value::Object(fields)).map_err(unreadable)?;
    if let Some(bot) = fault.bot {
        known_bot(world, bot)?;
    }
    let FaultId(id) = set_fault(world, fault);
    Ok(json!({ "fault": id }))
}

/// `text`, or `data` with `message_id` (a press), or `other`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUpdate {
    #[serde(default)]
    bot: BotIx,
    user: u64,
    chat: Option<i64>,
    text: Option<String>,
    data: Option<String>,
    message_id: Option<i64>,
    other: Option<String>,
    language_code: Option<String>,
}

fn add_update(world: &Arc<World>, body: &Bytes) -> Answered {
    let new: NewUpdate =
        serde_json::from_slice(body).map_err(|e| (400, format!("the update cannot be read: {e}")))?;
    let bot = known_bot(world, new.bot)?;
    let what = match (new.text, new.data, new.message_id, new.other) {
        (Some(text), None, None, None) => What::Text(text),
        (None, Some(data), Some(message_id), None) => {
            What::Press { data, message_id, callback_id: String::new() }
        }
        (None, None, None, Some(other)) => What::Other(other),
        _ => return Err((400, "give one of: text; data and message_id; other".into())),
    };
    let (user, planned_at) = (new.user, world.clock.now());
    let chat = match new.chat {
        Some(chat) => chat,
        None => i64::try_from(user).map_err(|_| (400, "a user id has at most 52 bits".to_owned()))?,
    };
    let language_code = new.language_code.map_or("ar".into(), Into::into);
    let submitted = submit(world, Submit { bot, user, chat, planned_at, what, language_code });
    match submitted {
        Some(update_id) => Ok(json!({ "update_id": update_id })),
        None => {
            Err((409, "the platform keeps no such update: kind not allowed, or the queue is full".into()))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewReach {
    bot: BotIx,
    user: u64,
    reachable: bool,
}

fn change_reach(world: &Arc<World>, body: &Bytes) -> Answered {
    let new: NewReach =
        serde_json::from_slice(body).map_err(|e| (400, format!("the reach cannot be read: {e}")))?;
    set_reach(world, known_bot(world, new.bot)?, new.user, new.reachable);
    Ok(json!({}))
}

fn status(world: &World) -> Value {
    let mut totals = Totals::default();
    for bot in &world.bots {
        totals.add(&bot.counters);
    }
    json!({
        "now_ms": u64::try_from(world.clock.now().as_millis()).unwrap_or(u64::MAX),
        "bots": world.bots.len(),
        "accepted": totals.accepted,
        "calls": totals.calls,
        "refused_429": totals.refused_429,
        "defiance": totals.defiance,
        "unreachable": totals.unreachable,
        "updates": totals.updates,
        "delivered": totals.delivered,
        "pending": totals.pending,
    })
}
