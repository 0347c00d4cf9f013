//! Registers the webhooks at start, beside the traffic: `webhook.url` is set, so the platform must know us.
//!
//! What lives here: [`spawn`], a thread that tries until all bots are as wanted, and then ends. A platform
//! that cannot be reached does not keep the process from serving: it may still deliver by an earlier
//! registration.
//!
//! A restart registers nothing anew: `setWebhook` may be called once a second, and a process that is
//! restarted twice within one would be refused. What was registered is noted in the data directory, because
//! the platform does not tell the secret back; with the note, looking is enough.

use crate::channel::telegram::setup::{Line, Plan};
use crate::config::{BaseUrl, Config};
use crate::observe::Secret;
use crate::platform::Platform;
use crate::say;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::PathBuf;
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
    let note = Note::new(config, base, &secret);
    thread::Builder::new().name("register".into()).spawn(move || {
        if note.is_there() && plan.stands(&platform) {
            say!(Info, "webhooks are registered as before");
            return;
        }
        let mut pause = PAUSE;
        while !plan.setup(&platform, &secret, &mut tell) {
            say!(Warn, "not every webhook is as wanted, trying again", in_s = pause.as_secs());
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSE_MAX);
        }
        say!(Info, "webhooks are registered");
        note.leave();
    })?;
    Ok(())
}

/// What was registered last, as a fingerprint in a file.
struct Note {
    path: PathBuf,
    text: String,
}

impl Note {
    fn new(config: &Config, base: &BaseUrl, secret: &Secret) -> Self {
        // Not a secret's protection: the secret lies beside it. Any change must show, no more.
        let mut hash = DefaultHasher::new();
        (base.to_string(), secret.expose(), config.webhook.max_connections).hash(&mut hash);
        // A renewed certificate of our own must be given to the platform.
        config.webhook.certificate.as_ref().map(fs::read).and_then(Result::ok).hash(&mut hash);
        for (n, lane) in config.lanes.iter().enumerate() {
            (lane.bot_id.0, config.must_hear(n)).hash(&mut hash);
        }
        Self { path: config.data_dir.join("webhook.registered"), text: format!("{:016x}\n", hash.finish()) }
    }

    fn is_there(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|text| text == self.text)
    }

    /// Lost, it costs a registration at the next start.
    fn leave(&self) {
        if let Err(e) = fs::write(&self.path, &self.text) {
            say!(Warn, "the registration could not be noted: {e}");
        }
    }
}

fn tell(line: &Line) {
    if line.good {
        say!(Info, "{line}");
    } else {
        say!(Warn, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_texts;

    #[test]
    fn a_note_is_of_one_registration_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let toml = format!("[server]\ndata_dir = \"{}\"\n", dir.path().display());
        let config = load_texts(&toml, "BOT_TOKEN_MAIN=1000001:TEST\nPORT=8080\n").expect("a configuration");
        let base = |url| BaseUrl::parse(url).expect("an address");
        let note = |url, secret: &str| Note::new(&config, &base(url), &Secret::new(secret.to_owned()));
        assert!(!note("https://bot.example", "a").is_there());
        note("https://bot.example", "a").leave();
        assert!(note("https://bot.example", "a").is_there());
        assert!(!note("https://bot.example", "b").is_there());
        assert!(!note("https://other.example", "a").is_there());
    }
}
