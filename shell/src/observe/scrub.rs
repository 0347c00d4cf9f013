//! The last net: masks what looks like a bot token in any line that leaves the process.
//!
//! What lives here: [`scrub`], called by the logger for every line. It is a net under [`super::Secret`],
//! not a replacement: an error of a library that quotes a URL is what it is for.

use std::borrow::Cow;

/// Digits before the colon from which on a word may be a token.
const ID_DIGITS_MIN: usize = 6;
/// Characters behind the colon from which on a word is one. Real tokens have 35.
const SECRET_CHARS_MIN: usize = 20;

/// Replaces the secret half of everything that looks like a bot token by `***`: six digits or more, a
/// colon, 20 or more of `A-Za-z0-9_-`; behind `/bot`, any digits and any length. Linear, and without an
/// allocation if there is nothing to mask.
#[must_use]
pub fn scrub(line: &str) -> Cow<'_, str> {
    let mut clean: Option<String> = None;
    let mut done = 0;
    let mut from = 0;
    while let Some(colon) = memchr::memchr(b':', &line.as_bytes()[from..]).map(|at| at + from) {
        from = colon + 1;
        let (before, behind) = (&line[..colon], &line[colon + 1..]);
        let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let secret =
            behind.bytes().take_while(|&b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-').count();
        let in_path = before[..colon - digits].ends_with("/bot");
        let long = digits >= ID_DIGITS_MIN && secret >= SECRET_CHARS_MIN;
        if long || (in_path && digits > 0 && secret > 0) {
            let clean = clean.get_or_insert_default();
            clean.push_str(&line[done..=colon]);
            clean.push_str("***");
            done = from + secret;
            from = done;
        }
    }
    match clean {
        None => Cow::Borrowed(line),
        Some(mut clean) => {
            clean.push_str(&line[done..]);
            Cow::Owned(clean)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Built at run time, so that no scanner takes the source for a leak.
    fn token() -> String {
        format!("{}:{}", 1_000_001, "Ab-_9".repeat(7))
    }

    #[test]
    fn tokens_are_masked_wherever_they_stand() {
        let token = token();
        let line = format!("POST https://api/bot{token}/getMe failed; {token}, \"{token}\"");
        assert_eq!(
            scrub(&line),
            "POST https://api/bot1000001:***/getMe failed; 1000001:***, \"1000001:***\""
        );
        assert_eq!(scrub("/bot1:x/getMe"), "/bot1:***/getMe");
    }

    #[test]
    fn what_is_no_token_stays() {
        for line in
            ["at 2026-11-21T12:00:00Z", "127.0.0.1:8443", "user 1234567: wrote", "a:b::c:", "1000001:TEST"]
        {
            assert!(matches!(scrub(line), Cow::Borrowed(same) if same == line), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_surrounding_text_lets_a_token_through(before in "\\PC{0,20}", behind in "\\PC{0,20}") {
            let secret = "Ab-_9".repeat(7);
            let line = format!("{before}1000001:{secret}{behind}");
            let clean = scrub(&line);
            prop_assert!(!clean.contains(&secret));
        }
    }
}
