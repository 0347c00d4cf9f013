//! One bot's pending updates: which leaves when. Pure: time and the back-off's chance are arguments.
//!
//! Updates wait in arrival order in the *backlog*. The first of them are loaded into *lanes* (a chat's
//! messages, a user's callbacks ...), at most `look_ahead` lanes at once; within a lane the next update leaves
//! only after the one before was answered 2xx or dropped. A failing lane keeps its place: errors shrink
//! throughput, as they do on the platform. Costs: O(log lanes) an update.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::DeliveryRules;
use crate::wire::At;

/// What is kept in order: updates of one lane are delivered one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// Messages and edits, by chat.
    Chat(i64),
    /// Callback queries, by user.
    Callback(u64),
    /// Pre-checkout and shipping queries, by user.
    Checkout(u64),
    /// Everything else about a user: inline queries, polls.
    Other(u64),
    /// Changes of membership, by chat.
    Member(i64),
}

/// One waiting update.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) update_id: i64,
    pub(crate) lane: Lane,
    /// The name of its kind, as `allowed_updates` has it.
    pub(crate) kind: &'static str,
    pub(crate) body: Bytes,
    pub(crate) expires_at: At,
    /// Not to be delivered before this.
    pub(crate) not_before: At,
    /// Attempts begun.
    pub(crate) attempts: u32,
    /// When `getUpdates` returned it last.
    pub(crate) handed_at: Option<At>,
    failures: u32,
    delay: Duration,
}

impl Pending {
    pub(crate) fn new(
        update_id: i64,
        lane: Lane,
        kind: &'static str,
        body: Bytes,
        expires_at: At,
        not_before: At,
    ) -> Self {
        let (attempts, failures, delay) = (0, 0, Duration::ZERO);
        let handed_at = None;
        Self { update_id, lane, kind, body, expires_at, not_before, attempts, handed_at, failures, delay }
    }
}

/// One attempt to be made.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) update_id: i64,
    pub(crate) lane: Lane,
    pub(crate) kind: &'static str,
    pub(crate) body: Bytes,
    /// 1 for the first.
    pub(crate) attempt: u32,
}

/// What an offset made the platform forget.
#[derive(Debug, Default)]
pub(crate) struct Confirmed {
    /// Below the offset.
    pub(crate) taken: Vec<Pending>,
    /// Too old.
    pub(crate) expired: Vec<Pending>,
}

/// One update of a `getUpdates` answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HandedOver {
    pub(crate) update_id: i64,
    pub(crate) body: Bytes,
    /// 1 for the first.
    pub(crate) attempt: u32,
    /// When it was handed over before.
    pub(crate) before: Option<At>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// 2xx: the update is done.
    Taken,
    /// 2xx, but the platform behaves as if it had not heard it.
    TakenUnheard,
    /// Anything else, with the `Retry-After` that was asked for.
    Failed { retry_after: Duration },
}

/// The next thing to do.
#[derive(Debug)]
pub(crate) enum Next {
    Send(Job),
    /// Nothing is due now.
    Nothing,
}

/// Pending updates of one bot.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    backlog: VecDeque<Pending>,
    lanes: HashMap<Lane, VecDeque<Pending>>,
    /// Lanes that are not in flight, by the moment they are due; ties go by update id.
    due: BinaryHeap<Reverse<(At, i64, Lane)>>,
    len: usize,
    bytes: usize,
}

impl Queue {
    /// Updates that wait or are in flight.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Loaded lanes: what connections are needed for.
    pub(crate) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// When the first lane that is not in flight is due, and how many such lanes there are.
    pub(crate) fn due(&self) -> Option<(At, usize)> {
        self.due.peek().map(|Reverse((at, ..))| (*at, self.due.len()))
    }

    /// True if an update waits that `getUpdates` with this offset would return.
    pub(crate) fn has_after(&self, now: At, offset: i64) -> bool {
        self.backlog.iter().rev().any(|p| p.expires_at > now && (offset < 0 || p.update_id >= offset))
    }

    /// Adds an update; `false` if the queue is full and the update is lost.
    pub(crate) fn push(&mut self, rules: &DeliveryRules, pending: Pending) -> bool {
        if self.len >= rules.queue_max || self.bytes + pending.body.len() > rules.queue_bytes_max {
            return false;
        }
        self.len += 1;
        self.bytes += pending.body.len();
        self.backlog.push_back(pending);
        true
    }

    /// Loads what the look-ahead allows. Expired updates go to `expired`.
    pub(crate) fn load(&mut self, now: At, look_ahead: usize, expired: &mut Vec<Pending>) {
        while self.lanes.len() < look_ahead {
            let Some(pending) = self.backlog.pop_front() else { return };
            if pending.expires_at <= now {
                self.forget(&pending);
                expired.push(pending);
                continue;
            }
            let lane = pending.lane;
            let queue = self.lanes.entry(lane).or_default();
            if queue.is_empty() {
                self.due.push(Reverse((pending.not_before, pending.update_id, lane)));
            }
            queue.push_back(pending);
        }
    }

    /// Loads, then takes the attempt that is due, if any.
    pub(crate) fn take(&mut self, now: At, look_ahead: usize, expired: &mut Vec<Pending>) -> Next {
        self.load(now, look_ahead, expired);
        while let Some(&Reverse((at, _, lane))) = self.due.peek() {
            if at > now {
                break;
            }
            self.due.pop();
            let Some(front) = self.lanes.get_mut(&lane).and_then(VecDeque::front_mut) else { continue };
            front.attempts += 1;
            let job = Job {
                update_id: front.update_id,
                lane,
                kind: front.kind,
                body: front.body.clone(),
                attempt: front.attempts,
            };
            return Next::Send(job);
        }
        Next::Nothing
    }

    /// Ends an attempt. Returns the update if it was dropped because its next attempt would come too late.
    pub(crate) fn ended(
        &mut self,
        rules: &DeliveryRules,
        job: &Job,
        ended: Ended,
        now: At,
        chance: f64,
    ) -> Option<Pending> {
        let front = self.lanes.get_mut(&job.lane)?.front_mut()?;
        // After the webhook was changed the lane may hold another update: the old answer has no say.
        if front.update_id != job.update_id {
            return None;
        }
        let wait = match ended {
            Ended::Taken => {
                self.drop_front(job.lane);
                return None;
            }
            Ended::TakenUnheard => Duration::ZERO,
            Ended::Failed { retry_after } => back_off(rules, front, retry_after, chance),
        };
        if now + wait > front.expires_at {
            return self.drop_front(job.lane);
        }
        self.due.push(Reverse((now + wait, job.update_id, job.lane)));
        None
    }

    /// Puts everything loaded back into the backlog, in order: the webhook was changed or deleted.
    pub(crate) fn unload(&mut self) {
        self.due.clear();
        let mut loaded: Vec<Pending> = self.lanes.drain().flat_map(|(_, queue)| queue).collect();
        loaded.sort_unstable_by_key(|p| Reverse(p.update_id));
        for pending in loaded {
            self.backlog.push_front(pending);
        }
    }

    /// Forgets everything that waits; returns how many.
    pub(crate) fn clear(&mut self) -> usize {
        let dropped = self.len;
        *self = Self::default();
        dropped
    }

    /// `getUpdates`, its first half: forgets what is below `offset` (negative: all but the last so many), and
    /// what has expired. Call only while nothing is loaded.
    pub(crate) fn confirm(&mut self, now: At, offset: i64) -> Confirmed {
        let keep_last = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        let mut gone = Confirmed::default();
        while let Some(front) = self.backlog.front() {
            let passed = if offset < 0 { self.backlog.len() > keep_last } else { front.update_id < offset };
            let expired = front.expires_at <= now;
            if !passed && !expired {
                break;
            }
            if let Some(front) = self.backlog.pop_front() {
                self.forget(&front);
                if passed { gone.taken.push(front) } else { gone.expired.push(front) }
            }
        }
        gone
    }

    /// `getUpdates`, its second half: up to `limit` of what waits, each with the moment at which it was handed
    /// over before, if it was. From now on it was handed over at `now`.
    pub(crate) fn hand_over(&mut self, now: At, limit: usize) -> Vec<HandedOver> {
        let alive = self.backlog.iter_mut().filter(|p| p.expires_at > now);
        let hand_over = |pending: &mut Pending| {
            pending.attempts += 1;
            let before = pending.handed_at.replace(now);
            let Pending { update_id, body, attempts, .. } = pending;
            HandedOver { update_id: *update_id, body: body.clone(), attempt: *attempts, before }
        };
        alive.take(limit).map(hand_over).collect()
    }

    fn drop_front(&mut self, lane: Lane) -> Option<Pending> {
        let queue = self.lanes.get_mut(&lane)?;
        let gone = queue.pop_front()?;
        match queue.front() {
            Some(next) => self.due.push(Reverse((next.not_before, next.update_id, lane))),
            None => {
                self.lanes.remove(&lane);
            }
        }
        self.forget(&gone);
        Some(gone)
    }

    fn forget(&mut self, gone: &Pending) {
        self.len = self.len.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(gone.body.len());
    }
}

/// The first failure is retried at once, then 2, 4, 8 ... units to a cap; a `Retry-After` goes before both.
fn back_off(rules: &DeliveryRules, front: &mut Pending, retry_after: Duration, chance: f64) -> Duration {
    front.failures += 1;
    if !retry_after.is_zero() {
        return retry_after.min(rules.retry_after_max);
    }
    if front.failures == 1 {
        return Duration::ZERO;
    }
    let cap = rules.retry_cap.mul_f64(1.0 + chance);
    front.delay = (front.delay.max(rules.retry_unit) * 2).min(cap);
    front.delay
}

#[cfg(test)]
#[path = "queue/tests.rs"]
mod tests;
