//! The command line: one file a subcommand.
//!
//! What lives here: the grammar ([`args`]), [`run`], which dispatches, and [`Status`], what the process
//! exits with. A command writes to `out` what was asked for, and to `err` why it could not. `main.rs` calls
//! it; tests call it with a platform in memory.

pub mod args;
mod backup;
mod chat;
mod check;
mod ctl;
mod doctor;
mod export;
mod journal;
mod manual;
mod remedy;
mod results;
mod secrets;
mod serve;
mod top;
mod webhook;

use crate::channel::telegram::Api;
use crate::config::{Config, Inputs, Problems, load, load_without_tokens};
use args::{Args, Command};
use clap::Parser as _;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

/// What the process exits with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Status {
    /// Done, and all is as wanted.
    Ok = 0,
    /// Something is not as wanted.
    NotAsWanted = 1,
    /// The command line or the configuration is wrong; nothing was touched.
    Usage = 2,
    /// The platform cannot be reached (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// The disk cannot be read or written, or the journal is damaged (`EX_IOERR`).
    Io = 74,
}

/// What a command sees of the world.
pub struct World<'w> {
    /// The process's environment.
    pub env: Vec<(String, String)>,
    /// Where the program was started.
    pub dir: PathBuf,
    /// What was asked for.
    pub out: &'w mut dyn Write,
    /// Why it could not be done.
    pub err: &'w mut dyn Write,
    /// Connects to the platform of a configuration.
    pub connect: &'w dyn Fn(&Config) -> Box<dyn Api>,
}

/// Why a command ended early.
enum Failed {
    /// The configuration is wrong.
    Config(Problems),
    /// `out` is gone, or a file; what and where.
    Io(io::Error),
    /// Anything else, in a sentence.
    With(Status, String),
}

impl From<Problems> for Failed {
    fn from(problems: Problems) -> Self {
        Self::Config(problems)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

type Done = Result<Status, Failed>;

/// Runs the command that `argv` names, the program's name first.
pub fn run(world: &mut World<'_>, argv: impl IntoIterator<Item = OsString>) -> Status {
    let args = match Args::try_parse_from(argv) {
        Ok(args) => args,
        Err(told) => {
            // `--help` and `--version` come here too, and are no mistake.
            let to = if told.use_stderr() { &mut world.err } else { &mut world.out };
            let _ = write!(to, "{}", told.render());
            return if told.use_stderr() { Status::Usage } else { Status::Ok };
        }
    };
    let inputs = args.inputs(world.env.clone(), world.dir.clone());
    let done = match &args.command {
        Command::Serve(args) => serve::run(world, &inputs, args),
        Command::Check(check) => check::run(world, &inputs, check),
        Command::Doctor(doctor) => doctor::run(world, &inputs, doctor),
        Command::Webhook(webhook) => webhook::run(world, &inputs, webhook),
        Command::Results(results) => results::run(world, &inputs, results),
        Command::Chat(chat) => chat::run(world, &inputs, chat),
        Command::Journal(journal) => journal::run(world, &inputs, journal),
        Command::Completions(args) => manual::completions(world, args),
        Command::Man(args) => manual::man(world, args),
        Command::Top(args) => top::run(world, &inputs, args),
        Command::Ctl(args) => ctl::run(world, &inputs, args),
        Command::Backup(args) => backup::run(world, &inputs, args),
        Command::Restore(args) => backup::restore(world, &inputs, args),
        Command::Secrets(command) => secrets::run(world, &inputs, command),
        Command::Export(args) => export::run(world, &inputs, args),
        Command::Snapshot(snapshot) => journal::snapshots(world, &inputs, snapshot),
    };
    // There is nowhere left to say that `err` is gone.
    match done {
        Ok(status) => status,
        Err(Failed::Config(problems)) => {
            let _ = writeln!(world.err, "{problems}");
            Status::Usage
        }
        // `nobat journal dump | head` ends like that, and nothing is wrong.
        Err(Failed::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Status::Ok,
        Err(Failed::Io(error)) => {
            let _ = writeln!(world.err, "{error}");
            Status::Io
        }
        Err(Failed::With(status, why)) => {
            let _ = writeln!(world.err, "{why}");
            status
        }
    }
}

/// The whole configuration, with its warnings told.
fn configured(world: &mut World<'_>, inputs: &Inputs) -> Result<Config, Failed> {
    warned(world, load(inputs)?)
}

/// The same for what is in the data directory, with or without tokens.
fn stored(world: &mut World<'_>, inputs: &Inputs) -> Result<Config, Failed> {
    warned(world, load_without_tokens(inputs)?)
}

fn warned(world: &mut World<'_>, config: Config) -> Result<Config, Failed> {
    for warning in &config.warnings {
        writeln!(world.err, "warning: {warning}")?;
    }
    Ok(config)
}
