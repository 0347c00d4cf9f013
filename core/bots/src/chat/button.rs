//! What a button carries: 1 to 64 bytes of plain ASCII that come back when it is pressed.
//!
//! The platform hands back whatever a client sends, and old messages keep their buttons. So what acts on a
//! chat carries that chat's number and means no other one.

use super::profile::{Gender, Wanted};
use super::shop::Offer;
use super::texts::{Key, Language};
use nobat_core::id::PairNo;

/// A pressed button, read but not yet believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Button {
    Find,
    Cancel,
    Menu,
    Profile,
    Help,
    Languages,
    Language(Language),
    Genders,
    Gender(Gender),
    Age,
    WantedList,
    Wanted(Wanted),
    /// He says that he has joined the required channels.
    Joined,
    Referral,
    /// What a VIP has, and what it costs.
    Vip,
    /// This offer, by its invoice.
    Buy(Offer),
    /// Keeps the partner in this chat for so many minutes.
    LockFor(u16, PairNo),
    /// What one may do in this chat.
    InChat(Act, PairNo),
}

/// What one may do in a chat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    Next,
    Stop,
    Report,
    Block,
    Lock,
}

impl Act {
    pub(super) const ALL: [Self; 5] = [Self::Next, Self::Stop, Self::Report, Self::Block, Self::Lock];

    const fn word(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Stop => "stop",
            Self::Report => "report",
            Self::Block => "block",
            Self::Lock => "lock",
        }
    }

    /// The act with this name, as a command or in a button.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.word() == word)
    }

    pub(super) const fn label(self) -> Key {
        match self {
            Self::Next => Key::ButtonNext,
            Self::Stop => Key::ButtonStop,
            Self::Report => Key::ButtonReport,
            Self::Block => Key::ButtonBlock,
            Self::Lock => Key::ButtonLock,
        }
    }
}

impl Button {
    /// Buttons that carry nothing, with their data.
    const PLAIN: [(Self, &'static str); 12] = [
        (Self::Find, "find"),
        (Self::Cancel, "cancel"),
        (Self::Menu, "menu"),
        (Self::Profile, "profile"),
        (Self::Help, "help"),
        (Self::Languages, "languages"),
        (Self::Genders, "genders"),
        (Self::Age, "age"),
        (Self::WantedList, "wanted"),
        (Self::Vip, "vip"),
        (Self::Joined, "joined"),
        (Self::Referral, "referral"),
    ];

    pub(super) fn data(self) -> String {
        match self {
            Self::Language(language) => format!("l:{}", language.tag()),
            Self::Gender(gender) => format!("g:{}", gender as u8),
            Self::Wanted(wanted) => format!("w:{}", wanted as u8),
            Self::Buy(offer) => format!("b:{}", offer.payload()),
            Self::LockFor(minutes, pair) => format!("k:{minutes}:{:x}", pair.0),
            Self::InChat(act, pair) => format!("{}:{:x}", act.word(), pair.0),
            plain => {
                let found = Self::PLAIN.iter().find(|(button, _)| *button == plain);
                found.map_or_else(String::new, |(_, data)| (*data).to_owned())
            }
        }
    }

    pub(super) fn read(data: &str) -> Option<Self> {
        let Some((word, value)) = data.split_once(':') else {
            return Self::PLAIN.iter().find(|(_, plain)| *plain == data).map(|(button, _)| *button);
        };
        match word {
            "l" => Language::from_tag(value).map(Self::Language),
            "g" => Gender::from_u8(value.parse().ok()?).map(Self::Gender),
            "w" => Wanted::from_u8(value.parse().ok()?).map(Self::Wanted),
            "b" => Offer::read(value).map(Self::Buy),
            "k" => {
                let (minutes, pair) = value.split_once(':')?;
                Some(Self::LockFor(minutes.parse().ok()?, pair_no(pair)?))
            }
            _ => Some(Self::InChat(Act::of(word)?, pair_no(value)?)),
        }
    }
}

fn pair_no(hex: &str) -> Option<PairNo> {
    u64::from_str_radix(hex, 16).ok().map(PairNo)
}

#[cfg(test)]
mod tests {
    use super::super::purse::Gave;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn buttons_survive_and_fit_64_bytes(pair: u64, amount: u32, stars: u32, days: u16) {
            let mut all: Vec<_> = Button::PLAIN.iter().map(|(button, _)| *button).collect();
            all.extend(Language::ALL.map(Button::Language));
            all.extend(Gender::ALL.map(Button::Gender));
            all.extend(Wanted::ALL.map(Button::Wanted));
            all.extend(Act::ALL.map(|act| Button::InChat(act, PairNo(pair))));
            all.push(Button::Buy(Offer { gives: Gave::Credits(amount), stars }));
            all.push(Button::Buy(Offer { gives: Gave::Days(days), stars }));
            all.push(Button::LockFor(days, PairNo(pair)));
            for button in all {
                let data = button.data();
                prop_assert!((1..=64).contains(&data.len()), "{data}");
                prop_assert_eq!(Button::read(&data), Some(button));
            }
        }

        #[test]
        fn any_data_is_read_without_a_panic(data: String, tail in "[glwbk]:[0-9a-fz:+-]{0,60}") {
            let _ = (Button::read(&data), Button::read(&tail));
        }
    }
}
