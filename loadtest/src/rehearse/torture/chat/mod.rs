//! The load of people who meet, talk and pay, and the ledger of what came of it.
//!
//! What lives here: [`torture`]. [`people`] act upon what they are shown, as people do; [`ledger`] counts what must
//! never happen: a payment that gives twice or nothing, a line that reaches two, nobody, or one twice, somebody in
//! two chats at once.

mod ledger;
mod people;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::super::RehearsalError;
use super::super::collect::Collector;
use super::super::stage::stop_platform;
use super::{Ground, Options, Outcome, PATIENCE};
use crate::wire::Wire;
use people::People;

pub use ledger::Ledger;

/// Nothing moved for so long after the last act: everything has arrived.
const SETTLED: Duration = Duration::from_secs(4);

/// Turns the variables of a results bot into those of a chat with these bots, where things are sold.
pub(super) fn configure(variables: &mut Vec<(String, String)>, tokens: &[String]) {
    variables.retain(|(name, _)| name != "BOT_MODE" && !name.starts_with("BOT_TOKEN"));
    for (name, value) in [
        ("NOBAT_KIND", "chat".to_owned()),
        ("BOT_TOKENS", tokens.join(",")),
        ("ENABLE_STARS_PAYMENTS", "true".to_owned()),
        ("NOBAT_CHAT_FLOOD_MESSAGES", "256".to_owned()),
        ("NOBAT_CHAT_CREDIT_PACKAGES", people::PACKAGE.to_owned()),
    ] {
        variables.push((name.to_owned(), value));
    }
}

pub(super) fn torture(
    options: &Options,
    ground: Ground,
    events: UnboundedReceiver<Wire>,
) -> Result<Outcome, RehearsalError> {
    let io = RehearsalError::io;
    let (told, passed_on) = unbounded_channel();
    let collector =
        Collector::start(passed_on, None::<Vec<u8>>, None, None).map_err(|e| io("start a thread", e))?;
    let people = People::start(ground.platform.clone(), events, told, super::BOTS, options.seed);
    let people = people.map_err(|e| io("start a thread", e))?;
    let mut hammer = ground.hammer(options);
    let hammered = hammer.hammer();
    people.rest();
    if hammered.is_ok() {
        drain(&ground);
    }
    let died = hammer.stop().or_else(|| hammered.err().map(|e| e.to_string()));
    let (kills, ready) = (hammer.kills(), hammer.ready());
    drop(hammer);
    ground.stop.store(true, Ordering::Relaxed);
    let seen = people.finish();
    stop_platform(ground.platform);
    let log = collector.finish();
    let (ledger, audit) = ledger::judge(&seen, &log);
    Ok(Outcome { log, audit, kills, ready, died, ledger: Some(ledger) })
}

/// Waits until nothing moves any more.
fn drain(ground: &Ground) {
    let began = Instant::now();
    let mut moved = (Instant::now(), (0, 0));
    while !ground.stop.load(Ordering::Relaxed) && began.elapsed() < 4 * PATIENCE {
        std::thread::sleep(Duration::from_millis(200));
        let totals = ground.platform.totals();
        let progress = (totals.accepted, totals.pending);
        if progress != moved.1 {
            moved = (Instant::now(), progress);
        } else if moved.0.elapsed() > SETTLED {
            return;
        }
    }
}
