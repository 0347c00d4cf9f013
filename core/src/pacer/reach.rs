//! Which lanes reach whom: homes, what was learned by trying, and what is no longer tried.
//!
//! What lives here: [`ReachMode`], [`ReachLearned`], the store of what is known per user, and a lane's
//! record of tries. A bot can write only to users who started it, and nothing but trying or an update
//! from the user tells whether he did.
//!
//! Only one fact per user matters, *does his home lane reach him*, because the lane he wrote to does. It is
//! kept in two bits beside the user's number: 8 bytes and a control byte per user about whom anything is
//! known. The engine makes it durable ([`ReachLearned`]) and gives it back at recovery.

use crate::id::{LaneIx, UserId};
use core::hash::BuildHasher;
use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Whether a user's home lane may be used before it is known to reach him.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReachMode {
    /// Always, until it refuses: all bots are started by all users.
    All,
    /// Once per user; the answer is remembered. A lane that refused 90 % of its last tries (64, at least
    /// 20) is not tried any more, except for one of [`PROBE_EVERY`] users.
    Try,
    /// Only if it is known to reach him.
    Known,
}

/// In mode [`ReachMode::Try`], a lane that refuses most is still tried once in this many chances.
pub const PROBE_EVERY: u32 = 64;

/// What a verdict taught. To be made durable, and given to [`super::Pacer::learn`] at recovery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReachLearned {
    /// Whom.
    pub user: UserId,
    /// Which lane: his home.
    pub lane: LaneIx,
    /// Whether it reaches him.
    pub reached: bool,
}

/// What is known of a user's home lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Reach {
    Unknown = 0,
    Reached = 1,
    Refused = 2,
}

/// User numbers (52 bits on Telegram) above the two bits of what is known of them.
#[derive(Clone, Debug)]
pub(super) struct ReachStore {
    table: HashTable<u64>,
    hasher: FixedState,
}

impl ReachStore {
    pub(super) fn new(seed: u64) -> Self {
        Self { table: HashTable::new(), hasher: FixedState::with_seed(seed) }
    }

    #[inline]
    pub(super) fn get(&self, user: UserId) -> Reach {
        if self.table.is_empty() { Reach::Unknown } else { self.look_up(user) }
    }

    fn look_up(&self, user: UserId) -> Reach {
        let packed = self.table.find(self.hasher.hash_one(user.0), |entry| entry >> 2 == user.0);
        match packed.map_or(0, |entry| entry & 3) {
            1 => Reach::Reached,
            2 => Reach::Refused,
            _ => Reach::Unknown,
        }
    }

    pub(super) fn set(&mut self, user: UserId, reach: Reach) {
        // Two bits of the number are lost: no platform has users that far up, and one that had would only
        // go without a memory of his home lane.
        if user.0 > u64::MAX >> 2 {
            return;
        }
        let packed = user.0 << 2 | reach as u64;
        let hasher = &self.hasher;
        let rehash = |entry: &u64| hasher.hash_one(entry >> 2);
        match self.table.entry(hasher.hash_one(user.0), |entry| entry >> 2 == user.0, rehash) {
            hashbrown::hash_table::Entry::Occupied(mut held) => *held.get_mut() = packed,
            hashbrown::hash_table::Entry::Vacant(place) => {
                place.insert(packed);
            }
        }
    }

    /// Forgets everybody for whom `gone` holds.
    pub(super) fn forget(&mut self, mut gone: impl FnMut(UserId) -> bool) {
        self.table.retain(|entry| !gone(UserId(*entry >> 2)));
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }
}

/// A lane's last tries with users of whom nothing was known.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Tries {
    /// One bit per try, the newest lowest; set if refused.
    refused: u64,
    count: u8,
    /// Chances passed over since the lane is distrusted.
    skipped: u32,
}

impl Tries {
    pub(super) fn record(&mut self, reached: bool) {
        self.refused = self.refused << 1 | u64::from(!reached);
        self.count = (self.count + 1).min(64);
    }

    /// At least 90 % of the last 64 tries (at least 20) were refused.
    pub(super) fn distrusted(self) -> bool {
        self.count >= 20 && self.refused.count_ones() * 10 >= u32::from(self.count) * 9
    }

    /// Whether to try now: yes, unless the lane is distrusted and this is not the rare probe.
    pub(super) fn admits(&mut self) -> bool {
        if !self.distrusted() {
            self.skipped = 0;
            return true;
        }
        self.skipped += 1;
        if self.skipped < PROBE_EVERY {
            return false;
        }
        self.skipped = 0;
        true
    }
}

/// The home of each user: `user_id % homes`, through a table that lets one lane stand in for another.
#[derive(Clone, Debug)]
pub(super) struct Homes {
    lanes: Vec<LaneIx>,
}

impl Homes {
    pub(super) fn new(homes: u16) -> Self {
        Self { lanes: (0..homes.max(1)).map(LaneIx).collect() }
    }

    #[inline]
    pub(super) fn of(&self, user: UserId) -> LaneIx {
        self.lanes[user.home(self.lanes.len() as u16).index()]
    }

    /// Makes `stand_in` the home of everybody whose home `lane` is.
    pub(super) fn replace(&mut self, lane: LaneIx, stand_in: LaneIx) {
        for home in self.lanes.iter_mut().filter(|home| **home == lane) {
            *home = stand_in;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_is_remembered_and_can_be_forgotten() {
        let mut store = ReachStore::new(1);
        for user in 1..=1_000u64 {
            store.set(UserId(user), if user % 2 == 0 { Reach::Reached } else { Reach::Refused });
        }
        store.set(UserId(2), Reach::Refused);
        assert_eq!(store.get(UserId(2)), Reach::Refused);
        assert_eq!(store.get(UserId(1_000)), Reach::Reached);
        assert_eq!(store.get(UserId(1_001)), Reach::Unknown);
        store.forget(|user| user.0 > 10);
        assert_eq!((store.len(), store.get(UserId(1_000))), (10, Reach::Unknown));
    }

    #[test]
    fn numbers_at_the_edge_are_not_mixed_up() {
        let mut store = ReachStore::new(1);
        store.set(UserId((1 << 52) - 1), Reach::Reached);
        store.set(UserId(u64::MAX), Reach::Refused);
        assert_eq!(store.get(UserId((1 << 52) - 1)), Reach::Reached);
        assert_eq!(store.get(UserId(u64::MAX)), Reach::Unknown);
    }

    #[test]
    fn a_lane_that_refuses_most_tries_is_only_probed_until_it_reaches_again() {
        let mut tries = Tries::default();
        for _ in 0..19 {
            tries.record(false);
            assert!(tries.admits());
        }
        tries.record(false);
        let admitted = (0..640).filter(|_| tries.admits()).count();
        assert_eq!(admitted, 10);
        for _ in 0..7 {
            tries.record(true);
        }
        assert!(tries.admits());
    }

    #[test]
    fn a_stand_in_takes_over_one_home_and_moves_nobody_else() {
        let mut homes = Homes::new(17);
        let before: Vec<LaneIx> = (0..1_000).map(|u| homes.of(UserId(u))).collect();
        homes.replace(LaneIx(3), LaneIx(17));
        for (user, before) in (0..).zip(before) {
            let now = homes.of(UserId(user));
            assert_eq!(now, if before == LaneIx(3) { LaneIx(17) } else { before });
        }
    }
}
