//! The Bot API's methods: one decision a call, under the bot's lock, at one moment.
//!
//! [`decide`] is the whole of it: fault, reach, limits, effect, event. The rooms below hold the methods by
//! subject; they change state through [`Desk`] and return what the caller is told.

pub(crate) mod callbacks;
mod edit;
mod entities;
mod info;
mod markup;
pub(crate) mod money;
mod names;
pub(crate) mod poll;
mod react;
mod send;
pub(crate) mod webhook;

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::chats::is_group;
use super::counters::count;
use super::fault::{FaultKind, Stage};
use super::json;
use super::limits::{Attempt, Judgement, Limits, accept, announce, judge};
use super::params::Params;
use super::reach::Known;
use super::world::{Bot, BotState, World};
use crate::wire::{At, Call, Line, Outcome, Scope, Wire};

/// A call, complete at the platform.
pub(crate) struct Incoming {
    /// In lower case.
    pub(crate) method: String,
    pub(crate) params: Params,
    pub(crate) line: Option<Line>,
    pub(crate) arrived_at: At,
    /// Between the decision and the answer.
    pub(crate) answer_after: Duration,
    /// A long poll that another call ended: the 409's description.
    pub(crate) conflict: Option<&'static str>,
}

/// Whether faults were asked about a call. They are asked once, however often it is held.
enum Asked {
    NotYet,
    Already(Option<FaultKind>),
}

/// What goes back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) retry_after: Option<u32>,
    pub(crate) html: bool,
    pub(crate) way: Way,
}

/// How it goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Answer,
    /// The connection is reset instead.
    Reset,
    /// Nothing, then the connection closes; `None`: it never does.
    Silence(Option<Duration>),
}

impl Answer {
    pub(crate) fn json(status: u16, body: Bytes) -> Self {
        Self { status, body, retry_after: None, html: false, way: Way::Answer }
    }

    pub(crate) fn failure(status: u16, description: &str) -> Self {
        Self::json(status, json::failure(status, description))
    }

    pub(crate) fn too_many(retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), ..Self::json(429, json::too_many(retry_after)) }
    }
}

/// An accepted call.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) body: Bytes,
    pub(crate) message_id: Option<i64>,
}

impl Done {
    pub(crate) fn with<T: Serialize + ?Sized>(result: &T) -> Self {
        Self { body: json::success(result, None), message_id: None }
    }

    pub(crate) fn yes() -> Self {
        Self::with(&true)
    }
}

/// A call that is not accepted.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Status and description.
    Refused(u16, String),
    Unreachable(u16, &'static str),
    TooMany {
        retry_after: u32,
        scope: Scope,
        defiance: bool,
    },
    /// Not yet: the platform holds the call silently and judges it again then.
    Hold(Duration),
}

impl Refusal {
    pub(crate) fn bad(reason: &str) -> Self {
        Self::Refused(400, format!("Bad Request: {reason}"))
    }
}

pub(crate) type Verdict = Result<Done, Refusal>;

/// What a method works with: the bot under its lock, at one moment.
pub(crate) struct Desk<'a> {
    pub(crate) world: &'a World,
    pub(crate) bot: &'a Bot,
    pub(crate) state: &'a mut BotState,
    pub(crate) params: &'a Params,
    /// The parsed `reply_markup`, if any.
    pub(crate) markup: Option<&'a Value>,
    pub(crate) at: At,
    arrived_at: At,
    answer_at: At,
    /// How long the call may still be held silently.
    silence_left: Duration,
}

impl Desk<'_> {
    /// Unix seconds of this decision.
    pub(crate) fn date(&self) -> u64 {
        self.world.clock.unix_s(self.at)
    }

    /// The chat a call names.
    pub(crate) fn chat(&self, name: &str) -> Result<i64, Refusal> {
        if !self.params.has(name) {
            return Err(Refusal::bad("chat_id is empty"));
        }
        // A public @name belongs to a channel of the configuration or to nobody.
        let named = || self.params.text(name).and_then(|name| self.world.members.named(name));
        match self.params.integer(name).or_else(named) {
            Some(0) | None => Err(Refusal::bad("chat not found")),
            Some(chat) => Ok(chat),
        }
    }

    /// The chat a call names, if this bot may write to it.
    pub(crate) fn reachable_chat(&mut self, name: &str) -> Result<i64, Refusal> {
        let chat = self.chat(name)?;
        if is_group(chat) {
            return Ok(chat);
        }
        let known = self.state.chats.get_mut(chat).map_or(Known::default(), |c| c.known);
        match self.world.reach.barrier(self.bot.ix, chat.unsigned_abs(), known) {
            None => Ok(chat),
            Some(barrier) => {
                let (status, description) = barrier.answer();
                Err(Refusal::Unreachable(status, description))
            }
        }
    }

    /// Reach, then limits, for a call that makes `messages` messages. Call it last: on success the room in
    /// the limits is taken.
    pub(crate) fn admit(&mut self, messages: usize) -> Result<i64, Refusal> {
        let chat_id = self.reachable_chat("chat_id")?;
        let lenient = Limits::none();
        let lenient = self.world.lenient.load(std::sync::atomic::Ordering::Relaxed).then_some(&lenient);
        let limits = lenient.unwrap_or(&self.world.config.limits);
        let chat = self.state.chats.entry(chat_id);
        let reply = chat.wrote_at.is_some_and(|t| t + limits.reply_within >= self.at);
        let attempt = Attempt {
            arrived_at: self.arrived_at,
            at: self.at,
            answer_at: self.answer_at,
            messages,
            group: is_group(chat_id),
            reply,
        };
        match judge(limits, &mut self.state.token, &mut chat.book, &attempt) {
            Judgement::Free => {
                accept(limits, &mut self.state.token, &mut chat.book, &attempt);
                self.bot.counters.accepted.fetch_add(messages as u64, std::sync::atomic::Ordering::Relaxed);
                Ok(chat_id)
            }
            Judgement::Full { free_at, scope } => {
                // The platform sleeps whole seconds, as its own refusals are counted in them.
                let hold = Duration::from_secs((free_at - self.at).as_secs_f64().ceil() as u64);
                if hold <= self.silence_left {
                    return Err(Refusal::Hold(hold));
                }
                let retry_after =
                    announce(limits, &mut self.state.token, &mut chat.book, &attempt, free_at, scope);
                Err(Refusal::TooMany { retry_after, scope, defiance: false })
            }
            Judgement::Waiting { retry_after, scope, defiance } => {
                Err(Refusal::TooMany { retry_after, scope, defiance })
            }
        }
    }

    /// A 429 on request: it announces a wait like any other.
    fn inject_wait(&mut self, retry_after: u32) -> Refusal {
        let chat = self.state.chats.entry(self.params.integer("chat_id").unwrap_or_default());
        let (at, answer_at) = (self.at, self.answer_at);
        let attempt =
            Attempt { arrived_at: self.arrived_at, at, answer_at, messages: 1, group: false, reply: true };
        let free_at = at + Duration::from_secs(retry_after.into());
        let limits = &self.world.config.limits;
        announce(limits, &mut self.state.token, &mut chat.book, &attempt, free_at, Scope::Injected);
        Refusal::TooMany { retry_after, scope: Scope::Injected, defiance: false }
    }
}

/// Decides a call and tells the auditor. Completes at once unless the silent delay is on.
pub(crate) async fn decide(world: &World, bot: &Bot, call: Incoming) -> Answer {
    let mut held = Duration::ZERO;
    let mut call = call;
    let mut asked = Asked::NotYet;
    loop {
        match decide_now(world, bot, &mut call, held, &mut asked) {
            Ok(answer) => return answer,
            Err(hold) => {
                held += hold;
                tokio::time::sleep(hold).await;
            }
        }
    }
}

/// `Err`: hold the call so long, then ask again.
fn decide_now(
    world: &World,
    bot: &Bot,
    call: &mut Incoming,
    held: Duration,
    asked: &mut Asked,
) -> Result<Answer, Duration> {
    let markup = call.params.nested("reply_markup");
    let mut guard = bot.state();
    let state = &mut *guard;
    let at = world.clock.now().max(state.decided_at);
    let answer_at = at + call.answer_after;
    let fault = match std::mem::replace(asked, Asked::NotYet) {
        Asked::NotYet => world.faults.strike(Stage::Decision, bot.ix, &call.method, at, &world.dice),
        Asked::Already(fault) => fault,
    };
    let mut desk = Desk {
        world,
        bot,
        state,
        params: &call.params,
        markup: markup.as_ref().ok().and_then(Option::as_ref),
        at,
        arrived_at: call.arrived_at,
        answer_at,
        silence_left: world.config.limits.silent_delay.saturating_sub(held),
    };
    let (answer, outcome) = match fault.as_ref().and_then(|f| instead(f, &mut desk)) {
        Some(replaced) => replaced,
        None => {
            let verdict = match (call.conflict, &markup) {
                (Some(conflict), _) => Err(Refusal::Refused(409, conflict.into())),
                (None, Ok(_)) => perform(&call.method, &mut desk),
                (None, Err(())) => Err(Refusal::bad("can't parse reply keyboard markup JSON object")),
            };
            if let Err(Refusal::Hold(hold)) = verdict {
                *asked = Asked::Already(fault);
                return Err(hold);
            }
            with_fault(told(verdict), fault.as_ref())
        }
    };
    desk.state.decided_at = at;
    tally(bot, &outcome);
    let answered_at = (answer.way == Way::Answer).then_some(answer_at);
    let buttons = markup.ok().flatten().map(|m| markup::buttons(&m)).unwrap_or_default();
    let params = std::mem::take(&mut call.params);
    world.tell(Wire::Call(Call {
        bot: bot.ix,
        method: std::mem::take(&mut call.method),
        chat: params.integer("chat_id"),
        line: call.line,
        arrived_at: call.arrived_at,
        decided_at: at,
        answered_at,
        outcome,
        text: params.text("text").or_else(|| params.text("caption")).map(ToOwned::to_owned),
        buttons,
        params: params.map,
    }));
    Ok(answer)
}

fn tally(bot: &Bot, outcome: &Outcome) {
    let counters = &bot.counters;
    count(&counters.calls);
    match outcome {
        Outcome::TooMany { defiance, .. } => {
            count(&counters.refused_429);
            if *defiance {
                count(&counters.defiance);
            }
        }
        Outcome::Unreachable { .. } => count(&counters.unreachable),
        _ => {}
    }
}

/// The method itself.
fn perform(method: &str, desk: &mut Desk<'_>) -> Verdict {
    if let Some(verdict) = send::perform(method, desk) {
        return verdict;
    }
    if let Some(verdict) = edit::perform(method, desk) {
        return verdict;
    }
    if let Some(verdict) = webhook::perform(method, desk) {
        return verdict;
    }
    if let Some(verdict) = money::perform(method, desk) {
        return verdict;
    }
    match method {
        "getupdates" => poll::get_updates(desk),
        "setmessagereaction" => react::set(desk),
        _ => info::perform(method, desk),
    }
}

fn told(verdict: Verdict) -> (Answer, Outcome) {
    match verdict {
        Ok(Done { body, message_id }) => (Answer::json(200, body), Outcome::Accepted { message_id }),
        Err(Refusal::Refused(status, description)) => {
            (Answer::failure(status, &description), Outcome::Refused { status, description })
        }
        Err(Refusal::Unreachable(status, description)) => {
            (Answer::failure(status, description), Outcome::Unreachable { status })
        }
        Err(Refusal::TooMany { retry_after, scope, defiance }) => {
            (Answer::too_many(retry_after), Outcome::TooMany { retry_after, scope, defiance })
        }
        // Held calls never come here: the caller waits and asks again.
        Err(Refusal::Hold(_)) => {
            (Answer::too_many(1), Outcome::TooMany { retry_after: 1, scope: Scope::Token, defiance: false })
        }
    }
}

/// A fault that stands in for the decision.
fn instead(fault: &FaultKind, desk: &mut Desk<'_>) -> Option<(Answer, Outcome)> {
    let answer = match fault {
        FaultKind::TooMany { retry_after } => {
            return Some(told(Err(desk.inject_wait((*retry_after).max(1)))));
        }
        FaultKind::Status { code, description } => Answer::failure(*code, description),
        FaultKind::Revoked => Answer::failure(401, "Unauthorized"),
        FaultKind::Html502 => Answer {
            html: true,
            ..Answer::json(502, Bytes::from_static(include_bytes!("../pages/502.html")))
        },
        FaultKind::Reset => Answer { way: Way::Reset, ..Answer::json(0, Bytes::new()) },
        FaultKind::Hang { hold_ms } => silence(*hold_ms),
        _ => return None,
    };
    Some((answer, Outcome::Faulted { what: fault.name() }))
}

/// A fault on the way back: the call took effect.
fn with_fault((answer, outcome): (Answer, Outcome), fault: Option<&FaultKind>) -> (Answer, Outcome) {
    let Outcome::Accepted { message_id } = outcome else { return (answer, outcome) };
    let withheld = Outcome::AcceptedUnanswered { message_id };
    match fault {
        Some(FaultKind::LostAnswer { hold_ms }) => (silence(*hold_ms), withheld),
        Some(FaultKind::HalfJson) => {
            let half = answer.body.slice(..answer.body.len() / 2);
            (Answer { body: half, ..answer }, withheld)
        }
        _ => (answer, Outcome::Accepted { message_id }),
    }
}

fn silence(hold_ms: Option<u64>) -> Answer {
    Answer { way: Way::Silence(hold_ms.map(Duration::from_millis)), ..Answer::json(0, Bytes::new()) }
}
