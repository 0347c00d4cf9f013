//! Updates in: path, secret token, decode, engine; the 200 waits for the commit.
//!
//! What lives here: [`Webhook`], the reactor's service on the webhook listener; [`routes`]. One instance an
//! intake thread, all on the same engine. It holds no decision about a user. `serve` builds it.
//!
//! Invariant: an answer 200 to an update leaves only when the journal is durable up to the frame that the
//! engine named. A refusal by back-pressure is 503 with `Retry-After`: the platform keeps the update.

pub mod routes;

use crate::admin::{Audience, Pages};
use crate::channel::telegram::{DecodeError, Decoder};
use crate::http::{Framing, Method, RequestHead, Response, Status};
use crate::observe::names;
use crate::reactor::{Answer, Deferred, Peer, ReplyToken, Service, Turn};
use crate::updates::{Bot, Taken, Updates};
use nobat_core::engine::{Busy, Journal};
use nobat_core::id::Seq;
use nobat_core::time::Nanos;
use routes::{Routes, SecretCheck};
use std::collections::VecDeque;
use std::sync::Arc;

/// The header that carries the webhook's secret.
const SECRET_HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

/// Seconds after which the platform may try again while the journal is behind. Short: the backlog is the
/// platform's, and a long pause leaves us idle once the disk has caught up.
const RETRY_AFTER_S: u32 = 2;

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
    pub updates: Updates<J>,
    /// Which path is whose.
    pub routes: Routes,
    /// The webhook's secret.
    pub secret: SecretCheck,
    /// `/health`, `/readyz`, `/stats`.
    pub pages: Arc<Pages>,
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
        let updates = &self.shared.updates;
        let update = match self.decoder.decode(body) {
            Ok(update) => update,
            Err(e) => {
                let index = usize::from(!matches!(e, DecodeError::NotJson));
                updates.registry.inc_at(names::UPDATES_REFUSED, index);
                return Answer::Now(Response::text(Status::BAD_REQUEST, e.to_string()));
            }
        };
        match updates.take(turn.now, bot, &update) {
            Taken::NotOurs => Answer::Now(Response::empty(Status::OK)),
            Taken::After(after) if after <= updates.durable.durable() => {
                Answer::Now(Response::empty(Status::OK))
            }
            Taken::After(after) => {
                self.waiting.push_back(Waiting { after, token, arrived: turn.now.mono });
                Answer::Later
            }
            Taken::Busy(_) => Answer::Now(Response::busy(RETRY_AFTER_S)),
        }
    }
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
            shared.updates.registry.inc_at(names::UPDATES_REFUSED, 2);
            return Err(Response::empty(Status::UNAUTHORIZED));
        }
        if shared.updates.durable.stalled() {
            shared.updates.put_off(Busy::Journal);
            return Err(Response::busy(RETRY_AFTER_S));
        }
        Ok(())
    }

    fn call(&mut self, turn: &Turn, token: ReplyToken, head: &RequestHead<'_>, body: &mut [u8]) -> Answer {
        let answer = match self.shared.routes.find(head.path()) {
            Some(bot) => self.update(turn, token, bot, body),
            None => Answer::Now(self.shared.pages.answer(turn, head, self.audience)),
        };
        if let Answer::Now(response) = &answer {
            let registry = &self.shared.updates.registry;
            registry.inc_at(names::WEBHOOK_ANSWERS, names::status_index(response.status.0));
        }
        answer
    }

    fn settle(&mut self, turn: &Turn, out: &mut Deferred<'_>) {
        if self.waiting.is_empty() {
            return;
        }
        let durable = self.shared.updates.durable.durable();
        while let Some(first) = self.waiting.front().filter(|w| w.after <= durable) {
            let registry = &self.shared.updates.registry;
            registry.observe(names::UPDATE_TO_200, turn.now.mono.since(first.arrived));
            registry.inc_at(names::WEBHOOK_ANSWERS, names::status_index(200));
            out.answer(first.token, Response::empty(Status::OK));
            self.waiting.pop_front();
        }
    }
}
