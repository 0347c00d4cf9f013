//! Live counters for a progress display: atomics, read without a lock, exact at rest.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// One bot's counters. All only grow, but `pending` and `connections`.
#[derive(Debug, Default)]
pub struct BotCounters {
    /// Messages accepted (each item of an album counts).
    pub accepted: AtomicU64,
    /// Calls of any method that were decided.
    pub calls: AtomicU64,
    /// Answers with status 429.
    pub refused_429: AtomicU64,
    /// Calls before the end of an announced wait.
    pub defiance: AtomicU64,
    /// Sends to users the bot cannot reach.
    pub unreachable: AtomicU64,
    /// Updates that users caused.
    pub updates: AtomicU64,
    /// Updates answered 2xx by the webhook.
    pub delivered: AtomicU64,
    /// Attempts that failed.
    pub delivery_failures: AtomicU64,
    /// Connects to the webhook that nobody took.
    pub connects_failed: AtomicU64,
    /// Updates lost to a full queue or to expiry.
    pub updates_lost: AtomicU64,
    /// Updates that wait now, in flight included.
    pub pending: AtomicUsize,
    /// Open webhook connections now.
    pub connections: AtomicUsize,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// All bots' counters at one moment, summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub accepted: u64,
    pub calls: u64,
    pub refused_429: u64,
    pub defiance: u64,
    pub unreachable: u64,
    pub updates: u64,
    pub delivered: u64,
    pub delivery_failures: u64,
    pub connects_failed: u64,
    pub updates_lost: u64,
    pub pending: usize,
    pub connections: usize,
}

impl Totals {
    pub(crate) fn add(&mut self, bot: &BotCounters) {
        let read = |c: &AtomicU64| c.load(Ordering::Relaxed);
        self.accepted += read(&bot.accepted);
        self.calls += read(&bot.calls);
        self.refused_429 += read(&bot.refused_429);
        self.defiance += read(&bot.defiance);
        self.unreachable += read(&bot.unreachable);
        self.updates += read(&bot.updates);
        self.delivered += read(&bot.delivered);
        self.delivery_failures += read(&bot.delivery_failures);
        self.connects_failed += read(&bot.connects_failed);
        self.updates_lost += read(&bot.updates_lost);
        self.pending += bot.pending.load(Ordering::Relaxed);
        self.connections += bot.connections.load(Ordering::Relaxed);
    }
}
