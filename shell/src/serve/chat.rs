//! What the chat bot is built with: the operator's words, its limits, its matchmaker.
//!
//! What lives here: [`kind`], called once at start. The bot itself does no I/O.

use super::{ServeError, words};
use crate::config::{ChatConfig, Config};
use nobat_bots::chat::{ChatBot, Gave, Language, LockOffer, Offer, Settings, Shop, Texts};
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
        protect: chat.protect,
        typing: chat.typing,
        shop: shop(chat),
        admins: config.admin.user_ids.clone(),
        ..Settings::default()
    })
}

fn shop(chat: &ChatConfig) -> Shop {
    // The configuration bounds all of them at 10,000.
    let small = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
    let days = |&(days, stars): &(u32, u32)| Offer { gives: Gave::Days(small(days)), stars };
    let credits = |&(credits, stars): &(u32, u32)| Offer { gives: Gave::Credits(credits), stars };
    let lock = |&(minutes, credits): &(u32, u32)| LockOffer { minutes: small(minutes), credits };
    Shop {
        vip: chat.vip_plans.iter().map(days).collect(),
        credits: chat.credit_packages.iter().map(credits).collect(),
        locks: chat.lock_prices.iter().map(lock).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_texts;
    use nobat_bots::chat::Key;
    use std::fs;

    #[test]
    fn nothing_is_sold_until_it_is_switched_on_and_then_at_the_operators_prices() {
        let shop = |toml: &str| {
            let config = load_texts(toml, "BOT_TOKENS=1000001:TEST\nPORT=8080\n");
            settings(&config.expect("a configuration")).expect("settings").shop
        };
        assert_eq!(shop(""), Shop::default());
        let sold = shop("[chat]\nstars = true\nlock = false\nvip_plans = [\"30:250\"]\n");
        let vip = vec![Offer { gives: Gave::Days(30), stars: 250 }];
        assert_eq!(sold, Shop { vip, ..Shop::default() });
        assert_eq!(shop("[chat]\nstars = true\n").locks.len(), 3);
        let wrong = load_texts("[chat]\nlock_prices = [\"5\"]\n", "BOT_TOKENS=1000001:TEST\nPORT=8080\n");
        assert!(wrong.is_err());
    }

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
