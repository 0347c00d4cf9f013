//! What was promised to one user, and whether it was kept.

use crate::world::{COMMIT_MAX, MS, SETTLE_AFTER};
use nobat_core::id::Seq;
use std::collections::{BTreeMap, VecDeque};

/// A copy of an answer that the platform accepted: when it had left, and when the server was told, if it was.
pub(crate) type Copy = (u64, Option<u64>);

/// A user and the platform's queue of him: one update at a time, in order.
#[derive(Default)]
pub(crate) struct User {
    pub(crate) queue: VecDeque<(i64, String)>,
    /// The first of the queue is with the server, which promised an answer after this frame.
    pub(crate) waits_for: Option<Seq>,
    /// Deliveries of the first of the queue.
    pub(crate) tries: u64,
    /// Updates answered 200, each once.
    pub(crate) answered: u64,
    /// Questions by id, with the count that their answer must carry.
    pub(crate) expected: BTreeMap<u64, Question>,
    /// The highest count that an accepted answer carried.
    pub(crate) newest: u64,
}

pub(crate) struct Question {
    pub(crate) count: u64,
    /// When the last copy that was accepted had left, and when the server was told, if it was.
    pub(crate) accepted: Option<Copy>,
}

impl User {
    /// Notes an accepted answer. Whether it is a repeat.
    pub(crate) fn note(
        &mut self,
        question: u64,
        count: u64,
        copy: Copy,
        kills: &[u64],
    ) -> Result<bool, String> {
        let place = self.answered + 1;
        let asked = self.expected.entry(question).or_insert(Question { count: place, accepted: None });
        if asked.count != count {
            return Err(format!("{count} effects where {} are due", asked.count));
        }
        if count < self.newest {
            return Err("an answer behind a later one".to_owned());
        }
        self.newest = count;
        match asked.accepted.replace(copy) {
            None => Ok(false),
            Some((_, None)) => Ok(true),
            Some((left, Some(told))) => {
                // On the wire at the kill, or its end was not durable yet.
                let window = told + SETTLE_AFTER + 2 * COMMIT_MAX + MS;
                let excused = kills.iter().any(|&kill| left <= kill && kill <= window);
                if excused { Ok(true) } else { Err("answered twice".to_owned()) }
            }
        }
    }

    /// What he still waits for, if anything.
    pub(crate) fn owed(&self) -> Option<String> {
        let lost = self.expected.values().filter(|question| question.accepted.is_none()).count();
        if !self.queue.is_empty() {
            return Some(format!("{} updates were never answered", self.queue.len()));
        }
        (lost > 0).then(|| format!("{lost} questions that were answered 200 have no answer"))
    }
}
