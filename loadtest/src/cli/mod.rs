//! The command line of `nobat-load`: one room a subcommand.
//!
//! Exit status: 0 passed, 1 failed, 2 invalid (the run says nothing about the server, or could not be held).

mod compare;
mod dataset;
mod emulate;
mod peers;
mod rehearse;
mod replay;
mod selftest;
mod torture;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Plays a whole results day against a bot server on this machine, and judges what happened.
#[derive(Parser)]
#[command(name = "nobat-load", version, max_term_width = 100, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "\
Exit status: 0 passed, 1 failed, 2 invalid (the generator lagged, it was interrupted, or could not be held).";

#[derive(Subcommand)]
enum Command {
    /// Play a whole results day on this machine against `nobat serve` as its own process
    Rehearse(rehearse::Args),
    /// Kill the server again and again under load and judge what it lost
    Torture(torture::Args),
    /// Run an emulated Telegram Bot API server alone
    Emulate(emulate::Args),
    /// Set two reports side by side
    Compare(compare::Args),
    /// Write a synthetic results data set as CSV
    Dataset(dataset::Args),
    /// Play a recording again, at its own or another speed
    Replay(replay::Args),
    /// Record what users do, in front of a running server
    Record(replay::Record),
    /// Drain the same bursts with the usual bot libraries, beside Nobat in the same run
    Peers(peers::Args),
    /// Prove that the auditor catches planted bugs
    Selftest(selftest::Args),
    /// The crooked server of the self-test
    #[command(hide = true)]
    Crooked(selftest::Crooked),
}

/// Parses the arguments and runs the subcommand.
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Rehearse(args) => args.run(),
        Command::Torture(args) => args.run(),
        Command::Emulate(args) => emulate::run(args),
        Command::Compare(args) => args.run(),
        Command::Dataset(args) => args.run(),
        Command::Replay(args) => args.run(),
        Command::Record(args) => args.run(),
        Command::Peers(args) => args.run(),
        Command::Selftest(args) => args.run(),
        Command::Crooked(args) => args.run(),
    }
}

/// Writes to the standard output. A reader that has gone away (`| head`) changes no verdict.
fn put(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Says what went wrong; the status of a run that could not be held.
fn trouble(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}
