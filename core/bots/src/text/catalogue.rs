//! A kind's words in every language that it speaks.
//!
//! What lives here: [`Texts`], a [`Phrases`] a language, and [`Tongue`], what a kind's own `Language` says of itself.
//! Which languages and which texts there are is each kind's affair.

use super::phrases::{Phrases, TextError, TextKey};
use core::marker::PhantomData;

/// The languages of one kind.
pub trait Tongue: Copy + 'static {
    /// All of them, in the order of [`Tongue::index`].
    const ALL: &'static [Self];
    /// Its place in [`Tongue::ALL`].
    fn index(self) -> usize;
    /// The built-in texts.
    fn file(self) -> &'static str;
}

/// Every text in every language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Texts<L, K> {
    phrases: Box<[Phrases<K>]>,
    languages: PhantomData<L>,
}

impl<L: Tongue, K: TextKey> Default for Texts<L, K> {
    /// The built-in ones. That they are whole is checked by a test of each kind.
    fn default() -> Self {
        let built_in = |language: &L| Phrases::new(language.file()).unwrap_or_else(|_| Phrases::silent());
        Self { phrases: L::ALL.iter().map(built_in).collect(), languages: PhantomData }
    }
}

impl<L: Tongue, K: TextKey> Texts<L, K> {
    /// Puts the operator's words over those of a language; keys that are not in `file` stay.
    ///
    /// # Errors
    /// Every [`TextError`] of the file; nothing is replaced then.
    pub fn replace(&mut self, language: L, file: &str) -> Result<(), Vec<TextError>> {
        self.phrases[language.index()].replace(file)
    }

    /// A text without values.
    #[must_use]
    pub fn get(&self, language: L, key: K) -> &str {
        self.phrases[language.index()].get(key)
    }

    /// A text with its values, each between isolates and without controls of its own.
    #[must_use]
    pub fn say(&self, language: L, key: K, values: &[(&str, &str)]) -> String {
        self.phrases[language.index()].say(key, values)
    }
}
