//! One user's cell, and the table of them.
//!
//! What lives here: [`Cell`] (state, open envelopes, rate) and [`Cells`], a sharded map from which a cell
//! is *copied out* as an `Arc`: no guard of the map ever lives across another call, because a dashmap
//! guard held while the same thread touches the map again deadlocks. Only the engine uses it.

use super::ties::Ties;
use crate::bot::Meeting;
use crate::envelope::{Conversation, Envelope};
use crate::gate::rate::Spell;
use crate::id::{EnvelopeId, UserId};
use crate::limits::INFORMS_PER_DECISION_MAX;
use crate::sync::lock::{Mutex, MutexGuard};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use dashmap::DashMap;
use foldhash::fast::FixedState;
use std::sync::Arc;

/// What is kept of one user of one kind, changed under its own lock. About 100 bytes at rest.
#[derive(Default)]
pub(super) struct Cell {
    /// The kind's state, encoded; empty is the default state.
    pub state: Box<[u8]>,
    /// Counts the frames that changed it; checked at replay.
    pub version: u32,
    /// Envelopes without an end, oldest first.
    pub open: Vec<Open>,
    pub spell: Spell,
    /// What ties him to others; none for who never wanted anything of that kind.
    pub ties: Option<Box<Ties>>,
}

/// An envelope without an end, as its user's cell knows it.
pub(super) struct Open {
    pub id: EnvelopeId,
    pub question: u64,
    /// Its place in the queue of its kind; 0 if it takes no turn.
    pub stamp: u64,
    pub in_flight: bool,
}

impl Open {
    /// Questions of one user that a bot is shown, at most.
    pub(super) const QUESTIONS_SHOWN: usize = 16;

    pub(super) const fn of(envelope: &Envelope, stamp: u64) -> Self {
        Self { id: envelope.id, question: envelope.question, stamp, in_flight: false }
    }
}

impl Cell {
    /// Where he stands, as the journal says.
    pub(super) fn meeting(&self) -> Meeting {
        self.ties.as_ref().map_or(Meeting::Apart, |ties| ties.meeting())
    }

    /// His ties, made if there are none.
    pub(super) fn ties(&mut self) -> &mut Ties {
        self.ties.get_or_insert_default()
    }
    /// Writes the questions that wait and are not in flight into `questions`; returns how many, and the
    /// stamp of the first that takes a turn.
    pub(super) fn waiting(&self, questions: &mut [u64]) -> (usize, Option<u64>) {
        let mut n = 0;
        let mut first = None;
        for open in self.open.iter().filter(|o| !o.in_flight) {
            if open.question != 0 && n < questions.len() {
                questions[n] = open.question;
                n += 1;
            }
            if open.stamp != 0 && first.is_none() {
                first = Some(open.stamp);
            }
        }
        (n, first)
    }
}

/// All cells.
pub(super) struct Cells {
    map: DashMap<Conversation, Arc<Mutex<Cell>>, FixedState>,
    made: AtomicU64,
}

impl Cells {
    /// Dashmap takes its shard count from the number of cores, which on small machines is too few:
    /// measured, 1,024 shards are 2.4 times faster at two threads.
    const SHARDS: usize = 1024;

    pub(super) fn new(seed: u64) -> Self {
        let hasher = FixedState::with_seed(seed);
        let map = DashMap::with_capacity_and_hasher_and_shard_amount(0, hasher, Self::SHARDS);
        Self { map, made: AtomicU64::new(0) }
    }

    /// The cell of a conversation, made if there is none.
    pub(super) fn of(&self, conversation: Conversation) -> Arc<Mutex<Cell>> {
        if let Some(cell) = self.map.view(&conversation, |_, cell| Arc::clone(cell)) {
            return cell;
        }
        Arc::clone(&self.map.entry(conversation).or_insert_with(|| {
            self.made.fetch_add(1, Relaxed);
            Arc::default()
        }))
    }

    /// Every user of whom something is kept, in no order. No lock of the table is held meanwhile.
    pub(super) fn all(&self) -> Vec<(Conversation, Arc<Mutex<Cell>>)> {
        self.map.iter().map(|entry| (*entry.key(), Arc::clone(entry.value()))).collect()
    }

    /// How many there are, at no cost.
    pub(super) fn made(&self) -> u64 {
        self.made.load(Relaxed)
    }

    /// Whether anything is kept of a conversation.
    pub(super) fn has(&self, conversation: Conversation) -> bool {
        self.map.contains_key(&conversation)
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }
}

/// Cells that one turn may need.
const THOSE: usize = 3 + INFORMS_PER_DECISION_MAX;

/// Whose cells one turn needs: at most the user's own, his partner's, that of someone he blocks, and those of
/// whom he informs.
pub(super) type Those = [Option<UserId>; THOSE];

/// One alone, or two.
pub(super) const fn those(one: UserId, other: Option<UserId>) -> Those {
    let mut those = [None; THOSE];
    (those[0], those[1]) = (Some(one), other);
    those
}

/// The cells of one turn before they are locked.
pub(super) struct Taken {
    cells: [Option<(UserId, Arc<Mutex<Cell>>)>; THOSE],
}

impl Taken {
    /// The cells of these users of one kind, each once, in the order of their ids: the order in which
    /// everyone locks.
    pub(super) fn of(cells: &Cells, conversation: Conversation, mut those: Those) -> Self {
        those.sort_unstable();
        let mut last = None;
        let cells = those.map(|user| {
            let user = user.filter(|user| last != Some(*user))?;
            last = Some(user);
            Some((user, cells.of(Conversation { user, ..conversation })))
        });
        Self { cells }
    }

    /// Locks them. Nobody waits for a second user's lock except here.
    pub(super) fn lock(&self) -> Locked<'_> {
        fn lock(cell: &Option<(UserId, Arc<Mutex<Cell>>)>) -> Option<(UserId, MutexGuard<'_, Cell>)> {
            cell.as_ref().map(|(user, cell)| (*user, cell.lock()))
        }
        // One after another, by name: the order of locking is the point.
        let [a, b, c, d, e] = &self.cells;
        let (a, b, c, d, e) = (lock(a), lock(b), lock(c), lock(d), lock(e));
        Locked { held: [a, b, c, d, e] }
    }
}

/// The cells of one turn, locked.
pub(super) struct Locked<'a> {
    held: [Option<(UserId, MutexGuard<'a, Cell>)>; THOSE],
}

impl Locked<'_> {
    /// His cell, if it is among them.
    pub(super) fn cell(&mut self, user: UserId) -> Option<&mut Cell> {
        self.held.iter_mut().flatten().find(|(held, _)| *held == user).map(|(_, cell)| &mut **cell)
    }

    /// Whether all of them are locked.
    pub(super) fn has(&self, those: &Those) -> bool {
        those.iter().flatten().all(|user| self.held.iter().flatten().any(|(held, _)| held == user))
    }
}
