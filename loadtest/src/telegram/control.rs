//! The control endpoint, on the same port: `/_emulator/...`, for tests in other languages.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response};
use serde_json::{Value, json};

use super::counters::Totals;
use super::fault::{Fault, FaultId};
use super::methods::Answer;
use super::server::respond;
use super::world::World;
use super::{json as wire_json, set_fault};
use std::sync::Arc;

/// Answers one control request; `path` is what follows `/_emulator/`.
pub(crate) fn answer(world: &Arc<World>, method: &Method, path: &str, body: &Bytes) -> Response<Full<Bytes>> {
    let answered = match (method, path) {
        (&Method::POST, "fault") => add_fault(world, body),
        (&Method::DELETE, "fault") => {
            super::clear_faults(world);
            Ok(json!({}))
        }
        (&Method::GET, "status") => Ok(status(world)),
        _ => Err((404, format!("no such control endpoint: {method} /_emulator/{path}"))),
    };
    respond(match answered {
        Ok(result) => Answer::json(200, wire_json::success(&result, None)),
        Err((status, description)) => Answer::failure(status, &description),
    })
}

fn add_fault(world: &Arc<World>, body: &Bytes) -> Result<Value, (u16, String)> {
    let fault: Fault =
        serde_json::from_slice(body).map_err(|e| (400, format!("the fault cannot be read: {e}")))?;
    if fault.bot.is_some_and(|bot| bot >= world.bots.len()) {
        return Err((400, format!("there are {} bots, counted from 0", world.bots.len())));
    }
    let FaultId(id) = set_fault(world, fault);
    Ok(json!({ "fault": id }))
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
