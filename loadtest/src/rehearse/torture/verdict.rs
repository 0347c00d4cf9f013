//! The word at the end of a torture, in JSON and for a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::{Ledger, Options, Outcome};
use crate::auditor::{Check, Finding};

/// From so many kills on a run in which no end was provably durable is invalid: it could not have found a repeat.
const PROVING_KILLS: u32 = 10;

/// How it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// Nothing that must not happen happened.
    pub pass: bool,
    /// It could have been found. Not so on a machine so busy that nothing could be proved of any message.
    pub valid: bool,
    /// The seed.
    pub seed: u64,
    /// Kills by the moment they were aimed at.
    pub kills: BTreeMap<&'static str, u64>,
    /// Updates that users caused.
    pub updates: u64,
    /// Of them answered 200.
    pub acknowledged: u64,
    /// Messages that were accepted.
    pub sends: u64,
    /// Answered 200, and without effect.
    pub lost: u64,
    /// The same answer again within one process, or over a kill by which its end was surely durable.
    pub repeated: u64,
    /// The same answer again over a kill that may have taken its end.
    pub repeated_excused: u64,
    /// Messages of processes that were killed.
    pub before_kills: u64,
    /// Of them those that must not be repeated, by what crossed the wire: without any, no repeat could be found.
    pub proven: u64,
    /// How long before its kill the oldest of these first copies was answered, in milliseconds.
    pub widest_excuse_ms: f64,
    /// Answers before those of earlier questions.
    pub order_violations: u64,
    /// Wrong recipients, bots and answers.
    pub wrong: u64,
    /// 429s: told, not judged. The next process starts at once here, and what the killed one still had on the wire
    /// is counted by the platform after that.
    pub refused_429: u64,
    /// From the start of the process to `/readyz` 200, of the lives that got so far, in milliseconds.
    pub ready_ms: Quantiles,
    /// Snapshots and segments that the log of the server tells of.
    pub snapshots: u64,
    /// Torn tails that were cut.
    pub cuts: u64,
    /// Why the server ended by itself, if it did.
    pub died: Option<String>,
    /// Of people who meet, talk and pay.
    pub ledger: Option<Ledger>,
    /// The first findings of each check.
    pub findings: Vec<Finding>,
}

/// Quantiles of a few durations.
#[derive(Clone, Copy, Default, Debug, Serialize)]
pub struct Quantiles {
    /// The median.
    pub p50: f64,
    /// One of a hundred is longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Judges what was seen. `said` is the log of the server's lives.
pub(super) fn judge(options: &Options, outcome: Outcome, said: &str) -> Verdict {
    let Outcome { log, audit, kills, ready, died, ledger } = outcome;
    let count = |check| audit.count(check);
    let wrong = count(Check::WrongRecipient) + count(Check::WrongBot) + count(Check::WrongAnswer);
    let (lost, repeated, order) = (count(Check::Lost), count(Check::Repeated), count(Check::Disorder));
    let told = |what: &str| said.matches(what).count() as u64;
    Verdict {
        pass: died.is_none()
            && lost + order + wrong + repeated == 0
            && ledger.as_ref().is_none_or(Ledger::is_sound),
        valid: options.kills < PROVING_KILLS
            || (audit.proven > 0 && ledger.as_ref().is_none_or(Ledger::is_lively)),
        seed: options.seed,
        kills,
        updates: log.asked.len() as u64,
        acknowledged: log.trips.values().filter(|trip| trip.acknowledged_at.is_some()).count() as u64,
        sends: log.sent.len() as u64,
        lost,
        repeated,
        repeated_excused: count(Check::ExcusedRepeat),
        before_kills: audit.before_kills,
        proven: audit.proven,
        widest_excuse_ms: audit.widest_excuse.as_secs_f64() * 1e3,
        order_violations: order,
        wrong,
        refused_429: audit.refused.own(),
        ready_ms: ready,
        snapshots: told("snapshot made"),
        cuts: told("torn tail"),
        died,
        ledger,
        findings: audit.findings.into_iter().filter(|f| f.check != Check::ExcusedRepeat).collect(),
    }
}

impl Verdict {
    /// For a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let word = match (self.pass, self.valid) {
            (false, _) => "FAIL",
            (true, true) => "PASS",
            (true, false) => "INVALID (nothing could be proved: the machine is too busy)",
        };
        let kills: u64 = self.kills.values().sum();
        let by: Vec<String> = self.kills.iter().map(|(moment, n)| format!("{n} {moment}")).collect();
        let _ = writeln!(out, "{word}  torture, {kills} kills ({}), seed {}\n", by.join(", "), self.seed);
        let Quantiles { p50, p99, max } = self.ready_ms;
        for (name, value) in [
            ("updates", self.updates.to_string()),
            ("answered 200", self.acknowledged.to_string()),
            ("messages accepted", self.sends.to_string()),
            ("snapshots made", self.snapshots.to_string()),
            ("torn tails cut", self.cuts.to_string()),
            ("start to ready", format!("p50 {p50:.0} ms, p99 {p99:.0} ms, max {max:.0} ms")),
            ("lost", self.lost.to_string()),
            (
                "repeated",
                format!(
                    "{} (of {} messages before kills {} were provably ended)",
                    self.repeated, self.before_kills, self.proven
                ),
            ),
            (
                "repeated, excused by a kill",
                format!(
                    "{} (the first copy at most {:.0} ms before it)",
                    self.repeated_excused, self.widest_excuse_ms
                ),
            ),
            ("order violations", self.order_violations.to_string()),
            ("wrong recipient, bot or answer", self.wrong.to_string()),
            ("refused with 429", self.refused_429.to_string()),
        ] {
            let _ = writeln!(out, "  {name:<38} {value}");
        }
        if let Some(ledger) = &self.ledger {
            ledger.write(&mut out);
        }
        if let Some(died) = &self.died {
            let _ = writeln!(out, "\n  the server ended by itself: {died}");
        }
        for finding in &self.findings {
            let _ = writeln!(
                out,
                "  {:?} at {} ms, user {}: {}",
                finding.check, finding.at_ms, finding.user, finding.what
            );
        }
        out
    }
}
