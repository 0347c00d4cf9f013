//! The pages, for whoever may see them.

use super::bodies::{self, Facts};
use super::key::Key;
use super::process;
use super::state::State;
use crate::config::Config;
use crate::http::{Method, RequestHead, Response, Status};
use crate::observe::{Registry, exposition, log, names};
use crate::reactor::{Stats, StatsView, Turn};
use nobat_core::time::Nanos;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

/// What may be done with a page.
const ALLOW: &str = "GET, HEAD, OPTIONS";

/// RFC 9110 11.6.1, RFC 7617: browsers ask for the password.
const CHALLENGE: &str = "Basic realm=\"nobat\", charset=\"UTF-8\"";

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// Anyone who can reach the webhook listener.
    Public,
    /// The webhook listener, from this machine itself.
    Local,
    /// The admin listener.
    Operator,
    /// The webhook listener's `/admin/`, with the operator's password.
    OnMain,
    /// The same without it.
    Stranger,
}

/// Before a page is made, fills in the gauges that are counted elsewhere.
type Refresh = Box<dyn Fn(&Registry) + Send + Sync>;

/// The pages of both listeners. Shared by their threads.
pub struct Pages {
    facts: Facts,
    registry: Arc<Registry>,
    refresh: Refresh,
    intakes: OnceLock<Vec<Arc<Stats>>>,
    started: Nanos,
    state: AtomicU8,
    /// Nothing forwards to the webhook listener from this machine, so who calls from it is who runs it.
    unproxied: bool,
    /// What opens the operator's pages on the webhook listener, if they are there.
    on_main: Option<Key>,
}

impl Pages {
    /// The pages of this configuration, in the state [`State::Starting`]. `started` is when the process did.
    #[must_use]
    pub fn new(config: &Config, registry: Arc<Registry>, started: Nanos) -> Self {
        // Without TLS of our own, what comes from this machine to a public address comes through a proxy.
        let unproxied = config.tls.is_some()
            || config.webhook.url.as_ref().is_none_or(crate::config::BaseUrl::is_loopback);
        Self {
            facts: Facts {
                public: bodies::public_stats(config),
                bots: config.lanes.iter().map(|lane| lane.bot_id.0).collect(),
            },
            registry,
            refresh: Box::new(|_| {}),
            intakes: OnceLock::new(),
            started,
            state: AtomicU8::new(State::Starting as u8),
            unproxied,
            on_main: config.admin.on_main.clone().map(Key::new),
        }
    }

    /// With gauges that `refresh` fills in whenever `/metrics` or the full `/stats` is asked for.
    #[must_use]
    pub fn with_refresh(mut self, refresh: impl Fn(&Registry) + Send + Sync + 'static) -> Self {
        self.refresh = Box::new(refresh);
        self
    }

    /// Shows the connections of these reactors as well, from now on. The first call counts.
    pub fn watch(&self, intakes: Vec<Arc<Stats>>) {
        // A second list would be of the same reactors.
        let _ = self.intakes.set(intakes);
    }

    /// The counters that are shown.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What the process is about from now on.
    pub fn set(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// What the process is about.
    #[must_use]
    pub fn state(&self) -> State {
        State::ALL[usize::from(self.state.load(Ordering::Acquire)).min(State::ALL.len() - 1)]
    }

    /// Who sits at the other end of a connection of the webhook listener. A request that a proxy forwarded is
    /// public wherever it comes from.
    #[must_use]
    pub fn audience(&self, head: &RequestHead<'_>, from: std::net::IpAddr) -> Audience {
        if let Some(key) = self.on_main.as_ref().filter(|_| below_admin(head.path()).is_some()) {
            let opens = key.opens(head.fields().only("Authorization"));
            return if opens { Audience::OnMain } else { Audience::Stranger };
        }
        const FORWARDED: [&[u8]; 4] = [b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"];
        let forwarded = head
            .fields()
            .iter()
            .any(|(field, _)| FORWARDED.iter().any(|name| field.eq_ignore_ascii_case(name)));
        if self.unproxied && from.is_loopback() && !forwarded { Audience::Local } else { Audience::Public }
    }

    /// Is there such a page for this audience? Called before a body is read.
    ///
    /// # Errors
    /// What is answered instead: 404, 401 for the operator's pages without his password, 405 for
    /// another method than GET and HEAD, 200 to OPTIONS.
    pub fn admit(&self, head: &RequestHead<'_>, audience: Audience) -> Result<(), Response> {
        // RFC 9110 9.3.7: of the server as a whole.
        if head.path() == b"*" {
            return Err(Response::options("GET, HEAD, OPTIONS, POST"));
        }
        if audience == Audience::Stranger {
            return Err(Response::empty(Status::UNAUTHORIZED).field("WWW-Authenticate", CHALLENGE));
        }
        if Page::of(head.path(), audience).is_none() {
            return Err(Response::empty(Status::NOT_FOUND));
        }
        match head.method() {
            Method::Get | Method::Head => Ok(()),
            Method::Options => Err(Response::options(ALLOW)),
            _ => Err(Response::method_not_allowed(ALLOW)),
        }
    }

    /// The page.
    #[must_use]
    pub fn answer(&self, turn: &Turn, head: &RequestHead<'_>, audience: Audience) -> Response {
        let Some(page) = Page::of(head.path(), audience) else { return Response::empty(Status::NOT_FOUND) };
        let response = match page {
            Page::Health => Response::json(Status::OK, bodies::health(turn.now.wall)),
            Page::Alive => Response::text(Status::OK, "ok\n"),
            Page::Ready => {
                let state = self.state();
                let mut response = Response::json(Status::OK, bodies::ready(state));
                if state != State::Ready {
                    response.status = Status::SERVICE_UNAVAILABLE;
                    response.retry_after = Some(1);
                }
                response
            }
            Page::PublicStats => Response::json(Status::OK, self.facts.public.clone()),
            Page::FullStats => Response::json(Status::OK, self.stats(turn.now.mono)),
            Page::Metrics => Response::with_body(Status::OK, exposition::CONTENT_TYPE, self.metrics()),
        };
        response.field("Cache-Control", "no-store").field("X-Content-Type-Options", "nosniff")
    }

    /// The full `/stats`, for whoever sits at the process's own socket.
    #[must_use]
    pub fn stats(&self, now: Nanos) -> String {
        self.gather();
        bodies::full_stats(&self.facts, self.state(), now.since(self.started), &self.registry)
    }

    /// All metrics, in Prometheus's text form.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.gather();
        exposition::render(&self.registry)
    }

    fn gather(&self) {
        (self.refresh)(&self.registry);
        log::export(&self.registry);
        let views: Vec<_> = self.intakes.get().into_iter().flatten().map(|stats| stats.view()).collect();
        let sum = |of: fn(&StatsView) -> u64| views.iter().map(of).sum();
        self.registry.set(names::CONNECTIONS_OPEN, sum(|view| view.connections));
        self.registry.set(names::CONNECTIONS, sum(|view| view.accepted));
        self.registry.set(names::ACCEPT_PAUSES, sum(|view| view.accept_pauses));
        self.registry.set(names::SLOW_PEERS, sum(|view| view.timeouts));
        if let Some(bytes) = process::resident_bytes() {
            self.registry.set(names::RESIDENT_BYTES, bytes);
        }
    }
}

/// Where the operator's pages are on the webhook listener.
fn below_admin(path: &[u8]) -> Option<&[u8]> {
    path.strip_prefix(b"/admin").filter(|rest| rest.first() == Some(&b'/'))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Page {
    Health,
    Alive,
    Ready,
    PublicStats,
    FullStats,
    Metrics,
}

impl Page {
    fn of(path: &[u8], audience: Audience) -> Option<Self> {
        let (path, audience) = match audience {
            Audience::OnMain => (below_admin(path)?, Audience::Operator),
            audience => (path, audience),
        };
        Some(match (path, audience) {
            (b"/" | b"/health", _) => Self::Health,
            (b"/healthz", _) => Self::Alive,
            (b"/readyz", _) => Self::Ready,
            (b"/stats", Audience::Public | Audience::Local) => Self::PublicStats,
            (b"/stats", Audience::Operator) => Self::FullStats,
            (b"/metrics", Audience::Local | Audience::Operator) => Self::Metrics,
            _ => return None,
        })
    }
}
