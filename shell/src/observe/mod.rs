//! Metrics, logs, and what keeps secrets out of both. Every name is a constant; no user id in a label.
//!
//! What lives here: [`Secret`] and [`scrub()`], the logger ([`log`]), the metrics ([`names`], [`Registry`]) and
//! their text form. Every room may call it; it calls none.

pub mod exposition;
pub mod files;
pub mod histogram;
pub mod incident;
pub mod log;
pub mod names;
mod registry;
pub mod rfc3339;
mod sampler;
mod scrub;
mod secret;
pub mod slow;

pub use files::Topic;
pub use histogram::Histogram;
pub use registry::Registry;
pub use sampler::Sampler;
pub use scrub::scrub;
pub use secret::Secret;
