//! Many buckets of one rate and one owner, in bounded memory.
//!
//! What lives here: [`Keyed`]. A key that is not in the table has a full bucket, so a full bucket is never
//! worth keeping: whoever comes takes the place of a full one that he meets on the way to his own, and
//! before the table would grow, the full ones are left out.

use super::{NotBefore, Rate};
use crate::time::Nanos;
use core::hash::{BuildHasher, Hash};
use foldhash::fast::FixedState;

/// Slots of the smallest table: 16 KB for keys of eight bytes, which stays in the nearest cache.
const SLOTS_MIN: usize = 1024;

/// Buckets by key, single-owner (`&mut self`). 26 to 69 bytes per `u64` key that is not full, above
/// 16 KB.
///
/// `take` is O(1) expected (linear probing, at most 5/8 full: Knuth, TAOCP 3, 6.4); a sweep of the full ones is
/// paid for by the insertions since the last one (amortized O(1); at the bound, one sweep per interval at
/// most). At `max_keys` with none full, an unseen key is refused for one interval: memory is bounded and
/// the failure is on the safe side.
#[derive(Debug)]
pub struct Keyed<K> {
    rate: Rate,
    /// A power of two of slots, or none before the first take. An arrival time of 0 marks one that was
    /// never used; no bucket that is worth keeping has it.
    slots: Vec<(K, Nanos)>,
    /// Slots that were ever used since the last sweep.
    used: usize,
    /// The number of used slots at which the next sweep is due.
    sweep_at: usize,
    /// At the bound, no sweep before this: one per interval.
    rest_until: Nanos,
    max_keys: usize,
    /// What an unseen key is assumed to have: 0 is full, later is spent (after a restart).
    unseen: Nanos,
    hasher: FixedState,
}

/// Used slots that a table of so many bears.
const fn bears(slots: usize) -> usize {
    slots / 8 * 5
}

impl<K: Copy + Eq + Hash> Keyed<K> {
    /// An empty store: every bucket is full. `seed` places the keys.
    #[must_use]
    pub fn new(rate: Rate, max_keys: usize, seed: u64) -> Self {
        Self {
            rate,
            slots: Vec::new(),
            used: 0,
            sweep_at: 0,
            rest_until: Nanos::ZERO,
            max_keys,
            unseen: Nanos::ZERO,
            hasher: FixedState::with_seed(seed),
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
        let held = if self.slots.is_empty() { Err(0) } else { self.find(key, now) };
        self.rate.peek(held.map_or(self.unseen, |at| self.slots[at].1), now)
    }

    /// Takes a token of `key`.
    ///
    /// # Errors
    /// [`NotBefore`] with the first instant at which there is one; nothing was stored then.
    #[inline]
    pub fn take(&mut self, key: K, now: Nanos) -> Result<(), NotBefore> {
        if self.used >= self.sweep_at && now >= self.rest_until {
            self.sweep(key, now);
        }
        match self.find(key, now) {
            Ok(at) => {
                let tat = &mut self.slots[at].1;
                self.rate.peek(*tat, now)?;
                *tat = self.rate.taken(*tat, now);
            }
            Err(at) => {
                let fresh = self.slots[at].1 == Nanos::ZERO;
                if fresh && self.used >= self.max_keys {
                    return Err(NotBefore(self.rate.taken(Nanos::ZERO, now)));
                }
                self.rate.peek(self.unseen, now)?;
                let tat = self.rate.taken(self.unseen, now);
                self.slots[at] = (key, tat);
                // A rate that never refuses leaves nothing to keep at the beginning of time.
                self.used += usize::from(fresh && tat != Nanos::ZERO);
            }
        }
        Ok(())
    }

    /// Keys that are not full, and full ones not yet swept out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.used
    }

    /// Nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// The key's slot, or the one to put it in: the first on its way that is full at `now`, else the unused
    /// one at which its way ends. There is one, and a table, once [`Keyed::sweep`] was called.
    #[inline]
    fn find(&self, key: K, now: Nanos) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut at = self.hasher.hash_one(key) as usize & mask;
        let mut place = None;
        loop {
            let (held, tat) = self.slots[at];
            if tat == Nanos::ZERO {
                return Err(place.unwrap_or(at));
            }
            if held == key {
                return Ok(at);
            }
            if tat <= now && place.is_none() {
                place = Some(at);
            }
            at = (at + 1) & mask;
        }
    }

    /// Leaves the full ones out, and makes the table so large that a quarter of what it bears is free.
    #[cold]
    fn sweep(&mut self, filler: K, now: Nanos) {
        let kept: Vec<(K, Nanos)> = self.slots.iter().copied().filter(|(_, tat)| *tat > now).collect();
        let mut slots = SLOTS_MIN;
        while bears(slots) / 4 * 3 < kept.len() {
            slots *= 2;
        }
        self.slots.clear();
        self.slots.resize(slots, (filler, Nanos::ZERO));
        (self.used, self.sweep_at) = (kept.len(), bears(slots).min(self.max_keys));
        for (key, tat) in kept {
            let (Ok(at) | Err(at)) = self.find(key, Nanos::ZERO);
            self.slots[at] = (key, tat);
        }
        if self.used >= self.sweep_at {
            // Nothing was full. Sweeping at every take would make the bound a way to slow us down.
            self.rest_until = self.rate.taken(Nanos::ZERO, now);
        }
    }
}
