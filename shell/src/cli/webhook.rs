//! `nobat webhook setup|verify|info|clear`: a line a bot, and 0 only if all is as wanted.

use super::args::Webhook;
use super::{Done, Failed, Status, World, configured};
use crate::channel::telegram::setup::{self, Line, Plan};
use crate::config::{BaseUrl, Config, Inputs, webhook_secret};
use std::io;

/// Runs one of the four.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, webhook: &Webhook) -> Done {
    let config = configured(world, inputs)?;
    let api = (world.connect)(&config);
    let mut written = Ok(());
    let (mut bad, mut unreachable) = (0, 0);
    let out = &mut world.out;
    let mut tell = |line: &Line| {
        bad += usize::from(!line.good);
        unreachable += usize::from(line.unreachable);
        if written.is_ok() {
            written = writeln!(out, "{line}");
        }
    };
    match webhook {
        Webhook::Setup { url } => {
            let base = base(&config, url.as_deref())?;
            let secret = webhook_secret(&config).map_err(Failed::Io)?;
            Plan::new(&config, &base).setup(&*api, &secret, &mut tell)
        }
        Webhook::Verify { url } => {
            Plan::new(&config, &base(&config, url.as_deref())?).verify(&*api, &mut tell)
        }
        Webhook::Info => setup::info(&*api, &config, &mut tell),
        Webhook::Clear => setup::clear(&*api, &config, &mut tell),
    };
    written.map_err(|error: io::Error| Failed::Io(error))?;
    Ok(match bad {
        0 => Status::Ok,
        _ if unreachable == bad => Status::Unavailable,
        _ => Status::NotAsWanted,
    })
}

/// Where updates are to arrive: as asked, or as configured.
fn base(config: &Config, asked: Option<&str>) -> Result<BaseUrl, Failed> {
    let usage = |why: String| Failed::With(Status::Usage, why);
    let Some(asked) = asked else {
        let why = "no address: write it behind the command, such as https://bot.example, or set WEBHOOK_URL";
        return config.webhook.url.clone().ok_or_else(|| usage(why.to_owned()));
    };
    let mut url = BaseUrl::parse(asked).map_err(|why| usage(format!("{asked}: the address {why}")))?;
    let rehearsed = url.is_loopback() && config.api_root.is_loopback();
    if !url.tls && !rehearsed {
        return Err(usage(format!("{asked}: the platform delivers to https only")));
    }
    // Many write the whole endpoint.
    if let Some(prefix) = url.path_prefix.strip_suffix("/webhook") {
        url.path_prefix = prefix.to_owned();
    }
    Ok(url)
}
