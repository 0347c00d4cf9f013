//! The finished configuration, as the other rooms see it.

use super::backup::BackupConfig;
use super::bots::{Kind, LaneConfig, Mode};
use super::chat::ChatConfig;
use super::names::NameReport;
use super::problem::Origin;
use super::records::RecordsConfig;
use super::sealed::VaultPlace;
use crate::address::BaseUrl;
use crate::network::Network;
use crate::observe::Secret;
use crate::observe::files::FilesConfig;
use crate::observe::log::{Format, Level};
use nobat_core::id::UserId;
use nobat_core::time::UnixMillis;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Everything the process was told. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the bot does.
    pub kind: Kind,
    /// How the tokens face the users.
    pub mode: Mode,
    /// The tokens, the main bot first. Never empty, no bot twice.
    pub lanes: Vec<LaneConfig>,
    /// Did they come as `BOT_TOKENS`, a list of equals? Then every bot must hear its updates.
    pub token_list: bool,
    /// Where webhooks arrive.
    pub listen: SocketAddr,
    /// Whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<Network>,
    /// Is it listened on? With long polling only if an address was given: a platform may look at `/health`.
    pub listens: bool,
    /// Where the operator looks.
    pub admin_listen: SocketAddr,
    /// The journal's and the data sets' place.
    pub data_dir: PathBuf,
    /// Threads that accept and decide.
    pub intakes: u32,
    /// `ENVIRONMENT=production`.
    pub production: bool,
    /// The Bot API server; plain http only to loopback.
    pub api_root: BaseUrl,
    /// Trusted beside the system's authorities.
    pub api_ca: Option<PathBuf>,
    /// Long polling instead of webhooks; none for webhooks.
    pub polling: Option<Polling>,
    /// How updates reach us.
    pub webhook: Webhook,
    /// The webhook listener's certificate; none for plain HTTP behind a proxy.
    pub tls: Option<TlsFiles>,
    /// How fast to send.
    pub pacing: Pacing,
    /// What is too much.
    pub limits: Limits,
    /// How the journal is kept.
    pub journal: JournalConfig,
    /// What people may read.
    pub records: RecordsConfig,
    /// Copies of everything.
    pub backup: BackupConfig,
    /// The results bot.
    pub results: ResultsConfig,
    /// The chat bot.
    pub chat: ChatConfig,
    /// What is written.
    pub log: Log,
    /// Who may administer.
    pub admin: Admin,
    /// Where imports come from.
    pub external: External,
    /// Where secrets are kept, and their keys.
    pub vault: VaultPlace,
    /// What is worth saying at start.
    pub warnings: Vec<String>,
    /// What became of each name in the environment.
    pub names: Vec<NameReport>,
    /// Each key's value as it may be shown.
    pub settings: Vec<Setting>,
}

/// Why updates are asked for instead of being sent to us.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Polling {
    /// The operator wants it: a webhook in its way is removed.
    Forced,
    /// Nothing says where webhooks may arrive. That may be an oversight, so webhooks are left alone.
    NoAddress,
}

/// How updates reach us.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The public address; with it `serve` registers by itself. Without a path of `/webhook` at its end.
    pub url: Option<BaseUrl>,
    /// What the platform sends with each update; see [`super::webhook_secret`] for when it is not set.
    pub secret: Option<Secret>,
    /// Deliveries at the same time, a bot.
    pub max_connections: u32,
    /// Whence updates may come; empty: from anywhere.
    pub allow_from: Vec<Network>,
    /// A certificate of our own, which the platform must be given; none if it trusts ours as everybody's.
    pub certificate: Option<PathBuf>,
}

impl Config {
    /// The path at which a lane's updates arrive: `/webhook` for the first, `/webhook/<bot id>` for others.
    #[must_use]
    pub fn webhook_path(&self, lane: usize) -> String {
        match self.lanes.get(lane) {
            Some(config) if lane > 0 => format!("/webhook/{}", config.bot_id),
            _ => "/webhook".to_owned(),
        }
    }

    /// Must this lane's bot hear its updates? In single-interface mode with `reach = try` the first alone.
    #[must_use]
    pub fn must_hear(&self, lane: usize) -> bool {
        let all = self.mode == Mode::MultiBot
            || self.token_list
            || self.results.handoff
            || self.pacing.reach == Reach::Known;
        lane < self.lanes.len() && (lane == 0 || all)
    }
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, PEM.
    pub cert: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// Which lanes may write to a user.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reach {
    /// The home lane is tried once, a refusal is remembered.
    Try,
    /// Only lanes whose bot he has started.
    Known,
    /// All, without asking.
    All,
}

/// How fast to send. Rates are per lane and second.
#[derive(Clone, Debug)]
pub struct Pacing {
    /// Over all classes.
    pub per_lane_rate: u32,
    /// Ceiling of replies.
    pub reply_rate: u32,
    /// Ceiling of relayed messages.
    pub relay_rate: u32,
    /// Ceiling of bulk.
    pub bulk_rate: u32,
    /// Learn the ceiling of replies.
    pub adaptive: bool,
    /// Messages to a private chat at once; beyond, one a second.
    pub chat_burst: u32,
    /// Messages to a group a minute.
    pub group_per_minute: u32,
    /// Which lanes may write to a user.
    pub reach: Reach,
    /// Sends unanswered at the same time.
    pub in_flight: u32,
    /// How long a send waits for its answer.
    pub timeout: Duration,
    /// How often a send is tried that fails for no reason of its own.
    pub attempts: u32,
}

/// How the journal is kept.
#[derive(Clone, Copy, Debug)]
pub struct JournalConfig {
    /// Bytes of a segment.
    pub segment_bytes: u64,
    /// Bytes of sealed segments behind the last snapshot that make the next one due.
    pub snapshot_every: u64,
    /// Files of cut tails that are kept.
    pub cut_files_kept: usize,
}

/// What is too much.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Inputs of one user.
    pub requests_per_minute: u32,
    /// Open connections of the webhook listener.
    pub connections: usize,
    /// Bytes of an update's body.
    pub body_bytes: usize,
    /// Answers that wait to be sent.
    pub pending: usize,
    /// A connection without a request.
    pub idle: Duration,
    /// Connections of one address; 0 for no limit.
    pub per_address: usize,
    /// A TLS handshake.
    pub handshake: Duration,
    /// A request's head.
    pub head: Duration,
    /// A request's body.
    pub body: Duration,
    /// A peer that takes its answer.
    pub write: Duration,
}

/// The results bot.
#[derive(Clone, Debug)]
pub struct ResultsConfig {
    /// When results may be shown; none: as soon as a data set is there.
    pub release: Option<UnixMillis>,
    /// The data set's file; there may be none at it yet.
    pub dataset: Option<PathBuf>,
    /// Texts that replace the built-in ones.
    pub texts_dir: Option<PathBuf>,
    /// Who waits longer is told.
    pub wait_notice_after: Duration,
    /// Look-ups that find nothing, a user.
    pub misses_per_hour: u32,
    /// Offer deep links to the home lanes' bots.
    pub handoff: bool,
}

/// What is written.
#[derive(Clone, Debug)]
pub struct Log {
    /// The least level.
    pub level: Level,
    /// How lines look.
    pub format: Format,
    /// Lines about single updates.
    pub updates_per_second: u32,
    /// Files beside stderr.
    pub files: Option<FilesConfig>,
    /// What takes longer is logged.
    pub slow: Duration,
}

/// Who may administer.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The bot that takes `/admin_login`; the first lane's if none.
    pub bot_token: Option<Secret>,
    /// Who.
    pub user_ids: Vec<UserId>,
    /// The operator's pages are on the listener of webhooks, under `/admin/`, for who shows this password; a listener
    /// of their own is not opened.
    pub on_main: Option<Secret>,
}

/// Where imports come from.
#[derive(Clone, Debug)]
pub struct External {
    /// PostgreSQL.
    pub postgres_uri: Option<Secret>,
    /// SQLite.
    pub sqlite_path: Option<PathBuf>,
    /// Supabase.
    pub supabase_url: Option<BaseUrl>,
    /// Supabase's key.
    pub supabase_key: Option<Secret>,
    /// An earlier bot's users.
    pub users_dir: Option<PathBuf>,
}

/// Where things are kept and come from.
#[derive(Clone, Debug)]
pub struct Store {
    /// The journal's place.
    pub data_dir: PathBuf,
    /// The data set's file.
    pub dataset: PathBuf,
    /// Where imports come from.
    pub external: External,
}

/// A key's value, as it may be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// `section.name`
    pub key: String,
    /// Masked if it is a secret; empty for none.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}
