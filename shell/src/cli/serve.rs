//! `nobat serve`.

use super::remedy::with_remedy;
use super::{Done, Failed, Status, World, args};
use crate::config::{Config, Inputs, load};
use crate::disk::DiskError;
use crate::observe::files::Files;
use crate::observe::{log, slow};
use crate::recovery::RecoveryError;
use crate::serve::{End, Orders, ServeError, Start};
use crate::supervisor::upgrade::{Fallback, Program, would_start};
use crate::supervisor::{Notifier, Sockets};
use crate::{say, serve};
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// Runs until a signal asks for the end. Warnings go to the log: nobody watches a service's terminal.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, args: &args::Serve) -> Done {
    if args.trial {
        return trial(world, inputs);
    }
    let program = Arc::new(Program::of_this_process().map_err(Failed::Io)?);
    let mut fallback = Fallback::from_env();
    let orders = Orders::listen().map_err(Failed::Io)?;
    let config = match load(inputs) {
        Ok(config) => config,
        Err(problems) => {
            // Its sockets are where the program before looks for them; which is whose does not matter to it.
            let sockets = Sockets::from_env(NOWHERE).unwrap_or_default();
            fallback.go(&sockets, &problems.to_string());
            return Err(problems.into());
        }
    };
    log::init(config.log.level, config.log.format);
    slow::set(config.log.slow);
    let mut files = open_files(&config)?;
    for warning in &config.warnings {
        say!(Warn, "{warning}");
    }
    for name in &config.names {
        if let Some(says) = name.remark() {
            say!(Warn, "{says}");
        }
    }
    let mut fell_back = fallback.fell_back.take();
    if let Some(why) = &fell_back {
        say!(Error, "the next program did not start, this one goes on: {why}");
    }
    // With one port for all, no socket is the operator's because of its address.
    let admin = if config.admin.on_main.is_some() { NOWHERE } else { config.admin_listen };
    let mut sockets = Sockets::from_env(admin)
        .map_err(|e| Failed::With(Status::NotAsWanted, format!("nobat cannot serve: {e}")))?;
    let notifier = Notifier::from_env();
    loop {
        let start = Start {
            sockets: &mut sockets,
            orders: Arc::clone(&orders),
            notifier: &notifier,
            again: &|| load(inputs),
            program: Arc::clone(&program),
            fell_back: fell_back.clone(),
            serving: &mut || fallback.forget(),
        };
        match serve::run(config.clone(), start) {
            Ok(End::Stopped) => return Ok(Status::Ok),
            Ok(End::Replace(candidate)) => {
                notifier.reloading("another program takes over");
                // What waits to be written would be lost with the thread that writes it.
                drop(files.take());
                let error = program.replace(&candidate, &sockets);
                say!(Error, "the program cannot be replaced, this one goes on: {error}");
                fell_back = Some(error.to_string());
                files = open_files(&config)?;
            }
            Err(error) => {
                let says = told(&error);
                drop(files.take());
                fallback.go(&sockets, &says);
                let status = if of_the_disk(&error) { Status::Io } else { Status::NotAsWanted };
                return Err(Failed::With(status, format!("nobat cannot serve: {says}")));
            }
        }
    }
}

/// The log's files, if there are to be any.
fn open_files(config: &Config) -> Result<Option<Files>, Failed> {
    config.log.files.as_ref().map(Files::open).transpose().map_err(Failed::Io)
}

/// For sockets of which it does not matter whose they are.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Says whether `serve` would start, and changes nothing.
fn trial(world: &mut World<'_>, inputs: &Inputs) -> Done {
    let config = load(inputs)?;
    serve::trial(&config).map_err(|e| Failed::With(Status::NotAsWanted, e.to_string()))?;
    writeln!(world.out, "{}", would_start(&config.data_dir))?;
    Ok(Status::Ok)
}

fn told(error: &ServeError) -> String {
    match error {
        // A full disk has its remedy already.
        ServeError::Disk(e) | ServeError::Recovery(RecoveryError::Disk(e)) if !e.heals() => with_remedy(e),
        error => error.to_string(),
    }
}

/// Is the disk or the journal at the bottom of it?
fn of_the_disk(error: &(dyn Error + 'static)) -> bool {
    error.is::<DiskError>() || error.is::<RecoveryError>() || error.source().is_some_and(of_the_disk)
}
