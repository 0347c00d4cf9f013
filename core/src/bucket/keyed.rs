//! Many buckets of one rate and one owner, in bounded memory.
//!
//! What lives here: [`Keyed`]. A key that is not in the map has a full bucket, so a full bucket is never
//! worth keeping: whenever the map would grow, the full ones are thrown out first.

use super::{NotBefore, Rate};
use crate::time::Nanos;
use core::hash::Hash;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

/// Buckets by key, single-owner (`&mut self`). 16 bytes and a control byte per `u64` key that is not full.
///
/// `take` is O(1); a sweep of the full ones is paid for by the insertions since the last one (amortized
/// O(1); at the bound, one sweep per interval at most). At `max_keys` with none full, an unseen key is
/// refused for one interval: memory is bounded and
/// the failure is on the safe side.
#[derive(Debug)]
pub struct Keyed<K> {
    rate: Rate,
    tats: HashMap<K, Nanos, FixedState>,
    /// The length at which the next sweep is due.
    sweep_at: usize,
    /// At the bound, no sweep before this: one per interval.
    rest_until: Nanos,
    max_keys: usize,
    /// What an unseen key is assumed to have: 0 is full, later is spent (after a restart).
    unseen: Nanos,
}

/// The map is not swept below this many keys.
const SWEEP_MIN: usize = 1024;

impl<K: Copy + Eq + Hash> Keyed<K> {
    /// An empty store: every bucket is full. `seed` places the keys.
    #[must_use]
    pub fn new(rate: Rate, max_keys: usize, seed: u64) -> Self {
        Self {
            rate,
            tats: HashMap::with_hasher(FixedState::with_seed(seed)),
            sweep_at: SWEEP_MIN.min(max_keys),
            rest_until: Nanos::ZERO,
            max_keys,
            unseen: Nanos::ZERO,
        }
    }

    /// As [`Keyed::new`], but every bucket counts as emptied at `now`: what to assume after a restart.
    #[must_use]
    pub fn spent(rate: Rate, max_keys: usize, seed: u64, now: Nanos) -> Self {
        Self { unseen: rate.spent(now), ..Self::new(rate, max_keys, seed) }
    }

    /// Whether `key` has a token at `now`; takes none, stores nothing.
    ///
    /// # Errors
    /// [`NotBefore`] with the first instant at which it has one.
    pub fn peek(&self, key: K, now: Nanos) -> Result<(), NotBefore> {
        self.rate.peek(self.tats.get(&key).copied().unwrap_or(self.unseen), now)
    }

    /// Takes a token of `key`.
    ///
    /// # Errors
    /// [`NotBefore`] with the first instant at which there is one; nothing was stored then.
    #[inline]
    pub fn take(&mut self, key: K, now: Nanos) -> Result<(), NotBefore> {
        if self.tats.len() >= self.sweep_at && now >= self.rest_until {
            self.sweep(now);
        }
        let crowded = self.tats.len() >= self.max_keys;
        match self.tats.entry(key) {
            Entry::Occupied(mut held) => {
                self.rate.peek(*held.get(), now)?;
                let next = self.rate.taken(*held.get(), now);
                *held.get_mut() = next;
                Ok(())
            }
            Entry::Vacant(_) if crowded => Err(NotBefore(self.rate.taken(Nanos::ZERO, now))),
            Entry::Vacant(place) => {
                self.rate.peek(self.unseen, now)?;
                place.insert(self.rate.taken(self.unseen, now));
                Ok(())
            }
        }
    }

    /// Keys that are not full, and full ones not yet swept out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tats.len()
    }

    /// Nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tats.is_empty()
    }

    /// Throws the full ones out; the next sweep is due when the map has doubled.
    #[cold]
    fn sweep(&mut self, now: Nanos) {
        self.tats.retain(|_, tat| *tat > now);
        self.sweep_at = (self.tats.len() * 2).max(SWEEP_MIN).min(self.max_keys);
        if self.tats.len() >= self.sweep_at {
            // Nothing was full. Sweeping at every take would make the bound a way to slow us down.
            self.rest_until = self.rate.taken(Nanos::ZERO, now);
        }
    }
}
