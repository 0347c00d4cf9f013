//! Who someone is: language, gender, age, and changing them later.

use super::Turn;
use crate::chat::AGE_MAX;
use crate::chat::event::Event;
use crate::chat::profile::{Gender, Wanted};
use crate::chat::say::Say;
use crate::chat::texts::{Key, Language};
use crate::text::ascii_digits;

impl Turn<'_> {
    /// Asks for the first thing that is missing.
    pub(super) fn ask_what_is_missing(&mut self) {
        self.plain(match (self.state.language, self.state.gender, self.state.age) {
            (None, ..) => Key::LanguageAsk,
            (_, None, _) => Key::GenderAsk,
            (_, _, 0) => Key::AgeAsk,
            _ => Key::Ready,
        });
    }

    pub(super) fn speak(&mut self, language: Language) {
        self.happened(Event::LanguageSet(language));
        if self.state.profile().is_none() { self.ask_what_is_missing() } else { self.begin() }
    }

    pub(super) fn be(&mut self, gender: Gender) {
        if !self.is_apart() {
            return self.plain(Key::NotNow);
        }
        self.happened(Event::GenderSet(gender));
        if self.state.profile().is_none() { self.ask_what_is_missing() } else { self.own_profile() }
    }

    pub(super) fn ask_age(&mut self) {
        self.happened(Event::AgeAsked(true));
        self.plain(Key::AgeAsk);
    }

    /// A text of someone who is asked for something.
    pub(super) fn registering(&mut self, text: &str) {
        if self.state.language.is_none() || self.state.gender.is_none() {
            return self.ask_what_is_missing();
        }
        match ascii_digits(text.trim()).parse().unwrap_or(0u8) {
            age if age == 0 || age > AGE_MAX => self.plain(Key::AgeWrong),
            age if age < self.settings.age_min => self.plain(Key::AgeYoung),
            age => {
                let new = self.state.age == 0;
                self.happened(Event::AgeSet(age));
                if new {
                    self.arrived();
                    self.plain(Key::Ready);
                    // From here on the engine knows on which bot to tell him something of its own accord.
                    self.arm_again();
                } else {
                    self.own_profile();
                }
            }
        }
    }

    pub(super) fn own_profile(&mut self) {
        let (language, vip) = (self.language(), self.state.is_vip(self.now()));
        if let Some(profile) = self.state.profile() {
            self.say(&Say::Own { language, profile, vip });
        }
    }

    pub(super) fn wish(&mut self, wanted: Wanted) {
        self.happened(Event::WantedSet(wanted));
        let language = self.language();
        self.say(&Say::WantedSet { language, wanted });
    }
}
