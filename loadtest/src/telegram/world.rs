//! The shared state of one emulated platform. Rooms reach each other's data only through here.
//!
//! Each bot has one lock over its state; it is held for one decision at a time and never across an await.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, watch};

use super::chats::Chats;
use super::clock::Clock;
use super::config::{BotSpec, EmulatorConfig};
use super::counters::BotCounters;
use super::delivery::queue::Queue;
use super::delivery::ramp::Ramp;
use super::dice::{Dice, mix};
use super::fault::{FaultBook, lock};
use super::limits::TokenBook;
use super::members::Members;
use super::methods::callbacks::Callbacks;
use super::methods::money::Till;
use super::methods::webhook::Webhook;
use super::reach::ReachRule;
use crate::wire::{At, BotIx, Wire};

/// One emulated platform.
pub(crate) struct World {
    pub(crate) config: EmulatorConfig,
    pub(crate) clock: Clock,
    pub(crate) bots: Vec<Bot>,
    pub(crate) tokens: HashMap<String, BotIx>,
    pub(crate) faults: FaultBook,
    pub(crate) reach: ReachRule,
    pub(crate) dice: Dice,
    pub(crate) members: Members,
    /// Limits are not judged for a while.
    pub(crate) lenient: AtomicBool,
    events: UnboundedSender<Wire>,
    /// The emulator's runtime, for timers set from other threads.
    pub(crate) runtime: std::sync::OnceLock<tokio::runtime::Handle>,
    /// First uses of tokens, oldest first.
    pub(crate) first_uses: Mutex<std::collections::VecDeque<At>>,
    /// Turns `true` once, when the emulator stops.
    pub(crate) stopping: watch::Sender<bool>,
}

/// One registered bot.
pub(crate) struct Bot {
    pub(crate) ix: BotIx,
    pub(crate) id: u64,
    pub(crate) spec: BotSpec,
    pub(crate) counters: Arc<BotCounters>,
    state: Mutex<BotState>,
    /// Its token was used before.
    pub(crate) used: AtomicBool,
    /// The delivery planner has something to look at.
    pub(crate) work: Notify,
    /// An idle webhook connection may take an update.
    pub(crate) idle: Notify,
    /// A long poll may have something to answer.
    pub(crate) poll: Notify,
}

/// What changes.
pub(crate) struct BotState {
    pub(crate) chats: Chats,
    pub(crate) token: TokenBook,
    /// The last decision: the next is never earlier.
    pub(crate) decided_at: At,
    pub(crate) next_update_id: i64,
    pub(crate) queue: Queue,
    pub(crate) ramp: Ramp,
    pub(crate) webhook: Option<Arc<Webhook>>,
    /// Grows with every change of the webhook: connections of an older epoch close.
    pub(crate) epoch: u64,
    /// Grows with every `getUpdates`: an older one is terminated.
    pub(crate) poll_epoch: u64,
    pub(crate) connections: usize,
    pub(crate) idle_connections: usize,
    /// Empty: the platform's default set.
    pub(crate) allowed_updates: Vec<String>,
    pub(crate) last_error: Option<(u64, String)>,
    pub(crate) gone_since: Option<At>,
    /// The next `setWebhook` is refused before this.
    pub(crate) webhook_free_at: At,
    pub(crate) callbacks: Callbacks,
    pub(crate) till: Till,
}

impl Bot {
    pub(crate) fn state(&self) -> MutexGuard<'_, BotState> {
        lock(&self.state)
    }

    /// Publishes the gauges that change under the lock.
    pub(crate) fn publish(&self, state: &BotState) {
        self.counters.pending.store(state.queue.len(), Ordering::Relaxed);
        self.counters.connections.store(state.connections, Ordering::Relaxed);
    }
}

impl World {
    pub(crate) fn new(config: EmulatorConfig, events: UnboundedSender<Wire>) -> Self {
        let reach = ReachRule { reach: config.reach, form: config.unreachable_form, seed: config.seed };
        let bots: Vec<Bot> =
            config.bots.iter().enumerate().map(|(ix, spec)| new_bot(ix, spec, config.seed)).collect();
        let tokens = bots.iter().map(|bot| (bot.spec.token.clone(), bot.ix)).collect();
        Self {
            clock: Clock::start(),
            dice: Dice::new(config.seed),
            members: Members::new(config.channels.clone()),
            lenient: AtomicBool::new(false),
            faults: FaultBook::default(),
            runtime: std::sync::OnceLock::new(),
            first_uses: Mutex::default(),
            stopping: watch::Sender::new(false),
            bots,
            tokens,
            reach,
            events,
            config,
        }
    }

    /// Tells the auditor. A listener that went away is no reason to stop.
    pub(crate) fn tell(&self, event: Wire) {
        let _ = self.events.send(event);
    }
}

fn new_bot(ix: BotIx, spec: &BotSpec, seed: u64) -> Bot {
    let chance = mix(seed, ix as u64 + 1);
    let state = BotState {
        // First ids differ by bot and seed, so that an id used with the wrong bot is noticed.
        chats: Chats::new((chance % 10_000) as i64),
        token: TokenBook::default(),
        decided_at: At::ZERO,
        next_update_id: 100_000_000 + (mix(chance, 1) % 800_000_000) as i64,
        queue: Queue::default(),
        ramp: Ramp::default(),
        webhook: None,
        epoch: 0,
        poll_epoch: 0,
        connections: 0,
        idle_connections: 0,
        allowed_updates: Vec::new(),
        last_error: None,
        gone_since: None,
        webhook_free_at: At::ZERO,
        callbacks: Callbacks::default(),
        till: Till::default(),
    };
    Bot {
        ix,
        id: spec.token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or(ix as u64 + 1),
        spec: spec.clone(),
        counters: Arc::default(),
        state: Mutex::new(state),
        used: AtomicBool::new(false),
        work: Notify::new(),
        idle: Notify::new(),
        poll: Notify::new(),
    }
}
