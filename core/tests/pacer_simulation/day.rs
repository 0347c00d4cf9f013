//! One simulated day: arrivals, the pacer, the wire, the platform, and what they add up to.

use crate::platform::{Faults, Platform, Said, Scope};
use crate::random::Random;
use core::time::Duration;
use nobat_core::envelope::{Class, Conversation, DropReason, End, Place, Route, Unreachable, Verdict};
use nobat_core::id::{ChatId, EnvelopeId, KindIx, LaneIx, Seq, UserId};
use nobat_core::pacer::{Dispatch, Fate, Pacer, PacerConfig, Parcel};
use nobat_core::time::Nanos;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// How the wire behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    /// Median latency in milliseconds; 0 for none at all.
    pub(crate) median_ms: f64,
    pub(crate) sigma: f64,
    /// Of a call that fails before it is judged.
    pub(crate) reset: f64,
    /// Of an answer that is lost after the call was judged.
    pub(crate) lost: f64,
    /// Of a 429 without a cause.
    pub(crate) storm: f64,
    /// Whether such a 429 is meant for the token.
    pub(crate) storm_scope: Scope,
}

impl Wire {
    pub(crate) const PERFECT: Self =
        Self { median_ms: 0.0, sigma: 0.0, reset: 0.0, lost: 0.0, storm: 0.0, storm_scope: Scope::Chat };
    pub(crate) const JITTERY: Self = Self { median_ms: 60.0, sigma: 0.5, ..Self::PERFECT };
}

/// A bug of a sender that the day must notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Planted {
    None,
    /// The answer is reported when the call leaves: the window refills from the send.
    AnswersAtSend,
    /// A 429 is taken for a failure: the wait is not heard.
    DeafToWaits,
    /// Every 50th call goes through the next lane.
    WrongLane,
    /// The last envelope of a day is forgotten.
    Forgets,
    /// An album is taken for one message.
    AlbumsAsOne,
}

/// Something that happens to a lane.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Dies(u16),
    Revives(u16),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Step {
    Arrive(usize),
    Judge(usize),
    Answer(usize),
    Happen(usize),
}

/// A call on its way.
struct Call {
    dispatch: Dispatch<u32>,
    lane: u16,
    left: u64,
    answer_at: u64,
    verdict: Verdict,
    /// Its verdict was reported before it was judged (a planted bug).
    reported: bool,
}

/// What the day came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) faults: Faults,
    /// Two of one conversation under way at once, or accepted in a wrong order.
    pub(crate) disorder: u64,
    /// Accepted through a lane that its route does not allow.
    pub(crate) wrong_lane: u64,
    /// Ended without being accepted, by reason; those ahead of their conversation apart.
    pub(crate) dropped: BTreeMap<&'static str, u64>,
    /// The same for those ahead of their conversation.
    pub(crate) not_said: BTreeMap<&'static str, u64>,
    /// Of the accepted, those ahead of their conversation.
    pub(crate) said_ahead: u64,
    /// Enqueued, and neither accepted nor dropped with a reason.
    pub(crate) lost: u64,
    /// Accepted again though its answer had not been lost.
    pub(crate) repeated: u64,
    pub(crate) accepted: u64,
    /// When each was accepted, in nanoseconds from the start, by its place among the arrivals planned.
    pub(crate) accepted_at: BTreeMap<u32, u64>,
    /// When the last one was accepted, from the start.
    pub(crate) drain: Duration,
    /// The turn of each message sent by lane; `None` for one ahead of its conversation.
    pub(crate) turns: BTreeMap<u16, Vec<Option<Class>>>,
}

pub(crate) struct Day {
    pub(crate) pacer: Pacer<u32>,
    pub(crate) platform: Platform,
    wire: Wire,
    planted: Planted,
    random: Random,
    now: u64,
    start: u64,
    arrivals: Vec<Parcel<u32>>,
    events: Vec<Event>,
    calls: Vec<Call>,
    steps: BinaryHeap<Reverse<(u64, u64, Step)>>,
    stepped: u64,
    flying: BTreeSet<Conversation>,
    /// The highest number accepted, by conversation.
    newest: BTreeMap<Conversation, u32>,
    accepted: BTreeSet<u32>,
    ended: BTreeSet<u32>,
    doubtful: BTreeSet<u32>,
    report: Report,
    departures: u64,
}

impl Day {
    pub(crate) fn new(config: PacerConfig, lanes: u16, wire: Wire, planted: Planted, seed: u64) -> Self {
        let start = 5_000_000_000;
        Self {
            platform: Platform::new(30),
            pacer: Pacer::new(config, lanes, Nanos(start), seed),
            wire,
            planted,
            random: Random::new(seed),
            now: start,
            start,
            arrivals: Vec::new(),
            events: Vec::new(),
            calls: Vec::new(),
            steps: BinaryHeap::new(),
            stepped: 0,
            flying: BTreeSet::new(),
            newest: BTreeMap::new(),
            accepted: BTreeSet::new(),
            ended: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            report: Report::default(),
            departures: 0,
        }
    }

    /// A reply of the user's home route, which arrived on lane 0; change what should differ.
    pub(crate) fn parcel(&self, user: u64) -> Parcel<u32> {
        Parcel {
            handle: 0,
            id: EnvelopeId::default(),
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

    /// Plans an arrival `after_ms` from the start. Numbers follow the order of planning.
    pub(crate) fn arrive(&mut self, after_ms: u64, parcel: Parcel<u32>) {
        let handle = self.arrivals.len() as u32;
        let id = EnvelopeId::new(Seq(u64::from(handle) + 1), 0);
        self.arrivals.push(Parcel { handle, id, ..parcel });
        self.plan(self.start + after_ms * 1_000_000, Step::Arrive(handle as usize));
    }

    pub(crate) fn happen(&mut self, after_ms: u64, event: Event) {
        self.events.push(event);
        self.plan(self.start + after_ms * 1_000_000, Step::Happen(self.events.len() - 1));
    }

    fn plan(&mut self, at: u64, step: Step) {
        self.stepped += 1;
        self.steps.push(Reverse((at, self.stepped, step)));
    }

    /// Plays the day to its end.
    pub(crate) fn play(mut self) -> Report {
        loop {
            self.dispatch();
            let step = self.steps.peek().map(|Reverse((at, ..))| *at);
            let timer = self.pacer.poll_timeout().map(|at| at.0);
            assert!(timer.is_none_or(|at| at > self.now), "a timeout that is not strictly later");
            let Some(next) = [step, timer].into_iter().flatten().min() else { break };
            if self.pacer.is_empty() && step.is_none() {
                break;
            }
            assert!(
                next < self.start + 86_400_000_000_000,
                "a day was not enough: {:?}",
                self.pacer.counters()
            );
            self.now = next.max(self.now);
            while self.steps.peek().is_some_and(|Reverse((at, ..))| *at <= self.now) {
                let Some(Reverse((_, _, step))) = self.steps.pop() else { break };
                self.step(step);
            }
        }
        self.close()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Arrive(which) => {
                let parcel = self.arrivals[which];
                if self.planted == Planted::Forgets && which + 1 == self.arrivals.len() {
                    return;
                }
                let more = if self.planted == Planted::AlbumsAsOne { 0 } else { parcel.more };
                self.pacer.enqueue(Nanos(self.now), Parcel { more, ..parcel }).expect("room");
            }
            Step::Judge(call) => self.judge(call),
            Step::Answer(call) => self.answer(call),
            Step::Happen(which) => match self.events[which] {
                Event::Dies(lane) => drop(self.platform.dead.insert(lane)),
                Event::Revives(lane) => {
                    self.platform.dead.remove(&lane);
                    self.pacer.lane_revived(Nanos(self.now), LaneIx(lane));
                }
            },
        }
    }

    fn dispatch(&mut self) {
        while let Some(dispatch) = self.pacer.poll_dispatch(Nanos(self.now)) {
            self.departures += 1;
            let parcel = self.arrivals[dispatch.handle as usize];
            let alone = parcel.place != Place::InOrder || self.flying.insert(dispatch.conversation);
            self.report.disorder += u64::from(!alone && self.planted == Planted::None);
            if parcel.place != Place::Call {
                let turn = (parcel.place == Place::InOrder).then_some(dispatch.turn);
                self.report.turns.entry(dispatch.lane.0).or_default().push(turn);
            }
            let wrong = self.planted == Planted::WrongLane && self.departures.is_multiple_of(50);
            let lane = if wrong { (dispatch.lane.0 + 1) % self.pacer.lanes() } else { dispatch.lane.0 };
            let latency = self.latency();
            let judged = self.now + (latency as f64 * self.random.unit()) as u64;
            self.calls.push(Call {
                dispatch,
                lane,
                left: self.now,
                answer_at: self.now + latency,
                verdict: Verdict::Failed,
                reported: self.planted == Planted::AnswersAtSend,
            });
            let call = self.calls.len() - 1;
            if self.random.chance(self.wire.reset) {
                self.plan(judged, Step::Answer(call));
            } else {
                self.plan(judged, Step::Judge(call));
            }
            if self.planted == Planted::AnswersAtSend {
                self.flying.remove(&dispatch.conversation);
                self.pacer.handle_verdict(Nanos(self.now), dispatch.flight, &Verdict::Sent, Duration::ZERO);
            }
        }
        while let Some((handle, _, reason)) = self.pacer.poll_dropped() {
            self.note_dropped(handle, reason);
            assert!(self.ended.insert(handle), "ended twice");
        }
    }

    fn note_dropped(&mut self, handle: u32, reason: DropReason) {
        let ahead = self.arrivals[handle as usize].place == Place::Ahead;
        let dropped = if ahead { &mut self.report.not_said } else { &mut self.report.dropped };
        *dropped.entry(reason.label()).or_default() += 1;
    }

    fn latency(&mut self) -> u64 {
        if self.wire.median_ms == 0.0 {
            return 0;
        }
        (self.random.lognormal(self.wire.median_ms, self.wire.sigma) * 1e6) as u64
    }

    fn judge(&mut self, call: usize) {
        let Call { dispatch, lane, left, answer_at, .. } = self.calls[call];
        let parcel = self.arrivals[dispatch.handle as usize];
        let (chat, user) = (named_chat(&parcel), parcel.conversation.user.0);
        let said = if self.random.chance(self.wire.storm) && !self.platform.dead.contains(&lane) {
            let wait = (1 + self.random.below(8)) * 1_000_000_000;
            let scope = if chat == NO_CHAT { Scope::Token } else { self.wire.storm_scope };
            Said::Wait(self.platform.impose(lane, chat, scope, wait, self.now))
        } else {
            let messages = match parcel.place {
                Place::InOrder => 1 + u32::from(parcel.more),
                Place::Ahead => 1,
                Place::Call => 0,
            };
            self.platform.judge(lane, chat, user, messages, left, self.now)
        };
        if said == Said::Accepted {
            self.note_accepted(parcel, lane);
        }
        let lost = self.random.chance(self.wire.lost);
        self.calls[call].verdict = match said {
            _ if lost => {
                self.doubtful.insert(dispatch.handle);
                Verdict::Unknown
            }
            Said::Accepted => Verdict::Sent,
            Said::Wait(nanos) => Verdict::RetryAfter(Duration::from_nanos(nanos)),
            Said::NotStarted => Verdict::Unreachable(Unreachable::NotStarted),
            Said::Dead => Verdict::TokenDead,
        };
        self.plan(if lost { self.now + 3_000_000_000 } else { answer_at }, Step::Answer(call));
    }

    fn note_accepted(&mut self, parcel: Parcel<u32>, lane: u16) {
        self.report.accepted += 1;
        self.report.accepted_at.insert(parcel.handle, self.now - self.start);
        self.report.said_ahead += u64::from(parcel.place == Place::Ahead);
        self.report.drain = Duration::from_nanos(self.now - self.start);
        let home = self.pacer.home(parcel.conversation.user);
        let right = match parcel.route {
            Route::Pinned(pinned) => pinned.0 == lane,
            Route::Home => home.0 == lane || parcel.arrived_on.0 == lane,
        };
        self.report.wrong_lane += u64::from(!right);
        let again = !self.accepted.insert(parcel.handle);
        if again && !self.doubtful.contains(&parcel.handle) {
            self.report.repeated += 1;
        }
        if parcel.place == Place::InOrder {
            let newest = self.newest.entry(parcel.conversation).or_insert(parcel.handle);
            if parcel.handle < *newest {
                self.report.disorder += 1;
            }
            *newest = parcel.handle.max(*newest);
        }
    }

    fn answer(&mut self, call: usize) {
        let Call { dispatch, lane, left, reported, .. } = self.calls[call];
        if reported {
            return;
        }
        let mut verdict = self.calls[call].verdict.clone();
        if matches!(verdict, Verdict::RetryAfter(_)) {
            self.platform.told(lane, named_chat(&self.arrivals[dispatch.handle as usize]), self.now);
            if self.planted == Planted::DeafToWaits {
                verdict = Verdict::Failed;
            }
        }
        if self.arrivals[dispatch.handle as usize].place == Place::InOrder {
            self.flying.remove(&dispatch.conversation);
        }
        let latency = Duration::from_nanos(self.now - left);
        let outcome = self.pacer.handle_verdict(Nanos(self.now), dispatch.flight, &verdict, latency);
        if let Fate::Done { handle, end, .. } = outcome.fate {
            assert!(self.ended.insert(handle), "ended twice");
            if let End::Dropped(reason) = end {
                self.note_dropped(handle, reason);
            }
        }
    }

    fn close(mut self) -> Report {
        self.pacer.assert_invariants();
        let handles = 0..self.arrivals.len() as u32;
        self.report.lost = handles.filter(|handle| !self.ended.contains(handle)).count() as u64;
        if self.planted == Planted::AnswersAtSend {
            // Its ends were reported before anybody knew.
            self.report.lost = 0;
        }
        self.report.faults = self.platform.faults;
        self.report
    }
}

/// What a call names that names no chat.
const NO_CHAT: i64 = i64::MIN;

/// Urgent calls answer a pre-checkout: they name no chat, so no chat's wait concerns them, and a wait they
/// are given is the token's.
fn named_chat(parcel: &Parcel<u32>) -> i64 {
    if parcel.place == Place::Call && parcel.class == Class::Urgent { NO_CHAT } else { parcel.chat.0 }
}

/// The group of a number.
pub(crate) fn group(number: u64) -> ChatId {
    ChatId(-1_000 - number as i64)
}
