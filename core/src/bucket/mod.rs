//! Token buckets: GCRA on one word, a keyed store of them, and the lane's window.
//!
//! What lives here: [`Rate`] (the arithmetic, pure), [`Gcra`] (one bucket many threads may share),
//! [`Keyed`] (many buckets of one owner: chats, users) and [`Window`] (a lane's own tokens, one owner).
//! Anything above may call it. It must not read a clock, wait, or queue anybody: it says yes, or *when*.
//!
//! GCRA keeps one number, the theoretical arrival time (TAT): the instant at which the bucket would be
//! full again (ITU-T I.371, "virtual scheduling"). A refusal computes the instant of the yes from it, so
//! that nobody has to poll.

mod gcra;
mod keyed;
mod window;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;

pub use gcra::{Gcra, Rate};
pub use keyed::Keyed;
pub use window::Window;

use crate::time::Nanos;

/// A refusal that says when to come back. Before this instant the answer stays no; at it, the answer is
/// yes unless somebody else took the token first. [`Nanos::NEVER`] means: when something else happens
/// (for a [`Window`], an answer), not when time passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not before {0:?}")]
pub struct NotBefore(pub Nanos);
