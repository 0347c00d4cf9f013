//! `nobat check`: what the configuration amounts to.

use super::args::Check;
use super::{Done, Status, World, configured};
use crate::config::keys::KINDS;
use crate::config::{Config, Inputs, Kind, NameUse, Origin, Polling, Reach};
use std::io::{self, Write};

/// Prints bots, values with their origins, and what became of each name.
pub(super) fn run(world: &mut World<'_>, inputs: &Inputs, check: &Check) -> Done {
    let config = configured(world, inputs)?;
    bots(world.out, &config)?;
    writeln!(world.out, "\nvalues:")?;
    // Of the kinds' own sections, this kind's alone.
    let other = |key: &str| {
        let section = key.split('.').next().unwrap_or(key);
        KINDS.contains(&section) && section != config.kind.name()
    };
    for setting in &config.settings {
        if !other(&setting.key) && (check.all || setting.origin != Origin::Default) {
            let value = if setting.value.is_empty() { "-" } else { &setting.value };
            writeln!(world.out, "  {:<30} {value:<36} {}", setting.key, setting.origin)?;
        }
    }
    writeln!(world.out, "\nnames:")?;
    for name in &config.names {
        let says = match &name.what {
            NameUse::Used => "used".to_owned(),
            NameUse::NotNeeded(why) => format!("not needed: {why}"),
            NameUse::Unknown(Some(near)) => format!("unknown: did you mean {near}?"),
            NameUse::Unknown(None) => "unknown".to_owned(),
        };
        writeln!(world.out, "  {:<30} {says}", name.name)?;
    }
    writeln!(world.out, "\nThe configuration is whole.")?;
    Ok(Status::Ok)
}

fn bots(out: &mut dyn Write, config: &Config) -> io::Result<()> {
    let lanes = config.lanes.len();
    let capacity = lanes as u64 * u64::from(config.pacing.per_lane_rate);
    let reach = match config.pacing.reach {
        _ if lanes == 1 => "one bot answers everybody",
        _ if config.kind == Kind::Chat => "everybody is answered by the bot he wrote to",
        Reach::Try => {
            "each user's home bot is tried once; who has not started it is answered by the bot he wrote to"
        }
        Reach::Known => "only bots that a user has started write to him",
        Reach::All => "every bot writes to everybody, without asking",
    };
    writeln!(out, "kind      {} ({})", config.kind.name(), config.mode.name())?;
    writeln!(out, "lanes     {lanes}, together {capacity} messages/s")?;
    writeln!(out, "reach     {reach}")?;
    let intake = match config.polling {
        Some(Polling::Forced) => "long polling, as asked for; webhooks of these bots are removed".to_owned(),
        Some(Polling::NoAddress) => {
            "long polling: no NOBAT_LISTEN, PORT, WEBHOOK_URL or RAILWAY_PUBLIC_DOMAIN says where webhooks arrive"
                .to_owned()
        }
        None => {
            let url = config.webhook.url.as_ref();
            let url = url.map_or("an address yet to be set up".to_owned(), ToString::to_string);
            format!("webhooks at {url}, arriving on {}", config.listen)
        }
    };
    writeln!(out, "intake    {intake}")?;
    writeln!(out, "platform  {}", config.api_root)?;
    writeln!(out, "data      {}", config.data_dir.display())?;
    writeln!(out, "\nbots:")?;
    for (lane, bot) in config.lanes.iter().enumerate() {
        let hears = match (config.must_hear(lane), config.polling.is_some()) {
            (true, true) => "hears by polling".to_owned(),
            (true, false) => format!("hears at {}", config.webhook_path(lane)),
            (false, _) => "sends only".to_owned(),
        };
        writeln!(out, "  lane {lane:<3} {:<20} {hears}", bot.token)?;
    }
    Ok(())
}
