//! `setMessageReaction`: an emoji under a message. Limits do not count it.

use serde_json::Value;

use super::{Desk, Done, Refusal, Verdict};

/// A bot may put one reaction under a message, or take it away again.
pub(super) fn set(desk: &mut Desk<'_>) -> Verdict {
    let chat = desk.reachable_chat("chat_id")?;
    let message = desk.params.integer("message_id").unwrap_or_default();
    if desk.state.chats.entry(chat).find(message).is_none() {
        return Err(Refusal::bad("message to react not found"));
    }
    let reactions = desk.params.nested("reaction").map_err(|()| Refusal::bad("REACTION_INVALID"))?;
    let reactions = reactions.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let sound = |reaction: &Value| {
        reaction["type"] == "emoji" && reaction["emoji"].as_str().is_some_and(|emoji| !emoji.is_empty())
    };
    match reactions.len() {
        0 | 1 if reactions.iter().all(sound) => Ok(Done::yes()),
        0 | 1 => Err(Refusal::bad("REACTION_INVALID")),
        _ => Err(Refusal::bad("REACTIONS_TOO_MANY")),
    }
}
