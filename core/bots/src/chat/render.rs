//! A payload into words and buttons, at the moment of sending.

use super::Settings;
use super::button::{Act, Button as Data};
use super::profile::{Gender, Profile, Wanted};
use super::say::Say;
use super::texts::{Key, Language};
use nobat_core::bot::{Action, Button, Call};
use nobat_core::id::PairNo;

type Keyboard = Vec<Vec<Button>>;

/// What is needed to find words.
pub(super) struct Voice<'a> {
    pub(super) settings: &'a Settings,
}

impl Voice<'_> {
    pub(super) fn call(&self, say: Say) -> Call {
        match say {
            Say::Text { language, key } => self.text(language, key, &[]),
            Say::Number { language, key, number } => {
                let number = number.to_string();
                self.text(language, key, &[("seconds", &number), ("minutes", &number), ("hours", &number)])
            }
            Say::Own { language, profile, vip } => Call::Text {
                text: self.profile(language, Key::Profile, profile),
                keyboard: self.own_keyboard(language, vip),
            },
            Say::Met { language, pair, profile } => Call::Text {
                text: self.profile(language, Key::Met, profile),
                keyboard: self.in_chat(language, pair),
            },
            Say::WantedSet { language, wanted } => {
                let wanted = self.settings.texts.get(language, wanted.key());
                self.text(language, Key::WantedSet, &[("wanted", wanted)])
            }
            Say::Pressed { language, id, notice } => Call::AnswerCallback {
                id,
                text: notice.map_or_else(String::new, |key| self.settings.texts.say(language, key, &[])),
                alert: false,
            },
            Say::Relayed { text } => Call::Text { text, keyboard: Vec::new() },
        }
    }

    fn text(&self, language: Language, key: Key, values: &[(&str, &str)]) -> Call {
        let (min, max) = (self.settings.age_min.to_string(), super::AGE_MAX.to_string());
        let mut all = vec![("min", min.as_str()), ("max", max.as_str())];
        all.extend_from_slice(values);
        Call::Text {
            text: self.settings.texts.say(language, key, &all),
            keyboard: self.keyboard(language, key),
        }
    }

    fn profile(&self, language: Language, key: Key, profile: Profile) -> String {
        let gender = self.settings.texts.get(language, profile.gender.key());
        let (age, chats) = (profile.age.to_string(), profile.chats.to_string());
        self.settings.texts.say(language, key, &[("gender", gender), ("age", &age), ("chats", &chats)])
    }

    fn keyboard(&self, language: Language, key: Key) -> Keyboard {
        let button = |key, data| self.button(language, key, data);
        match key {
            Key::LanguageAsk => {
                let row = Language::ALL.map(|language| Button {
                    text: language.own_name().to_owned(),
                    action: Action::Callback(Data::Language(language).data()),
                });
                vec![row.to_vec()]
            }
            Key::GenderAsk => vec![Gender::ALL.map(|g| button(g.key(), Data::Gender(g))).to_vec()],
            Key::WantedAsk => vec![Wanted::ALL.map(|w| button(w.key(), Data::Wanted(w))).to_vec()],
            Key::Searching | Key::SearchingAlready | Key::LeftNext => {
                vec![vec![button(Key::ButtonCancel, Data::Cancel)]]
            }
            Key::Ready
            | Key::Menu
            | Key::Cancelled
            | Key::LeftSelf
            | Key::PartnerLeft
            | Key::PartnerGone
            | Key::IdleEnd
            | Key::NobodyFound
            | Key::NotChatting
            | Key::ReportedSelf
            | Key::BlockedSelf => self.menu(language),
            Key::Help | Key::Privacy | Key::WantedSet => {
                vec![vec![button(Key::ButtonMenu, Data::Menu)]]
            }
            _ => Vec::new(),
        }
    }

    fn menu(&self, language: Language) -> Keyboard {
        let button = |key, data| self.button(language, key, data);
        vec![
            vec![button(Key::ButtonFind, Data::Find)],
            vec![
                button(Key::ButtonProfile, Data::Profile),
                button(Key::ButtonLanguage, Data::Languages),
                button(Key::ButtonHelp, Data::Help),
            ],
        ]
    }

    fn own_keyboard(&self, language: Language, vip: bool) -> Keyboard {
        let button = |key, data| self.button(language, key, data);
        let mut rows =
            vec![vec![button(Key::ButtonGender, Data::Genders), button(Key::ButtonAge, Data::Age)]];
        if vip {
            rows.push(vec![button(Key::ButtonWanted, Data::WantedList)]);
        }
        rows.push(vec![button(Key::ButtonMenu, Data::Menu)]);
        rows
    }

    fn in_chat(&self, language: Language, pair: PairNo) -> Keyboard {
        let acts = Act::ALL.map(|act| self.button(language, act.label(), Data::InChat(act, pair)));
        acts.chunks(2).map(<[Button]>::to_vec).collect()
    }

    fn button(&self, language: Language, label: Key, data: Data) -> Button {
        let text = self.settings.texts.get(language, label).to_owned();
        Button { text, action: Action::Callback(data.data()) }
    }
}
