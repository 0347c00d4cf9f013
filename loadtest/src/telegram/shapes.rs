//! The platform's objects as they go out: borrowed, serialized once, in the platform's field order.

use serde::Serialize;
use serde_json::Value;

use super::chats::{is_group, is_supergroup};
use super::world::Bot;

#[derive(Clone, Copy, Serialize)]
pub(crate) struct UserOut<'a> {
    pub(crate) id: u64,
    pub(crate) is_bot: bool,
    pub(crate) first_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language_code: Option<&'a str>,
}

#[derive(Clone, Copy, Serialize)]
pub(crate) struct ChatOut<'a> {
    pub(crate) id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<&'a str>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct EntityOut {
    pub(crate) offset: usize,
    pub(crate) length: usize,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

/// A message. What a call did not set is left out.
#[derive(Serialize)]
pub(crate) struct MessageOut<'a> {
    pub(crate) message_id: i64,
    pub(crate) from: UserOut<'a>,
    pub(crate) chat: ChatOut<'a>,
    pub(crate) date: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) edit_date: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) media_group_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) entities: Vec<EntityOut>,
    /// The content by its field name: `photo`, `document`, `invoice` ...
    #[serde(flatten)]
    pub(crate) content: serde_json::Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caption: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) caption_entities: Vec<EntityOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply_markup: Option<&'a Value>,
}

impl<'a> MessageOut<'a> {
    /// A bare message.
    pub(crate) fn new(message_id: i64, from: UserOut<'a>, chat: ChatOut<'a>, date: u64) -> Self {
        Self {
            message_id,
            from,
            chat,
            date,
            edit_date: None,
            media_group_id: None,
            text: None,
            entities: Vec::new(),
            content: serde_json::Map::new(),
            caption: None,
            caption_entities: Vec::new(),
            reply_markup: None,
        }
    }
}

/// The bot itself, as `from` of its messages.
pub(crate) fn bot_user(bot: &Bot) -> UserOut<'_> {
    UserOut {
        id: bot.id,
        is_bot: true,
        first_name: &bot.spec.first_name,
        username: Some(&bot.spec.username),
        language_code: None,
    }
}

/// A user with a name that goes by his id.
pub(crate) fn student(user: u64, language_code: Option<&str>) -> UserOut<'_> {
    UserOut { id: user, is_bot: false, first_name: first_name(user), username: None, language_code }
}

/// The chat of an id: private, group, or supergroup.
pub(crate) fn chat_of(chat: i64) -> ChatOut<'static> {
    if !is_group(chat) {
        let name = first_name(chat.unsigned_abs());
        return ChatOut { id: chat, first_name: Some(name), title: None, kind: "private" };
    }
    let kind = if is_supergroup(chat) { "supergroup" } else { "group" };
    ChatOut { id: chat, first_name: None, title: Some("صف الثالث"), kind }
}

/// Common given names, so that the wire carries the letters a real day carries.
fn first_name(user: u64) -> &'static str {
    const NAMES: [&str; 8] = ["محمد", "علي", "زينب", "فاطمة", "حسين", "مريم", "Ahmed", "نور"];
    NAMES[(user % NAMES.len() as u64) as usize]
}
