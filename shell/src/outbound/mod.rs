//! The outbound thread: one owner of the pacers, the lanes and their connections.
//!
//! What lives here: [`Outbound`], its loop, and [`spawn`]. Committed envelopes come in by the [`inbox`], the
//! pacer of their kind says which leaves when and through which lane ([`kind`]), [`client`] carries the
//! bytes, and what the platform said goes to the engine as ends. It decides nothing about a user or an
//! order: that is the pacer's and the engine's. `serve` starts and stops it.
//!
//! Ends gather for [`SETTLE_AFTER`] and go to the journal in one frame: nobody waits for them, and a frame for
//! each answer would make the journal sync for each. Ends that its ring has no room for wait in a list that
//! the in-flight cap bounds; the loop goes on draining answers meanwhile.

mod alert;
pub mod client;
mod inbox;
mod kind;

pub use inbox::{Mail, Outbox};
pub use kind::{KindSpec, LaneSpec};

use crate::clock::Clock;
use crate::observe::{Registry, names};
use crate::say;
use client::{Client, ClientConfig, Done, Origin};
use inbox::Inbox;
use kind::{Desk, KindSender};
use mio::{Events, Poll, Token, Waker};
use nobat_core::engine::{Ended, Engine, Journal, Link, ReachFact, Recovered};
use nobat_core::time::{Nanos, Now};
use rustls::ClientConfig as TlsConfig;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The waker's place among the poll's tokens; connections come after it.
const WAKE: Token = Token(0);

/// How long a graceful stop waits for answers in flight. What has none by then is sent again after the
/// next start, and counted.
const DRAIN: Duration = Duration::from_secs(10);

/// How long the oldest end waits for others before they are journaled together. It is the better part of
/// the window in which a kill makes a send be repeated (the rest is one commit), so it is kept short;
/// at 510 sends a second, of which each answer comes alone, 10 ms make 5 ends a commit.
pub const SETTLE_AFTER: Duration = Duration::from_millis(10);

/// When to offer ends again that the journal had no room for.
const SETTLE_AGAIN: Duration = Duration::from_millis(5);

/// Ends in one frame.
const ENDS_PER_FRAME: usize = 1024;

/// What the thread is made of.
pub struct Spec {
    /// One entry a kind, in the order of their numbers.
    pub kinds: Vec<KindSpec>,
    /// Where the platform is.
    pub origin: Origin,
    /// For an https origin.
    pub tls: Option<Arc<TlsConfig>>,
    /// How it is spoken to.
    pub client: ClientConfig,
    /// For hashers and jitter.
    pub seed: u64,
}

/// The running thread.
pub struct Handle {
    outbox: Outbox,
    thread: JoinHandle<()>,
}

impl Handle {
    /// The way to it.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// Waits for what is in flight (10 s at most), then ends the thread. Envelopes that still wait stay in
    /// the journal.
    pub fn stop_and_join(self) {
        self.outbox.put(Mail::Stop);
        self.outbox.wake();
        if self.thread.join().is_err() {
            say!(Error, "the outbound thread panicked");
        }
    }
}

/// A thread that is set up but not running: what it is handed before it runs is sent once it does.
pub struct Outbound<J> {
    engine: Arc<Engine<J>>,
    registry: Arc<Registry>,
    clock: Clock,
    poll: Poll,
    client: Client,
    inbox: Inbox,
    outbox: Outbox,
    kinds: Vec<KindSender>,
    ends: Vec<Ended>,
    reach: Vec<ReachFact>,
    links: Vec<Link>,
    /// When the gathered ends are journaled; none while there are none.
    settle_at: Option<Nanos>,
    stop_by: Option<Nanos>,
    /// The next time that gauges are set.
    gauges_at: Nanos,
}

impl<J: Journal + 'static> Outbound<J> {
    /// Sets the thread up.
    ///
    /// # Errors
    /// The operating system gives no poll or waker.
    pub fn new(
        spec: Spec,
        engine: Arc<Engine<J>>,
        registry: Arc<Registry>,
        clock: Clock,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let (outbox, inbox) = inbox::pair(Arc::new(Waker::new(poll.registry(), WAKE)?));
        let now = clock.now();
        let mut lanes = 0;
        let mut kinds = Vec::new();
        for kind in spec.kinds {
            let first = lanes;
            lanes += kind.lanes.len();
            kinds.push(KindSender::new(kind, first, now.mono, spec.seed));
        }
        let addresses = spec.origin.resolve().unwrap_or_default();
        let tokens = WAKE.0 + 1..usize::MAX >> 1;
        let client =
            Client::new(poll.registry(), tokens, spec.origin, addresses, spec.tls, spec.client, now.mono)?;
        let (ends, reach, links) = (Vec::new(), Vec::new(), Vec::new());
        let (settle_at, stop_by, gauges_at) = (None, None, now.mono);
        Ok(Self {
            engine,
            registry,
            clock,
            poll,
            client,
            inbox,
            outbox,
            kinds,
            ends,
            reach,
            links,
            settle_at,
            stop_by,
            gauges_at,
        })
    }

    /// The way to it.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// Takes over what a restart left: who is reached, and the envelopes without an end.
    pub fn recover(&mut self, recovered: &mut Recovered) {
        for fact in recovered.reach() {
            if let Some(kind) = self.kinds.get_mut(fact.kind.index()) {
                kind.learn(&fact);
            }
        }
        let now = self.clock.now();
        for envelope in recovered.take_pending() {
            if let Some(kind) = self.kinds.get_mut(envelope.conversation.kind.index()) {
                let messages = self.engine.messages(&envelope);
                kind.accept(now, envelope, messages, &mut self.ends);
            }
        }
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn spawn(self) -> io::Result<Handle> {
        let outbox = self.outbox();
        let thread = thread::Builder::new().name("outbound".into()).spawn(move || self.run())?;
        Ok(Handle { outbox, thread })
    }

    fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        loop {
            let timeout = self.timeout(self.clock.mono());
            if let Err(e) = self.poll.poll(&mut events, timeout)
                && e.kind() != io::ErrorKind::Interrupted
            {
                say!(Error, "the outbound poll failed", error = e);
                thread::sleep(SETTLE_AGAIN);
            }
            let now = self.clock.now();
            for event in &events {
                if event.token() != WAKE {
                    self.client.handle_event(event, now.mono);
                }
            }
            self.client.handle_timeout(now.mono);
            self.read_inbox(now);
            self.read_answers(now);
            if self.stop_by.is_none() {
                self.dispatch(now);
            }
            self.settle(now.mono);
            self.set_gauges(now.mono);
            if self.stopped(now.mono) {
                return;
            }
        }
    }

    /// How long the poll may sleep.
    fn timeout(&self, now: Nanos) -> Option<Duration> {
        let pacers = self.kinds.iter().filter_map(KindSender::poll_timeout);
        let mut next = pacers.chain(self.client.poll_timeout()).chain([self.gauges_at]).min();
        if self.stop_by.is_some() {
            next = self.client.poll_timeout().into_iter().chain(self.stop_by).min();
        }
        let next = next.into_iter().chain(self.settle_at).min();
        next.map(|at| at.since(now))
    }

    fn read_inbox(&mut self, now: Now) {
        while let Ok(mail) = self.inbox.try_recv() {
            match mail {
                Mail::Committed { envelopes, reach } => {
                    if let Some(fact) = reach
                        && let Some(kind) = self.kinds.get_mut(fact.kind.index())
                    {
                        kind.learn(&fact);
                    }
                    for envelope in envelopes {
                        if let Some(kind) = self.kinds.get_mut(envelope.conversation.kind.index()) {
                            let messages = self.engine.messages(&envelope);
                            kind.accept(now, envelope, messages, &mut self.ends);
                        }
                    }
                }
                Mail::Released(kind, open) => {
                    if let Some(kind) = self.kinds.get_mut(kind.index()) {
                        kind.set_released(now, open, &mut self.ends);
                    }
                }
                Mail::Pause { lane, paused } => {
                    for kind in &mut self.kinds {
                        kind.set_paused(lane, paused);
                    }
                }
                Mail::Alert { to, lane, says, until } => {
                    if let Some(kind) = self.kinds.first_mut() {
                        let envelope = alert::envelope(kind.kind(), to, lane, says, until);
                        kind.accept(now, envelope, 1, &mut self.ends);
                    }
                }
                Mail::Stop => self.stop_by = Some(now.mono.after(DRAIN)),
            }
        }
    }

    fn read_answers(&mut self, now: Now) {
        let Self { engine, registry, client, kinds, ends, reach, links, .. } = self;
        let mut desk = Desk { now, engine, registry, ends, reach, links };
        while let Some(Done { tag, result }) = client.poll_done() {
            if let Some(kind) = kinds.get_mut((tag >> 32) as usize) {
                kind.answered(tag as u32, result, &mut desk);
            }
        }
    }

    fn dispatch(&mut self, now: Now) {
        let Self { engine, registry, client, kinds, ends, reach, links, .. } = self;
        let mut desk = Desk { now, engine, registry, ends, reach, links };
        for kind in kinds {
            kind.dispatch(&mut desk, client);
        }
    }

    /// Journals the gathered ends once they are due; what finds no room is offered again.
    fn settle(&mut self, now: Nanos) {
        let mut ends_due = self.ends.len() >= ENDS_PER_FRAME || self.stop_by.is_some();
        while !self.ends.is_empty() || !self.reach.is_empty() {
            let at = *self.settle_at.get_or_insert(now.after(SETTLE_AFTER));
            ends_due |= now >= at;
            if !ends_due {
                return;
            }
            let ends = self.ends.len().min(ENDS_PER_FRAME);
            let reach = self.reach.len().min(ENDS_PER_FRAME);
            let links = self.links.len().min(ENDS_PER_FRAME);
            let (ended, learned, linked) = (&self.ends[..ends], &self.reach[..reach], &self.links[..links]);
            if self.engine.settle_linked(ended, learned, linked).is_err() {
                self.settle_at = Some(now.after(SETTLE_AGAIN));
                return;
            }
            self.ends.drain(..ends);
            self.reach.drain(..reach);
            self.links.drain(..links);
        }
        self.settle_at = None;
    }

    fn set_gauges(&mut self, now: Nanos) {
        if now < self.gauges_at {
            return;
        }
        self.gauges_at = now.after(Duration::from_secs(1));
        self.registry.inc(names::OUTBOUND_BEATS);
        self.registry.set(names::ENVELOPES_PENDING, self.engine.pending());
        self.registry.set(names::USERS, self.engine.users() as u64);
        self.registry.set(names::ENVELOPES_HELD, self.kinds.iter().map(|k| k.held() as u64).sum());
        let mut queue = [0; 4];
        for kind in &mut self.kinds {
            kind.set_gauges(&*self.engine, &self.registry, &mut queue);
        }
        for (class, waiting) in queue.into_iter().enumerate() {
            self.registry.set_at(names::QUEUE, class, waiting);
        }
    }

    /// Whether a stop was asked for and nothing is in flight any more, or the time is up.
    fn stopped(&self, now: Nanos) -> bool {
        self.stop_by.is_some_and(|by| {
            let idle = self.kinds.iter().all(|k| k.in_flight() == 0) && self.ends.is_empty();
            idle || now >= by
        })
    }
}
