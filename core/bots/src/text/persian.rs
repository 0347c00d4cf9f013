//! How Persian fields are stored and shown: the opposite of the search key, which goes the Arabic way.

use unicode_normalization::UnicodeNormalization;

/// `text` with the letters of Persian (ی U+06CC, ک U+06A9) in place of their Arabic look-alikes, without
/// tatweel and vowel marks, composed (NFC), blanks squeezed, a non-joiner kept only between two letters.
/// Idempotent, O(length).
#[must_use]
pub fn persian(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut blank, mut joiner) = (false, false);
    for c in text.nfc() {
        let c = match c {
            'ي' | 'ى' => 'ی',
            'ك' => 'ک',
            '\u{640}' | '\u{64b}'..='\u{652}' => continue,
            '\u{200c}' => {
                joiner = true;
                continue;
            }
            c if c.is_whitespace() => {
                blank = true;
                continue;
            }
            c => c,
        };
        if !out.is_empty() {
            if blank {
                out.push(' ');
            } else if joiner {
                out.push('\u{200c}');
            }
        }
        (blank, joiner) = (false, false);
        out.push(c);
    }
    out.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn arabic_letters_become_persian_ones() {
        assert_eq!(persian("  علي  كاظمي "), "علی کاظمی");
        assert_eq!(persian("علی\u{200c}رضا \u{200c}نادری\u{200c}"), "علی\u{200c}رضا نادری");
    }

    proptest! {
        #[test]
        fn the_stored_form_is_its_own_stored_form(text in "[\u{620}-\u{6ff}\u{200c} a-z]{0,40}") {
            let once = persian(&text);
            prop_assert_eq!(persian(&once), once);
        }
    }
}
