//! The loop.

use super::ReactorConfig;
use super::accept::{self, Door};
use super::buffer::Pool;
use super::conn::{Conn, Fate, Phase};
use super::intake::{Context, input_bytes_max};
use super::service::{Deferred, Service, Turn};
use super::stats::{self, Stats};
use super::timer::{Entry, Timers};
use crate::clock::Clock;
use crate::http::{HttpDate, RequestIndex};
use crate::network::Crowd;
use mio::event::Event;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};
use nobat_core::time::Nanos;
use rustls::ServerConfig;
use slab::Slab;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const WAKER: Token = Token(usize::MAX);
/// Events of one poll.
const EVENTS: usize = 1_024;
/// Reads of one connection in one turn, so that one sender does not starve the others.
const READS_PER_TURN: usize = 8;
/// Steps of TLS handshakes in one turn. A step costs a hundred times what a request does: a crowd of newcomers must not
/// make those who are in wait.
const HANDSHAKES_PER_TURN: usize = 16;

/// One loop, one thread.
pub struct Reactor<S> {
    pub(super) poll: Poll,
    waker: Arc<Waker>,
    pub(super) doors: Vec<Door>,
    /// The token of the connection with key 0; below are the doors'.
    pub(super) first_token: usize,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) config: ReactorConfig,
    service: S,
    clock: Clock,
    pub(super) conns: Slab<Conn>,
    pub(super) generation: u32,
    timers: Timers,
    pool: Pool,
    index: RequestIndex,
    date: HttpDate,
    pub(super) stats: Arc<Stats>,
    /// Connections that have something to write, or a deadline to set, at the end of this turn.
    pub(super) dirty: Vec<usize>,
    /// Connections that have more to read than one turn allows.
    again: Vec<usize>,
    /// Steps of handshakes in this turn.
    handshakes: usize,
    /// Accepting rests until then.
    pub(super) rest_until: Option<Nanos>,
    pub(super) stopping_since: Option<Nanos>,
    /// Who holds how many connections.
    pub(super) crowd: Crowd,
    /// Accepting is paused; counted once.
    pub(super) paused: bool,
}

impl<S: Service> Reactor<S> {
    /// A reactor that owns `listeners` (see [`super::bind`]). With `tls`, all of them speak TLS only.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub fn new(
        listeners: Vec<TcpListener>,
        tls: Option<Arc<ServerConfig>>,
        config: ReactorConfig,
        service: S,
        clock: Clock,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let mut doors = Vec::with_capacity(listeners.len());
        for (at, mut listener) in listeners.into_iter().enumerate() {
            accept::answer_at_once(&listener);
            poll.registry().register(&mut listener, Token(at), Interest::READABLE)?;
            doors.push(Door { listener, knocked: false });
        }
        let now = clock.now();
        Ok(Self {
            poll,
            waker,
            first_token: doors.len(),
            doors,
            tls,
            config,
            service,
            clock,
            conns: Slab::new(),
            generation: 0,
            timers: Timers::new(now.mono),
            pool: Pool::default(),
            index: RequestIndex::default(),
            date: HttpDate::new(now.wall),
            stats: Arc::default(),
            dirty: Vec::new(),
            again: Vec::new(),
            handshakes: 0,
            rest_until: None,
            stopping_since: None,
            crowd: Crowd::default(),
            paused: false,
        })
    }

    /// Wakes the loop from another thread; `settle` follows.
    #[must_use]
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// What is served.
    pub fn service(&mut self) -> &mut S {
        &mut self.service
    }

    /// Where the listeners listen, for port 0.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn local_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        self.doors.iter().map(|door| door.listener.local_addr()).collect()
    }

    /// Runs until `stop` is set (then wake the loop) and every request in flight is answered, or the drain
    /// time has passed.
    ///
    /// # Errors
    /// Only if polling itself fails; what happens to a connection never ends the loop.
    pub fn run(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let timeout = self.timeout();
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
                other => other?,
            }
            stats::add(&self.stats.turns);
            let turn = Turn { now: self.clock.now() };
            self.date.update(turn.now.wall);
            if stop.load(Ordering::Acquire) && self.stopping_since.is_none() {
                self.begin_stop(&turn);
            }
            self.turn(&turn, &events);
            if let Some(since) = self.stopping_since {
                let late = turn.now.mono.since(since) >= self.config.drain;
                if self.conns.is_empty() || late {
                    self.conns.clear();
                    self.stats.connections.store(0, Ordering::Relaxed);
                    return Ok(());
                }
            }
        }
    }

    fn turn(&mut self, turn: &Turn, events: &Events) {
        let mut again = std::mem::take(&mut self.again);
        self.handshakes = 0;
        // Whoever waited for this turn comes first, so that nobody waits for ever behind newcomers.
        for key in again.drain(..) {
            if self.conns.contains(key) {
                self.read_or_wait(turn, key, true);
            }
        }
        for event in events {
            match event.token() {
                WAKER => {}
                Token(at) if at < self.first_token => {
                    if let Some(door) = self.doors.get_mut(at) {
                        door.knocked = true;
                    }
                }
                token => self.on_event(turn, token.0 - self.first_token, event),
            }
        }
        if self.again.is_empty() {
            // Keeps the list's allocation.
            self.again = again;
        }
        self.accept(turn);
        self.service.settle(turn, &mut Deferred { conns: &mut self.conns, dirty: &mut self.dirty });
        self.write_all(turn);
        self.expire(turn);
    }

    fn on_event(&mut self, turn: &Turn, key: usize, event: &Event) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let closed = event.is_read_closed() || event.is_error();
        conn.ready(event.is_readable() || closed, event.is_writable());
        if event.is_readable() || closed {
            self.read_or_wait(turn, key, closed);
        } else if conn.mark_dirty() {
            self.dirty.push(key);
        }
    }

    /// Reads, unless it is a handshake and this turn has had its share of them: then in the next.
    fn read_or_wait(&mut self, turn: &Turn, key: usize, read_closed: bool) {
        if self.conns[key].is_handshaking() {
            if self.handshakes >= HANDSHAKES_PER_TURN {
                self.again.push(key);
                return;
            }
            self.handshakes += 1;
        }
        self.read(turn, key, read_closed);
    }

    /// Reads and handles requests; answers wait for the end of the turn.
    pub(super) fn read(&mut self, turn: &Turn, key: usize, read_closed: bool) {
        let stopping = self.stopping_since.is_some();
        let Self { conns, service, config, date, stats, pool, index, .. } = self;
        let conn = &mut conns[key];
        let mut context = Context { service, turn, config, date, stats, pool, index, stopping };
        let max = input_bytes_max(context.config);
        let mut fate = Fate::Stays;
        if conn.phase == Phase::Linger {
            fate = conn.discard();
        } else {
            // What was read before and held back comes first.
            context.process(conn, key as u32);
            for _ in 0..READS_PER_TURN {
                if conn.is_held_back(context.config) {
                    break;
                }
                match conn.fill(context.pool, read_closed, max) {
                    Ok(true) => context.process(conn, key as u32),
                    Ok(false) => break,
                    Err(_) => {
                        fate = Fate::Broke;
                        break;
                    }
                }
            }
        }
        if fate != Fate::Stays {
            self.remove(key, fate);
        } else if conn.mark_dirty() {
            self.dirty.push(key);
        }
    }

    /// Answers, in order, to the sockets; then each connection's end or next deadline.
    fn write_all(&mut self, turn: &Turn) {
        let stopping = self.stopping_since.is_some();
        let mut dirty = std::mem::take(&mut self.dirty);
        for key in dirty.drain(..) {
            let Some(conn) = self.conns.get_mut(key) else { continue };
            conn.unmark_dirty();
            let written = conn.write(&mut self.pool, &self.date, stopping).and_then(|()| {
                if conn.begins_to_await_writable() {
                    let token = Token(self.first_token + key);
                    self.poll.registry().reregister(
                        conn.socket(),
                        token,
                        Interest::READABLE | Interest::WRITABLE,
                    )?;
                }
                Ok(())
            });
            let fate = match written {
                Ok(()) => conn.conclude(turn.now.mono),
                Err(_) => Fate::Broke,
            };
            let mut idle = conn.deadline(turn.now.mono, &self.config);
            if let (Some(since), Phase::New | Phase::Handshake) = (self.stopping_since, conn.phase) {
                idle = idle.min(since.after(self.config.drain_silent));
            }
            if fate != Fate::Stays || stopping && conn.phase == Phase::Idle {
                self.remove(key, fate);
                continue;
            }
            let generation = conn.generation();
            self.timers.set(&mut conn.alarm, key as u32, generation, idle);
            if conn.wants_turn(&self.config) {
                self.again.push(key);
            }
            self.pool.take_back(&mut conn.input, &mut conn.output);
        }
        self.dirty = dirty;
    }

    fn expire(&mut self, turn: &Turn) {
        let mut due: Vec<Entry> = Vec::new();
        self.timers.expire(turn.now.mono, &mut due);
        for entry in due {
            let key = entry.key as usize;
            let Some(conn) = self.conns.get_mut(key) else { continue };
            if conn.generation() == entry.generation
                && self.timers.fired(&mut conn.alarm, entry, turn.now.mono)
            {
                self.give_up(turn, key);
            }
        }
        // A 408 goes out now: nothing else would wake this connection.
        self.write_all(turn);
    }

    fn give_up(&mut self, turn: &Turn, key: usize) {
        let conn = &mut self.conns[key];
        match conn.phase {
            Phase::Head | Phase::Body => {
                stats::add(&self.stats.timeouts);
                let Self { conns, service, config, date, stats, pool, index, .. } = self;
                let conn = &mut conns[key];
                Context { service, turn, config, date, stats, pool, index, stopping: true }.give_up(conn);
                if conn.mark_dirty() {
                    self.dirty.push(key);
                }
                return;
            }
            Phase::Handshake | Phase::New | Phase::Write => stats::add(&self.stats.timeouts),
            Phase::Answer => stats::add(&self.stats.unanswered),
            Phase::Idle | Phase::Linger => {}
        }
        self.remove(key, Fate::Ended);
    }

    fn remove(&mut self, key: usize, fate: Fate) {
        let mut conn = self.conns.remove(key);
        let address = conn.peer.addr.ip();
        if self.config.bound_of(address).is_some() {
            self.crowd.leave(address);
        }
        match fate {
            Fate::Broke => stats::add(&self.stats.broken),
            // RFC 8446 6.1: without a word of ours the peer could not tell this end from a cut.
            Fate::Ended | Fate::Stays => conn.say_end(),
        }
        // The poll forgets a descriptor that is closed. A child that is being forked may hold a duplicate for a moment:
        // an event by it finds nobody, or lets another connection read in vain.
        conn.input.clear();
        conn.output.clear();
        self.pool.take_back(&mut conn.input, &mut conn.output);
        stats::sub(&self.stats.connections);
    }

    /// How long the loop may sleep.
    fn timeout(&self) -> Option<Duration> {
        let full = self.conns.len() >= self.config.connections_max;
        let knocked = self.doors.iter().any(|door| door.knocked) && !full;
        if !self.again.is_empty() || knocked && self.rest_until.is_none() {
            return Some(Duration::ZERO);
        }
        let next = [
            self.timers.poll_timeout(),
            self.service.poll_timeout(),
            self.rest_until.filter(|_| knocked),
            self.stopping_since.map(|since| since.after(self.config.drain)),
        ];
        let next = next.into_iter().flatten().min()?;
        Some(next.since(self.clock.mono()))
    }
}
