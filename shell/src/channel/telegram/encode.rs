//! A call into the bytes of one HTTP/1.1 request.
//!
//! What lives here: [`RequestHead`], what the requests of one token have in common, and [`Encoder`],
//! which writes calls behind it. Text is plain: no `parse_mode` is ever set, so nothing in the data can
//! become formatting. It must not send anything.

use crate::observe::Secret;
use nobat_core::bot::{Action, Button, Call};
use nobat_core::id::{ChatId, MessageId};
use std::fmt::{Display, Write as _};
use std::io::Write as _;
use zeroize::Zeroize;

/// What every request of one token has in common. Holds the token: `Debug` shows its bot id alone.
pub struct RequestHead {
    /// `POST <prefix>/bot<token>/`
    start: String,
    /// From the end of the path to the value of `Content-Length`.
    end: String,
    shown: String,
}

impl RequestHead {
    /// Requests for `token` at `host` (a `Host` header's value), under `path_prefix` (empty, or `/…`
    /// without a slash at the end).
    #[must_use]
    pub fn new(host: &str, path_prefix: &str, token: &Secret) -> Self {
        Self::with_connection(host, path_prefix, token, "keep-alive")
    }

    /// As [`RequestHead::new`], for a connection that carries one request alone.
    #[must_use]
    pub fn closing(host: &str, path_prefix: &str, token: &Secret) -> Self {
        Self::with_connection(host, path_prefix, token, "close")
    }

    fn with_connection(host: &str, path_prefix: &str, token: &Secret, connection: &str) -> Self {
        Self {
            start: format!("POST {path_prefix}/bot{}/", token.expose()),
            end: format!(
                " HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\nContent-Type: application/json\r\nContent-Length: "
            ),
            shown: format!("RequestHead({token} at {host}{path_prefix})"),
        }
    }
}

impl std::fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Drop for RequestHead {
    fn drop(&mut self) {
        self.start.zeroize();
    }
}

/// Writes requests, reusing one buffer for bodies. Allocates nothing once warm.
#[derive(Default)]
pub struct Encoder {
    body: String,
}

impl Encoder {
    /// An encoder with fresh buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the whole request for `call` to `out`. Linear in the text.
    pub fn call(&mut self, head: &RequestHead, chat: ChatId, call: &Call, out: &mut Vec<u8>) {
        self.body.clear();
        let method = body_of(&mut Body::open(&mut self.body), chat, call);
        self.body.push('}');
        request(head, method, &self.body, out);
    }

    /// Appends the whole request for `method` with the parameters `params`, a JSON object, to `out`.
    pub fn method(&mut self, head: &RequestHead, method: &str, params: &Params, out: &mut Vec<u8>) {
        request(head, method, params.json(), out);
    }
}

fn request(head: &RequestHead, method: &str, body: &str, out: &mut Vec<u8>) {
    out.reserve(head.start.len() + method.len() + head.end.len() + body.len() + 24);
    out.extend_from_slice(head.start.as_bytes());
    out.extend_from_slice(method.as_bytes());
    out.extend_from_slice(head.end.as_bytes());
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{}\r\n\r\n", body.len());
    out.extend_from_slice(body.as_bytes());
}

fn body_of(body: &mut Body<'_>, chat: ChatId, call: &Call) -> &'static str {
    match call {
        Call::Text { text, keyboard } => {
            body.number("chat_id", chat).string("text", text).keyboard(keyboard);
            "sendMessage"
        }
        Call::EditText { message, text, keyboard } => {
            body.number("chat_id", chat).number("message_id", message).string("text", text);
            body.keyboard(keyboard);
            "editMessageText"
        }
        Call::AnswerCallback { id, text, alert } => {
            body.string("callback_query_id", id);
            if !text.is_empty() {
                body.string("text", text);
            }
            if *alert {
                body.raw("show_alert", "true");
            }
            "answerCallbackQuery"
        }
        Call::Said { text, protect, reply_to } => {
            body.number("chat_id", chat).string("text", text).protect(*protect);
            body.answers(*reply_to);
            "sendMessage"
        }
        Call::Copy { from, message, caption, protect, reply_to } => {
            body.number("chat_id", chat).number("from_chat_id", from).number("message_id", message);
            // Always said: left out, the caption would be copied with its links and mentions.
            body.string("caption", caption).protect(*protect);
            body.answers(*reply_to);
            "copyMessage"
        }
        Call::CopyAlbum { from, messages, protect } => {
            body.number("chat_id", chat).number("from_chat_id", from).numbers("message_ids", messages);
            // The texts would be copied with their links and mentions.
            body.raw("remove_caption", "true").protect(*protect);
            "copyMessages"
        }
        Call::EditCaption { message, caption } => {
            body.number("chat_id", chat).number("message_id", message).string("caption", caption);
            "editMessageCaption"
        }
        Call::React { message, emoji } => {
            body.number("chat_id", chat).number("message_id", message).sign(emoji);
            "setMessageReaction"
        }
        Call::IsMember { channel, user } => {
            body.string("chat_id", channel).number("user_id", user);
            "getChatMember"
        }
        Call::Invoice { title, about, payload, stars } => {
            body.number("chat_id", chat).string("title", title).string("description", about);
            body.string("payload", payload).string("provider_token", "").string("currency", "XTR");
            body.price(title, *stars);
            "sendInvoice"
        }
        Call::AnswerPreCheckout { id, refusal } => {
            body.string("pre_checkout_query_id", id)
                .raw("ok", if refusal.is_empty() { "true" } else { "false" });
            if !refusal.is_empty() {
                body.string("error_message", refusal);
            }
            "answerPreCheckoutQuery"
        }
        Call::RefundStars { user, charge } => {
            body.number("user_id", user).string("telegram_payment_charge_id", charge);
            "refundStarPayment"
        }
        Call::Typing => {
            body.number("chat_id", chat).string("action", "typing");
            "sendChatAction"
        }
    }
}

/// The parameters of a method, as a JSON object under construction.
#[derive(Clone, Debug)]
pub struct Params {
    json: String,
}

impl Default for Params {
    fn default() -> Self {
        Self { json: "{}".to_owned() }
    }
}

impl Params {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a string.
    #[must_use]
    pub fn string(self, key: &str, value: &str) -> Self {
        self.with(|body| {
            body.string(key, value);
        })
    }

    /// With a number.
    #[must_use]
    pub fn number(self, key: &str, value: i64) -> Self {
        self.with(|body| {
            body.number(key, value);
        })
    }

    /// With a boolean.
    #[must_use]
    pub fn bool(self, key: &str, value: bool) -> Self {
        self.with(|body| {
            body.raw(key, if value { "true" } else { "false" });
        })
    }

    /// With a list of strings.
    #[must_use]
    pub fn strings(self, key: &str, values: &[&str]) -> Self {
        self.with(|body| {
            body.key(key);
            body.json.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    body.json.push(',');
                }
                quote(body.json, value);
            }
            body.json.push(']');
        })
    }

    /// The JSON object.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    fn with(mut self, add: impl FnOnce(&mut Body<'_>)) -> Self {
        self.json.pop();
        add(&mut Body { json: &mut self.json });
        self.json.push('}');
        self
    }
}

/// An open JSON object. Writing to a `String` cannot fail, so the results of `write!` are dropped.
struct Body<'b> {
    json: &'b mut String,
}

impl<'b> Body<'b> {
    fn open(json: &'b mut String) -> Self {
        json.push('{');
        Self { json }
    }

    fn key(&mut self, key: &str) {
        if !self.json.ends_with('{') {
            self.json.push(',');
        }
        quote(self.json, key);
        self.json.push(':');
    }

    fn string(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        quote(self.json, value);
        self
    }

    fn number(&mut self, key: &str, value: impl Display) -> &mut Self {
        self.key(key);
        let _ = write!(self.json, "{value}");
        self
    }

    fn raw(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        self.json.push_str(value);
        self
    }

    fn protect(&mut self, protect: bool) {
        if protect {
            self.raw("protect_content", "true");
        }
    }

    /// A message that is gone is no longer answered, and the answer arrives all the same.
    fn answers(&mut self, message: Option<MessageId>) {
        let Some(message) = message else { return };
        self.key("reply_parameters");
        Body::open(self.json).number("message_id", message).raw("allow_sending_without_reply", "true");
        self.json.push('}');
    }

    /// One sign on a message, or none.
    fn sign(&mut self, emoji: &str) {
        self.key("reaction");
        self.json.push('[');
        if !emoji.is_empty() {
            Body::open(self.json).string("type", "emoji").string("emoji", emoji);
            self.json.push('}');
        }
        self.json.push(']');
    }

    fn numbers(&mut self, key: &str, numbers: &[MessageId]) -> &mut Self {
        self.key(key);
        self.json.push('[');
        for (at, number) in numbers.iter().enumerate() {
            let _ = write!(self.json, "{}{number}", if at == 0 { "" } else { "," });
        }
        self.json.push(']');
        self
    }

    /// The one price of an invoice in Stars.
    fn price(&mut self, label: &str, stars: u32) {
        self.key("prices");
        self.json.push('[');
        Body::open(self.json).string("label", label).number("amount", stars);
        self.json.push_str("}]");
    }

    fn keyboard(&mut self, rows: &[Vec<Button>]) {
        if rows.is_empty() {
            return;
        }
        self.key("reply_markup");
        self.json.push_str("{\"inline_keyboard\":[");
        for (at, row) in rows.iter().enumerate() {
            self.json.push_str(if at == 0 { "[" } else { ",[" });
            for (at, button) in row.iter().enumerate() {
                if at > 0 {
                    self.json.push(',');
                }
                let mut open = Body::open(self.json);
                open.string("text", &button.text);
                match &button.action {
                    Action::Callback(data) => open.string("callback_data", data),
                    Action::Url(url) => open.string("url", url),
                };
                self.json.push('}');
            }
            self.json.push(']');
        }
        self.json.push_str("]}");
    }
}

/// Appends `text` as a JSON string (RFC 8259, section 7): quote, backslash and controls are escaped,
/// everything else stands as it is. Copies the stretches between, since they are nearly all.
fn quote(json: &mut String, text: &str) {
    json.push('"');
    let mut done = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        json.push_str(&text[done..at]);
        if escape.is_empty() {
            let _ = write!(json, "\\u{byte:04x}");
        } else {
            json.push_str(escape);
        }
        done = at + 1;
    }
    json.push_str(&text[done..]);
    json.push('"');
}

#[cfg(test)]
mod tests;
