//! A new configuration while the process runs: validated whole, then used whole or refused whole.
//!
//! What lives here: [`LIVE`], the keys that may change; [`prepare`], which does everything that can fail and touches
//! nothing; [`Prepared`], what is then put in place without a way to fail. So the process always runs one state of
//! the file, never half of two.

use super::dataset::{self, DatasetFile};
use crate::config::keys::{self, KeyId};
use crate::config::{Config, Kind, Secret};
use crate::tls::{self, CertificateFiles};
use nobat_core::time::UnixMillis;

/// Keys that change while the process runs. All others need a restart, which `nobat ctl upgrade` makes without a
/// refused connection. The sources of imports are no business of the running process.
pub const LIVE: &[KeyId] = &[
    keys::LOG_LEVEL,
    keys::LOG_FORMAT,
    keys::LOG_UPDATES,
    keys::LOG_SLOW_MS,
    keys::RELEASE,
    keys::DATASET,
    keys::TLS_CERT,
    keys::TLS_KEY,
    keys::POSTGRES_URI,
    keys::SQLITE_PATH,
    keys::SUPABASE_URL,
    keys::SUPABASE_KEY,
    keys::USERS_DIR,
];

/// A configuration that can be used, with what its keys name already read.
pub(super) struct Prepared {
    pub(super) config: Config,
    /// Keys whose value is another.
    pub(super) changed: Vec<String>,
    pub(super) dataset: Option<dataset::Prepared>,
    pub(super) certificate: Option<tls::Prepared>,
}

/// Judges `fresh` against the configuration in use, and reads what it names.
///
/// # Errors
/// Why it is refused as a whole: what to change, or that a restart is needed.
pub(super) fn prepare(used: &Config, fresh: Config, now: UnixMillis) -> Result<Prepared, String> {
    let changed = changed(used, &fresh);
    let fixed: Vec<&str> =
        changed.iter().map(String::as_str).filter(|key| !is_live(key, used, &fresh)).collect();
    if !fixed.is_empty() {
        return Err(format!(
            "{} cannot change while the process runs; `nobat ctl upgrade` restarts it without a refused connection",
            fixed.join(", ")
        ));
    }
    let dataset = match fresh.kind {
        Kind::Results => Some(DatasetFile::prepare(fresh.results.dataset.as_deref())?),
        _ => None,
    };
    let certificate = match &fresh.tls {
        Some(files) => {
            Some(CertificateFiles::prepare(&files.cert, &files.key, now).map_err(|e| e.to_string())?)
        }
        None => None,
    };
    Ok(Prepared { config: fresh, changed, dataset, certificate })
}

fn is_live(key: &str, used: &Config, fresh: &Config) -> bool {
    // A listener does not change between plain HTTP and TLS.
    let tls_comes_or_goes = used.tls.is_some() != fresh.tls.is_some();
    LIVE.iter().any(|id| id.key().dotted() == key) && !(key.starts_with("tls.") && tls_comes_or_goes)
}

/// The keys whose value is another.
fn changed(used: &Config, fresh: &Config) -> Vec<String> {
    let mut changed: Vec<String> = std::iter::zip(&used.settings, &fresh.settings)
        .filter(|(before, after)| before.value != after.value)
        .map(|(before, _)| before.key.clone())
        .collect();
    let mut differ = |key: &str, differs: bool| {
        if differs && !changed.iter().any(|known| known == key) {
            changed.push(key.to_owned());
        }
    };
    // Settings show secrets masked, so these are compared themselves.
    let word = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    let tokens =
        |config: &Config| config.lanes.iter().map(|l| l.token.expose().to_owned()).collect::<Vec<_>>();
    differ("bot.tokens", tokens(used) != tokens(fresh));
    differ("webhook.secret", word(&used.webhook.secret) != word(&fresh.webhook.secret));
    differ("admin.bot_token", word(&used.admin.bot_token) != word(&fresh.admin.bot_token));
    // What follows from names that are no key of their own (`BOT_MODE` from `BOT_TOKENS`, polling from `PORT`).
    differ("bot.kind", used.kind != fresh.kind);
    differ("bot.mode", used.mode != fresh.mode || used.token_list != fresh.token_list);
    differ("telegram.polling", used.polling != fresh.polling);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_texts;

    const NOW: UnixMillis = UnixMillis(1_784_527_200_000);
    const ENV: &str = "BOT_TOKEN_MAIN=1000001:TEST\nPORT=8080\n";

    fn config(toml: &str, env: &str) -> Config {
        load_texts(toml, env).expect("a configuration")
    }

    fn judged(before: &str, after: &str) -> Result<Vec<String>, String> {
        let prepared = prepare(&config(before, ENV), config(after, ENV), NOW)?;
        Ok(prepared.changed)
    }

    #[test]
    fn live_keys_may_change_and_are_named() {
        assert_eq!(judged("", ""), Ok(Vec::new()));
        let changed = judged("", "[log]\nlevel = \"debug\"\n[results]\nrelease = \"2026-07-20T09:00:00Z\"\n");
        assert_eq!(changed.expect("live"), ["results.release", "log.level"]);
    }

    #[test]
    fn one_key_that_needs_a_restart_refuses_the_whole() {
        let after = "[log]\nlevel = \"debug\"\n[server]\nintakes = 2\n[pacing]\nadaptive = true\n";
        let why = judged("", after).expect_err("refused");
        assert!(why.starts_with("server.intakes, pacing.adaptive cannot change"), "{why}");
        assert!(why.contains("nobat ctl upgrade"), "{why}");
    }

    #[test]
    fn a_secret_that_changed_is_noticed_although_it_shows_the_same() {
        for (before, after, key) in [
            ("BOT_TOKEN_MAIN=1000001:TEST", "BOT_TOKEN_MAIN=1000001:OTHER", "bot.tokens"),
            ("BOT_TOKEN_MAIN=1000001:TEST", "BOT_TOKEN_MAIN=1000001:TEST\nBOT_TOKEN_1=2:TEST", "bot.tokens"),
            ("WEBHOOK_SECRET_TOKEN=aa", "WEBHOOK_SECRET_TOKEN=bb", "webhook.secret"),
            ("ADMIN_BOT_TOKEN=1000009:AA", "ADMIN_BOT_TOKEN=1000009:BB", "admin.bot_token"),
        ] {
            let env = |line: &str| {
                let token = if line.starts_with("BOT") { "" } else { "BOT_TOKEN_MAIN=1000001:TEST\n" };
                format!("{token}{line}\nPORT=8080\n")
            };
            let why = prepare(&config("", &env(before)), config("", &env(after)), NOW).map(|p| p.changed);
            assert!(why.expect_err(key).starts_with(key), "{key}");
        }
    }

    #[test]
    fn files_that_cannot_be_used_refuse_the_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let bad = dir.path().join("bad");
        std::fs::write(&bad, "no data set").expect("written");
        let why = judged("", &format!("[results]\ndataset = \"{}\"\n", bad.display())).expect_err("refused");
        assert!(why.contains("bad cannot be used"), "{why}");
        let pair = |path: &std::path::Path| format!("[tls]\ncert = \"{0}\"\nkey = \"{0}\"\n", path.display());
        let why = judged(&pair(&dir.path().join("old")), &pair(&bad)).expect_err("refused");
        assert!(why.contains("holds no certificate"), "{why}");
        assert!(judged("", &pair(&bad)).expect_err("refused").starts_with("tls.cert"));
    }
}
