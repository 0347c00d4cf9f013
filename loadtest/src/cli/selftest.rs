//! `nobat-load selftest`, and the hidden `crooked` that it runs.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::auditor::doctor::Bug;
use crate::auditor::evening::doctor::Bug as EveningBug;
use crate::selftest::{self, Case, crooked, crooked_chat};

/// Flags of `selftest`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The cases of an evening in the chat too, two minutes more.
    #[arg(long)]
    evening: bool,
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let held = std::env::current_exe().and_then(|program| Ok((program, tempfile::tempdir()?)));
        let (program, folder) = match held {
            Ok(held) => held,
            Err(error) => return super::trouble(&error),
        };
        let mut say = |case: &Case| {
            let mark = if case.ok { "ok  " } else { "FAIL" };
            super::put(&format!("{mark} {:<42} {}\n", case.name, case.seen));
        };
        match selftest::run(&program, folder.path(), self.evening, &mut say) {
            Ok(cases) => {
                let missed = cases.iter().filter(|case| !case.ok).count();
                super::put(&format!("{} of {} as wanted\n", cases.len() - missed, cases.len()));
                ExitCode::from(u8::from(missed > 0))
            }
            Err(error) => super::trouble(&error),
        }
    }
}

/// Flags of `crooked`: the server's own command line behind a bug.
#[derive(Debug, clap::Args)]
pub(super) struct Crooked {
    /// The bug it has.
    #[arg(long, value_enum)]
    bug: Option<Bug>,
    /// It is a chat bot.
    #[arg(long)]
    chat: bool,
    /// The bug that the chat bot has.
    #[arg(long, value_enum)]
    chat_bug: Option<EveningBug>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Serve.
    Serve,
    /// Results.
    Results {
        #[command(subcommand)]
        what: Results,
    },
}

#[derive(Debug, clap::Subcommand)]
enum Results {
    /// Import.
    Import {
        file: PathBuf,
        #[arg(long)]
        data_dir: PathBuf,
        /// Taken and not read: it understands names anyway.
        #[arg(long)]
        dataset_config: Option<PathBuf>,
    },
}

impl Crooked {
    pub(super) fn run(self) -> ExitCode {
        let done = match self.what {
            What::Serve if self.chat => crooked_chat::serve(self.chat_bug),
            What::Serve => crooked::serve(self.bug),
            What::Results { what: Results::Import { file, data_dir, .. } } => {
                crooked::import(&file, &data_dir)
            }
        };
        done.map_or_else(|error| super::trouble(&error), |()| ExitCode::SUCCESS)
    }
}
