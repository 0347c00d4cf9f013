//! What a rehearsal leaves behind: one [`Report`], written as JSON, as text and as one HTML page.
//!
//! What lives here: figures and words made from a judged log. The JSON's field names are a contract that
//! other programs read; fields are added, never renamed.

mod build;
pub mod compare;
mod evening;
mod html;
mod ideal;
mod series;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod verdict;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::auditor::{Finding, Refused};

pub use build::{Run, build};
pub use evening::{Evening, EveningSeries};
pub use html::page;
pub use series::Series;
pub use text::summary;

/// The generator's own lateness that a run may have, p99. Beyond it the run says nothing about the server.
pub const GENERATOR_LAG_MAX: Duration = Duration::from_millis(100);

/// The word on a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every check passed.
    Pass,
    /// At least one check struck.
    Fail,
    /// The run cannot be judged: the generator lagged, or it was interrupted.
    Invalid,
}

impl Verdict {
    /// The exit status: 0, 1, 2.
    pub fn exit_status(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Invalid => 2,
        }
    }
}

/// One line of the verdict: what was measured, what is required.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// What is measured, as in the JSON.
    pub name: &'static str,
    /// The figure.
    pub value: f64,
    /// `<=`, `>=` or `==` and the bound.
    pub required: String,
    /// Whether it holds.
    pub pass: bool,
}

/// Quantiles of a latency, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// How many were measured.
    pub count: u64,
    /// Half are at most this.
    pub p50: f64,
    /// 90 %.
    pub p90: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p999: f64,
    /// The largest.
    pub max: f64,
}

impl Quantiles {
    /// Of sorted durations.
    pub(crate) fn of(sorted: &[Duration]) -> Quantiles {
        build::quantiles(sorted)
    }
}

/// Latencies, all from the planned moment of the update.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Latencies {
    /// To the first 2xx of the webhook.
    pub update_to_200: Quantiles,
    /// To the moment the platform accepted the answer. Updates covered by another's answer are left out.
    pub update_to_send: Quantiles,
    /// The same for an ideal scheduler with the same arrivals and lanes: 30 in any second, first come first
    /// served, no time lost.
    pub ideal_update_to_send: Quantiles,
}

/// The server as the operating system saw it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ServerUse {
    /// Peak resident memory, the largest of all its lives.
    pub rss_peak_bytes: u64,
    /// Processor seconds, user and system, of all its lives.
    pub cpu_s: f64,
    /// The same per 1,000 updates.
    pub cpu_s_per_1000_updates: f64,
    /// How it ended after SIGTERM: `graceful`, or what happened instead.
    pub exit: String,
    /// Kills on purpose.
    pub kills: u32,
    /// Seconds from start to ready, each life.
    pub ready_s: Vec<f64>,
    /// What was changed in mid-run without anybody noticing, if anything was to be.
    pub changed: Option<Changed>,
    /// Of an evening: the life before it, in which its members registered. No other field counts it.
    pub registered: Option<Registered>,
}

/// Upgrades, restarts and reloads of a running server, and who noticed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Changed {
    /// All that was to be done.
    pub asked: u32,
    /// Live upgrades that were done.
    pub upgrades: u32,
    /// Restarts behind a held socket that were done.
    pub restarts: u32,
    /// Reloads that were taken into use.
    pub reloads: u32,
    /// What could not be done, in words.
    pub troubles: Vec<String>,
    /// How long newcomers waited for an answer, from the connect on.
    pub newcomers: Quantiles,
    /// Connects that nobody took, of newcomers and of deliveries.
    pub refused_connects: u64,
    /// Newcomers whose connection was closed before the answer; any client asks again.
    pub raced: u64,
    /// The longest wait of a newcomer during each upgrade.
    pub upgrade_pauses_ms: Vec<f64>,
    /// The same during each restart.
    pub restart_pauses_ms: Vec<f64>,
}

impl Changed {
    /// Those that were done.
    pub fn done(&self) -> u32 {
        self.upgrades + self.restarts + self.reloads
    }
}

/// Members who registered before an evening, without limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Registered {
    /// How many.
    pub members: u64,
    /// In so many seconds.
    pub seconds: f64,
    /// Peak resident memory.
    pub rss_peak_bytes: u64,
    /// Processor seconds.
    pub cpu_s: f64,
}

/// How well the schedule was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Generator {
    /// p99 of handed over minus planned.
    pub lag_p99_ms: f64,
    /// The worst.
    pub lag_max_ms: f64,
    /// The bound on p99.
    pub lag_bound_ms: f64,
    /// Within the bound.
    pub valid: bool,
}

/// One lane's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Lane {
    /// 0 is the main bot.
    pub lane: usize,
    /// Users whose home it is.
    pub users: u64,
    /// Messages accepted through it, notices included.
    pub sends: u64,
    /// 429s on it.
    pub refused_429: u64,
}

/// Students on their way to their own bots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Handoff {
    /// Students whose own bot is not the main one, and who had not come to it before the rush.
    pub left_behind: u64,
    /// Students who had.
    pub handed_over: u64,
    /// Answers to questions of the rush.
    pub answers: u64,
    /// Those of them that another bot than the student's own gave.
    pub by_another_bot: u64,
}

/// The settings that made the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Settings {
    /// Students.
    pub students: u32,
    /// The factor by which the hour was squeezed.
    pub compress: f64,
    /// Pupils in the data set.
    pub records: usize,
    /// Tokens.
    pub tokens: usize,
    /// The seed.
    pub seed: u64,
    /// Which bots reach whom.
    pub reach: String,
    /// The platform's latency.
    pub latency: String,
    /// Whether the server learned its rate.
    pub adaptive: bool,
    /// A bug planted into the log on purpose.
    pub planted: Option<String>,
}

/// The hour of a release: who had asked before it, and who wrote meanwhile.
#[derive(Clone, Debug, Serialize)]
pub struct Release {
    /// Questions from before the hour that were answered after it.
    pub held: u64,
    /// From the hour to the last of these answers, in seconds.
    pub held_served_s: f64,
    /// Update to send of those who wrote after the hour, until the last of the held was served; milliseconds.
    pub live: Quantiles,
}

/// Everything a rehearsal found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The word.
    pub verdict: Verdict,
    /// What speaks against a pass, in words.
    pub reasons: Vec<String>,
    /// The profile's name.
    pub profile: String,
    /// What made the run.
    pub settings: Settings,
    /// Updates that students caused.
    pub updates: u64,
    /// Messages the platform accepted.
    pub sends: u64,
    /// Seconds from the first planned update (with `handoff`: from the rush) to the last accepted message.
    pub drain_s: f64,
    /// `drain_s` over (`fullest_lane` / 30).
    pub drain_over_bound: f64,
    /// Accepted messages of the fullest lane within the drain.
    pub fullest_lane: u64,
    /// Accepted messages a second over the drain.
    pub sends_per_s: f64,
    /// 429s of the server's own doing.
    pub refused_429: u64,
    /// All 429s by their limit.
    pub refused_429_by_scope: Refused,
    /// Calls before an announced wait was over.
    pub defiance: u64,
    /// Updates whose answer never came.
    pub lost: u64,
    /// Answers without a question, excused ones left out.
    pub repeated: u64,
    /// Repeats whose first copy's answer was lost or fell right before a kill.
    pub repeated_excused: u64,
    /// Cards for those who did not ask, or with another's marks.
    pub wrong_recipient: u64,
    /// Answers that contradict the data set.
    pub wrong_answer: u64,
    /// What became of the links to the students' own bots.
    pub handoff: Option<Handoff>,
    /// Pressed buttons whose wait was not ended in time.
    pub silent_buttons: u64,
    /// Updates that never got a 2xx.
    pub unacknowledged: u64,
    /// Messages that told something of the data set before the hour.
    pub early: u64,
    /// Messages through a bot that is neither home nor written to.
    pub wrong_bot: u64,
    /// Answers before the answer of an earlier question.
    pub order_violations: u64,
    /// More than the platform permits, as the auditor counts.
    pub limits_exceeded: u64,
    /// Notices: please wait, slow down.
    pub notices: u64,
    /// Every update's end.
    pub dispositions: BTreeMap<&'static str, u64>,
    /// Milliseconds.
    pub latency_ms: Latencies,
    /// What happened at the hour, if that fell into the run.
    pub release: Option<Release>,
    /// What an evening in the chat was like.
    pub evening: Option<Evening>,
    /// The process under test.
    pub server: ServerUse,
    /// The load generator.
    pub generator: Generator,
    /// Each lane.
    pub lanes: Vec<Lane>,
    /// Each check with its bound.
    pub checks: Vec<Judged>,
    /// The first findings of each check.
    pub findings: Vec<Finding>,
    /// Webhook attempts by result.
    pub deliveries: BTreeMap<String, u64>,
    /// Calls by method.
    pub calls: BTreeMap<String, u64>,
    /// Refusals that are neither 429 nor reach, by description.
    pub rejected: BTreeMap<String, u64>,
    /// Sends to users whom the bot does not reach.
    pub unreachable: u64,
    /// What was plotted.
    pub series: Series,
}
