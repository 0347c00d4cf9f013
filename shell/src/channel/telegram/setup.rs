//! Webhooks as they should be: what is wanted of each bot, registered, verified, shown, removed.
//!
//! What lives here: [`Plan`], made from the configuration, and what can be done with it. The commands
//! `nobat webhook ...` print the lines; `serve` uses the same at start. Nothing here opens a connection: that
//! is the [`Api`]'s.

use super::api::{Api, ApiError, BotInfo, Upload, WebhookInfo, call, get_me, upload, webhook_info};
use super::encode::Params;
use crate::config::{BaseUrl, Config, Kind};
use crate::observe::{Secret, scrub};
use std::fmt;
use std::path::PathBuf;

/// The kinds of updates that are asked for, sorted: what `What` can tell apart and the bot kind understands. Of
/// these the platform sends `chat_member` and `message_reaction` to who asks for them by name alone.
#[must_use]
pub const fn allowed_updates(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Chat => &[
            "callback_query",
            "chat_member",
            "edited_message",
            "message",
            "message_reaction",
            "my_chat_member",
            "pre_checkout_query",
        ],
        _ => &["callback_query", "message", "my_chat_member", "pre_checkout_query"],
    }
}

/// What is wanted of one bot.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its place among the tokens.
    pub lane: usize,
    /// Its token.
    pub token: Secret,
    /// Where its updates are to arrive; none if it need not hear any.
    pub url: Option<String>,
}

/// What is wanted of all bots.
#[derive(Clone, Debug)]
pub struct Plan {
    /// One a lane.
    pub bots: Vec<Wanted>,
    allowed: &'static [&'static str],
    max_connections: u32,
    /// Of our own, which the platform must be given.
    certificate: Option<PathBuf>,
}

/// What became of one bot, as a line for the operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its place among the tokens.
    pub lane: usize,
    /// Its token, masked.
    pub token: String,
    /// Its name, if it is known.
    pub name: String,
    /// Is all as wanted?
    pub good: bool,
    /// Nobody answered; then the bots behind it are not asked.
    pub unreachable: bool,
    /// What was found or done.
    pub says: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.good { "ok " } else { "BAD" };
        write!(f, "{mark} lane {:<3} {:<20} {:<24} {}", self.lane, self.token, self.name, self.says)
    }
}

impl Plan {
    /// What the configuration wants, with updates arriving under `base`.
    #[must_use]
    pub fn new(config: &Config, base: &BaseUrl) -> Self {
        let wanted = |(lane, lane_config): (usize, &crate::config::LaneConfig)| Wanted {
            lane,
            token: lane_config.token.clone(),
            url: config.must_hear(lane).then(|| format!("{base}{}", config.webhook_path(lane))),
        };
        Self {
            bots: config.lanes.iter().enumerate().map(wanted).collect(),
            allowed: allowed_updates(config.kind),
            max_connections: config.webhook.max_connections,
            certificate: config.webhook.certificate.clone(),
        }
    }

    /// Registers the webhooks that are wanted and removes the others, then verifies. One call of `tell` a
    /// bot; true if all is as wanted.
    pub fn setup(&self, api: &dyn Api, secret: &Secret, tell: &mut dyn FnMut(&Line)) -> bool {
        self.each(tell, |wanted| {
            let bot = get_me(api, &wanted.token)?;
            match &wanted.url {
                Some(url) => self.register(api, &wanted.token, url, secret)?,
                None => clear_one(api, &wanted.token)?,
            }
            let info = webhook_info(api, &wanted.token)?;
            Ok((bot, self.judge(wanted, &info, true)))
        })
    }

    fn register(&self, api: &dyn Api, token: &Secret, url: &str, secret: &Secret) -> Result<(), ApiError> {
        let Some(path) = &self.certificate else {
            let params = Params::new()
                .string("url", url)
                .string("secret_token", secret.expose())
                .number("max_connections", i64::from(self.max_connections))
                .strings("allowed_updates", self.allowed);
            return call::<bool>(api, token, "setWebhook", &params).map(drop);
        };
        let unreadable = |e| ApiError::Refused(format!("{} cannot be read: {e}", path.display()));
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let (allowed, most) =
            (format!("[\"{}\"]", self.allowed.join("\",\"")), self.max_connections.to_string());
        let params = [
            ("url", url),
            ("secret_token", secret.expose()),
            ("max_connections", &most),
            ("allowed_updates", &allowed),
        ];
        let file = Upload { field: "certificate", name: "certificate.pem", bytes: &bytes };
        upload::<bool>(api, token, "setWebhook", &params, &file).map(drop)
    }

    /// Compares what is with what is wanted, and changes nothing.
    pub fn verify(&self, api: &dyn Api, tell: &mut dyn FnMut(&Line)) -> bool {
        self.each(tell, |wanted| {
            let bot = get_me(api, &wanted.token)?;
            let info = webhook_info(api, &wanted.token)?;
            Ok((bot, self.judge(wanted, &info, false)))
        })
    }

    /// Whether every registration stands as wanted, whatever its last delivery came to: for a restart, during
    /// which deliveries fail. Changes nothing.
    pub fn stands(&self, api: &dyn Api) -> bool {
        self.each(&mut |_| {}, |wanted| {
            let bot = get_me(api, &wanted.token)?;
            let info = webhook_info(api, &wanted.token)?;
            Ok((bot, self.judge(wanted, &info, true)))
        })
    }

    fn each(
        &self,
        tell: &mut dyn FnMut(&Line),
        mut act: impl FnMut(&Wanted) -> Result<(BotInfo, Result<String, String>), ApiError>,
    ) -> bool {
        over(self.bots.iter().map(|wanted| (wanted.lane, &wanted.token, wanted)), tell, |_, wanted| {
            act(wanted).map(|(bot, judged)| (Some(bot), judged))
        })
    }

    /// Is this as wanted? `fresh` right after a registration: an old error is not held against it then.
    fn judge(&self, wanted: &Wanted, info: &WebhookInfo, fresh: bool) -> Result<String, String> {
        let Some(url) = &wanted.url else {
            return if info.url.is_empty() {
                Ok("hears nothing, as it should".to_owned())
            } else {
                Err(format!("has a webhook at {}, and should have none", shown(&info.url)))
            };
        };
        if info.url.is_empty() {
            return Err(format!("has no webhook, and should have {url}"));
        }
        if info.url != *url {
            return Err(format!("has its webhook at {}, and should have {url}", shown(&info.url)));
        }
        if self.certificate.is_some() && info.has_custom_certificate == Some(false) {
            return Err("was not given our own certificate: run `nobat webhook setup`".to_owned());
        }
        let mut allowed: Vec<_> = info.allowed_updates.iter().map(String::as_str).collect();
        allowed.sort_unstable();
        if allowed != self.allowed {
            return Err(format!(
                "is sent [{}], and should be sent [{}]",
                allowed.join(", "),
                self.allowed.join(", ")
            ));
        }
        let pending = info.pending_update_count;
        match (&info.last_error_message, pending) {
            // While updates wait, the last error is what they wait for.
            (Some(error), 1..) if !fresh => Err(format!(
                "{pending} updates wait at {url}, and the last delivery failed: {}",
                shown(error)
            )),
            _ => Ok(format!("{url}, {pending} updates wait")),
        }
    }
}

/// Tells what the platform knows of each bot, and whether it lives. True if all do.
pub fn info(api: &dyn Api, config: &Config, tell: &mut dyn FnMut(&Line)) -> bool {
    over(tokens(config), tell, |token, ()| {
        let (bot, info) = (get_me(api, token)?, webhook_info(api, token)?);
        let url = if info.url.is_empty() { "no webhook".to_owned() } else { shown(&info.url) };
        let pending = info.pending_update_count;
        let error = info.last_error_message.map_or(String::new(), |error| {
            let at = info.last_error_date.map_or(String::new(), |date| {
                let at = nobat_core::time::UnixMillis(date.saturating_mul(1000));
                format!(" at {}", crate::observe::rfc3339::format(at))
            });
            format!(", last error{at}: {}", shown(&error))
        });
        Ok((Some(bot), Ok(format!("alive, {url}, {pending} updates wait{error}"))))
    })
}

/// Removes all webhooks; the updates that wait stay with the platform. True if none is left.
pub fn clear(api: &dyn Api, config: &Config, tell: &mut dyn FnMut(&Line)) -> bool {
    over(tokens(config), tell, |token, ()| {
        clear_one(api, token)?;
        Ok((None, Ok("no webhook any more".to_owned())))
    })
}

/// The bot, if it was asked, and what is good or bad about it.
type Judged = (Option<BotInfo>, Result<String, String>);

/// Does `act` to each bot and tells of it. After one call that nobody answered the rest is not tried: each
/// would wait as long again.
fn over<'a, T>(
    bots: impl Iterator<Item = (usize, &'a Secret, T)>,
    tell: &mut dyn FnMut(&Line),
    mut act: impl FnMut(&'a Secret, T) -> Result<Judged, ApiError>,
) -> bool {
    let (mut all, mut unreachable) = (true, false);
    for (lane, token, with) in bots {
        let judged =
            if unreachable { Err(ApiError::Unreachable("not asked".to_owned())) } else { act(token, with) };
        let line = match judged {
            Ok((bot, judged)) => line(lane, token, bot.as_ref(), judged),
            Err(error) => {
                unreachable = matches!(error, ApiError::Unreachable(_));
                Line { unreachable, ..line(lane, token, None, Err(error.to_string())) }
            }
        };
        all &= line.good;
        tell(&line);
    }
    all
}

fn tokens(config: &Config) -> impl Iterator<Item = (usize, &Secret, ())> {
    config.lanes.iter().enumerate().map(|(lane, bot)| (lane, &bot.token, ()))
}

fn clear_one(api: &dyn Api, token: &Secret) -> Result<(), ApiError> {
    call::<bool>(api, token, "deleteWebhook", &Params::new().bool("drop_pending_updates", false)).map(|_| ())
}

fn line(lane: usize, token: &Secret, bot: Option<&BotInfo>, judged: Result<String, String>) -> Line {
    let name = bot.map_or(String::new(), |bot| format!("@{}", shown(&bot.username)));
    let (good, says) = match judged {
        Ok(says) => (true, says),
        Err(says) => (false, says),
    };
    Line { lane, token: token.to_string(), name, good, unreachable: false, says }
}

/// The platform's words, on one line and without secrets.
fn shown(text: &str) -> String {
    scrub(text).chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

#[cfg(test)]
mod tests;
