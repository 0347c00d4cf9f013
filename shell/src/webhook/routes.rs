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

/// Words of eight bytes that hold the longest secret.
const WORDS: usize = SECRET_MAX / 8;

/// The webhook's secret. The comparison takes the same time whatever was offered: as long as the secret is.
#[derive(Clone)]
pub struct SecretCheck {
    wanted: Option<Box<Secret>>,
}

#[derive(Clone)]
struct Secret {
    /// Padded with zeros.
    words: [u64; WORDS],
    /// How many of them the secret takes.
    used: usize,
    len: usize,
}

impl SecretCheck {
    /// `None` lets everything pass: only for a listener that nobody else reaches.
    #[must_use]
    pub fn new(secret: Option<&str>) -> Self {
        let wanted = secret.map(|secret| {
            let used = secret.len().div_ceil(8).min(WORDS);
            let words = std::array::from_fn(|at| word(secret.as_bytes(), at));
            Box::new(Secret { words, used, len: secret.len() })
        });
        Self { wanted }
    }

    /// Whether the offered value is the secret.
    #[must_use]
    pub fn passes(&self, offered: Option<&[u8]>) -> bool {
        let Some(wanted) = &self.wanted else { return true };
        let bytes = offered.unwrap_or_default();
        let mut same = Choice::from(u8::from(offered.is_some())) & bytes.len().ct_eq(&wanted.len);
        for (at, wanted) in wanted.words[..wanted.used].iter().enumerate() {
            same &= word(bytes, at).ct_eq(wanted);
        }
        same.into()
    }
}

impl std::fmt::Debug for SecretCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretCheck(***)")
    }
}

/// The eight bytes of a text from word `at` on, padded with zeros.
fn word(text: &[u8], at: usize) -> u64 {
    let rest = text.get(8 * at..).unwrap_or_default();
    if let Some(whole) = rest.first_chunk() {
        return u64::from_le_bytes(*whole);
    }
    let mut padded = [0; 8];
    padded[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(padded)
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
