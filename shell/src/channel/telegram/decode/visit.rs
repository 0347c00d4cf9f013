//! Which fields of an update carry meaning, and where they stand in the body.
//!
//! What lives here: [`update`], which visits the few objects that matter and passes the rest, and [`Found`], which
//! becomes an [`Update`] once the body may be rewritten. If a field is repeated, the last one counts, as
//! most parsers have it; of several contents the first does.

use super::super::update::{ChatType, Update, UpdateKind, What};
use super::scan::{NotJson, Scan, Text, utf8};
use super::{DecodeError, chat_id, tape, unescape, user_id};
use nobat_core::bot::{Content as Holds, Payment};
use nobat_core::id::{MessageId, UpdateId};
use std::ops::Range;

/// What was found in a body.
pub(super) struct Found {
    update_id: Option<i64>,
    kind: UpdateKind,
    content: Content,
}

#[derive(Default)]
struct Content {
    from: From,
    chat: Option<Chat>,
    /// Of the message that bore a button.
    bearer: Bearer,
    member: Member,
    /// Of a question before a payment, which is one itself.
    own: Pay,
    /// The news of a payment, or of one given back.
    paid: Option<Pay>,
    refunded: Option<Pay>,
    holds: Option<Holds>,
    /// The message that is answered.
    answered: Bearer,
    album: Option<Text>,
    sign: Option<Text>,
    id: Option<Text>,
    data: Option<Text>,
    text: Option<Text>,
    caption: Option<Text>,
    message_id: Option<i64>,
    date: Option<i64>,
}

#[derive(Default)]
struct From {
    id: Option<i64>,
    is_bot: bool,
    language: Option<Text>,
}

#[derive(Default)]
struct Pay {
    amount: Option<i64>,
    is_stars: bool,
    charge: Option<Text>,
    payload: Option<Text>,
}

struct Chat {
    id: Option<i64>,
    kind: ChatType,
    name: Option<Text>,
}

#[derive(Default)]
struct Bearer {
    message_id: Option<i64>,
    chat: Option<Chat>,
}

/// Somebody's new standing in a chat.
#[derive(Clone, Copy, Default)]
struct Member {
    status: Status,
    user: Option<i64>,
    /// Of one who is restricted.
    is_member: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Status {
    #[default]
    Other,
    Member,
    Gone,
    /// The owner, or an administrator.
    Leads,
    Restricted,
}

impl Member {
    /// Whether he is in it; none if that is not said.
    const fn joined(self) -> Option<bool> {
        match self.status {
            Status::Member | Status::Leads => Some(true),
            Status::Restricted => Some(self.is_member),
            Status::Gone => Some(false),
            Status::Other => None,
        }
    }
}

/// Visits a body. None if it is JSON but no object.
pub(super) fn update(body: &[u8]) -> Result<Option<Found>, NotJson> {
    let mut scan = Scan::new(body);
    let is_object = scan.peek()? == b'{';
    let mut found = Found { update_id: None, kind: UpdateKind::Unknown, content: Content::default() };
    scan.entries(|scan, key| {
        match name(scan.bytes, key, &mut None) {
            b"update_id" => found.update_id = scan.int()?,
            field if found.kind == UpdateKind::Unknown => {
                found.kind = UpdateKind::of(field);
                match found.kind {
                    UpdateKind::Unknown => scan.skip()?,
                    _ => content(scan, &mut found.content)?,
                }
            }
            _ => scan.skip()?,
        }
        Ok(())
    })?;
    scan.end()?;
    Ok(is_object.then_some(found))
}

/// A key or word without escapes; one too long to be known is empty. `space` is made when it is needed: hardly
/// ever.
#[inline(always)]
fn name<'s>(bytes: &'s [u8], text: Text, space: &'s mut Option<[u8; 64]>) -> &'s [u8] {
    if !text.escaped {
        return &bytes[text.from..text.to];
    }
    unescape::into(bytes, text, space.insert([0; 64])).unwrap_or_default()
}

fn content(scan: &mut Scan<'_>, into: &mut Content) -> Result<(), NotJson> {
    scan.entries(|scan, key| {
        match name(scan.bytes, key, &mut None) {
            // Reactions, poll answers and business connections say `user`.
            b"from" | b"user" => into.from = from(scan)?,
            b"chat" => into.chat = Some(chat(scan)?),
            b"message" => into.bearer = bearer(scan)?,
            b"reply_to_message" => into.answered = bearer(scan)?,
            b"media_group_id" => into.album = scan.text()?,
            b"new_reaction" => into.sign = sign(scan)?,
            b"new_chat_member" => into.member = member(scan)?,
            b"successful_payment" => into.paid = Some(pay(scan)?),
            b"refunded_payment" => into.refunded = Some(pay(scan)?),
            b"caption" => into.caption = scan.text()?,
            b"id" => into.id = scan.text()?,
            b"data" => into.data = scan.text()?,
            b"text" => into.text = scan.text()?,
            b"message_id" => into.message_id = scan.int()?,
            b"date" => into.date = scan.int()?,
            key if into.own.takes(key, scan)? => {}
            key => {
                let held = std::str::from_utf8(key).ok().and_then(tape::holds);
                into.holds = tape::stronger(into.holds, held);
                scan.skip()?;
            }
        }
        Ok(())
    })
}

impl Pay {
    /// Reads a field of a payment; whether it is one.
    fn takes(&mut self, key: &[u8], scan: &mut Scan<'_>) -> Result<bool, NotJson> {
        match key {
            b"total_amount" => self.amount = scan.int()?,
            b"currency" => self.is_stars = word(scan, |word| word == b"XTR")?.unwrap_or(false),
            b"telegram_payment_charge_id" => self.charge = scan.text()?,
            b"invoice_payload" => self.payload = scan.text()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Resolves its texts in place.
    fn resolve(self, body: &mut [u8]) -> Resolved {
        Resolved {
            charge: self.charge.map(|text| unescape::in_place(body, text)),
            payload: self.payload.map(|text| unescape::in_place(body, text)),
            stars: self.amount.and_then(|amount| u32::try_from(amount).ok()).filter(|_| self.is_stars),
        }
    }
}

/// A payment whose texts stand resolved in the body.
struct Resolved {
    charge: Option<Range<usize>>,
    payload: Option<Range<usize>>,
    stars: Option<u32>,
}

impl Resolved {
    /// None without a payload.
    fn payment(self, body: &str) -> Option<Payment<'_>> {
        Some(Payment {
            charge: self.charge.map_or("", |at| text(body, at)),
            payload: text(body, self.payload?),
            stars: self.stars,
        })
    }
}

fn pay(scan: &mut Scan<'_>) -> Result<Pay, NotJson> {
    let mut found = Pay::default();
    scan.entries(
        |scan, key| {
            if found.takes(name(scan.bytes, key, &mut None), scan)? { Ok(()) } else { scan.skip() }
        },
    )?;
    Ok(found)
}

fn from(scan: &mut Scan<'_>) -> Result<From, NotJson> {
    let mut found = From::default();
    scan.entries(|scan, key| {
        match name(scan.bytes, key, &mut None) {
            b"id" => found.id = scan.int()?,
            b"is_bot" => found.is_bot = scan.truth()?,
            b"language_code" => found.language = scan.text()?,
            _ => scan.skip()?,
        }
        Ok(())
    })?;
    Ok(found)
}

fn chat(scan: &mut Scan<'_>) -> Result<Chat, NotJson> {
    let mut found = Chat { id: None, kind: ChatType::Other, name: None };
    scan.entries(|scan, key| {
        match name(scan.bytes, key, &mut None) {
            b"id" => found.id = scan.int()?,
            b"type" => found.kind = word(scan, ChatType::of)?.unwrap_or(ChatType::Other),
            b"username" => found.name = scan.text()?,
            _ => scan.skip()?,
        }
        Ok(())
    })?;
    Ok(found)
}

fn bearer(scan: &mut Scan<'_>) -> Result<Bearer, NotJson> {
    let mut found = Bearer::default();
    scan.entries(|scan, key| {
        match name(scan.bytes, key, &mut None) {
            b"message_id" => found.message_id = scan.int()?,
            b"chat" => found.chat = Some(chat(scan)?),
            _ => scan.skip()?,
        }
        Ok(())
    })?;
    Ok(found)
}

/// The first sign of a list that is an ordinary emoji.
fn sign(scan: &mut Scan<'_>) -> Result<Option<Text>, NotJson> {
    let mut found = None;
    scan.items(|scan| {
        let mut emoji = None;
        scan.entries(|scan, key| {
            match name(scan.bytes, key, &mut None) {
                b"emoji" => emoji = scan.text()?,
                _ => scan.skip()?,
            }
            Ok(())
        })?;
        found = found.or(emoji);
        Ok(())
    })?;
    Ok(found)
}

fn member(scan: &mut Scan<'_>) -> Result<Member, NotJson> {
    let mut found = Member::default();
    scan.entries(|scan, key| {
        match name(scan.bytes, key, &mut None) {
            b"status" => {
                let status = word(scan, |word| match word {
                    b"member" => Status::Member,
                    b"kicked" | b"left" => Status::Gone,
                    b"creator" | b"administrator" => Status::Leads,
                    b"restricted" => Status::Restricted,
                    _ => Status::Other,
                })?;
                found.status = status.unwrap_or_default();
            }
            b"is_member" => found.is_member = scan.truth()?,
            b"user" => found.user = from(scan)?.id,
            _ => scan.skip()?,
        }
        Ok(())
    })?;
    Ok(found)
}

/// A string that is one of a few words; none if it is no string.
fn word<T>(scan: &mut Scan<'_>, of: impl Fn(&[u8]) -> T) -> Result<Option<T>, NotJson> {
    let Some(text) = scan.text()? else { return Ok(None) };
    let mut space = None;
    let word = name(scan.bytes, text, &mut space);
    Ok(Some(of(word)))
}

/// A whole string of the body, so it begins and ends between characters.
#[inline]
fn text(body: &str, at: Range<usize>) -> &str {
    body.get(at).unwrap_or_default()
}

impl Found {
    /// Resolves the texts in place.
    pub(super) fn into_update(self, body: &mut [u8]) -> Result<Update<'_>, DecodeError> {
        let Self { update_id, kind, content } = self;
        let texts = [
            content.from.language,
            content.text,
            content.caption,
            content.id,
            content.data,
            content.album,
            content.sign,
            content.chat.as_ref().and_then(|chat| chat.name),
        ];
        let texts = texts.map(|text| text.map(|text| unescape::in_place(body, text)));
        let own = content.own.resolve(body);
        let paid = content.paid.map(|pay| pay.resolve(body));
        let refunded = content.refunded.map(|pay| pay.resolve(body));
        // Nothing is rewritten from here on. All of the body at once, read or not: it is UTF-8 exactly if it was so
        // before, since escapes stand for whole characters and what they left over is blank.
        let body = utf8(body).ok_or(DecodeError::NotJson)?;
        let update_id = UpdateId(update_id.ok_or(DecodeError::NoUpdateId)?);
        let [language, said, caption, id, data, album, sign, chat_name] =
            texts.map(|at| at.map(|at| text(body, at)));
        let message = content.message_id.map(MessageId);
        let reply_to = content.answered.message_id.map(MessageId);
        let what = match (kind, message) {
            (UpdateKind::Message, Some(message)) => match (said, paid, refunded) {
                (Some(text), ..) => What::Text { text, message, reply_to },
                (None, None, None) => What::OtherMessage {
                    message,
                    content: content.holds.unwrap_or(Holds::Other),
                    caption: caption.unwrap_or(""),
                    reply_to,
                    album: album.unwrap_or(""),
                },
                (None, paid, refunded) => {
                    let paid = paid.and_then(|pay| pay.payment(body)).map(What::Paid);
                    let refunded = refunded.and_then(|pay| pay.payment(body)).map(What::Refunded);
                    paid.or(refunded).unwrap_or(What::Nothing)
                }
            },
            (UpdateKind::EditedMessage, Some(message)) => match said {
                Some(text) => What::Edited { message, text, content: None },
                None => What::Edited {
                    message,
                    text: caption.unwrap_or(""),
                    content: Some(content.holds.unwrap_or(Holds::Other)),
                },
            },
            (UpdateKind::MessageReaction, Some(message)) => {
                What::Reacted { message, emoji: sign.unwrap_or("") }
            }
            (UpdateKind::PreCheckoutQuery, _) => match (id, own.payment(body)) {
                (Some(id), Some(payment)) => What::PreCheckout { id, payment },
                _ => What::Nothing,
            },
            (UpdateKind::CallbackQuery, _) => id.map_or(What::Nothing, |id| What::Callback {
                id,
                data: data.unwrap_or(""),
                message: content.bearer.message_id.map(MessageId),
            }),
            (UpdateKind::MyChatMember, _) => match content.member.status {
                Status::Member => What::MyChatMember { reachable: true },
                Status::Gone => What::MyChatMember { reachable: false },
                _ => What::Nothing,
            },
            (UpdateKind::ChatMember, _) => {
                match (content.member.user.and_then(user_id), content.member.joined()) {
                    (Some(user), Some(joined)) => {
                        What::ChatMember { user, name: chat_name.unwrap_or(""), joined }
                    }
                    _ => What::Nothing,
                }
            }
            _ => What::Nothing,
        };
        let chat = content.chat.as_ref().or(content.bearer.chat.as_ref());
        Ok(Update {
            update_id,
            kind,
            from: content.from.id.and_then(user_id),
            from_bot: content.from.is_bot,
            chat: chat.and_then(|chat| chat.id).and_then(chat_id),
            chat_type: chat.map_or(ChatType::Other, |chat| chat.kind),
            date: content.date.and_then(|date| u64::try_from(date).ok()),
            language: language.unwrap_or(""),
            what,
        })
    }
}
