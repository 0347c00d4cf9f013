//! What the bot says: two resource files, and the operator's own words over them.
//!
//! ```text
//! # a comment
//! [key]
//! The text, as many lines as it needs, with {placeholders}.
//! ```
//! What lives here: [`Texts`], its parser with line-numbered errors, and [`Texts::say`], which inserts
//! values between isolates. The shell reads the operator's files and passes their contents in.

use crate::text::bidi::push_isolated;

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

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident = $name:literal [$($placeholder:literal)*] $max:expr;)*) => {
        /// Names a text. The numbers are durable: new ones go to the end.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Key { $($(#[$doc])* $key),* }

        impl Key {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$key),*];

            /// As in the files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$key => $name),* }
            }

            /// What may be inserted.
            #[must_use]
            pub const fn placeholders(self) -> &'static [&'static str] {
                match self { $(Self::$key => &[$($placeholder),*]),* }
            }

            const fn chars_max(self) -> usize {
                match self { $(Self::$key => $max),* }
            }
        }
    };
}

keys! {
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

impl Key {
    /// The key with this number.
    #[must_use]
    pub fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }
}

/// What is wrong with a file of texts, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TextError {
    /// Counted from 1.
    pub line: usize,
    /// What, and what to do.
    pub what: String,
}

/// Every text in every language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Texts {
    texts: [Vec<Box<str>>; Language::ALL.len()],
}

impl Default for Texts {
    /// The built-in ones.
    fn default() -> Self {
        let mut texts = Self { texts: Language::ALL.map(|_| vec!["".into(); Key::ALL.len()]) };
        for (language, file) in
            [(Language::Arabic, include_str!("ar.txt")), (Language::English, include_str!("en.txt"))]
        {
            let result = texts.replace(language, file);
            debug_assert_eq!(result, Ok(()), "the built-in texts are checked by a test");
        }
        texts
    }
}

impl Texts {
    /// Puts the operator's words over those of a language; keys that are not in `file` stay.
    ///
    /// # Errors
    /// Every [`TextError`] of the file; nothing is replaced then.
    pub fn replace(&mut self, language: Language, file: &str) -> Result<(), Vec<TextError>> {
        let parsed = parse(file)?;
        for (key, text) in parsed {
            self.texts[language as usize][key as usize] = text;
        }
        Ok(())
    }

    /// A text without values.
    #[must_use]
    pub fn get(&self, language: Language, key: Key) -> &str {
        &self.texts[language as usize][key as usize]
    }

    /// A text with its values, each between isolates and without controls of its own.
    #[must_use]
    pub fn say(&self, language: Language, key: Key, values: &[(&str, &str)]) -> String {
        let template = self.get(language, key);
        let mut out = String::with_capacity(template.len() + 64);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            if let Some((_, value)) = values.iter().find(|(n, _)| *n == name) {
                push_isolated(&mut out, value);
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

type Parsed = Vec<(Key, Box<str>)>;

fn parse(file: &str) -> Result<Parsed, Vec<TextError>> {
    let (mut found, mut errors) = (Parsed::new(), Vec::new());
    let mut open: Option<(usize, Key, String)> = None;
    let mut close = |open: &mut Option<(usize, Key, String)>, errors: &mut Vec<TextError>| {
        let Some((line, key, text)) = open.take() else { return };
        match check(key, text.trim()) {
            Ok(()) => found.push((key, text.trim().into())),
            Err(what) => errors.push(TextError { line, what }),
        }
    };
    let mut seen = Vec::new();
    let mut skipping = false;
    for (i, line) in file.trim_start_matches('\u{feff}').lines().enumerate() {
        let (number, mut say) = (i + 1, |what| errors.push(TextError { line: i + 1, what }));
        let header = line.trim().strip_prefix('[').and_then(|l| l.strip_suffix(']'));
        match header {
            Some(name) => {
                skipping = false;
                match Key::ALL.iter().find(|k| k.name() == name) {
                    None => {
                        skipping = true;
                        say(format!("there is no text `{name}`"));
                    }
                    Some(key) if seen.contains(key) => say(format!("the text `{name}` stands here again")),
                    Some(key) => seen.push(*key),
                }
                close(&mut open, &mut errors);
                open = Key::ALL.iter().find(|k| k.name() == name).map(|k| (number, *k, String::new()));
            }
            None if line.starts_with('#') || skipping => {}
            None => match &mut open {
                Some((_, _, text)) => {
                    text.push_str(line.trim_end());
                    text.push('\n');
                }
                None if line.trim().is_empty() => {}
                None => say("a text before the first `[key]`".to_owned()),
            },
        }
    }
    close(&mut open, &mut errors);
    errors.sort_by_key(|e| e.line);
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

fn check(key: Key, text: &str) -> Result<(), String> {
    let name = key.name();
    if text.is_empty() {
        return Err(format!("the text `{name}` is empty: leave it out to keep the built-in one"));
    }
    let chars = text.chars().count();
    if chars > key.chars_max() {
        return Err(format!("the text `{name}` has {chars} characters, at most {} fit", key.chars_max()));
    }
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let placeholder = rest[at..].strip_prefix('{').and_then(|r| r.split_once('}'));
        let Some((inner, after)) = placeholder else {
            return Err(format!("a lone brace in `{name}`: braces only hold placeholders"));
        };
        if !key.placeholders().contains(&inner) {
            let known = match key.placeholders() {
                [] => "it has none".to_owned(),
                known => format!("it has {{{}}}", known.join("} {")),
            };
            return Err(format!("`{{{inner}}}` is no placeholder of `{name}`: {known}"));
        }
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::bidi::{FSI, PDI};

    #[test]
    fn every_text_is_there_in_every_language() {
        for (language, file) in [("ar", include_str!("ar.txt")), ("en", include_str!("en.txt"))] {
            let mut keys: Vec<_> = parse(file).unwrap().into_iter().map(|(key, _)| key as u8).collect();
            keys.sort_unstable();
            assert_eq!(keys, (0..Key::ALL.len() as u8).collect::<Vec<_>>(), "{language}");
        }
    }

    #[test]
    fn the_operators_words_replace_only_what_they_name() {
        let mut texts = Texts::default();
        let help = texts.get(Language::Arabic, Key::Help).to_owned();
        texts.replace(Language::Arabic, "\u{feff}# ours\n[not_found]\n\nلا يوجد {number}\nأبداً\n\n").unwrap();
        let said = texts.say(Language::Arabic, Key::NotFound, &[("number", "12\u{202e}3")]);
        assert_eq!(said, format!("لا يوجد {FSI}123{PDI}\nأبداً"));
        assert_eq!(texts.get(Language::Arabic, Key::Help), help);
    }

    #[test]
    fn every_mistake_is_told_with_its_line_and_nothing_is_replaced() {
        let mut texts = Texts::default();
        let file = "text\n[nobody]\nskipped {x}\n[wait]\n{place} {sec}\n[help]\na } b\n[wait]\n\n[next]\n";
        let long = "x".repeat(61);
        let errors = texts.replace(Language::English, &(file.to_owned() + &long)).unwrap_err();
        let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "line 1: a text before the first `[key]`",
                "line 2: there is no text `nobody`",
                "line 4: `{sec}` is no placeholder of `wait`: it has {place} {seconds}",
                "line 6: a lone brace in `help`: braces only hold placeholders",
                "line 8: the text `wait` stands here again",
                "line 8: the text `wait` is empty: leave it out to keep the built-in one",
                "line 10: the text `next` has 61 characters, at most 60 fit",
            ]
        );
        assert_eq!(texts, Texts::default());
    }

    #[test]
    fn a_value_cannot_insert_another_value() {
        let texts = Texts::default();
        let said = texts.say(Language::English, Key::Several, &[("name", "{count}"), ("count", "7")]);
        assert!(said.contains("{count}") && said.contains('7'));
    }
}
