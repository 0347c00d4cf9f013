//! The cases of an evening in the chat.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;

use super::{Case, crooked_chat, sound};
use crate::auditor::evening::doctor::Bug;
use crate::auditor::{Check, audit};
use crate::profile::{Bars, Kind, Profile};
use crate::rehearse::{self, Changes, Options, Outcome, RehearsalError, ServerCommand, rules};
use crate::report::{Report, Verdict};
use crate::student::evening::plan::Evening;

/// Rehearsals at once: each is a server, a platform and a crowd of little work.
const SIDE_BY_SIDE: usize = 10;

/// Runs them; `note` hears each in their order. The rehearsals are held side by side, for they mostly wait.
pub(super) fn run(program: &Path, folder: &Path, note: &mut dyn FnMut(Case)) -> Result<(), RehearsalError> {
    let held: Vec<Option<Bug>> = std::iter::once(None)
        .chain(Bug::ALL.into_iter().filter(|bug| crooked_chat::can(*bug)).map(Some))
        .collect();
    let mut outcomes = Vec::new();
    for some in held.chunks(SIDE_BY_SIDE) {
        let ended: Vec<_> = std::thread::scope(|scope| {
            let hold = |bug: &Option<Bug>| {
                let options = options(program, folder, *bug);
                scope.spawn(|| rehearse::run(options))
            };
            let threads: Vec<_> = some.iter().map(hold).collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        outcomes.extend(ended);
    }
    for (bug, outcome) in held.into_iter().zip(outcomes) {
        let outcome = outcome.map_err(|_| RehearsalError::Interrupted)??;
        match bug {
            Some(bug) => note(caught(bug, &outcome.report)),
            None => {
                note(Case { name: "an honest chat bot".to_owned(), ..sound(&outcome.report) });
                Bug::ALL.into_iter().map(|bug| planted(bug, &outcome)).for_each(&mut *note);
            }
        }
    }
    Ok(())
}

fn planted(bug: Bug, honest: &Outcome) -> Case {
    let mut log = honest.log.clone();
    let planted = bug.plant(&mut log);
    let audit = audit(&log, &honest.truth, &rules(&profile()));
    let count = if planted { audit.count(bug.caught_by()) } else { 0 };
    Case {
        name: format!("{} in a sound evening", word(bug)),
        ok: count > 0,
        seen: format!("{:?} x {count}", bug.caught_by()),
    }
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
        ok: report.verdict != Verdict::Pass && count > 0,
        seen: format!("{:?}, {what} {count}", report.verdict),
    }
}

fn word(bug: Bug) -> String {
    bug.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Half a minute in which forty people register, talk, lock and pay, all of it often.
fn profile() -> Profile {
    let (users, tokens, length) = (80, 2, Duration::from_secs(34));
    let stay = Duration::from_secs(40);
    let evening = Evening { newcomers: 1.0, eager: true, stay, ..Evening::new(users, 40, length, tokens, 1) };
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
        folder: folder.join(bug.map_or_else(|| "honest".to_owned(), word)),
        kills: 0,
        changes: Changes::default(),
        plant: None,
        record: None,
        trace: None,
        patience: Duration::from_secs(3),
        quiet: true,
    }
}
