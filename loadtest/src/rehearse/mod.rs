//! One rehearsal from the data set to the judged log: the emulated platform here, the server as a process
//! of its own, a schedule that nothing can hold up, and an orderly end.
//!
//! ```text
//! truth -> CSV -> `results import`      schedule -> drive -> platform -> webhook -> server
//!                                       server -> calls -> platform -> Wire -> collect -> Log -> audit ->
//! report
//! ```

mod changes;
mod choose;
mod collect;
mod drive;
mod evening;
mod follow;
mod hour;
mod kills;
mod knock;
pub mod output;
pub(crate) mod proc;
mod progress;
mod server;
mod stage;
pub mod torture;
mod watch;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::auditor::doctor::Bug;
use crate::auditor::{Log, Rules, audit};
use crate::dataset::Truth;
use crate::profile::{Planned, Profile, scripts};
use crate::replay;
use crate::report::{self, Report, Run};
use crate::student::Wishes;

pub use changes::Changes;
pub use server::ServerCommand;
pub(crate) use stage::invented_tokens;

/// What to rehearse, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The settings of the day.
    pub profile: Profile,
    /// The schedule, if it is not to be made from the profile.
    pub plan: Option<Vec<Planned>>,
    /// The server under test.
    pub server: ServerCommand,
    /// Where the server's log and the reports go.
    pub folder: PathBuf,
    /// Kills at seeded moments of the run, besides those of `profile.kill_every`.
    pub kills: u32,
    /// Upgrades, restarts and reloads that nobody should notice.
    pub changes: Changes,
    /// A bug planted into the log before it is judged.
    pub plant: Option<Bug>,
    /// Where the schedule is recorded for a replay.
    pub record: Option<PathBuf>,
    /// Where every wire event is written, one a line, to look into a finding.
    pub trace: Option<PathBuf>,
    /// How long nothing may move before the rest counts as lost.
    pub patience: Duration,
    /// Nothing is shown while it runs.
    pub quiet: bool,
}

/// What a rehearsal leaves in memory.
#[derive(Debug)]
pub struct Outcome {
    /// The report.
    pub report: Report,
    /// The log, settled; with the planted bug, if any.
    pub log: Log,
    /// The data set.
    pub truth: Truth,
}

/// Why a rehearsal could not be held at all.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// A file, a port or a process could not be had.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Cargo said no.
    #[error("the server did not build: see cargo's messages above")]
    Build,
    /// No binary.
    #[error(
        "no server at {0}: build it with `cargo build --release -p nobat`, or name it with --server PATH"
    )]
    NoServer(PathBuf),
    /// The import was refused.
    #[error("`results import` ended with {status}; the end of its log:\n{tail}")]
    Import {
        /// How it ended.
        status: ExitStatus,
        /// The end of its output.
        tail: String,
    },
    /// The server ended before it was ready.
    #[error("the server ended with {status} before it was ready; the end of its log:\n{tail}")]
    ServerDied {
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        tail: String,
    },
    /// The server did not become ready.
    #[error(
        "the server was not ready after {} s (`/readyz` 200, and a webhook set or updates asked for); the end of its log:\n{tail}",
        waited.as_secs()
    )]
    NotReady {
        /// How long it was waited for.
        waited: Duration,
        /// The end of its log.
        tail: String,
    },
    /// The bot does not register people.
    #[error("the members could not register before the evening: {0}")]
    Members(String),
    /// Ctrl-C before there was anything to judge.
    #[error("interrupted before the first update")]
    Interrupted,
}

impl RehearsalError {
    fn io(what: &str, source: std::io::Error) -> RehearsalError {
        RehearsalError::Io { what: what.to_owned(), source }
    }
}

/// The rules that a profile is judged by.
pub fn rules(profile: &Profile) -> Rules {
    Rules {
        lanes: profile.tokens,
        per_token_s: (!profile.adaptive).then_some(30),
        names: profile.by_name > 0.0,
        ..Rules::default()
    }
}

/// Holds a rehearsal and judges it. Blocks until everything has stopped.
///
/// # Errors
/// It could not be held: see [`RehearsalError`]. A bad run is no error but a verdict.
pub fn run(options: Options) -> Result<Outcome, RehearsalError> {
    let profile = &options.profile;
    let truth = Truth::generate(profile.records, profile.seed);
    let (plan, wishes) = match &options.plan {
        // A recording holds the presses as they were made.
        Some(plan) => (plan.clone(), Wishes::new()),
        None => scripts(profile, &truth),
    };
    if let Some(path) = &options.record {
        let write = || -> std::io::Result<()> {
            let mut file = BufWriter::new(File::create(path)?);
            replay::write(&replay::Header::of(profile), &plan, &mut file)?;
            file.flush()
        };
        write().map_err(|e| RehearsalError::io(&format!("write {}", path.display()), e))?;
    }
    let ended = match &profile.evening {
        Some(evening) => evening::hold(&options, evening, &truth)?,
        None => stage::hold(&options, &truth, plan, wishes)?,
    };
    let mut log = ended.log;
    let mut unfit = ended.unfit;
    if let Some(bug) = options.plant
        && !bug.plant(&mut log)
    {
        unfit = Some(format!("the log is too small to plant {bug:?} into it"));
    }
    let audit = audit(&log, &truth, &rules(profile));
    let planted = options.plant.map(|bug| format!("{bug:?}"));
    let report =
        report::build(Run { profile, log: &log, audit: &audit, server: ended.server, unfit, planted });
    Ok(Outcome { report, log, truth })
}
