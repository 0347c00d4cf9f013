//! What the platform says: of each token, webhook, channel and administrator, and of the time.

use super::{Found, Report, places};
use crate::channel::telegram::Api;
use crate::channel::telegram::api::{ApiError, get_chat, get_me, peek_updates, webhook_info};
use crate::channel::telegram::setup::Plan;
use crate::clock::Clock;
use crate::config::{Config, Kind, Polling};
use std::io;
use std::time::Duration;

/// The platform's clock is whole seconds, and its answer takes a while.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5);
/// Certificates and quotas are judged wrongly from here on.
const CLOCKS_APART: Duration = Duration::from_secs(60);

/// Everything the platform can be asked. `running`: nobat itself holds the data directory.
pub(super) fn look(api: &dyn Api, config: &Config, running: bool, report: &mut Report<'_>) -> io::Result<()> {
    for (lane, found) in tokens(api, config) {
        let unreachable = found.is_unreachable();
        report.tell(&format!("lane {lane}"), found)?;
        if unreachable {
            // The others would each wait as long for the same answer.
            return Ok(());
        }
    }
    if let Some(found) = date(api) {
        report.tell("clock", found)?;
    }
    if !report.is_good() {
        return Ok(());
    }
    match config.polling {
        None => webhooks(api, config, report)?,
        Some(why) => polling(api, config, why, running, report)?,
    }
    if config.kind == Kind::Chat {
        for place in places::of(config) {
            report.tell(&place.label(), place.look(api, config))?;
        }
        report.tell("payments", payments(api, config))?;
    }
    administrators(api, config, report)
}

fn tokens<'c>(api: &'c dyn Api, config: &'c Config) -> impl Iterator<Item = (usize, Found)> + 'c {
    config.lanes.iter().enumerate().map(move |(lane, bot)| {
        let found = match get_me(api, &bot.token) {
            Ok(known) if known.id == bot.bot_id.0 => {
                Found::good(format!("{} is @{}", bot.token, known.username))
            }
            Ok(known) => Found::bad(format!("{} answers as bot {}", bot.token, known.id)),
            Err(error @ ApiError::Unreachable(_)) => Found::unreachable(format!(
                "{}: {error}; look at the network, the firewall and telegram.api_root",
                bot.token
            )),
            Err(error) => Found::bad(format!("{}: {error}", bot.token)),
        };
        (lane, found)
    })
}

/// This machine's clock against the platform's.
fn date(api: &dyn Api) -> Option<Found> {
    let theirs = api.date()?;
    let ours = Clock::start().now().wall;
    // Theirs is cut to whole seconds.
    let apart = Duration::from_millis(ours.0.abs_diff(theirs.0 + 500));
    let says = format!("{:.0} s from the platform's", apart.as_secs_f64());
    Some(if apart < CLOCKS_DIFFER {
        Found::good(says)
    } else {
        let says = format!("{says}: let systemd-timesyncd or chrony set it (`timedatectl set-ntp true`)");
        if apart < CLOCKS_APART { Found::note(says) } else { Found::bad(says) }
    })
}

/// Are the webhooks as they should be? Only if there is an address to compare with.
fn webhooks(api: &dyn Api, config: &Config, report: &mut Report<'_>) -> io::Result<()> {
    let Some(url) = &config.webhook.url else {
        let says = "no address to compare with: nobat webhook info".to_owned();
        return report.tell("webhook", Found::note(says));
    };
    let mut written = Ok(());
    Plan::new(config, url).verify(api, &mut |line| {
        let found = match line.good {
            true => Found::good(line.says.clone()),
            false if line.says.contains("webhook setup") => Found::note(line.says.clone()),
            false => Found::note(format!("{}; `nobat webhook setup` mends it", line.says)),
        };
        if written.is_ok() {
            written = report.tell(&format!("webhook {}", line.lane), found);
        }
    });
    written
}

/// Does a webhook, or another process, stand in the way of long polling?
fn polling(
    api: &dyn Api,
    config: &Config,
    why: Polling,
    running: bool,
    report: &mut Report<'_>,
) -> io::Result<()> {
    for (lane, bot) in config.lanes.iter().enumerate().filter(|(lane, _)| config.must_hear(*lane)) {
        let found = match (webhook_info(api, &bot.token), why) {
            (Err(error), _) => Found::bad(error.to_string()),
            (Ok(info), _) if info.url.is_empty() && running => {
                Found::good("no webhook stands in its way; nobat polls it".to_owned())
            }
            (Ok(info), _) if info.url.is_empty() => match peek_updates(api, &bot.token) {
                Ok(()) => Found::good("nothing stands in its way".to_owned()),
                Err(error) if error.to_string().contains("other getUpdates") => Found::bad(
                    "another instance polls this token: stop it, or each takes what the other should have"
                        .to_owned(),
                ),
                Err(error) => Found::bad(error.to_string()),
            },
            (Ok(_), Polling::Forced) => Found::note("has a webhook, which `nobat serve` removes".to_owned()),
            (Ok(_), Polling::NoAddress) => {
                let remedy =
                    "run `nobat webhook clear`, or set FORCE_POLLING=true, or say where webhooks arrive";
                Found::bad(format!("has a webhook, so it cannot be polled: {remedy}"))
            }
        };
        report.tell(&format!("polling {lane}"), found)?;
    }
    Ok(())
}

/// Are payments as they are wanted?
fn payments(api: &dyn Api, config: &Config) -> Found {
    let chat = &config.chat;
    let offers = chat.vip_plans.len() + chat.credit_packages.len();
    if offers == 0 {
        return Found::good("nothing is sold (ENABLE_STARS_PAYMENTS is not set)".to_owned());
    }
    if config.polling.is_some() {
        return Found::good(format!("{offers} offers for Stars"));
    }
    match webhook_info(api, &config.lanes[0].token) {
        Ok(info) if info.url.is_empty() || info.allowed_updates.iter().any(|kind| kind == "pre_checkout_query") => {
            Found::good(format!("{offers} offers for Stars"))
        }
        Ok(_) => Found::bad(
            "offers are shown, but the webhook does not deliver pre_checkout_query: every payment would fail; run \
             `nobat webhook setup`"
                .to_owned(),
        ),
        Err(error) => Found::bad(error.to_string()),
    }
}

/// Can each administrator be written to?
fn administrators(api: &dyn Api, config: &Config, report: &mut Report<'_>) -> io::Result<()> {
    let token = config.admin.bot_token.as_ref().unwrap_or(&config.lanes[0].token);
    for admin in &config.admin.user_ids {
        let found = match get_chat(api, token, &admin.to_string()) {
            Ok(()) => Found::good("can be written to".to_owned()),
            Err(ApiError::Refused(why)) => Found::bad(format!(
                "cannot be written to ({why}): he opens {token}'s chat and presses Start, or the number is wrong"
            )),
            Err(error) => Found::bad(error.to_string()),
        };
        report.tell(&format!("admin {admin}"), found)?;
    }
    Ok(())
}
