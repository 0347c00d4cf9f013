//! The listening sockets: those that were handed in, and those that are bound here.
//!
//! What lives here: [`Doors`]. Besides what the reactors own, a copy of each socket is kept: as long as it is open,
//! connects wait in its backlog while no reactor runs. Before a stop the copies are closed, so that the kernel refuses
//! newcomers; before another program takes over they are not.

use super::{ServeError, intake};
use crate::config::Config;
use crate::reactor;
use crate::say;
use crate::supervisor::{Opened, Sockets};
use mio::net::TcpListener;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};

/// Bound, not yet served.
pub(super) struct Doors {
    /// For each intake.
    pub(super) webhook: Vec<Vec<TcpListener>>,
    /// For operators, unless they come where webhooks do.
    pub(super) admin: Option<TcpListener>,
}

/// Takes what `kept` holds, binds what is missing, and leaves copies of all in `kept`.
///
/// # Errors
/// An address that cannot be bound, with its key.
pub(super) fn open(config: &Config, kept: &mut Sockets) -> Result<Doors, ServeError> {
    let handed = std::mem::take(kept);
    let mut webhook = fitting("server.listen", config.listen, handed.opened, handed.webhook);
    if webhook.is_empty() && config.listens {
        webhook = bind_all(config)?;
    }
    let admin = handed.admin.into_iter().collect();
    let admin = fitting("server.admin_listen", config.admin_listen, handed.opened, admin).pop();
    let admin = match admin {
        // A socket that nobody serves would take connects and never answer.
        _ if config.admin.on_main.is_some() => None,
        Some(admin) => Some(admin),
        None => Some(
            reactor::bind_std(config.admin_listen, false)
                .map_err(|e| intake::named("server.admin_listen (ADMIN_PORT)", &e))?,
        ),
    };
    *kept = Sockets { opened: handed.opened, webhook, admin, ctl: handed.ctl };
    doors(config, kept)
        .map_err(|e| ServeError::Config(format!("the listening sockets cannot be copied: {e}")))
}

/// Copies for the reactors: each intake has one socket at least, and no socket is left without an intake, or its
/// backlog would never be emptied.
fn doors(config: &Config, kept: &Sockets) -> io::Result<Doors> {
    let intakes = config.intakes.max(1) as usize;
    let own = |listener: &StdListener| listener.try_clone().map(TcpListener::from_std);
    let mut webhook: Vec<Vec<TcpListener>> = Vec::new();
    if !kept.webhook.is_empty() {
        webhook.resize_with(intakes, Vec::new);
        for at in 0..intakes.max(kept.webhook.len()) {
            webhook[at % intakes].push(own(&kept.webhook[at % kept.webhook.len()])?);
        }
    }
    Ok(Doors { webhook, admin: kept.admin.as_ref().map(own).transpose()? })
}

/// A service manager's sockets are used wherever they are bound: it decides. Those of the program before only where
/// the configuration still wants them.
fn fitting(key: &str, wanted: SocketAddr, opened: Opened, mut handed: Vec<StdListener>) -> Vec<StdListener> {
    for listener in &handed {
        if let Ok(at) = listener.local_addr()
            && at != wanted
            && opened == Opened::Manager
        {
            say!(Info, "the service manager's socket is used, not {key}", socket = at, configured = wanted);
        }
    }
    if opened == Opened::Program {
        handed.retain(|listener| {
            listener.local_addr().is_ok_and(|at| at == wanted || wanted.port() == 0 && at.ip() == wanted.ip())
        });
    }
    handed
}

fn bind_all(config: &Config) -> Result<Vec<StdListener>, ServeError> {
    let intakes = config.intakes.max(1);
    let bind = |_| {
        reactor::bind_std(config.listen, intakes > 1)
            .map_err(|e| intake::named("server.listen (NOBAT_LISTEN, PORT)", &e))
    };
    (0..intakes).map(bind).collect()
}
