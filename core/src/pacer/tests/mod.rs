//! The pacer's tests: rules one by one, and what they share. The whole under load is in
//! `core/tests/pacer_simulation.rs`.

mod ahead;
mod album;
mod fair;
mod lanes;
mod oracle;
mod rules;

use super::*;
use crate::envelope::Verdict;
use crate::id::{KindIx, Seq, UserId};
use core::time::Duration;

pub(super) const LATENCY: Duration = Duration::from_millis(60);

/// A pacer, its clock, and parcels that say what they are.
pub(super) struct Rig {
    pub(super) pacer: Pacer<u32>,
    pub(super) now: Nanos,
    next: u32,
}

/// A configuration without a past: nothing is spent at the start.
pub(super) fn fresh() -> PacerConfig {
    PacerConfig { spent: false, ..PacerConfig::default() }
}

impl Rig {
    pub(super) fn new(config: PacerConfig, lanes: u16) -> Self {
        let now = Nanos::from_secs(1_000);
        Self { pacer: Pacer::new(config, lanes, now, 7), now, next: 0 }
    }

    /// A reply to a user who wrote to lane 0; its handle is the number of the parcel, from 0.
    pub(super) fn parcel(&mut self, user: u64) -> Parcel<u32> {
        let handle = self.next;
        self.next += 1;
        Parcel {
            handle,
            id: EnvelopeId::new(Seq(u64::from(handle) + 1), 0),
            conversation: Conversation { kind: KindIx(0), user: UserId(user) },
            chat: UserId(user).private_chat(),
            arrived_on: LaneIx(0),
            route: Route::Home,
            class: Class::Reply,
            place: Place::InOrder,
            more: 0,
            deadline: None,
        }
    }

    pub(super) fn put(&mut self, parcel: Parcel<u32>) -> u32 {
        self.pacer.enqueue(self.now, parcel).expect("room");
        self.pacer.assert_invariants();
        parcel.handle
    }

    /// Enqueues a plain reply.
    pub(super) fn reply(&mut self, user: u64) -> u32 {
        let parcel = self.parcel(user);
        self.put(parcel)
    }

    pub(super) fn poll(&mut self) -> Option<Dispatch<u32>> {
        let dispatch = self.pacer.poll_dispatch(self.now);
        self.pacer.assert_invariants();
        if dispatch.is_none() {
            assert!(self.pacer.poll_timeout().is_none_or(|at| at > self.now), "not strictly later");
        }
        dispatch
    }

    /// Everything that may leave now.
    pub(super) fn burst(&mut self) -> Vec<Dispatch<u32>> {
        core::iter::from_fn(|| self.poll()).collect()
    }

    pub(super) fn handles(&mut self) -> Vec<u32> {
        self.burst().into_iter().map(|dispatch| dispatch.handle).collect()
    }

    pub(super) fn answer(&mut self, dispatch: Dispatch<u32>, verdict: &Verdict) -> Outcome<u32> {
        let outcome = self.pacer.handle_verdict(self.now, dispatch.flight, verdict, LATENCY);
        self.pacer.assert_invariants();
        outcome
    }

    pub(super) fn sent(&mut self, dispatch: Dispatch<u32>) {
        let outcome = self.answer(dispatch, &Verdict::Sent);
        assert!(matches!(outcome.fate, Fate::Done { end: End::Sent, .. }));
    }

    pub(super) fn wait(&mut self, millis: u64) {
        self.now = Nanos(self.now.0 + millis * 1_000_000);
    }

    /// Lets time pass until something leaves; at most `millis`.
    pub(super) fn next_within(&mut self, millis: u64) -> Option<Dispatch<u32>> {
        let end = Nanos(self.now.0 + millis * 1_000_000);
        loop {
            if let Some(dispatch) = self.poll() {
                return Some(dispatch);
            }
            match self.pacer.poll_timeout() {
                Some(at) if at <= end => self.now = at,
                _ => {
                    self.now = end;
                    return None;
                }
            }
        }
    }

    pub(super) fn dropped(&mut self) -> Vec<(u32, DropReason)> {
        core::iter::from_fn(|| self.pacer.poll_dropped())
            .map(|(handle, _, reason)| (handle, reason))
            .collect()
    }
}
