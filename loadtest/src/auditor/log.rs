//! The log of a rehearsal in a form small enough to keep whole: what the auditor and the report need of
//! each wire event, and no more.

use std::collections::HashMap;

use super::Refused;
use super::evening::Record;
use super::reading::{Question, Reading};
use crate::wire::{At, BotIx, Call, Delivery, Line, Outcome, Scope, Update, What, Wire};

/// An update: who asked what, when.
#[derive(Clone, Debug)]
pub struct Asked {
    /// When the schedule meant it to happen.
    pub planned_at: At,
    /// When it was handed to the platform.
    pub queued_at: At,
    /// The bot written to.
    pub bot: BotIx,
    /// Unique per bot.
    pub update_id: i64,
    /// Who.
    pub user: u64,
    /// Where.
    pub chat: i64,
    /// What was asked, as the auditor reads it.
    pub question: Question,
    /// Of a press: the message under which the button was, and the id by which it is to be answered.
    pub press: Option<(i64, Box<str>)>,
}

/// How an update reached the webhook.
#[derive(Clone, Copy, Debug)]
pub struct Trip {
    /// The first attempt's first byte.
    pub first_sent_at: At,
    /// The first 2xx.
    pub acknowledged_at: Option<At>,
    /// Attempts so far.
    pub attempts: u32,
}

/// A message that took effect.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The lane.
    pub bot: BotIx,
    /// Where it went.
    pub chat: i64,
    /// When the platform judged it.
    pub decided_at: At,
    /// When the server was told, if it was.
    pub answered_at: Option<At>,
    /// The connection it came by, if it is known.
    pub line: Option<Line>,
    /// When it was complete at the platform.
    pub arrived_at: At,
    /// What it says, as the auditor reads it.
    pub reading: Reading,
    /// The message in whose place it stands.
    pub edits: Option<i64>,
}

/// A keyboard that was shown: when, and its buttons by label and data.
#[derive(Clone, Debug)]
pub struct Shown {
    /// When it came under its message.
    pub at: At,
    /// Label and callback data or address.
    pub buttons: Vec<(String, String)>,
}

/// An answer to a press: it ends the wait that the client shows.
#[derive(Clone, Debug)]
pub struct Ended {
    /// When the platform took it.
    pub at: At,
    /// The platform's word was withheld on purpose.
    pub unanswered: bool,
    /// What the notice says, if there is one.
    pub notice: Option<Reading>,
}

/// A call on a kept connection: what the server sent, and what it had been told there.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// By this connection.
    pub line: Line,
    /// When it was complete at the platform.
    pub arrived_at: At,
    /// When the platform began to answer it, at the earliest; never, if it did not.
    pub answered_at: Option<At>,
}

/// Everything that crossed the wire.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Updates in the order in which users caused them.
    pub asked: Vec<Asked>,
    /// Deliveries by bot and update id.
    pub trips: HashMap<(BotIx, i64), Trip>,
    /// Accepted messages in the order of decision.
    pub sent: Vec<Sent>,
    /// Keyboards by bot, chat and message, in the order of decision.
    pub shown: HashMap<(BotIx, i64, i64), Vec<Shown>>,
    /// Messages and answers to presses, accepted or not, in the order of their events.
    pub turns: Vec<Turn>,
    /// Answers to presses by the press's id.
    pub ended: HashMap<Box<str>, Vec<Ended>>,
    /// 429s with their moments: (when, lane, how long).
    pub refusals: Vec<(At, BotIx, u32)>,
    /// 429s by scope.
    pub refused: Refused,
    /// Calls before an announced wait was over.
    pub defiance: u64,
    /// Sends refused because a bot does not reach a user.
    pub unreachable: u64,
    /// Faults injected into calls.
    pub faulted: u64,
    /// Any other refusal, by status and description.
    pub rejected: HashMap<String, u64>,
    /// Calls by method, whatever became of them.
    pub calls: HashMap<String, u64>,
    /// Deliveries by result.
    pub delivery_results: HashMap<String, u64>,
    /// The hour before which nothing may be told; none if it was before the run.
    pub hour: Option<At>,
    /// Starts and kills of the server.
    pub processes: Vec<(At, bool)>,
    /// Faults as they were switched.
    pub faults: Vec<(At, String)>,
    /// Of an evening in the chat: what its messages say, which the fields above then leave out.
    pub evening: Option<Box<Record>>,
}

impl Log {
    /// Adds one event. Events may come in any order of time; [`Log::settle`] sorts them.
    pub fn push(&mut self, event: Wire) {
        if let Some(evening) = &mut self.evening {
            evening.see(&event);
        }
        match event {
            Wire::Update(update) => self.asked.push(asked(update, self.evening.is_none())),
            Wire::Delivery(delivery) => self.deliver(delivery),
            Wire::Call(call) => self.call(call),
            Wire::Reach { .. } => {}
            Wire::Process { at, up } => self.processes.push((at, up)),
            Wire::Fault { at, what } => self.faults.push((at, what)),
        }
    }

    /// Sorts by time; to be called once, before judgement. Ties keep the order of arrival.
    pub fn settle(&mut self) {
        self.asked.sort_by_key(|asked| asked.queued_at);
        self.sent.sort_by_key(|sent| sent.decided_at);
        if let Some(evening) = &mut self.evening {
            evening.settle();
        }
        self.refusals.sort_by_key(|refusal| refusal.0);
        self.processes.sort_by_key(|process| process.0);
        self.faults.sort_by_key(|fault| fault.0);
    }

    /// The log of these events, settled.
    pub fn of(events: impl IntoIterator<Item = Wire>) -> Log {
        let mut log = Log::default();
        events.into_iter().for_each(|event| log.push(event));
        log.settle();
        log
    }

    /// How an update reached the webhook, if it was tried at all.
    pub fn trip(&self, asked: &Asked) -> Option<&Trip> {
        self.trips.get(&(asked.bot, asked.update_id))
    }

    /// What the pressed button said, by the latest keyboard that this user was shown before; none if no
    /// keyboard of his had such a button.
    pub fn label(&self, asked: &Asked) -> Option<&str> {
        let (Question::Press(pressed), Some((message, _))) = (&asked.question, &asked.press) else {
            return None;
        };
        let shown = self.shown.get(&(asked.bot, asked.chat, *message))?;
        let before = shown.iter().rev().filter(|shown| shown.at <= asked.queued_at);
        let mut buttons = before.flat_map(|shown| &shown.buttons);
        buttons.find(|(_, data)| **data == **pressed).map(|(label, _)| label.as_str())
    }

    fn deliver(&mut self, delivery: Delivery) {
        let accepted = matches!(delivery.result, Ok(200..=299));
        let label = match &delivery.result {
            Ok(status) => status.to_string(),
            Err(reason) => reason.clone(),
        };
        *self.delivery_results.entry(label).or_insert(0) += 1;
        let trip = self.trips.entry((delivery.bot, delivery.update_id)).or_insert(Trip {
            first_sent_at: delivery.sent_at,
            acknowledged_at: None,
            attempts: 0,
        });
        trip.attempts += 1;
        trip.first_sent_at = trip.first_sent_at.min(delivery.sent_at);
        if accepted {
            let done = trip.acknowledged_at.unwrap_or(delivery.done_at).min(delivery.done_at);
            trip.acknowledged_at = Some(done);
        }
    }

    fn call(&mut self, call: Call) {
        *self.calls.entry(call.method.clone()).or_insert(0) += 1;
        // Those of the thread that sends; what a start asks of the platform comes from others.
        if let (Some(line), true) = (call.line, call.chat.is_some() || call.method.starts_with("answer")) {
            let Call { arrived_at, answered_at, .. } = call;
            self.turns.push(Turn { line, arrived_at, answered_at });
        }
        match &call.outcome {
            Outcome::Accepted { message_id } | Outcome::AcceptedUnanswered { message_id } => {
                let message_id = *message_id;
                self.accepted(call, message_id);
            }
            Outcome::TooMany { retry_after, scope, defiance } => {
                match scope {
                    Scope::Chat => self.refused.chat += 1,
                    Scope::Group => self.refused.group += 1,
                    Scope::Token => self.refused.token += 1,
                    Scope::Injected => self.refused.injected += 1,
                }
                self.defiance += u64::from(*defiance);
                self.refusals.push((call.decided_at, call.bot, *retry_after));
            }
            Outcome::Unreachable { .. } => self.unreachable += 1,
            Outcome::Refused { status, description } => {
                let label = format!("{} {status} {description}", call.method);
                *self.rejected.entry(label).or_insert(0) += 1;
            }
            Outcome::Faulted { .. } => self.faulted += 1,
        }
    }

    fn accepted(&mut self, call: Call, message_id: Option<i64>) {
        // What an evening's messages say is read elsewhere.
        let results = self.evening.is_none();
        let text = call.text.as_deref().filter(|_| results).unwrap_or_default();
        let unanswered = matches!(call.outcome, Outcome::AcceptedUnanswered { .. });
        let parameter = |name: &str| match call.params.get(name) {
            Some(serde_json::Value::String(text)) => Some(text.clone()),
            Some(value) => Some(value.to_string()),
            None => None,
        };
        if results && call.method == "answercallbackquery" {
            let id = parameter("callback_query_id").unwrap_or_default();
            let notice = parameter("text").filter(|text| !text.is_empty()).map(|text| Reading::of(&text));
            self.ended.entry(id.into()).or_default().push(Ended { at: call.decided_at, unanswered, notice });
        }
        let (true, Some(chat)) = (is_message(&call.method), call.chat) else { return };
        let edited = call.method.starts_with("edit");
        let edits = parameter("message_id").filter(|_| edited).and_then(|id| id.parse().ok());
        if let (Some(message), false) = (edits.or(message_id), !results || call.buttons.is_empty()) {
            let shown = Shown { at: call.decided_at, buttons: call.buttons };
            self.shown.entry((call.bot, chat, message)).or_default().push(shown);
        }
        self.sent.push(Sent {
            bot: call.bot,
            chat,
            decided_at: call.decided_at,
            answered_at: call.answered_at.filter(|_| !unanswered),
            line: call.line,
            arrived_at: call.arrived_at,
            reading: Reading::of(text),
            edits,
        });
    }
}

fn asked(update: Update, results: bool) -> Asked {
    let press = match &update.what {
        What::Press { message_id, callback_id, .. } => Some((*message_id, callback_id.as_str().into())),
        _ => None,
    };
    let question = match &update.what {
        _ if !results => Question::Other("".into()),
        What::Text(text) => Question::of(text),
        What::Press { data, .. } => Question::Press(data.as_str().into()),
        What::Other(kind) => Question::Other(kind.as_str().into()),
    };
    Asked {
        planned_at: update.planned_at,
        queued_at: update.queued_at,
        bot: update.bot,
        update_id: update.update_id,
        user: update.user,
        chat: update.chat,
        question,
        press,
    }
}

/// Whether this method puts words into a chat.
fn is_message(method: &str) -> bool {
    (method.starts_with("send") && method != "sendchataction")
        || matches!(method, "copymessage" | "forwardmessage" | "editmessagetext")
}
