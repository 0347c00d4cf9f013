//! What stands above the process: a service manager that opens its sockets and asks whether it lives, and the
//! next version of the program, which takes its sockets over.
//!
//! What lives here: [`Notifier`], the words to systemd; [`Sockets`], listening sockets that somebody else opened;
//! [`upgrade`], how one program takes the place of another in the same process. `serve` and `cli` call it. It knows
//! nothing of updates, journals or users.
//!
//! Both protocols of systemd are a datagram and three variables each, so they are spoken here and not by a library:
//! sd_notify(3), sd_listen_fds(3).

mod descriptors;
mod notify;
mod sockets;
pub mod upgrade;

pub use notify::Notifier;
pub use sockets::{Opened, SocketError, Sockets};

/// Is this a name by which one program tells the next about itself? Such names are no configuration.
#[must_use]
pub fn handed_on(name: &str) -> bool {
    name == sockets::HANDED_ON || upgrade::NAMES.contains(&name)
}
