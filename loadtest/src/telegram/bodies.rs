//! The bodies of updates, in the platform's wire form.
//!
//! Called by `update` under the bot's lock: a body may take the next message id and remember its message.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::act::Act;
use super::chats::Stored;
use super::json::to_wire;
use super::methods::money::Invoice;
use super::shapes::{EntityOut, MessageOut, UserOut, bot_user, chat_of};
use super::world::{Bot, BotState};

/// Where and when something happens, and a draw of chance for whatever needs an id.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) bot: &'a Bot,
    pub(crate) from: UserOut<'a>,
    pub(crate) chat: i64,
    pub(crate) date: u64,
    pub(crate) chance: u64,
}

/// A body, and the message that it tells of.
type Body = (Bytes, Option<i64>);

#[derive(Serialize)]
struct MessageUpdate<'a> {
    update_id: i64,
    message: MessageOut<'a>,
}

/// A text of the user, perhaps an answer to a message.
pub(crate) fn text(
    state: &mut BotState,
    update_id: i64,
    scene: &Scene<'_>,
    text: &str,
    reply_to: Option<i64>,
) -> Body {
    let mut message = new_message(state, scene);
    let message_id = message.message_id;
    message.text = Some(text);
    if text.starts_with('/') {
        let length = text.split_whitespace().next().map_or(0, |command| command.encode_utf16().count());
        message.entities.push(EntityOut { offset: 0, length, kind: "bot_command", url: None });
    }
    if let Some(to) = reply_to {
        let by_bot = state.chats.entry(scene.chat).find(to).is_some_and(|stored| stored.by_bot);
        let from = if by_bot { bot_user(scene.bot) } else { scene.from };
        let answered =
            json!({"message_id": to, "from": from, "chat": chat_of(scene.chat), "date": scene.date});
        message.content.insert("reply_to_message".into(), answered);
    }
    (to_wire(&MessageUpdate { update_id, message }), Some(message_id))
}

/// A photo, a voice message, a sticker ...: its kind, its album, its caption.
pub(crate) fn media(
    state: &mut BotState,
    update_id: i64,
    scene: &Scene<'_>,
    (kind, album, caption): (&str, Option<&str>, Option<&str>),
) -> Body {
    let mut message = new_message(state, scene);
    let message_id = message.message_id;
    message.media_group_id = album;
    message.caption = caption;
    message.content.insert(kind.to_owned(), content(scene, kind));
    (to_wire(&MessageUpdate { update_id, message }), Some(message_id))
}

fn new_message<'a>(state: &mut BotState, scene: &Scene<'a>) -> MessageOut<'a> {
    let message_id = state.chats.next_message_id(scene.chat);
    let stored = Stored { id: message_id, by_bot: false, content: 0, protected: false };
    state.chats.entry(scene.chat).remember(stored);
    MessageOut::new(message_id, scene.from, chat_of(scene.chat), scene.date)
}

/// What a message of this kind holds. A file's id belongs to this bot alone.
fn content(scene: &Scene<'_>, kind: &str) -> Value {
    let id = format!("EMU{:x}-{:016x}", scene.bot.ix, scene.chance);
    let unique = format!("{:08x}", scene.chance as u32);
    let file = |more: Value| {
        let mut file = json!({"file_id": id, "file_unique_id": unique, "file_size": 20_000});
        if let (Value::Object(file), Value::Object(more)) = (&mut file, more) {
            file.extend(more);
        }
        file
    };
    match kind {
        "photo" => {
            json!([file(json!({"width": 90, "height": 67})), file(json!({"width": 800, "height": 600}))])
        }
        "voice" | "audio" => file(json!({"duration": 4, "mime_type": "audio/ogg"})),
        "video" | "animation" => file(json!({"duration": 4, "width": 320, "height": 240})),
        "video_note" => file(json!({"duration": 4, "length": 240})),
        "sticker" => file(json!({"type": "regular", "width": 512, "height": 512, "is_animated": false,
                                 "is_video": false, "emoji": "👋"})),
        "document" => file(json!({"file_name": "notes.pdf", "mime_type": "application/pdf"})),
        "location" => json!({"latitude": 33.3, "longitude": 44.4}),
        "contact" => json!({"phone_number": "+9647000000000", "first_name": "نور"}),
        "dice" => json!({"emoji": "🎲", "value": scene.chance % 6 + 1}),
        _ => json!({}),
    }
}

#[derive(Serialize)]
struct CallbackUpdate<'a> {
    update_id: i64,
    callback_query: CallbackOut<'a>,
}

#[derive(Serialize)]
struct CallbackOut<'a> {
    id: &'a str,
    from: UserOut<'a>,
    message: MessageOut<'a>,
    chat_instance: String,
    data: &'a str,
}

/// A pressed button.
pub(crate) fn press(
    state: &mut BotState,
    update_id: i64,
    scene: &Scene<'_>,
    data: &str,
    message_id: i64,
    callback_id: &str,
) -> Bytes {
    let there = state.chats.entry(scene.chat).find(message_id).is_some();
    // A message that cannot be reached any more has date 0.
    let date = if there { scene.date } else { 0 };
    let message = MessageOut::new(message_id, bot_user(scene.bot), chat_of(scene.chat), date);
    let chat_instance = scene.chat.wrapping_mul(-7_046_029_254_386_353_131).to_string();
    let callback_query = CallbackOut { id: callback_id, from: scene.from, message, chat_instance, data };
    to_wire(&CallbackUpdate { update_id, callback_query })
}

#[derive(Serialize)]
struct CheckoutUpdate<'a> {
    update_id: i64,
    pre_checkout_query: CheckoutOut<'a>,
}

#[derive(Serialize)]
struct CheckoutOut<'a> {
    id: &'a str,
    from: UserOut<'a>,
    #[serde(flatten)]
    invoice: Invoice,
}

/// The question before a payment.
pub(crate) fn checkout(update_id: i64, from: UserOut<'_>, id: &str, invoice: Invoice) -> Bytes {
    to_wire(&CheckoutUpdate { update_id, pre_checkout_query: CheckoutOut { id, from, invoice } })
}

/// Whatever makes no message.
pub(crate) fn other(update_id: i64, scene: &Scene<'_>, act: Act<'_>) -> Bytes {
    let (from, chat, date) = (scene.from, chat_of(scene.chat), scene.date);
    let itself = bot_user(scene.bot);
    let moved = |who: UserOut<'_>, old: &str, new: &str| json!({"old_chat_member": {"user": who, "status": old}, "new_chat_member": {"user": who, "status": new}});
    let (name, content) = match act {
        Act::Blocks | Act::Returns => {
            let (old, new) = if act == Act::Blocks { ("member", "kicked") } else { ("kicked", "member") };
            let mut content = moved(itself, old, new);
            let kicked = if act == Act::Blocks { "new_chat_member" } else { "old_chat_member" };
            content[kicked]["until_date"] = 0.into();
            ("my_chat_member", with(content, json!({"chat": chat, "from": from, "date": date})))
        }
        Act::Moves { channel, joins } => {
            let (old, new) = if joins { ("left", "member") } else { ("member", "left") };
            let place = json!({"id": channel, "title": "كانال", "type": "channel"});
            ("chat_member", with(moved(from, old, new), json!({"chat": place, "from": from, "date": date})))
        }
        Act::Edits { message, text } => ("edited_message", edited(scene, message, text)),
        Act::Other("edited_message") => ("edited_message", edited(scene, 1, "…")),
        Act::Reacts { message, emoji } => {
            let new = if emoji.is_empty() { json!([]) } else { json!([{"type": "emoji", "emoji": emoji}]) };
            (
                "message_reaction",
                json!({"chat": chat, "message_id": message, "user": from, "date": date,
                                        "old_reaction": [], "new_reaction": new}),
            )
        }
        Act::Other("inline_query") => (
            "inline_query",
            json!({"id": (scene.chance >> 1).to_string(), "from": from, "query": "", "offset": ""}),
        ),
        Act::Other(name) => (name, json!({"from": from, "chat": chat, "date": date})),
        // What makes messages or asks for money has bodies of its own.
        _ => ("other", json!({"from": from, "chat": chat, "date": date})),
    };
    let mut update = Map::new();
    update.insert("update_id".into(), Value::from(update_id));
    update.insert(name.to_owned(), content);
    to_wire(&update)
}

fn edited(scene: &Scene<'_>, message: i64, text: &str) -> Value {
    let (chat, date) = (chat_of(scene.chat), scene.date);
    json!({"message_id": message, "from": scene.from, "chat": chat, "date": date, "edit_date": date, "text": text})
}

fn with(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}
