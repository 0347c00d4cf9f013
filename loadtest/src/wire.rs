//! What crossed the wire: the one language between the emulated platform, the students and the auditor.
//!
//! What lives here: [`Wire`] events, stamped on the emulator's clock. The emulator writes them, the
//! auditor and the report read them. Nothing here comes from inside the server under test.

use std::time::Duration;

/// An instant on the rehearsal's clock: time since the emulator started.
pub type At = Duration;

/// A bot of the rehearsal: 0 is the main bot, i is lane i.
pub type BotIx = usize;

/// One event, in the order in which the emulated platform decided it.
#[derive(Clone, Debug)]
pub enum Wire {
    /// A user did something; the platform queued an update for it.
    Update(Update),
    /// One webhook attempt for an update ended.
    Delivery(Delivery),
    /// The server called a method; the platform decided.
    Call(Call),
    /// A user started, blocked or unblocked a bot, outside of any update's text.
    Reach { at: At, bot: BotIx, user: u64, reachable: bool },
    /// The server process was started (`true`) or killed with SIGKILL (`false`).
    Process { at: At, up: bool },
    /// A fault was switched on or off; the text names it.
    Fault { at: At, what: String },
}

/// An update as the user caused it.
#[derive(Clone, Debug)]
pub struct Update {
    /// When the schedule meant it to happen: latency counts from here.
    pub planned_at: At,
    /// When the generator really handed it to the platform.
    pub queued_at: At,
    pub bot: BotIx,
    pub update_id: i64,
    pub user: u64,
    pub chat: i64,
    pub what: What,
    /// The message in that chat which the update tells of, if it tells of a new one.
    pub message_id: Option<i64>,
}

/// What the user did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Wrote a text.
    Text(String),
    /// Pressed a button with this data under this message.
    Press { data: String, message_id: i64, callback_id: String },
    /// Anything else, by the name of its update kind; `telegram::Act` lists those that carry more.
    Other(String),
}

/// One attempt to deliver an update to the webhook.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub bot: BotIx,
    pub update_id: i64,
    /// 1 for the first.
    pub attempt: u32,
    /// The first byte of the request was written.
    pub sent_at: At,
    /// The answer was complete, or the attempt failed.
    pub done_at: At,
    /// The status, or why there was none.
    pub result: Result<u16, String>,
}

/// One call of the Bot API.
#[derive(Clone, Debug)]
pub struct Call {
    pub bot: BotIx,
    /// In lower case, as the platform compares it.
    pub method: String,
    pub chat: Option<i64>,
    /// The connection it came by; none where the platform was told in its own answer.
    pub line: Option<Line>,
    /// The request was complete at the platform.
    pub arrived_at: At,
    /// The platform judged it (limits are counted at this moment).
    pub decided_at: At,
    /// The answer was written (None: never, on purpose).
    pub answered_at: Option<At>,
    pub outcome: Outcome,
    /// `text` or `caption`, if any.
    pub text: Option<String>,
    /// The buttons under it: label and callback data or url.
    pub buttons: Vec<(String, String)>,
    /// All parameters, for what the fields above do not hold.
    pub params: serde_json::Map<String, serde_json::Value>,
}

/// A connection that the server opened to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Line {
    /// No other has it.
    pub nth: u64,
    /// The platform accepted it.
    pub opened_at: At,
}

/// What the platform decided about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect; a message got this id.
    Accepted { message_id: Option<i64> },
    /// It took effect, and the answer was withheld on purpose.
    AcceptedUnanswered { message_id: Option<i64> },
    /// 429.
    TooMany { retry_after: u32, scope: Scope, defiance: bool },
    /// 400 or 403 because this bot cannot write to this user.
    Unreachable { status: u16 },
    /// Any other refusal.
    Refused { status: u16, description: String },
    /// A fault was injected instead of a decision; nothing took effect.
    Faulted { what: String },
}

/// Which limit a 429 was for. The server is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Chat,
    Group,
    Token,
    /// A fault on request, not a limit.
    Injected,
}
