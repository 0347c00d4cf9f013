//! What the bot says: a resource file a language, and the operator's own words over them.
//!
//! What lives here: [`Language`], [`Key`] (which texts there are) and [`Texts`]. The format of the files is
//! [`crate::text::phrases`]. The shell reads the operator's files and passes their contents in.

use crate::text::catalogue::{self, Tongue};
pub use crate::text::phrases::TextError;
use crate::text::phrases::{TextKey, text_keys};

/// Characters of one text, at most: room for the values within Telegram's 4,096.
const TEXT_CHARS_MAX: usize = 3_000;
/// Characters of a text on a button or in a notice, at most.
const SHORT_CHARS_MAX: usize = 60;

/// A language of the bot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
#[repr(u8)]
pub enum Language {
    /// Arabic; everybody's until he chooses.
    #[default]
    Arabic = 0,
    /// English.
    English = 1,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Arabic, Self::English];

    /// The language with this number.
    #[must_use]
    pub fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }

    /// As in a file's name: `ar`, `en`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Arabic => "ar",
            Self::English => "en",
        }
    }

    /// The language with this tag.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.tag() == tag)
    }
}

impl Tongue for Language {
    const ALL: &'static [Self] = &Self::ALL;

    fn index(self) -> usize {
        self as usize
    }

    fn file(self) -> &'static str {
        match self {
            Self::Arabic => include_str!("ar.txt"),
            Self::English => include_str!("en.txt"),
        }
    }
}

text_keys! {
    /// The welcome.
    Start = "start" ["example"] TEXT_CHARS_MAX;
    /// The help.
    Help = "help" ["example"] TEXT_CHARS_MAX;
    /// Follows welcome, help and wrong format where names are understood.
    ByName = "by_name" [] TEXT_CHARS_MAX;
    /// Above the keyboard of languages.
    LanguageAsk = "language_ask" [] TEXT_CHARS_MAX;
    /// After a choice, in the language chosen.
    LanguageSet = "language_set" [] TEXT_CHARS_MAX;
    /// Neither a number nor anything else.
    WrongFormat = "wrong_format" ["example"] TEXT_CHARS_MAX;
    /// The same where a code is required.
    WrongFormatCode = "wrong_format_code" ["example"] TEXT_CHARS_MAX;
    /// Asked before the hour, by number.
    Noted = "noted" ["number"] TEXT_CHARS_MAX;
    /// Asked before the hour, by name.
    NotedName = "noted_name" ["name"] TEXT_CHARS_MAX;
    /// Asked the same again before the hour.
    NotedAlready = "noted_already" [] TEXT_CHARS_MAX;
    /// Asked for too many before the hour.
    NotedEnough = "noted_enough" [] TEXT_CHARS_MAX;
    /// The gate is open and there is no data set.
    NotThere = "not_there" [] TEXT_CHARS_MAX;
    /// No such number.
    NotFound = "not_found" ["number"] TEXT_CHARS_MAX;
    /// No such number with such a code; does not say which of the two is wrong.
    NotFoundCode = "not_found_code" ["number"] TEXT_CHARS_MAX;
    /// Nobody of that name.
    NotFoundName = "not_found_name" ["name"] TEXT_CHARS_MAX;
    /// Above the keyboard of candidates.
    Several = "several" ["name" "count"] TEXT_CHARS_MAX;
    /// The same if there are more than fit.
    SeveralMore = "several_more" ["name" "count"] TEXT_CHARS_MAX;
    /// Below a candidate's name, school and governorate where marks need the number.
    Candidate = "candidate" [] TEXT_CHARS_MAX;
    /// A long wait, told once.
    Wait = "wait" ["place" "seconds"] TEXT_CHARS_MAX;
    /// Too many messages.
    SlowDown = "slow_down" ["seconds"] TEXT_CHARS_MAX;
    /// Too many wrong numbers.
    Misses = "misses" ["minutes"] TEXT_CHARS_MAX;
    /// A button of a list that is not current any more.
    Changed = "changed" [] 180;
    /// On the button that leads to the user's own lane.
    Handoff = "handoff" [] SHORT_CHARS_MAX;
    /// On the button to the next page.
    Next = "next" [] SHORT_CHARS_MAX;
    /// On the button to the page before.
    Previous = "previous" [] SHORT_CHARS_MAX;
    /// Before the number on a card.
    LabelNumber = "label_number" [] SHORT_CHARS_MAX;
    /// Before the name on a card.
    LabelName = "label_name" [] SHORT_CHARS_MAX;
}

/// Every text in every language.
pub type Texts = catalogue::Texts<Language, Key>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::phrases::Phrases;

    #[test]
    fn every_text_is_there_in_every_language() {
        for language in Language::ALL {
            let phrases = Phrases::<Key>::new(language.file());
            assert_eq!(phrases.map(|p| p.missing()), Ok(None), "{}", language.tag());
        }
    }
}
