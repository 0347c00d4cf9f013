//! The bodies of the pages, as functions of what they show.
//!
//! What lives here: text for `/health`, `/readyz` and both forms of `/stats`. The public form of `/stats` is
//! fixed to the letter: programs of operators read it.

use super::state::State;
use crate::config::{Config, Mode};
use crate::observe::names::{self, Metric};
use crate::observe::{Registry, rfc3339};
use nobat_core::time::UnixMillis;
use std::fmt::Write as _;
use std::time::Duration;

/// `/health` and `/`: alive, in every mode.
#[must_use]
pub fn health(now: UnixMillis) -> String {
    format!("{{\"status\":\"ok\",\"timestamp\":\"{}\"}}", rfc3339::format(now))
}

/// `/readyz`.
#[must_use]
pub fn ready(state: State) -> String {
    format!("{{\"status\":\"{}\"}}", state.word())
}

/// The public `/stats`: mode and capacity, nothing that moves.
#[must_use]
pub fn public_stats(config: &Config) -> String {
    let lanes = config.lanes.len();
    let capacity = lanes as u64 * u64::from(config.pacing.per_lane_rate);
    let main = config.lanes.first().map_or(0, |lane| lane.bot_id.0);
    let (endpoint, experience) = match config.mode {
        Mode::SingleInterface => ("single (/webhook)", "single_bot_interface"),
        Mode::MultiBot => ("one per bot (/webhook/<bot id>)", "multi_bot_interface"),
    };
    format!(
        "{{\"mode\":\"{}\",\"main_bot_token\":\"{main}...\",\"backend_bots\":{lanes},\
         \"total_capacity_per_second\":{capacity},\"load_balancing\":\"user_id % tokens\",\
         \"webhook_endpoint\":\"{endpoint}\",\"user_experience\":\"{experience}\"}}",
        config.mode.name()
    )
}

/// What of the configuration the full `/stats` shows.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// The public form.
    pub(super) public: String,
    /// The bots' ids, by lane.
    pub(super) bots: Vec<u64>,
}

/// The full `/stats`, for the admin listener: numbers since the start.
#[must_use]
pub(super) fn full_stats(facts: &Facts, state: State, uptime: Duration, registry: &Registry) -> String {
    let mut out = String::with_capacity(2048);
    // The public object, open again.
    out.push_str(facts.public.trim_end_matches('}'));
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        ",\"version\":\"{}\",\"state\":\"{}\",\"uptime_seconds\":{}",
        env!("CARGO_PKG_VERSION"),
        state.word(),
        uptime.as_secs()
    );
    for (key, metric) in [
        ("updates", names::UPDATES),
        ("updates_duplicate", names::UPDATES_DUPLICATE),
        ("updates_refused", names::UPDATES_REFUSED),
        ("sends", names::SENDS),
        ("sends_accepted", names::SENDS_ACCEPTED),
        ("refused_429", names::REFUSED_429),
        ("repeated", names::REPEATS),
        ("dropped", names::DROPPED),
        ("coalesced", names::COALESCED),
        ("pending", names::ENVELOPES_PENDING),
        ("held", names::ENVELOPES_HELD),
        ("users", names::USERS),
        ("connections_open", names::CONNECTIONS_OPEN),
        ("resident_bytes", names::RESIDENT_BYTES),
    ] {
        let _ = write!(out, ",\"{key}\":{}", registry.total(metric));
    }
    out.push_str(",\"queue\":{");
    for (at, class) in names::CLASSES.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(out, "{comma}\"{class}\":{}", registry.get_at(names::QUEUE, at));
    }
    out.push_str("},\"journal\":{");
    for (at, (key, metric)) in [
        ("frames", names::JOURNAL_FRAMES),
        ("bytes", names::JOURNAL_BYTES),
        ("commits", names::JOURNAL_COMMITS),
        ("waiting", names::JOURNAL_RING),
        ("stalled", names::JOURNAL_STALLED),
        ("snapshots", names::SNAPSHOTS),
        ("snapshot_failures", names::SNAPSHOT_FAILURES),
    ]
    .into_iter()
    .enumerate()
    {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(out, "{comma}\"{key}\":{}", registry.total(metric));
    }
    out.push('}');
    out.push_str(",\"latency_ms\":{");
    for (at, (key, metric)) in [
        ("update_to_200", names::UPDATE_TO_200),
        ("update_to_send", names::UPDATE_TO_SEND),
        ("platform_answer", names::PLATFORM),
        ("journal_commit", names::JOURNAL_COMMIT),
    ]
    .into_iter()
    .enumerate()
    {
        out.push_str(if at > 0 { "," } else { "" });
        latency(&mut out, key, registry, metric);
    }
    out.push_str("},\"lanes\":[");
    for (lane, bot) in facts.bots.iter().enumerate() {
        let get = |metric| registry.get_at(metric, lane);
        let _ = write!(
            out,
            "{}{{\"lane\":{lane},\"bot\":{bot},\"sends\":{},\"accepted\":{},\"refused_429\":{},\"in_flight\":{},\
             \"healthy\":{},\"window_tokens\":{},\"pending\":{},\"paused\":{}}}",
            if lane > 0 { "," } else { "" },
            get(names::SENDS),
            get(names::SENDS_ACCEPTED),
            get(names::REFUSED_429),
            get(names::IN_FLIGHT),
            get(names::LANE_OPEN) == 1,
            get(names::LANE_RATE),
            get(names::LANE_PENDING),
            get(names::LANE_PAUSED) == 1,
        );
    }
    out.push_str("]}");
    out
}

fn latency(out: &mut String, key: &str, registry: &Registry, metric: Metric) {
    let Some(histogram) = registry.histogram(metric) else { return };
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    let _ = write!(
        out,
        "\"{key}\":{{\"count\":{},\"p50\":{:.3},\"p99\":{:.3},\"max\":{:.3}}}",
        histogram.count(),
        ms(histogram.quantile(0.5)),
        ms(histogram.quantile(0.99)),
        ms(histogram.max())
    );
}
