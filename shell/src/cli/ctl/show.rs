//! Answers as people read them.

use crate::cli::args::Ask;
use crate::ctl::client::Reply;
use simd_json::OwnedValue;
use simd_json::prelude::{ValueAsArray as _, ValueAsScalar, ValueObjectAccess as _, Writable as _};
use std::io::{self, Write};

/// A sentence, a summary or a table.
pub(super) fn show(out: &mut dyn Write, ask: &Ask, reply: &Reply) -> io::Result<()> {
    if let Some(says) = reply.says() {
        return writeln!(out, "{says}");
    }
    match ask {
        Ask::Lanes => lanes(out, reply),
        Ask::Dump => dump(out, reply),
        _ => status(out, reply),
    }
}

/// A number of the full statistics, by its path.
fn number(value: &OwnedValue, path: &[&str]) -> f64 {
    let found = path.iter().try_fold(value, |value, key| value.get(*key));
    found.and_then(|value| value.cast_f64()).unwrap_or(0.0)
}

fn text<'v>(value: &'v OwnedValue, key: &str) -> &'v str {
    value.get(key).and_then(|value| value.as_str()).unwrap_or("-")
}

fn status(out: &mut dyn Write, reply: &Reply) -> io::Result<()> {
    let Some(stats) = reply.value.get("stats") else { return Ok(()) };
    let n = |path: &[&str]| number(stats, path);
    let pid = number(&reply.value, &["pid"]);
    writeln!(
        out,
        "state      {}, for {} s; version {}, process {pid}, data in {}",
        text(stats, "state"),
        n(&["uptime_seconds"]),
        text(stats, "version"),
        text(&reply.value, "data_dir")
    )?;
    writeln!(
        out,
        "updates    {} taken, {} known already, {} refused; {} connections, {} users",
        n(&["updates"]),
        n(&["updates_duplicate"]),
        n(&["updates_refused"]),
        n(&["connections_open"]),
        n(&["users"])
    )?;
    writeln!(
        out,
        "queue      {} pending, {} of them behind the release gate; urgent {}, reply {}, relay {}, bulk {}",
        n(&["pending"]),
        n(&["held"]),
        n(&["queue", "urgent"]),
        n(&["queue", "reply"]),
        n(&["queue", "relay"]),
        n(&["queue", "bulk"])
    )?;
    writeln!(
        out,
        "sends      {} accepted of {}; {} refused with 429, {} repeated, {} dropped",
        n(&["sends_accepted"]),
        n(&["sends"]),
        n(&["refused_429"]),
        n(&["repeated"]),
        n(&["dropped"])
    )?;
    let stalled = if n(&["journal", "stalled"]) > 0.0 { "; STALLED: free space on its disk" } else { "" };
    writeln!(
        out,
        "journal    {} frames in {} commits, {} wait; {} snapshots, {} failed{stalled}",
        n(&["journal", "frames"]),
        n(&["journal", "commits"]),
        n(&["journal", "waiting"]),
        n(&["journal", "snapshots"]),
        n(&["journal", "snapshot_failures"])
    )?;
    for (name, key) in [
        ("to 200", "update_to_200"),
        ("to send", "update_to_send"),
        ("platform", "platform_answer"),
        ("commit", "journal_commit"),
    ] {
        let ms = |quantile| n(&["latency_ms", key, quantile]);
        writeln!(
            out,
            "{name:<10} p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
            ms("p50"),
            ms("p99"),
            ms("max")
        )?;
    }
    let all = rows(stats);
    let used = all.iter().filter(|lane| flag(lane, "healthy")).count();
    writeln!(out, "lanes      {used} of {} in use; `nobat ctl lanes` shows each", all.len())
}

fn rows(stats: &OwnedValue) -> &[OwnedValue] {
    stats.get("lanes").and_then(|lanes| lanes.as_array()).map_or(&[], |lanes| lanes)
}

fn flag(lane: &OwnedValue, key: &str) -> bool {
    lane.get(key).and_then(ValueAsScalar::as_bool).unwrap_or(false)
}

fn lanes(out: &mut dyn Write, reply: &Reply) -> io::Result<()> {
    let Some(stats) = reply.value.get("stats") else { return Ok(()) };
    writeln!(out, "lane          bot    waiting  in flight  per s   accepted   429  state")?;
    for lane in rows(stats) {
        let n = |key| number(lane, &[key]);
        let state = match (flag(lane, "paused"), flag(lane, "healthy")) {
            (true, _) => "paused",
            (false, true) => "in use",
            (false, false) => "cut off",
        };
        writeln!(
            out,
            "{:>4} {:>12} {:>10} {:>10} {:>6} {:>10} {:>5}  {state}",
            n("lane"),
            n("bot"),
            n("pending"),
            n("in_flight"),
            n("window_tokens"),
            n("accepted"),
            n("refused_429"),
        )?;
    }
    Ok(())
}

fn dump(out: &mut dyn Write, reply: &Reply) -> io::Result<()> {
    status(out, reply)?;
    lanes(out, reply)?;
    writeln!(out, "\nsettings:")?;
    if let Some(settings) = reply.value.get("settings") {
        writeln!(out, "{}", settings.encode_pp())?;
    }
    writeln!(out, "\nmetrics:\n{}", text(&reply.value, "metrics"))
}
