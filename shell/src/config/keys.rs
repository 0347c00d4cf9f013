//! Every key and every name there is, in two tables. `docs/configuration.md` is made from them, and a
//! test compares.
//!
//! What lives here: [`KEYS`] with a constant for each row, and [`OTHER_NAMES`]. Nothing is read here.

/// What a value must look like.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Form {
    /// Any text.
    Text,
    /// A secret: never shown.
    Secret,
    /// A list: in TOML an array, in the environment separated by commas or blanks.
    List,
    /// A list of secrets.
    Secrets,
    /// A whole number in this range.
    Whole(u64, u64),
    /// `true` or `false` (also `1`, `0`, `yes`, `no`, `on`, `off`).
    Bool,
    /// One of these words, in any case.
    OneOf(&'static [&'static str]),
    /// `host:port` with an IP address or `localhost`.
    Address,
    /// A path, relative to where the program is started.
    Path,
    /// An address `http(s)://host[:port][/path]`.
    Url,
    /// An RFC 3339 instant, or `now`.
    Time,
}

/// How a short name's value becomes the key's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Via {
    /// As it is.
    Same,
    /// A port, on all addresses.
    AnyPort,
    /// A port, on loopback.
    LoopbackPort,
    /// A host, reached by https.
    HttpsHost,
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its table in TOML.
    pub section: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// Short names in the environment, the stronger first.
    pub short: &'static [(&'static str, Via)],
    /// What its value must look like.
    pub form: Form,
    /// If nobody says anything; empty for none.
    pub default: &'static str,
    /// What it does, in a sentence or two.
    pub doc: &'static str,
}

impl Key {
    /// `section.name`
    #[must_use]
    pub fn dotted(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// `NOBAT_SECTION_NAME`
    #[must_use]
    pub fn env(&self) -> String {
        format!("NOBAT_{}_{}", self.section, self.name).to_uppercase()
    }

    /// Must its value not be shown?
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        matches!(self.form, Secret | Secrets)
    }
}

/// A key: its place in [`KEYS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyId(pub(super) usize);

impl KeyId {
    /// Its row.
    #[must_use]
    pub const fn key(self) -> &'static Key {
        &KEYS[self.0]
    }
}

macro_rules! keys {
    ($($id:ident: $section:ident.$name:ident, $short:expr, $form:expr, $default:literal, $doc:literal;)+) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Row { $($id),+ }
        $(#[doc = $doc] pub const $id: KeyId = KeyId(Row::$id as usize);)+
        /// All keys, in the order of the documentation.
        pub const KEYS: &[Key] = &[$(Key {
            section: stringify!($section),
            name: stringify!($name),
            short: $short,
            form: $form,
            default: $default,
            doc: $doc,
        }),+];
    };
}

use Form::{Address, Bool, List, OneOf, Path, Secret, Secrets, Text, Time, Url, Whole};
use Via::{AnyPort, HttpsHost, LoopbackPort, Same};

/// The words of `bot.kind`, in the order of `Kind`.
pub const KINDS: &[&str] = &["results", "chat", "registration", "signals", "answers", "gateway"];
/// The words of `bot.mode`, in the order of `Mode`.
pub const MODES: &[&str] = &["single_interface", "multi_bot"];
/// The words of `pacing.reach`, in the order of `Reach`.
pub const REACHES: &[&str] = &["try", "known", "all"];

/// The words of `records.store`.
pub const RECORDS_STORES: &[&str] = &["off", "sqlite", "postgres"];

keys! {
    KIND: bot.kind, &[("NOBAT_KIND", Same)], OneOf(KINDS), "",
        "What the bot does. Without it `BOT_MODE=single_interface` or `BOT_TOKEN_MAIN` means `results` and `BOT_TOKENS` means `chat`.";
    MODE: bot.mode, &[("BOT_MODE", Same)], OneOf(MODES), "",
        "`single_interface`: one public bot in front of all tokens. `multi_bot`: every bot is public. Default: `single_interface` for `results`, except with `BOT_TOKENS`.";
    TOKENS: bot.tokens, &[], Secrets, "",
        "The tokens of the lanes, the main bot first; or `BOT_TOKEN_MAIN` with `BOT_TOKEN_1` and on, `BOT_TOKENS`, or `BOT_TOKEN` in the environment.";
    LISTEN: server.listen, &[("NOBAT_LISTEN", Same), ("PORT", AnyPort)], Address, "0.0.0.0:3000",
        "Where webhooks arrive. `PORT` is used when `NOBAT_LISTEN` is not set.";
    ADMIN_LISTEN: server.admin_listen, &[("NOBAT_ADMIN_LISTEN", Same), ("ADMIN_PORT", LoopbackPort)], Address, "127.0.0.1:3001",
        "Where `/metrics` and the full `/stats` are served. Keep it on loopback or a private network.";
    DATA_DIR: server.data_dir, &[("NOBAT_DATA_DIR", Same)], Path, "data",
        "Where the journal and the data sets live. One process at a time.";
    INTAKES: server.intakes, &[], Whole(1, 64), "1",
        "Threads that accept and decide. One carries some 10,000 updates a second.";
    TRUSTED_PROXIES: server.trusted_proxies, &[], List, "",
        "Networks of the proxies in front, such as `10.0.0.0/8`: their X-Forwarded-For is believed, and they may hold any number of connections.";
    ENVIRONMENT: server.environment, &[("ENVIRONMENT", Same), ("NODE_ENV", Same)], Text, "development",
        "`production` refuses development settings: a `.env` that others can read, plain http to the platform.";
    API_ROOT: telegram.api_root, &[("TELEGRAM_API_ROOT", Same)], Url, "https://api.telegram.org",
        "The Bot API server. Plain http is allowed to loopback only.";
    API_CA: telegram.ca, &[], Path, "",
        "Certificate authorities (PEM) trusted beside the system's, for a Bot API server of one's own.";
    POLLING: telegram.polling, &[("FORCE_POLLING", Same)], Bool, "false",
        "Long polling instead of webhooks, which are removed. Without it, polling is on when no listener and no webhook address is set, and leaves webhooks alone.";
    WEBHOOK_URL: webhook.url, &[("WEBHOOK_URL", Same), ("RAILWAY_PUBLIC_DOMAIN", HttpsHost)], Url, "",
        "The public address in front of the listener. With it `serve` registers the webhooks by itself.";
    WEBHOOK_SECRET: webhook.secret, &[("WEBHOOK_SECRET_TOKEN", Same)], Secret, "",
        "What the platform sends with each update, 1 to 256 of `A-Za-z0-9_-`. Without it one is made at the first start and kept in the data directory.";
    WEBHOOK_ALLOW: webhook.allow_from, &[], List, "",
        "Networks that updates may come from, others get 403; `telegram` stands for the platform's own. Empty: from anywhere. With a proxy in front, name it in `server.trusted_proxies`.";
    WEBHOOK_CONNECTIONS: webhook.max_connections, &[], Whole(1, 100), "100",
        "How many updates of one bot the platform delivers at the same time.";
    TLS_CERT: tls.cert, &[], Path, "",
        "The certificate chain (PEM) of the webhook listener; without it the listener speaks plain HTTP, for a proxy in front.";
    TLS_KEY: tls.key, &[], Path, "",
        "The private key (PEM) of `tls.cert`. ECDSA P-256 costs a quarter of RSA.";
    PER_LANE_RATE: pacing.per_lane_rate, &[], Whole(1, 1000), "30",
        "Messages a second of one token, over all classes.";
    REPLY_RATE: pacing.reply_rate, &[], Whole(0, 1000), "0",
        "Ceiling of replies a second of one token; 0 is `per_lane_rate`.";
    RELAY_RATE: pacing.relay_rate, &[], Whole(0, 1000), "0",
        "Ceiling of relayed messages a second of one token; 0 is `per_lane_rate`.";
    BULK_RATE: pacing.bulk_rate, &[], Whole(0, 1000), "0",
        "Ceiling of bulk messages a second of one token; 0 is `per_lane_rate`.";
    ADAPTIVE: pacing.adaptive, &[], Bool, "false",
        "Learn the real ceiling of replies from 429 and rising latency instead of holding to `per_lane_rate`.";
    CHAT_BURST: pacing.chat_burst, &[], Whole(1, 20), "3",
        "Messages to one private chat that may leave at once; beyond, one a second.";
    GROUP_PER_MINUTE: pacing.group_per_minute, &[], Whole(1, 20), "20",
        "Messages a minute to one group.";
    REACH: pacing.reach, &[], OneOf(REACHES), "",
        "Which lanes write to a user: `try` his home lane once and remember a refusal, `known` only bots he has started, `all` without asking. Default: `try` in single-interface mode, else `known`.";
    IN_FLIGHT: pacing.in_flight, &[], Whole(1, 1000), "64",
        "Sends of one lane that may wait for their answer at the same time.";
    TIMEOUT: pacing.timeout_seconds, &[], Whole(5, 120), "30",
        "How long a send waits for its answer. The platform may hold one back for 8 s before it says 429.";
    ATTEMPTS: pacing.attempts, &[], Whole(1, 100), "10",
        "How often a send is tried that fails for no reason of its own (5xx, time-out).";
    REQUESTS_PER_MINUTE: limits.requests_per_minute, &[("MAX_REQUESTS_PER_MINUTE", Same)], Whole(1, 10000), "10",
        "Inputs a minute of one user; beyond, he is told once to slow down.";
    CONNECTIONS: limits.connections, &[], Whole(16, 100000), "4096",
        "Connections open on the webhook listener; beyond, new ones wait in the backlog until one closes.";
    BODY_BYTES: limits.body_bytes, &[], Whole(65536, 16777216), "1048576",
        "The longest body of an update; beyond, 413.";
    PENDING: limits.pending, &[], Whole(1000, 1000000), "1000000",
        "Answers that may wait to be sent; beyond, updates are answered 503 and the platform keeps them. Payments are taken until 4,096 more wait.";
    IDLE: limits.idle_seconds, &[], Whole(5, 3600), "75",
        "A connection without a request is closed after this.";
    PER_ADDRESS: limits.connections_per_address, &[], Whole(0, 100000), "1024",
        "Connections of one address (in IPv6 of one /64) on the webhook listener; beyond, closed at once. 0: no limit. Loopback, trusted proxies and the networks of `webhook.allow_from` are not counted.";
    HANDSHAKE_TIME: limits.handshake_seconds, &[], Whole(1, 60), "10",
        "For a TLS handshake; then the connection is closed.";
    HEAD_TIME: limits.head_seconds, &[], Whole(1, 300), "10",
        "For a request's head, from its first byte; then 408.";
    BODY_TIME: limits.body_seconds, &[], Whole(1, 300), "30",
        "For a request's body; then 408.";
    WRITE_TIME: limits.write_seconds, &[], Whole(1, 300), "30",
        "For a peer to take its answer; then the connection is closed.";
    SEGMENT_KB: journal.segment_kb, &[], Whole(16, 1_048_576), "65536",
        "Size of a journal segment in KiB. Smaller ones only make sense in tests.";
    SNAPSHOT_EVERY_KB: journal.snapshot_every_kb, &[], Whole(16, 16_777_216), "65536",
        "A snapshot is made once sealed segments of this many KiB stand behind the last one: bounds the time of a restart.";
    CUT_FILES: journal.cut_files_kept, &[], Whole(0, 10_000), "16",
        "Torn tails (`cut-*.bin`) that are kept for inspection, the newest; older ones are removed at start.";
    RECORDS_STORE: records.store, &[], OneOf(RECORDS_STORES), "",
        "Where users, payments and the like are written for people to read. Default: `postgres` with `POSTGRES_URI` if this nobat was built with it and the kind is not `results` (which imports from there), else `sqlite`.";
    RECORDS_SQLITE: records.sqlite_path, &[], Path, "",
        "The SQLite file. Default: `SQLITE_DB_PATH` (but for `results`, which imports from there), else `records.sqlite` in the data directory.";
    RECORDS_RETAIN: records.retain_days, &[], List, "",
        "After how many days rows are removed, `table:days`, such as `audit:365`. Tables that are not named keep theirs.";
    RECORDS_VACUUM: records.vacuum_days, &[], Whole(0, 365), "7",
        "How often space is given back to the disk; 0 for never.";
    RECORDS_BACKLOG: records.backlog_mb, &[], Whole(64, 1_048_576), "1024",
        "MiB of journal kept for a database that cannot be written. Beyond, it is let go, and all is read again from a snapshot later: dates and audit lines of that time are lost.";
    BACKUP_EVERY: backup.every_hours, &[], Whole(0, 8760), "0",
        "How often `serve` makes a backup of itself; 0 for never.";
    BACKUP_TO: backup.to, &[], Path, "",
        "The folder that backups go into: another disk, or a folder that is carried away. `nobat backup` goes there as well.";
    BACKUP_KEEP: backup.keep, &[], Whole(1, 10_000), "7",
        "How many backups stay, the newest.";
    SECRETS_KEY_FILE: secrets.key_file, &[], Path, "",
        "A file with the key to the secrets that the configuration names as `secret:NAME`, outside the data directory; `nobat secrets key --to FILE` makes one.";
    SECRETS_KEY: secrets.key, &[], Secret, "",
        "The key itself, 64 hexadecimal digits, for platforms that give secrets by the environment. Several with commas between: the first seals, all open.";
    RELEASE: results.release, &[], Time, "now",
        "When results may be shown, such as `2026-07-20T09:00:00+03:00`. Who asks before is answered then, in order. `now`: as soon as a data set is there.";
    DATASET: results.dataset, &[], Path, "",
        "The data set that `nobat results import` made. Default: `results.nobat` in the data directory.";
    TEXTS_DIR: results.texts_dir, &[], Path, "",
        "Files here replace the built-in texts.";
    WAIT_NOTICE: results.wait_notice_seconds, &[], Whole(1, 3600), "15",
        "Who must wait longer than this is told once, with his place in the queue.";
    MISSES: results.misses_per_hour, &[], Whole(1, 1000), "20",
        "Look-ups that find nothing, an hour and user; beyond, he must wait. Keeps numbers from being tried through.";
    HANDOFF: results.handoff, &[], Bool, "false",
        "Offer each student a link to the bot of his own lane. Every bot must then hear its updates.";
    CHAT_AGE_MIN: chat.age_min, &[], Whole(13, 120), "13",
        "The youngest that may use the bot, in years.";
    CHAT_CROSS_BOT: chat.cross_bot_matching, &[("ENABLE_CROSS_BOT_MATCHING", Same)], Bool, "true",
        "Users of different bots may meet. Each is answered by the bot he wrote to.";
    CHAT_PRIVATE: chat.filter_contacts, &[], Bool, "true",
        "Messages that name an account, a link or a telephone number are not passed on; who sent one is told.";
    CHAT_IDLE: chat.idle_minutes, &[], Whole(1, 1440), "30",
        "A chat in which nobody has written for so long ends.";
    CHAT_SEARCH: chat.search_minutes, &[], Whole(1, 1440), "30",
        "A search that has found nobody for so long ends.";
    CHAT_SEARCHES: chat.searches_per_minute, &[], Whole(1, 255), "20",
        "Searches of one user in a minute, `/next` included; beyond, he is told how long to wait, and keeps the partner he has.";
    CHAT_FLOOD: chat.flood_messages, &[], Whole(1, 256), "20",
        "Inputs of one user in any `flood_seconds`; beyond, he is told once and they are not passed on. Takes the place of `limits.requests_per_minute`.";
    CHAT_FLOOD_PER: chat.flood_seconds, &[], Whole(1, 3600), "10",
        "See `flood_messages`.";
    CHAT_REPORTS: chat.reports_to_shut_out, &[], Whole(1, 255), "5",
        "So many partners who report a user within a day shut him out.";
    CHAT_SHUT_OUT: chat.shut_out_hours, &[], Whole(1, 8760), "24",
        "For how long he then meets nobody.";
    CHAT_SEATS: chat.searchers, &[], Whole(1000, 4_194_304), "100000",
        "Users who may have searched since the start, and as many blocks between users: about 530 bytes each, set aside at the start. Beyond, who searches for the first time is told that there is no room.";
    CHAT_PROTECT: chat.protect_content, &[], Bool, "false",
        "What is passed on can be neither forwarded nor saved.";
    CHAT_TYPING: chat.typing, &[], Bool, "true",
        "Show \"typing\" to a partner who is written to after a pause, or sent an album.";
    CHAT_ANIMATE: chat.animate_search, &[], Bool, "true",
        "The message that someone is searched for changes every 3 s, for a minute. Such edits are dropped where replies wait.";
    CHAT_STARS: chat.stars, &[("ENABLE_STARS_PAYMENTS", Same)], Bool, "false",
        "Sell for Telegram Stars what the following keys name.";
    CHAT_VIP: chat.vip, &[("ENABLE_VIP", Same)], Bool, "true",
        "Sell VIP days, if anything is sold.";
    CHAT_VIP_PLANS: chat.vip_plans, &[], List, "7:100,30:300,90:750",
        "Days and their price in Stars, `days:stars`.";
    CHAT_LOCK: chat.lock, &[("ENABLE_LOCK_CHAT", Same)], Bool, "true",
        "Sell credits, and locks for them, if anything is sold.";
    CHAT_CREDITS: chat.credit_packages, &[], List, "5:50,20:150",
        "Credits and their price in Stars, `credits:stars`.";
    CHAT_LOCKS: chat.lock_prices, &[], List, "5:1,10:2,15:3",
        "For how many minutes a chat can be locked, and for how many credits, `minutes:credits`.";
    CHAT_CHANNELS: chat.required_channels, &[], List, "",
        "Channels that a user must be in to find a partner: `@name`, or the number of a private one with its link, `-100123=https://t.me/+abc`. Every bot must be an administrator there; where it is not, everybody is let in, and you are told.";
    CHAT_CHANNEL_1: chat.required_channel_1, &[("REQUIRED_CHANNEL_1", Same)], Text, "",
        "One more of them.";
    CHAT_CHANNEL_2: chat.required_channel_2, &[("REQUIRED_CHANNEL_2", Same)], Text, "",
        "One more of them.";
    CHAT_REFERRALS: chat.referrals, &[("ENABLE_REFERRALS", Same)], Bool, "true",
        "Users may bring others by a link of their own.";
    CHAT_REFERRAL_DAYS: chat.referral_days, &[], Whole(0, 365), "1",
        "VIP days for each newcomer who completes his profile.";
    CHAT_REFERRAL_PERCENT: chat.referral_percent, &[], Whole(0, 100), "10",
        "How much of each Stars payment of such a newcomer is counted for who brought him. Paying it out is yours.";
    CHAT_REFERRAL_CAP: chat.referrals_per_day, &[], Whole(0, 10_000), "20",
        "Newcomers of one user that are counted in a day.";
    CHAT_ADMIN_CHAT: chat.admin_chat, &[("ADMIN_CONTROL_CHAT_ID", Same)], Text, "",
        "The number of a group where reports go, with what was said last. Every bot must be a member.";
    CHAT_ALERTS: chat.admin_alerts, &[("ENABLE_ADMIN_ALERTS", Same)], Bool, "true",
        "Tell `admin_chat` also what nobody reported: who was shut out, payments that gave nothing, newcomers that were not counted, channels that cannot be looked into.";
    CHAT_CARD: chat.card_number, &[("PAYMENT_CARD_NUMBER", Same)], Text, "",
        "A bank card that is named in `/vip` and `/paysupport`. What was paid to it an administrator gives by `/give`.";
    CHAT_PAYEE: chat.card_payee, &[("PAYMENT_PAYEE_NAME", Same)], Text, "",
        "Whose card it is.";
    CHAT_MEDIA: chat.media_channel, &[("ADMIN_MEDIA_CHANNEL_ID", Same)], Text, "",
        "The number of a channel where pictures, films, voice messages and files of chats are copied to. `/privacy` says so. Every bot must be allowed to write there.";
    CHAT_ADMIN_LANGUAGE: chat.admin_language, &[], OneOf(&["ar", "en", "fa"]), "en",
        "In what language administrators are told things.";
    CHAT_TEXTS_DIR: chat.texts_dir, &[], Path, "",
        "`ar.txt`, `en.txt` and `fa.txt` here replace the built-in texts.";
    LOG_LEVEL: log.level, &[("LOG_LEVEL", Same)], OneOf(&["error", "warn", "info", "debug"]), "info",
        "The least that is written.";
    LOG_FORMAT: log.format, &[], OneOf(&["text", "json"]), "text",
        "How lines look.";
    LOG_UPDATES: log.updates_per_second, &[], Whole(0, 100000), "50",
        "Lines about single updates, a second; the rest is counted.";
    LOG_DIR: log.dir, &[], Path, "",
        "Files beside stderr: `combined.log`, `error.log`, and `admin`, `payments`, `vip`, `locks`, `performance` with their subject's lines.";
    LOG_FILE_KB: log.file_kb, &[], Whole(16, 16_777_216), "65536",
        "Size of such a file in KiB; a full one is put aside as `NAME.1`.";
    LOG_FILES_KEPT: log.files_kept, &[], Whole(0, 1000), "5",
        "How many files are kept aside, of each.";
    LOG_SLOW_MS: log.slow_ms, &[], Whole(1, 3_600_000), "1000",
        "An update whose 200 or whose answer takes longer is logged with the time of each stage.";
    ADMIN_TOKEN: admin.bot_token, &[("ADMIN_BOT_TOKEN", Same)], Secret, "",
        "The bot that takes `/admin_login` and sends alerts. Default: the first bot.";
    ADMIN_IDS: admin.user_ids, &[("ADMIN_TELEGRAM_IDS", Same), ("ADMIN_USER_IDS", Same)], List, "",
        "Users who may administer.";
    ADMIN_ON_MAIN: admin.on_main, &[], Bool, "false",
        "For platforms with one port: the operator's pages on the webhook listener, under `/admin/` (`/admin/metrics`, `/admin/stats`), for who shows `admin.password`; `server.admin_listen` is not opened.";
    ADMIN_PASSWORD: admin.password, &[], Secret, "",
        "Opens the pages of `admin.on_main`: the password of any user name, or a bearer token. 16 characters or more.";
    POSTGRES_URI: sources.postgres_uri, &[("POSTGRES_URI", Same)], Secret, "",
        "A PostgreSQL database: for records, and of a `results` bot for `nobat results import`.";
    SQLITE_PATH: sources.sqlite_path, &[("SQLITE_DB_PATH", Same)], Path, "",
        "An SQLite file: for records, and of a `results` bot for `nobat results import`.";
    SUPABASE_URL: sources.supabase_url, &[("SUPABASE_URL", Same)], Url, "",
        "For `nobat results import --supabase`: the project's address.";
    SUPABASE_KEY: sources.supabase_key, &[("SUPABASE_KEY", Same)], Secret, "",
        "For `nobat results import --supabase`: its key.";
    USERS_DIR: sources.users_dir, &[("USERS_DIR", Same)], Path, "",
        "Where an earlier bot kept its users.";
}

/// What becomes of a name that is no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The tokens of the lanes.
    Tokens,
    /// Not needed at all, and why.
    Unneeded(&'static str),
}

/// Names that are no key of their own. `BOT_TOKEN_1` and on are known as well.
pub const OTHER_NAMES: &[(&str, Standing)] = &[
    ("BOT_TOKEN_MAIN", Standing::Tokens),
    ("BOT_TOKENS", Standing::Tokens),
    ("BOT_TOKEN", Standing::Tokens),
    ("REDIS_URL", Standing::Unneeded("Nobat keeps its state itself")),
    ("CACHE_TTL_SECONDS", Standing::Unneeded("results are looked up in memory, there is no cache to expire")),
    ("CLEANUP_INTERVAL_SECONDS", Standing::Unneeded("memory is bounded without a sweep")),
];
