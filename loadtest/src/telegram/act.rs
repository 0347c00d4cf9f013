//! What users do besides writing a plain text and pressing a button: the names that `What::Other` carries.
//!
//! A name is a word with its values behind colons, so that it can be recorded as one string:
//!
//! | name | the user |
//! |---|---|
//! | `media:photo`, `media:photo:a caption`, `media:photo+ALBUM` | sends a photo ..., alone or in an album |
//! | `reply:12:text` | answers message 12 |
//! | `edit:12:text` | edits his own message 12 (no text: what `edited_message` does) |
//! | `react:12:👍` | puts a reaction under message 12; without one, takes it away |
//! | `my_chat_member`, `my_chat_member:member` | blocks the bot, comes back |
//! | `chat_member:-1001:member`, `...:left` | joins or leaves a channel in which the bot is an administrator |
//! | `pay:12`, `pay:https://t.me/$link` | pays the invoice in message 12, or behind a link |
//! | `paid-again` | is told of his last payment once more |
//!
//! Any other name becomes an update of that kind.

/// One of them, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act<'a> {
    Blocks,
    Returns,
    /// Into or out of a channel.
    Moves {
        channel: i64,
        joins: bool,
    },
    /// By the invoice's message, or by its link.
    Pays(Bill<'a>),
    /// The news of his last payment once more, as an update of its own.
    PaidAgain,
    Sends {
        kind: &'a str,
        album: Option<&'a str>,
        caption: Option<&'a str>,
    },
    Replies {
        to: i64,
        text: &'a str,
    },
    Edits {
        message: i64,
        text: &'a str,
    },
    Reacts {
        message: i64,
        emoji: &'a str,
    },
    /// An update of this kind and no more.
    Other(&'a str),
}

/// Where an invoice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bill<'a> {
    Message(i64),
    Link(&'a str),
}

impl<'a> Act<'a> {
    /// Reads a name. What is malformed is a kind of update like any other.
    pub(crate) fn read(name: &'a str) -> Act<'a> {
        Self::known(name).unwrap_or(Act::Other(name))
    }

    fn known(name: &'a str) -> Option<Act<'a>> {
        match name {
            "my_chat_member" => return Some(Act::Blocks),
            "paid-again" => return Some(Act::PaidAgain),
            _ => {}
        }
        let (word, rest) = name.split_once(':')?;
        let numbered = || {
            let (number, text) = rest.split_once(':').unwrap_or((rest, ""));
            Some((number.parse::<i64>().ok()?, text))
        };
        Some(match word {
            "my_chat_member" if rest == "member" => Act::Returns,
            "chat_member" => {
                let (channel, state) = numbered()?;
                Act::Moves { channel, joins: state == "member" }
            }
            "pay" if rest.starts_with("https://") => Act::Pays(Bill::Link(rest)),
            "pay" => Act::Pays(Bill::Message(numbered()?.0)),
            "reply" => numbered().map(|(to, text)| Act::Replies { to, text })?,
            "edit" => numbered().map(|(message, text)| Act::Edits { message, text })?,
            "react" => numbered().map(|(message, emoji)| Act::Reacts { message, emoji })?,
            "media" => {
                let (what, caption) = match rest.split_once(':') {
                    Some((what, caption)) => (what, Some(caption)),
                    None => (rest, None),
                };
                let (kind, album) = match what.split_once('+') {
                    Some((kind, album)) => (kind, Some(album)),
                    None => (what, None),
                };
                Act::Sends { kind, album, caption }
            }
            _ => return None,
        })
    }

    /// It makes a message in the chat.
    pub(crate) fn is_message(self) -> bool {
        matches!(self, Act::Sends { .. } | Act::Replies { .. } | Act::PaidAgain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_their_values() {
        let reads = [
            ("my_chat_member", Act::Blocks),
            ("my_chat_member:member", Act::Returns),
            ("chat_member:-1001:left", Act::Moves { channel: -1001, joins: false }),
            ("pay:7", Act::Pays(Bill::Message(7))),
            ("pay:7:88", Act::Pays(Bill::Message(7))),
            ("pay:https://t.me/$x", Act::Pays(Bill::Link("https://t.me/$x"))),
            (
                "media:photo+a1:hi: there",
                Act::Sends { kind: "photo", album: Some("a1"), caption: Some("hi: there") },
            ),
            ("media:voice", Act::Sends { kind: "voice", album: None, caption: None }),
            ("reply:3:yes: you", Act::Replies { to: 3, text: "yes: you" }),
            ("edit:3:no", Act::Edits { message: 3, text: "no" }),
            ("react:3:", Act::Reacts { message: 3, emoji: "" }),
            ("reply:x:y", Act::Other("reply:x:y")),
            ("poll", Act::Other("poll")),
        ];
        for (name, act) in reads {
            assert_eq!(Act::read(name), act, "{name}");
        }
    }
}
