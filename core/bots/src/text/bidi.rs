//! Values of one direction inside a sentence of the other.
//!
//! What lives here: [`isolate`] and [`strip_controls`]. Text that came from data or from a user is never
//! put into a sentence without the one, and never shown without the other. Source: Unicode UAX #9
//! section 2 and W3C "How to use Unicode controls for bidi text".

/// FIRST STRONG ISOLATE: what follows finds its own direction and does not disturb its surroundings.
pub const FSI: char = '\u{2068}';
/// POP DIRECTIONAL ISOLATE: ends what [`FSI`] began.
pub const PDI: char = '\u{2069}';

/// A character that could steer the direction of its surroundings, break the line, or is not meant to be
/// seen: bidi embeddings, overrides, isolates and marks, C0 and C1 controls, line and paragraph
/// separators, the byte order mark. ZWJ and ZWNJ are letters' business in Persian and stay.
#[must_use]
pub const fn is_control(c: char) -> bool {
    matches!(
        c,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'
            | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

/// Appends `value` to `out` without the characters of [`is_control`]; a run of blanks or controls that
/// act as blanks (tab, line feed) becomes one space. O(length).
pub fn push_stripped(out: &mut String, value: &str) {
    let mut blank = false;
    for c in value.chars() {
        if c.is_whitespace() {
            blank = true;
        } else if !is_control(c) {
            if blank && !out.is_empty() && !out.ends_with([' ', '\n', FSI]) {
                out.push(' ');
            }
            blank = false;
            out.push(c);
        }
    }
}

/// `value` as one line that cannot steer the text around it: see [`push_stripped`].
#[must_use]
pub fn strip_controls(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    push_stripped(&mut out, value);
    out
}

/// Appends `value`, stripped, between [`FSI`] and [`PDI`].
pub fn push_isolated(out: &mut String, value: &str) {
    out.push(FSI);
    push_stripped(out, value);
    out.push(PDI);
}

/// `value`, stripped, between [`FSI`] and [`PDI`].
#[must_use]
pub fn isolate(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + FSI.len_utf8() + PDI.len_utf8());
    push_isolated(&mut out, value);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_override_in_the_data_does_not_reach_the_reader() {
        assert_eq!(isolate("علي\u{202e}123\u{2069}"), "\u{2068}علي123\u{2069}");
    }

    #[test]
    fn a_line_feed_in_the_data_does_not_begin_a_line() {
        assert_eq!(strip_controls(" a\r\n\t b\u{2028}c "), "a b c");
    }

    #[test]
    fn the_non_joiner_of_persian_words_stays() {
        assert_eq!(strip_controls("می\u{200c}شود"), "می\u{200c}شود");
    }

    proptest! {
        #[test]
        fn isolates_are_balanced_whatever_the_value(value: String) {
            let out = isolate(&value);
            let inner = &out[FSI.len_utf8()..out.len() - PDI.len_utf8()];
            prop_assert!(out.starts_with(FSI) && out.ends_with(PDI));
            prop_assert!(!inner.chars().any(is_control));
            prop_assert_eq!(strip_controls(inner), inner);
        }
    }
}
