//! `nobat-load replay` and `nobat-load record`.

use std::fs::{File, OpenOptions};
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::rehearse::{absolute, finish};
use crate::profile::Planned;
use crate::rehearse::{Changes, Options, ServerCommand};
use crate::replay::{proxy, read};

/// Flags of `replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  nobat-load rehearse --profile smoke --record smoke.jsonl
  nobat-load replay smoke.jsonl --speed 2")]
pub(super) struct Args {
    /// A recording, as `record` and `rehearse --record` write it.
    file: PathBuf,
    /// How many times as fast as it was recorded.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    speed: f64,
    /// Pupils of the data set, where the recording does not say.
    #[arg(long, value_name = "N")]
    records: Option<usize>,
    /// The server's binary. By default it is built when run by cargo, else taken from beside this program.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Where the report and the server's log go.
    #[arg(long, value_name = "DIR", default_value = "rehearsal")]
    out: PathBuf,
    /// Write the JSON report here too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show nothing while it runs.
    #[arg(long)]
    quiet: bool,
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let recording = File::open(&self.file).map_err(Into::into);
        let (header, plan) = match recording.and_then(|file| read(BufReader::new(file), self.speed)) {
            Ok(recording) => recording,
            Err(error) => return super::trouble(&format_args!("{}: {error}", self.file.display())),
        };
        let mut profile = header.profile(self.speed, users(&plan));
        profile.records = self.records.unwrap_or(profile.records);
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
        let options = Options {
            profile,
            plan: Some(plan),
            server,
            folder: self.out,
            kills: 0,
            changes: Changes::default(),
            plant: None,
            record: None,
            trace: None,
            patience: Duration::from_secs(30),
            quiet: self.quiet,
        };
        finish(options, self.json)
    }
}

fn users(plan: &[Planned]) -> u32 {
    let users: std::collections::HashSet<u64> = plan.iter().map(|planned| planned.user).collect();
    u32::try_from(users.len()).unwrap_or(u32::MAX)
}

/// Flags of `record`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: nobat-load record --listen 127.0.0.1:8080 --forward 127.0.0.1:3000 day.jsonl
Point the proxy in front at --listen instead of at the server. The file holds what people wrote."
)]
pub(super) struct Record {
    /// Where to write it; must not exist yet.
    file: PathBuf,
    /// Where updates arrive.
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The server they are handed on to.
    #[arg(long, value_name = "ADDRESS")]
    forward: SocketAddr,
}

impl Record {
    pub(super) fn run(self) -> ExitCode {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // What people wrote is nobody else's to read.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = match options.open(&self.file) {
            Ok(file) => file,
            Err(error) => {
                return super::trouble(&format_args!("cannot write {}: {error}", self.file.display()));
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let recorded = runtime.and_then(|runtime| {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind(self.listen).await?;
                eprintln!("recording on {}, handing on to {}; Ctrl-C ends it", self.listen, self.forward);
                tokio::select! {
                    ended = proxy::record(listener, self.forward, file) => ended,
                    _ = tokio::signal::ctrl_c() => Ok(()),
                }
            })
        });
        recorded.map_or_else(|error| super::trouble(&error), |()| ExitCode::SUCCESS)
    }
}
