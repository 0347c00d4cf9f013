//! The page: one file that needs nothing else, readable on a phone, in light and dark.

mod evening;

use std::fmt::Write;

use super::svg::{self, Bar, Line, Plot, Scale, duration_ms, escape};
use super::text::thousands;
use super::verdict::trim;
use super::{Quantiles, Report, Verdict};

const STYLE: &str = include_str!("page.css");

/// Rates are drawn up to this many times what the lanes can carry.
const CUT_OFF: f64 = 4.0;

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut out = String::with_capacity(64 * 1024);
    let title = format!("Rehearsal: {}", report.profile);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title>\n<style>\n{STYLE}</style>\n<main>\n",
        escape(&title)
    );
    head(report, &mut out);
    tiles(report, &mut out);
    out.push_str("<div class=\"grid2\">\n");
    evening::cards(report, &mut out);
    rates(report, &mut out);
    refusals(report, &mut out);
    // Of an evening these are in cards of its own.
    if report.evening.is_none() {
        owed(report, &mut out);
        latency(report, &mut out);
    }
    lanes(report, &mut out);
    out.push_str("</div>\n<div class=\"grid2\">\n");
    checks(report, &mut out);
    dispositions(report, &mut out);
    out.push_str("</div>\n");
    findings(report, &mut out);
    foot(report, &mut out);
    out.push_str("</main></html>\n");
    out
}

fn head(report: &Report, out: &mut String) {
    let (class, word, line) = match report.verdict {
        Verdict::Pass => ("pass", "Pass", "Every update has its disposition, and every check holds."),
        Verdict::Fail => ("fail", "Fail", "What must not happen has happened:"),
        Verdict::Invalid => ("invalid", "Invalid", "The run cannot be judged:"),
    };
    let settings = &report.settings;
    let mut facts = vec![
        format!("{} students", thousands(u64::from(settings.students))),
        format!("{} records", thousands(settings.records as u64)),
        format!("{} tokens", settings.tokens),
        format!("reach {}", settings.reach),
        format!("latency {}", settings.latency),
    ];
    if settings.compress != 1.0 {
        facts.push(format!("hour compressed {}-fold", settings.compress));
    }
    if settings.adaptive {
        facts.push("adaptive".to_owned());
    }
    facts.push(format!("seed {}", settings.seed));
    let _ = write!(
        out,
        "<p class=\"sub\">nobat-load rehearsal</p><h1>{}</h1><p class=\"sub\" style=\"margin:4px 0 14px\">{}</p>\
         <section class=\"card verdict {class}\"><div class=\"word\">{word}</div><div>{line}",
        escape(&report.profile),
        escape(&facts.join(" · "))
    );
    if !report.reasons.is_empty() || settings.planted.is_some() {
        out.push_str("<ul>");
        for reason in &report.reasons {
            let _ = write!(out, "<li>{}</li>", escape(reason));
        }
        if let Some(bug) = &settings.planted {
            let _ = write!(out, "<li>A bug was planted into the log on purpose: {}.</li>", escape(bug));
        }
        out.push_str("</ul>");
    }
    out.push_str("</div></section>\n");
}

fn tiles(report: &Report, out: &mut String) {
    let latency = &report.latency_ms;
    let server = &report.server;
    let fullest = report.fullest_lane;
    let mut tiles = [
        (thousands(report.updates), "updates from students".to_owned()),
        (thousands(report.sends), format!("messages accepted, {:.0} a second", report.sends_per_s)),
        (
            format!("{:.3}", report.drain_over_bound),
            format!("of the bound: {:.1} s, fullest lane {} / 30", report.drain_s, thousands(fullest)),
        ),
        (thousands(report.refused_429), "429 refusals of its own doing".to_owned()),
        (duration_ms(latency.update_to_200.p99), "update to 200, p99".to_owned()),
        (
            duration_ms(latency.update_to_send.p99),
            format!("update to send, p99 (ideal {})", duration_ms(latency.ideal_update_to_send.p99)),
        ),
        (format!("{:.1} MB", server.rss_peak_bytes as f64 / 1e6), "peak memory of the server".to_owned()),
        (
            format!("{:.2} s", server.cpu_s),
            format!("processor time, {:.3} s per 1,000 updates", server.cpu_s_per_1000_updates),
        ),
    ];
    if let Some(evening) = &report.evening {
        let [most, chats, to_match, relay] = evening::tiles(evening);
        (tiles[2], tiles[3], tiles[4], tiles[5]) = (most, chats, to_match, relay);
    }
    out.push_str("<div class=\"tiles\">");
    for (figure, what) in tiles {
        let _ = write!(out, "<div class=\"card tile\"><b>{figure}</b><span>{}</span></div>", escape(&what));
    }
    out.push_str("</div>\n");
}

fn card(out: &mut String, title: &str, sub: &str, body: &str) {
    let _ = writeln!(
        out,
        "<section class=\"card\"><h2>{}</h2><p class=\"sub\">{}</p>{body}</section>",
        escape(title),
        escape(sub)
    );
}

fn timed<'a>(report: &Report, values: &[f64], class: &'a str, filled: bool) -> Line<'a> {
    let step = report.series.step_s;
    let points = values.iter().enumerate().map(|(nth, value)| ((nth as f64 + 0.5) * step, *value)).collect();
    Line { class, filled, points }
}

/// The time axis that all plots over time share.
fn time_axis(report: &Report) -> (Scale, Vec<(f64, String)>) {
    let end = report.series.step_s * report.series.sends.len().max(1) as f64;
    let step = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0];
    let step = step.into_iter().find(|step| end / step <= 7.0).unwrap_or(1200.0);
    let label = |at: f64| if end > 300.0 { format!("{} min", at / 60.0) } else { format!("{at} s") };
    let ticks = (0..=(end / step) as usize).map(|nth| nth as f64 * step).map(|at| (at, label(at))).collect();
    (Scale::Linear(end), ticks)
}

fn over_time(report: &Report, title: &str, lines: Vec<Line<'_>>, level: Option<f64>) -> String {
    let most = lines.iter().flat_map(|line| &line.points).map(|point| point.1).fold(1.0, f64::max);
    // A burst would press everything else to the floor: it is cut off, and the words below say how high it was.
    let most = svg::nice_above(level.map_or(most, |level| most.min(level * CUT_OFF)));
    let (x, x_ticks) = time_axis(report);
    let y_ticks = svg::linear_ticks(most);
    Plot { title, x, x_ticks, y: Scale::Linear(most), y_ticks, lines, marks: &report.series.marks, level }
        .draw()
}

fn rates(report: &Report, out: &mut String) {
    let series = &report.series;
    let lines = vec![
        timed(report, &series.planned, "c1", false),
        timed(report, &series.acknowledged, "c2", false),
        timed(report, &series.sends, "c3", true),
    ];
    let bound = 30 * report.settings.tokens;
    let mut body = over_time(report, "Rates over time", lines, Some(bound as f64));
    body += "<div class=\"key\"><span><i class=\"c1\"></i>updates planned</span>\
             <span><i class=\"c2\"></i>answered 200</span><span><i class=\"c3\"></i>messages accepted</span>";
    let _ = write!(body, "<span><i class=\"l\"></i>{bound} a second</span>");
    let peak = series.planned.iter().copied().fold(0.0, f64::max);
    if peak > bound as f64 * CUT_OFF {
        let _ = write!(body, "<span>planned: up to {} a second</span>", thousands(peak as u64));
    }
    if !series.marks.is_empty() {
        body += "<span><i class=\"m\"></i>fault or restart</span>";
    }
    body += "</div>";
    if !series.marks.is_empty() {
        body += "<ul class=\"marks\">";
        for (at, what) in series.marks.iter().take(40) {
            let _ = write!(body, "<li>{at:.1} s: {}</li>", escape(what));
        }
        body += "</ul>";
    }
    card(out, "What came in, what went out", "a second", &body);
}

fn owed(report: &Report, out: &mut String) {
    let owed = timed(report, &report.series.owed, "c2", true);
    let mut body = over_time(report, "Answers owed", vec![owed], None);
    let refused: f64 = report.series.refused.iter().sum();
    let most = report.series.owed.iter().copied().fold(0.0, f64::max);
    let _ = write!(
        body,
        "<div class=\"key\"><span>at most {} at once</span><span>429s over the whole run: {}</span></div>",
        thousands(most as u64),
        thousands(refused as u64)
    );
    card(out, "Answers owed", "questions whose answer the platform has not accepted yet", &body);
}

/// Without a refusal there is nothing to draw, and the checks say so.
fn refusals(report: &Report, out: &mut String) {
    if report.series.refused.iter().all(|refused| *refused == 0.0) {
        return;
    }
    let mut body =
        over_time(report, "429s over time", vec![timed(report, &report.series.refused, "c1", true)], None);
    let scopes = &report.refused_429_by_scope;
    let _ = write!(
        body,
        "<div class=\"key\"><span>for a chat's limit: {}</span><span>for a group's: {}</span>\
         <span>for a token's: {}</span><span>on request: {}</span></div>",
        thousands(scopes.chat),
        thousands(scopes.group),
        thousands(scopes.token),
        thousands(scopes.injected)
    );
    card(out, "Refusals", "429s in each step of time", &body);
}

fn latency(report: &Report, out: &mut String) {
    let series = &report.series;
    let curves = [("c1", &series.ideal), ("c2", &series.to_200), ("c3", &series.to_send)];
    let values = || curves.iter().flat_map(|(_, curve)| curve.iter()).map(|point| point.1);
    let least = 10f64.powf(values().fold(10.0, f64::min).max(0.1).log10().floor());
    let most = 10f64.powf(values().fold(least * 10.0, f64::max).log10().ceil());
    let lines =
        curves.iter().map(|(class, curve)| Line { class, filled: false, points: curve.to_vec() }).collect();
    let x_ticks = [(0.0, "0"), (0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99 %")];
    let plot = Plot {
        title: "Latency by quantile",
        x: Scale::Tail(4.3),
        x_ticks: x_ticks.map(|(share, label)| (share, label.to_owned())).to_vec(),
        y: Scale::Log(least, most),
        y_ticks: svg::decade_ticks(least, most),
        lines,
        marks: &[],
        level: None,
    };
    let mut body = plot.draw();
    body += "<div class=\"key\"><span><i class=\"c2\"></i>update to 200</span>\
             <span><i class=\"c3\"></i>update to send</span><span><i class=\"c1\"></i>ideal scheduler</span></div>";
    body += "<table><tr><th></th><th>p50</th><th>p90</th><th>p99</th><th>max</th></tr>";
    let mut row = |name: &str, q: &Quantiles| {
        let _ = write!(body, "<tr><td>{name}</td>");
        for value in [q.p50, q.p90, q.p99, q.max] {
            let _ = write!(body, "<td>{}</td>", duration_ms(value));
        }
        body += "</tr>";
    };
    row("update to 200", &report.latency_ms.update_to_200);
    row("update to send", &report.latency_ms.update_to_send);
    row("ideal", &report.latency_ms.ideal_update_to_send);
    body += "</table>";
    card(out, "Latency", "from the planned moment, by quantile", &body);
}

fn lanes(report: &Report, out: &mut String) {
    let bars: Vec<Bar> = report
        .lanes
        .iter()
        .map(|lane| Bar {
            label: lane.lane.to_string(),
            value: lane.sends as f64,
            title: format!(
                "lane {}: {} messages, {} users, {} refusals",
                lane.lane,
                thousands(lane.sends),
                thousands(lane.users),
                lane.refused_429
            ),
            bad: lane.refused_429 > 0,
        })
        .collect();
    let mut body = svg::bars("Messages per lane", &bars);
    body += "<table><tr><th></th><th>least</th><th>mean</th><th>most</th></tr>";
    let mut row = |name: &str, values: Vec<u64>| {
        let mean = values.iter().sum::<u64>() as f64 / values.len().max(1) as f64;
        let (least, most) = (values.iter().min().copied(), values.iter().max().copied());
        let [least, most] = [least, most].map(|value| thousands(value.unwrap_or(0)));
        let _ = write!(
            body,
            "<tr><td>{name}</td><td>{least}</td><td>{}</td><td>{most}</td></tr>",
            thousands(mean.round() as u64)
        );
    };
    row("messages a lane", report.lanes.iter().map(|lane| lane.sends).collect());
    row("users a lane", report.lanes.iter().map(|lane| lane.users).collect());
    row("429s a lane", report.lanes.iter().map(|lane| lane.refused_429).collect());
    body += "</table><details><summary>each lane</summary><table>\
             <tr><th>lane</th><th>users</th><th>messages</th><th>429s</th></tr>";
    for lane in &report.lanes {
        let [users, sends, refused] = [lane.users, lane.sends, lane.refused_429].map(thousands);
        let _ =
            write!(body, "<tr><td>{}</td><td>{users}</td><td>{sends}</td><td>{refused}</td></tr>", lane.lane);
    }
    body += "</table></details>";
    card(out, "Lanes", "messages accepted by each token; 0 is the main bot, dashed is even", &body);
}

fn checks(report: &Report, out: &mut String) {
    let mut body = String::from("<table><tr><th>check</th><th>value</th><th>required</th><th></th></tr>");
    for check in &report.checks {
        let (class, word) = if check.pass { ("ok", "holds") } else { ("no", "broken") };
        let _ = write!(
            body,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{word}</td></tr>",
            check.name.replace("latency_ms.", "").replace('_', " ").replace('.', ", "),
            trim(check.value),
            escape(&check.required.replace("== ", "").replace("<=", "≤").replace(">=", "≥"))
        );
    }
    body += "</table>";
    card(out, "Checks", "by an auditor that reads only what crossed the wire", &body);
}

fn dispositions(report: &Report, out: &mut String) {
    let all = report.updates.max(1) as f64;
    let mut body = String::from("<div class=\"stack\">");
    for (name, count) in &report.dispositions {
        let _ =
            write!(body, "<i class=\"d-{name}\" style=\"width:{:.3}%\"></i>", *count as f64 / all * 100.0);
    }
    body += "</div><table>";
    for (name, count) in &report.dispositions {
        let _ = write!(
            body,
            "<tr><td><span class=\"dot d-{name}\"></span>{}</td><td>{}</td><td>{:.2} %</td></tr>",
            name.replace('_', " "),
            thousands(*count),
            *count as f64 / all * 100.0
        );
    }
    body += "</table><table>";
    let server = &report.server;
    let mut row = |name: &str, value: String| {
        let _ = write!(body, "<tr><td>{name}</td><td>{}</td></tr>", escape(&value));
    };
    row("notices (please wait, slow down)", thousands(report.notices));
    row("repeats excused", thousands(report.repeated_excused));
    row("sends to users whom a bot does not reach", thousands(report.unreachable));
    if let Some(handoff) = &report.handoff {
        row("students handed over to their own bots", thousands(handoff.handed_over));
        row("answers of the rush by another bot", thousands(handoff.by_another_bot));
    }
    row("generator lag, p99", duration_ms(report.generator.lag_p99_ms));
    row("server stopped", server.exit.clone());
    if server.kills > 0 {
        row("killed and restarted", thousands(u64::from(server.kills)));
    }
    body += "</table>";
    card(out, "What became of each update", "every update has exactly one end", &body);
}

fn findings(report: &Report, out: &mut String) {
    if report.findings.is_empty() {
        return;
    }
    let mut body =
        String::from("<div class=\"wide\"><table><tr><th>at</th><th>user</th><th>check</th><th></th></tr>");
    for finding in &report.findings {
        let _ = write!(
            body,
            "<tr><td>{:.3} s</td><td>{}</td><td class=\"no\">{:?}</td><td>{}</td></tr>",
            finding.at_ms as f64 / 1e3,
            finding.user,
            finding.check,
            escape(&finding.what)
        );
    }
    body += "</table></div>";
    card(out, "Findings", "the first of each check", &body);
}

fn foot(report: &Report, out: &mut String) {
    let deliveries: Vec<String> =
        report.deliveries.iter().map(|(result, count)| format!("{} × {result}", thousands(*count))).collect();
    let calls: Vec<String> =
        report.calls.iter().map(|(method, count)| format!("{} × {method}", thousands(*count))).collect();
    let rejected: Vec<String> =
        report.rejected.iter().map(|(what, count)| format!("{} × {what}", thousands(*count))).collect();
    let _ = write!(
        out,
        "<footer><p>Webhook attempts: {}.<br>Calls: {}.",
        escape(&deliveries.join(", ")),
        escape(&calls.join(", "))
    );
    if !rejected.is_empty() {
        let _ = write!(out, "<br>Refused otherwise: {}.", escape(&rejected.join(", ")));
    }
    out.push_str("</p></footer>\n");
}
