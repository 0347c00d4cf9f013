//! The threads that the watchdog is told about, and how each shows that it moves.

use super::intake::Intake;
use super::liveness::Watched;
use super::ring::RingJournal;
use crate::admin::AdminService;
use crate::disk;
use crate::observe::{Registry, names};
use crate::outbound::Outbox;
use crate::reactor::Reactor;
use nobat_core::engine::{Engine, Journal as _};
use std::sync::Arc;

/// The threads without which nothing is served.
pub(super) fn threads(
    intake: &Intake,
    admin: Option<&Reactor<AdminService>>,
    registry: &Arc<Registry>,
    outbox: &Outbox,
    engine: &Arc<Engine<RingJournal>>,
    journal: &disk::JournalHandle,
) -> Vec<Watched> {
    let never_idle = || Box::new(|| false);
    let mut threads = Vec::new();
    let intakes = intake.watched().into_iter().enumerate().map(|(n, parts)| (format!("intake-{n}"), parts));
    let admin = admin.map(|admin| ("admin-0".to_owned(), (admin.waker(), admin.stats())));
    for (name, (waker, stats)) in intakes.chain(admin) {
        let poke = move || {
            let _ = waker.wake();
        };
        let beat = move || stats.view().turns;
        threads.push(Watched { name, beat: Box::new(beat), idle: never_idle(), poke: Box::new(poke) });
    }
    let (registry, outbox) = (Arc::clone(registry), outbox.clone());
    threads.push(Watched {
        name: "outbound".to_owned(),
        beat: Box::new(move || registry.total(names::OUTBOUND_BEATS)),
        idle: never_idle(),
        poke: Box::new(move || outbox.wake()),
    });
    let (engine, seen, durability) = (Arc::clone(engine), journal.durability(), journal.durability());
    threads.push(Watched {
        name: "journal".to_owned(),
        beat: Box::new(move || seen.durable()),
        idle: Box::new(move || engine.journal().tail().0 <= durability.durable() || durability.stalled()),
        poke: Box::new(|| {}),
    });
    threads
}
