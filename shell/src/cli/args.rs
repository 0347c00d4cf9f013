//! The grammar of the command line.

use crate::config::{Flag, Inputs, Secret, keys};
use crate::ctl::Request;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Carries a chat bot through the worst hour of its year.
#[derive(Parser, Debug)]
#[command(name = "nobat", version, propagate_version = true, after_help = AFTER)]
pub struct Args {
    /// The configuration file; without it `nobat.toml`, if there is one
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the journal and the data sets live
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// The least that is logged: error, warn, info, debug
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const AFTER: &str = "Exit status: 0 all is as wanted, 1 something is not, 2 the command line or configuration is \
                     wrong, 69 the platform cannot be reached, 74 the disk or the journal.\n\
                     Configuration: docs/configuration.md; running it: docs/operators.md.";

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the bot
    Serve(Serve),
    /// Read the configuration and say what it amounts to
    Check(Check),
    /// Ask the platform and the disk whether it will work
    Doctor(Doctor),
    /// Set up, verify, show or remove the webhooks
    #[command(subcommand)]
    Webhook(Webhook),
    /// Bring lists of results in
    #[command(subcommand)]
    Results(Results),
    /// Bring users of another chat bot in
    #[command(subcommand)]
    Chat(Chat),
    /// Write users, payments and the like as CSV or JSON lines
    Export(Export),
    /// Copy everything, also while the bot runs, and open the copy to see that it works
    Backup(Backup),
    /// Make a data directory of a backup
    Restore(Restore),
    /// Keep tokens and keys sealed, for the configuration to name as secret:NAME
    #[command(subcommand)]
    Secrets(Secrets),
    /// Ask the running process, or tell it what to do
    Ctl(Ctl),
    /// Watch the running process: rates, queue, lanes, latencies, warnings; `q` ends it
    Top(Top),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual's page, or write all of them
    Man(Man),
    /// Look into the journal; changes nothing
    #[command(subcommand)]
    Journal(Journal),
    /// Look into the snapshots; changes nothing
    #[command(subcommand)]
    Snapshot(Snapshot),
}

/// `nobat serve`
#[derive(clap::Args, Debug)]
pub struct Serve {
    /// Where webhooks arrive, host:port
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Where /metrics and the full /stats are served, host:port
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<String>,
    /// Only say whether it would start; what `nobat ctl upgrade` asks the next program
    #[arg(long, hide = true)]
    pub trial: bool,
}

/// `nobat check`
#[derive(clap::Args, Debug)]
pub struct Check {
    /// Show the defaults as well
    #[arg(long)]
    pub all: bool,
}

/// `nobat doctor`
#[derive(clap::Args, Debug)]
pub struct Doctor {
    /// Do not ask the platform
    #[arg(long)]
    pub offline: bool,
}

/// `nobat ctl ...`
#[derive(clap::Args, Debug)]
pub struct Ctl {
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to ask
    #[command(subcommand)]
    pub ask: Ask,
}

/// `nobat top`
#[derive(clap::Args, Debug)]
pub struct Top {
    /// One screen, after one interval, for a pipe or a report
    #[arg(long)]
    pub once: bool,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=60))]
    pub every: u8,
}

/// `nobat completions`
#[derive(clap::Args, Debug)]
pub struct Completions {
    /// Which shell
    pub shell: clap_complete::Shell,
}

/// `nobat man`
#[derive(clap::Args, Debug)]
pub struct Man {
    /// Write a page for each command here
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// What `nobat ctl` asks.
#[derive(Subcommand, Debug)]
pub enum Ask {
    /// Say what it is about, with all numbers
    Status,
    /// Show each lane
    Lanes,
    /// Send nothing through a lane; what waits for it waits
    Pause {
        /// Its number
        lane: u16,
    },
    /// Let a paused lane go on
    Resume {
        /// Its number
        lane: u16,
    },
    /// Take no update any more (503, /readyz 503) and send what waits; then wait for `undrain`
    Drain {
        /// End the process once nothing waits, as SIGUSR2 does
        #[arg(long)]
        then_stop: bool,
    },
    /// Take updates again
    Undrain,
    /// Read the configuration again, as SIGHUP does; it is used whole or refused whole
    Reload,
    /// Open the log's files anew, as SIGUSR1 does
    ReopenLogs,
    /// Restart, or put another program in place, without refusing a connection or losing an update
    Upgrade {
        /// The program; without it what now lies where the running one lay
        #[arg(long, value_name = "FILE")]
        binary: Option<PathBuf>,
    },
    /// Add a bot: its token is read from standard input, the process restarts itself as in an upgrade
    AddToken,
    /// End in order, as SIGTERM does
    Stop,
    /// Say what an internal error was, by the code that a user was shown
    Error {
        /// The code, such as K7PMRT
        code: String,
    },
    /// Print everything that helps to find out what is wrong; no secret is in it
    Dump,
}

impl Ask {
    /// As it goes over the socket; `token` is what standard input holds where one is to be added.
    #[must_use]
    pub fn request(&self, token: Option<Secret>) -> Request {
        match self {
            Self::AddToken => Request::AddToken(token.unwrap_or_else(|| Secret::new(String::new()))),
            Self::Status | Self::Lanes => Request::Status,
            Self::Pause { lane } => Request::Pause(*lane),
            Self::Resume { lane } => Request::Resume(*lane),
            Self::Drain { then_stop } => Request::Drain(*then_stop),
            Self::Undrain => Request::Undrain,
            Self::Reload => Request::Reload,
            Self::ReopenLogs => Request::ReopenLogs,
            // Relative to where the command is given, not to where the process was started.
            Self::Upgrade { binary } => Request::Upgrade(
                binary.as_ref().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone())),
            ),
            Self::Error { code } => Request::Error(code.clone()),
            Self::Stop => Request::Stop,
            Self::Dump => Request::Dump,
        }
    }
}

/// `nobat webhook ...`
#[derive(Subcommand, Debug)]
pub enum Webhook {
    /// Register every bot whose updates must be seen, and clear the others
    Setup {
        /// Where updates are to arrive, such as https://bot.example; without it `webhook.url`
        url: Option<String>,
        /// Make a certificate for that host and give it to the platform: for who has no domain, or no authority's
        /// certificate. `nobat serve` uses it from then on
        #[arg(long)]
        self_signed: bool,
    },
    /// Compare what is registered with what should be; changes nothing
    Verify {
        /// Where updates should arrive; without it `webhook.url`
        url: Option<String>,
    },
    /// Show what the platform knows of each bot
    Info,
    /// Remove all webhooks; waiting updates stay with the platform
    Clear,
}

/// `nobat export`
#[derive(clap::Args, Debug)]
pub struct Export {
    /// Which table: users, payments, subscriptions or audit (docs/records.md)
    pub table: String,
    /// How rows look
    #[arg(long, value_enum, default_value_t = ExportFormat::Csv)]
    pub format: ExportFormat,
    /// Only rows dated then or later, such as 2026-11-01 or 2026-11-01T09:00:00+03:00; rows without a date
    /// always
    #[arg(long, value_name = "INSTANT")]
    pub since: Option<String>,
    /// Into this file, readable by its owner alone, once it is whole; without it to the output
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Read the journal and its newest snapshot instead of the database: dates and audit lines before that
    /// snapshot are not known there. Without it so only where records are off
    #[arg(long)]
    pub from_journal: bool,
}

/// How exported rows look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum ExportFormat {
    /// Comma-separated, with a line of names
    Csv,
    /// One JSON object a line
    Jsonl,
}

/// `nobat backup`
#[derive(clap::Args, Debug)]
pub struct Backup {
    /// The folder that it goes into, as nobat-<time>; without it `backup.to`
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    pub to: Option<PathBuf>,
    /// Make none; open this one to see whether it still works
    #[arg(long, value_name = "BACKUP")]
    pub check: Option<PathBuf>,
}

/// `nobat restore`
#[derive(clap::Args, Debug)]
pub struct Restore {
    /// The backup, a folder nobat-<time>. It becomes the data directory (--data-dir), which must be empty or not
    /// there
    #[arg(long, value_name = "BACKUP")]
    pub from: PathBuf,
}

/// `nobat secrets ...`
#[derive(Subcommand, Debug)]
pub enum Secrets {
    /// Make a new key
    Key {
        /// Into this file, readable by its owner alone; without it to the output
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Seal a secret: typed without being shown, or from the input
    Set {
        /// Its name: a to z, 0 to 9, `.`, `_` and `-`
        name: String,
    },
    /// Show the names, and whether each opens; never a secret
    List,
    /// Forget a secret
    Remove {
        /// Its name
        name: String,
    },
    /// Seal everything under a new key: makes one where secrets.key_file is set, else takes the first of
    /// NOBAT_SECRETS_KEY
    Rotate,
}

/// `nobat results ...`
#[derive(Subcommand, Debug)]
pub enum Results {
    /// Read a whole list, and put it in the place of the data set if every row is good
    Import(Import),
}

/// `nobat results import`
#[derive(clap::Args, Debug)]
pub struct Import {
    /// A text file (comma, semicolon or tab), or an SQLite file (.db, .sqlite, .sqlite3). Without it
    /// `SQLITE_DB_PATH` or `POSTGRES_URI` is read
    pub file: Option<PathBuf>,
    /// What columns, subjects and words of the list mean (TOML); without it they are told from their names
    #[arg(long, value_name = "FILE")]
    pub dataset_config: Option<PathBuf>,
    /// The table of a database that has several
    #[arg(long, conflicts_with = "query")]
    pub table: Option<String>,
    /// What to ask a database
    #[arg(long, value_name = "SQL")]
    pub query: Option<String>,
    /// Read this table of the project at `SUPABASE_URL`
    #[arg(long, value_name = "TABLE", conflicts_with_all = ["file", "table", "query"])]
    pub supabase: Option<String>,
    /// Write the data set here; without it `results.dataset`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `nobat chat ...`
#[derive(Subcommand, Debug)]
pub enum Chat {
    /// Take over users with gender, age, VIP time, credits, referrals and bans; the same again changes nothing
    Import(PeopleImport),
}

/// `nobat chat import`
#[derive(clap::Args, Debug)]
pub struct PeopleImport {
    /// A text file (comma, semicolon or tab), or an SQLite file (.db, .sqlite, .sqlite3). Without it
    /// `SQLITE_DB_PATH` or `POSTGRES_URI` is read
    pub file: Option<PathBuf>,
    /// The table of a database that has several
    #[arg(long, conflicts_with = "query")]
    pub table: Option<String>,
    /// What to ask a database
    #[arg(long, value_name = "SQL")]
    pub query: Option<String>,
    /// Read and judge the list, and import nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Leave rows out that are wrong, and say each; without it one wrong row refuses all
    #[arg(long)]
    pub skip_bad: bool,
}

/// `nobat journal ...`
#[derive(Subcommand, Debug)]
pub enum Journal {
    /// Check every frame
    Verify,
    /// Print every frame, a line each
    Dump,
    /// Copy what a damaged journal still holds into another directory, and say what is lost; the damaged one
    /// is left as it is
    Repair {
        /// Where the copy goes: a new or empty directory
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
}

/// `nobat snapshot ...`
#[derive(Subcommand, Debug)]
pub enum Snapshot {
    /// Check every snapshot and say what it holds
    Inspect,
}

impl Args {
    /// What the configuration is made from.
    #[must_use]
    pub fn inputs(&self, env: Vec<(String, String)>, dir: PathBuf) -> Inputs {
        let (listen, admin_listen) = match &self.command {
            Command::Serve(serve) => (serve.listen.clone(), serve.admin_listen.clone()),
            _ => (None, None),
        };
        let flags = [
            (keys::DATA_DIR, "--data-dir", self.data_dir.clone()),
            (keys::LOG_LEVEL, "--log-level", self.log_level.clone()),
            (keys::LISTEN, "--listen", listen),
            (keys::ADMIN_LISTEN, "--admin-listen", admin_listen),
        ];
        let given =
            flags.into_iter().filter_map(|(key, name, value)| Some(Flag { key, name, value: value? }));
        Inputs { config: self.config.clone(), dir, env, flags: given.collect() }
    }
}
