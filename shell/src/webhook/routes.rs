//! Which path is whose webhook, and the secret that proves the platform's hand.
//!
//! What lives here: [`Routes`] (`/webhook` is the main bot, `/webhook/<bot id>` each bot) and
//! [`SecretCheck`]. The service asks both before it reads a body.

use crate::updates::Bot;
use subtle::{Choice, ConstantTimeEq};

/// All webhook paths of the process.
#[derive(Clone, Debug)]
pub struct Routes {
    bots: Vec<Bot>,
}

impl Routes {
    /// The first bot is the main one.
    #[must_use]
    pub const fn new(bots: Vec<Bot>) -> Self {
        Self { bots }
    }

    /// Whose webhook `path` is. O(bots), at most 256.
    #[must_use]
    pub fn find(&self, path: &[u8]) -> Option<Bot> {
        let rest = path.strip_prefix(b"/webhook")?;
        match rest {
            b"" | b"/" => self.bots.first().copied(),
            [b'/', digits @ ..] if digits.len() <= 16 && digits.iter().all(u8::is_ascii_digit) => {
                let id = digits.iter().fold(0u64, |n, d| n * 10 + u64::from(d - b'0'));
                self.bots.iter().copied().find(|bot| bot.id.0 == id)
            }
            _ => None,
        }
    }
}

/// A secret token is 1 to 256 characters on Telegram.
const SECRET_MAX: usize = 256;

/// The webhook's secret, compared in constant time.
#[derive(Clone)]
pub struct SecretCheck {
    /// Padded, so that the comparison takes the same time whatever was offered.
    wanted: Option<Box<([u8; SECRET_MAX], u16)>>,
}

impl SecretCheck {
    /// `None` lets everything pass: only for a listener that nobody else reaches.
    #[must_use]
    pub fn new(secret: Option<&str>) -> Self {
        Self { wanted: secret.map(|s| Box::new(padded(s.as_bytes()))) }
    }

    /// Whether the offered value is the secret.
    #[must_use]
    pub fn passes(&self, offered: Option<&[u8]>) -> bool {
        let Some(wanted) = &self.wanted else { return true };
        let (bytes, len) = padded(offered.unwrap_or_default());
        let present = Choice::from(u8::from(offered.is_some()));
        (bytes.ct_eq(&wanted.0) & len.ct_eq(&wanted.1) & present).into()
    }
}

impl std::fmt::Debug for SecretCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretCheck(***)")
    }
}

fn padded(bytes: &[u8]) -> ([u8; SECRET_MAX], u16) {
    let mut out = [0; SECRET_MAX];
    let n = bytes.len().min(SECRET_MAX);
    out[..n].copy_from_slice(&bytes[..n]);
    (out, u16::try_from(bytes.len()).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nobat_core::id::{BotId, KindIx, LaneIx};

    fn routes() -> Routes {
        let bot = |lane, id| Bot { kind: KindIx(0), lane: LaneIx(lane), id: BotId(id) };
        Routes::new(vec![bot(0, 5_036_504_214), bot(1, 77)])
    }

    #[test]
    fn webhook_is_the_main_bot_and_a_bot_id_names_each() {
        let lane = |path: &str| routes().find(path.as_bytes()).map(|b| b.lane.0);
        assert_eq!(lane("/webhook"), Some(0));
        assert_eq!(lane("/webhook/"), Some(0));
        assert_eq!(lane("/webhook/5036504214"), Some(0));
        assert_eq!(lane("/webhook/77"), Some(1));
        assert_eq!(lane("/webhook/78"), None);
        assert_eq!(lane("/webhook/77/"), None);
        assert_eq!(lane("/webhook/99999999999999999999999"), None);
        assert_eq!(lane("/webhookx"), None);
        assert_eq!(lane("/"), None);
    }

    #[test]
    fn only_the_whole_secret_passes() {
        let check = SecretCheck::new(Some("s3cret-Token_1"));
        assert!(check.passes(Some(b"s3cret-Token_1")));
        for wrong in [&b"s3cret-Token_"[..], b"s3cret-Token_1\0", b"", b"S3cret-Token_1", &[b'x'; 300]] {
            assert!(!check.passes(Some(wrong)), "{wrong:?}");
        }
        assert!(!check.passes(None));
        assert!(SecretCheck::new(None).passes(None));
        assert_eq!(format!("{check:?}"), "SecretCheck(***)");
    }
}
