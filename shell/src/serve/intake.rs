//! How updates come in: webhooks on listeners, or long polling, or both a listener and polling (a platform
//! that looks at `/health` on its port).
//!
//! What lives here: [`Intake`], set up but not running, and [`Running`]. Both ways share one door to the
//! engine.

use super::lifecycle::{Stop, Threads};
use super::ring::RingJournal;
use super::{ServeError, spec};
use crate::admin::Pages;
use crate::clock::Clock;
use crate::config::Config;
use crate::observe::{Registry, Sampler, Secret};
use crate::polling::{self, Poller};
use crate::reactor::{Reactor, Stats};
use crate::say;
use crate::updates::{Durable, Updates};
use crate::webhook::routes::SecretCheck;
use crate::webhook::source::Sources;
use crate::webhook::{self, Webhook};
use mio::Waker;
use mio::net::TcpListener;
use nobat_core::engine::Engine;
use std::io;
use std::sync::Arc;

/// What updates meet when they come in.
pub(super) struct House<'a> {
    pub config: &'a Config,
    pub engine: &'a Arc<Engine<RingJournal>>,
    pub durable: Arc<dyn Durable>,
    pub registry: &'a Arc<Registry>,
    pub pages: &'a Arc<Pages>,
    pub secret: &'a Secret,
    pub clock: Clock,
}

/// Ready to take updates.
pub(super) struct Intake {
    reactors: Vec<Reactor<Webhook<Arc<Updates<RingJournal>>>>>,
    poller: Option<Poller<RingJournal>>,
    updates: Arc<Updates<RingJournal>>,
}

/// Taking updates.
pub(super) struct Running {
    reactors: Threads,
    poller: Option<polling::Handle>,
}

/// With the key whose value it was.
pub(super) fn named(key: &str, error: &io::Error) -> ServeError {
    ServeError::Config(format!("{key}: {error}"))
}

impl Intake {
    pub(super) fn new(
        house: &House<'_>,
        listeners: Vec<Vec<TcpListener>>,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Result<Self, ServeError> {
        let House { config, engine, durable, registry, pages, secret, clock } = house;
        let updates = Arc::new(Updates {
            engine: Arc::clone(engine),
            durable: Arc::clone(durable),
            registry: Arc::clone(registry),
            sampler: Sampler::new(config.log.updates_per_second),
            put_off_lines: Sampler::once_a_minute(),
            clock: *clock,
            lanes: spec::homes(config),
        });
        let poller = match config.polling {
            Some(why) => Some(Poller::new(spec::polling(config, why)?, Arc::clone(&updates), *clock)?),
            None => None,
        };
        let shared = Arc::new(webhook::Shared {
            updates,
            routes: spec::routes(config),
            secret: SecretCheck::new(Some(secret.expose())),
            sources: Sources {
                allowed: config.webhook.allow_from.clone(),
                proxies: config.trusted_proxies.clone(),
            },
            pages: Arc::clone(pages),
        });
        let reactor = |listeners| {
            let service = Webhook::new(Arc::clone(&shared));
            Reactor::new(listeners, tls.clone(), spec::reactor(config), service, *clock)
        };
        let reactors: Vec<_> = listeners.into_iter().map(reactor).collect::<io::Result<_>>()?;
        pages.watch(reactors.iter().map(Reactor::stats).collect());
        Ok(Self { reactors, poller, updates: Arc::clone(&shared.updates) })
    }

    /// The reactors' wakers and counters, for the watch over them.
    pub(super) fn watched(&self) -> Vec<(Arc<Waker>, Arc<Stats>)> {
        self.reactors.iter().map(|reactor| (reactor.waker(), reactor.stats())).collect()
    }

    /// The door, for what may change while it is open.
    pub(super) fn updates(&self) -> Arc<Updates<RingJournal>> {
        Arc::clone(&self.updates)
    }

    /// To be woken after each commit.
    pub(super) fn wakers(&self) -> Vec<Arc<Waker>> {
        self.reactors.iter().map(Reactor::waker).chain(self.poller.iter().map(Poller::waker)).collect()
    }

    pub(super) fn start(self, stop: &Stop) -> io::Result<Running> {
        let reactors = stop.run_all("intake", self.reactors)?;
        Ok(Running { reactors, poller: self.poller.map(Poller::spawn).transpose()? })
    }
}

impl Running {
    /// Takes nothing new, answers and confirms what was taken. The journal must still run.
    pub(super) fn stop_and_join(self) {
        // Asked first: it may have to wait for the platform, and the listeners stop meanwhile.
        self.reactors.ask_to_stop();
        if let Some(poller) = self.poller {
            poller.stop_and_join();
        }
        self.reactors.stop_and_join();
    }
}

/// Where updates come from, for the log.
pub(super) fn say_where(config: &Config) {
    let (kind, lanes, listen) = (config.kind.name(), config.lanes.len(), config.listen);
    let heard = (0..lanes).filter(|lane| config.must_hear(*lane)).count();
    match (config.polling, config.listens) {
        (None, _) => say!(Info, "serving", kind = kind, lanes = lanes, listen = listen),
        (Some(_), true) => {
            say!(
                Info,
                "serving by long polling",
                kind = kind,
                lanes = lanes,
                polled = heard,
                listen = listen
            );
        }
        (Some(_), false) => {
            say!(Info, "serving by long polling", kind = kind, lanes = lanes, polled = heard);
        }
    }
}
