//! Updates in: path, secret token, decode, engine; the 200 waits for the commit.
//!
//! What lives here: [`Webhook`], the reactor's service on the webhook listener; [`routes`]. One instance an
//! intake thread, all on the same engine. It holds no decision about a user. `serve` builds it.
//!
//! Invariant: an answer 200 to an update leaves only when the journal is durable up to the frame that the
//! engine named. A refusal by back-pressure is 503 with `Retry-After`: the platform keeps the update.

pub mod routes;

use crate::admin::{Audience, Pages};
use crate::channel::telegram::{DecodeError, Decoder, Update};
use crate::http::{Framing, Method, RequestHead, Response, Status};
use crate::observe::{Registry, Sampler, names};
use crate::reactor::{Answer, Deferred, Peer, ReplyToken, Service, Turn};
use crate::say;
use nobat_core::engine::{Admitted, AdmittedAs, Busy, Engine, Inbound, Journal};
use nobat_core::id::Seq;
use nobat_core::time::Nanos;
use routes::{Bot, Routes, SecretCheck};
use std::collections::VecDeque;
use std::sync::Arc;

/// The header that carries the webhook's secret.
const SECRET_HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

/// Seconds after which the platform may try again while the journal is behind. Short: the backlog is the
/// platform's, and a long pause leaves us idle once the disk has caught up.
const RETRY_AFTER_S: u32 = 2;

/// What is durable, as the webhook needs to know it.
pub trait Durable: Send + Sync {
    /// Every frame up to and including this one survives a crash.
    fn durable(&self) -> Seq;
    /// The disk takes nothing at present (full, or a sync failed): say 503 at once.
    fn stalled(&self) -> bool;
}

/// The service of the webhook listener.
pub struct Webhook<J> {
    shared: Arc<Shared<J>>,
    decoder: Decoder,
    /// Rising by sequence: frames are pushed by this thread in order, and a tail is never below them.
    waiting: VecDeque<Waiting>,
    /// Of the page that was admitted last; a page has no body, so its call follows at once.
    audience: Audience,
}

/// What all intake threads share.
pub struct Shared<J> {
    /// Where updates are decided.
    pub engine: Arc<Engine<J>>,
    /// What may be answered.
    pub durable: Arc<dyn Durable>,
    /// Which path is whose.
    pub routes: Routes,
    /// The webhook's secret.
    pub secret: SecretCheck,
    /// `/health`, `/readyz`, `/stats`.
    pub pages: Arc<Pages>,
    /// Counters.
    pub registry: Arc<Registry>,
    /// Bounds the log lines about single updates.
    pub sampler: Sampler,
    /// How many lanes the kind has, for the log.
    pub lanes: u16,
}

struct Waiting {
    after: Seq,
    token: ReplyToken,
    arrived: Nanos,
}

impl<J: Journal> Webhook<J> {
    /// A service for one intake thread.
    #[must_use]
    pub fn new(shared: Arc<Shared<J>>) -> Self {
        Self { shared, decoder: Decoder::new(), waiting: VecDeque::new(), audience: Audience::Public }
    }

    fn update(&mut self, turn: &Turn, token: ReplyToken, bot: Bot, body: &mut [u8]) -> Answer {
        let registry = &self.shared.registry;
        let update = match self.decoder.decode(body) {
            Ok(update) => update,
            Err(e) => {
                let index = usize::from(!matches!(e, DecodeError::NotJson));
                registry.inc_at(names::UPDATES_REFUSED, index);
                return Answer::Now(Response::text(Status::BAD_REQUEST, e.to_string()));
            }
        };
        registry.inc_at(names::UPDATES, update.kind as usize);
        let Some(inbound) = inbound(bot, &update) else {
            // Nothing of ours: a channel post, a poll, a kind we do not know. Never 4xx: it would clog the
            // lane.
            return Answer::Now(Response::empty(Status::OK));
        };
        match self.shared.engine.handle_update(turn.now, &inbound) {
            Ok(admitted) => {
                self.shared.count(turn, &inbound, admitted);
                if admitted.after <= self.shared.durable.durable() {
                    return Answer::Now(Response::empty(Status::OK));
                }
                self.waiting.push_back(Waiting { after: admitted.after, token, arrived: turn.now.mono });
                Answer::Later
            }
            Err(busy) => {
                say!(Debug, "update put off", why = busy);
                Answer::Now(self.busy(busy))
            }
        }
    }

    fn busy(&self, _: Busy) -> Response {
        self.shared.registry.inc_at(names::UPDATES_REFUSED, 3);
        Response::busy(RETRY_AFTER_S)
    }
}

impl<J: Journal> Shared<J> {
    fn count(&self, turn: &Turn, inbound: &Inbound<'_>, admitted: Admitted) {
        match admitted.as_what {
            AdmittedAs::Decided => {}
            AdmittedAs::Quiet => self.registry.inc(names::COALESCED),
            AdmittedAs::Duplicate => self.registry.inc(names::UPDATES_DUPLICATE),
            AdmittedAs::TooFast => self.registry.inc(names::RATE_LIMITED),
        }
        if crate::observe::log::enabled(crate::observe::log::Level::Info)
            && let Some(suppressed) = self.sampler.admit(turn.now.mono)
        {
            let (user, lane) = (inbound.user, inbound.lane);
            let home = user.home(self.lanes.max(1));
            say!(Info, "Update from user {user}, backend bot {home}", lane = lane, suppressed = suppressed);
        }
    }
}

/// The update as the engine wants it; `None` if it is nobody's private conversation.
fn inbound<'a>(bot: Bot, update: &Update<'a>) -> Option<Inbound<'a>> {
    let (user, chat) = update.conversation()?;
    Some(Inbound {
        kind: bot.kind,
        lane: bot.lane,
        update: update.update_id,
        user,
        chat,
        language: update.language,
        input: update.input()?,
    })
}

impl<J: Journal> Service for Webhook<J> {
    fn admit(&mut self, head: &RequestHead<'_>, peer: &Peer) -> Result<(), Response> {
        let shared = &self.shared;
        if shared.routes.find(head.path()).is_none() {
            self.audience = shared.pages.audience(head, peer.addr.ip());
            return match head.framing() {
                Framing::None | Framing::Length(0) => shared.pages.admit(head, self.audience),
                _ => Err(Response::empty(Status::CONTENT_TOO_LARGE)),
            };
        }
        if head.method() != Method::Post {
            return Err(Response::method_not_allowed("POST"));
        }
        if !shared.secret.passes(head.fields().only(SECRET_HEADER)) {
            shared.registry.inc_at(names::UPDATES_REFUSED, 2);
            return Err(Response::empty(Status::UNAUTHORIZED));
        }
        if shared.durable.stalled() {
            return Err(self.busy(Busy::Journal));
        }
        Ok(())
    }

    fn call(&mut self, turn: &Turn, token: ReplyToken, head: &RequestHead<'_>, body: &mut [u8]) -> Answer {
        let answer = match self.shared.routes.find(head.path()) {
            Some(bot) => self.update(turn, token, bot, body),
            None => Answer::Now(self.shared.pages.answer(turn, head, self.audience)),
        };
        if let Answer::Now(response) = &answer {
            self.shared.registry.inc_at(names::WEBHOOK_ANSWERS, names::status_index(response.status.0));
        }
        answer
    }

    fn settle(&mut self, turn: &Turn, out: &mut Deferred<'_>) {
        if self.waiting.is_empty() {
            return;
        }
        let durable = self.shared.durable.durable();
        while let Some(first) = self.waiting.front().filter(|w| w.after <= durable) {
            let registry = &self.shared.registry;
            registry.observe(names::UPDATE_TO_200, turn.now.mono.since(first.arrived));
            registry.inc_at(names::WEBHOOK_ANSWERS, names::status_index(200));
            out.answer(first.token, Response::empty(Status::OK));
            self.waiting.pop_front();
        }
    }
}
