//! The platform's answer to a send, judged.
//!
//! What lives here: [`VerdictReader`], a total function from (status, `Retry-After`, body) to
//! [`Verdict`]. What a verdict leads to (a retry, another lane, an end) is the pacer's and the engine's.
//!
//! | status | body | verdict | because |
//! |---|---|---|---|
//! | 2xx | `ok: true` | Sent | |
//! | 2xx | `ok: false` | as its `error_code` says | a proxy may flatten the status |
//! | 2xx | anything else | Unknown | it was probably accepted, and the answer was damaged on its way |
//! | 429 | any | RetryAfter | the longer of parameter and header; without either [`RETRY_AFTER_UNSAID`] |
//! | 401, 421, 404 | JSON | TokenDead | a wrong token is commonly reported as a plain 404 |
//! | 404 | `method not found` | Rejected | the token was good enough to look for the method |
//! | 403, 400 | JSON | by its wording | see [`wording`] |
//! | 413 | any | Rejected | it will be too large the next time as well |
//! | 504 | any | Unknown | the gateway passed the request on, and stopped waiting |
//! | else | any | Failed | 5xx, redirects, 409, and an HTML page of a proxy with any status |
//!
//! Wording: tdlib/telegram-bot-api, `Client.cpp` (`fail_query_with_error`, `check_chat`) and
//! `ClientManager.cpp`; `teloxide` `errors.rs` for older forms.

use super::json::{Field, Reader};
use nobat_core::envelope::{Unreachable, Verdict};
use nobat_core::id::MessageId;
use std::time::Duration;

/// The wait after a 429 that names none. Cautious: a call before the real wait ends is punished.
pub const RETRY_AFTER_UNSAID: Duration = Duration::from_secs(5);

/// The longest wait believed. The longest seen in the wild is a day.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(7 * 86_400);

/// Judges answers, reusing its buffers. One a thread.
#[derive(Default)]
pub struct VerdictReader {
    reader: Reader,
    said: Said,
}

/// What an accepted call answered.
#[derive(Default)]
struct Said {
    messages: Vec<MessageId>,
    member: Option<bool>,
}

/// What of an answer's body counts.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub(super) ok: Option<bool>,
    pub(super) error_code: Option<i64>,
    pub(super) description: &'a str,
    /// Seconds.
    pub(super) retry_after: Option<i64>,
}

impl Said {
    /// Reads a `result`: a message, the numbers of several, or a member of a chat.
    fn read(&mut self, result: Option<Field<'_, '_>>) {
        self.messages.clear();
        self.member = None;
        let Some(result) = result else { return };
        let number = |message: Field<'_, '_>| message.get("message_id").and_then(Field::int).map(MessageId);
        self.messages.extend(number(result));
        self.messages.extend(result.items().filter_map(number));
        self.member = match result.get("status").and_then(Field::str) {
            Some("creator" | "administrator" | "member") => Some(true),
            Some("restricted") => Some(result.get("is_member").and_then(Field::bool).unwrap_or(false)),
            Some("left" | "kicked") => Some(false),
            _ => None,
        };
    }
}

impl VerdictReader {
    /// A reader with fresh buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges one whole answer. Total: any bytes give a verdict. **The body's bytes are rewritten.**
    /// `header` is the value of `Retry-After` in seconds, if there is one.
    #[must_use]
    pub fn read(&mut self, status: u16, header: Option<u32>, body: &mut [u8]) -> Verdict {
        let said = &mut self.said;
        said.read(None);
        let judged = self.reader.parse(body, |root| {
            root.is_object().then(|| {
                let body = Body::of(root);
                match (status, body.ok) {
                    (200..300, Some(true)) => {
                        said.read(root.get("result"));
                        Verdict::Sent
                    }
                    (200..300, None) => Verdict::Unknown,
                    (200..300, Some(false)) => {
                        let code = body.error_code.and_then(|code| u16::try_from(code).ok());
                        refused(code.unwrap_or(500), header, &body)
                    }
                    _ => refused(status, header, &body),
                }
            })
        });
        if let Ok(Some(verdict)) = judged {
            return verdict;
        }
        match status {
            200..300 | 504 => Verdict::Unknown,
            413 => Verdict::Rejected,
            429 => Verdict::RetryAfter(wait(header, None)),
            _ => Verdict::Failed,
        }
    }
}

impl VerdictReader {
    /// The numbers of the messages that the call last read has made, in their order; empty if it made none.
    #[must_use]
    pub fn messages(&self) -> &[MessageId] {
        &self.said.messages
    }

    /// What the call last read says of a member of a chat: whether he is in it. None if it was another call.
    #[must_use]
    pub const fn member(&self) -> Option<bool> {
        self.said.member
    }
}

impl<'a> Body<'a> {
    pub(super) fn of(root: Field<'_, 'a>) -> Self {
        let mut body = Self::default();
        for (key, value) in root.entries() {
            match key {
                "ok" => body.ok = value.bool(),
                "error_code" => body.error_code = value.int(),
                "description" => body.description = value.str().unwrap_or(""),
                "parameters" => body.retry_after = value.get("retry_after").and_then(Field::int),
                _ => {}
            }
        }
        body
    }
}

fn refused(status: u16, header: Option<u32>, body: &Body<'_>) -> Verdict {
    match status {
        429 => Verdict::RetryAfter(wait(header, body.retry_after)),
        504 => Verdict::Unknown,
        421 => Verdict::TokenDead,
        404 if body.description.contains("method not found") => Verdict::Rejected,
        404 => Verdict::TokenDead,
        // Old servers said 401 for what is 403 today: about a chat, not about the token.
        401 => wording(body.description).unwrap_or(Verdict::TokenDead),
        400 | 403 => wording(body.description).unwrap_or(Verdict::Rejected),
        413 => Verdict::Rejected,
        _ => Verdict::Failed,
    }
}

/// How long a 429 asks to wait: by its header, by its parameter (both in seconds), whichever is longer.
pub(super) fn wait(header: Option<u32>, parameter: Option<i64>) -> Duration {
    let parameter = parameter.and_then(|s| u64::try_from(s).ok());
    let said = header.map(u64::from).max(parameter).map(|s| Duration::from_secs(s.max(1)));
    said.unwrap_or(RETRY_AFTER_UNSAID).min(RETRY_AFTER_MAX)
}

/// What a refusal's wording means; none if it says nothing in particular.
fn wording(description: &str) -> Option<Verdict> {
    use Unreachable::{Blocked, Deactivated, NotStarted};
    const SAYS: &[(&str, Verdict)] = &[
        ("bot was blocked by the user", Verdict::Unreachable(Blocked)),
        ("USER_IS_BLOCKED", Verdict::Unreachable(Blocked)),
        ("bot was kicked from", Verdict::Unreachable(Blocked)),
        ("bot is not a member of", Verdict::Unreachable(Blocked)),
        ("user is deactivated", Verdict::Unreachable(Deactivated)),
        ("USER_DEACTIVATED", Verdict::Unreachable(Deactivated)),
        ("group chat was deleted", Verdict::Unreachable(Deactivated)),
        ("group is deactivated", Verdict::Unreachable(Deactivated)),
        ("can't initiate conversation", Verdict::Unreachable(NotStarted)),
        ("chat not found", Verdict::Unreachable(NotStarted)),
        ("user not found", Verdict::Unreachable(NotStarted)),
        ("have no access to the user", Verdict::Unreachable(NotStarted)),
        ("PEER_ID_INVALID", Verdict::Unreachable(NotStarted)),
        // Bots cannot write to bots, by any lane.
        ("can't send messages to", Verdict::Rejected),
        // The text stands there already, perhaps from an edit whose answer was lost: what was wanted holds.
        ("message is not modified", Verdict::Sent),
    ];
    SAYS.iter().find(|(said, _)| description.contains(said)).map(|(_, verdict)| verdict.clone())
}
