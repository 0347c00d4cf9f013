//! The cards of an evening in the chat.

use std::fmt::Write;

use super::svg::{self, Line, Plot, Scale, duration_ms};
use super::{card, over_time, thousands, timed};
use crate::report::{Evening, Quantiles, Report};

/// Figures that an evening has instead of a drain, beside what they are.
pub(super) fn tiles(evening: &Evening) -> [(String, String); 4] {
    let rate = format!("chats, {:.1} pairs a second", evening.pairs_per_s);
    [
        (thousands(evening.chats_at_once), "chats at one moment".to_owned()),
        (thousands(evening.chats), rate),
        (
            duration_ms(evening.time_to_match_ms.p50),
            format!("from looking to a partner (p99 {})", duration_ms(evening.time_to_match_ms.p99)),
        ),
        (
            duration_ms(evening.relay_mean_ms),
            format!(
                "from said to arrived, mean (no queue: p99 {})",
                duration_ms(evening.relay_unqueued_ms.p99)
            ),
        ),
    ]
}

/// Its cards.
pub(super) fn cards(report: &Report, out: &mut String) {
    let Some(evening) = &report.evening else { return };
    let relays = timed(report, &evening.series.relays, "c3", true);
    let pairs = timed(report, &evening.series.pairs, "c2", false);
    let mut body = over_time(report, "Messages between partners", vec![relays, pairs], None);
    body += "<div class=\"key\"><span><i class=\"c3\"></i>messages that arrived at the partner</span>\
             <span><i class=\"c2\"></i>new pairs</span></div>";
    card(out, "Talk", "a second", &body);
    speed(evening, out);
    whole(report, evening, out);
}

fn speed(evening: &Evening, out: &mut String) {
    let series = &evening.series;
    let curves = [("c1", &series.unqueued), ("c2", &series.to_match), ("c3", &series.relay)];
    let values = || curves.iter().flat_map(|(_, curve)| curve.iter()).map(|point| point.1);
    let least = 10f64.powf(values().fold(10.0, f64::min).max(0.1).log10().floor());
    let most = 10f64.powf(values().fold(least * 10.0, f64::max).log10().ceil());
    let lines =
        curves.iter().map(|(class, curve)| Line { class, filled: false, points: curve.to_vec() }).collect();
    let ticks = [(0.0, "0"), (0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99 %")];
    let plot = Plot {
        title: "Time to match and relay by quantile",
        x: Scale::Tail(4.3),
        x_ticks: ticks.map(|(share, label)| (share, label.to_owned())).to_vec(),
        y: Scale::Log(least, most),
        y_ticks: svg::decade_ticks(least, most),
        lines,
        marks: &[],
        level: None,
    };
    let mut body = plot.draw();
    body += "<div class=\"key\"><span><i class=\"c2\"></i>time to match</span><span><i class=\"c3\"></i>said to \
             arrived</span><span><i class=\"c1\"></i>the same where nothing was at its limit</span></div>";
    body += "<table><tr><th></th><th>p50</th><th>p90</th><th>p99</th><th>max</th></tr>";
    let mut row = |name: &str, q: &Quantiles| {
        let _ = write!(body, "<tr><td>{name}</td>");
        for value in [q.p50, q.p90, q.p99, q.max] {
            let _ = write!(body, "<td>{}</td>", duration_ms(value));
        }
        body += "</tr>";
    };
    row("time to match", &evening.time_to_match_ms);
    row("said to arrived", &evening.relay_ms);
    row("met no queue", &evening.relay_unqueued_ms);
    body += "</table>";
    card(out, "How soon", "from the planned moment, by quantile", &body);
}

fn whole(report: &Report, evening: &Evening, out: &mut String) {
    let mut body = String::from("<table>");
    let mut row = |name: &str, value: String| {
        let _ = write!(body, "<tr><td>{name}</td><td>{value}</td></tr>");
    };
    row("people whom the bot knows", thousands(u64::from(evening.users)));
    row("people who did something", thousands(evening.people));
    row("people in chats at one moment, at most", thousands(evening.people_in_chats_at_once));
    row("texts that arrived", thousands(evening.texts));
    row("photos, voice and the like that arrived", thousands(evening.media));
    row("refused, and their senders told", thousands(evening.not_sent));
    row("payments", thousands(evening.payments));
    row("given back", thousands(evening.refunds));
    row("chats locked", thousands(evening.locks));
    row("times that somebody was kept", thousands(evening.held));
    if report.server.kills > 0 {
        row("pairs together at a kill", thousands(evening.pairs_at_kills));
        row("... in which the next message reached the same partner", thousands(evening.pairs_heard_after));
    }
    if let Some(before) = &report.server.registered {
        let rate = before.members as f64 / before.seconds.max(1e-3);
        row("members from before", format!("{} ({rate:.0} a second)", thousands(before.members)));
        row("peak memory while they registered", format!("{:.1} MB", before.rss_peak_bytes as f64 / 1e6));
    }
    body += "</table>";
    card(out, "The evening", "who was there, and what they did", &body);
}
