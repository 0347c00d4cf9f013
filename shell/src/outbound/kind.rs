//! One kind's way out: its pacer, its lanes, and its envelopes while they wait.
//!
//! What lives here: [`KindSender`]. It carries between the pacer, the engine, the channel's encoder and the
//! client; each of them decides its own part. Only the outbound thread calls it.

use super::alert::{self, is_alert};
use super::client::{Answer, Client, Failure};
use crate::channel::telegram::{Encoder, RequestHead, VerdictReader};
use crate::observe::{Registry, incident, names, slow};
use crate::{note, say};
use nobat_core::bot::{Call, Outcome, RenderView, Unrenderable};
use nobat_core::engine::{Ended, Engine, Journal, Link, ReachFact};
use nobat_core::envelope::{Conversation, DropReason, End, Envelope, Place, Verdict};
use nobat_core::id::{BotId, EnvelopeId, KindIx, LaneIx};
use nobat_core::pacer::{Dispatch, Fate, FlightId, LaneHealth, Pacer, PacerConfig, Parcel, ReachLearned};
use nobat_core::time::{Nanos, Now};
use slab::Slab;
use std::collections::VecDeque;

/// A kind as the configuration has it.
pub struct KindSpec {
    /// Its number.
    pub kind: KindIx,
    /// Its pacer's settings.
    pub pacer: PacerConfig,
    /// Its lanes, the main bot first.
    pub lanes: Vec<LaneSpec>,
}

/// One lane.
pub struct LaneSpec {
    /// What its requests begin with; holds the token.
    pub head: RequestHead,
    /// Its bot.
    pub bot: BotId,
}

/// What the thread lends a kind for one turn: the engine, the counters, and where ends are gathered.
pub(super) struct Desk<'a, J> {
    pub now: Now,
    pub engine: &'a Engine<J>,
    pub registry: &'a Registry,
    pub ends: &'a mut Vec<Ended>,
    pub reach: &'a mut Vec<ReachFact>,
    pub links: &'a mut Vec<Link>,
}

pub(super) struct KindSender {
    kind: KindIx,
    /// The place of its first lane among all lanes of the process.
    first: usize,
    lanes: Vec<LaneSpec>,
    pacer: Pacer<u32>,
    waiting: Slab<Stored>,
    flights: Slab<Flight>,
    /// Envelopes behind the release gate, in the order in which they were asked for.
    held: VecDeque<u32>,
    released: bool,
    encoder: Encoder,
    verdicts: VerdictReader,
    request: Vec<u8>,
    /// Messages accepted since the gauges were last set.
    accepted: u32,
    /// Messages a second that all lanes together may send.
    capacity: u32,
    /// What is told to who waits: the capacity, or less while a queue is seen to leave more slowly.
    per_s: u32,
}

struct Stored {
    envelope: Envelope,
    /// Messages that the platform makes of it.
    messages: u8,
    since: Nanos,
}

struct Flight {
    flight: FlightId,
    lane: LaneIx,
    conversation: Conversation,
    id: EnvelopeId,
    since: Nanos,
    /// It asks about somebody, so what is said of its chat is not said of him.
    asks: bool,
}

impl KindSender {
    pub(super) fn new(spec: KindSpec, first: usize, now: Nanos, seed: u64) -> Self {
        let lanes = u16::try_from(spec.lanes.len()).unwrap_or(u16::MAX);
        let capacity = u32::from(lanes) * spec.pacer.slots;
        Self {
            kind: spec.kind,
            first,
            pacer: Pacer::new(spec.pacer, lanes, now, seed),
            lanes: spec.lanes,
            waiting: Slab::new(),
            flights: Slab::new(),
            held: VecDeque::new(),
            released: false,
            encoder: Encoder::new(),
            verdicts: VerdictReader::new(),
            request: Vec::new(),
            accepted: 0,
            capacity,
            per_s: capacity,
        }
    }

    pub(super) fn learn(&mut self, fact: &ReachFact) {
        let ReachFact { user, lane, reached, .. } = *fact;
        self.pacer.learn(ReachLearned { user, lane, reached });
    }

    pub(super) fn kind(&self) -> KindIx {
        self.kind
    }

    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.flights.len()
    }

    pub(super) fn poll_timeout(&self) -> Option<Nanos> {
        self.pacer.poll_timeout()
    }

    /// Takes an envelope that is durable, of which the platform makes so many messages.
    pub(super) fn accept(&mut self, now: Now, envelope: Envelope, messages: u8, ends: &mut Vec<Ended>) {
        let held = envelope.held && !self.released;
        let key = self.waiting.insert(Stored { envelope, messages, since: now.mono }) as u32;
        if held { self.held.push_back(key) } else { self.enqueue(now, key, ends) }
    }

    /// Opens the gate: those who asked to be told are queued in the order in which they asked.
    pub(super) fn set_released(&mut self, now: Now, open: bool, ends: &mut Vec<Ended>) {
        self.released = open;
        if open {
            while let Some(key) = self.held.pop_front() {
                self.enqueue(now, key, ends);
            }
        }
    }

    fn enqueue(&mut self, now: Now, key: u32, ends: &mut Vec<Ended>) {
        let Some(Stored { envelope, messages, .. }) = self.waiting.get(key as usize) else { return };
        let parcel = Parcel {
            handle: key,
            id: envelope.id,
            conversation: envelope.conversation,
            chat: envelope.chat,
            arrived_on: self.known_lane(envelope.arrived_on),
            route: envelope.route,
            class: envelope.class,
            place: envelope.place,
            more: messages.saturating_sub(1),
            deadline: envelope.deadline.map(|at| now.mono_of(at)),
        };
        if let Err(full) = self.pacer.enqueue(now.mono, parcel) {
            self.end(full.0.handle, End::Dropped(DropReason::Shed), ends);
        }
    }

    /// A lane that the configuration has no more is replaced by the main bot.
    fn known_lane(&self, lane: LaneIx) -> LaneIx {
        if lane.index() < self.lanes.len() { lane } else { LaneIx(0) }
    }

    /// Writes all that may leave now.
    pub(super) fn dispatch<J: Journal>(&mut self, desk: &mut Desk<'_, J>, client: &mut Client) {
        while let Some(dispatch) = self.pacer.poll_dispatch(desk.now.mono) {
            self.send(&dispatch, desk, client);
        }
        self.drain_dropped(desk);
    }

    fn send<J: Journal>(&mut self, dispatch: &Dispatch<u32>, desk: &mut Desk<'_, J>, client: &mut Client) {
        if !is_alert(dispatch.id) {
            desk.engine.dispatching(dispatch.conversation, dispatch.id);
        }
        let flight = Flight {
            flight: dispatch.flight,
            lane: dispatch.lane,
            conversation: dispatch.conversation,
            id: dispatch.id,
            since: desk.now.mono,
            asks: false,
        };
        let mut rendered = self.render(dispatch, desk);
        if let Err(e) = rendered
            && e != Unrenderable::FORGOTTEN
            && self.apologize(dispatch, e)
        {
            rendered = Ok(false);
        }
        if let Err(e) = rendered {
            if e == Unrenderable::FORGOTTEN {
                say!(Debug, "an edit or a sign comes too late and is dropped", lane = dispatch.lane);
            } else {
                say!(Warn, "a message cannot be said any more and is dropped", why = e, lane = dispatch.lane);
            }
            let reason = DropReason::Unrenderable;
            if let Some(key) = self.pacer.withdraw(desk.now.mono, dispatch.flight, reason) {
                self.drop(key, reason, desk);
            }
            return;
        }
        let lane = self.first + dispatch.lane.index();
        if dispatch.attempt == 0
            && let Some(stored) = self.waiting.get(dispatch.handle as usize)
        {
            desk.registry.observe(names::UPDATE_TO_SEND, desk.now.mono.since(stored.since));
        }
        let key = self.flights.insert(Flight { asks: rendered == Ok(true), ..flight });
        let tag = u64::from(self.kind.0) << 32 | key as u64;
        if client.send(desk.now.mono, lane, tag, &self.request).is_ok() {
            desk.registry.inc_at(names::SENDS, lane);
        } else {
            // Every connection of the lane is taken, which the in-flight cap should have prevented.
            let flight = self.flights.remove(key);
            self.judged(&flight, &Verdict::Failed, desk);
        }
    }

    /// Writes the request; `true` if it only asks about somebody.
    fn render<J: Journal>(
        &mut self,
        dispatch: &Dispatch<u32>,
        desk: &Desk<'_, J>,
    ) -> Result<bool, Unrenderable> {
        let gone = Unrenderable("its payload is gone");
        let lane = self.lanes.get(dispatch.lane.index()).ok_or(gone)?;
        let stored = self.waiting.get(dispatch.handle as usize).ok_or(gone)?;
        let view = RenderView {
            now: desk.now,
            user: dispatch.conversation.user,
            chat: dispatch.chat,
            lane: dispatch.lane,
            bot: lane.bot,
            refers: None,
        };
        let payload = &stored.envelope.payload;
        let call = match is_alert(dispatch.id) {
            true => alert::call(payload),
            false => desk.engine.render(self.kind, &view, payload)?,
        };
        self.request.clear();
        self.encoder.call(&lane.head, dispatch.chat, &call, &mut self.request);
        Ok(matches!(call, Call::IsMember { .. }))
    }

    /// Says in the place of a message that cannot be rendered that something went wrong, with the name under which
    /// the operator finds it. Not in the place of what is no message.
    fn apologize(&mut self, dispatch: &Dispatch<u32>, why: Unrenderable) -> bool {
        let Some(lane) = self.lanes.get(dispatch.lane.index()) else { return false };
        let stored = self.waiting.get(dispatch.handle as usize);
        if stored.is_none_or(|stored| stored.envelope.place == Place::Call) {
            return false;
        }
        let (user, envelope) = (dispatch.conversation.user, dispatch.id);
        let id = incident::record(&format_args!("message {envelope} to user {user}: {why}"));
        let text = format!("حدث خطأ. الرمز: {id}\nSomething went wrong. Code: {id}");
        self.request.clear();
        let call = Call::Text { text, keyboard: Vec::new() };
        self.encoder.call(&lane.head, dispatch.chat, &call, &mut self.request);
        true
    }

    /// Takes the answer to a send, or the failure to get one.
    pub(super) fn answered<J: Journal>(
        &mut self,
        key: u32,
        result: Result<Answer, Failure>,
        desk: &mut Desk<'_, J>,
    ) {
        let Some(flight) = self.flights.try_remove(key as usize) else { return };
        desk.registry.observe(names::PLATFORM, desk.now.mono.since(flight.since));
        let verdict = match result {
            Ok(mut answer) => self.verdicts.read(answer.status, answer.retry_after, &mut answer.body),
            Err(Failure::NotWritten(_)) => Verdict::Failed,
            Err(Failure::Unanswered(_)) => Verdict::Unknown,
        };
        let verdict = match verdict {
            Verdict::Unreachable(_) if flight.asks => Verdict::Rejected,
            verdict => verdict,
        };
        self.judged(&flight, &verdict, desk);
    }

    fn judged<J: Journal>(&mut self, flight: &Flight, verdict: &Verdict, desk: &mut Desk<'_, J>) {
        self.count(flight, verdict, desk.registry);
        let latency = desk.now.mono.since(flight.since);
        let outcome = self.pacer.handle_verdict(desk.now.mono, flight.flight, verdict, latency);
        if let Some(learned) = outcome.learned {
            let (user, lane, reached) = (learned.user, learned.lane, learned.reached);
            desk.reach.push(ReachFact { kind: self.kind, user, lane, reached });
        }
        match outcome.fate {
            Fate::Done { handle, end: End::Dropped(reason), .. } => {
                self.drop(handle, reason, desk);
            }
            Fate::Done { handle, end, .. } => {
                self.sent(handle, desk);
                self.tell_if_slow(handle, flight, desk.now.mono);
                self.end(handle, end, desk.ends);
            }
            // It may have been accepted: it is not coalesced into, and the repeat is counted.
            Fate::Requeued { .. } if *verdict == Verdict::Unknown => desk.registry.inc(names::REPEATS),
            Fate::Requeued { .. } if is_alert(flight.id) => {}
            Fate::Requeued { .. } => desk.engine.requeued(flight.conversation, flight.id),
            Fate::NotInFlight => {}
        }
        self.drain_dropped(desk);
    }

    /// What the answer to an accepted envelope says to whoever cares.
    fn sent<J: Journal>(&self, key: u32, desk: &mut Desk<'_, J>) {
        let Some(Stored { envelope, .. }) = self.waiting.get(key as usize) else { return };
        if is_alert(envelope.id) {
            return;
        }
        desk.links.extend(desk.engine.links(envelope, self.verdicts.messages()));
        desk.engine.came_of(envelope, self.verdicts.member().map_or(Outcome::Sent, Outcome::Member));
    }

    /// From the commit of what caused the message to the platform's answer.
    fn tell_if_slow(&self, handle: u32, flight: &Flight, now: Nanos) {
        let Some(Stored { envelope, since, .. }) = self.waiting.get(handle as usize) else { return };
        if let Some(suppressed) = slow::admit(now.since(*since), now) {
            let (queue, platform) = (flight.since.since(*since), now.since(flight.since));
            note!(
                Performance,
                Warn,
                "slow answer",
                user = envelope.conversation.user,
                lane = flight.lane,
                queue_ms = queue.as_millis(),
                platform_ms = platform.as_millis(),
                suppressed = suppressed
            );
        }
    }

    fn count(&mut self, flight: &Flight, verdict: &Verdict, registry: &Registry) {
        let lane = self.first + flight.lane.index();
        registry.inc_at(names::VERDICTS, names::verdict_index(verdict));
        match verdict {
            Verdict::Sent => {
                registry.inc_at(names::SENDS_ACCEPTED, lane);
                self.accepted += 1;
            }
            Verdict::RetryAfter(wait) => {
                registry.inc_at(names::REFUSED_429, lane);
                say!(Warn, "the platform answered 429", lane = flight.lane, retry_after_s = wait.as_secs());
            }
            Verdict::TokenDead => say!(Error, "the platform refuses this lane's token", lane = flight.lane),
            _ => {}
        }
    }

    fn drain_dropped<J: Journal>(&mut self, desk: &mut Desk<'_, J>) {
        while let Some((key, _, reason)) = self.pacer.poll_dropped() {
            self.drop(key, reason, desk);
        }
    }

    fn drop<J: Journal>(&mut self, key: u32, reason: DropReason, desk: &mut Desk<'_, J>) {
        desk.registry.inc_at(names::DROPPED, reason as usize);
        match self.waiting.get(key as usize) {
            Some(Stored { envelope, .. }) if is_alert(envelope.id) => alert::lost(envelope, reason),
            Some(Stored { envelope, .. }) => desk.engine.came_of(envelope, Outcome::Dropped(reason)),
            None => {}
        }
        self.end(key, End::Dropped(reason), desk.ends);
    }

    fn end(&mut self, key: u32, end: End, ends: &mut Vec<Ended>) {
        if let Some(Stored { envelope, .. }) = self.waiting.try_remove(key as usize)
            && !is_alert(envelope.id)
        {
            ends.push(Ended { conversation: envelope.conversation, id: envelope.id, end });
        }
    }

    /// Stops one of its lanes, or lets it go on; `lane` counts over all kinds.
    pub(super) fn set_paused(&mut self, lane: usize, paused: bool) {
        let Some(own) = lane.checked_sub(self.first).filter(|own| *own < self.lanes.len()) else { return };
        let own = LaneIx(own as u16);
        if paused { self.pacer.pause(own) } else { self.pacer.resume(own) }
    }

    /// Sets its gauges; adds what waits, by class, to `queue`.
    pub(super) fn set_gauges<J: Journal>(
        &mut self,
        engine: &Engine<J>,
        registry: &Registry,
        queue: &mut [u64; 4],
    ) {
        let accepted = std::mem::take(&mut self.accepted);
        // Without a queue, few messages leave because few are there.
        let queued = self.pacer.len() > self.capacity as usize;
        self.per_s = if queued { (self.per_s * 3 + accepted) / 4 } else { self.capacity };
        engine.set_send_rate(self.kind, self.per_s);
        for lane in 0..self.lanes.len() {
            let Some(gauges) = self.pacer.lane(LaneIx(lane as u16)) else { continue };
            let healthy = matches!(gauges.health, LaneHealth::Closed) && !gauges.paused;
            registry.set_at(names::LANE_OPEN, self.first + lane, u64::from(healthy));
            registry.set_at(names::IN_FLIGHT, self.first + lane, u64::from(gauges.in_flight));
            registry.set_at(names::LANE_RATE, self.first + lane, u64::from(gauges.slots));
            registry.set_at(names::LANE_PAUSED, self.first + lane, u64::from(gauges.paused));
            let pending = gauges.pending.map(u64::from);
            registry.set_at(names::LANE_PENDING, self.first + lane, pending.iter().sum());
            std::iter::zip(&mut *queue, pending).for_each(|(all, own)| *all += own);
        }
    }
}
