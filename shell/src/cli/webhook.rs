//! `nobat webhook setup|verify|info|clear`: a line a bot, and 0 only if all is as wanted.

use super::args::Webhook;
use super::{Done, Failed, Status, World, configured};
use crate::channel::telegram::setup::{self, Line, Plan};
use crate::clock::Clock;
use crate::config::{BaseUrl, Config, Inputs, webhook_secret};
use crate::tls::OwnPair;
use std::io;

/// Runs one of the four.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, webhook: &Webhook) -> Done {
    let mut config = configured(world, inputs)?;
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
        Webhook::Setup { url, self_signed } => {
            let base = base(&config, url.as_deref())?;
            if *self_signed {
                own_certificate(&mut config, &base)?;
            }
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
    if matches!(webhook, Webhook::Setup { self_signed: true, .. }) {
        let hint = "the certificate is in the data directory; a running nobat takes it into use with `nobat ctl upgrade`";
        writeln!(world.out, "{hint}")?;
    }
    Ok(match bad {
        0 => Status::Ok,
        _ if unreachable == bad => Status::Unavailable,
        _ => Status::NotAsWanted,
    })
}

/// Makes a certificate for the host, and has this plan and every later `serve` use it.
fn own_certificate(config: &mut Config, base: &BaseUrl) -> Result<(), Failed> {
    if config.tls.is_some() && config.webhook.certificate.is_none() {
        let why = "tls.cert names a certificate already: take it out of the configuration, or leave --self-signed away";
        return Err(Failed::With(Status::Usage, why.to_owned()));
    }
    let pair = OwnPair::within(&config.data_dir);
    let made = pair.make(&base.host, Clock::start().now().wall);
    made.map_err(|e| Failed::With(Status::NotAsWanted, e.to_string()))?;
    config.webhook.certificate = Some(pair.cert);
    Ok(())
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
