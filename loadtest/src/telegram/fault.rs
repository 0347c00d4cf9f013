//! Faults on request: what goes wrong, for whom, how often, from when until when.
//!
//! A rule is matched at the moment a call would be decided. The first rule that fires wins. With no rule
//! the check is one atomic load.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::dice::Dice;
use crate::wire::{At, BotIx};

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FaultKind {
    /// 429 with this wait for the whole token; nothing takes effect.
    TooMany { retry_after: u32 },
    /// This status and description in the platform's JSON form; nothing takes effect.
    Status { code: u16, description: String },
    /// A 502 with an HTML page, as a gateway before the platform answers; nothing takes effect.
    Html502,
    /// The connection is reset; nothing takes effect.
    Reset,
    /// No answer for `hold_ms` (none given: for ever), then the connection closes; nothing takes effect.
    Hang { hold_ms: Option<u64> },
    /// The call takes effect, its answer never comes; the connection closes after `hold_ms` (none: never).
    LostAnswer { hold_ms: Option<u64> },
    /// The call takes effect, and the answer is cut in the middle of its JSON.
    HalfJson,
    /// Every call is answered 401.
    Revoked,
    /// Calls take this much longer, half before and half after the decision.
    Slow { extra_ms: u64 },
    /// An update that was answered 2xx is delivered once more, as if the answer had been lost.
    DuplicateUpdate,
    /// An update waits this long before its first delivery: later updates of other lanes overtake it.
    HoldUpdate { hold_ms: u64 },
}

impl FaultKind {
    fn stage(&self) -> Stage {
        match self {
            Self::Slow { .. } => Stage::Arrival,
            Self::HoldUpdate { .. } => Stage::Queueing,
            Self::DuplicateUpdate => Stage::Delivered,
            _ => Stage::Decision,
        }
    }

    /// The name that events and reports carry.
    pub fn name(&self) -> String {
        match self {
            Self::TooMany { retry_after } => format!("429 retry after {retry_after}"),
            Self::Status { code, .. } => format!("status {code}"),
            Self::Html502 => "502 html".into(),
            Self::Reset => "connection reset".into(),
            Self::Hang { .. } => "hang".into(),
            Self::LostAnswer { .. } => "lost answer".into(),
            Self::HalfJson => "half json".into(),
            Self::Revoked => "401 revoked".into(),
            Self::Slow { extra_ms } => format!("slow by {extra_ms} ms"),
            Self::DuplicateUpdate => "duplicate update".into(),
            Self::HoldUpdate { hold_ms } => format!("update held {hold_ms} ms"),
        }
    }
}

/// When a rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A call is complete.
    Arrival,
    /// A call is decided.
    Decision,
    /// An update is queued.
    Queueing,
    /// An update was answered 2xx.
    Delivered,
}

/// A rule. The default selects every bot, method and moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Only this bot.
    #[serde(default)]
    pub bot: Option<BotIx>,
    /// Only this method (any case). For update faults: only this update kind.
    #[serde(default)]
    pub method: Option<String>,
    /// The share of matching calls it strikes, 0 to 1.
    #[serde(default = "whole")]
    pub share: f64,
    /// It strikes at most this often.
    #[serde(default)]
    pub count: Option<u64>,
    /// Not before this moment of the emulator's clock, in ms.
    #[serde(default)]
    pub from_ms: Option<u64>,
    /// Not at or after this moment, in ms.
    #[serde(default)]
    pub until_ms: Option<u64>,
}

fn whole() -> f64 {
    1.0
}

impl Fault {
    /// The fault for every bot and method, from now on.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, bot: None, method: None, share: 1.0, count: None, from_ms: None, until_ms: None }
    }

    #[must_use]
    pub fn bot(mut self, bot: BotIx) -> Self {
        self.bot = Some(bot);
        self
    }

    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    #[must_use]
    pub fn from(mut self, at: At) -> Self {
        self.from_ms = Some(millis(at));
        self
    }

    #[must_use]
    pub fn until(mut self, at: At) -> Self {
        self.until_ms = Some(millis(at));
        self
    }

    pub(crate) fn begins(&self) -> At {
        Duration::from_millis(self.from_ms.unwrap_or(0))
    }

    pub(crate) fn ends(&self) -> Option<At> {
        self.until_ms.map(Duration::from_millis)
    }

    /// One line for events and logs.
    pub fn describe(&self) -> String {
        let mut line = self.kind.name();
        if let Some(bot) = self.bot {
            line += &format!(", bot {bot}");
        }
        if let Some(method) = &self.method {
            line += &format!(", {method}");
        }
        if self.share < 1.0 {
            line += &format!(", share {}", self.share);
        }
        if let Some(count) = self.count {
            line += &format!(", {count} times");
        }
        line
    }
}

fn millis(at: At) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(u64::MAX)
}

/// Names one rule, to take it away again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaultId(pub u64);

struct Rule {
    id: FaultId,
    fault: Fault,
    left: Option<u64>,
}

impl Rule {
    fn concerns(&self, stage: Stage, bot: BotIx, method: &str, now: At) -> bool {
        let f = &self.fault;
        f.kind.stage() == stage
            && f.bot.is_none_or(|b| b == bot)
            && f.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(method))
            && now >= f.begins()
            && f.ends().is_none_or(|end| now < end)
            && self.left != Some(0)
    }
}

/// The rules in force.
#[derive(Default)]
pub(crate) struct FaultBook {
    rules: Mutex<Vec<Rule>>,
    /// The number of rules, read without the lock.
    len: AtomicUsize,
    next_id: AtomicU64,
}

impl FaultBook {
    pub(crate) fn add(&self, fault: Fault) -> FaultId {
        let id = FaultId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let mut rules = lock(&self.rules);
        rules.push(Rule { id, left: fault.count, fault });
        self.len.store(rules.len(), Ordering::Release);
        id
    }

    /// True while the rule is on the book.
    pub(crate) fn holds(&self, id: FaultId) -> bool {
        lock(&self.rules).iter().any(|r| r.id == id)
    }

    /// Takes a rule away; returns it if it was still in force.
    pub(crate) fn remove(&self, id: FaultId) -> Option<Fault> {
        let mut rules = lock(&self.rules);
        let at = rules.iter().position(|r| r.id == id)?;
        let rule = rules.remove(at);
        self.len.store(rules.len(), Ordering::Release);
        Some(rule.fault)
    }

    pub(crate) fn clear(&self) -> Vec<Fault> {
        let mut rules = lock(&self.rules);
        self.len.store(0, Ordering::Release);
        rules.drain(..).map(|r| r.fault).collect()
    }

    /// Whether a fault that is not left to chance strikes this call. Counts nothing.
    pub(crate) fn is_sure_to_strike(&self, stage: Stage, bot: BotIx, method: &str, now: At) -> bool {
        let sure = |rule: &Rule| rule.fault.share >= 1.0 && rule.concerns(stage, bot, method, now);
        self.len.load(Ordering::Acquire) > 0 && lock(&self.rules).iter().any(sure)
    }

    /// The fault that strikes this call or update, if any. Counts it.
    pub(crate) fn strike(
        &self,
        stage: Stage,
        bot: BotIx,
        method: &str,
        now: At,
        dice: &Dice,
    ) -> Option<FaultKind> {
        if self.len.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut rules = lock(&self.rules);
        let rule = rules
            .iter_mut()
            .find(|rule| rule.concerns(stage, bot, method, now) && dice.happens(rule.fault.share))?;
        rule.left = rule.left.map(|left| left - 1);
        Some(rule.fault.kind.clone())
    }
}

/// A poisoned lock means another thread panicked while it held it; the data are still the best we have.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: At = Duration::from_secs(5);

    fn strikes(book: &FaultBook, bot: BotIx, method: &str, now: At) -> bool {
        book.strike(Stage::Decision, bot, method, now, &Dice::new(1)).is_some()
    }

    #[test]
    fn a_fault_strikes_only_its_bot_its_method_its_time_and_its_count() {
        let book = FaultBook::default();
        let fault = Fault::new(FaultKind::Reset).bot(3).method("sendMessage").count(2);
        book.add(fault.from(NOW).until(NOW + NOW));
        assert!(!strikes(&book, 2, "sendmessage", NOW));
        assert!(!strikes(&book, 3, "getme", NOW));
        assert!(!strikes(&book, 3, "sendmessage", NOW - Duration::from_millis(1)));
        assert!(!strikes(&book, 3, "sendmessage", NOW + NOW));
        assert!(strikes(&book, 3, "sendmessage", NOW));
        assert!(strikes(&book, 3, "sendmessage", NOW));
        assert!(!strikes(&book, 3, "sendmessage", NOW), "the count is used up");
    }

    #[test]
    fn a_share_strikes_about_that_share() {
        let (book, dice) = (FaultBook::default(), Dice::new(9));
        book.add(Fault::new(FaultKind::Html502).share(0.25));
        let struck = (0..4_000)
            .filter(|_| book.strike(Stage::Decision, 0, "sendmessage", NOW, &dice).is_some())
            .count();
        assert!((900..1_100).contains(&struck), "{struck}");
    }

    #[test]
    fn a_rule_can_be_taken_away() {
        let book = FaultBook::default();
        let id = book.add(Fault::new(FaultKind::Revoked));
        assert!(strikes(&book, 0, "getme", NOW));
        assert!(book.remove(id).is_some());
        assert!(book.remove(id).is_none());
        assert!(!strikes(&book, 0, "getme", NOW));
    }

    #[test]
    fn a_fault_reads_from_the_control_endpoints_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"kind":"status","code":500,"description":"Internal Server Error: restart"}"#,
        )
        .unwrap();
        assert_eq!(fault.kind.name(), "status 500");
        assert_eq!(fault.share, 1.0);
    }
}
