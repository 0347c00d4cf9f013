//! Search keys: two spellings of one name give one key.
//!
//! What lives here: [`tokens`], which cuts a name into the words a search compares, and [`fold_word`].
//! Keys are compared, never shown; what is shown is the spelling that came in. The rules are those of
//! Lucene's ArabicNormalizer and PersianNormalizer together, made weaker where Iraqi lists differ:
//! hamza on its carrier, the closing hamza, the article, and compounds written as one word or two.

use super::digits::ascii_digit;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// One word of a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token<'a> {
    /// As it was written; a compound keeps its blank («عبد الله»). Never empty.
    pub written: &'a str,
    /// What a search compares. Never empty, no blanks.
    pub key: String,
}

/// Words that are the first half of a compound: «عبد الله», «أبو الحسن», «آل ياسين», «ذو الفقار».
const FIRST_HALVES: [&str; 7] = ["عبد", "ابو", "ابا", "ابي", "ام", "ذو", "ال"];
/// Words that are the second half of a compound: «نور الدين», «عطا الله», «نور الهدى».
const SECOND_HALVES: [&str; 3] = ["الدين", "الله", "الهدي"];
/// Words of one compound at most: «أبو عبد الله» is three.
const COMPOUND_WORDS_MAX: usize = 3;

/// The key of one word, or of several written as one: NFKD, lower case, alef forms to ا, ة to ه, ى ی ئ
/// to ي, ک to ك, ؤ to و, digits to ASCII; without hamza, vowel marks, tatweel, joiners, bidi controls
/// and everything that is neither letter nor digit. O(length).
///
/// Decomposed and without what combines, so that two keys joined are the key of the two words joined:
/// composed letters could form anew at the joint, and marks be put in another order.
///
/// The article is kept here: only [`tokens`] knows where a word begins.
#[must_use]
pub fn fold_word(word: &str) -> String {
    // What nearly everyone types needs no table of Unicode.
    if word.chars().all(is_settled) {
        return fold(word.chars(), word.len());
    }
    let combines = |c: char| canonical_combining_class(c) != 0 && c != TANWIN_FATH;
    fold(word.nfkd().filter(|&c| !combines(c)), word.len())
}

/// The one mark that a key still needs to see.
const TANWIN_FATH: char = '\u{64b}';

/// Letters and digits whose key is the same composed and decomposed: ASCII, and the Arabic block's letters
/// and digits without its marks.
const fn is_settled(c: char) -> bool {
    matches!(c, '\0'..='\x7f' | '\u{621}'..='\u{63a}' | '\u{640}'..='\u{64a}' | '\u{660}'..='\u{669}')
}

fn fold(word: impl Iterator<Item = char>, length: usize) -> String {
    let mut key = String::with_capacity(length);
    let mut tanwin = false;
    for c in word {
        let c = match c {
            // Tanwin fath is written with a mute alef, before it or after it.
            TANWIN_FATH => {
                if key.ends_with('ا') {
                    key.pop();
                } else {
                    tanwin = true;
                }
                continue;
            }
            'ا' if tanwin => {
                tanwin = false;
                continue;
            }
            'أ' | 'إ' | 'آ' | 'ٱ' | 'ٲ' | 'ٳ' => 'ا',
            'ة' | 'ۀ' | 'ہ' | 'ۂ' | 'ە' | 'ۃ' => 'ه',
            'ى' | 'ی' | 'ے' | 'ئ' | 'ې' => 'ي',
            'ک' | 'ڪ' => 'ك',
            'ؤ' => 'و',
            'ء' => continue,
            c if is_mark(c) => continue,
            c => ascii_digit(c),
        };
        tanwin = false;
        match c {
            // Letters without case and digits, as nearly all are.
            '\u{621}'..='\u{64a}' | '0'..='9' => key.push(c),
            _ if c.is_alphanumeric() => key.extend(c.to_lowercase().filter(|c| c.is_alphanumeric())),
            _ => {}
        }
    }
    // «الرحمن» carries a dagger alif that many write out.
    if key.contains("رحمان") { key.replace("رحمان", "رحمن") } else { key }
}

/// Tatweel and the Koran's signs that do not combine: to Unicode they are letters, to a search nothing.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{640}' | '\u{6d6}'..='\u{6ed}')
}

/// A key without its article, if at least two letters remain.
pub(crate) fn without_article(key: &str) -> &str {
    match key.strip_prefix("ال") {
        Some(rest) if rest.chars().nth(1).is_some() => rest,
        _ => key,
    }
}

/// The words of a name in order. Blanks and dashes part words; compounds become one token («عبد الله»
/// and «عبدالله» have one key); a word without letters or digits joins the one before it, so that what
/// is written survives whole. O(length).
#[must_use]
pub fn tokens(name: &str) -> Vec<Token<'_>> {
    let mut out: Vec<Compound<'_>> = Vec::with_capacity(6);
    for (at, word) in words(name) {
        let key = fold_word(word);
        let end = at + word.len();
        match out.last_mut() {
            Some(last) if key.is_empty() || last.key.is_empty() || last.takes(&key) => {
                last.join(&key, &name[last.at..end]);
            }
            _ => out.push(Compound { at, written: word, open: is_first_half(&key), key, words: 1 }),
        }
    }
    out.retain(|c| !c.key.is_empty());
    out.into_iter().map(|c| Token { written: c.written, key: without_article(&c.key).to_owned() }).collect()
}

fn is_first_half(key: &str) -> bool {
    FIRST_HALVES.contains(&key)
}

/// The maximal runs of `name` that hold no blank and no dash, with their byte offsets.
fn words(name: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |c: char| c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '_' | '\u{a0}');
    let start = name.as_ptr() as usize;
    name.split(part).filter(|w| !w.is_empty()).map(move |w| (w.as_ptr() as usize - start, w))
}

/// A token that may still take the next word.
struct Compound<'a> {
    at: usize,
    written: &'a str,
    key: String,
    /// The word taken last is the first half of a compound.
    open: bool,
    words: usize,
}

impl<'a> Compound<'a> {
    fn takes(&self, key: &str) -> bool {
        self.words < COMPOUND_WORDS_MAX && (self.open || SECOND_HALVES.contains(&key))
    }

    fn join(&mut self, key: &str, written: &'a str) {
        self.written = written;
        if key.is_empty() {
            return;
        }
        // A name that began with a word without letters has no key yet: this word is its first.
        self.open = is_first_half(key);
        self.words += usize::from(!self.key.is_empty());
        self.key.push_str(key);
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
