//! The cases of an evening in the chat.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;

use super::{Case, crooked_chat, sound};
use crate::auditor::evening::doctor::Bug;
use crate::auditor::{Check, audit};
use crate::profile::{Bars, Kind, Profile};
use crate::rehearse::{self, Options, RehearsalError, ServerCommand, rules};
use crate::report::{Report, Verdict};
use crate::student::evening::plan::Evening;

/// Runs them; `note` hears each as it ends.
pub(super) fn run(program: &Path, folder: &Path, note: &mut dyn FnMut(Case)) -> Result<(), RehearsalError> {
    let honest = rehearse::run(options(program, folder, None))?;
    let first = sound(&honest.report);
    note(Case { name: "an honest chat bot".to_owned(), ..first });
    for bug in Bug::ALL {
        let mut log = honest.log.clone();
        let planted = bug.plant(&mut log);
        let audit = audit(&log, &honest.truth, &rules(&profile()));
        let count = if planted { audit.count(bug.caught_by()) } else { 0 };
        note(Case {
            name: format!("{} in a sound evening", word(bug)),
            ok: count > 0,
            seen: format!("{:?} x {count}", bug.caught_by()),
        });
    }
    for bug in Bug::ALL.into_iter().filter(|bug| crooked_chat::can(*bug)) {
        let outcome = rehearse::run(options(program, folder, Some(bug)))?;
        note(caught(bug, &outcome.report));
    }
    Ok(())
}

fn caught(bug: Bug, report: &Report) -> Case {
    let own = |name: &str| {
        let counts = report.evening.as_ref().map(|evening| evening.counts());
        counts.into_iter().flatten().find(|(known, _)| *known == name).map_or(0, |(_, count)| count)
    };
    let (what, count) = match bug.caught_by() {
        Check::Lost => ("lost", report.lost),
        Check::Disorder => ("order_violations", report.order_violations),
        Check::Repeated => ("repeated", report.repeated),
        Check::WrongPartner => ("wrong_partner", own("wrong_partner")),
        Check::TwoChats => ("two_chats", own("two_chats")),
        Check::PairBroken => ("pair_broken", own("pair_broken")),
        Check::LockIgnored => ("lock_ignored", own("lock_ignored")),
        _ => ("money", own("money")),
    };
    Case {
        name: format!("{} by a crooked chat bot", word(bug)),
        ok: report.verdict == Verdict::Fail && count > 0,
        seen: format!("{:?}, {what} {count}", report.verdict),
    }
}

fn word(bug: Bug) -> String {
    bug.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Ten seconds in which forty people register, talk, lock and pay, all of it often.
fn profile() -> Profile {
    let (users, tokens, length) = (60, 2, Duration::from_secs(12));
    let evening = Evening { newcomers: 1.0, eager: true, ..Evening::new(users, 40, length, tokens, 1) };
    Profile {
        students: users,
        tokens,
        evening: Some(evening),
        bars: Bars::default(),
        ..Kind::ChatEvening.profile()
    }
}

fn options(program: &Path, folder: &Path, bug: Option<Bug>) -> Options {
    let mut prefix: Vec<OsString> = ["crooked", "--chat"].map(Into::into).to_vec();
    if let Some(bug) = bug {
        prefix.extend(["--chat-bug".into(), word(bug).into()]);
    }
    Options {
        profile: profile(),
        plan: None,
        server: ServerCommand { program: program.to_path_buf(), prefix },
        folder: folder.to_path_buf(),
        kills: 0,
        plant: None,
        record: None,
        trace: None,
        patience: Duration::from_secs(3),
        quiet: true,
    }
}
