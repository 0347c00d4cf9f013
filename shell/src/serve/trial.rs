//! Would this program start? Everything of a start that can fail without touching anything.
//!
//! What lives here: [`trial`], which the program that is to be replaced runs in a child. The data directory is in use
//! then, so the journal is not replayed: a program that fails at that gives its place back.

use super::dataset::DatasetFile;
use super::{ServeError, spec};
use crate::clock::Clock;
use crate::config::{Config, Kind};
use nobat_bots::results::Shelf;
use std::sync::Arc;

/// Reads what the configuration names, and builds what is built from it.
///
/// # Errors
/// What would keep `serve` from starting.
pub fn trial(config: &Config) -> Result<(), ServeError> {
    spec::server_tls(config, Clock::start().now().wall)?;
    if config.kind == Kind::Results {
        DatasetFile::prepare(config.results.dataset.as_deref()).map_err(ServeError::Config)?;
    }
    spec::engine_kind(config, Arc::new(Shelf::default()))?;
    spec::outbound(config, 0, true)?;
    Ok(())
}
