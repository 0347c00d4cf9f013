//! The queue's rules, each with the clock in hand.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

const S: Duration = Duration::from_secs(1);

struct Desk {
    queue: Queue,
    rules: DeliveryRules,
    now: At,
    look_ahead: usize,
    expired: Vec<Pending>,
}

impl Desk {
    fn new() -> Self {
        let (queue, rules) = (Queue::default(), DeliveryRules::default());
        Self { queue, rules, now: S, look_ahead: 80, expired: Vec::new() }
    }

    fn push(&mut self, update_id: i64, lane: Lane) -> bool {
        let expires_at = self.now + self.rules.expiry_message;
        let body = Bytes::from_static(b"{}");
        self.queue.push(&self.rules, Pending::new(update_id, lane, "message", body, expires_at, self.now))
    }

    fn take(&mut self) -> Option<Job> {
        match self.queue.take(self.now, self.look_ahead, &mut self.expired) {
            Next::Send(job) => Some(job),
            Next::Nothing => None,
        }
    }

    fn end(&mut self, job: &Job, ended: Ended) -> Option<Pending> {
        self.queue.ended(&self.rules, job, ended, self.now, 0.5)
    }

    /// How long until the next attempt is due.
    fn wait(&mut self) -> Duration {
        assert!(self.take().is_none(), "nothing is due yet");
        self.queue.due().expect("a lane waits").0 - self.now
    }
}

const FAILED: Ended = Ended::Failed { retry_after: Duration::ZERO };

#[test]
fn a_lane_is_delivered_one_after_another_and_lanes_in_parallel() {
    let mut desk = Desk::new();
    for (id, lane) in [(1, Lane::Chat(7)), (2, Lane::Chat(7)), (3, Lane::Chat(8)), (4, Lane::Callback(7))] {
        assert!(desk.push(id, lane));
    }
    let first = desk.take().unwrap();
    let others: Vec<i64> = std::iter::from_fn(|| desk.take()).map(|j| j.update_id).collect();
    assert_eq!((first.update_id, others), (1, vec![3, 4]), "2 waits for 1; a user's callback does not");
    desk.end(&first, Ended::Taken);
    assert_eq!(desk.take().unwrap().update_id, 2);
    assert_eq!(desk.queue.len(), 3);
}

#[test]
fn a_failure_is_retried_at_once_then_after_2_4_8_to_a_cap_drawn_between_60_and_120() {
    let mut desk = Desk::new();
    desk.push(1, Lane::Chat(7));
    let job = desk.take().unwrap();
    desk.end(&job, FAILED);
    let mut waits = Vec::new();
    let again = desk.take().expect("the first retry is immediate");
    assert_eq!(again.attempt, 2);
    desk.end(&again, FAILED);
    for _ in 0..7 {
        let wait = desk.wait();
        waits.push(wait.as_secs());
        desk.now += wait;
        let job = desk.take().unwrap();
        desk.end(&job, FAILED);
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 90]);
}

#[test]
fn retry_after_is_honoured_and_clamped_to_an_hour() {
    for (asked, given) in [(5, 5), (3_600, 3_600), (90_000, 3_600)] {
        let mut desk = Desk::new();
        desk.push(1, Lane::Chat(7));
        let job = desk.take().unwrap();
        desk.end(&job, Ended::Failed { retry_after: S * asked });
        assert_eq!(desk.wait(), S * given);
    }
}

#[test]
fn an_update_expires_in_the_queue_and_when_its_next_attempt_would_come_too_late() {
    let mut desk = Desk::new();
    desk.rules.expiry_message = 150 * S;
    desk.push(1, Lane::Callback(7));
    desk.push(2, Lane::Callback(7));
    let job = desk.take().unwrap();
    desk.now += 100 * S;
    let dropped = desk.end(&job, Ended::Failed { retry_after: 51 * S });
    assert_eq!(dropped.map(|p| p.update_id), Some(1));
    assert_eq!(desk.take().map(|j| j.update_id), Some(2), "the lane goes on");

    let mut desk = Desk::new();
    desk.rules.expiry_message = 150 * S;
    desk.push(1, Lane::Chat(1));
    desk.now += 150 * S;
    assert!(desk.take().is_none());
    assert_eq!(desk.expired.len(), 1);
    assert_eq!(desk.queue.len(), 0);
}

#[test]
fn failing_lanes_fill_the_look_ahead_and_hold_the_others_back() {
    let mut desk = Desk::new();
    desk.look_ahead = 4;
    for id in 1..=6 {
        desk.push(id, Lane::Chat(id));
    }
    let jobs: Vec<Job> = std::iter::from_fn(|| desk.take()).collect();
    assert_eq!(jobs.len(), 4);
    for job in &jobs {
        desk.end(job, Ended::Failed { retry_after: 30 * S });
    }
    assert_eq!(desk.wait(), 30 * S, "5 and 6 are not looked at");
    assert_eq!(desk.queue.lanes(), 4);
}

#[test]
fn the_queue_loses_what_comes_after_its_cap() {
    let mut desk = Desk::new();
    desk.rules.queue_max = 3;
    let kept: Vec<bool> = (1..=4).map(|id| desk.push(id, Lane::Chat(id))).collect();
    assert_eq!(kept, [true, true, true, false]);
    let job = desk.take().unwrap();
    desk.end(&job, Ended::Taken);
    assert!(desk.push(5, Lane::Chat(5)), "a delivered update makes room");
}

#[test]
fn a_changed_webhook_puts_everything_back_in_order_and_old_answers_have_no_say() {
    let mut desk = Desk::new();
    for id in 1..=4 {
        desk.push(id, Lane::Chat(id % 2));
    }
    let old = desk.take().unwrap();
    desk.queue.unload();
    let ids: Vec<i64> = desk.queue.backlog.iter().map(|p| p.update_id).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    desk.end(&old, Ended::Taken);
    assert_eq!(desk.queue.len(), 4, "delivered again: at least once");
}

#[test]
fn an_unheard_answer_is_delivered_once_more_with_the_next_attempt_number() {
    let mut desk = Desk::new();
    desk.push(1, Lane::Chat(7));
    let job = desk.take().unwrap();
    desk.end(&job, Ended::TakenUnheard);
    let again = desk.take().unwrap();
    assert_eq!((again.update_id, again.attempt), (1, 2));
}

#[test]
fn polling_confirms_by_offset_and_counts_from_the_end_when_it_is_negative() {
    let mut desk = Desk::new();
    for id in 11..=15 {
        desk.push(id, Lane::Chat(id));
    }
    let ids = |confirmed: Confirmed| confirmed.taken.iter().map(|p| p.update_id).collect::<Vec<_>>();
    assert!(ids(desk.queue.confirm(desk.now, 0)).is_empty());
    let first = desk.queue.hand_over(desk.now, 100);
    assert_eq!(
        first.iter().map(|h| (h.update_id, h.attempt)).collect::<Vec<_>>(),
        [11, 12, 13, 14, 15].map(|id| (id, 1))
    );
    assert_eq!(ids(desk.queue.confirm(desk.now, 13)), [11, 12]);
    let again = desk.queue.hand_over(desk.now, 2);
    assert_eq!(again.iter().map(|h| (h.update_id, h.attempt)).collect::<Vec<_>>(), [(13, 2), (14, 2)]);
    assert_eq!(again[0].before, Some(desk.now));
    assert_eq!(ids(desk.queue.confirm(desk.now, -1)), [13, 14]);
    assert_eq!(desk.queue.len(), 1);
}

proptest! {
    /// Whatever the webhook answers and however often it is changed: every update is taken once or dropped
    /// with notice, a lane has one attempt in flight, and lanes are taken in order.
    #[test]
    fn nothing_is_lost_doubled_or_out_of_order(
        ops in proptest::collection::vec((0u8..10, 0i64..5, 0u64..90), 1..300),
        look_ahead in 1usize..6,
    ) {
        let mut desk = Desk { look_ahead, ..Desk::new() };
        desk.rules.expiry_message = 200 * S;
        let (mut next_id, mut taken, mut dropped) = (1, Vec::new(), HashSet::new());
        let mut in_flight: Vec<Job> = Vec::new();
        let ops = ops.into_iter().chain(std::iter::repeat_n((3, 0, 60), 200));
        for (op, chat, n) in ops {
            match op {
                0..=2 => {
                    prop_assert!(desk.push(next_id, Lane::Chat(chat)));
                    next_id += 1;
                }
                3..=8 => {
                    desk.now += S * u32::try_from(n / 10).unwrap();
                    if let Some(job) = desk.take() {
                        let lane_is_free = in_flight.iter().all(|j| j.lane != job.lane);
                        prop_assert!(lane_is_free, "two attempts of one lane at once");
                        in_flight.push(job);
                    }
                    if in_flight.is_empty() {
                        continue;
                    }
                    let job = in_flight.swap_remove(n as usize % in_flight.len());
                    if n % 3 == 0 {
                        desk.end(&job, Ended::Taken);
                        taken.push(job);
                    } else if let Some(gone) = desk.end(&job, FAILED) {
                        dropped.insert(gone.update_id);
                    }
                }
                _ => {
                    // A changed webhook: what was in flight is on its own.
                    desk.queue.unload();
                    in_flight.clear();
                }
            }
            prop_assert!(desk.queue.lanes() <= look_ahead);
        }
        dropped.extend(desk.expired.iter().map(|p| p.update_id));
        let ids: Vec<i64> = taken.iter().map(|j| j.update_id).collect();
        let unique: HashSet<i64> = ids.iter().copied().collect();
        prop_assert_eq!(unique.len(), ids.len(), "taken twice");
        prop_assert!(unique.is_disjoint(&dropped));
        prop_assert_eq!(unique.len() + dropped.len() + desk.queue.len(), (next_id - 1) as usize);
        for chat in 0..5 {
            let lane: Vec<i64> =
                taken.iter().filter(|j| j.lane == Lane::Chat(chat)).map(|j| j.update_id).collect();
            prop_assert!(lane.is_sorted());
        }
    }
}
