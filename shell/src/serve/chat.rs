//! What the chat bot is built with: the operator's words, its limits, its matchmaker.
//!
//! What lives here: [`kind`], called once at start. The bot itself does no I/O.

use super::{ServeError, words};
use crate::channel::telegram::api::get_me;
use crate::config::{ChatConfig, Config};
use crate::entropy;
use crate::platform::Platform;
use crate::say;
use nobat_bots::chat::{ChatBot, Gave, Language, LockOffer, Offer, Rewards, Settings, Shop, Texts};
use nobat_core::engine::Kind;
use nobat_core::gate::rate::Rate;
use nobat_core::id::ChatId;
use nobat_core::matchmaker::{Rules, Size};
use std::{fs, io};

/// In the data directory.
const CODE_KEY_FILE: &str = "links.key";

/// The kind, as the engine wants it, without a word to the platform: for a look at what is there.
///
/// # Errors
/// A text that cannot be used, with its file and line.
pub(super) fn kind(config: &Config, lanes: u16) -> Result<Kind, ServeError> {
    Ok(with(config, settings(config)?, lanes))
}

/// The same for serving: users' links need the bots' names, and a key.
///
/// # Errors
/// As [`kind`]; or the key cannot be read or made.
pub(super) fn serving(config: &Config, lanes: u16) -> Result<Kind, ServeError> {
    let mut settings = settings(config)?;
    if config.chat.referrals {
        (settings.code_key, settings.bot_names) = (code_key(config)?, bot_names(config));
    }
    Ok(with(config, settings, lanes))
}

fn with(config: &Config, settings: Settings, lanes: u16) -> Kind {
    let chat = &config.chat;
    let rate = Rate::new(chat.flood_messages, chat.flood_per);
    let size = Size { users: chat.seats, pools: if chat.cross_bot { 1 } else { lanes }, blocks: chat.seats };
    Kind::new(ChatBot::new(settings), lanes, rate).with_pairs(Rules::default(), size)
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
        flood_messages: chat.flood_messages,
        flood_per: chat.flood_per,
        looks_max: chat.searches_max,
        reports_max: chat.reports_max,
        shut_out_for: chat.shut_out_for,
        protect: chat.protect,
        typing: chat.typing,
        animate: chat.animate,
        shop: shop(chat),
        admins: config.admin.user_ids.clone(),
        admin_language: Language::from_tag(chat.admin_language).unwrap_or(Language::English),
        admin_chat: chat.admin_chat.map(ChatId),
        alerts: chat.alerts,
        card: chat.card.clone(),
        media_channel: chat.media_channel.map(ChatId),
        channels: chat.channels.clone(),
        referrals: chat.referrals,
        rewards: rewards(chat),
        ..Settings::default()
    })
}

fn rewards(chat: &ChatConfig) -> Rewards {
    // The configuration bounds all of them.
    let small = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
    Rewards {
        days: small(chat.referral_days),
        percent: u8::try_from(chat.referral_percent).unwrap_or(100),
        per_day: small(chat.referral_cap),
        ..Rewards::default()
    }
}

/// What hides users' numbers in their links: made at the first start and kept, for links live long.
fn code_key(config: &Config) -> Result<u64, ServeError> {
    let path = config.data_dir.join(CODE_KEY_FILE);
    let failed = |e: io::Error| ServeError::Config(format!("{}: {e}", path.display()));
    match fs::read_to_string(&path) {
        Ok(text) => u64::from_str_radix(text.trim(), 16).map_err(|_| {
            let what = format!("{}: no key of 16 hexadecimal digits", path.display());
            ServeError::Config(format!("{what}; remove the file, and links that users gave away end"))
        }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let key = entropy::seed();
            fs::create_dir_all(&config.data_dir).map_err(failed)?;
            let half = path.with_extension("tmp");
            fs::write(&half, format!("{key:016x}\n")).map_err(failed)?;
            fs::rename(&half, &path).map_err(failed)?;
            Ok(key)
        }
        Err(e) => Err(failed(e)),
    }
}

/// The bots' names for users' links; without them a link is a command to be sent.
fn bot_names(config: &Config) -> Vec<String> {
    let platform = Platform::of(config);
    let mut names = Vec::new();
    for lane in &config.lanes {
        match get_me(&platform, &lane.token) {
            Ok(bot) => names.push(bot.username),
            Err(e) => {
                say!(Warn, "users' links are commands until the next start: a bot has no name: {e}");
                return Vec::new();
            }
        }
    }
    names
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

    #[test]
    fn the_key_of_links_is_made_once_and_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let toml = format!("[server]\ndata_dir = \"{}\"\n", dir.path().join("new").display());
        let config = load_texts(&toml, "BOT_TOKENS=1000001:TEST\nPORT=8080\n").expect("a configuration");
        let key = code_key(&config).expect("made");
        assert_eq!(code_key(&config).expect("read"), key);
        fs::write(config.data_dir.join(CODE_KEY_FILE), "nonsense").expect("written");
        assert!(code_key(&config).is_err());
    }

    #[test]
    fn the_names_that_operators_have_are_the_bots_channels_and_chats() {
        let env = "BOT_TOKENS=1000001:TEST\nPORT=8080\nREQUIRED_CHANNEL_1=@some_news\nREQUIRED_CHANNEL_2=-1001\n\
                   ADMIN_CONTROL_CHAT_ID=-1002\nADMIN_MEDIA_CHANNEL_ID=-1003\nENABLE_REFERRALS=false\n";
        let settings = settings(&load_texts("", env).expect("a configuration")).expect("settings");
        let names: Vec<_> = settings.channels.iter().map(|channel| channel.name.as_str()).collect();
        assert_eq!(names, ["@some_news", "-1001"]);
        assert_eq!((settings.admin_chat, settings.media_channel), (Some(ChatId(-1002)), Some(ChatId(-1003))));
        assert!(!settings.referrals);
        for wrong in ["REQUIRED_CHANNEL_1=somewhere", "ADMIN_CONTROL_CHAT_ID=5"] {
            let env = format!("BOT_TOKENS=1000001:TEST\nPORT=8080\n{wrong}\n");
            assert!(load_texts("", &env).is_err(), "{wrong}");
        }
    }

    /// What an operator's environment makes of it.
    fn of(lines: &str) -> Settings {
        let env = format!("BOT_TOKENS=1000001:TEST,1000002:TEST\nPORT=8080\n{lines}\n");
        settings(&load_texts("", &env).expect(lines)).expect(lines)
    }

    #[test]
    fn every_name_that_operators_have_does_what_the_document_says() {
        let stars = "ENABLE_STARS_PAYMENTS=true\n";
        let with = |line: &str| of(&format!("{stars}{line}"));
        assert!(of("").shop == Shop::default() && of(stars).shop.is_open());
        assert!(!of(stars).shop.vip.is_empty() && !of(stars).shop.locks.is_empty());
        assert!(with("ENABLE_VIP=false").shop.vip.is_empty());
        let unlocked = with("ENABLE_LOCK_CHAT=false").shop;
        assert!(unlocked.locks.is_empty() && unlocked.credits.is_empty() && !unlocked.vip.is_empty());
        assert!(of("").referrals && !of("ENABLE_REFERRALS=false").referrals);
        assert!(of("").cross_bot && !of("ENABLE_CROSS_BOT_MATCHING=false").cross_bot);
        assert!(of("").alerts && !of("ENABLE_ADMIN_ALERTS=false").alerts);
        let admins = |line| of(line).admins.iter().map(|user| user.0).collect::<Vec<_>>();
        assert_eq!((admins("ADMIN_TELEGRAM_IDS=5,6"), admins("ADMIN_USER_IDS=7")), (vec![5, 6], vec![7]));
        let card = of("PAYMENT_CARD_NUMBER=6037-9900-0000-0000\nPAYMENT_PAYEE_NAME=A. Operator").card;
        assert_eq!(card, Some(("6037-9900-0000-0000".to_owned(), "A. Operator".to_owned())));
        let alone = load_texts("", "BOT_TOKENS=1000001:TEST\nPORT=8080\nPAYMENT_PAYEE_NAME=A. Operator\n");
        assert!(alone.is_err(), "whose card?");
    }

    #[test]
    fn the_document_lists_every_short_name_of_the_chat() {
        let document = include_str!("../../../docs/chat.md");
        for key in crate::config::keys::KEYS.iter().filter(|key| key.section == "chat") {
            for (name, _) in key.short {
                let row = format!("`chat.{}", key.name.trim_end_matches("_1").trim_end_matches("_2"));
                let told =
                    document.lines().any(|line| line.contains(&format!("`{name}`")) && line.contains(&row));
                assert!(told, "{name}: {row}");
            }
        }
    }

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
