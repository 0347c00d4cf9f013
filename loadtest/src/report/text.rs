//! The summary on the terminal: the verdict first, then what it rests on.

use std::fmt::Write;

use super::svg::duration_ms;
use super::verdict::trim;
use super::{Changed, Quantiles, Report, Verdict};

/// Findings shown; the JSON and the page have more.
const FINDINGS_SHOWN: usize = 8;

/// The summary; `colour` for a terminal.
pub fn summary(report: &Report, colour: bool) -> String {
    let mut out = String::new();
    let paint = |code: &str, text: &str| {
        if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let word = match report.verdict {
        Verdict::Pass => paint("1;32", "PASS"),
        Verdict::Fail => paint("1;31", "FAIL"),
        Verdict::Invalid => paint("1;33", "INVALID"),
    };
    let _ = writeln!(
        out,
        "\n{word}  {}, {} students, seed {}",
        report.profile,
        thousands(u64::from(report.settings.students)),
        report.settings.seed
    );
    for reason in &report.reasons {
        let _ = writeln!(out, "      {reason}");
    }
    if let Some(bug) = &report.settings.planted {
        let _ = writeln!(out, "      a bug was planted into the log on purpose: {bug}");
    }
    traffic(report, &mut out);
    changed(report, &mut out);
    evening(report, &mut out);
    latencies(report, &mut out);
    correctness(report, &mut out);
    if !report.findings.is_empty() {
        let _ = writeln!(out, "\n  findings (the first {FINDINGS_SHOWN})");
        for finding in report.findings.iter().take(FINDINGS_SHOWN) {
            let at = finding.at_ms as f64 / 1e3;
            let _ = writeln!(
                out,
                "    {at:>8.3} s  user {:<10} {:?}: {}",
                finding.user, finding.check, finding.what
            );
        }
    }
    out
}

fn traffic(report: &Report, out: &mut String) {
    let server = &report.server;
    let _ = writeln!(out, "\n  traffic");
    row(out, "updates", &thousands(report.updates));
    row(out, "messages accepted", &format!("{}  ({:.0}/s)", thousands(report.sends), report.sends_per_s));
    let drain =
        if report.handoff.is_some() { "rush to last message" } else { "first update to last message" };
    row(out, drain, &format!("{:.2} s", report.drain_s));
    let fullest = thousands(report.fullest_lane);
    let bound = format!("{:.4}  ({fullest} / 30 per s)", report.drain_over_bound);
    row(out, "over the fullest lane's bound", &bound);
    if let Some(handoff) = &report.handoff {
        let [came, left] = [handoff.handed_over, handoff.left_behind].map(thousands);
        row(out, "handed over to their own bots", &format!("{came} students, {left} left behind"));
        let [all, other] = [handoff.answers, handoff.by_another_bot].map(thousands);
        row(out, "answers of the rush", &format!("{all}, {other} by another bot than their own"));
    }
    lanes(report, out);
    if let Some(release) = &report.release {
        let [p50, p99] = [release.live.p50, release.live.p99].map(duration_ms);
        let (held, live) = (thousands(release.held), thousands(release.live.count));
        let served = format!(
            "{held} from before it in {:.1} s; {live} who wrote meanwhile p50 {p50}, p99 {p99}",
            release.held_served_s
        );
        row(out, "answered at the hour", &served);
    }
    let ends: Vec<String> = report
        .dispositions
        .iter()
        .map(|(name, count)| format!("{} {}", thousands(*count), name.replace('_', " ")))
        .collect();
    row(out, "updates by their end", &ends.join(", "));
    row(
        out,
        "server",
        &format!(
            "peak {:.1} MB, {:.2} CPU s ({:.3} per 1,000 updates), stopped: {}",
            server.rss_peak_bytes as f64 / 1e6,
            server.cpu_s,
            server.cpu_s_per_1000_updates,
            server.exit
        ),
    );
    row(
        out,
        "generator lag",
        &format!(
            "p99 {}, max {}",
            duration_ms(report.generator.lag_p99_ms),
            duration_ms(report.generator.lag_max_ms)
        ),
    );
}

/// What was done to the running server, and who noticed.
fn changed(report: &Report, out: &mut String) {
    let Some(changed) = &report.server.changed else { return };
    let _ = writeln!(out, "\n  changed while it ran");
    let Changed { upgrades, restarts, reloads, .. } = changed;
    row(out, "upgrades, restarts, reloads", &format!("{upgrades}, {restarts}, {reloads}"));
    for (name, pauses) in [("upgrades", &changed.upgrade_pauses_ms), ("restarts", &changed.restart_pauses_ms)]
    {
        let mut sorted = pauses.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        if let (Some(least), Some(most)) = (sorted.first(), sorted.last()) {
            let [least, middle, most] = [*least, sorted[sorted.len() / 2], *most].map(duration_ms);
            row(out, &format!("pause of {name}"), &format!("{middle} ({least} to {most})"));
        }
    }
    let waits = [changed.newcomers.p50, changed.newcomers.p99, changed.newcomers.max].map(duration_ms);
    let [half, most, longest] = waits;
    let came = thousands(changed.newcomers.count + changed.raced + changed.refused_connects);
    row(
        out,
        "newcomers",
        &format!("{came}, {} refused; waits p50 {half}, p99 {most}, max {longest}", changed.refused_connects),
    );
    let raced: u64 =
        report.deliveries.iter().filter(|(end, _)| end.parse::<u16>().is_err()).map(|(_, n)| n).sum();
    let put_off = report.deliveries.get("503").copied().unwrap_or(0);
    row(
        out,
        "sent again after a close",
        &format!(
            "{} updates, {} newcomers; {} updates after a 503",
            thousands(raced),
            thousands(changed.raced),
            thousands(put_off)
        ),
    );
}

/// What an evening in the chat was like.
fn evening(report: &Report, out: &mut String) {
    let Some(evening) = &report.evening else { return };
    let _ = writeln!(out, "\n  the evening");
    if let Some(before) = &report.server.registered {
        let rate = before.members as f64 / before.seconds.max(1e-3);
        let peak = before.rss_peak_bytes as f64 / 1e6;
        let before = format!("{}  ({rate:.0} a second, peak {peak:.1} MB)", thousands(before.members));
        row(out, "members from before", &before);
    }
    let people = format!("{} of {}", thousands(evening.people), thousands(u64::from(evening.users)));
    row(out, "people who did something", &people);
    let [chats, most] = [evening.chats, evening.chats_at_once].map(thousands);
    row(out, "chats", &format!("{chats}, {most} at once, {:.1} pairs a second", evening.pairs_per_s));
    let [people, left] = [evening.people_in_chats_at_once, evening.people_in_chats_at_kill].map(thousands);
    let kills = if report.server.kills > 0 { format!(", {left} at the kill") } else { String::new() };
    row(out, "people in chats at once", &format!("{people}{kills}"));
    let [texts, media, refused, threads] =
        [evening.texts, evening.media, evening.not_sent, evening.threads].map(thousands);
    row(
        out,
        "handed on",
        &format!(
            "{texts} texts, {media} of another kind; {refused} refused; {threads} answers, edits and signs"
        ),
    );
    let [paid, back, locks, held] =
        [evening.payments, evening.refunds, evening.locks, evening.held].map(thousands);
    row(out, "money", &format!("{paid} payments, {back} given back; {locks} locks, {held} times held"));
    if report.server.kills > 0 {
        let [pairs, heard] = [evening.pairs_at_kills, evening.pairs_heard_after].map(thousands);
        row(
            out,
            "pairs together at a kill",
            &format!("{pairs}, {heard} of them talked on, each with the same"),
        );
    }
    let unqueued = evening.relay_unqueued_mean_ms;
    let mean = format!("{:.1} ms; {unqueued:.1} ms of those that met no queue", evening.relay_mean_ms);
    row(out, "relay, mean", &mean);
}

/// Users and messages of each lane, and how far from even they are.
fn lanes(report: &Report, out: &mut String) {
    let said = |values: Vec<u64>| {
        let even = values.iter().sum::<u64>() as f64 / values.len().max(1) as f64;
        let off = values.iter().map(|n| (*n as f64 - even).abs()).fold(0.0, f64::max) * 100.0 / even.max(1.0);
        let all: Vec<String> = values.iter().map(|n| thousands(*n)).collect();
        format!("{}  (at most {off:.1} % from even)", all.join(" "))
    };
    row(out, "users of each lane", &said(report.lanes.iter().map(|lane| lane.users).collect()));
    row(out, "messages of each lane", &said(report.lanes.iter().map(|lane| lane.sends).collect()));
}

fn latencies(report: &Report, out: &mut String) {
    let latency = &report.latency_ms;
    let _ = writeln!(
        out,
        "\n  {:<30} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "from the planned moment", "p50", "p90", "p99", "p99.9", "max"
    );
    let mut line = |name: &str, q: &Quantiles| {
        let [p50, p90, p99, p999, max] = [q.p50, q.p90, q.p99, q.p999, q.max].map(duration_ms);
        let _ = writeln!(out, "    {name:<28} {p50:>10} {p90:>10} {p99:>10} {p999:>10} {max:>10}");
    };
    line("update to 200", &latency.update_to_200);
    if let Some(evening) = &report.evening {
        line("time to match", &evening.time_to_match_ms);
        line("relay: said to arrived", &evening.relay_ms);
        return line("relay that met no queue", &evening.relay_unqueued_ms);
    }
    line("update to send", &latency.update_to_send);
    line("ideal scheduler, same arrivals", &latency.ideal_update_to_send);
}

fn correctness(report: &Report, out: &mut String) {
    let _ = writeln!(out, "\n  checks");
    for check in &report.checks {
        let mark = if check.pass { "ok  " } else { "FAIL" };
        let _ = writeln!(out, "    {mark} {:<32} {:>10}   {}", check.name, trim(check.value), check.required);
    }
    let aside = [
        ("repeats excused", report.repeated_excused),
        ("notices sent", report.notices),
        ("refused: bot does not reach the user", report.unreachable),
        ("429s on request", report.refused_429_by_scope.injected),
        ("kills", u64::from(report.server.kills)),
    ];
    let aside: Vec<String> =
        aside.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {}", thousands(*n))).collect();
    if !aside.is_empty() {
        let _ = writeln!(out, "    also: {}", aside.join(", "));
    }
}

fn row(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "    {name:<30} {value}");
}

/// 25500 as 25,500.
pub(super) fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
