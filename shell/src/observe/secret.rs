//! A secret that cannot be shown by accident.

use std::fmt;
use zeroize::Zeroize;

/// A token, password or key. `Debug` and `Display` mask it, its memory is overwritten when it is dropped.
///
/// Of a bot token the part before the colon stays visible: it is the bot's public id, and operators need
/// it to tell their lanes apart.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Takes the secret over.
    #[must_use]
    pub const fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself. Only where it goes onto the wire, or is compared.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_once(':') {
            Some((id, _)) if !id.is_empty() && id.len() <= 16 && id.bytes().all(|b| b.is_ascii_digit()) => {
                f.pad(&format!("{id}:***"))
            }
            _ => f.pad("***"),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_half_of_a_bot_token_is_shown() {
        let shown = |text: &str| format!("{0} {0:?}", Secret::new(text.into()));
        assert_eq!(shown("1000001:TEST"), "1000001:*** 1000001:***");
        assert_eq!(shown("hunter2"), "*** ***");
        assert_eq!(shown("user:password"), "*** ***");
        assert_eq!(shown(":x"), "*** ***");
        assert_eq!(shown("12345678901234567:x"), "*** ***");
    }
}
