//! `nobat serve`.

use super::remedy::with_remedy;
use super::{Done, Failed, Status};
use crate::config::{Inputs, load};
use crate::disk::DiskError;
use crate::observe::log;
use crate::recovery::RecoveryError;
use crate::serve::ServeError;
use crate::{say, serve};
use std::error::Error;

/// Runs until a signal asks for the end. Warnings go to the log: nobody watches a service's terminal.
pub(super) fn run(inputs: &Inputs) -> Done {
    let config = load(inputs)?;
    log::init(config.log.level, config.log.format);
    for warning in &config.warnings {
        say!(Warn, "{warning}");
    }
    for name in &config.names {
        if let Some(says) = name.remark() {
            say!(Warn, "{says}");
        }
    }
    match serve::run(&config) {
        Ok(()) => Ok(Status::Ok),
        Err(error) => {
            let status = if of_the_disk(&error) { Status::Io } else { Status::NotAsWanted };
            let says = match &error {
                // A full disk has its remedy already.
                ServeError::Disk(e) | ServeError::Recovery(RecoveryError::Disk(e)) if !e.heals() => {
                    with_remedy(e)
                }
                error => error.to_string(),
            };
            Err(Failed::With(status, format!("nobat cannot serve: {says}")))
        }
    }
}

/// Is the disk or the journal at the bottom of it?
fn of_the_disk(error: &(dyn Error + 'static)) -> bool {
    error.is::<DiskError>() || error.is::<RecoveryError>() || error.source().is_some_and(of_the_disk)
}
