//! The verdict: each figure that must hold, beside its bound.

use super::{Judged, Report, Verdict};
use crate::profile::Profile;

/// Judges the figures of a report and writes the verdict into it.
pub(super) fn judge(report: &mut Report, profile: &Profile, unfit: Option<String>) {
    let mut checks = Vec::new();
    let mut none = |name, value: u64| {
        checks.push(Judged { name, value: value as f64, required: "== 0".to_owned(), pass: value == 0 });
    };
    none("lost", report.lost);
    none("repeated", report.repeated);
    match &report.evening {
        Some(evening) => evening.counts().into_iter().for_each(|(name, count)| none(name, count)),
        None => {
            none("wrong_recipient", report.wrong_recipient);
            none("wrong_answer", report.wrong_answer);
            none("early", report.early);
            none("wrong_bot", report.wrong_bot);
        }
    }
    none("silent_buttons", report.silent_buttons);
    none("unacknowledged", report.unacknowledged);
    none("order_violations", report.order_violations);
    none("limits_exceeded", report.limits_exceeded);
    // An adaptive server finds the ceiling by touching it; a 429 there is the measurement.
    if !profile.adaptive {
        none("refused_429", report.refused_429);
    }
    none("defiance", report.defiance);
    if let Some(changed) = &report.server.changed {
        none("refused_connects", changed.refused_connects);
        none("changes_not_done", u64::from(changed.asked - changed.done().min(changed.asked)));
    }
    if let Some(handoff) = &report.handoff {
        none("students_left_behind", handoff.left_behind);
        none("answers_by_another_bot", handoff.by_another_bot);
    }
    bars(report, profile, &mut checks);
    let graceful = report.server.exit == "graceful";
    let mut reasons: Vec<String> = checks
        .iter()
        .filter(|check| !check.pass)
        .map(|check| format!("{} is {}, required {}", check.name, trim(check.value), check.required))
        .collect();
    if let Some(changed) = &report.server.changed {
        reasons.extend(changed.troubles.iter().cloned());
    }
    if !graceful {
        reasons.push(format!("the server did not stop gracefully: {}", report.server.exit));
    }
    report.verdict = if reasons.is_empty() { Verdict::Pass } else { Verdict::Fail };
    if !report.generator.valid {
        reasons.insert(
            0,
            format!(
                "the load generator lagged: p99 {:.0} ms, at most {:.0} ms is a valid run",
                report.generator.lag_p99_ms, report.generator.lag_bound_ms
            ),
        );
    }
    if report.updates == 0 {
        reasons.insert(0, "no update was caused".to_owned());
    }
    let broken = unfit.is_some() || !report.generator.valid || report.updates == 0;
    reasons.splice(0..0, unfit);
    // The worst outcomes are proved however the run went: a lagging generator cannot swap recipients.
    let strangers = report.evening.as_ref().map_or(0, |evening| evening.wrong_partner + evening.two_chats);
    let proved = report.wrong_recipient + report.wrong_bot + strangers > 0;
    if broken && !proved {
        report.verdict = Verdict::Invalid;
    }
    report.checks = checks;
    report.reasons = reasons;
}

fn bars(report: &Report, profile: &Profile, checks: &mut Vec<Judged>) {
    if let Some(bar) = profile.bars.drain_over_bound {
        let value = report.drain_over_bound;
        checks.push(Judged {
            name: "drain_over_bound",
            value,
            required: format!("<= {bar}"),
            pass: value <= bar,
        });
    }
    if let (Some(bar), Some(release)) = (profile.bars.live_p99_s, &report.release) {
        let value = release.live.p99 / 1e3;
        checks.push(Judged {
            name: "release.live.p99_s",
            value,
            required: format!("<= {bar}"),
            pass: release.held > 0 && release.live.count > 0 && value <= bar,
        });
    }
    if let Some(bar) = profile.bars.sends_per_s {
        let value = report.sends_per_s;
        checks.push(Judged { name: "sends_per_s", value, required: format!(">= {bar}"), pass: value >= bar });
    }
    if let Some(evening) = &report.evening {
        evening.bars(profile, report.server.rss_peak_bytes as f64 / 1e6, checks);
    }
    if profile.bars.ideal {
        let bar = report.latency_ms.ideal_update_to_send.p99 * 1.05 + 1000.0;
        let value = report.latency_ms.update_to_send.p99;
        checks.push(Judged {
            name: "latency_ms.update_to_send.p99",
            value,
            required: format!("<= {bar:.0} (ideal x 1.05 + 1 s)"),
            pass: value <= bar,
        });
    }
}

/// A figure with as many decimals as it needs.
pub(super) fn trim(value: f64) -> String {
    match value {
        value if value.fract() == 0.0 || value >= 10_000.0 => format!("{value:.0}"),
        value if value >= 100.0 => format!("{value:.1}"),
        value => format!("{value:.3}"),
    }
}
