//! What is plotted: counts per step of time, latencies by quantile, moments worth a mark.

use std::time::Duration;

use serde::Serialize;

use crate::auditor::{Audit, Log};
use crate::wire::At;

/// Most points of one line: more than a phone has pixels for is noise.
const POINTS_MAX: f64 = 240.0;
/// Runs shorter than this, in seconds, are drawn in steps finer than a second.
const BRIEF_S: f64 = 15.0;
/// Steps a person reads easily, in seconds.
const STEPS: [f64; 11] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0];

/// Lines over time, each with one value a step.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Series {
    /// Seconds between points.
    pub step_s: f64,
    /// Updates planned, a second.
    pub planned: Vec<f64>,
    /// Updates first answered 2xx, a second.
    pub acknowledged: Vec<f64>,
    /// Messages accepted, a second.
    pub sends: Vec<f64>,
    /// Questions without their answer yet, at the end of the step.
    pub owed: Vec<f64>,
    /// 429s in the step.
    pub refused: Vec<f64>,
    /// Latency quantiles: (share of answers, milliseconds) for the three latencies.
    pub to_200: Vec<(f64, f64)>,
    /// Update to send.
    pub to_send: Vec<(f64, f64)>,
    /// The ideal scheduler's.
    pub ideal: Vec<(f64, f64)>,
    /// Moments in seconds with a short text: kills, starts, faults.
    pub marks: Vec<(f64, String)>,
}

/// Lines of a log, counted from `began`.
pub(super) fn lines(log: &Log, audit: &Audit, began: At) -> Series {
    let seconds = |at: At| at.saturating_sub(began).as_secs_f64();
    let end = log.sent.iter().map(|sent| seconds(sent.decided_at)).fold(1.0, f64::max);
    // A window of one second gives its messages back in one go: finer steps would only show that beat.
    let least = if end < BRIEF_S { STEPS[0] } else { 1.0 };
    let fits = |step: &f64| *step >= least && end / step <= POINTS_MAX;
    let step = STEPS.into_iter().find(fits).unwrap_or(600.0);
    let points = (end / step) as usize + 1;
    let count = |moments: &mut dyn Iterator<Item = At>| {
        let mut counts = vec![0.0; points];
        for at in moments {
            if let Some(count) = counts.get_mut((seconds(at) / step) as usize) {
                *count += 1.0;
            }
        }
        counts
    };
    let a_second = |counts: Vec<f64>| counts.into_iter().map(|count| count / step).collect();
    let came = count(&mut audit.answers.iter().map(|answer| answer.planned_at));
    let went = count(&mut audit.answers.iter().map(|answer| answer.accepted_at));
    let mut owed_now = 0.0;
    let owed = came.iter().zip(&went).map(|(came, went)| {
        owed_now += came - went;
        f64::max(owed_now, 0.0)
    });
    Series {
        step_s: step,
        owed: owed.collect(),
        planned: a_second(count(&mut log.asked.iter().map(|asked| asked.planned_at))),
        acknowledged: a_second(count(&mut log.trips.values().filter_map(|trip| trip.acknowledged_at))),
        sends: a_second(count(&mut log.sent.iter().map(|sent| sent.decided_at))),
        refused: count(&mut log.refusals.iter().map(|refusal| refusal.0)),
        marks: marks(log, &seconds),
        ..Series::default()
    }
}

fn marks(log: &Log, seconds: &dyn Fn(At) -> f64) -> Vec<(f64, String)> {
    let process =
        log.processes.iter().skip(1).map(|(at, up)| {
            (seconds(*at), if *up { "server started".to_owned() } else { "SIGKILL".to_owned() })
        });
    let faults = log.faults.iter().map(|(at, what)| (seconds(*at), what.clone()));
    let mut marks: Vec<_> = process.chain(faults).collect();
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    marks
}

/// Quantile curve of durations: shares dense towards the tail, in milliseconds.
pub(super) fn curve(sorted: &[Duration]) -> Vec<(f64, f64)> {
    const SHARES: [f64; 22] = [
        0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99,
        0.995, 0.999, 0.9999, 1.0,
    ];
    SHARES.iter().filter_map(|&share| Some((share, quantile_ms(sorted, share)?))).collect()
}

/// The value at a share of sorted durations (nearest rank), in milliseconds.
pub(super) fn quantile_ms(sorted: &[Duration], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    let at = rank.saturating_sub(1).min(sorted.len().checked_sub(1)?);
    Some(sorted[at].as_secs_f64() * 1e3)
}
