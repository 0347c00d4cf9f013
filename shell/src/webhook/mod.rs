//! Updates in: path, secret token, decode, engine; the 200 waits for the commit.
//!
//! What lives here: [`Webhook`], the reactor's service on the webhook listener; [`routes`]. One instance an
//! intake thread, all on the same engine. It holds no decision about a user. `serve` builds it.
//!
//! Invariant: an answer 200 to an update leaves only when the journal is durable up to the frame that the
//! engine named. A refusal by back-pressure is 503 with `Retry-After`: the platform keeps the update.

pub mod routes;
pub mod source;

use crate::admin::{Audience, Pages};
use crate::channel::telegram::{DecodeError, Decoder, Update};
use crate::http::{Framing, Method, RequestHead, Response, Status};
use crate::note;
use crate::observe::{Registry, names, slow};
use crate::reactor::{Answer, Deferred, Peer, ReplyToken, Service, Turn};
use crate::updates::{Bot, Taken, Updates};
use nobat_core::engine::{Busy, Journal};
use nobat_core::id::Seq;
use nobat_core::time::{Nanos, Now};
use routes::{Routes, SecretCheck};
use source::Sources;
use std::collections::VecDeque;
use std::sync::Arc;

/// The header that carries the webhook's secret.
const SECRET_HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

/// Seconds after which the platform may try again while the journal is behind. Short: the backlog is the
/// platform's, and a long pause leaves us idle once the disk has caught up.
const RETRY_AFTER_S: u32 = 2;

/// What may be done with a webhook's path.
const ALLOW: &str = "OPTIONS, POST";

/// RFC 9110 11.6.1: a 401 names a scheme; this one says which header is missing.
const CHALLENGE: &str = "Secret-Token header=\"X-Telegram-Bot-Api-Secret-Token\"";

/// Bytes of a body that nobody reads: RFC 9110 9.3.1 gives a GET's body no meaning, so it is skipped, but
/// whoever has no secret must not fill our memory.
const IGNORED_BODY_MAX: u64 = 4 * 1024;

/// What the webhook needs of the way to the engine. [`Updates`] is it; benches put nothing behind it.
pub trait Door {
    /// Has one update decided.
    fn take(&self, now: Now, bot: Bot, update: &Update<'_>) -> Taken;
    /// Every frame up to here survives a crash.
    fn durable(&self) -> Seq;
    /// Nothing can be made durable at present.
    fn stalled(&self) -> bool;
    /// Nothing new is taken any more, on purpose; then [`Door::stalled`] as well.
    fn draining(&self) -> bool {
        false
    }
    /// Counts an update that the platform is to keep.
    fn put_off(&self, why: Busy);
    /// The counters.
    fn registry(&self) -> &Registry;
}

impl<J: Journal> Door for Updates<J> {
    fn take(&self, now: Now, bot: Bot, update: &Update<'_>) -> Taken {
        Self::take(self, now, bot, update)
    }

    fn durable(&self) -> Seq {
        self.durable.durable()
    }

    fn stalled(&self) -> bool {
        self.durable.stalled()
    }

    fn draining(&self) -> bool {
        self.durable.draining()
    }

    fn put_off(&self, why: Busy) {
        Self::put_off(self, why);
    }

    fn registry(&self) -> &Registry {
        &self.registry
    }
}

/// Shared with long polling, which comes through the same door.
impl<D: Door> Door for Arc<D> {
    fn take(&self, now: Now, bot: Bot, update: &Update<'_>) -> Taken {
        D::take(self, now, bot, update)
    }

    fn durable(&self) -> Seq {
        D::durable(self)
    }

    fn stalled(&self) -> bool {
        D::stalled(self)
    }

    fn draining(&self) -> bool {
        D::draining(self)
    }

    fn put_off(&self, why: Busy) {
        D::put_off(self, why);
    }

    fn registry(&self) -> &Registry {
        D::registry(self)
    }
}

/// The service of the webhook listener.
pub struct Webhook<D> {
    shared: Arc<Shared<D>>,
    decoder: Decoder,
    /// Rising by sequence: frames are pushed by this thread in order, and a tail is never below them.
    waiting: VecDeque<Waiting>,
    /// Of the page that was admitted last. Without a body its call follows at once; with one it is public.
    audience: Audience,
}

/// What all intake threads share.
pub struct Shared<D> {
    /// Where updates are decided.
    pub updates: D,
    /// Which path is whose.
    pub routes: Routes,
    /// The webhook's secret.
    pub secret: SecretCheck,
    /// Who may bring updates.
    pub sources: Sources,
    /// `/health`, `/readyz`, `/stats`.
    pub pages: Arc<Pages>,
}

struct Waiting {
    after: Seq,
    token: ReplyToken,
    arrived: Nanos,
}

impl<D: Door> Webhook<D> {
    /// A service for one intake thread.
    #[must_use]
    pub fn new(shared: Arc<Shared<D>>) -> Self {
        Self { shared, decoder: Decoder::new(), waiting: VecDeque::new(), audience: Audience::Public }
    }

    fn update(&mut self, turn: &Turn, token: ReplyToken, bot: Bot, body: &mut [u8]) -> Answer {
        let updates = &self.shared.updates;
        let update = match self.decoder.decode(body) {
            Ok(update) => update,
            Err(e) => {
                let index = usize::from(!matches!(e, DecodeError::NotJson));
                updates.registry().inc_at(names::UPDATES_REFUSED, index);
                return Answer::Now(Response::text(Status::BAD_REQUEST, e.to_string()));
            }
        };
        match updates.take(turn.now, bot, &update) {
            Taken::NotOurs => Answer::Now(Response::empty(Status::OK)),
            Taken::After(after) if after <= updates.durable() => Answer::Now(Response::empty(Status::OK)),
            Taken::After(after) => {
                self.waiting.push_back(Waiting { after, token, arrived: turn.now.mono });
                Answer::Later
            }
            Taken::Busy(_) => Answer::Now(Response::busy(RETRY_AFTER_S)),
        }
    }
}

impl<D: Door> Service for Webhook<D> {
    fn admit(&mut self, head: &RequestHead<'_>, peer: &Peer) -> Result<(), Response> {
        let shared = &self.shared;
        if shared.routes.find(head.path()).is_none() {
            self.audience = shared.pages.audience(head, peer.addr.ip());
            return match head.framing() {
                // Without a length it cannot be known beforehand how much is to be skipped.
                Framing::Chunked => Err(Response::empty(Status::LENGTH_REQUIRED)),
                Framing::Length(len) if len > IGNORED_BODY_MAX => {
                    Err(Response::empty(Status::CONTENT_TOO_LARGE))
                }
                _ => shared.pages.admit(head, self.audience),
            };
        }
        if !shared.sources.admit(peer.addr.ip(), head) {
            return Err(Response::empty(Status::FORBIDDEN));
        }
        match head.method() {
            Method::Post => {}
            Method::Options => return Err(Response::options(ALLOW)),
            _ => return Err(Response::method_not_allowed(ALLOW)),
        }
        if !shared.secret.passes(head.fields().only(SECRET_HEADER)) {
            shared.updates.registry().inc_at(names::UPDATES_REFUSED, 2);
            return Err(Response::empty(Status::UNAUTHORIZED).field("WWW-Authenticate", CHALLENGE));
        }
        if head.framing() == Framing::None {
            return Err(Response::empty(Status::LENGTH_REQUIRED));
        }
        if !head.fields().all("Content-Type").all(is_json) {
            return Err(Response::empty(Status::UNSUPPORTED_MEDIA_TYPE).field("Accept", "application/json"));
        }
        if shared.updates.stalled() {
            shared.updates.put_off(Busy::Journal);
            let mut busy = Response::busy(RETRY_AFTER_S);
            // A balancer's connection must find its way to another process.
            busy.close = shared.updates.draining();
            return Err(busy);
        }
        Ok(())
    }

    fn call(&mut self, turn: &Turn, token: ReplyToken, head: &RequestHead<'_>, body: &mut [u8]) -> Answer {
        let answer = match self.shared.routes.find(head.path()) {
            Some(bot) => self.update(turn, token, bot, body),
            None => {
                let bodiless = matches!(head.framing(), Framing::None | Framing::Length(0));
                let audience = if bodiless { self.audience } else { Audience::Public };
                Answer::Now(self.shared.pages.answer(turn, head, audience))
            }
        };
        if let Answer::Now(response) = &answer {
            let registry = self.shared.updates.registry();
            registry.inc_at(names::WEBHOOK_ANSWERS, names::status_index(response.status.0));
        }
        answer
    }

    fn settle(&mut self, turn: &Turn, out: &mut Deferred<'_>) {
        if self.waiting.is_empty() {
            return;
        }
        let durable = self.shared.updates.durable();
        while let Some(first) = self.waiting.front().filter(|w| w.after <= durable) {
            let registry = self.shared.updates.registry();
            let took = turn.now.mono.since(first.arrived);
            registry.observe(names::UPDATE_TO_200, took);
            if let Some(suppressed) = slow::admit(took, turn.now.mono) {
                let commit_ms = took.as_millis();
                note!(
                    Performance,
                    Warn,
                    "slow 200: the journal",
                    commit_ms = commit_ms,
                    suppressed = suppressed
                );
            }
            registry.inc_at(names::WEBHOOK_ANSWERS, names::status_index(200));
            out.answer(first.token, Response::empty(Status::OK));
            self.waiting.pop_front();
        }
    }
}

/// RFC 9110 8.3.1: type and subtype in any case; parameters do not matter to JSON (RFC 8259 11).
fn is_json(content_type: &[u8]) -> bool {
    if content_type == b"application/json" {
        return true;
    }
    let end = content_type.iter().position(|&b| b == b';').unwrap_or(content_type.len());
    content_type[..end].trim_ascii().eq_ignore_ascii_case(b"application/json")
}
