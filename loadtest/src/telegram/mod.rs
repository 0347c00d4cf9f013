//! An emulated Telegram Bot API server.
//!
//! What lives here: the platform as a bot meets it, on loopback. Methods in all forms clients send, exact
//! error bodies, webhooks with the server's own delivery rules, limits, reach, latency and faults on request.
//! The rehearsal runs it in its own process; `nobat-load emulate` runs it alone. Which behaviour is fact and
//! which a model is told in `docs/emulator.md`.
//!
//! [`Emulator`] is the whole API. It runs on one thread of its own with its own runtime, so that it takes one
//! core at most and never waits for its user; every method may be called from anywhere. What it must not do:
//! share code with the server under test.

mod act;
mod bodies;
mod chats;
mod clock;
mod config;
mod control;
mod counters;
mod delivery;
mod dice;
mod fault;
mod json;
mod latency;
mod limits;
mod members;
mod methods;
mod params;
mod reach;
mod server;
mod shapes;
mod update;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

pub use clock::Clock;
pub use config::{BotSpec, EmulatorConfig, UnknownToken};
pub use counters::{BotCounters, Totals};
pub use delivery::DeliveryRules;
pub use fault::{Fault, FaultId, FaultKind};
pub use latency::Latency;
pub use limits::{Defiance, Limits, Rate, WaitScope, Window};
pub use reach::{Form, Reach};
pub use update::Submit;

use crate::wire::{At, BotIx, Wire};
use methods::{Incoming, decide};
use params::Params;
use reach::Known;
use world::World;

/// A running emulated platform. Dropping it stops it without waiting.
pub struct Emulator {
    world: Arc<World>,
    addr: SocketAddr,
    stopped: Option<oneshot::Receiver<()>>,
}

impl Emulator {
    /// Starts listening, on a thread of its own. Every event goes to `events`.
    ///
    /// # Errors
    /// The address cannot be bound, the token list has doubles, or the thread cannot be started.
    pub fn start(config: EmulatorConfig, events: UnboundedSender<Wire>) -> io::Result<Self> {
        let world = Arc::new(World::new(config, events));
        if world.tokens.len() != world.bots.len() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "two bots have the same token"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Set once, here: the world is new.
        let _ = world.runtime.set(runtime.handle().clone());
        let listener = {
            let _inside = runtime.enter();
            server::bind(world.config.listen)?
        };
        let addr = listener.local_addr()?;
        let (done, stopped) = oneshot::channel();
        let shared = Arc::clone(&world);
        std::thread::Builder::new().name("telegram".into()).spawn(move || {
            runtime.block_on(run(shared, listener));
            drop(runtime);
            // Nobody may be waiting.
            let _ = done.send(());
        })?;
        Ok(Self { world, addr, stopped: Some(stopped) })
    }

    /// Where it listens: `http://<addr>` is the API root.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The clock all events are stamped on.
    pub fn clock(&self) -> Clock {
        self.world.clock
    }

    /// Time since the start.
    pub fn now(&self) -> At {
        self.world.clock.now()
    }

    /// A user does something: queues the update and tells [`Wire::Update`]. Returns its id, or `None` if the
    /// platform keeps no such update: no such bot, a kind the bot did not allow, a full queue.
    pub fn submit(&self, submit: Submit) -> Option<i64> {
        update::submit(&self.world, submit)
    }

    /// Performs a method as if `bot` had called it over HTTP: status and body. `None`: no such bot.
    /// Must run inside a tokio runtime if a silent delay is configured.
    pub async fn call(&self, bot: BotIx, method: &str, params: Map<String, Value>) -> Option<(u16, Bytes)> {
        let found = self.world.bots.get(bot)?;
        let method = method.to_ascii_lowercase();
        let params = Params { map: params, files: Vec::new() };
        let (arrived_at, answer_after) = (self.now(), Duration::ZERO);
        let polls = method == "getupdates";
        let conflict = if polls { methods::poll::wait(&self.world, found, &params).await } else { None };
        let call = Incoming { method, params, line: None, arrived_at, answer_after, conflict };
        let answer = decide(&self.world, found, call).await;
        Some((answer.status, answer.body))
    }

    /// Adds a fault; it is in force until its end, its count, or [`Self::lift`].
    pub fn fault(&self, fault: Fault) -> FaultId {
        set_fault(&self.world, fault)
    }

    /// Takes a fault away.
    pub fn lift(&self, fault: FaultId) {
        if let Some(fault) = self.world.faults.remove(fault) {
            let what = format!("off: {}", fault.describe());
            self.world.tell(Wire::Fault { at: self.now(), what });
        }
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        clear_faults(&self.world);
    }

    /// A user starts or blocks a bot, outside of any update's text.
    pub fn set_reach(&self, bot: BotIx, user: u64, reachable: bool) {
        set_reach(&self.world, bot, user, reachable);
    }

    /// A user joins or leaves a channel, outside of any update.
    pub fn set_member(&self, channel: i64, user: u64, member: bool) {
        self.world.members.set(channel, user, member);
    }

    /// Limits are not judged until this is called with `false`: to fill a bot with users before a rehearsal.
    pub fn set_lenient(&self, lenient: bool) {
        self.world.lenient.store(lenient, std::sync::atomic::Ordering::Relaxed);
    }

    /// True once the bot has a webhook.
    pub fn webhook_ready(&self, bot: BotIx) -> bool {
        self.world.bots.get(bot).is_some_and(|b| b.state().webhook.is_some())
    }

    /// True once the bot has asked for updates.
    pub fn was_polled(&self, bot: BotIx) -> bool {
        self.world.bots.get(bot).is_some_and(|b| b.state().poll_epoch > 0)
    }

    /// Updates of the bot that wait or are in flight.
    pub fn queue_len(&self, bot: BotIx) -> usize {
        self.world.bots.get(bot).map_or(0, |b| b.state().queue.len())
    }

    /// The live counters of each bot, by index.
    pub fn counters(&self) -> Vec<Arc<BotCounters>> {
        self.world.bots.iter().map(|b| Arc::clone(&b.counters)).collect()
    }

    /// All bots' counters at this moment, summed.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for bot in &self.world.bots {
            totals.add(&bot.counters);
        }
        totals
    }

    /// Stops listening and delivering, and waits until the port is free. What was not delivered is gone.
    pub async fn stop(mut self) {
        self.world.stopping.send_replace(true);
        if let Some(stopped) = self.stopped.take() {
            let _ = stopped.await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.world.stopping.send_replace(true);
    }
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// Everything that runs on the emulator's thread.
async fn run(world: Arc<World>, listener: tokio::net::TcpListener) {
    for ix in 0..world.bots.len() {
        tokio::spawn(delivery::pump::plan(Arc::clone(&world), ix));
    }
    server::accept(world, listener).await;
}

fn set_reach(world: &World, bot: BotIx, user: u64, reachable: bool) {
    let (Some(found), Ok(chat)) = (world.bots.get(bot), i64::try_from(user)) else { return };
    let mut state = found.state();
    state.chats.entry(chat).known = if reachable { Known::Started } else { Known::Blocked };
    world.tell(Wire::Reach { at: world.clock.now(), bot, user, reachable });
}

/// Puts a fault in force. Its beginning and its end are told when they come.
fn set_fault(world: &Arc<World>, fault: Fault) -> FaultId {
    let (begins, ends, name) = (fault.begins(), fault.ends(), fault.describe());
    let id = world.faults.add(fault);
    if begins <= world.clock.now() {
        world.tell(Wire::Fault { at: world.clock.now(), what: format!("on: {name}") });
    } else {
        tell_later(world, id, begins, format!("on: {name}"), false);
    }
    if let Some(ends) = ends {
        tell_later(world, id, ends, format!("off: {name}"), true);
    }
    id
}

/// Tells at `at`, unless the fault was lifted before; `over` takes it off the book.
fn tell_later(world: &Arc<World>, id: FaultId, at: At, what: String, over: bool) {
    let Some(runtime) = world.runtime.get() else { return };
    let world = Arc::clone(world);
    runtime.spawn(async move {
        tokio::time::sleep_until(world.clock.instant(at)).await;
        let there = if over { world.faults.remove(id).is_some() } else { world.faults.holds(id) };
        if there {
            world.tell(Wire::Fault { at: world.clock.now(), what });
        }
    });
}

fn clear_faults(world: &World) {
    for fault in world.faults.clear() {
        world.tell(Wire::Fault { at: world.clock.now(), what: format!("off: {}", fault.describe()) });
    }
}
