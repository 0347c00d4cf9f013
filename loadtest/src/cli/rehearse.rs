//! `nobat-load rehearse`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::auditor::doctor::Bug;
use crate::profile::{ADAPTIVE_STUDENTS, DEFAULT_COMPRESS, DEFAULT_STUDENTS, Kind, Profile, parse_duration};
use crate::rehearse::{self, Changes, Options, ServerCommand, output};
use crate::report::summary;
use crate::student::evening::plan::Evening;
use crate::telegram::{Latency, Reach};

/// Flags of `rehearse`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The shape of the day.
    #[arg(long, value_enum, default_value_t = Kind::ResultsDay)]
    profile: Kind,
    /// Squeeze the hour by this factor; 1 is real time.
    #[arg(long, value_name = "N")]
    compress: Option<f64>,
    /// How many students write.
    #[arg(long, value_name = "N", alias = "users")]
    students: Option<u32>,
    /// How many pupils the data set has.
    #[arg(long, value_name = "N")]
    records: Option<usize>,
    /// How many tokens, the main bot included.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    tokens: Option<u16>,
    /// Everything random follows from it.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Which bots may write to a student: all, main-only, or a share such as 0.4.
    #[arg(long)]
    reach: Option<Reach>,
    /// The platform's latency: none, or median and sigma such as lognormal:60ms:0.5.
    #[arg(long)]
    latency: Option<Latency>,
    /// The server learns its rate (AIMD), and the platform does not cap replies.
    #[arg(long)]
    adaptive: bool,
    /// User ids: spread evenly over the lanes, or as they come. The bound is the fullest lane's.
    #[arg(long, value_enum)]
    ids: Option<Ids>,
    /// The server is told no address for webhooks: it asks for updates by long polling.
    #[arg(long)]
    polling: bool,
    /// Share of students who ask by name, 0 to 1.
    #[arg(long, value_name = "SHARE")]
    by_name: Option<f64>,
    /// Kill the server with SIGKILL this many times, at seeded moments, and restart it. An evening in the chat has
    /// one kill in its middle unless told otherwise.
    #[arg(long, value_name = "N")]
    kills: Option<u32>,
    /// Of an evening in the chat: people who are there at once.
    #[arg(long, value_name = "N")]
    chatting: Option<u32>,
    /// Of an evening in the chat: how long it lasts.
    #[arg(long, value_name = "M")]
    minutes: Option<f64>,
    /// Of an evening in the chat: share of messages that are photos, voice and the like, 0 to 1.
    #[arg(long, value_name = "SHARE")]
    media_share: Option<f64>,
    /// Of an evening in the chat: how long a person is silent between two messages, in the mean.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    talk_every: Option<Duration>,
    /// Upgrade the running server this many times (`nobat ctl upgrade`), evenly over the run.
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with_all = ["kills", "kill_every"])]
    upgrades: u32,
    /// Restart it this many times by SIGTERM and a new process, its socket held as systemd holds it.
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with_all = ["polling", "kills", "kill_every"])]
    restarts: u32,
    /// Change its configuration and reload it this many times (`nobat ctl reload`).
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with_all = ["kills", "kill_every"])]
    reloads: u32,
    /// Hold no socket at restarts, as without a service manager: the verdict must be fail.
    #[arg(long, requires = "restarts")]
    clumsy: bool,
    /// Kill it this often instead, such as 10s.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    kill_every: Option<Duration>,
    /// The server's binary. By default it is built when run by cargo, else taken from beside this program.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Where the report and the server's log go.
    #[arg(long, value_name = "DIR", default_value = "rehearsal")]
    out: PathBuf,
    /// Write the JSON report here too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the schedule as a recording for `replay`.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write every wire event here, one a line, to look into a finding.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Put a bug into the log before it is judged: the verdict must become fail.
    #[arg(long, value_enum)]
    plant: Option<Bug>,
    /// How long nothing may move before what is owed counts as lost.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "30s")]
    patience: Duration,
    /// Show nothing while it runs.
    #[arg(long)]
    quiet: bool,
}

/// How user ids lie over the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Ids {
    /// As many on each lane.
    Even,
    /// Drawn at random.
    Random,
}

const EXAMPLES: &str = "\
Examples:
  nobat-load rehearse                                the day in 3 minutes: 16,700 students, hour / 30
  nobat-load rehearse --compress 10                  50,000 students in 6 minutes
  nobat-load rehearse --compress 1                   the full hour
  nobat-load rehearse --profile burst-510            25,500 replies owed at once
  nobat-load rehearse --profile burst-510 --latency lognormal:60ms:0.5
  nobat-load rehearse --profile burst-510 --users 100000 --records 700000 --ids random
  nobat-load rehearse --profile release              before the hour, and at it
  nobat-load rehearse --profile smoke --by-name 0.7 --records 60000
  nobat-load rehearse --profile smoke --kills 3      with three SIGKILLs
  nobat-load rehearse --profile smoke --upgrades 5 --restarts 5 --reloads 5
  nobat-load rehearse --profile smoke --polling      updates by long polling instead of webhooks
  nobat-load rehearse --profile chat-evening         strangers talk, a kill in the middle
  nobat-load rehearse --profile chat-evening --users 50000 --chatting 10000 --minutes 5
  nobat-load rehearse --profile smoke --plant swapped-recipient    the verdict must be fail

Exit status: 0 passed, 1 failed, 2 invalid.";

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let profile = self.profile();
        if !self.quiet {
            eprintln!("{}", introduce(&profile, self.compress.is_none() && self.students.is_none()));
        }
        let mut say = |line: &str| {
            if !self.quiet {
                eprintln!("{line}");
            }
        };
        let server = match &self.server {
            Some(path) => Ok(ServerCommand::at(absolute(path))),
            None => ServerCommand::find(&mut say),
        };
        let server = match server {
            Ok(server) => server,
            Err(error) => return super::trouble(&error),
        };
        let (kills, changes) = (self.kills(), self.changes());
        let options = Options {
            profile,
            plan: None,
            server,
            folder: self.out,
            kills,
            changes,
            plant: self.plant,
            record: self.record,
            trace: self.trace,
            patience: self.patience,
            quiet: self.quiet,
        };
        finish(options, self.json)
    }

    fn profile(&self) -> Profile {
        let mut profile = self.profile.profile();
        let day_without_arguments =
            self.profile == Kind::ResultsDay && self.compress.is_none() && self.students.is_none();
        if day_without_arguments {
            profile.compress = DEFAULT_COMPRESS;
            profile.students = DEFAULT_STUDENTS;
        }
        // The rate is learned within seconds: enough students that the mean tells of what was learned.
        if self.adaptive && self.profile == Kind::ReachMainOnly {
            profile.students = ADAPTIVE_STUDENTS;
        }
        profile.compress = self.compress.unwrap_or(profile.compress);
        profile.students = self.students.unwrap_or(profile.students);
        profile.records = self.records.unwrap_or(profile.records);
        profile.tokens = self.tokens.map_or(profile.tokens, usize::from);
        profile.seed = self.seed;
        profile.reach = self.reach.unwrap_or(profile.reach);
        profile.latency = self.latency.unwrap_or(profile.latency);
        profile.adaptive = self.adaptive;
        profile.random_ids = self.ids.map_or(profile.random_ids, |ids| ids == Ids::Random);
        profile.polling = self.polling;
        profile.by_name = self.by_name.unwrap_or(profile.by_name);
        profile.kill_every = self.kill_every;
        profile.evening = profile.evening.map(|evening| self.evening(evening, &profile));
        profile.settle_bars(self.kills() > 0 || self.changes().count() > 0);
        profile
    }

    fn changes(&self) -> Changes {
        let Args { upgrades, restarts, reloads, clumsy, .. } = *self;
        Changes { upgrades, restarts, reloads, clumsy }
    }

    fn kills(&self) -> u32 {
        let usual = self.profile == Kind::ChatEvening && self.changes().count() == 0;
        self.kills.unwrap_or(u32::from(usual))
    }

    fn evening(&self, usual: Evening, profile: &Profile) -> Evening {
        let chatting = self.chatting.unwrap_or(usual.chatting);
        let length =
            self.minutes.map_or(usual.length, |minutes| Duration::from_secs_f64(minutes.max(0.2) * 60.0));
        let mut evening = Evening::new(profile.students, chatting, length, profile.tokens, profile.seed);
        evening.media = self.media_share.unwrap_or(evening.media).clamp(0.0, 1.0);
        evening.talk_every = self.talk_every.unwrap_or(evening.talk_every);
        evening
    }
}

/// Holds the rehearsal, writes its report, and makes the verdict the exit status.
pub(super) fn finish(options: Options, json: Option<PathBuf>) -> ExitCode {
    let folder = options.folder.clone();
    let outcome = match rehearse::run(options) {
        Ok(outcome) => outcome,
        Err(error) => return super::trouble(&error),
    };
    let written = output::write(&outcome.report, &folder, json.as_deref());
    super::put(&summary(&outcome.report, std::io::stdout().is_terminal()));
    let mut paths = match written {
        Ok(paths) => paths,
        Err(error) => return super::trouble(&format_args!("cannot write the report: {error}")),
    };
    paths.push(folder.join("server.log"));
    let paths: Vec<String> = paths.iter().map(|path| format!("  {}\n", path.display())).collect();
    super::put(&format!("\n{}", paths.concat()));
    ExitCode::from(outcome.report.verdict.exit_status())
}

/// What is about to happen, in a line or two.
fn introduce(profile: &Profile, by_default: bool) -> String {
    let mut line = format!("rehearsing {}: {} students", profile.kind.name(), profile.students);
    if let Some(evening) = &profile.evening {
        let length = evening.length.as_secs_f64();
        return format!("{line}, {} of them there at once, for {length:.0} s", evening.chatting);
    }
    if !profile.kind.is_burst() {
        let hour = profile.hour().as_secs_f64();
        line += &format!(", the hour in {hour:.0} s");
    }
    if by_default && profile.kind == Kind::ResultsDay {
        line += "\n(a compressed day with the load, relative to 510 messages a second, of 50,000 students at \
                 --compress 10; the full hour is --compress 1)";
    }
    line
}

/// The server runs in a directory of its own, so a relative path would not be found there.
pub(super) fn absolute(path: &std::path::Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
