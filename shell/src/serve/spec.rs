//! From configuration to parts: what each room is built with.
//!
//! What lives here: pure translations of [`Config`] into the settings of the other rooms, so that none of
//! them knows the configuration file.

use super::{ServeError, chat, results};
use crate::channel::telegram::RequestHead;
use crate::channel::telegram::setup::allowed_updates;
use crate::config::{Config, Kind as BotKind, Polling, Reach};
use crate::outbound::client::{ClientConfig, Origin};
use crate::outbound::{KindSpec, LaneSpec, Spec};
use crate::polling;
use crate::reactor::ReactorConfig;
use crate::tls;
use crate::updates::Bot;
use crate::webhook::routes::Routes;
use nobat_bots::results::ResultsBot;
use nobat_bots::results::Shelf;
use nobat_core::bucket::Rate as SendRate;
use nobat_core::engine::Kind;
use nobat_core::gate::rate::Rate;
use nobat_core::id::{KindIx, LaneIx};
use nobat_core::limits::LANES_MAX;
use nobat_core::pacer::{Adaptive, PacerConfig, ReachMode};
use nobat_core::time::UnixMillis;
use std::sync::Arc;
use std::time::Duration;

pub(super) fn engine_kind(config: &Config, shelf: Arc<Shelf>) -> Result<Kind, ServeError> {
    let lanes = lanes(config);
    let rate = Rate::new(config.limits.requests_per_minute, Duration::from_secs(60));
    match config.kind {
        BotKind::Results => Ok(Kind::new(ResultsBot::new(results::settings(config)?, shelf), lanes, rate)),
        BotKind::Chat => chat::kind(config, lanes),
        other => Err(ServeError::Config(format!("kind `{}` is not served by this version", other.name()))),
    }
}

/// The same for serving.
pub(super) fn serving_kind(config: &Config, shelf: Arc<Shelf>) -> Result<Kind, ServeError> {
    match config.kind {
        BotKind::Chat => chat::serving(config, lanes(config)),
        _ => engine_kind(config, shelf),
    }
}

/// How many; where no tokens are known, as many as there can have been.
fn lanes(config: &Config) -> u16 {
    let lanes = if config.lanes.is_empty() { LANES_MAX } else { config.lanes.len() };
    u16::try_from(lanes).unwrap_or(u16::MAX)
}

/// Lanes that share the users by home; 0 where the bot that was written to answers.
pub(super) fn homes(config: &Config) -> u16 {
    if config.kind == BotKind::Chat { 0 } else { lanes(config) }
}

/// `restarted`: an earlier process may have sent something a moment ago.
pub(super) fn outbound(config: &Config, seed: u64, restarted: bool) -> Result<Spec, ServeError> {
    let (origin, tls) = platform(config)?;
    let lanes = config
        .lanes
        .iter()
        .map(|lane| LaneSpec {
            head: RequestHead::new(origin.authority(), origin.prefix(), &lane.token),
            bot: lane.bot_id,
        })
        .collect();
    let pacer = PacerConfig { spent: restarted, ..pacer(config) };
    let client = ClientConfig {
        per_pool_max: pacer.in_flight as usize + 8,
        answer: config.pacing.timeout,
        ..ClientConfig::default()
    };
    Ok(Spec { kinds: vec![KindSpec { kind: KindIx(0), pacer, lanes }], origin, tls, client, seed })
}

fn pacer(config: &Config) -> PacerConfig {
    let p = &config.pacing;
    let ceiling = |rate: u32| (rate < p.per_lane_rate).then_some(rate);
    PacerConfig {
        slots: p.per_lane_rate,
        ceilings: [None, ceiling(p.reply_rate), ceiling(p.relay_rate), ceiling(p.bulk_rate)],
        in_flight: p.in_flight,
        chat: SendRate::per_second(1, p.chat_burst),
        group_slots: p.group_per_minute,
        attempts: u8::try_from(p.attempts).unwrap_or(u8::MAX),
        adaptive: p.adaptive.then(Adaptive::default),
        reach: match p.reach {
            Reach::Try => ReachMode::Try,
            Reach::Known => ReachMode::Known,
            Reach::All => ReachMode::All,
        },
        ..PacerConfig::default()
    }
}

/// What users will see of the lanes, said at start: nobody shall wonder who answers him.
pub(super) fn reach_in_words(config: &Config) -> &'static str {
    match (config.lanes.len(), config.pacing.reach) {
        (2.., _) if config.kind == BotKind::Chat => "a user is answered by the bot he wrote to",
        (1, _) => "one bot answers everybody",
        (_, Reach::Try) => {
            "a user's home bot is tried once: who has started it is answered there, in its own chat; \
             everybody else by the bot he wrote to"
        }
        (_, Reach::Known) => {
            "a user is answered by his home bot if he has started it, else by the bot he wrote to"
        }
        (_, Reach::All) => {
            "a user is answered by his home bot, in its own chat: all bots must be started by all users"
        }
    }
}

/// The bots, lane by lane.
pub(super) fn bots(config: &Config) -> Vec<Bot> {
    let bots = (0..).zip(&config.lanes);
    bots.map(|(n, lane)| Bot { kind: KindIx(0), lane: LaneIx(n), id: lane.bot_id }).collect()
}

/// With long polling no path is a webhook: one that is still registered must not be answered 200 beside it.
pub(super) fn routes(config: &Config) -> Routes {
    Routes::new(if config.polling.is_none() { bots(config) } else { Vec::new() })
}

pub(super) fn polling(config: &Config, why: Polling) -> Result<polling::Spec, ServeError> {
    let (origin, tls) = platform(config)?;
    let heard = |bot: &Bot| config.must_hear(bot.lane.index());
    let bots = bots(config).into_iter().filter(heard).map(|bot| {
        (bot, RequestHead::new(origin.authority(), origin.prefix(), &config.lanes[bot.lane.index()].token))
    });
    let (bots, clear_webhooks) = (bots.collect(), why == Polling::Forced);
    Ok(polling::Spec { bots, allowed: allowed_updates(config.kind), origin, tls, clear_webhooks })
}

/// Where the platform is, and what is trusted there.
fn platform(config: &Config) -> Result<(Origin, Option<Arc<rustls::ClientConfig>>), ServeError> {
    let root = &config.api_root;
    let origin = Origin::new(root.clone()).map_err(|e| ServeError::Config(format!("{root}: {e}")))?;
    let tls = if origin.is_tls() {
        Some(tls::client_config(config.api_ca.as_deref()).map_err(config_error)?)
    } else {
        None
    };
    Ok((origin, tls))
}

pub(super) fn reactor(config: &Config) -> ReactorConfig {
    ReactorConfig {
        connections_max: config.limits.connections / config.intakes.max(1) as usize,
        body_bytes_max: config.limits.body_bytes,
        idle: config.limits.idle,
        handshake: config.limits.handshake,
        head_time: config.limits.head,
        body_time: config.limits.body,
        write: config.limits.write,
        per_address_max: config.limits.per_address,
        uncounted: [&config.trusted_proxies[..], &config.webhook.allow_from].concat(),
        ..ReactorConfig::default()
    }
}

pub(super) fn server_tls(
    config: &Config,
    now: UnixMillis,
) -> Result<Option<tls::CertificateFiles>, ServeError> {
    let Some(files) = &config.tls else { return Ok(None) };
    tls::CertificateFiles::open(&files.cert, &files.key, now).map(Some).map_err(config_error)
}

fn config_error(e: impl std::fmt::Display) -> ServeError {
    ServeError::Config(e.to_string())
}
