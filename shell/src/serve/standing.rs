//! What stands before anything runs: everything that was durable, in memory again, and nothing new taken.
//!
//! What lives here: [`bring_back`], which replays the journal into the engine and the queues, and [`bring_together`],
//! which then puts those who wait back in line.

use super::dataset::DatasetFile;
use super::lifecycle::Stop;
use super::ring::{RingEntry, RingJournal};
use super::{ServeError, recover, spec};
use crate::clock::Clock;
use crate::config::{Config, Kind};
use crate::disk::Journal;
use crate::entropy;
use crate::observe::Registry;
use crate::outbound::Outbound;
use crate::recovery::Recovery;
use nobat_bots::results::Shelf;
use nobat_core::engine::Engine;
use nobat_core::sync::ring as journal_ring;
use nobat_core::sync::ring::Consumer;
use std::sync::Arc;

/// Frames that may wait for a commit.
pub(super) const RING_FRAMES: usize = 1 << 14;

/// Bytes that may wait for a commit. Admission reserves the worst case of a decision, so this allows about
/// a thousand decisions at the same instant.
pub(super) const RING_BYTES: u64 = 64 << 20;

/// Brought back, not yet running.
pub(super) struct Standing {
    /// Everybody's state.
    pub(super) engine: Arc<Engine<RingJournal>>,
    /// With everything that has no end yet in its queues.
    pub(super) out: Outbound<RingJournal>,
    /// To be written to.
    pub(super) journal: Journal,
    /// What the journal's thread reads.
    pub(super) consumer: Consumer<RingEntry>,
    /// The list of results, if the kind has one.
    pub(super) dataset: Option<DatasetFile>,
}

/// Replays what is durable.
///
/// # Errors
/// As [`recover::recover`]; something in the configuration that only shows when it is used.
pub(super) fn bring_back(
    config: &Config,
    registry: &Arc<Registry>,
    clock: Clock,
) -> Result<Standing, ServeError> {
    let shelf = Arc::new(Shelf::default());
    let mut dataset = (config.kind == Kind::Results)
        .then(|| DatasetFile::new(config.results.dataset.clone(), Arc::clone(&shelf)));
    dataset.iter_mut().for_each(DatasetFile::refresh);

    let seed = entropy::seed();
    let engine =
        Engine::new(vec![spec::serving_kind(config, shelf)?], seed).with_pending_max(config.limits.pending);
    let Recovery { journal, engine, mut recovered, loaded } = recover::recover(config, engine)?;
    let restarted = recovered.frames > 0 || loaded.header.is_some();
    let (producer, consumer) = journal_ring::ring(RING_FRAMES, RING_BYTES, journal.next_seq());
    let engine = Arc::new(engine.attach(RingJournal(producer)));

    let sending = spec::outbound(config, seed, restarted)?;
    let mut out = Outbound::new(sending, Arc::clone(&engine), Arc::clone(registry), clock)?;
    out.recover(&mut recovered);
    Ok(Standing { engine, out, journal, consumer, dataset })
}

/// Brings people to where the journal says that they stand, before anything new is taken.
pub(super) fn bring_together(
    engine: &Engine<RingJournal>,
    clock: Clock,
    stop: &Stop,
) -> Result<(), ServeError> {
    while engine.resume(clock.now()).is_err() {
        // The journal is behind; what was found so far is kept.
        if !stop.tick() {
            return Err(ServeError::Config(
                "stopped before everybody who waited was back in line".to_owned(),
            ));
        }
    }
    Ok(())
}
