//! Settings that administrators may change while the bot runs: `/set KEY VALUE`, `/get`.
//!
//! What lives here: the table of them. Each has the name of its configuration key, reads a value into
//! [`Settings`] or says what is wrong with it, and writes it as it would be read. What an administrator sets
//! stands over the configuration until he takes it back.

use super::common::Common;
use super::gate::{CHANNELS_MAX, Channel};
use super::purse::Gave;
use super::shop::{LockOffer, Offer};
use super::{AGE_MAX, Settings};
use core::time::Duration;

type Read = fn(&mut Settings, &str) -> Result<(), &'static str>;

/// One of them.
pub(super) struct Knob {
    pub name: &'static str,
    read: Read,
    pub write: fn(&Settings) -> String,
}

const NUMBER: &str = "not a whole number, or out of bounds";
const SWITCH: &str = "neither on nor off";

/// All of them, sorted by name.
pub(super) const KNOBS: &[Knob] = &[
    knob("age_min", |s, v| put(&mut s.age_min, number(v, 13, AGE_MAX.into())?), |s| s.age_min.to_string()),
    knob(
        "credit_packages",
        |s, v| {
            s.shop.credits = prices(v)?.map(|(n, stars)| offer(Gave::Credits(n), stars)).collect();
            Ok(())
        },
        |s| s.shop.credits.iter().map(Offer::pair).collect::<Vec<_>>().join(","),
    ),
    knob(
        "filter_contacts",
        |s, v| {
            s.private = switch(v)?;
            Ok(())
        },
        |s| on_off(s.private),
    ),
    knob(
        "flood_messages",
        |s, v| put(&mut s.flood_messages, number(v, 1, 256)?),
        |s| s.flood_messages.to_string(),
    ),
    knob(
        "flood_seconds",
        |s, v| {
            s.flood_per = Duration::from_secs(number(v, 1, 3_600)?.into());
            Ok(())
        },
        |s| s.flood_per.as_secs().to_string(),
    ),
    knob("idle_minutes", |s, v| minutes(&mut s.idle, v, 1440), |s| in_minutes(s.idle)),
    knob(
        "lock_prices",
        |s, v| {
            let lock = |(minutes, credits): (u32, u32)| {
                let minutes = u16::try_from(minutes).map_err(|_| NUMBER)?;
                Ok(LockOffer { minutes, credits })
            };
            s.shop.locks = prices(v)?.map(lock).collect::<Result<_, &'static str>>()?;
            Ok(())
        },
        |s| {
            let pairs = s.shop.locks.iter().map(|lock| format!("{}:{}", lock.minutes, lock.credits));
            pairs.collect::<Vec<_>>().join(",")
        },
    ),
    knob(
        "protect_content",
        |s, v| {
            s.protect = switch(v)?;
            Ok(())
        },
        |s| on_off(s.protect),
    ),
    knob(
        "referral_days",
        |s, v| put(&mut s.rewards.days, number(v, 0, 365)?),
        |s| s.rewards.days.to_string(),
    ),
    knob(
        "referral_percent",
        |s, v| put(&mut s.rewards.percent, number(v, 0, 100)?),
        |s| s.rewards.percent.to_string(),
    ),
    knob(
        "referrals_per_day",
        |s, v| put(&mut s.rewards.per_day, number(v, 0, 10_000)?),
        |s| s.rewards.per_day.to_string(),
    ),
    knob(
        "reports_to_shut_out",
        |s, v| put(&mut s.reports_max, number(v, 1, 255)?),
        |s| s.reports_max.to_string(),
    ),
    knob(
        "required_channels",
        |s, v| {
            let words = v.split([',', ' ']).filter(|word| !word.is_empty());
            let read = |word| Channel::read(word).ok_or("a channel is @name, or its number=https://link");
            let channels: Vec<_> = words.map(read).collect::<Result<_, _>>()?;
            if channels.len() > CHANNELS_MAX {
                return Err("more than 8 channels");
            }
            s.channels = channels;
            Ok(())
        },
        |s| {
            let text = |channel: &Channel| match channel.name.starts_with('@') || channel.link.is_empty() {
                true => channel.name.clone(),
                false => format!("{}={}", channel.name, channel.link),
            };
            s.channels.iter().map(text).collect::<Vec<_>>().join(",")
        },
    ),
    knob("search_minutes", |s, v| minutes(&mut s.patience, v, 1440), |s| in_minutes(s.patience)),
    knob(
        "searches_per_minute",
        |s, v| put(&mut s.looks_max, number(v, 1, 255)?),
        |s| s.looks_max.to_string(),
    ),
    knob(
        "shut_out_hours",
        |s, v| minutes(&mut s.shut_out_for, v, 8760).map(|()| s.shut_out_for *= 60),
        |s| (s.shut_out_for.as_secs() / 3600).to_string(),
    ),
    knob(
        "vip_plans",
        |s, v| {
            let plan = |(days, stars): (u32, u32)| {
                let days = u16::try_from(days).map_err(|_| NUMBER)?;
                Ok(offer(Gave::Days(days), stars))
            };
            s.shop.vip = prices(v)?.map(plan).collect::<Result<_, &'static str>>()?;
            Ok(())
        },
        |s| s.shop.vip.iter().map(Offer::pair).collect::<Vec<_>>().join(","),
    ),
];

const fn knob(name: &'static str, read: Read, write: fn(&Settings) -> String) -> Knob {
    Knob { name, read, write }
}

impl Knob {
    /// The one with this name.
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        KNOBS.iter().find(|knob| knob.name == name)
    }

    /// The settings with this value.
    pub(super) fn set(&self, settings: &mut Settings, value: &str) -> Result<(), &'static str> {
        (self.read)(settings, if value == "none" { "" } else { value })
    }
}

impl Settings {
    /// The same with what administrators have set over it. What this version does not understand any more is left
    /// as the configuration has it.
    #[must_use]
    pub fn under(&self, common: &Common) -> Self {
        let mut settings = self.clone();
        for (key, value) in &common.values {
            let mut with = settings.clone();
            if Knob::of(key).is_some_and(|knob| knob.set(&mut with, value).is_ok()) {
                settings = with;
            }
        }
        settings
    }
}

fn put<T: TryFrom<u32>>(place: &mut T, n: u32) -> Result<(), &'static str> {
    *place = T::try_from(n).map_err(|_| NUMBER)?;
    Ok(())
}

fn number(text: &str, min: u32, max: u32) -> Result<u32, &'static str> {
    text.trim().parse().ok().filter(|n| (min..=max).contains(n)).ok_or(NUMBER)
}

fn minutes(place: &mut Duration, text: &str, max: u32) -> Result<(), &'static str> {
    *place = Duration::from_secs(60 * u64::from(number(text, 1, max)?));
    Ok(())
}

fn in_minutes(time: Duration) -> String {
    (time.as_secs() / 60).to_string()
}

fn switch(text: &str) -> Result<bool, &'static str> {
    match text.trim() {
        "on" | "true" | "yes" | "1" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err(SWITCH),
    }
}

fn on_off(on: bool) -> String {
    String::from(if on { "on" } else { "off" })
}

const fn offer(gives: Gave, stars: u32) -> Offer {
    Offer { gives, stars }
}

/// A list of `amount:price`, each from 1 to 10,000; may be empty.
fn prices(text: &str) -> Result<impl Iterator<Item = (u32, u32)>, &'static str> {
    const WRONG: &str = "a price list is like 7:100,30:300, with numbers from 1 to 10000";
    let pair = |item: &str| {
        let (amount, price) = item.split_once(':').ok_or(WRONG)?;
        let n = |text| number(text, 1, 10_000).map_err(|_| WRONG);
        Ok((n(amount)?, n(price)?))
    };
    let items = text.split(',').filter(|item| !item.trim().is_empty());
    let list: Vec<_> = items.map(pair).collect::<Result<_, &'static str>>()?;
    if list.len() > 16 { Err("more than 16 prices") } else { Ok(list.into_iter()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_setting_is_written_as_it_is_read() {
        let mut settings = Settings::default();
        let values = [
            ("age_min", "18"),
            ("credit_packages", "5:50,20:150"),
            ("filter_contacts", "off"),
            ("flood_messages", "5"),
            ("flood_seconds", "30"),
            ("idle_minutes", "7"),
            ("lock_prices", "5:1,10:2"),
            ("protect_content", "on"),
            ("referral_days", "3"),
            ("referral_percent", "15"),
            ("referrals_per_day", "9"),
            ("reports_to_shut_out", "2"),
            ("required_channels", "@some_news,-1001=https://t.me/+x"),
            ("search_minutes", "3"),
            ("searches_per_minute", "7"),
            ("shut_out_hours", "48"),
            ("vip_plans", "7:100"),
        ];
        assert_eq!(values.map(|(name, _)| name).to_vec(), KNOBS.iter().map(|k| k.name).collect::<Vec<_>>());
        for (name, value) in values {
            let knob = Knob::of(name).expect("known");
            assert_ne!((knob.write)(&settings), value, "{name}");
            knob.set(&mut settings, value).expect(name);
            assert_eq!((knob.write)(&settings), value, "{name}");
            assert!(knob.set(&mut settings.clone(), "-1 nonsense").is_err(), "{name}");
        }
        assert!(KNOBS.windows(2).all(|two| two[0].name < two[1].name));
    }

    proptest! {
        #[test]
        fn any_value_is_taken_or_refused_and_a_refused_one_changes_nothing(value: String, of in 0..KNOBS.len()) {
            let settings = Settings::default();
            let common = Common { values: vec![(KNOBS[of].name.into(), value.into())], ..Common::default() };
            let _ = settings.under(&common);
        }
    }
}
