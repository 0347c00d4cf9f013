//! The way in: listening sockets, accepting with bounds, and closing the doors at a stop.

use super::conn::Conn;
use super::run::Reactor;
use super::service::{Peer, Service, Turn};
use super::stats;
use crate::tls::Stream;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Token};
use rustls::ServerConnection;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// Connections the kernel holds for us while we do not accept: bursts, and restarts of a moment.
const BACKLOG: i32 = 4_096;

/// Connections accepted from one listener in one turn, so that newcomers do not starve those who are in.
const ACCEPTS_PER_TURN: usize = 64;
/// A listening socket and whether connections may wait there.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    pub(super) knocked: bool,
}

/// Opens a listening socket that never blocks.
///
/// With `shared`, several sockets may listen on the same address (`SO_REUSEPORT`) and the kernel spreads
/// connections over
/// them: one a reactor.
///
/// # Errors
/// Names the address and what stands in the way.
pub fn bind(addr: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    bind_std(addr, shared).map(TcpListener::from_std)
}

/// [`bind`], for who keeps the socket beyond a reactor's life.
///
/// # Errors
/// As [`bind`].
pub fn bind_std(addr: SocketAddr, shared: bool) -> io::Result<std::net::TcpListener> {
    open(addr, shared).map_err(|error| {
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

/// Answers are small and complete: waiting to fill a segment only delays them. On Linux an accepted socket takes this
/// over from the one that listens, which spares a system call each; elsewhere it is set on each.
pub(super) fn answer_at_once(listener: &TcpListener) {
    let _ = SockRef::from(listener).set_tcp_nodelay(true);
}

/// What an error of `accept` means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum AcceptError {
    /// No connection waits.
    Empty,
    /// That connection died while it waited; the next may be good.
    Next,
    /// The process or the system has no resources: rest.
    Exhausted,
}

fn classify(error: &io::Error) -> AcceptError {
    use rustix::io::Errno;
    match Errno::from_io_error(error) {
        Some(Errno::AGAIN) => AcceptError::Empty,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => AcceptError::Exhausted,
        // accept(2) hands on pending network errors of the new socket (ECONNABORTED, EPROTO, ENETDOWN, ...).
        _ => AcceptError::Next,
    }
}

impl<S: Service> Reactor<S> {
    /// Lets newcomers in, while there is room for them.
    pub(super) fn accept(&mut self, turn: &Turn) {
        if self.rest_until.is_some_and(|until| turn.now.mono < until) {
            return;
        }
        self.rest_until = None;
        for at in 0..self.doors.len() {
            for _ in 0..ACCEPTS_PER_TURN {
                if !self.doors[at].knocked {
                    break;
                }
                if self.conns.len() >= self.config.connections_max {
                    // Whoever leaves opens the door again: `knocked` stays.
                    self.pause();
                    return;
                }
                self.paused = false;
                match self.doors[at].listener.accept() {
                    Ok((socket, addr)) => self.admit(turn, socket, addr),
                    Err(error) => match classify(&error) {
                        AcceptError::Empty => self.doors[at].knocked = false,
                        AcceptError::Next => {}
                        AcceptError::Exhausted => {
                            self.pause();
                            self.rest_until = Some(turn.now.mono.after(self.config.accept_rest));
                            return;
                        }
                    },
                }
            }
        }
    }

    fn pause(&mut self) {
        if !std::mem::replace(&mut self.paused, true) {
            stats::add(&self.stats.accept_pauses);
        }
    }

    fn admit(&mut self, turn: &Turn, socket: TcpStream, addr: SocketAddr) {
        let bound = self.config.bound_of(addr.ip());
        if bound.is_some_and(|most| !self.crowd.enter(addr.ip(), most)) {
            // Closed without a word: an answer would cost more than the question.
            stats::add(&self.stats.crowded);
            return;
        }
        if !self.admit_counted(turn, socket, addr) && bound.is_some() {
            self.crowd.leave(addr.ip());
        }
    }

    /// Whether the newcomer is in.
    fn admit_counted(&mut self, turn: &Turn, mut socket: TcpStream, addr: SocketAddr) -> bool {
        if !cfg!(target_os = "linux") {
            let _ = socket.set_nodelay(true);
        }
        let entry = self.conns.vacant_entry();
        let key = entry.key();
        let token = Token(self.first_token + key);
        // Not for writing: a fresh socket takes bytes, and the poll would say so at once, for nothing.
        if self.poll.registry().register(&mut socket, token, Interest::READABLE).is_err() {
            return false;
        }
        let stream = match &self.tls {
            None => Stream::Plain(socket),
            Some(config) => match ServerConnection::new(Arc::clone(config)) {
                Ok(session) => Stream::server(socket, session),
                Err(_) => return false,
            },
        };
        self.generation = self.generation.wrapping_add(1);
        let peer = Peer { addr, tls: self.tls.is_some() };
        let conn = entry.insert(Conn::new(stream, peer, self.generation, turn.now.mono));
        if conn.mark_dirty() {
            self.dirty.push(key);
        }
        stats::add(&self.stats.accepted);
        stats::add(&self.stats.connections);
        true
    }

    /// Takes in whoever already waits, closes the doors, and ends idle connections.
    pub(super) fn begin_stop(&mut self, turn: &Turn) {
        self.stopping_since = Some(turn.now.mono);
        for door in &mut self.doors {
            door.knocked = true;
        }
        self.accept(turn);
        // Closed, not only ignored: the kernel must refuse newcomers now.
        self.doors.clear();
        let keys: Vec<usize> = self.conns.iter().map(|(key, _)| key).collect();
        for key in keys {
            // A request may have arrived that the poll has not reported.
            self.conns[key].ready(true, false);
            self.read(turn, key, false);
        }
    }
}
