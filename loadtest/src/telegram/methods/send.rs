//! Methods that make messages: the ones that limits count.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::entities::Shown;
use super::{Desk, Done, Refusal, Verdict, entities, markup, money};
use crate::telegram::chats::{Stored, fingerprint};
use crate::telegram::json as wire_json;
use crate::telegram::params::Params;
use crate::telegram::shapes::{EntityOut, MessageOut, bot_user, chat_of};

/// The longest text and caption, in characters.
const TEXT_MAX: usize = 4096;
const CAPTION_MAX: usize = 1024;

/// The file field of each method that sends one file.
const MEDIA: [(&str, &str); 10] = [
    ("sendphoto", "photo"),
    ("senddocument", "document"),
    ("sendvideo", "video"),
    ("sendvoice", "voice"),
    ("sendaudio", "audio"),
    ("sendsticker", "sticker"),
    ("sendanimation", "animation"),
    ("sendvideonote", "video_note"),
    ("sendlivephoto", "live_photo"),
    ("sendpaidmedia", "media"),
];

/// Performs `method` if it makes messages.
pub(super) fn perform(method: &str, desk: &mut Desk<'_>) -> Option<Verdict> {
    Some(match method {
        "sendmessage" => send_message(desk),
        "copymessage" => transfer(desk, "copy", true),
        "forwardmessage" => transfer(desk, "forward", false),
        "copymessages" | "forwardmessages" => transfer_many(desk),
        "sendmediagroup" => send_album(desk),
        "sendinvoice" => send_invoice(desk),
        "sendlocation" => send_with(desk, "location", &["latitude", "longitude"]),
        "sendvenue" => send_with(desk, "venue", &["latitude", "longitude", "title", "address"]),
        "sendcontact" => send_with(desk, "contact", &["phone_number", "first_name"]),
        "sendpoll" => send_with(desk, "poll", &["question", "options"]),
        "senddice" => send_with(desk, "dice", &[]),
        "sendgame" => send_with(desk, "game", &["game_short_name"]),
        "sendchecklist" => send_with(desk, "checklist", &["checklist"]),
        _ => {
            let (_, field) = MEDIA.iter().find(|(name, _)| *name == method)?;
            send_file(desk, field)
        }
    })
}

fn send_message(desk: &mut Desk<'_>) -> Verdict {
    desk.chat("chat_id")?;
    let text = shown_text(desk.params)?;
    markup::check(desk.markup)?;
    finish(desk, Some(text), None, Map::new())
}

/// The text of a message: there must be one.
pub(super) fn shown_text(params: &Params) -> Result<Shown<'_>, Refusal> {
    let shown = entities::shown(params, "text", TEXT_MAX, "message is too long")?;
    shown.filter(|s| !s.text.trim().is_empty()).ok_or_else(|| Refusal::bad("message text is empty"))
}

pub(super) fn shown_caption(params: &Params) -> Result<Option<Shown<'_>>, Refusal> {
    entities::shown(params, "caption", CAPTION_MAX, "message caption is too long")
}

fn send_file(desk: &mut Desk<'_>, field: &str) -> Verdict {
    desk.chat("chat_id")?;
    if !desk.params.has(field) {
        return Err(Refusal::bad(&format!("there is no {field} in the request")));
    }
    own_file(desk, desk.params.text(field).unwrap_or_default())?;
    let caption = shown_caption(desk.params)?;
    markup::check(desk.markup)?;
    let content = Map::from_iter([(field.to_owned(), file_value(desk, field))]);
    finish(desk, None, caption, content)
}

/// A file's id belongs to one bot: another's is refused, as on the platform.
pub(super) fn own_file(desk: &Desk<'_>, id: &str) -> Result<(), Refusal> {
    let foreign = id.starts_with("EMU") && !id.starts_with(&format!("EMU{:x}-", desk.bot.ix));
    if foreign { Err(Refusal::bad("wrong file identifier/HTTP URL specified")) } else { Ok(()) }
}

/// The file as a message shows it. A known id is kept, an upload gets one of its own.
fn file_value(desk: &Desk<'_>, field: &str) -> Value {
    let params = desk.params;
    let (id, size) = match params.upload(field) {
        Some(file) => {
            let print = fingerprint((desk.bot.id, &file.name, file.size));
            (format!("EMU{:x}-{print:016x}", desk.bot.ix), file.size)
        }
        None => (params.text(field).unwrap_or_default().to_owned(), 0),
    };
    let unique = format!("{:08x}", fingerprint(&id) as u32);
    let file = json!({"file_id": id, "file_unique_id": unique, "file_size": size});
    match field {
        "photo" => json!([file]),
        _ => file,
    }
}

/// A message whose content is its named parameters.
fn send_with(desk: &mut Desk<'_>, content_name: &str, required: &[&str]) -> Verdict {
    desk.chat("chat_id")?;
    let params = desk.params;
    if let Some(missing) = required.iter().find(|name| !params.has(name)) {
        return Err(Refusal::bad(&format!("{} is empty", missing.replace('_', " "))));
    }
    markup::check(desk.markup)?;
    let mut fields = Map::new();
    for name in required {
        let value = params.nested(name).ok().flatten().or_else(|| params.map.get(*name).cloned());
        fields.insert((*name).to_owned(), value.unwrap_or_default());
    }
    if content_name == "dice" {
        let value = desk.world.dice.bits() % 6 + 1;
        fields.insert("emoji".into(), params.text("emoji").unwrap_or("🎲").into());
        fields.insert("value".into(), value.into());
    }
    let content = Map::from_iter([(content_name.to_owned(), Value::Object(fields))]);
    finish(desk, None, None, content)
}

fn send_invoice(desk: &mut Desk<'_>) -> Verdict {
    desk.chat("chat_id")?;
    let (invoice, shown) = money::read_invoice(desk)?;
    markup::check(desk.markup)?;
    let done = finish(desk, None, None, Map::from_iter([("invoice".to_owned(), shown)]))?;
    if let (Some(chat), Some(message_id)) = (desk.params.integer("chat_id"), done.message_id) {
        desk.state.till.sent(chat, message_id, invoice);
    }
    Ok(done)
}

/// `copyMessage` and `forwardMessage`. Only messages this emulator remembers can be transferred.
fn transfer(desk: &mut Desk<'_>, verb: &str, id_only: bool) -> Verdict {
    desk.chat("chat_id")?;
    let from_chat = desk.chat("from_chat_id")?;
    let message_id = desk.params.integer("message_id").unwrap_or_default();
    let found = desk.state.chats.get_mut(from_chat).and_then(|c| c.find(message_id).copied());
    match found {
        None => return Err(Refusal::bad(&format!("message to {verb} not found"))),
        Some(stored) if stored.protected && !id_only => {
            return Err(Refusal::bad("message has protected content and can't be forwarded"));
        }
        Some(_) => {}
    }
    let caption = shown_caption(desk.params)?;
    markup::check(desk.markup)?;
    if id_only {
        let message_id = place(desk, 1)?;
        let body = wire_json::success(&json!({"message_id": message_id}), None);
        return Ok(Done { body, message_id: Some(message_id) });
    }
    finish(desk, None, caption, Map::new())
}

/// `copyMessages` and `forwardMessages`: what cannot be found is skipped.
fn transfer_many(desk: &mut Desk<'_>) -> Verdict {
    desk.chat("chat_id")?;
    let from_chat = desk.chat("from_chat_id")?;
    let ids = desk.params.nested("message_ids").ok().flatten();
    let ids: Vec<i64> =
        ids.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_i64).collect();
    if !(1..=100).contains(&ids.len()) {
        return Err(Refusal::bad("message identifiers are not specified"));
    }
    let chat = desk.state.chats.entry(from_chat);
    let found = ids.iter().filter(|id| chat.find(**id).is_some()).count();
    if found == 0 {
        return Err(Refusal::bad("there are no messages to copy or forward"));
    }
    let chat_id = desk.admit(found)?;
    let made: Vec<i64> = (0..found).map(|_| remember_new(desk, chat_id, 0)).collect();
    let results: Vec<Value> = made.iter().map(|id| json!({"message_id": id})).collect();
    Ok(Done { body: wire_json::success(&results, None), message_id: made.first().copied() })
}

fn send_album(desk: &mut Desk<'_>) -> Verdict {
    desk.chat("chat_id")?;
    let media = desk.params.nested("media").map_err(|()| Refusal::bad("can't parse media JSON object"))?;
    let items = media.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match items.len() {
        2..=10 => {}
        0 | 1 => return Err(Refusal::bad("expected an Array of 2 to 10 InputMedia")),
        _ => return Err(Refusal::bad("too many messages to send as an album")),
    }
    for item in items {
        own_file(desk, item.get("media").and_then(Value::as_str).unwrap_or_default())?;
    }
    replied(desk)?;
    let chat_id = desk.admit(items.len())?;
    let group_id = (desk.world.dice.bits() >> 1).to_string();
    let mut first = None;
    let mut messages = Vec::with_capacity(items.len());
    for item in items {
        let get = |name: &str| item.get(name).and_then(Value::as_str);
        let message_id = remember_new(desk, chat_id, fingerprint(item.to_string()));
        first.get_or_insert(message_id);
        let mut message = MessageOut::new(message_id, bot_user(desk.bot), chat_of(chat_id), desk.date());
        message.media_group_id = Some(&group_id);
        message.caption = get("caption");
        let kind = get("type").unwrap_or("photo").to_owned();
        let file = json!({"file_id": get("media"), "file_unique_id": format!("{message_id:08x}")});
        message.content.insert(kind.clone(), if kind == "photo" { json!([file]) } else { file });
        messages.push(message);
    }
    Ok(Done { body: wire_json::success(&messages, None), message_id: first })
}

/// Admits one message, and remembers it.
fn place(desk: &mut Desk<'_>, messages: usize) -> Result<i64, Refusal> {
    let content = content_print(desk);
    replied(desk)?;
    let chat_id = desk.admit(messages)?;
    Ok(remember_new(desk, chat_id, content))
}

/// The message that this one answers (`reply_parameters`, or the older `reply_to_message_id`), if any.
fn replied(desk: &mut Desk<'_>) -> Result<Option<i64>, Refusal> {
    let parameters = desk
        .params
        .nested("reply_parameters")
        .map_err(|()| Refusal::bad("can't parse reply parameters JSON object"))?;
    let named = parameters.as_ref().and_then(|p| p.get("message_id")).and_then(Value::as_i64);
    let Some(to) = named.or_else(|| desk.params.integer("reply_to_message_id")) else { return Ok(None) };
    let own = desk.chat("chat_id")?;
    let chat = parameters.as_ref().and_then(|p| p.get("chat_id")).and_then(Value::as_i64).unwrap_or(own);
    if desk.state.chats.get_mut(chat).is_some_and(|c| c.find(to).is_some()) {
        return Ok(Some(to));
    }
    let anyway = parameters.as_ref().and_then(|p| p.get("allow_sending_without_reply"));
    if anyway.and_then(Value::as_bool) == Some(true) || desk.params.is_true("allow_sending_without_reply") {
        return Ok(None);
    }
    Err(Refusal::bad("message to be replied not found"))
}

fn remember_new(desk: &mut Desk<'_>, chat_id: i64, content: u64) -> i64 {
    let id = desk.state.chats.next_message_id(chat_id);
    let protected = desk.params.is_true("protect_content");
    desk.state.chats.entry(chat_id).remember(Stored { id, by_bot: true, content, protected });
    id
}

/// What an edit is compared with: text or caption, and the inline keyboard.
pub(super) fn content_print(desk: &Desk<'_>) -> u64 {
    let text = desk.params.text("text").or_else(|| desk.params.text("caption"));
    fingerprint((text, markup::shown(desk.markup).map(Value::to_string)))
}

/// Admits the message and renders it.
fn finish(
    desk: &mut Desk<'_>,
    text: Option<Shown<'_>>,
    caption: Option<Shown<'_>>,
    content: Map<String, Value>,
) -> Verdict {
    let message_id = place(desk, 1)?;
    let chat = chat_of(desk.params.integer("chat_id").unwrap_or_default());
    let mut message = MessageOut::new(message_id, bot_user(desk.bot), chat, desk.date());
    let (text, entities) = parts(text);
    let (caption, caption_entities) = parts(caption);
    message.text = text.as_deref();
    message.entities = entities;
    message.caption = caption.as_deref();
    message.caption_entities = caption_entities;
    message.content = content;
    if desk.params.is_true("protect_content") {
        message.content.insert("has_protected_content".into(), true.into());
    }
    // Found when the message was placed: it can have been refused, not forgotten since.
    if let Ok(Some(to)) = replied(desk) {
        let answered = json!({"message_id": to, "chat": chat, "date": desk.date()});
        message.content.insert("reply_to_message".into(), answered);
    }
    message.reply_markup = markup::shown(desk.markup);
    Ok(Done { body: wire_json::success(&message, None), message_id: Some(message_id) })
}

/// Text and entities apart, for a message to borrow the one and own the other.
pub(super) fn parts(shown: Option<Shown<'_>>) -> (Option<Cow<'_, str>>, Vec<EntityOut>) {
    match shown {
        Some(Shown { text, entities }) => (Some(text), entities),
        None => (None, Vec::new()),
    }
}
