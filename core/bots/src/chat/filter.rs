//! What would tell a stranger who someone is: user names, links, telephone numbers.
//!
//! Careful rather than clever: a message that is stopped can be said in other words, a name that is given
//! away cannot be taken back. It knows words, not meanings: who wants to give himself away can.

use crate::text::digits::digit;

/// Characters of a user name behind `@` on Telegram, at least (four for some).
const NAME_MIN: usize = 4;
/// Digits in a row, blanks and dashes not counted, that make a telephone number.
const PHONE_MIN: usize = 9;

/// Whether `text` names an account, an address or a telephone number. O(length).
pub(super) fn gives_away(text: &str) -> bool {
    has_name(text) || has_link(text) || has_phone(text)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn has_name(text: &str) -> bool {
    text.match_indices(['@', '＠']).any(|(at, sign)| {
        let rest = &text[at + sign.len()..];
        rest.chars().take_while(|c| is_name(*c)).count() >= NAME_MIN
    })
}

fn has_link(text: &str) -> bool {
    let lower = text.to_lowercase();
    if lower.contains("://") || lower.contains("tg:") || lower.contains("www.") {
        return true;
    }
    // `word.tld`, both of letters, digits and dashes, the last of at least two letters: "t.me/x", "site.ir".
    // Two sentences without a blank between them ("fine.and you") look the same; only known endings count.
    const ENDINGS: [&str; 12] =
        ["me", "com", "net", "org", "ir", "io", "link", "app", "info", "dog", "gg", "to"];
    let words = lower.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '/' | '_')));
    words.into_iter().any(|word| {
        let (host, path) = word.split_once('/').unwrap_or((word, ""));
        let Some((name, ending)) = host.rsplit_once('.') else { return false };
        let known = ENDINGS.contains(&ending) && (ending.len() > 2 || !path.is_empty() || ending == "ir");
        known && name.ends_with(|c: char| c.is_ascii_alphanumeric())
    })
}

fn has_phone(text: &str) -> bool {
    let mut run = 0;
    for c in text.chars() {
        match c {
            _ if digit(c).is_some() => run += 1,
            ' ' | '-' | '(' | ')' | '+' | '.' | '/' | '\u{200c}' | '\u{a0}' => {}
            _ => run = 0,
        }
        if run >= PHONE_MIN {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_addresses_and_numbers_are_seen() {
        for text in [
            "I am @some_body",
            "＠name1",
            "write to t.me/somebody",
            "T.ME/joinchat",
            "https://example.org",
            "tg://user?id=5",
            "example.com",
            "0912 345 67 89",
            "شماره من ۰۹۱۲۳۴۵۶۷۸۹",
            "+98 (912) 345-6789",
        ] {
            assert!(gives_away(text), "{text}");
        }
    }

    #[test]
    fn ordinary_talk_passes() {
        for text in [
            "hello",
            "it was 5.30 pm.and you?",
            "سلام. خوبی؟",
            "a@b",
            "me.to",
            "12 or 13",
            "...",
            "10/11/2026",
        ] {
            assert!(!gives_away(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_a_panic(text: String) {
            let _ = gives_away(&text);
        }
    }
}
