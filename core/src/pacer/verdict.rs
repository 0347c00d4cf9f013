//! What an answer means: for the lane, for what is known of the user, for the envelope.
//!
//! What lives here: `handle_verdict` and `withdraw`, the two ways in which a flight ends.

use super::dialogue::State;
use super::env::{Env, Stance};
use super::health::{LaneHealth, backoff};
use super::reach::{Reach, ReachLearned, ReachMode};
use super::slab::{Links, NIL, Slab};
use super::{Fate, Flight, FlightId, Mark, Outcome, Pacer, RetryScope};
use crate::envelope::{Class, DropReason, End, Place, Unreachable, Verdict};
use crate::id::LaneIx;
use crate::time::{Nanos, nanos_of};
use core::time::Duration;

/// What becomes of the envelope.
enum Next {
    Ends(End),
    /// It is to be sent again, not before this instant.
    Again(Nanos),
}

/// Takes a flight off its envelope; `None` if it is not under way.
#[inline(always)]
fn land<T>(envs: &mut Slab<Env<T>>, id: FlightId) -> Option<(Flight, &mut Env<T>)> {
    let (e, mark) = (id.0 as u32, Mark((id.0 >> 32) as u32));
    let env = envs.get_mut(e).filter(|env| Mark(env.age.kept()) == mark && mark.0 != NIL)?;
    env.age = Links::default();
    Some((mark.flight(e, env.lane), env))
}

impl<T: Copy> Pacer<T> {
    /// The platform's word on a send, `latency` after it left. Each dispatch needs exactly one verdict (or
    /// one [`Pacer::withdraw`]); until then its conversation and its token wait. O(1).
    #[inline(never)]
    pub fn handle_verdict(
        &mut self,
        now: Nanos,
        flight: FlightId,
        verdict: &Verdict,
        latency: Duration,
    ) -> Outcome<T> {
        self.now = self.now.max(now);
        let now = self.now;
        let Some((flight, env)) = land(&mut self.envs, flight) else {
            return Outcome { fate: Fate::NotInFlight, learned: None };
        };
        let lane = &mut self.lanes[flight.lane.index()];
        lane.in_flight -= 1;
        let d = env.dialogue;
        if d != NIL {
            lane.answered(flight.turn, now);
        }
        if *verdict != Verdict::Sent {
            return self.not_accepted(flight, verdict, now);
        }
        // The platform took it.
        lane.accepted(flight.vouches, latency, now);
        if !lane.sleeps || lane.aimd.is_some() {
            self.active.insert(flight.lane);
        }
        if env.stance != Stance::PLAIN || env.chat.0 < 0 {
            return self.accepted(flight);
        }
        let (handle, id, class) = (env.handle, env.id, env.class);
        let node = &mut self.dialogues.nodes[d];
        let granted = self.config.reach == ReachMode::All && node.reach == Reach::Unknown;
        if flight.tries && !granted && node.reach != Reach::Reached {
            return self.accepted(flight);
        }
        // A message of a private chat that teaches nothing, which nearly all are: what `finish` does.
        self.counters.sent += 1;
        node.tat = self.config.chat.taken(node.tat, now);
        node.turn = self.clock.next(node.turn);
        node.waiting.remove(class);
        node.queue.pop_front(&mut self.envs);
        self.envs.remove(flight.envelope);
        self.come_back(d, now, Nanos::ZERO);
        Outcome { fate: Fate::Done { handle, id, end: End::Sent }, learned: None }
    }

    /// The platform took it, and there may be more to it.
    #[inline(never)]
    fn accepted(&mut self, flight: Flight) -> Outcome<T> {
        self.answered_more(flight, self.now);
        let learned = if flight.tries { self.judge_reach(flight, true) } else { None };
        Outcome { fate: self.finish(flight, End::Sent, true), learned }
    }

    /// Any other word.
    #[inline(never)]
    fn not_accepted(&mut self, flight: Flight, verdict: &Verdict, now: Nanos) -> Outcome<T> {
        self.answered_more(flight, now);
        self.judge_lane(flight, verdict, now);
        self.active.insert(flight.lane);
        let refuses = matches!(verdict, Verdict::Unreachable(Unreachable::NotStarted | Unreachable::Blocked));
        let learned = if refuses && flight.tries { self.judge_reach(flight, false) } else { None };
        let next = match verdict {
            Verdict::Sent => Next::Ends(End::Sent),
            Verdict::Rejected => Next::Ends(End::Dropped(DropReason::Rejected)),
            Verdict::Unreachable(why) => self.unreachable(flight, *why),
            Verdict::RetryAfter(wait) => self.refused(flight, *wait, now),
            Verdict::TokenDead => self.token_dead(flight),
            Verdict::Failed | Verdict::Unknown => self.failed(flight, now),
        };
        // What the platform may have counted is charged: nothing it refused for its rate, or for the user.
        let counted = !matches!(verdict, Verdict::RetryAfter(_) | Verdict::Unreachable(_));
        let fate = match next {
            Next::Ends(end) => self.finish(flight, end, counted),
            // What it was to pass has moved on by the time it could be tried again.
            Next::Again(_) if self.envs[flight.envelope].stance.place() == Place::Ahead => {
                self.finish(flight, End::Dropped(DropReason::Stale), counted)
            }
            Next::Again(not_before) => self.again(flight, not_before, counted),
        };
        Outcome { fate, learned }
    }

    /// Ends a dispatch that was never sent (it could not be rendered, or need not be said any more): its
    /// token is in again at once and its chat is not charged. `None` if it is not in flight.
    pub fn withdraw(&mut self, now: Nanos, flight: FlightId, reason: DropReason) -> Option<T> {
        self.now = self.now.max(now);
        let (flight, env) = land(&mut self.envs, flight)?;
        let handle = env.handle;
        let lane = &mut self.lanes[flight.lane.index()];
        lane.in_flight -= 1;
        if env.dialogue != NIL {
            (0..env.stance.messages()).for_each(|_| lane.give_back(flight.turn));
        }
        self.active.insert(flight.lane);
        self.finish(flight, End::Dropped(reason), false);
        Some(handle)
    }

    /// What a verdict other than `Sent` says about the lane.
    fn judge_lane(&mut self, flight: Flight, verdict: &Verdict, now: Nanos) {
        let lane = &mut self.lanes[flight.lane.index()];
        match verdict {
            Verdict::Sent | Verdict::Rejected | Verdict::Unreachable(_) => {
                lane.health.answered();
            }
            Verdict::RetryAfter(_) => {
                lane.health.answered();
                if let Some(aimd) = &mut lane.aimd {
                    aimd.refused(now);
                    lane.window.set_slots(aimd.slots());
                }
            }
            Verdict::TokenDead => {}
            Verdict::Failed | Verdict::Unknown => {
                if *verdict == Verdict::Unknown {
                    self.counters.unknown += 1;
                } else {
                    self.counters.failed += 1;
                }
                let jitter = self.jitter();
                let lane = &mut self.lanes[flight.lane.index()];
                if lane.health.failed(now, &self.config, jitter) {
                    self.counters.lanes_opened += 1;
                }
            }
        }
    }

    /// What a try of his home lane says about it.
    fn judge_reach(&mut self, flight: Flight, reached: bool) -> Option<ReachLearned> {
        let (d, user) = (self.envs[flight.envelope].dialogue, self.envs[flight.envelope].user);
        let before = self.dialogues.nodes[d].reach;
        if reached && before == Reach::Unknown && self.config.reach == ReachMode::All {
            // Taken for granted: nothing would be done otherwise for knowing it.
            return None;
        }
        let after = if reached { Reach::Reached } else { Reach::Refused };
        if before == Reach::Unknown {
            self.lanes[flight.lane.index()].tries.record(reached);
        }
        if before == after {
            return None;
        }
        self.dialogues.nodes[d].reach = after;
        self.reach.set(user, after);
        Some(ReachLearned { user, lane: flight.lane, reached })
    }

    fn unreachable(&mut self, flight: Flight, why: Unreachable) -> Next {
        // He wrote to another bot, so another lane reaches him; unless his account is gone.
        let once = self.envs[flight.envelope].stance.place() == Place::Ahead;
        if flight.tries && !once && why != Unreachable::Deactivated {
            self.counters.fallbacks += 1;
            return Next::Again(Nanos::ZERO);
        }
        Next::Ends(End::Dropped(DropReason::Unreachable))
    }

    /// 429: who has to wait, and until when.
    fn refused(&mut self, flight: Flight, wait: Duration, now: Nanos) -> Next {
        self.counters.refused_429 += 1;
        let until = now.after(wait);
        let env = &self.envs[flight.envelope];
        let (chat, urgent_call) = (env.chat, env.dialogue == NIL && env.class == Class::Urgent);
        if !urgent_call {
            self.freezes.freeze(flight.lane, chat, until, now);
        }
        let lane = &mut self.lanes[flight.lane.index()];
        let running = lane.refused.filter(|(_, end)| *end > now);
        let widens = match (self.config.retry_scope, running) {
            // It names no chat, so only the token can be meant.
            _ if urgent_call => true,
            (RetryScope::Token, _) => true,
            (RetryScope::ChatFirst, Some((other, _))) => other != chat || lane.frozen_until > now,
            (RetryScope::ChatFirst, None) => lane.frozen_until > now,
        };
        lane.refused = Some((chat, running.map_or(until, |(_, end)| end.max(until))));
        lane.cautious = true;
        if widens {
            // All of the token stops, until the longest of the waits announced is over.
            let end = running.map_or(until, |(_, end)| end.max(until));
            if lane.frozen_until <= now {
                self.counters.widened += 1;
            }
            lane.frozen_until = lane.frozen_until.max(end);
            if lane.frozen_until.since(now) > self.config.freeze_failover {
                lane.health.open_until(lane.frozen_until);
            }
        }
        // The freeze holds it back, on this lane only.
        Next::Again(Nanos::ZERO)
    }

    /// The token is refused: nothing goes through it any more.
    fn token_dead(&mut self, flight: Flight) -> Next {
        self.kill(flight.lane);
        let env = &self.envs[flight.envelope];
        if env.dialogue == NIL || env.via.pinned().is_some() {
            return Next::Ends(End::Dropped(DropReason::LaneGone));
        }
        Next::Again(Nanos::ZERO)
    }

    pub(super) fn kill(&mut self, l: LaneIx) {
        let lane = &mut self.lanes[l.index()];
        if lane.health.state != LaneHealth::Dead {
            lane.health.state = LaneHealth::Dead;
            self.counters.tokens_dead += 1;
            self.release_held(l);
        }
    }

    /// No answer, or none that counts: after a pause again, as often as the configuration allows.
    fn failed(&mut self, flight: Flight, now: Nanos) -> Next {
        let jitter = self.jitter();
        let works = self.lanes[flight.lane.index()].health.state == LaneHealth::Closed;
        let env = &mut self.envs[flight.envelope];
        // Failures of a lane that is down say nothing about the message.
        if works {
            env.attempts = env.attempts.saturating_add(1);
        }
        if env.attempts >= self.config.attempts && env.class != Class::Urgent {
            return Next::Ends(End::Dropped(DropReason::Exhausted));
        }
        let (base, max) = (nanos_of(self.config.retry_pause), nanos_of(self.config.retry_pause_max));
        let exponent = u32::from(env.attempts.saturating_sub(1));
        Next::Again(Nanos(now.0.saturating_add(backoff(base, max, exponent, jitter))))
    }

    /// Ends it; `counted` if the platform may have counted it.
    fn finish(&mut self, flight: Flight, end: End, counted: bool) -> Fate<T> {
        let now = self.now;
        let env = &self.envs[flight.envelope];
        let (handle, id, d, class) = (env.handle, env.id, env.dialogue, env.class);
        let place = env.stance.place();
        match end {
            End::Sent => self.counters.sent += 1,
            End::Dropped(reason) => self.counters.dropped[reason as usize] += 1,
        }
        if place != Place::Call {
            if counted {
                self.charge(flight.envelope, now);
            }
            let node = &mut self.dialogues.nodes[d];
            if place == Place::Ahead {
                node.passing = false;
            } else {
                if counted {
                    // Its next turn comes one interval after this one.
                    node.turn = self.clock.next(node.turn);
                }
                let left = node.queue.pop_front(&mut self.envs);
                debug_assert_eq!(left, Some(flight.envelope), "what flies is the head");
                node.waiting.remove(class);
                self.come_back(d, now, Nanos::ZERO);
            }
        }
        self.envs.remove(flight.envelope);
        Fate::Done { handle, id, end }
    }

    /// It stays at the head of its conversation (a call: of its lane).
    fn again(&mut self, flight: Flight, not_before: Nanos, counted: bool) -> Fate<T> {
        let (e, now) = (flight.envelope, self.now);
        let (id, d) = (self.envs[e].id, self.envs[e].dialogue);
        self.counters.requeued += 1;
        self.count_in_again(e);
        if d == NIL {
            self.requeue_call(e, now, not_before);
            return Fate::Requeued { id, moved_to: None };
        }
        if counted {
            self.charge(e, now);
        }
        self.come_back(d, now, not_before);
        let lane = self.dialogues.nodes[d].lane;
        Fate::Requeued { id, moved_to: (lane != flight.lane).then_some(lane) }
    }

    /// A dialogue whose head is no longer in flight gives its grant to the next and is settled.
    #[inline(always)]
    fn come_back(&mut self, d: u32, now: Nanos, not_before: Nanos) {
        let node = &mut self.dialogues.nodes[d];
        node.state = State::Loose;
        let (granted, empty) = (node.group != NIL, node.queue.is_empty());
        if granted {
            self.keep_grant_only_of(d, NIL, now);
        }
        if empty { self.dialogues.cool(d, now) } else { self.settle(d, now, not_before) }
    }
}
