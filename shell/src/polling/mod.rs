//! Updates in by long polling: the platform is asked instead of calling.
//!
//! What lives here: [`Poller`], one thread for all bots, on the same HTTP client as the outbound thread and
//! with the same door to the engine as the webhook ([`Updates`]); [`feed`], the rules of one bot's poll.
//! `serve` builds it. It holds no decision about a user.
//!
//! Invariant: a call's offset confirms an update to the platform only when the journal is durable up to the
//! frame that the engine named for it. A batch is decided update by update; at the first that the engine puts
//! off the rest is left to the platform and asked for again.

mod feed;
mod talk;

use crate::channel::telegram::RequestHead;
use crate::channel::telegram::polling::Polls;
use crate::clock::Clock;
use crate::observe::names;
use crate::outbound::client::{Answer, Client, ClientConfig, Done, Failure, Origin};
use crate::say;
use crate::updates::{Bot, Taken, Updates};
use core::ops::ControlFlow;
use feed::{Batch, Feed};
use mio::{Events, Poll, Token, Waker};
use nobat_core::engine::Journal;
use nobat_core::time::{Nanos, Now};
use rustls::ClientConfig as TlsConfig;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use talk::{Talk, Word};

/// The waker's place among the poll's tokens; connections come after it.
const WAKE: Token = Token(0);
/// How long the platform may hold a call while there is no update.
const HOLD: Duration = Duration::from_secs(30);
/// For an answer beyond that.
const ANSWER: Duration = Duration::from_secs(15);
/// How long a graceful stop tries to confirm what was taken.
const DRAIN: Duration = Duration::from_secs(5);
/// The call that is held, and the one that confirms beside it at the end.
const CONNECTIONS: usize = 2;
/// A hundred updates of the longest texts, each letter escaped.
const BODY_BYTES: usize = 16 << 20;

/// What the thread is made of.
pub struct Spec {
    /// The bots that are asked, and what their requests begin with.
    pub bots: Vec<(Bot, RequestHead)>,
    /// The kinds of updates that they are sent.
    pub allowed: &'static [&'static str],
    /// Where the platform is.
    pub origin: Origin,
    /// For an https origin.
    pub tls: Option<Arc<TlsConfig>>,
    /// Polling was asked for in so many words: webhooks that stand in the way are removed. Otherwise that
    /// nothing says where webhooks may arrive could be an oversight, and they are left alone.
    pub clear_webhooks: bool,
}

/// The running thread.
pub struct Handle {
    stop: Arc<AtomicBool>,
    waker: Arc<Waker>,
    thread: JoinHandle<()>,
}

impl Handle {
    /// Asks for nothing more, confirms what was taken (5 s at most), ends. The journal must still run.
    pub fn stop_and_join(self) {
        self.stop.store(true, Ordering::Release);
        // A waker fails only when its descriptor is gone, and then so is the thread.
        let _ = self.waker.wake();
        if self.thread.join().is_err() {
            say!(Error, "the polling thread panicked");
        }
    }
}

/// A thread that is set up but not running.
pub struct Poller<J> {
    updates: Arc<Updates<J>>,
    clock: Clock,
    poll: Poll,
    waker: Arc<Waker>,
    client: Client,
    polls: Polls,
    bots: Vec<Polled>,
    clear_webhooks: bool,
    request: Vec<u8>,
    stop: Arc<AtomicBool>,
    stop_by: Option<Nanos>,
}

/// One bot.
struct Polled {
    bot: Bot,
    feed: Feed,
    talk: Talk,
}

impl<J: Journal + 'static> Poller<J> {
    /// Sets the thread up.
    ///
    /// # Errors
    /// The operating system gives no poll or waker, or the origin needs TLS that is not configured.
    pub fn new(spec: Spec, updates: Arc<Updates<J>>, clock: Clock) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let now = clock.mono();
        let addresses = spec.origin.resolve().unwrap_or_default();
        let tokens = WAKE.0 + 1..usize::MAX >> 1;
        let mut config =
            ClientConfig { per_pool_max: CONNECTIONS, answer: HOLD + ANSWER, ..ClientConfig::default() };
        config.limits.body_bytes = BODY_BYTES;
        let client = Client::new(poll.registry(), tokens, spec.origin, addresses, spec.tls, config, now)?;
        let polled =
            |(bot, head)| Polled { bot, feed: Feed::new(now), talk: Talk::new(bot, head, spec.allowed) };
        Ok(Self {
            updates,
            clock,
            poll,
            waker,
            client,
            polls: Polls::new(),
            bots: spec.bots.into_iter().map(polled).collect(),
            clear_webhooks: spec.clear_webhooks,
            request: Vec::new(),
            stop: Arc::default(),
            stop_by: None,
        })
    }

    /// To be woken after each commit.
    #[must_use]
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn spawn(self) -> io::Result<Handle> {
        let (stop, waker) = (Arc::clone(&self.stop), self.waker());
        let thread = thread::Builder::new().name("polling".into()).spawn(move || self.run())?;
        Ok(Handle { stop, waker, thread })
    }

    fn run(mut self) {
        let mut events = Events::with_capacity(256);
        loop {
            self.ask(self.clock.mono());
            if self.stopped(self.clock.mono()) {
                return;
            }
            let timeout = self.timeout(self.clock.mono());
            if let Err(e) = self.poll.poll(&mut events, timeout)
                && e.kind() != io::ErrorKind::Interrupted
            {
                say!(Error, "the poll of the polling thread failed", error = e);
                thread::sleep(Duration::from_millis(100));
            }
            let now = self.clock.now();
            for event in &events {
                if event.token() != WAKE {
                    self.client.handle_event(event, now.mono);
                }
            }
            self.client.handle_timeout(now.mono);
            while let Some(Done { tag, result }) = self.client.poll_done() {
                self.answered(now, tag, result);
            }
            if self.stop_by.is_none() && self.stop.load(Ordering::Acquire) {
                self.stop_by = Some(now.mono.after(DRAIN));
                self.bots.iter_mut().for_each(|bot| bot.feed.stop(now.mono));
            }
        }
    }

    /// How long the poll may sleep. Commits wake it.
    fn timeout(&self, now: Nanos) -> Option<Duration> {
        let feeds = self.bots.iter().filter_map(|bot| bot.feed.due());
        feeds.chain(self.client.poll_timeout()).chain(self.stop_by).min().map(|at| at.since(now))
    }

    /// Writes what is due.
    fn ask(&mut self, now: Nanos) {
        let durable = (!self.updates.durable.stalled()).then(|| self.updates.durable.durable());
        for pool in 0..self.bots.len() {
            while let Some(ask) = self.bots[pool].feed.next(now, durable) {
                self.send(now, pool, ask);
            }
        }
    }

    fn send(&mut self, now: Nanos, pool: usize, ask: feed::Ask) {
        let Polled { talk, feed, .. } = &mut self.bots[pool];
        self.request.clear();
        let hold = if feed.may_be_held() { HOLD } else { Duration::ZERO };
        let tag = talk.request(ask, hold, &mut self.request) | (pool as u64) << 32;
        if self.client.send(now, pool, tag, &self.request).is_err() {
            // A connection that was given up is not closed yet.
            feed.troubled(now, feed::Trouble::Failed, false);
        }
    }

    fn answered(&mut self, now: Now, tag: u64, result: Result<Answer, Failure>) {
        let pool = (tag >> 32) as usize;
        let Some(Polled { bot, feed, talk }) = self.bots.get_mut(pool) else { return };
        // Of a call that was given up: nothing of it is confirmed, so nothing of it counts.
        if !talk.awaits(tag as u32) {
            return;
        }
        let Some(asked) = feed.asked() else { return };
        let mut batch = Batch::default();
        let heard = match (&asked, result) {
            (_, Err(failure)) => Word::failed(failure),
            (feed::Ask::Updates(_), Ok(answer)) => {
                decide(&mut self.polls, &self.updates, now, *bot, answer, &mut batch)
            }
            (_, Ok(answer)) => talk::plain(&mut self.polls, answer),
        };
        self.updates.registry.inc_at(names::POLLS, heard.index());
        talk.tell(now.mono, bot.lane, &heard, self.clear_webhooks);
        self.updates.registry.set_at(names::POLLING, bot.lane.index(), u64::from(heard.trouble().is_none()));
        match heard.trouble() {
            None => feed.heard(now.mono, batch),
            Some(trouble) => {
                if let Some(ask) = feed.troubled(now.mono, trouble, self.clear_webhooks) {
                    self.send(now.mono, pool, ask);
                }
            }
        }
    }

    fn stopped(&self, now: Nanos) -> bool {
        self.stop_by.is_some_and(|by| now >= by || self.bots.iter().all(|bot| bot.feed.is_over()))
    }
}

/// Has the engine decide a batch, up to the first update that it puts off.
fn decide<J: Journal>(
    polls: &mut Polls,
    updates: &Updates<J>,
    now: Now,
    bot: Bot,
    mut answer: Answer,
    batch: &mut Batch,
) -> Word {
    let polled = polls.read(answer.status, answer.retry_after, &mut answer.body, |update| {
        match updates.take(now, bot, update) {
            Taken::NotOurs => {}
            Taken::After(after) => batch.after = batch.after.max(after),
            Taken::Busy(_) => {
                batch.busy = true;
                return ControlFlow::Break(());
            }
        }
        batch.last = Some(update.update_id);
        ControlFlow::Continue(())
    });
    Word::of(polled)
}

#[cfg(test)]
mod tests;
