//! What operators and balancers ask over HTTP: health, readiness, statistics, metrics. Reads, never edits.
//!
//! What lives here: [`Pages`], the pages of both listeners, and [`AdminService`], which serves them on the
//! admin listener. The bodies are pure functions in [`bodies`]. Nothing here sees a user, a text or a
//! secret.

pub mod bodies;
mod pages;
mod process;
mod service;
mod state;

pub use pages::{Audience, Pages};
pub use service::AdminService;
pub use state::State;
