//! The HTTP/1.1 client of one origin, on the caller's poll: keep-alive connections, one request in flight
//! on each.
//!
//! What lives here: [`Client`] for the outbound thread, [`blocking`] for the commands, [`Origin`] and the
//! failures. It sends
//! complete requests as bytes (`http::write_post` makes them), never looks into them and never logs them:
//! they hold tokens. It
//! does not retry and does not pace; that is the pacer's.
//!
//! The four kinds of method: [`Client::send`] is the command; `handle_event` and `handle_timeout` bring
//! the world in;
//! `poll_done` and `poll_timeout` give work out, to be called after either until they give nothing.
//!
//! Invariant: every accepted `send` gives exactly one [`Done`], whose failure says whether the platform
//! can have seen it.

mod answer;
pub mod blocking;
mod conn;
mod failure;
mod origin;
mod resolve;

pub use answer::{Answer, AnswerLimits};
pub use failure::{Cause, Failure};
pub use origin::{Origin, OriginError};

use crate::http::ResponseIndex;
use crate::reactor::timer::Timers;
use crate::tls::Stream;
use conn::{Conn, Outcome};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use nobat_core::time::Nanos;
use resolve::Addresses;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig as TlsConfig, ClientConnection};
use slab::Slab;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Bodies kept for reuse.
const BODIES_KEPT: usize = 64;
/// A larger body is freed rather than kept, in bytes.
const BODY_BYTES_KEPT: usize = 64 * 1024;

/// Bounds of a client.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Connections of one pool. At it, and with all busy: [`Saturated`].
    pub per_pool_max: usize,
    /// To connect, TLS included.
    pub connect: Duration,
    /// To write a request.
    pub write: Duration,
    /// For the answer, from the last byte written. Then: unanswered.
    pub answer: Duration,
    /// A connection unused for that long is closed. Less than the platform's (75 s), so that we close first.
    pub idle: Duration,
    pub limits: AnswerLimits,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            per_pool_max: 32,
            connect: Duration::from_secs(10),
            write: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            idle: Duration::from_secs(50),
            limits: AnswerLimits::default(),
        }
    }
}

/// No connection is free and none may be added: send again after the next [`Done`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("every connection of the pool is busy")]
pub struct Saturated;

/// How a call ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// As given to [`Client::send`].
    pub tag: u64,
    pub result: Result<Answer, Failure>,
}

#[derive(Default)]
struct Pool {
    /// Last used first: the others may reach their idle time and go.
    idle: Vec<usize>,
    open: usize,
}

/// The client of one origin. Single owner; nothing here blocks.
pub struct Client {
    registry: Registry,
    tokens: Range<usize>,
    origin: Origin,
    addresses: Addresses,
    tls: Option<(Arc<TlsConfig>, ServerName<'static>)>,
    config: ClientConfig,
    pools: Vec<Pool>,
    conns: Slab<Conn>,
    generation: u32,
    timers: Timers,
    index: ResponseIndex,
    done: VecDeque<Done>,
    bodies: Vec<Vec<u8>>,
    in_flight: usize,
}

impl Client {
    /// A client whose sockets use `tokens` on the poll of `registry`; their number bounds its connections.
    /// `addresses` as from [`Origin::resolve`]; they are looked up again when one fails.
    ///
    /// # Errors
    /// If the registry cannot be cloned, or an https origin comes without TLS configuration or with a host that
    /// no certificate can name.
    pub fn new(
        registry: &Registry,
        tokens: Range<usize>,
        origin: Origin,
        addresses: Vec<SocketAddr>,
        tls: Option<Arc<TlsConfig>>,
        config: ClientConfig,
        now: Nanos,
    ) -> io::Result<Self> {
        let tls = if origin.is_tls() { Some(tls_for(&origin, tls)?) } else { None };
        Ok(Self {
            registry: registry.try_clone()?,
            tokens,
            addresses: Addresses::new(addresses),
            origin,
            tls,
            config,
            pools: Vec::new(),
            conns: Slab::new(),
            generation: 0,
            timers: Timers::new(now),
            index: ResponseIndex::default(),
            done: VecDeque::new(),
            bodies: Vec::new(),
            in_flight: 0,
        })
    }

    /// The origin that is called.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Calls without a [`Done`] yet, those not yet polled excluded.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Connections open now, idle ones included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.conns.len()
    }

    /// Sends one complete POST request on a connection of `pool`. `tag` comes back in its [`Done`].
    ///
    /// # Errors
    /// [`Saturated`]; nothing was begun then.
    pub fn send(&mut self, now: Nanos, pool: usize, tag: u64, request: &[u8]) -> Result<(), Saturated> {
        if self.pools.len() <= pool {
            self.pools.resize_with(pool + 1, Pool::default);
        }
        while let Some(key) = self.pools[pool].idle.pop() {
            // A connection that the platform has closed meanwhile is found here, before anything is written,
            // and not after, when nobody could tell whether the request was seen (RFC 9112 9.3.1).
            if self.conns[key].is_alive() {
                self.start(now, key, tag, request);
                return Ok(());
            }
            self.remove(key);
        }
        if self.pools[pool].open >= self.config.per_pool_max || self.conns.len() >= self.tokens.len() {
            return Err(Saturated);
        }
        match self.connect(pool) {
            Ok(key) => self.start(now, key, tag, request),
            Err(cause) => {
                self.addresses.failed(&self.origin, now);
                self.done.push_back(Done { tag, result: Err(Failure::NotWritten(cause)) });
            }
        }
        Ok(())
    }

    /// Takes an event of the poll. False if its token is not of this client.
    pub fn handle_event(&mut self, event: &Event, now: Nanos) -> bool {
        let token = event.token().0;
        if !self.tokens.contains(&token) {
            return false;
        }
        let key = token - self.tokens.start;
        if let Some(conn) = self.conns.get_mut(key) {
            conn.ready(event);
            self.drive(key, now);
        }
        true
    }

    /// Ends what has waited too long.
    pub fn handle_timeout(&mut self, now: Nanos) {
        let mut due = Vec::new();
        self.timers.expire(now, &mut due);
        for entry in due {
            let key = entry.key as usize;
            let Some(conn) = self.conns.get_mut(key) else { continue };
            if conn.generation() != entry.generation || !self.timers.fired(&mut conn.alarm, entry, now) {
                continue;
            }
            let failure = conn.timed_out();
            self.finish(key, now, failure.map(Err), false);
        }
    }

    /// When [`Client::handle_timeout`] must be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Nanos> {
        self.timers.poll_timeout()
    }

    /// The next call that has ended.
    pub fn poll_done(&mut self) -> Option<Done> {
        self.done.pop_front()
    }

    /// Gives back the body of an answer, so that the next one needs no allocation.
    pub fn recycle(&mut self, body: Vec<u8>) {
        if self.bodies.len() < BODIES_KEPT && (1..=BODY_BYTES_KEPT).contains(&body.capacity()) {
            self.bodies.push(body);
        }
    }

    fn connect(&mut self, pool: usize) -> Result<usize, Cause> {
        let addr = self.addresses.current().ok_or(Cause::Unresolved)?;
        let broken = |error: io::Error| Cause::Connect(error.kind());
        let mut socket = TcpStream::connect(addr).map_err(broken)?;
        let entry = self.conns.vacant_entry();
        let key = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.registry.register(&mut socket, Token(self.tokens.start + key), interest).map_err(broken)?;
        let stream = match &self.tls {
            None => Stream::Plain(socket),
            Some((config, name)) => {
                let session =
                    ClientConnection::new(Arc::clone(config), name.clone()).map_err(|_| Cause::Tls)?;
                Stream::client(socket, session)
            }
        };
        self.generation = self.generation.wrapping_add(1);
        entry.insert(Conn::new(stream, pool, self.generation));
        self.pools[pool].open += 1;
        Ok(key)
    }

    fn start(&mut self, now: Nanos, key: usize, tag: u64, request: &[u8]) {
        let body = self.bodies.pop().unwrap_or_default();
        self.in_flight += 1;
        self.conns[key].begin(tag, request, body);
        self.drive(key, now);
    }

    /// Moves bytes until the sockets take and give no more, then sets the next deadline.
    fn drive(&mut self, key: usize, now: Nanos) {
        let conn = &mut self.conns[key];
        match conn.drive(&self.config.limits, &mut self.index) {
            Outcome::Pending => {
                let deadline = conn.deadline(now, &self.config);
                let generation = conn.generation();
                self.timers.set(&mut conn.alarm, key as u32, generation, deadline);
            }
            Outcome::Answered(answer, reusable) => self.finish(key, now, Some(Ok(answer)), reusable),
            Outcome::Failed(failure) => self.finish(key, now, Some(Err(failure)), false),
            Outcome::Gone => self.finish(key, now, None, false),
        }
    }

    /// A call, or an idle connection, has ended.
    fn finish(&mut self, key: usize, now: Nanos, result: Option<Result<Answer, Failure>>, reusable: bool) {
        let conn = &mut self.conns[key];
        let pool = conn.pool();
        if let Some(result) = result {
            if matches!(result, Err(failure) if failure.is_of_the_address()) {
                self.addresses.failed(&self.origin, now);
            }
            self.in_flight -= 1;
            let tag = conn.end_call(&mut self.bodies);
            self.done.push_back(Done { tag, result });
        }
        if reusable {
            let deadline = conn.deadline(now, &self.config);
            let generation = conn.generation();
            self.timers.set(&mut conn.alarm, key as u32, generation, deadline);
            self.pools[pool].idle.push(key);
        } else {
            self.pools[pool].idle.retain(|idle| *idle != key);
            self.remove(key);
        }
    }

    fn remove(&mut self, key: usize) {
        let mut conn = self.conns.remove(key);
        self.pools[conn.pool()].open -= 1;
        let _ = self.registry.deregister(conn.close());
    }
}

/// The session parameters of an https origin.
fn tls_for(
    origin: &Origin,
    config: Option<Arc<TlsConfig>>,
) -> io::Result<(Arc<TlsConfig>, ServerName<'static>)> {
    let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
    let config = config.ok_or_else(|| invalid(format!("{origin} needs TLS, and none is configured")))?;
    let name = ServerName::try_from(origin.host().to_owned())
        .map_err(|_| invalid(format!("{}: no certificate can name this host", origin.host())))?;
    Ok((config, name))
}

#[cfg(test)]
mod tests;
