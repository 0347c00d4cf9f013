//! The values of the chat bot.

use super::keys::{self, KeyId};
use super::problem::Origin;
use super::sources::Item;
use super::values::Values;
use nobat_bots::chat::{CHANNELS_MAX, Channel};
use std::path::PathBuf;
use std::time::Duration;

/// The chat bot.
#[derive(Clone, Debug)]
pub struct ChatConfig {
    /// The youngest that may use it, in years.
    pub age_min: u8,
    /// Users of different bots may meet.
    pub cross_bot: bool,
    /// Messages that name an account, a link or a telephone number are not passed on.
    pub private: bool,
    /// A chat in which nobody has written for so long ends.
    pub idle: Duration,
    /// How long someone is searched for.
    pub patience: Duration,
    /// Searches of one user in a minute.
    pub searches_max: u8,
    /// Inputs of one user within [`ChatConfig::flood_per`].
    pub flood_messages: u32,
    /// See there.
    pub flood_per: Duration,
    /// So many reports in a day shut a user out.
    pub reports_max: u8,
    /// For so long.
    pub shut_out_for: Duration,
    /// Users who may have searched since the start.
    pub seats: u32,
    /// What is passed on can be neither forwarded nor saved.
    pub protect: bool,
    /// Somebody is shown that something comes.
    pub typing: bool,
    /// The message that someone is searched for turns.
    pub animate: bool,
    /// Days and their price in Stars; empty if none are sold.
    pub vip_plans: Vec<(u32, u32)>,
    /// Credits and their price in Stars; empty if none are sold.
    pub credit_packages: Vec<(u32, u32)>,
    /// Minutes of a lock and their price in credits; empty if none are sold.
    pub lock_prices: Vec<(u32, u32)>,
    /// Channels that must be joined.
    pub channels: Vec<Channel>,
    /// Users may bring others.
    pub referrals: bool,
    /// VIP days for one.
    pub referral_days: u32,
    /// Of his payments.
    pub referral_percent: u32,
    /// Counted in a day.
    pub referral_cap: u32,
    /// Where reports go.
    pub admin_chat: Option<i64>,
    /// What the bot itself notices is told there as well.
    pub alerts: bool,
    /// A bank card and whose it is.
    pub card: Option<(String, String)>,
    /// Where pictures and the like are copied to.
    pub media_channel: Option<i64>,
    /// In what language administrators are told things.
    pub admin_language: &'static str,
    /// Texts that replace the built-in ones.
    pub texts_dir: Option<PathBuf>,
}

pub(super) fn chat(values: &mut Values<'_>) -> ChatConfig {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    // The table bounds both below 256.
    let byte = |n: u32| u8::try_from(n).unwrap_or(u8::MAX);
    // Read in any case, so that a mistake is found before it is switched on.
    let (vip_plans, credit_packages, lock_prices) = (
        prices(values, keys::CHAT_VIP_PLANS),
        prices(values, keys::CHAT_CREDITS),
        prices(values, keys::CHAT_LOCKS),
    );
    let sells = values.flag(keys::CHAT_STARS);
    let (vip, lock) = (values.flag(keys::CHAT_VIP) && sells, values.flag(keys::CHAT_LOCK) && sells);
    let sold = |on: bool, list: Vec<_>| if on { list } else { Vec::new() };
    ChatConfig {
        protect: values.flag(keys::CHAT_PROTECT),
        typing: values.flag(keys::CHAT_TYPING),
        animate: values.flag(keys::CHAT_ANIMATE),
        vip_plans: sold(vip, vip_plans),
        credit_packages: sold(lock, credit_packages),
        lock_prices: sold(lock, lock_prices),
        age_min: byte(values.small(keys::CHAT_AGE_MIN)),
        cross_bot: values.flag(keys::CHAT_CROSS_BOT),
        private: values.flag(keys::CHAT_PRIVATE),
        idle: minutes(values.whole(keys::CHAT_IDLE)),
        patience: minutes(values.whole(keys::CHAT_SEARCH)),
        searches_max: byte(values.small(keys::CHAT_SEARCHES)),
        flood_messages: values.small(keys::CHAT_FLOOD),
        flood_per: values.seconds(keys::CHAT_FLOOD_PER),
        reports_max: byte(values.small(keys::CHAT_REPORTS)),
        shut_out_for: minutes(60 * values.whole(keys::CHAT_SHUT_OUT)),
        seats: values.small(keys::CHAT_SEATS),
        channels: channels(values),
        referrals: values.flag(keys::CHAT_REFERRALS),
        referral_days: values.small(keys::CHAT_REFERRAL_DAYS),
        referral_percent: values.small(keys::CHAT_REFERRAL_PERCENT),
        referral_cap: values.small(keys::CHAT_REFERRAL_CAP),
        admin_chat: chat_number(values, keys::CHAT_ADMIN_CHAT),
        alerts: values.flag(keys::CHAT_ALERTS),
        card: card(values),
        media_channel: chat_number(values, keys::CHAT_MEDIA),
        admin_language: ["ar", "en", "fa"][values.one_of(keys::CHAT_ADMIN_LANGUAGE).unwrap_or(1).min(2)],
        texts_dir: values.path(keys::CHAT_TEXTS_DIR),
    }
}

/// All that are named, each once.
fn channels(values: &mut Values<'_>) -> Vec<Channel> {
    let singles = [keys::CHAT_CHANNEL_1, keys::CHAT_CHANNEL_2];
    let mut items: Vec<_> =
        values.list(keys::CHAT_CHANNELS).into_iter().map(|item| (keys::CHAT_CHANNELS, item)).collect();
    items.extend(singles.into_iter().filter_map(|id| Some((id, values.item(id)?))));
    let mut read: Vec<Channel> = Vec::new();
    for (id, item) in items {
        match Channel::read(&item.text) {
            Some(channel) if read.contains(&channel) => {}
            Some(channel) if read.len() < CHANNELS_MAX => read.push(channel),
            found => {
                let what = match found {
                    Some(_) => format!("more than {CHANNELS_MAX} channels"),
                    None => format!("`{}` is no channel", item.text),
                };
                let remedy =
                    "write @name, or the number and the link of a private one: -100123=https://t.me/+abc";
                values.problems.add(&item.origin, id.key().dotted(), what, remedy.to_owned());
            }
        }
    }
    read
}

/// A card and its owner. An owner without a card is a mistake.
fn card(values: &mut Values<'_>) -> Option<(String, String)> {
    let (card, payee) = (values.text(keys::CHAT_CARD), values.text(keys::CHAT_PAYEE));
    if card.is_none() && payee.is_some() {
        let origin = values.origin(keys::CHAT_PAYEE);
        let (what, remedy) =
            ("names whose card it is, and there is no card", "set PAYMENT_CARD_NUMBER as well");
        values.problems.add(&origin, keys::CHAT_PAYEE.key().dotted(), what.to_owned(), remedy.to_owned());
    }
    card.map(|card| (card, payee.unwrap_or_default()))
}

/// The number of a group or channel.
fn chat_number(values: &mut Values<'_>, id: KeyId) -> Option<i64> {
    let item = values.item(id)?;
    let number = item.text.trim().parse().ok().filter(|number| *number < 0);
    if number.is_none() {
        let what = format!("`{}` is not the number of a group or channel", item.text);
        let remedy = "write it as the platform has it, negative: -1001234567890".to_owned();
        values.problems.add(&item.origin, id.key().dotted(), what, remedy);
    }
    number
}

/// A list of `amount:price`, each from 1 to 10,000.
fn prices(values: &mut Values<'_>, id: KeyId) -> Vec<(u32, u32)> {
    let key = id.key();
    let default = || {
        let item = |text: &str| Item { text: text.to_owned(), origin: Origin::Default };
        key.default.split(',').map(item).collect()
    };
    let items: Vec<Item> = if values.is_given(id) { values.list(id) } else { default() };
    let number = |text: &str| text.trim().parse().ok().filter(|n| (1..=10_000).contains(n));
    let mut read = Vec::new();
    for item in items {
        let pair =
            item.text.split_once(':').and_then(|(amount, price)| Some((number(amount)?, number(price)?)));
        match pair {
            Some(pair) => read.push(pair),
            None => values.problems.add(
                &item.origin,
                key.dotted(),
                format!("`{}` is not two numbers from 1 to 10000 with a colon between them", item.text),
                format!("write it like {}", key.default),
            ),
        }
    }
    read
}
