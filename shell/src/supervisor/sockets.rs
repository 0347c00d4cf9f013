//! Listening sockets that somebody else opened: systemd (`LISTEN_FDS`), or the program that this one takes the place
//! of (`NOBAT_SOCKETS`).
//!
//! A socket that outlives the process is what makes a restart refuse nobody: connects wait in its backlog.

use super::descriptors::{claim, passed_on};
use rustix::fd::{AsRawFd as _, OwnedFd, RawFd};
use rustix::net::{AddressFamily, SocketType, sockopt};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::process::Command;

/// The first descriptor that systemd passes (sd_listen_fds(3)).
const FIRST: RawFd = 3;

/// More are not believed: a wrong number must not make us take everything for a socket.
const SOCKETS_MAX: usize = 64;

/// Ours, from one program to the next: `role:descriptor`, separated by commas.
pub(super) const HANDED_ON: &str = "NOBAT_SOCKETS";

/// What systemd sets; gone once read, so that no child takes our sockets for its own.
pub(super) const ACTIVATION: [&str; 3] = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"];

/// Who opened them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Opened {
    /// Nobody did; addresses are bound by us.
    #[default]
    Nobody,
    /// The service manager: it holds them while we restart.
    Manager,
    /// The program before this one.
    Program,
}

/// What was handed in.
#[derive(Default, Debug)]
pub struct Sockets {
    /// Who opened them.
    pub opened: Opened,
    /// For webhooks; several share one address.
    pub webhook: Vec<TcpListener>,
    /// For operators.
    pub admin: Option<TcpListener>,
    /// For `nobat ctl`.
    pub ctl: Option<UnixListener>,
}

/// A descriptor that was handed in and is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The variables do not make sense.
    #[error("{variable}={value} is not understood: {why}")]
    Variable {
        /// Which.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The descriptor is no listening socket.
    #[error(
        "descriptor {fd} ({name}) was handed in as a socket: {why}; use ListenStream= in the .socket unit"
    )]
    Socket {
        /// Which.
        fd: RawFd,
        /// How it was called.
        name: String,
        /// What is wrong.
        why: String,
    },
}

impl Sockets {
    /// Takes what the environment says was handed in. `admin` is where the operator's listener should be: a socket
    /// without a name that says more is his if it is bound there.
    ///
    /// # Errors
    /// Something was handed in that cannot be used. Nothing is served then: to bind anew would leave the manager's
    /// socket without anybody behind it.
    pub fn from_env(admin: SocketAddr) -> Result<Self, SocketError> {
        let var = |name: &str| std::env::var(name).ok();
        if let Some(list) = var(HANDED_ON) {
            return Self::collect(Opened::Program, claim_all(parse_handed_on(&list)?)?, admin);
        }
        let ours = var("LISTEN_PID").is_some_and(|pid| pid == std::process::id().to_string());
        match var("LISTEN_FDS") {
            Some(count) if ours => {
                let names = var("LISTEN_FDNAMES").unwrap_or_default();
                Self::collect(Opened::Manager, claim_all(parse_activation(&count, &names)?)?, admin)
            }
            _ => Ok(Self::default()),
        }
    }

    fn collect(
        opened: Opened,
        handed: Vec<(String, OwnedFd)>,
        admin: SocketAddr,
    ) -> Result<Self, SocketError> {
        let mut sockets = Self { opened, ..Self::default() };
        for (name, owned) in handed {
            let fd = owned.as_raw_fd();
            let unusable = |e: &dyn std::fmt::Display| SocketError::Socket {
                fd,
                name: name.clone(),
                why: e.to_string(),
            };
            check(&owned).map_err(|e| unusable(&e))?;
            if sockopt::socket_domain(&owned).map_err(|e| unusable(&e))? == AddressFamily::UNIX {
                sockets.ctl = Some(UnixListener::from(owned));
                continue;
            }
            let listener = TcpListener::from(owned);
            listener.set_nonblocking(true).map_err(|e| unusable(&e))?;
            let at = listener.local_addr().map_err(|e| unusable(&e))?;
            let operators = name == "admin" || name != "webhook" && at.port() == admin.port();
            if operators && sockets.admin.is_none() {
                sockets.admin = Some(listener);
            } else {
                sockets.webhook.push(listener);
            }
        }
        Ok(sockets)
    }

    /// Copies of the same sockets.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        Ok(Self {
            opened: self.opened,
            webhook: self.webhook.iter().map(TcpListener::try_clone).collect::<std::io::Result<_>>()?,
            admin: self.admin.as_ref().map(TcpListener::try_clone).transpose()?,
            ctl: self.ctl.as_ref().map(UnixListener::try_clone).transpose()?,
        })
    }

    /// Has `command` take them over: to be called just before it takes this process's place.
    pub(super) fn hand_on(&self, command: &mut Command) -> std::io::Result<()> {
        let mut list = Vec::new();
        for listener in &self.webhook {
            list.push(format!("webhook:{}", passed_on(listener)?));
        }
        if let Some(listener) = &self.admin {
            list.push(format!("admin:{}", passed_on(listener)?));
        }
        if let Some(listener) = &self.ctl {
            list.push(format!("ctl:{}", passed_on(listener)?));
        }
        command.env(HANDED_ON, list.join(","));
        Ok(())
    }
}

fn parse_handed_on(list: &str) -> Result<Vec<(String, RawFd)>, SocketError> {
    let bad =
        |why| SocketError::Variable { variable: HANDED_ON, value: list.chars().take(100).collect(), why };
    let one = |part: &str| {
        let (role, fd) = part.split_once(':').ok_or_else(|| bad("role:descriptor is expected"))?;
        let fd: RawFd = fd.parse().map_err(|_| bad("a descriptor is a number"))?;
        Ok((role.to_owned(), fd))
    };
    list.split(',').filter(|part| !part.is_empty()).map(one).collect()
}

fn parse_activation(count: &str, names: &str) -> Result<Vec<(String, RawFd)>, SocketError> {
    let bad = |why| SocketError::Variable { variable: "LISTEN_FDS", value: count.to_owned(), why };
    let count: usize = count.parse().map_err(|_| bad("a number is expected"))?;
    if count > SOCKETS_MAX {
        return Err(bad("so many sockets are not believed"));
    }
    let mut names = names.split(':');
    Ok((0..count).map(|n| (names.next().unwrap_or("").to_owned(), FIRST + n as RawFd)).collect())
}

/// Makes owners of the descriptors.
fn claim_all(named: Vec<(String, RawFd)>) -> Result<Vec<(String, OwnedFd)>, SocketError> {
    let one = |(name, fd): (String, RawFd)| match claim(fd) {
        Ok(owned) => Ok((name, owned)),
        Err(e) => Err(SocketError::Socket { fd, name, why: e.to_string() }),
    };
    named.into_iter().map(one).collect()
}

/// Is it a listening stream socket?
fn check(fd: &OwnedFd) -> Result<(), String> {
    let kind = sockopt::socket_type(fd).map_err(|_| "it is no socket".to_owned())?;
    let listening = sockopt::socket_acceptconn(fd).map_err(|e| e.to_string())?;
    match kind == SocketType::STREAM && listening {
        true => Ok(()),
        false => Err("it does not listen for connections".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(handed: Vec<(String, OwnedFd)>, admin: SocketAddr) -> Result<Sockets, SocketError> {
        Sockets::collect(Opened::Manager, handed, admin)
    }

    #[test]
    fn sockets_are_told_apart_by_name_or_else_by_their_address() {
        let bind = || TcpListener::bind("127.0.0.1:0").expect("a port");
        let (first, second, third) = (bind(), bind(), bind());
        let admin = second.local_addr().expect("an address");
        let named = |name: &str, listener: TcpListener| (name.to_owned(), OwnedFd::from(listener));
        let handed =
            vec![named("nobat.socket", first), named("nobat.socket", second), named("webhook", third)];
        let sockets = collect(handed, admin).expect("sockets");
        assert_eq!(sockets.webhook.len(), 2);
        assert_eq!(sockets.admin.map(|at| at.local_addr().expect("bound")), Some(admin));
    }

    #[test]
    fn what_is_no_listening_socket_is_refused_by_name() {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let file = OwnedFd::from(tempfile::tempfile().expect("a file"));
        let datagram = OwnedFd::from(std::net::UdpSocket::bind("127.0.0.1:0").expect("a port"));
        for (fd, why) in [(file, "no socket"), (datagram, "does not listen")] {
            let error = collect(vec![("x".to_owned(), fd)], anywhere).expect_err("refused").to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn variables_that_make_no_sense_are_refused() {
        assert_eq!(parse_activation("2", "a:b").expect("two"), [("a".to_owned(), 3), ("b".to_owned(), 4)]);
        assert_eq!(parse_activation("1", "").expect("one"), [(String::new(), 3)]);
        for count in ["", "-1", "x", "65", "99999999999999999999"] {
            assert!(parse_activation(count, "").is_err(), "{count}");
        }
        assert_eq!(
            parse_handed_on("webhook:7,admin:9").expect("two"),
            [("webhook".to_owned(), 7), ("admin".to_owned(), 9)]
        );
        for list in ["webhook", "webhook:x", "webhook:99999999999"] {
            assert!(parse_handed_on(list).is_err(), "{list}");
        }
    }
}
