//! What the chat bot is built with: the operator's words, its limits, its matchmaker.
//!
//! What lives here: [`kind`], called once at start. The bot itself does no I/O.

use super::{ServeError, words};
use crate::config::Config;
use nobat_bots::chat::{ChatBot, Language, Settings, Texts};
use nobat_core::engine::Kind;
use nobat_core::gate::rate::Rate;
use nobat_core::matchmaker::{Rules, Size};

/// The kind, as the engine wants it.
///
/// # Errors
/// A text that cannot be used, with its file and line.
pub(super) fn kind(config: &Config, lanes: u16) -> Result<Kind, ServeError> {
    let chat = &config.chat;
    let rate = Rate::new(chat.flood_messages, chat.flood_per);
    let size = Size { users: chat.seats, pools: if chat.cross_bot { 1 } else { lanes }, blocks: chat.seats };
    Ok(Kind::new(ChatBot::new(settings(config)?), lanes, rate).with_pairs(Rules::default(), size))
}

fn settings(config: &Config) -> Result<Settings, ServeError> {
    let chat = &config.chat;
    let mut texts = Texts::default();
    if let Some(dir) = &chat.texts_dir {
        let languages = Language::ALL.map(|language| (language, language.tag()));
        words::replaced("chat.texts_dir", dir, languages, |language, file| texts.replace(language, file))?;
    }
    Ok(Settings {
        texts,
        age_min: chat.age_min,
        cross_bot: chat.cross_bot,
        private: chat.private,
        idle: chat.idle,
        patience: chat.patience,
        reports_max: chat.reports_max,
        shut_out_for: chat.shut_out_for,
        ..Settings::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_texts;
    use nobat_bots::chat::Key;
    use std::fs;

    #[test]
    fn the_operators_words_and_limits_are_the_bots() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("fa.txt"), "[menu]\nبفرمایید\n").expect("written");
        let toml =
            format!("[chat]\ntexts_dir = \"{}\"\nage_min = 18\nidle_minutes = 5\n", dir.path().display());
        let config = load_texts(&toml, "BOT_TOKENS=1000001:TEST,1000002:TEST\nPORT=8080\n");
        let settings = settings(&config.expect("a configuration")).expect("settings");
        assert_eq!(settings.texts.get(Language::Persian, Key::Menu), "بفرمایید");
        assert_eq!((settings.age_min, settings.idle.as_secs(), settings.cross_bot), (18, 300, true));
    }
}
