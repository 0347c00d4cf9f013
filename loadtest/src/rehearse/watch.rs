//! Watching a rehearsal from its first update until nothing is owed any more.
//!
//! What lives here: [`Watch`], for every kind of rehearsal. Who makes the traffic is told by two questions: how much
//! of it has begun, and whether more may come.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::collect::Collector;
use super::progress::Progress;
use super::stage::Stage;
use super::{Options, rules};
use crate::auditor::{Check, audit};
use crate::dataset::Truth;
use crate::telegram::Totals;
use crate::wire::At;

/// How often the watch looks around.
pub(super) const TICK: Duration = Duration::from_millis(20);
/// Nothing moved for so long: time to see whether anything is owed.
const CALM: Duration = Duration::from_millis(1500);
/// The platform itself waits up to two minutes before it delivers a failed update again.
const REDELIVERY: Duration = Duration::from_secs(125);

/// Watches one rehearsal.
pub(super) struct Watch<'a> {
    pub(super) options: &'a Options,
    pub(super) truth: &'a Truth,
    pub(super) collector: &'a Collector,
    /// When the schedule began, by the platform's clock.
    pub(super) epoch: At,
    /// Updates that the crowd has handed over.
    pub(super) caused: &'a dyn Fn() -> u64,
    /// Whether the crowd may still hand one over.
    pub(super) busy: &'a dyn Fn() -> bool,
}

impl Watch<'_> {
    /// Returns when nothing is owed, nothing moves any more, the server is gone, or the user stops it.
    pub(super) fn until_drained(&self, stage: &mut Stage<'_>, progress: &mut Progress) {
        let counters = stage.platform.counters();
        let mut moved = (Instant::now(), Totals::default());
        let mut looked = Instant::now();
        while !stage.stop.load(Ordering::Relaxed) && stage.died.is_none() {
            std::thread::sleep(TICK);
            let at = stage.platform.now().saturating_sub(self.epoch);
            let usage = stage.look();
            stage.kill_if_due(at);
            stage.change_if_due(at);
            let totals = stage.platform.totals();
            let lanes: Vec<u64> = counters.iter().map(|lane| lane.accepted.load(Ordering::Relaxed)).collect();
            progress.show(at, (self.caused)(), totals, &lanes, usage);
            let steady = Totals { connections: 0, ..totals };
            if steady != moved.1 {
                moved = (Instant::now(), steady);
            }
            let still = moved.0.elapsed();
            if (self.busy)() || !stage.kills.is_empty() || !stage.changing.is_over() || still < CALM {
                continue;
            }
            let patience = match totals.pending {
                0 => self.options.patience,
                _ => self.options.patience.max(REDELIVERY),
            };
            if still > patience {
                return;
            }
            if totals.pending == 0 && looked.elapsed() >= CALM {
                looked = Instant::now();
                if self.nothing_is_owed() {
                    return;
                }
            }
        }
    }

    fn nothing_is_owed(&self) -> bool {
        let rules = rules(&self.options.profile);
        self.collector.look(|log| audit(log, self.truth, &rules).count(Check::Lost) == 0)
    }
}
