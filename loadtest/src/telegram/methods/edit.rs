//! Methods that change or remove messages, and answers to queries. Limits do not count them.

use serde_json::Value;

use super::send::{content_print, parts, shown_caption, shown_text};
use super::{Desk, Done, Refusal, Verdict, markup};
use crate::telegram::json as wire_json;
use crate::telegram::shapes::{MessageOut, bot_user, chat_of};

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are exactly \
                            the same as a current content and reply markup of the message";
const TOO_OLD: &str = "query is too old and response timeout expired or query ID is invalid";

/// Performs `method` if it is one of these.
pub(super) fn perform(method: &str, desk: &mut Desk<'_>) -> Option<Verdict> {
    Some(match method {
        "editmessagetext" => edit(desk, true),
        "editmessagecaption" | "editmessagereplymarkup" | "editmessagemedia" => edit(desk, false),
        "deletemessage" => delete(desk),
        "deletemessages" => delete_many(desk),
        "answercallbackquery" => answer_callback(desk),
        "sendchataction" => chat_action(desk),
        _ => return None,
    })
}

fn edit(desk: &mut Desk<'_>, text_is_due: bool) -> Verdict {
    if desk.params.has("inline_message_id") {
        return Ok(Done::yes());
    }
    let chat_id = desk.reachable_chat("chat_id")?;
    let params = desk.params;
    let text = if text_is_due { Some(shown_text(params)?) } else { None };
    let caption = shown_caption(params)?;
    markup::check(desk.markup)?;
    if !params.has("message_id") {
        return Err(Refusal::bad("message identifier is not specified"));
    }
    let message_id = params.integer("message_id").unwrap_or_default();
    let content = content_print(desk);
    let chat = desk.state.chats.entry(chat_id);
    match chat.find(message_id) {
        None => return Err(Refusal::bad("message to edit not found")),
        Some(stored) if !stored.by_bot => return Err(Refusal::bad("message can't be edited")),
        Some(stored) if stored.content == content => return Err(Refusal::bad(NOT_MODIFIED)),
        Some(stored) => stored.content = content,
    }
    let mut message = MessageOut::new(message_id, bot_user(desk.bot), chat_of(chat_id), desk.date());
    message.edit_date = Some(desk.date());
    let (text, entities) = parts(text);
    let (caption, caption_entities) = parts(caption);
    message.text = text.as_deref();
    message.entities = entities;
    message.caption = caption.as_deref();
    message.caption_entities = caption_entities;
    message.reply_markup = markup::shown(desk.markup);
    Ok(Done { body: wire_json::success(&message, None), message_id: Some(message_id) })
}

fn delete(desk: &mut Desk<'_>) -> Verdict {
    let chat_id = desk.reachable_chat("chat_id")?;
    if !desk.params.has("message_id") {
        return Err(Refusal::bad("message identifier is not specified"));
    }
    let message_id = desk.params.integer("message_id").unwrap_or_default();
    if !desk.state.chats.entry(chat_id).forget(message_id) {
        return Err(Refusal::bad("message to delete not found"));
    }
    Ok(Done { message_id: Some(message_id), ..Done::yes() })
}

fn delete_many(desk: &mut Desk<'_>) -> Verdict {
    let chat_id = desk.reachable_chat("chat_id")?;
    let ids = desk.params.nested("message_ids").ok().flatten();
    let ids = ids.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if ids.is_empty() || ids.len() > 100 {
        return Err(Refusal::bad("message identifiers are not specified"));
    }
    let chat = desk.state.chats.entry(chat_id);
    for id in ids.iter().filter_map(Value::as_i64) {
        chat.forget(id);
    }
    Ok(Done::yes())
}

fn answer_callback(desk: &mut Desk<'_>) -> Verdict {
    let params = desk.params;
    let id = params.text("callback_query_id").unwrap_or_default();
    if !desk.state.callbacks.answer(id, desk.at) {
        return Err(Refusal::bad(TOO_OLD));
    }
    match params.text("text") {
        Some(text) if text.chars().count() > 200 => Err(Refusal::bad("MESSAGE_TOO_LONG")),
        _ => Ok(Done::yes()),
    }
}

fn chat_action(desk: &mut Desk<'_>) -> Verdict {
    desk.reachable_chat("chat_id")?;
    if !desk.params.has("action") {
        return Err(Refusal::bad("wrong parameter action in request"));
    }
    Ok(Done::yes())
}
