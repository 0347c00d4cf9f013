//! The load of students: planned updates, and the auditor's word on the answers.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;

use super::super::collect::Collector;
use super::super::drive::Drive;
use super::super::stage::{end_platform, import};
use super::super::{RehearsalError, rules};
use super::{Ground, Options, Outcome, PATIENCE, hammer, plan};
use crate::auditor::{Check, audit};
use crate::dataset::Truth;
use crate::profile::Profile;
use crate::wire::Wire;

/// Updates a second. Small, because after each restart the first second must not send anything.
const UPDATES_PER_S: f64 = 80.0;

pub(super) fn torture(
    options: &Options,
    profile: &Profile,
    ground: Ground,
    events: UnboundedReceiver<Wire>,
) -> Result<Outcome, RehearsalError> {
    let io = RehearsalError::io;
    let truth = Truth::generate(profile.records, profile.seed);
    let collector =
        Collector::start(events, None::<Vec<u8>>, None, None).map_err(|e| io("start a thread", e))?;
    import(&options.server, &ground.environment, &truth, ground.data.path(), false, &ground.log)?;
    let length = hammer::expected_length(options.kills);
    let plan = plan::plan(&truth, options.seed, length, UPDATES_PER_S);
    let epoch = ground.platform.now() + Duration::from_millis(500);
    let drive = Drive::start(ground.platform.clone(), plan, epoch, ground.stop.clone());
    let drive = drive.map_err(|e| io("start a thread", e))?;
    let mut hammer = ground.hammer(options);
    let hammered = hammer.hammer();
    if hammered.is_ok() {
        drain(&ground, &drive, &collector, &truth, profile);
    }
    let died = hammer.stop().or_else(|| hammered.err().map(|e| e.to_string()));
    let (kills, ready) = (hammer.kills(), hammer.ready());
    drop(hammer);
    ground.stop.store(true, Ordering::Relaxed);
    end_platform(ground.platform, drive);
    let log = collector.finish();
    let audit = audit(&log, &truth, &rules(profile));
    Ok(Outcome { log, audit, kills, ready, died, ledger: None })
}

/// Waits until nothing is owed, or nothing moves any more.
fn drain(ground: &Ground, drive: &Drive, collector: &Collector, truth: &Truth, profile: &Profile) {
    let rules = rules(profile);
    let mut moved = (Instant::now(), (0, 0));
    while !ground.stop.load(Ordering::Relaxed) && moved.0.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(200));
        let totals = ground.platform.totals();
        let progress = (totals.accepted, totals.pending);
        if progress != moved.1 || !drive.is_over() {
            moved = (Instant::now(), progress);
        } else if totals.pending == 0
            && collector.look(|log| audit(log, truth, &rules).count(Check::Lost) == 0)
        {
            return;
        }
    }
}
