//! One user's cell, and the table of them.
//!
//! What lives here: [`Cell`] (state, open envelopes, rate) and [`Cells`], a sharded map from which a cell
//! is *copied out* as an `Arc`: no guard of the map ever lives across another call, because a dashmap
//! guard held while the same thread touches the map again deadlocks. Only the engine uses it.

use crate::envelope::{Conversation, Envelope};
use crate::gate::rate::Spell;
use crate::id::EnvelopeId;
use dashmap::DashMap;
use foldhash::fast::FixedState;
use parking_lot::Mutex;
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
}

impl Cells {
    /// Dashmap takes its shard count from the number of cores, which on small machines is too few:
    /// measured, 1,024 shards are 2.4 times faster at two threads.
    const SHARDS: usize = 1024;

    pub(super) fn new(seed: u64) -> Self {
        let hasher = FixedState::with_seed(seed);
        Self { map: DashMap::with_capacity_and_hasher_and_shard_amount(0, hasher, Self::SHARDS) }
    }

    /// The cell of a conversation, made if there is none.
    pub(super) fn of(&self, conversation: Conversation) -> Arc<Mutex<Cell>> {
        if let Some(cell) = self.map.view(&conversation, |_, cell| Arc::clone(cell)) {
            return cell;
        }
        Arc::clone(&self.map.entry(conversation).or_default())
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }
}
