//! Whether someone is in the channels that the operator requires, as far as it is known. A durable format.

use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// Channels that may be required, at most: one bit each.
pub const CHANNELS_MAX: usize = 8;

/// A channel that must be joined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Channel {
    /// `@name`, or its number.
    pub name: String,
    /// Where to join it; empty for a channel without a name whose link nobody said.
    pub link: String,
}

impl Channel {
    /// `@name`, `https://t.me/name`, or a number, negative, with `=https://link` behind it: a channel without a name
    /// cannot be joined without one. None if it is none of these.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(name) = text.strip_prefix('@').or_else(|| text.strip_prefix("https://t.me/")) {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let good = (4..=32).contains(&name.len()) && name.chars().all(plain);
            return good.then(|| Self { name: format!("@{name}"), link: format!("https://t.me/{name}") });
        }
        let (number, link) = text.split_once('=').unwrap_or((text, ""));
        let number: i64 = number.trim().parse().ok().filter(|number| *number < 0)?;
        let link = link.trim();
        let good = link.is_empty() || link.starts_with("https://");
        good.then(|| Self { name: number.to_string(), link: link.to_owned() })
    }
}

/// What is known of one user.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Gate {
    /// Until then he is taken to be in all of them.
    pub until: UnixMillis,
    /// When the platform was asked last.
    pub asked_at: UnixMillis,
    /// The channels whose answer is awaited, a bit each.
    pub open: u8,
    /// The channels of this asking that he is not in.
    pub outside: u8,
}

impl Record for Gate {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_varint(self.until.0);
        out.put_varint(self.asked_at.0);
        out.put_u8(self.open);
        out.put_u8(self.outside);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (until, asked_at) = (UnixMillis(from.varint()?), UnixMillis(from.varint()?));
        Ok(Self { until, asked_at, open: from.u8()?, outside: from.u8()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_a_name_or_a_number_with_a_link() {
        let read = |text| Channel::read(text).map(|channel| (channel.name, channel.link));
        assert_eq!(read(" @some_news "), Some(("@some_news".into(), "https://t.me/some_news".into())));
        let private = Some(("-1001234".into(), "https://t.me/+abc".into()));
        assert_eq!(read("-1001234=https://t.me/+abc"), private);
        assert_eq!(read("https://t.me/some_news"), read("@some_news"));
        assert_eq!(read("-1001234"), Some(("-1001234".into(), String::new())));
        for wrong in ["news", "@a b", "@abc", "1234=https://t.me/+abc", "-1=http://x", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
