//! What operators and balancers ask over HTTP: health, readiness, statistics, metrics. Reads, never edits.
//!
//! What lives here: [`Pages`], the pages of both listeners, [`AdminService`], which serves them on the admin
//! listener, and the password that opens them on the webhooks' (`key`). The bodies are pure functions in [`bodies`].
//! Nothing here sees a user, a text or a secret but that one.

pub mod bodies;
mod key;
mod pages;
mod process;
mod service;
mod state;

pub use pages::{Audience, Pages};
pub use service::AdminService;
pub use state::State;
