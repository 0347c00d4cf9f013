//! The auditor: gives every update one disposition and counts what must never happen.
//!
//! What lives here: judgement over a finished [`Log`]. It reads what crossed the wire and the data set's
//! truth, nothing from inside the server, and shares no parser with it. Each check has a planted bug in
//! [`doctor`] that it must catch.
//!
//! ```text
//! Wire events -> Log (compact) -> { dialogue: who got what, limits: how fast } -> Audit -> report
//! ```

mod dialogue;
pub mod doctor;
pub mod evening;
mod limits;
mod log;
mod order;
pub(crate) mod proof;
pub mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::dataset::Truth;
use crate::wire::{At, BotIx};

pub use log::{Asked, Ended, Log, Sent, Shown, Trip, Turn};

/// What the auditor is told about the rehearsal beyond the log.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Tokens, the main bot included: a user's home lane is `user_id % lanes`.
    pub lanes: usize,
    /// Accepted messages of one token in any second; none when the platform does not cap replies.
    pub per_token_s: Option<usize>,
    /// Messages at once in one chat before one a second holds.
    pub chat_burst: u32,
    /// Requests of one user in a minute that must be served; a refusal below it is a lost answer.
    pub requests_per_minute: usize,
    /// Misses (numbers and names that nobody has) of one user in `misses_window` that must be served.
    pub misses: usize,
    /// What misses are counted over.
    pub misses_window: Duration,
    /// Names are understood, and marks shown for them.
    pub names: bool,
    /// From its delivery on, a pressed button must be answered within this time.
    pub press_within: Duration,
    /// How long ends of sends may gather before they are journaled, by the server's own clock: the promise of
    /// `docs/durability.md`, by which repeats over a kill are judged.
    pub ends_within: Duration,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            lanes: 17,
            per_token_s: Some(30),
            chat_burst: 3,
            requests_per_minute: 10,
            misses: 20,
            misses_window: Duration::from_secs(3_600),
            names: false,
            press_within: Duration::from_secs(10),
            ends_within: Duration::from_millis(10),
        }
    }
}

/// What became of one update. Every update has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// One accepted message answers it.
    Answered,
    /// The same user asked the same, and one answer was accepted after this one was delivered.
    Covered,
    /// The user was over the limit and was told so.
    RefusedByRate,
    /// Nothing was owed.
    NoAnswerDue,
    /// Owed and never given.
    Lost,
}

/// One thing that went wrong, in words a person can act upon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check found it.
    pub check: Check,
    /// When, in milliseconds of the rehearsal's clock.
    pub at_ms: u64,
    /// Whom it hit.
    pub user: u64,
    /// What was seen.
    pub what: String,
}

/// The checks, from the worst down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// A card this user did not ask for, or with marks or a name that are not of its number.
    WrongRecipient,
    /// An answer that was owed and never came.
    Lost,
    /// The same answer again without a question for it.
    Repeated,
    /// A repeat whose first copy's answer was lost, or a repeat over a kill, without proof on the wire that the first
    /// copy's end was durable by then. Counted, not a failure.
    ExcusedRepeat,
    /// An answer before the answer of an earlier question of the same chat.
    Disorder,
    /// A lane that is neither the user's own nor the bot he wrote to.
    WrongBot,
    /// More than the platform permits within some second.
    LimitExceeded,
    /// An answer that contradicts the data set without showing anyone's marks, or that answers nothing that
    /// this user asked.
    WrongAnswer,
    /// A pressed button whose wait was not ended in time.
    SilentButton,
    /// An update that never got its 2xx, whatever else became of it.
    Unacknowledged,
    /// Something of the data set before the hour.
    Early,
    /// Of an evening: a message for one who is not the partner of its author.
    WrongPartner,
    /// Of an evening: a second partner while the first has not been said to be gone.
    TwoChats,
    /// Of an evening: a chat that is not of two, of other two than they were told, or that was forgotten.
    PairBroken,
    /// Of an evening: a payment booked twice or not, or a purse that holds what nobody paid for.
    Money,
    /// Of an evening: somebody left a chat that his partner had locked.
    LockIgnored,
    /// Of an evening: the question before a payment was not answered in time.
    LateCheckout,
    /// Of an evening: an answer, an edit or a sign on another message than the one that was meant.
    WrongThread,
}

/// The findings kept in full of each check; all are counted.
const FINDINGS_KEPT: usize = 20;

/// 429s by the limit that caused them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// One message a second and chat.
    pub chat: u64,
    /// Twenty a minute and group.
    pub group: u64,
    /// Thirty a second and token.
    pub token: u64,
    /// On request: no fault of the server.
    pub injected: u64,
}

impl Refused {
    /// Those of the server's own doing.
    pub fn own(&self) -> u64 {
        self.chat + self.group + self.token
    }
}

/// One answer in time, for latencies and the ideal scheduler.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// When the question was planned.
    pub planned_at: At,
    /// When the server may have known it first.
    pub delivered_at: At,
    /// When the server had taken it over.
    pub acknowledged_at: Option<At>,
    /// When the answer was accepted.
    pub accepted_at: At,
    /// The lane it went by.
    pub bot: BotIx,
    /// Whom it answers.
    pub user: u64,
    /// The message was made for this question: the oldest of those it settles.
    pub own: bool,
}

/// The auditor's word.
#[derive(Debug, Default)]
pub struct Audit {
    /// Updates by disposition; they add up to all updates.
    pub dispositions: BTreeMap<&'static str, u64>,
    /// How often each check struck.
    pub counts: BTreeMap<Check, u64>,
    /// The first of each check.
    pub findings: Vec<Finding>,
    /// 429s.
    pub refused: Refused,
    /// Calls before an announced wait was over.
    pub defiance: u64,
    /// Notices: please wait, slow down. No answers, but they take a place in the lane.
    pub notices: u64,
    /// Of the excused repeats: how long before its kill the oldest first copy was answered.
    pub widest_excuse: Duration,
    /// Messages of processes that were killed.
    pub before_kills: u64,
    /// Of them those whose end was durable by what crossed the wire: a repeat of one is never excused.
    pub proven: u64,
    /// Every answered or covered update.
    pub answers: Vec<Answer>,
}

impl Audit {
    /// How often this check struck.
    pub fn count(&self, check: Check) -> u64 {
        self.counts.get(&check).copied().unwrap_or(0)
    }

    /// Counts it, and keeps it if it is among the first.
    fn find(&mut self, check: Check, at: At, user: u64, what: impl FnOnce() -> String) {
        let count = self.counts.entry(check).or_insert(0);
        *count += 1;
        if *count <= FINDINGS_KEPT as u64 {
            self.findings.push(Finding { check, at_ms: at.as_millis() as u64, user, what: what() });
        }
    }

    fn dispose(&mut self, disposition: Disposition) {
        let name = match disposition {
            Disposition::Answered => "answered",
            Disposition::Covered => "covered",
            Disposition::RefusedByRate => "refused_by_rate",
            Disposition::NoAnswerDue => "no_answer_due",
            Disposition::Lost => "lost",
        };
        *self.dispositions.entry(name).or_insert(0) += 1;
    }
}

/// Judges a whole log. O(n log n) in its events.
pub fn audit(log: &Log, truth: &Truth, rules: &Rules) -> Audit {
    let mut audit = Audit { refused: log.refused, defiance: log.defiance, ..Audit::default() };
    match &log.evening {
        Some(record) => evening::judge(log, record, rules, &mut audit),
        None => {
            dialogue::judge(log, truth, rules, &mut audit);
            order::judge(log, &mut audit);
        }
    }
    limits::judge(log, rules, &mut audit);
    audit.findings.sort_by_key(|finding| (finding.check, finding.at_ms));
    audit
}
