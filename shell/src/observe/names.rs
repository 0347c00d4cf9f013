//! Every metric's name, in one table. The table in `docs/operators.md` is compared with it by a test.
//!
//! What lives here: [`METRICS`] and a constant for each row. A room counts by constant; there is no other
//! way to make a metric. Labels have fixed values or are a lane's number: no user id, ever.

/// What a metric is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// Only rises.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution of durations.
    Histogram,
}

/// By what a metric is split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Labels {
    /// Not at all.
    None,
    /// By a label with these values.
    Fixed(&'static str, &'static [&'static str]),
    /// By `lane`, 0 to the number of tokens less one.
    Lane,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Def {
    /// With prefix and unit, as Prometheus wants it.
    pub name: &'static str,
    /// What it is.
    pub kind: Type,
    /// By what it is split.
    pub labels: Labels,
    /// One sentence.
    pub help: &'static str,
}

/// A metric: its place in [`METRICS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metric(pub(super) usize);

impl Metric {
    /// Its row.
    #[must_use]
    pub const fn def(self) -> &'static Def {
        &METRICS[self.0]
    }
}

/// Answers of the webhook listener, as label values of [`WEBHOOK_ANSWERS`].
pub const STATUSES: &[&str] =
    &["200", "400", "401", "404", "405", "408", "411", "413", "429", "431", "500", "503", "other"];

/// The place of an HTTP status among [`STATUSES`].
#[must_use]
pub fn status_index(status: u16) -> usize {
    let code = |name: &&str| name.parse() == Ok(status);
    STATUSES.iter().position(code).unwrap_or(STATUSES.len() - 1)
}

/// Kinds of updates, in the order of the Telegram channel's `UpdateKind` (a test there holds them equal).
pub const UPDATE_KINDS: &[&str] = &[
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "guest_message",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "managed_bot",
    "subscription",
    "stopped_message_generation",
    "unknown",
];

/// Verdicts, in the order of `nobat_core::envelope::Verdict`, as label values of [`VERDICTS`].
pub const VERDICT_NAMES: &[&str] =
    &["sent", "retry_after", "unreachable", "rejected", "token_dead", "failed", "unknown"];

/// The place of a verdict among [`VERDICT_NAMES`].
#[must_use]
pub const fn verdict_index(verdict: &nobat_core::envelope::Verdict) -> usize {
    use nobat_core::envelope::Verdict;
    match verdict {
        Verdict::Sent => 0,
        Verdict::RetryAfter(_) => 1,
        Verdict::Unreachable(_) => 2,
        Verdict::Rejected => 3,
        Verdict::TokenDead => 4,
        Verdict::Failed => 5,
        Verdict::Unknown => 6,
    }
}

const DROP_REASONS: &[&str] =
    &["stale", "unreachable", "rejected", "exhausted", "unrenderable", "shed", "lane_gone"];
/// Traffic classes, in the order of `nobat_core::envelope::Class`.
pub const CLASSES: &[&str] = &["urgent", "reply", "relay", "bulk"];
const LEVELS: &[&str] = &["error", "warn", "info", "debug"];
const REFUSALS: &[&str] = &["not_json", "no_update_id", "secret", "overload"];
/// The place of "overload" among the reasons of [`UPDATES_REFUSED`].
pub const OVERLOAD: usize = 3;

/// How a long poll ended, as label values of [`POLLS`].
pub const POLL_OUTCOMES: &[&str] =
    &["updates", "empty", "other_instance", "webhook", "token_dead", "retry_after", "failed"];

macro_rules! metrics {
    ($($(#[$doc:meta])* $id:ident: $kind:ident $name:literal, $labels:expr, $help:literal;)+) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Row { $($id),+ }
        $(#[doc = $help] pub const $id: Metric = Metric(Row::$id as usize);)+
        /// All metrics.
        pub const METRICS: &[Def] = &[$(Def {
            name: $name, kind: Type::$kind, labels: $labels, help: $help,
        }),+];
    };
}

metrics! {
    UPDATES: Counter "nobat_updates_total", Labels::Fixed("kind", UPDATE_KINDS),
        "Updates decoded, by the platform's kind.";
    UPDATES_REFUSED: Counter "nobat_updates_refused_total", Labels::Fixed("reason", REFUSALS),
        "Updates not answered 200: bodies that are none, wrong secrets, and those the platform is to keep.";
    UPDATES_DUPLICATE: Counter "nobat_updates_duplicate_total", Labels::None,
        "Updates delivered again, answered 200 and not acted upon.";
    WEBHOOK_ANSWERS: Counter "nobat_webhook_answers_total", Labels::Fixed("status", STATUSES),
        "Answers of the webhook listener, by status.";
    POLLS: Counter "nobat_polls_total", Labels::Fixed("outcome", POLL_OUTCOMES),
        "Long polls answered, by outcome.";
    POLLING: Gauge "nobat_lane_polled", Labels::Lane,
        "1 while the lane's updates come by long polling, 0 while they do not (webhooks, or a trouble that the log names).";
    CONNECTIONS_OPEN: Gauge "nobat_connections_open", Labels::None,
        "Connections open on the webhook listener.";
    CONNECTIONS: Counter "nobat_connections_total", Labels::None,
        "Connections accepted by the webhook listener.";
    ACCEPT_PAUSES: Counter "nobat_accept_pauses_total", Labels::None,
        "Times accepting was paused, because the connection limit was reached or no file descriptor was left.";
    SLOW_PEERS: Counter "nobat_connections_slow_total", Labels::None,
        "Connections closed because the peer was too slow.";
    UPDATE_TO_200: Histogram "nobat_update_to_200_seconds", Labels::None,
        "From the last byte of an update to its 200, the commit included; not for long polling.";
    UPDATE_TO_SEND: Histogram "nobat_update_to_send_seconds", Labels::None,
        "From the last byte of an update to the first byte of the send that answers it.";
    JOURNAL_FRAMES: Counter "nobat_journal_frames_total", Labels::None,
        "Frames committed to the journal.";
    JOURNAL_BYTES: Counter "nobat_journal_bytes_total", Labels::None,
        "Bytes committed to the journal.";
    JOURNAL_COMMITS: Counter "nobat_journal_commits_total", Labels::None,
        "Group commits, each one fdatasync.";
    JOURNAL_COMMIT: Histogram "nobat_journal_commit_seconds", Labels::None,
        "From the first byte of a group's write to the end of its fdatasync, waits for a full disk included.";
    JOURNAL_STALLED: Gauge "nobat_journal_stalled", Labels::None,
        "1 while the disk is full and updates are answered 503. Free space; it goes on by itself.";
    JOURNAL_STALLS: Counter "nobat_journal_stalls_total", Labels::None,
        "Spells in which the journal could not be written.";
    SNAPSHOTS: Counter "nobat_snapshots_total", Labels::None,
        "Snapshots made.";
    SNAPSHOT_FAILURES: Counter "nobat_snapshot_failures_total", Labels::None,
        "Snapshots that could not be made. The journal still holds everything, and grows.";
    SNAPSHOT_COVERS: Gauge "nobat_snapshot_covers_frame", Labels::None,
        "The last frame that a snapshot of this process covers.";
    JOURNAL_RING: Gauge "nobat_journal_ring_frames", Labels::None,
        "Frames that wait for a commit.";
    RECORDS_CONNECTED: Gauge "nobat_records_connected", Labels::None,
        "1 while the database of records answers, 0 while it does not or records are off.";
    RECORDS_LAG_FRAMES: Gauge "nobat_records_lag_frames", Labels::None,
        "Frames of the journal that are not in the database yet.";
    RECORDS_LAG_SECONDS: Gauge "nobat_records_lag_seconds", Labels::None,
        "How long ago the database had everything; 0 while it has.";
    RECORDS_ROWS: Counter "nobat_records_rows_total", Labels::None,
        "Rows written to the database of records.";
    RECORDS_FAILURES: Counter "nobat_records_failures_total", Labels::None,
        "Times the database of records could not be written. The bot goes on, and it is made up for later.";
    RECORDS_REBUILDS: Counter "nobat_records_rebuilds_total", Labels::None,
        "Times all records were read from a snapshot: the first time, after a restored backup, or because the journal did not wait longer.";
    BACKUPS: Counter "nobat_backups_total", Labels::None,
        "Backups made and opened.";
    BACKUP_FAILURES: Counter "nobat_backup_failures_total", Labels::None,
        "Backups that could not be made, or did not open. The log says why.";
    BACKUP_AT: Gauge "nobat_backup_timestamp_seconds", Labels::None,
        "When the newest backup was made, in seconds since 1970; 0 while there is none.";
    ALERTS: Counter "nobat_alerts_total", Labels::None,
        "Troubles, and ends of troubles, that were told to the administrators in Telegram.";
    ENVELOPES_PENDING: Gauge "nobat_envelopes_pending", Labels::None,
        "Envelopes without an end.";
    ENVELOPES_HELD: Gauge "nobat_envelopes_held", Labels::None,
        "Envelopes that wait for the release gate.";
    SENDS: Counter "nobat_sends_total", Labels::Lane,
        "Requests written to the platform, by lane.";
    SENDS_ACCEPTED: Counter "nobat_sends_accepted_total", Labels::Lane,
        "Sends the platform accepted, by lane.";
    REFUSED_429: Counter "nobat_refused_429_total", Labels::Lane,
        "Sends refused with 429, by lane.";
    VERDICTS: Counter "nobat_verdicts_total", Labels::Fixed("verdict", VERDICT_NAMES),
        "The platform's word on sends.";
    REPEATS: Counter "nobat_sends_repeated_total", Labels::None,
        "Sends repeated because the answer to an earlier one was lost: it may have arrived.";
    DROPPED: Counter "nobat_envelopes_dropped_total", Labels::Fixed("reason", DROP_REASONS),
        "Envelopes given up.";
    COALESCED: Counter "nobat_questions_coalesced_total", Labels::None,
        "Repeats of a question whose answer still waited.";
    QUEUE: Gauge "nobat_queue_envelopes", Labels::Fixed("class", CLASSES),
        "Envelopes that wait for a lane, by class.";
    LANE_PENDING: Gauge "nobat_lane_pending", Labels::Lane,
        "Envelopes that wait for the lane.";
    LANE_PAUSED: Gauge "nobat_lane_paused", Labels::Lane,
        "1 while the operator has paused the lane.";
    IN_FLIGHT: Gauge "nobat_lane_in_flight", Labels::Lane,
        "Sends written and not yet answered, by lane.";
    LANE_OPEN: Gauge "nobat_lane_healthy", Labels::Lane,
        "1 while the lane is used, 0 while it is cut off.";
    LANE_RATE: Gauge "nobat_lane_window_tokens", Labels::Lane,
        "Tokens of the lane's window: sends it may make in any second.";
    PLATFORM: Histogram "nobat_platform_answer_seconds", Labels::None,
        "From a request's first byte to the end of its answer.";
    OUTBOUND_BEATS: Counter "nobat_outbound_beats_total", Labels::None,
        "Looks of the outbound thread at its gauges, one a second: standing still, it hangs.";
    BLOCKS_REFUSED: Gauge "nobat_blocks_refused", Labels::None,
        "Blocks of one user by another that were refused since the start: the table is full, raise `seats`.";
    USERS: Gauge "nobat_users", Labels::None,
        "Users with a state in memory.";
    RATE_LIMITED: Counter "nobat_users_rate_limited_total", Labels::None,
        "Inputs over their user's rate.";
    RESIDENT_BYTES: Gauge "nobat_resident_bytes", Labels::None,
        "Bytes of the process in memory.";
    LOG_LINES: Counter "nobat_log_lines_total", Labels::Fixed("level", LEVELS),
        "Log lines said, by level.";
    LOG_DROPPED: Counter "nobat_log_lines_dropped_total", Labels::None,
        "Log lines that stderr did not take, because whoever reads it stands still.";
    LOG_FILE_DROPPED: Counter "nobat_log_file_lines_dropped_total", Labels::None,
        "Log lines that a file of log.dir did not take: its disk is full, slow or gone.";
}
