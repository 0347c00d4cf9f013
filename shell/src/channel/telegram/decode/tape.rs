//! The same rules over simd-json's tape: for batches of updates, which are parsed as a whole, and as the oracle of the
//! scanner's tests and fuzz target. It resolves every escape, used or not: see docs/decisions/decode-scans-once.md.

use super::super::json::Field;
use super::super::update::{ChatType, Update, UpdateKind, What};
use super::{chat_id, user_id};
use nobat_core::bot::{Content as Holds, Payment};
use nobat_core::id::{MessageId, UpdateId};

/// What [`super::Decoder::decode`] must say, if simd-json takes the body.
///
/// # Errors
/// As the decoder's.
#[cfg(any(test, fuzzing))]
pub fn decode(body: &mut [u8]) -> Result<Update<'_>, super::DecodeError> {
    use super::{super::json::Reader, DecodeError};
    Reader::default().parse(body, update).map_err(|_| DecodeError::NotJson)?.ok_or(DecodeError::NoUpdateId)
}

/// An object with an `update_id`; any other value is none.
pub(in super::super) fn update<'a>(root: Field<'_, 'a>) -> Option<Update<'a>> {
    let mut update_id = None;
    let mut kind = UpdateKind::Unknown;
    let mut content = None;
    for (key, value) in root.entries() {
        if key == "update_id" {
            update_id = value.int();
        } else if content.is_none() {
            kind = UpdateKind::of(key.as_bytes());
            content = (kind != UpdateKind::Unknown).then_some(value);
        }
    }
    let empty = Update {
        update_id: UpdateId(update_id?),
        kind,
        from: None,
        from_bot: false,
        chat: None,
        chat_type: ChatType::Other,
        date: None,
        language: "",
        what: What::Nothing,
    };
    Some(content.map_or(empty, |content| fill(empty, content)))
}

/// The fields that carry meaning, gathered in one pass over the content.
#[derive(Default)]
struct Content<'t, 'a> {
    from: Option<Field<'t, 'a>>,
    chat: Option<Field<'t, 'a>>,
    message: Option<Field<'t, 'a>>,
    new_chat_member: Option<Field<'t, 'a>>,
    /// The news of a payment, or of one given back.
    paid: Option<Field<'t, 'a>>,
    refunded: Option<Field<'t, 'a>>,
    holds: Option<Holds>,
    answered: Option<Field<'t, 'a>>,
    album: Option<&'a str>,
    signs: Option<Field<'t, 'a>>,
    caption: Option<&'a str>,
    /// The content itself, for what is asked before a payment.
    whole: Option<Field<'t, 'a>>,
    id: Option<&'a str>,
    data: Option<&'a str>,
    text: Option<&'a str>,
    message_id: Option<i64>,
    date: Option<i64>,
}

impl<'t, 'a> Content<'t, 'a> {
    fn of(content: Field<'t, 'a>) -> Self {
        let mut found = Self { whole: Some(content), ..Self::default() };
        for (key, value) in content.entries() {
            match key {
                // Reactions, poll answers and business connections say `user`.
                "from" | "user" => found.from = Some(value),
                "chat" => found.chat = Some(value),
                "message" => found.message = Some(value),
                "reply_to_message" => found.answered = Some(value),
                "media_group_id" => found.album = value.str(),
                "new_reaction" => found.signs = Some(value),
                "new_chat_member" => found.new_chat_member = Some(value),
                "successful_payment" => found.paid = Some(value),
                "refunded_payment" => found.refunded = Some(value),
                "caption" => found.caption = value.str(),
                "id" => found.id = value.str(),
                "data" => found.data = value.str(),
                "text" => found.text = value.str(),
                "message_id" => found.message_id = value.int(),
                "date" => found.date = value.int(),
                _ => found.holds = stronger(found.holds, holds(key)),
            }
        }
        found
    }

    fn what(&self, kind: UpdateKind) -> What<'a> {
        let message = self.message_id.map(MessageId);
        match (kind, message) {
            (UpdateKind::Message, Some(message)) => self.said(message),
            (UpdateKind::EditedMessage, Some(message)) => match self.text {
                Some(text) => What::Edited { message, text, content: None },
                None => What::Edited {
                    message,
                    text: self.caption.unwrap_or(""),
                    content: Some(self.holds.unwrap_or(Holds::Other)),
                },
            },
            (UpdateKind::MessageReaction, Some(message)) => {
                let mut signs = self.signs.into_iter().flat_map(Field::items);
                let emoji = signs.find_map(|sign| sign.get("emoji").and_then(Field::str)).unwrap_or("");
                What::Reacted { message, emoji }
            }
            (UpdateKind::PreCheckoutQuery, _) => match (self.id, self.whole.and_then(payment)) {
                (Some(id), Some(payment)) => What::PreCheckout { id, payment },
                _ => What::Nothing,
            },
            (UpdateKind::CallbackQuery, _) => self.callback(),
            (UpdateKind::MyChatMember, _) => self.membership(),
            (UpdateKind::ChatMember, _) => self.joined(),
            _ => What::Nothing,
        }
    }

    fn said(&self, message: MessageId) -> What<'a> {
        let reply_to = self.answered.and_then(|m| m.get("message_id")).and_then(Field::int).map(MessageId);
        if let Some(text) = self.text {
            return What::Text { text, message, reply_to };
        }
        match (self.paid.map(payment), self.refunded.map(payment)) {
            (Some(Some(paid)), _) => What::Paid(paid),
            (_, Some(Some(refunded))) => What::Refunded(refunded),
            (None, None) => What::OtherMessage {
                message,
                content: self.holds.unwrap_or(Holds::Other),
                caption: self.caption.unwrap_or(""),
                reply_to,
                album: self.album.unwrap_or(""),
            },
            _ => What::Nothing,
        }
    }

    fn callback(&self) -> What<'a> {
        let Some(id) = self.id else { return What::Nothing };
        let message = self.message.and_then(|m| m.get("message_id")).and_then(Field::int);
        What::Callback { id, data: self.data.unwrap_or(""), message: message.map(MessageId) }
    }

    fn joined(&self) -> What<'a> {
        let Some(member) = self.new_chat_member else { return What::Nothing };
        let joined = match member.get("status").and_then(Field::str) {
            Some("creator" | "administrator" | "member") => true,
            Some("restricted") => member.get("is_member").and_then(Field::bool).unwrap_or(false),
            Some("left" | "kicked") => false,
            _ => return What::Nothing,
        };
        let user = member.get("user").and_then(|user| user.get("id")).and_then(Field::int).and_then(user_id);
        let name = self.chat.and_then(|chat| chat.get("username")).and_then(Field::str).unwrap_or("");
        user.map_or(What::Nothing, |user| What::ChatMember { user, name, joined })
    }

    fn membership(&self) -> What<'a> {
        let status = self.new_chat_member.and_then(|member| member.get("status")).and_then(Field::str);
        match status {
            Some("member") => What::MyChatMember { reachable: true },
            Some("kicked" | "left") => What::MyChatMember { reachable: false },
            _ => What::Nothing,
        }
    }
}

/// What a field of a message says that it holds.
pub(super) fn holds(key: &str) -> Option<Holds> {
    Some(match key {
        "photo" => Holds::Photo,
        "video" => Holds::Video,
        "animation" => Holds::Animation,
        "audio" => Holds::Audio,
        "voice" => Holds::Voice,
        "video_note" => Holds::VideoNote,
        "sticker" => Holds::Sticker,
        "document" => Holds::Document,
        "location" => Holds::Location,
        "poll" => Holds::Poll,
        "dice" => Holds::Dice,
        "contact" => Holds::Contact,
        _ => return None,
    })
}

/// An animation is told as a document too, for old bots.
pub(super) fn stronger(known: Option<Holds>, new: Option<Holds>) -> Option<Holds> {
    match (known, new) {
        (Some(Holds::Document) | None, Some(_)) => new,
        _ => known,
    }
}

/// None without a payload.
fn payment<'a>(of: Field<'_, 'a>) -> Option<Payment<'a>> {
    let amount = of.get("total_amount").and_then(Field::int).and_then(|amount| u32::try_from(amount).ok());
    let is_stars = of.get("currency").and_then(Field::str) == Some("XTR");
    Some(Payment {
        charge: of.get("telegram_payment_charge_id").and_then(Field::str).unwrap_or(""),
        payload: of.get("invoice_payload").and_then(Field::str)?,
        stars: amount.filter(|_| is_stars),
    })
}

fn fill<'a>(mut update: Update<'a>, content: Field<'_, 'a>) -> Update<'a> {
    let found = Content::of(content);
    if let Some(from) = found.from {
        for (key, value) in from.entries() {
            match key {
                "id" => update.from = value.int().and_then(user_id),
                "is_bot" => update.from_bot = value.bool().unwrap_or(false),
                "language_code" => update.language = value.str().unwrap_or(""),
                _ => {}
            }
        }
    }
    let chat = found.chat.or_else(|| found.message.and_then(|message| message.get("chat")));
    if let Some(chat) = chat {
        for (key, value) in chat.entries() {
            match key {
                "id" => update.chat = value.int().and_then(chat_id),
                "type" => {
                    update.chat_type =
                        value.str().map_or(ChatType::Other, |name| ChatType::of(name.as_bytes()))
                }
                _ => {}
            }
        }
    }
    update.date = found.date.and_then(|date| u64::try_from(date).ok());
    update.what = found.what(update.kind);
    update
}
