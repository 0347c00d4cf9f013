//! Listening sockets.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// Connections the kernel holds for us while we do not accept: bursts, and restarts of a moment.
const BACKLOG: i32 = 4_096;

/// Opens a listening socket that never blocks.
///
/// With `shared`, several sockets may listen on the same address (`SO_REUSEPORT`) and the kernel spreads connections over
/// them: one a reactor.
///
/// # Errors
/// Names the address and what stands in the way.
pub fn bind(addr: SocketAddr, shared: bool) -> io::Result<mio::net::TcpListener> {
    open(addr, shared).map(mio::net::TcpListener::from_std).map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AddrInUse => "another process listens there: stop it or choose another port",
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE): choose a higher port"
            }
            io::ErrorKind::AddrNotAvailable => "this machine has no such address: check the configuration",
            _ => "check the address in the configuration",
        };
        io::Error::new(error.kind(), format!("cannot listen on {addr}: {error}; {remedy}"))
    })
}

fn open(addr: SocketAddr, shared: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the old connections to leave TIME_WAIT.
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(shared)?;
    if addr.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// What an error of `accept` means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AcceptError {
    /// No connection waits.
    Empty,
    /// That connection died while it waited; the next may be good.
    Next,
    /// The process or the system has no resources: rest.
    Exhausted,
}

pub(super) fn classify(error: &io::Error) -> AcceptError {
    use rustix::io::Errno;
    match Errno::from_io_error(error) {
        Some(Errno::AGAIN) => AcceptError::Empty,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => AcceptError::Exhausted,
        // accept(2) hands on pending network errors of the new socket (ECONNABORTED, EPROTO, ENETDOWN, ...).
        _ => AcceptError::Next,
    }
}
