//! `nobat-load torture`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::rehearse::absolute;
use crate::rehearse::ServerCommand;
use crate::rehearse::torture::{self, Load, Options};

/// Flags of `torture`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  nobat-load torture --kills 40                 about a minute
  nobat-load torture --kills 1000 --seed 7      about 20 minutes
  nobat-load torture --load chat                people who meet, talk and pay

Exit status: 0 passed, 1 failed, 2 it could not be held, or proves nothing.")]
pub(super) struct Args {
    /// Kill the server with SIGKILL this many times.
    #[arg(long, value_name = "N", default_value_t = 40)]
    kills: u32,
    /// What the server is loaded with.
    #[arg(long, value_enum, value_name = "LOAD", default_value = "results")]
    load: Load,
    /// Everything random but the machine's own timing follows from it.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The server's binary. By default it is built when run by cargo, else taken from beside this program.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Where the server's log goes.
    #[arg(long, value_name = "DIR", default_value = "torture")]
    out: PathBuf,
    /// Write the verdict here as JSON too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show nothing while it runs.
    #[arg(long)]
    quiet: bool,
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let server = match &self.server {
            Some(path) => Ok(ServerCommand::at(absolute(path))),
            None => ServerCommand::find(&mut |line| eprintln!("{line}")),
        };
        let server = match server {
            Ok(server) => server,
            Err(error) => return super::trouble(&error),
        };
        let Args { kills, load, seed, out: folder, quiet, .. } = self;
        let options = Options { kills, load, seed, server, folder, quiet };
        let verdict = match torture::run(&options) {
            Ok(verdict) => verdict,
            Err(error) => return super::trouble(&error),
        };
        super::put(&verdict.text());
        if let Some(path) = &self.json {
            let written = serde_json::to_vec_pretty(&verdict).map_err(std::io::Error::other);
            if let Err(error) = written.and_then(|bytes| std::fs::write(path, bytes)) {
                return super::trouble(&format_args!("cannot write {}: {error}", path.display()));
            }
        }
        ExitCode::from(match (verdict.pass, verdict.valid) {
            (false, _) => 1,
            (true, true) => 0,
            (true, false) => 2,
        })
    }
}
