//! Proves that the referee sees: rehearsals against a server that is crooked on purpose, and sound logs with
//! a bug put in. Each must turn the verdict to fail, by the check that is meant to catch it.
//!
//! What lives here: the cases and their judgement; the crooked servers are [`crooked`] and [`crooked_chat`].

pub mod crooked;
pub mod crooked_chat;
mod evening;
mod wire;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;

use crate::auditor::doctor::Bug;
use crate::auditor::{Check, audit};
use crate::profile::{Bars, Kind, Profile};
use crate::rehearse::{self, Changes, Options, RehearsalError, ServerCommand, rules};
use crate::report::{Report, Verdict};

/// Findings told of an honest server that is accused.
const FINDINGS_SHOWN: usize = 8;

/// One case and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What was planted, and where.
    pub name: String,
    /// The verdict was the wanted one, for the wanted reason.
    pub ok: bool,
    /// What was seen.
    pub seen: String,
}

/// Runs all cases, those of the chat if `evening`; `say` hears each as it ends. `program` is this
/// program's own path, `folder` takes the servers' logs.
///
/// # Errors
/// A rehearsal could not be held at all.
pub fn run(
    program: &Path,
    folder: &Path,
    evening: bool,
    say: &mut dyn FnMut(&Case),
) -> Result<Vec<Case>, RehearsalError> {
    let mut cases = Vec::new();
    let mut note = |case: Case| {
        say(&case);
        cases.push(case);
    };
    // One token: a lane with enough messages for a 31st, and lists and cards in one order.
    let day = Profile { tokens: 1, by_name: 0.6, ..tiny(Kind::Smoke) };
    let honest = rehearse::run(options(program, folder, None, day.clone()))?;
    note(sound(&honest.report));
    for bug in Bug::ALL {
        let mut log = honest.log.clone();
        let planted = bug.plant(&mut log);
        let audit = audit(&log, &honest.truth, &rules(&day));
        let count = if planted { audit.count(bug.caught_by()) } else { 0 };
        note(Case {
            name: format!("{} in a sound log", word(bug)),
            ok: count > 0,
            seen: format!("{:?} x {count}", bug.caught_by()),
        });
    }
    for bug in Bug::ALL.into_iter().filter(|bug| crooked::can(*bug)) {
        let outcome = rehearse::run(options(program, folder, Some(bug), case_for(bug)))?;
        note(caught(bug, &outcome.report));
    }
    let mut left = options(program, folder, None, tiny(Kind::Smoke));
    left.changes = Changes { restarts: 1, clumsy: true, ..Changes::default() };
    note(noticed(&rehearse::run(left)?.report));
    if evening {
        evening::run(program, folder, &mut note)?;
    }
    Ok(cases)
}

fn sound(report: &Report) -> Case {
    Case {
        name: "an honest server".to_owned(),
        // That the generator lagged says nothing of the server, and this is no measurement.
        ok: report.updates > 0
            && report.server.exit == "graceful"
            && report.checks.iter().all(|check| check.pass),
        seen: if report.reasons.is_empty() { "pass".to_owned() } else { accused(report) },
    }
}

/// Of what an honest server is accused, with the first findings.
fn accused(report: &Report) -> String {
    let found = report.findings.iter().take(FINDINGS_SHOWN);
    let found = found.map(|one| {
        format!("{:.3} s, user {}, {:?}: {}", one.at_ms as f64 / 1e3, one.user, one.check, one.what)
    });
    report.reasons.iter().cloned().chain(found).collect::<Vec<_>>().join("; ")
}

fn caught(bug: Bug, report: &Report) -> Case {
    // The platform refuses a 31st send, so that on the wire it shows as a 429.
    let (what, count) = match bug.caught_by() {
        Check::LimitExceeded => ("refused_429", report.refused_429),
        Check::WrongRecipient => ("wrong_recipient", report.wrong_recipient),
        Check::Lost => ("lost", report.lost),
        Check::Disorder => ("order_violations", report.order_violations),
        Check::Repeated => ("repeated", report.repeated),
        Check::WrongBot => ("wrong_bot", report.wrong_bot),
        Check::WrongAnswer => ("wrong_answer", report.wrong_answer),
        Check::SilentButton => ("silent_buttons", report.silent_buttons),
        Check::Unacknowledged => ("unacknowledged", report.unacknowledged),
        Check::Early => ("early", report.early),
        // Those of an evening have cases of their own.
        _ => ("repeated_excused", report.repeated_excused),
    };
    Case {
        name: format!("{} by a crooked server", word(bug)),
        ok: report.verdict != Verdict::Pass && count > 0,
        seen: format!("{:?}, {what} {count}", report.verdict),
    }
}

/// A restart that closes the listener first: who comes meanwhile is refused, and must be seen.
fn noticed(report: &Report) -> Case {
    let refused = report.server.changed.as_ref().map_or(0, |changed| changed.refused_connects);
    let said = report.reasons.iter().any(|reason| reason.starts_with("refused_connects is "));
    Case {
        name: "a restart with its listener closed".to_owned(),
        ok: report.verdict == Verdict::Fail && refused > 0 && said,
        seen: format!("{:?}, refused_connects {refused}", report.verdict),
    }
}

fn word(bug: Bug) -> String {
    bug.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// The profile in which a bug shows at once: questions that nobody asks twice, enough on one lane, or
/// several in one chat.
fn case_for(bug: Bug) -> Profile {
    match bug {
        Bug::Reordering => Profile { students: 4, ..tiny(Kind::BurstChats) },
        Bug::SwappedButton | Bug::StolenButton | Bug::SilentButton => {
            Profile { by_name: 1.0, tokens: 1, ..tiny(Kind::Smoke) }
        }
        Bug::ThirtyFirstSend => Profile { students: 45, tokens: 1, ..tiny(Kind::Burst510) },
        _ => Profile { students: 68, ..tiny(Kind::Burst510) },
    }
}

/// Small enough to be over in seconds, and judged by correctness alone.
fn tiny(kind: Kind) -> Profile {
    Profile { records: 1_000, students: 100, compress: 1_200.0, bars: Bars::default(), ..kind.profile() }
}

fn options(program: &Path, folder: &Path, bug: Option<Bug>, profile: Profile) -> Options {
    let mut prefix: Vec<OsString> = vec!["crooked".into()];
    if let Some(bug) = bug {
        prefix.extend(["--bug".into(), word(bug).into()]);
    }
    Options {
        profile,
        plan: None,
        server: ServerCommand { program: program.to_path_buf(), prefix },
        folder: folder.to_path_buf(),
        kills: 0,
        changes: Changes::default(),
        plant: None,
        record: None,
        trace: None,
        patience: Duration::from_secs(3),
        quiet: true,
    }
}
