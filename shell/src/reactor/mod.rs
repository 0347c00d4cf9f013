//! The server's loop on mio: read all, decide all, commit once, write all.
//!
//! What lives here: [`Reactor`], one a thread, which owns its listeners and connections, and the contract
//! [`Service`] between it and what it serves. `webhook` and `admin` are its services. It knows nothing of
//! updates or users, and it does not decide anything about a request beyond HTTP itself.
//!
//! One turn:
//!
//! ```text
//! poll -> accept, read, parse, Service::call ... -> Service::settle -> answers in order -> write -> timers
//! ```
//!
//! Invariants:
//! - answers leave a connection in the order of its requests, whenever they were given;
//! - a connection without bytes in flight holds no buffer;
//! - after a turn no deadline lies in the past, so an idle reactor sleeps.

mod accept;
mod answers;
pub(crate) mod buffer;
mod config;
mod conn;
mod intake;
mod run;
mod service;
mod stats;
pub(crate) mod timer;

pub use accept::{bind, bind_std};
pub use config::ReactorConfig;
pub use run::Reactor;
pub use service::{Answer, Deferred, Peer, ReplyToken, Service, Turn};
pub use stats::{Stats, StatsView};

#[cfg(test)]
mod tests;
