//! Decimal digits of every script that pupils type, as ASCII.

/// The value of a decimal digit: ASCII, Arabic-Indic (U+0660), extended Arabic-Indic as in Persian and
/// Urdu (U+06F0), fullwidth (U+FF10). `None` for everything else.
#[must_use]
pub const fn digit(c: char) -> Option<u8> {
    let zero = match c {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        '\u{ff10}'..='\u{ff19}' => '\u{ff10}',
        _ => return None,
    };
    Some((c as u32 - zero as u32) as u8)
}

/// `c` as an ASCII digit if it is a digit, else unchanged.
#[must_use]
pub const fn ascii_digit(c: char) -> char {
    match digit(c) {
        Some(d) => (b'0' + d) as char,
        None => c,
    }
}

/// `text` with its digits as ASCII; the Arabic decimal separator (U+066B) as a full stop and the
/// thousands separator (U+066C) dropped. O(length).
#[must_use]
pub fn ascii_digits(text: &str) -> String {
    text.chars()
        .filter(|c| *c != '\u{66c}')
        .map(|c| if c == '\u{66b}' { '.' } else { ascii_digit(c) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arabic_persian_and_fullwidth_digits_become_ascii() {
        assert_eq!(ascii_digits("٠١٢٣٤٥٦٧٨٩ ۰۱۲۳۴۵۶۷۸۹ ０９ x7"), "0123456789 0123456789 09 x7");
        assert_eq!(ascii_digits("٨٧٫٥"), "87.5");
    }

    #[test]
    fn digits_of_other_scripts_are_not_taken_for_numbers() {
        assert_eq!(digit('४'), None);
        assert_eq!(digit('½'), None);
    }
}
