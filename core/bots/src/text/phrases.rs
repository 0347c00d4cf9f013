//! What a kind says, as resources: one file a language, and the operator's own words over them.
//!
//! ```text
//! # a comment, wherever a line begins so
//! [key]
//! The text, as many lines as it needs, with {placeholders}.
//! ```
//! What lives here: [`Phrases`], its parser with line-numbered errors, and [`Phrases::say`], which inserts
//! values between isolates. A kind names its texts by a [`TextKey`], made by `text_keys!`; the shell reads the
//! operator's files.

use super::bidi::push_isolated;

/// Names the texts of one kind.
pub trait TextKey: Copy + Eq + 'static {
    /// All of them, in the order of [`TextKey::index`].
    const ALL: &'static [Self];
    /// As in the files.
    fn name(self) -> &'static str;
    /// What may be inserted.
    fn placeholders(self) -> &'static [&'static str];
    /// Characters of it, at most.
    fn chars_max(self) -> usize;
    /// Its place in [`TextKey::ALL`].
    fn index(self) -> usize;
}

/// Makes a kind's `Key` and its [`TextKey`]: `Name = "name in the files" ["placeholder" ..] characters;`.
macro_rules! text_keys {
    ($($(#[$doc:meta])* $key:ident = $name:literal [$($placeholder:literal)*] $max:expr;)*) => {
        /// Names a text. The numbers are durable: new ones go to the end.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Key { $($(#[$doc])* $key),* }

        impl Key {
            /// The key with this number.
            #[must_use]
            pub fn from_u8(n: u8) -> Option<Self> {
                <Self as TextKey>::ALL.get(usize::from(n)).copied()
            }
        }

        impl TextKey for Key {
            const ALL: &'static [Self] = &[$(Self::$key),*];
            fn name(self) -> &'static str {
                match self { $(Self::$key => $name),* }
            }
            fn placeholders(self) -> &'static [&'static str] {
                match self { $(Self::$key => &[$($placeholder),*]),* }
            }
            fn chars_max(self) -> usize {
                match self { $(Self::$key => $max),* }
            }
            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use text_keys;

/// What is wrong with a file of texts, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TextError {
    /// Counted from 1.
    pub line: usize,
    /// What, and what to do.
    pub what: String,
}

/// Every text of one language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Phrases<K> {
    texts: Vec<Box<str>>,
    keys: core::marker::PhantomData<K>,
}

impl<K: TextKey> Phrases<K> {
    /// No texts.
    #[must_use]
    pub fn silent() -> Self {
        Self { texts: vec!["".into(); K::ALL.len()], keys: core::marker::PhantomData }
    }

    /// From a file that should hold every text; one that it lacks is empty.
    ///
    /// # Errors
    /// Every [`TextError`] of the file.
    pub fn new(file: &str) -> Result<Self, Vec<TextError>> {
        let mut phrases = Self::silent();
        phrases.replace(file).map(|()| phrases)
    }

    /// Puts the operator's words over these; keys that are not in `file` stay.
    ///
    /// # Errors
    /// Every [`TextError`] of the file; nothing is replaced then.
    pub fn replace(&mut self, file: &str) -> Result<(), Vec<TextError>> {
        for (key, text) in parse::<K>(file)? {
            self.texts[key.index()] = text;
        }
        Ok(())
    }

    /// The first text that is missing.
    #[must_use]
    pub fn missing(&self) -> Option<K> {
        K::ALL.iter().copied().find(|key| self.get(*key).is_empty())
    }

    /// A text as it stands in the file.
    #[must_use]
    pub fn get(&self, key: K) -> &str {
        &self.texts[key.index()]
    }

    /// A text with its values, each between isolates and without controls of its own. A value cannot insert
    /// another value. O(length).
    #[must_use]
    pub fn say(&self, key: K, values: &[(&str, &str)]) -> String {
        let template = self.get(key);
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

/// A file while it is read.
struct Parser<K> {
    found: Vec<(K, Box<str>)>,
    errors: Vec<TextError>,
    /// The text that is being read, with the line of its key.
    open: Option<(usize, K, String)>,
    seen: Vec<K>,
    skipping: bool,
}

fn parse<K: TextKey>(file: &str) -> Result<Vec<(K, Box<str>)>, Vec<TextError>> {
    let mut parser =
        Parser { found: Vec::new(), errors: Vec::new(), open: None, seen: Vec::new(), skipping: false };
    for (i, line) in file.trim_start_matches('\u{feff}').lines().enumerate() {
        parser.line(i + 1, line);
    }
    parser.close();
    parser.errors.sort_by_key(|e| e.line);
    if parser.errors.is_empty() { Ok(parser.found) } else { Err(parser.errors) }
}

impl<K: TextKey> Parser<K> {
    fn line(&mut self, number: usize, line: &str) {
        let header = line.trim().strip_prefix('[').and_then(|l| l.strip_suffix(']'));
        if let Some(name) = header {
            self.close();
            return self.header(number, name);
        }
        match &mut self.open {
            _ if line.starts_with('#') => {}
            Some((_, _, text)) => {
                text.push_str(line.trim_end());
                text.push('\n');
            }
            None if self.skipping || line.trim().is_empty() => {}
            None => self.wrong(number, "a text before the first `[key]`".to_owned()),
        }
    }

    fn header(&mut self, number: usize, name: &str) {
        let key = K::ALL.iter().copied().find(|key| key.name() == name);
        self.skipping = key.is_none();
        let Some(key) = key else { return self.wrong(number, format!("there is no text `{name}`")) };
        if self.seen.contains(&key) {
            self.wrong(number, format!("the text `{name}` stands here again"));
        }
        self.seen.push(key);
        self.open = Some((number, key, String::new()));
    }

    fn close(&mut self) {
        let Some((line, key, text)) = self.open.take() else { return };
        match check(key, text.trim()) {
            Ok(()) => self.found.push((key, text.trim().into())),
            Err(what) => self.wrong(line, what),
        }
    }

    fn wrong(&mut self, line: usize, what: String) {
        self.errors.push(TextError { line, what });
    }
}

fn check<K: TextKey>(key: K, text: &str) -> Result<(), String> {
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

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    enum Key {
        Hello,
        Wait,
        Next,
    }

    impl TextKey for Key {
        const ALL: &'static [Self] = &[Self::Hello, Self::Wait, Self::Next];
        fn name(self) -> &'static str {
            ["hello", "wait", "next"][self.index()]
        }
        fn placeholders(self) -> &'static [&'static str] {
            if self == Self::Wait { &["place", "seconds"] } else { &[] }
        }
        fn chars_max(self) -> usize {
            60
        }
        fn index(self) -> usize {
            self as usize
        }
    }

    const FILE: &str = "# ours\n[hello]\nHi.\n\nYou.\n[wait]\n{place} in {seconds}\n[next]\n>\n";

    #[test]
    fn the_operators_words_replace_only_what_they_name() {
        let mut phrases = Phrases::<Key>::new(FILE).unwrap();
        phrases.replace("\u{feff}# ours\n[wait]\n\nلا {place}  \n# why\nأبداً\n\n").unwrap();
        let said = phrases.say(Key::Wait, &[("place", "12\u{202e}3")]);
        assert_eq!(said, format!("لا {FSI}123{PDI}\nأبداً"));
        assert_eq!(phrases.get(Key::Hello), "Hi.\n\nYou.");
    }

    #[test]
    fn every_mistake_is_told_with_its_line_and_nothing_is_replaced() {
        let mut phrases = Phrases::<Key>::new(FILE).unwrap();
        let file = "text\n[nobody]\nskipped {x}\n[wait]\n{place} {sec}\n[hello]\na } b\n[wait]\n\n[next]\n"
            .to_owned();
        let errors = phrases.replace(&(file + &"x".repeat(61))).unwrap_err();
        let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "line 1: a text before the first `[key]`",
                "line 2: there is no text `nobody`",
                "line 4: `{sec}` is no placeholder of `wait`: it has {place} {seconds}",
                "line 6: a lone brace in `hello`: braces only hold placeholders",
                "line 8: the text `wait` stands here again",
                "line 8: the text `wait` is empty: leave it out to keep the built-in one",
                "line 10: the text `next` has 61 characters, at most 60 fit",
            ]
        );
        assert_eq!(phrases, Phrases::new(FILE).unwrap());
    }

    #[test]
    fn a_value_cannot_insert_another_value() {
        let phrases = Phrases::<Key>::new(FILE).unwrap();
        let said = phrases.say(Key::Wait, &[("place", "{seconds}"), ("seconds", "7")]);
        assert!(said.contains("{seconds}") && said.contains('7'));
    }

    #[test]
    fn a_file_that_lacks_a_text_is_found_out() {
        assert_eq!(Phrases::<Key>::new("[hello]\nHi\n[next]\n>").unwrap().missing(), Some(Key::Wait));
        assert_eq!(Phrases::<Key>::new(FILE).unwrap().missing(), None);
    }
}
