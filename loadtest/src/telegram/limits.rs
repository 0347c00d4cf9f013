//! What the platform accepts and when: pure, time is an argument.
//!
//! The token limit is an exact sliding log judged at the moment of decision: a send at `t` is accepted when
//! fewer than `count` were accepted in `(t - per, t]`. A chat has a rate with a burst, a group a sliding log.
//! A 429 announces a wait; a call of that scope before its end is a *defiance*. The published numbers are 30/s
//! for bulk, about 1/s per chat, 20 a minute per group; that they are exact logs, their scopes and the penalty
//! are *models* (docs/emulator.md says which is which).

use std::collections::VecDeque;
use std::time::Duration;

use crate::wire::{At, Scope};

/// At most `count` in any span of `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub count: usize,
    pub per: Duration,
}

/// One message each `period`, with up to `burst` at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub period: Duration,
    pub burst: u32,
}

/// Whom a 429 of a chat's or a group's limit stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitScope {
    /// That chat alone.
    #[default]
    Chat,
    /// The whole token.
    Token,
}

/// What a call before the end of an announced wait does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Defiance {
    /// It is refused and counted; the wait stands.
    Count,
    /// It is refused, counted, and the wait starts again.
    #[default]
    Extend,
    /// As `Extend`, and each new wait is `factor` times the last, at most `max_s` seconds.
    Escalate { factor: u32, max_s: u32 },
}

/// The knobs. [`Limits::default`] is the strict platform of the rehearsal.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Accepted messages per token. `None`: no limit.
    pub token: Option<Window>,
    /// Accepted messages per private chat. `None`: no limit.
    pub chat: Option<Rate>,
    /// Accepted messages per group, supergroup or channel. `None`: no limit.
    pub group: Option<Window>,
    pub chat_wait: WaitScope,
    pub defiance: Defiance,
    /// A call that arrived this soon after the 429 that opened a wait was answered is excused as in flight.
    pub excuse: Duration,
    /// The longest a refused send is held inside the platform before a 429 is told. Zero: told at once.
    pub silent_delay: Duration,
    /// `false`: replies (see `reply_within`) are free of the token's limit; bulk is not.
    pub cap_replies: bool,
    /// A send to a chat that wrote to this bot at most this long ago is a reply.
    pub reply_within: Duration,
    /// First uses of tokens, known or not (the server takes 20 a minute from one address). `None`: no limit.
    pub first_use: Option<Window>,
    /// The least time between two `setWebhook` of a bot.
    pub set_webhook_every: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            token: Some(Window { count: 30, per: Duration::from_secs(1) }),
            chat: Some(Rate { period: Duration::from_secs(1), burst: 3 }),
            group: Some(Window { count: 20, per: Duration::from_secs(60) }),
            chat_wait: WaitScope::default(),
            defiance: Defiance::default(),
            excuse: Duration::from_millis(50),
            silent_delay: Duration::ZERO,
            cap_replies: true,
            reply_within: Duration::from_secs(300),
            first_use: None,
            set_webhook_every: Duration::from_secs(1),
        }
    }
}

impl Limits {
    /// No limit at all: every reachable send is accepted.
    pub fn none() -> Self {
        Self { token: None, chat: None, group: None, ..Self::default() }
    }
}

/// An announced wait.
#[derive(Clone, Copy, Debug)]
struct Wait {
    until: At,
    /// When the answer that announced it was due to be written.
    told_at: At,
    length_s: u32,
    scope: Scope,
}

/// The token's log and wait.
#[derive(Debug, Default)]
pub(crate) struct TokenBook {
    log: VecDeque<At>,
    wait: Option<Wait>,
}

/// A chat's rate, log and wait.
#[derive(Debug, Default)]
pub(crate) struct ChatBook {
    /// Theoretical arrival time of the chat's rate (GCRA): zero is "rested for ever".
    tat: At,
    /// Allocated for groups only.
    log: VecDeque<At>,
    wait: Option<Wait>,
}

/// One send to be judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) arrived_at: At,
    pub(crate) at: At,
    /// When its answer will be written.
    pub(crate) answer_at: At,
    /// How many messages it makes (an album: its items).
    pub(crate) messages: usize,
    pub(crate) group: bool,
    pub(crate) reply: bool,
}

/// The word on one send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Room in every limit; nothing was taken yet.
    Free,
    /// A limit is full until `free_at`; no wait was announced yet.
    Full { free_at: At, scope: Scope },
    /// Refused because of a wait announced before.
    Waiting { retry_after: u32, scope: Scope, defiance: bool },
}

/// Judges one send. Changes nothing but waits: those that are over end, and a defiance may lengthen one.
pub(crate) fn judge(
    limits: &Limits,
    token: &mut TokenBook,
    chat: &mut ChatBook,
    attempt: &Attempt,
) -> Judgement {
    for wait in [&mut token.wait, &mut chat.wait] {
        if let Some(refusal) = defy(limits, wait, attempt) {
            return refusal;
        }
    }
    let capped = limits.cap_replies || !attempt.reply;
    let bounds = [
        limits.token.filter(|_| capped).and_then(|w| window_free_at(w, &token.log, attempt, Scope::Token)),
        limits
            .group
            .filter(|_| attempt.group)
            .and_then(|w| window_free_at(w, &chat.log, attempt, Scope::Group)),
        limits.chat.filter(|_| !attempt.group).and_then(|r| rate_free_at(r, chat.tat, attempt)),
    ];
    // The longest wait is the one to tell: a shorter one would invite a second refusal.
    match bounds.into_iter().flatten().max_by_key(|(free_at, _)| *free_at) {
        Some((free_at, scope)) => Judgement::Full { free_at, scope },
        None => Judgement::Free,
    }
}

/// Takes the room that [`judge`] found free.
pub(crate) fn accept(limits: &Limits, token: &mut TokenBook, chat: &mut ChatBook, attempt: &Attempt) {
    if let Some(window) = limits.token.filter(|_| limits.cap_replies || !attempt.reply) {
        record(window, &mut token.log, attempt);
    }
    match (attempt.group, limits.group, limits.chat) {
        (true, Some(window), _) => record(window, &mut chat.log, attempt),
        (false, _, Some(rate)) => {
            let step =
                rate.period * u32::try_from(attempt.messages).unwrap_or(u32::MAX).min(rate.burst.max(1));
            chat.tat = chat.tat.max(attempt.at) + step;
        }
        _ => {}
    }
}

/// Announces a wait for a limit that is full until `free_at`; returns its whole seconds, at least 1.
pub(crate) fn announce(
    limits: &Limits,
    token: &mut TokenBook,
    chat: &mut ChatBook,
    attempt: &Attempt,
    free_at: At,
    scope: Scope,
) -> u32 {
    let length_s = whole_seconds(free_at.saturating_sub(attempt.at));
    let until = attempt.at + Duration::from_secs(length_s.into());
    let wait = Some(Wait { until, told_at: attempt.answer_at, length_s, scope });
    let whole_token = matches!(scope, Scope::Token | Scope::Injected) || limits.chat_wait == WaitScope::Token;
    if whole_token {
        token.wait = wait;
    } else {
        chat.wait = wait;
    }
    length_s
}

/// Seconds to tell for a span: rounded up, at least 1, as the platform's integer field.
pub(crate) fn whole_seconds(span: Duration) -> u32 {
    let up = span.as_secs() + u64::from(span.subsec_nanos() > 0);
    u32::try_from(up).unwrap_or(u32::MAX).max(1)
}

fn defy(limits: &Limits, slot: &mut Option<Wait>, attempt: &Attempt) -> Option<Judgement> {
    let wait = slot.as_mut()?;
    if attempt.at >= wait.until {
        *slot = None;
        return None;
    }
    let defiance = attempt.arrived_at > wait.told_at + limits.excuse;
    if defiance {
        match limits.defiance {
            Defiance::Count => {}
            Defiance::Extend => wait.until = attempt.at + Duration::from_secs(wait.length_s.into()),
            Defiance::Escalate { factor, max_s } => {
                wait.length_s = wait.length_s.saturating_mul(factor).min(max_s).max(wait.length_s);
                wait.until = attempt.at + Duration::from_secs(wait.length_s.into());
            }
        }
    }
    let retry_after = whole_seconds(wait.until - attempt.at);
    Some(Judgement::Waiting { retry_after, scope: wait.scope, defiance })
}

/// When the window has room for the attempt, if it has none now.
fn window_free_at(
    window: Window,
    log: &VecDeque<At>,
    attempt: &Attempt,
    scope: Scope,
) -> Option<(At, Scope)> {
    let wanted = attempt.messages.clamp(1, window.count.max(1));
    // The log is sorted: what must leave before `wanted` fit is its entry `len + wanted - count - 1`.
    let must_leave = (log.len() + wanted).checked_sub(window.count + 1)?;
    let free_at = *log.get(must_leave.min(log.len().checked_sub(1)?))? + window.per;
    (free_at > attempt.at).then_some((free_at, scope))
}

fn rate_free_at(rate: Rate, tat: At, attempt: &Attempt) -> Option<(At, Scope)> {
    let free_at = tat.saturating_sub(rate.period * rate.burst.saturating_sub(1));
    (free_at > attempt.at).then_some((free_at, Scope::Chat))
}

fn record(window: Window, log: &mut VecDeque<At>, attempt: &Attempt) {
    while log.front().is_some_and(|&t| t + window.per <= attempt.at) {
        log.pop_front();
    }
    for _ in 0..attempt.messages.clamp(1, window.count.max(1)) {
        log.push_back(attempt.at);
    }
}

#[cfg(test)]
#[path = "limits/tests.rs"]
mod tests;
