//! What operators are shown: the pages of both listeners, and the reactor of their own one.

use super::ring::RingJournal;
use crate::admin::{AdminService, Pages};
use crate::clock::Clock;
use crate::config::Config;
use crate::disk;
use crate::observe::{Registry, names};
use crate::reactor::{Reactor, ReactorConfig};
use crate::records::Marks;
use nobat_core::engine::{Engine, Journal as _};
use std::io;
use std::sync::Arc;

/// Connections of operators' programs; beyond, they wait.
const CONNECTIONS_MAX: usize = 64;

/// Serves the pages on the operator's own listener.
pub(super) fn reactor(
    listener: mio::net::TcpListener,
    pages: &Arc<Pages>,
    clock: Clock,
) -> io::Result<Reactor<AdminService>> {
    let bounds = ReactorConfig { connections_max: CONNECTIONS_MAX, ..ReactorConfig::default() };
    Reactor::new(vec![listener], None, bounds, AdminService::new(Arc::clone(pages)), clock)
}

/// The pages of both listeners, with the gauges that are counted elsewhere.
pub(super) fn pages(
    config: &Config,
    registry: &Arc<Registry>,
    engine: &Arc<Engine<RingJournal>>,
    (journal, records): (&disk::JournalHandle, Option<Arc<Marks>>),
    clock: Clock,
) -> Pages {
    let (engine, durability) = (Arc::clone(engine), journal.durability());
    Pages::new(config, Arc::clone(registry), clock.now().mono).with_refresh(move |registry| {
        let pushed = engine.journal().tail().0;
        let durable = durability.durable();
        registry.set(names::JOURNAL_RING, pushed.saturating_sub(durable));
        records.iter().for_each(|marks| marks.show(registry, durable, clock.mono()));
        registry.set(names::ENVELOPES_PENDING, engine.pending());
        registry.set(names::USERS, engine.users() as u64);
        registry.set(names::BLOCKS_REFUSED, engine.blocks_refused());
    })
}
