//! What a screen shows: a pure function of two looks at the process.
//!
//! Five lines about the whole (latencies are the median and the 99th percentile since the start), then a table
//! of the lanes in as many columns as it takes, then the last warnings in what is left. Seventeen lanes and a
//! warning fit 80 by 24. Colour only marks what is not as it should be.

use super::view::{LaneView, View};
use std::fmt::Write as _;

/// Of the terminal, in characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// Lines above the lanes: five, and the table's heading.
const ABOVE: usize = 6;
/// Of one lane's cell with the blank behind it, where one column holds all, and where several are needed.
const CELL_WIDE: usize = 80;
const CELL: usize = 40;

/// The whole screen. With `live` it begins at the terminal's corner and wipes what it does not fill.
pub(super) fn draw(now: &View, before: Option<&View>, size: Size, live: bool) -> String {
    let mut lines = summary(now, before);
    lines.extend(lanes(now, before, size));
    let left = size.rows.saturating_sub(lines.len());
    let alarms = now.alarms.iter().skip(now.alarms.len().saturating_sub(left));
    lines.extend(alarms.map(|alarm| Line { text: alarm.clone(), marked: alarm.contains("ERROR") }));
    lines.truncate(size.rows);
    let mut out = String::with_capacity(4096);
    out.push_str(if live { "\x1b[H" } else { "" });
    for (at, line) in lines.iter().enumerate() {
        out.push_str(if at > 0 { "\r\n" } else { "" });
        let text: String = line.text.chars().filter(|c| !c.is_control()).take(size.columns).collect();
        match live {
            true if line.marked => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\x1b[1;31m{text}\x1b[0m\x1b[K");
            }
            true => {
                let _ = write!(out, "{text}\x1b[K");
            }
            false => out.push_str(text.trim_end()),
        }
    }
    out.push_str(if live { "\x1b[J" } else { "\r\n" });
    if live { out } else { out.replace("\r\n", "\n") }
}

struct Line {
    text: String,
    marked: bool,
}

/// What is not of one lane.
fn summary(now: &View, before: Option<&View>) -> Vec<Line> {
    let rate = |of: fn(&View) -> u64| per_second(now, before, of);
    let plain = |text| Line { text, marked: false };
    let marked = |text, marked| Line { text, marked };
    let [hundred, send, platform, commit] =
        now.latencies.map(|[p50, p99]| format!("{}/{}", ms(p50), ms(p99)));
    let [urgent, reply, relay, bulk] = now.queue.map(short);
    let (pending, held) = (short(now.pending), short(now.held));
    let used = now.lanes.iter().filter(|lane| lane.healthy).count();
    vec![
        marked(
            format!(
                "nobat {} {}  up {}  lanes {used}/{}, {}/s  platform {platform} ms  {}",
                now.version,
                now.state,
                duration(now.uptime_s),
                now.lanes.len(),
                now.capacity,
                bytes(now.resident)
            ),
            now.state != "ready",
        ),
        marked(
            format!(
                "in  {:>6}/s updates {:>4}/s put off {:>5} conns {:>5} users, 200 in {hundred} ms",
                rate(|v| v.updates),
                rate(|v| v.refused),
                short(now.connections),
                short(now.users),
            ),
            rate(|v| v.refused) > 0,
        ),
        marked(
            format!(
                "out {:>6}/s accepted {:>4}/s 429 {:>5} repeated {:>5} dropped, in {send} ms",
                rate(|v| v.accepted),
                rate(|v| v.refused_429),
                short(now.repeated),
                short(now.dropped)
            ),
            rate(|v| v.refused_429) > 0,
        ),
        plain(format!(
            "queue {pending} pending, {held} held: urgent {urgent}, reply {reply}, relay {relay}, bulk {bulk}"
        )),
        marked(
            format!(
                "disk {}/s frames {}/s commits in {commit} ms, {} wait; {} snapshots, {} failed{}",
                rate(|v| v.frames),
                rate(|v| v.commits),
                short(now.waiting),
                now.snapshots,
                now.snapshot_failures,
                if now.stalled { ", STALLED" } else { "" }
            ),
            now.stalled || now.snapshot_failures > 0,
        ),
    ]
}

/// The lanes, in one wide column if they fit, else in narrow ones side by side.
fn lanes(now: &View, before: Option<&View>, size: Size) -> Vec<Line> {
    let room = size.rows.saturating_sub(ABOVE).max(1);
    let (wide, count) = (now.lanes.len() <= room, now.lanes.len());
    let width = if wide { CELL_WIDE } else { CELL };
    let columns = (size.columns / width).max(1);
    let rows = count.div_ceil(columns).min(room);
    let heading = match wide {
        true => "lane         bot   waiting flight sent/s  of/s   accepted    429  state".to_owned(),
        false => format!("{:<CELL$}", "lane  waiting  sent  of/s   429 state").repeat(columns),
    };
    let mut lines = vec![Line { text: heading, marked: false }];
    for row in 0..if wide { count } else { rows } {
        let (mut text, mut marked) = (String::new(), false);
        for at in (0..columns).map(|column| column * rows + row).filter(|at| *at < count) {
            let lane = &now.lanes[at];
            let cell = cell(at, lane, before_lane(before, at), seconds(now, before), wide);
            let _ = write!(text, "{cell:<width$}");
            marked |= !lane.healthy || lane.paused;
            if wide {
                break;
            }
        }
        lines.push(Line { text, marked });
    }
    lines
}

fn cell(at: usize, lane: &LaneView, before: Option<&LaneView>, seconds: f64, wide: bool) -> String {
    let sent = before.map_or(0, |before| rate(lane.accepted, before.accepted, seconds));
    let state = match (lane.paused, lane.healthy) {
        (true, _) => "paused",
        (false, true) => "in use",
        (false, false) => "CUT OFF",
    };
    let LaneView { bot, pending, in_flight, slots, accepted, refused_429, .. } = lane;
    match wide {
        true => format!(
            "{at:>4} {bot:>11} {pending:>9} {in_flight:>6} {sent:>6} {slots:>5} {accepted:>10} {refused_429:>6}  {state}"
        ),
        false => format!("{at:>4} {pending:>8} {sent:>5} {slots:>5} {refused_429:>5} {state}"),
    }
}

fn before_lane(before: Option<&View>, at: usize) -> Option<&LaneView> {
    before?.lanes.get(at)
}

fn seconds(now: &View, before: Option<&View>) -> f64 {
    before.map_or(0.0, |before| now.at_ms.saturating_sub(before.at_ms) as f64 / 1e3)
}

fn per_second(now: &View, before: Option<&View>, of: fn(&View) -> u64) -> u64 {
    match before {
        // Another program counts from zero.
        Some(before) if before.started_ms == now.started_ms => {
            rate(of(now), of(before), seconds(now, Some(before)))
        }
        _ => 0,
    }
}

fn rate(now: u64, before: u64, seconds: f64) -> u64 {
    if seconds <= 0.0 { 0 } else { (now.saturating_sub(before) as f64 / seconds).round() as u64 }
}

fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}m{:02}s", seconds % 60),
        (0, _) => format!("{hours}h{minutes:02}m"),
        _ => format!("{days}d{hours:02}h"),
    }
}

/// Five characters at most.
fn short(n: u64) -> String {
    match n {
        0..100_000 => n.to_string(),
        100_000..1_000_000 => format!("{}k", n / 1_000),
        1_000_000..100_000_000 => format!("{:.1}M", n as f64 / 1e6),
        _ => format!("{}M", n / 1_000_000),
    }
}

fn ms(ms: f64) -> String {
    if ms < 100.0 { format!("{ms:.1}") } else { format!("{ms:.0}") }
}

fn bytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests;
