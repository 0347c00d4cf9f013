//! Configuration: defaults < TOML < environment < flags; every value knows its origin.
//!
//! What lives here: [`load`], which reads all layers and gives a [`Config`] or every [`Problem`] at once.
//! The command line calls it; all other rooms see the finished `Config` or parts of it. Nothing here opens
//! a socket or a data set: that a value can be used is found out by `nobat doctor`.

pub mod added;
mod address;
mod admin;
mod backup;
mod bots;
mod chat;
pub mod doc;
mod dotenv;
pub mod keys;
mod names;
mod nearest;
mod problem;
mod records;
mod sealed;
mod secret_file;
mod sources;
mod types;
mod values;

pub use crate::address::BaseUrl;
pub use crate::observe::Secret;
pub use backup::BackupConfig;
pub use bots::{Kind, LaneConfig, Mode};
pub use chat::ChatConfig;
pub use names::{NameReport, NameUse};
pub use problem::{Origin, Problem, Problems};
pub use records::{RecordsConfig, RecordsStore};
pub use sealed::VaultPlace;
pub use secret_file::webhook_secret;
pub use sources::{Flag, Inputs};
pub use types::{
    Admin, Config, External, JournalConfig, Limits, Log, Pacing, Polling, Reach, ResultsConfig, Setting,
    Store, TlsFiles, Webhook,
};

use crate::observe::files::FilesConfig;
use crate::tls::OwnPair;
use keys::KEYS;
use sources::{Sources, shown};
use std::path::PathBuf;
use std::time::Duration;
use values::Values;

/// The data set's file in the data directory, unless `results.dataset` names another.
const DATASET_FILE: &str = "results.nobat";

/// Reads all layers.
///
/// # Errors
/// Everything that is wrong, in the order of the layers and keys.
pub fn load(inputs: &Inputs) -> Result<Config, Problems> {
    let mut problems = Problems::default();
    let mut sources = Sources::read(inputs, &mut problems);
    sealed::open(&mut sources, &mut problems);
    let bots = bots::bots(&sources, &mut problems);
    let mut config = build(&sources, bots, problems)?;
    let added = added::read(&config.vault, &config.lanes).map_err(|(path, what)| {
        let mut problems = Problems::default();
        let remedy = "mend or remove the line; `nobat ctl add-token` writes this file";
        problems.add(&Origin::Default, path.display().to_string(), what, remedy);
        problems
    })?;
    config.lanes.extend(added);
    let own = OwnPair::within(&config.data_dir);
    if config.tls.is_none() && own.exists() {
        config.webhook.certificate = Some(own.cert.clone());
        config.tls = Some(TlsFiles { cert: own.cert, key: own.key });
    }
    Ok(config)
}

/// [`load`] of these texts as `nobat.toml` and `.env`, without a file or an environment. Pure: any texts give
/// a configuration or problems.
///
/// # Errors
/// As [`load`].
pub fn load_texts(toml: &str, dotenv: &str) -> Result<Config, Problems> {
    let mut problems = Problems::default();
    let sources = Sources::of_texts(toml, dotenv, &mut problems);
    let bots = bots::bots(&sources, &mut problems);
    build(&sources, bots, problems)
}

/// [`load`] for commands that read the data directory and talk to nobody: on another machine the tokens may not be
/// there, or not their key. They are opened for nobody; the lanes are those that stand there as they are.
///
/// # Errors
/// As [`load`]; that there is no token is none.
pub fn load_without_tokens(inputs: &Inputs) -> Result<Config, Problems> {
    let mut problems = Problems::default();
    let mut sources = Sources::read(inputs, &mut problems);
    let bots = bots::without_tokens(&mut sources, &mut problems);
    sealed::open(&mut sources, &mut problems);
    build(&sources, bots, problems)
}

fn build(sources: &Sources, bots: Option<bots::Bots>, problems: Problems) -> Result<Config, Problems> {
    let names = names::report(sources, bots.as_ref().map(|bots| bots.kind));
    let mut values = Values { sources, problems };
    let built = assemble(&mut values, bots);
    let settings = settings(&values);
    let mut problems = values.problems;
    let Some(mut config) = built else { return Err(problems) };
    judge(&mut config, sources, &mut problems);
    if !problems.0.is_empty() {
        return Err(problems);
    }
    config.names = names;
    config.settings = settings;
    Ok(config)
}

/// Where secrets are kept, and their keys; nothing is opened.
///
/// # Errors
/// What is wrong with these values; others are not judged.
pub fn vault_place(inputs: &Inputs) -> Result<VaultPlace, Problems> {
    let mut problems = Problems::default();
    let sources = Sources::read(inputs, &mut problems);
    let mut values = Values { sources: &sources, problems };
    let place = VaultPlace::of(&mut values);
    if values.problems.0.is_empty() { Ok(place) } else { Err(values.problems) }
}

/// Where the journal and the data set are: for commands that need no token. Sources of imports are as they were
/// written; see [`sources_of_imports`].
///
/// # Errors
/// What is wrong with these values; others are not judged.
pub fn store(inputs: &Inputs) -> Result<Store, Problems> {
    let mut problems = Problems::default();
    let sources = Sources::read(inputs, &mut problems);
    stored(&sources, problems)
}

/// As [`store`], with what is sealed among the sources of imports opened.
///
/// # Errors
/// As [`store`], and what cannot be opened.
pub fn sources_of_imports(inputs: &Inputs) -> Result<Store, Problems> {
    let mut problems = Problems::default();
    let mut sources = Sources::read(inputs, &mut problems);
    sealed::open(&mut sources, &mut problems);
    stored(&sources, problems)
}

fn stored(sources: &Sources, problems: Problems) -> Result<Store, Problems> {
    let mut values = Values { sources, problems };
    let data_dir = values.path(keys::DATA_DIR).unwrap_or_default();
    let dataset = values.path(keys::DATASET).unwrap_or_else(|| data_dir.join(DATASET_FILE));
    let external = external(&mut values);
    if values.problems.0.is_empty() {
        Ok(Store { data_dir, dataset, external })
    } else {
        Err(values.problems)
    }
}

/// Where the journal is, as far as it can be told: for who talks to a running process, which must be possible while
/// the configuration is broken.
#[must_use]
pub fn data_dir(inputs: &Inputs) -> PathBuf {
    let mut problems = Problems::default();
    let sources = Sources::read(inputs, &mut problems);
    Values { sources: &sources, problems }.path(keys::DATA_DIR).unwrap_or_default()
}

/// Reads every value, so that every bad one is found, and puts them together.
fn assemble(values: &mut Values<'_>, bots: Option<bots::Bots>) -> Option<Config> {
    // Judged with the lanes, but a word that is none is found here.
    let _ = (values.one_of(keys::KIND), values.one_of(keys::MODE));
    let listen = values.socket(keys::LISTEN);
    let admin_listen = values.socket(keys::ADMIN_LISTEN);
    let api_root = values.url(keys::API_ROOT);
    let api_ca = values.path(keys::API_CA);
    let polling = if values.flag(keys::POLLING) {
        Some(Polling::Forced)
    } else if values.is_given(keys::LISTEN) || values.is_given(keys::WEBHOOK_URL) {
        None
    } else {
        Some(Polling::NoAddress)
    };
    let listens = polling.is_none() || values.is_given(keys::LISTEN);
    let tls = tls(values);
    let webhook = webhook(values);
    let pacing = pacing(values);
    let limits = limits(values);
    let journal = journal(values);
    let backup = backup::backup(values);
    let results = results(values);
    let chat = chat::chat(values);
    let log = log(values);
    let admin = admin::admin(values);
    let external = external(values);
    let vault = VaultPlace::of(values);
    let intakes = values.small(keys::INTAKES);
    let trusted_proxies = values.networks(keys::TRUSTED_PROXIES);
    let data_dir = values.path(keys::DATA_DIR)?;
    let production =
        values.text(keys::ENVIRONMENT).is_some_and(|text| text.eq_ignore_ascii_case("production"));
    let bots = bots?;
    let records = records::records(values, bots.kind, &data_dir, &external);
    let reach = values.one_of(keys::REACH);
    let single = bots.mode == Mode::SingleInterface;
    Some(Config {
        kind: bots.kind,
        mode: bots.mode,
        lanes: bots.lanes,
        token_list: bots.list,
        listen,
        listens,
        trusted_proxies,
        admin_listen,
        data_dir: data_dir.clone(),
        intakes,
        production,
        api_root: api_root?,
        api_ca,
        polling,
        webhook,
        tls,
        pacing: Pacing {
            reach: match reach {
                Some(0) => Reach::Try,
                Some(1) => Reach::Known,
                Some(_) => Reach::All,
                None if single => Reach::Try,
                None => Reach::Known,
            },
            ..pacing
        },
        limits,
        journal,
        records,
        backup,
        results: ResultsConfig {
            dataset: results.dataset.or_else(|| Some(data_dir.join(DATASET_FILE))),
            ..results
        },
        chat,
        log,
        admin,
        external,
        vault,
        warnings: Vec::new(),
        names: Vec::new(),
        settings: Vec::new(),
    })
}

fn external(values: &mut Values<'_>) -> External {
    External {
        postgres_uri: values.text(keys::POSTGRES_URI).map(Secret::new),
        sqlite_path: values.path(keys::SQLITE_PATH),
        supabase_url: values.url(keys::SUPABASE_URL),
        supabase_key: values.text(keys::SUPABASE_KEY).map(Secret::new),
        users_dir: values.path(keys::USERS_DIR),
    }
}

fn tls(values: &mut Values<'_>) -> Option<TlsFiles> {
    match (values.path(keys::TLS_CERT), values.path(keys::TLS_KEY)) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
        (None, None) => None,
        (cert, _) => {
            let (has, lacks) = if cert.is_some() { (keys::TLS_CERT, "key") } else { (keys::TLS_KEY, "cert") };
            let what = format!("is set, but tls.{lacks} is not");
            let origin = values.origin(has);
            values.problems.add(
                &origin,
                has.key().dotted(),
                what,
                "set both, or neither for a proxy in front",
            );
            None
        }
    }
}

fn webhook(values: &mut Values<'_>) -> Webhook {
    let secret = values.text(keys::WEBHOOK_SECRET);
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if let Some(secret) = &secret
        && !((1..=256).contains(&secret.len()) && secret.bytes().all(word))
    {
        let what = "has a character that is not allowed, or more than 256";
        let origin = values.origin(keys::WEBHOOK_SECRET);
        let remedy = "use 32 or more of A-Z a-z 0-9 _ -, or leave it away: one is made then";
        values.problems.add(&origin, keys::WEBHOOK_SECRET.key().dotted(), what, remedy);
    }
    let mut url = values.url(keys::WEBHOOK_URL);
    if let Some(url) = &mut url
        && let Some(prefix) = url.path_prefix.strip_suffix("/webhook")
    {
        // Many write the whole endpoint.
        url.path_prefix = prefix.to_owned();
    }
    Webhook {
        url,
        secret: secret.map(Secret::new),
        max_connections: values.small(keys::WEBHOOK_CONNECTIONS),
        allow_from: values.networks(keys::WEBHOOK_ALLOW),
        certificate: None,
    }
}

fn pacing(values: &mut Values<'_>) -> Pacing {
    let per_lane_rate = values.small(keys::PER_LANE_RATE);
    let mut ceiling = |id| match values.small(id) {
        0 => per_lane_rate,
        rate => rate,
    };
    let (reply_rate, relay_rate, bulk_rate) =
        (ceiling(keys::REPLY_RATE), ceiling(keys::RELAY_RATE), ceiling(keys::BULK_RATE));
    Pacing {
        per_lane_rate,
        reply_rate,
        relay_rate,
        bulk_rate,
        adaptive: values.flag(keys::ADAPTIVE),
        chat_burst: values.small(keys::CHAT_BURST),
        group_per_minute: values.small(keys::GROUP_PER_MINUTE),
        reach: Reach::Try,
        in_flight: values.small(keys::IN_FLIGHT),
        timeout: values.seconds(keys::TIMEOUT),
        attempts: values.small(keys::ATTEMPTS),
    }
}

fn limits(values: &mut Values<'_>) -> Limits {
    Limits {
        requests_per_minute: values.small(keys::REQUESTS_PER_MINUTE),
        connections: values.whole(keys::CONNECTIONS) as usize,
        body_bytes: values.whole(keys::BODY_BYTES) as usize,
        pending: values.whole(keys::PENDING) as usize,
        idle: values.seconds(keys::IDLE),
        per_address: values.whole(keys::PER_ADDRESS) as usize,
        handshake: values.seconds(keys::HANDSHAKE_TIME),
        head: values.seconds(keys::HEAD_TIME),
        body: values.seconds(keys::BODY_TIME),
        write: values.seconds(keys::WRITE_TIME),
    }
}

fn journal(values: &mut Values<'_>) -> JournalConfig {
    JournalConfig {
        segment_bytes: values.whole(keys::SEGMENT_KB) << 10,
        snapshot_every: values.whole(keys::SNAPSHOT_EVERY_KB) << 10,
        cut_files_kept: values.whole(keys::CUT_FILES) as usize,
    }
}

fn results(values: &mut Values<'_>) -> ResultsConfig {
    ResultsConfig {
        release: values.time(keys::RELEASE),
        dataset: values.path(keys::DATASET),
        texts_dir: values.path(keys::TEXTS_DIR),
        wait_notice_after: values.seconds(keys::WAIT_NOTICE),
        misses_per_hour: values.small(keys::MISSES),
        handoff: values.flag(keys::HANDOFF),
    }
}

fn log(values: &mut Values<'_>) -> Log {
    use crate::observe::log::{Format, Level};
    let levels = [Level::Error, Level::Warn, Level::Info, Level::Debug];
    Log {
        level: values.one_of(keys::LOG_LEVEL).map_or(Level::Info, |at| levels[at]),
        format: if values.one_of(keys::LOG_FORMAT) == Some(1) { Format::Json } else { Format::Text },
        updates_per_second: values.small(keys::LOG_UPDATES),
        files: values.path(keys::LOG_DIR).map(|dir| FilesConfig {
            dir,
            bytes_max: values.whole(keys::LOG_FILE_KB) << 10,
            kept: values.small(keys::LOG_FILES_KEPT),
        }),
        slow: Duration::from_millis(values.whole(keys::LOG_SLOW_MS)),
    }
}

/// What must hold between values.
fn judge(config: &mut Config, sources: &Sources, problems: &mut Problems) {
    let origin = |id: keys::KeyId| sources.origin(id);
    if !config.api_root.tls && !config.api_root.is_loopback() {
        let what = format!("`{}` is plain http, and every request carries a token", config.api_root);
        let remedy = "use https; plain http is allowed to 127.0.0.1, ::1 and localhost";
        problems.add(&origin(keys::API_ROOT), keys::API_ROOT.key().dotted(), what, remedy);
    }
    let real = config.api_root.host == "api.telegram.org";
    if let Some(url) = &config.webhook.url {
        let at = origin(keys::WEBHOOK_URL);
        let key = keys::WEBHOOK_URL.key().dotted();
        if !url.tls && (real || !url.is_loopback()) {
            problems.add(&at, key, format!("`{url}` is plain http"), "the platform delivers to https only");
        } else if real && ![443, 80, 88, 8443].contains(&url.port) {
            let what = format!("the platform does not deliver to port {}", url.port);
            problems.add(&at, key, what, "use 443, 80, 88 or 8443");
        }
    }
    if config.results.handoff && config.polling.is_none() && config.webhook.url.is_none() {
        let what = "each student is sent to his lane's bot, and these bots cannot hear him: nothing says where \
                    their updates are to arrive";
        let remedy = "set webhook.url (WEBHOOK_URL), so that all bots are registered, or FORCE_POLLING=true, or \
                      turn handoff off";
        problems.add(&origin(keys::HANDOFF), keys::HANDOFF.key().dotted(), what, remedy);
    }
    if config.results.handoff && config.lanes.len() == 1 {
        config.warnings.push("results.handoff: with one bot there is no other to hand over to".to_owned());
    }
    admin::judge(config, sources, problems);
    sealed::judge(config, sources, problems);
    config.warnings.extend(config.records.remark(config.kind, &config.external));
    if let Some(path) = &sources.readable_dotenv {
        if config.production {
            let what = "others on this machine can read it, and it holds tokens";
            problems.add(&Origin::Default, path.clone(), what, format!("run: chmod 600 {path}"));
        } else {
            config.warnings.push(format!("{path} can be read by others on this machine: chmod 600 {path}"));
        }
    }
    if real {
        let short = |lane: &&LaneConfig| lane.token.expose().split(':').nth(1).is_some_and(|s| s.len() != 35);
        for lane in config.lanes.iter().filter(short) {
            config
                .warnings
                .push(format!("{}: tokens of the platform have 35 characters behind the colon", lane.token));
        }
    }
}

/// Each key's value as it may be shown, with its origin.
fn settings(values: &Values<'_>) -> Vec<Setting> {
    let setting = |(index, key): (usize, &keys::Key)| {
        let given = values.sources.given[index].as_ref();
        let value = match given {
            Some(given) => {
                given.items.iter().map(|item| shown(key, &item.text)).collect::<Vec<_>>().join(",")
            }
            None => key.default.to_owned(),
        };
        Setting {
            key: key.dotted(),
            value,
            origin: given.map_or(Origin::Default, |given| given.origin.clone()),
        }
    };
    KEYS.iter().enumerate().map(setting).collect()
}
