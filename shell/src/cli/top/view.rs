//! One look at the process, as the screen needs it.

use simd_json::OwnedValue;
use simd_json::prelude::{ValueAsArray as _, ValueAsScalar as _, ValueObjectAccess as _};

/// What one answer of `nobat ctl status` says.
#[derive(Clone, Default, Debug)]
pub(super) struct View {
    pub(super) version: String,
    pub(super) state: String,
    pub(super) started_ms: u64,
    pub(super) uptime_s: u64,
    /// The process's clock at the answer: rates are of its time.
    pub(super) at_ms: u64,
    pub(super) capacity: u64,
    pub(super) updates: u64,
    pub(super) refused: u64,
    pub(super) accepted: u64,
    pub(super) refused_429: u64,
    pub(super) repeated: u64,
    pub(super) dropped: u64,
    pub(super) pending: u64,
    pub(super) held: u64,
    pub(super) users: u64,
    pub(super) connections: u64,
    pub(super) resident: u64,
    /// Urgent, reply, relay, bulk.
    pub(super) queue: [u64; 4],
    pub(super) frames: u64,
    pub(super) commits: u64,
    pub(super) waiting: u64,
    pub(super) stalled: bool,
    pub(super) snapshots: u64,
    pub(super) snapshot_failures: u64,
    /// p50 and p99 since the start, in milliseconds: to 200, to send, platform, commit.
    pub(super) latencies: [[f64; 2]; 4],
    pub(super) lanes: Vec<LaneView>,
    pub(super) alarms: Vec<String>,
}

/// One lane of it.
#[derive(Clone, Default, Debug)]
pub(super) struct LaneView {
    pub(super) bot: u64,
    pub(super) pending: u64,
    pub(super) in_flight: u64,
    pub(super) slots: u64,
    pub(super) accepted: u64,
    pub(super) refused_429: u64,
    pub(super) healthy: bool,
    pub(super) paused: bool,
}

impl View {
    /// Reads an answer; none if it is no status.
    pub(super) fn read(answer: &OwnedValue) -> Option<Self> {
        let stats = answer.get("stats")?;
        let n = |key: &str| whole(stats, key);
        let text = |key: &str| stats.get(key).and_then(|value| value.as_str()).unwrap_or("-").to_owned();
        let (queue, journal, latency) =
            (stats.get("queue")?, stats.get("journal")?, stats.get("latency_ms")?);
        let quantiles = |key: &str| {
            ["p50", "p99"].map(|q| latency.get(key).and_then(|l| l.get(q)?.cast_f64()).unwrap_or(0.0))
        };
        Some(Self {
            version: text("version"),
            state: text("state"),
            started_ms: whole(answer, "started_unix_ms"),
            uptime_s: n("uptime_seconds"),
            at_ms: whole(answer, "now_unix_ms"),
            capacity: n("total_capacity_per_second"),
            updates: n("updates"),
            refused: n("updates_refused"),
            accepted: n("sends_accepted"),
            refused_429: n("refused_429"),
            repeated: n("repeated"),
            dropped: n("dropped"),
            pending: n("pending"),
            held: n("held"),
            users: n("users"),
            connections: n("connections_open"),
            resident: n("resident_bytes"),
            queue: ["urgent", "reply", "relay", "bulk"].map(|class| whole(queue, class)),
            frames: whole(journal, "frames"),
            commits: whole(journal, "commits"),
            waiting: whole(journal, "waiting"),
            stalled: whole(journal, "stalled") > 0,
            snapshots: whole(journal, "snapshots"),
            snapshot_failures: whole(journal, "snapshot_failures"),
            latencies: ["update_to_200", "update_to_send", "platform_answer", "journal_commit"]
                .map(quantiles),
            lanes: array(stats, "lanes").iter().map(LaneView::read).collect(),
            alarms: array(answer, "alarms").iter().filter_map(|a| Some(a.as_str()?.to_owned())).collect(),
        })
    }
}

impl LaneView {
    fn read(lane: &OwnedValue) -> Self {
        let flag = |key: &str| lane.get(key).and_then(|value| value.as_bool()).unwrap_or(false);
        Self {
            bot: whole(lane, "bot"),
            pending: whole(lane, "pending"),
            in_flight: whole(lane, "in_flight"),
            slots: whole(lane, "window_tokens"),
            accepted: whole(lane, "accepted"),
            refused_429: whole(lane, "refused_429"),
            healthy: flag("healthy"),
            paused: flag("paused"),
        }
    }
}

fn whole(value: &OwnedValue, key: &str) -> u64 {
    value.get(key).and_then(|value| value.as_u64()).unwrap_or(0)
}

fn array<'v>(value: &'v OwnedValue, key: &str) -> &'v [OwnedValue] {
    value.get(key).and_then(|value| value.as_array()).map_or(&[], |array| array)
}
