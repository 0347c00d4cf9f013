//! Registers the webhooks at start, beside the traffic: `webhook.url` is set, so the platform must know us.
//!
//! What lives here: [`spawn`], a thread that tries until all bots are as wanted, and then ends. A platform
//! that cannot be reached does not keep the process from serving: it may still deliver by an earlier
//! registration.

use crate::channel::telegram::setup::{Line, Plan};
use crate::config::{BaseUrl, Config};
use crate::observe::Secret;
use crate::platform::Platform;
use crate::say;
use std::io;
use std::thread;
use std::time::Duration;

/// Between tries; doubled up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Starts the thread; it is not joined: at the end of the process it may be in the middle of a call that
/// leaves nothing half done.
pub(super) fn spawn(config: &Config, base: &BaseUrl, secret: Secret) -> io::Result<()> {
    let plan = Plan::new(config, base);
    let platform = Platform::of(config);
    thread::Builder::new().name("register".into()).spawn(move || {
        let mut pause = PAUSE;
        while !plan.setup(&platform, &secret, &mut tell) {
            say!(Warn, "not every webhook is as wanted, trying again", in_s = pause.as_secs());
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSE_MAX);
        }
        say!(Info, "webhooks are registered");
    })?;
    Ok(())
}

fn tell(line: &Line) {
    if line.good {
        say!(Info, "{line}");
    } else {
        say!(Warn, "{line}");
    }
}
