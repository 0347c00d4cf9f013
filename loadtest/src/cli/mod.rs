//! The command line of `nobat-load`: one room a subcommand.

mod emulate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Plays a whole results day against a bot server on this machine, and judges what happened.
#[derive(Parser)]
#[command(name = "nobat-load", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an emulated Telegram Bot API server alone
    Emulate(emulate::Args),
}

/// Parses the arguments and runs the subcommand.
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Emulate(args) => emulate::run(args),
    }
}
