//! The composition root: the one file that sees every room.

use crate::config::Config;

/// Why the process could not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Something in the configuration that only shows when it is used.
    #[error("{0}")]
    Config(String),
}

/// Serves until a signal asks for the end.
///
/// # Errors
/// [`ServeError`], before anything was acknowledged.
pub fn run(config: &Config) -> Result<(), ServeError> {
    Err(ServeError::Config(format!("the {} bot is not wired to the engine yet", config.kind.name())))
}
