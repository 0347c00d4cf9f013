//! What the results bot is built with: the operator's words, its limits, the names of its lanes' bots.
//!
//! What lives here: [`settings`], called once at start. The bot itself does no I/O.

use super::{ServeError, words};
use crate::channel::telegram::api::get_me;
use crate::config::Config;
use crate::platform::Platform;
use crate::say;
use nobat_bots::results::{Language, Settings, Texts};
use std::time::Duration;

/// The bot's settings.
///
/// # Errors
/// A text that cannot be used, with its file and line.
pub(super) fn settings(config: &Config) -> Result<Settings, ServeError> {
    let results = &config.results;
    Ok(Settings {
        texts: texts(config)?,
        wait_from: results.wait_notice_after,
        misses_max: u8::try_from(results.misses_per_hour).unwrap_or(u8::MAX),
        misses_window: Duration::from_secs(3_600),
        handoff: if results.handoff { user_names(config) } else { Vec::new() },
        ..Settings::default()
    })
}

/// The built-in texts with `ar.txt` and `en.txt` of the operator's folder over them.
fn texts(config: &Config) -> Result<Texts, ServeError> {
    let mut texts = Texts::default();
    if let Some(dir) = &config.results.texts_dir {
        let languages = Language::ALL.map(|language| (language, language.tag()));
        words::replaced("results.texts_dir", dir, languages, |language, file| texts.replace(language, file))?;
    }
    Ok(texts)
}

/// The lanes' user names, for links to them. Without all of them there is no handoff: a link that leads
/// nowhere is worse than none.
fn user_names(config: &Config) -> Vec<String> {
    let platform = Platform::of(config);
    let asked = config.lanes.iter().map(|lane| match get_me(&platform, &lane.token) {
        Ok(bot) => Ok(bot.username),
        Err(e) => Err(format!("{}: {e}", lane.token)),
    });
    match asked.collect::<Result<Vec<_>, _>>() {
        Ok(names) => names,
        Err(e) => {
            say!(Warn, "handoff is off until the next start: a bot's name could not be asked for: {e}");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_texts;
    use nobat_bots::results::Key;
    use std::fs;

    fn config(texts_dir: &std::path::Path) -> Config {
        let dir = texts_dir.display();
        let toml = format!("[results]\ntexts_dir = \"{dir}\"\nmisses_per_hour = 7\n");
        load_texts(&toml, "BOT_TOKEN_MAIN=1000001:TEST\nPORT=8080\n").expect("a configuration")
    }

    #[test]
    fn the_operators_words_replace_the_built_in_ones() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("en.txt"), "[help]\nWrite your number.\n").expect("written");
        let settings = settings(&config(dir.path())).expect("settings");
        assert_eq!(settings.texts.get(Language::English, Key::Help), "Write your number.");
        assert_eq!(
            settings.texts.get(Language::Arabic, Key::Help),
            Texts::default().get(Language::Arabic, Key::Help)
        );
        assert_eq!(settings.misses_max, 7);
    }

    #[test]
    fn a_text_that_does_not_exist_is_told_with_its_file() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("ar.txt"), "[no_such_text]\nx\n").expect("written");
        let error = settings(&config(dir.path())).expect_err("refused").to_string();
        assert!(error.contains("ar.txt") && error.contains("no_such_text"), "{error}");
    }
}
