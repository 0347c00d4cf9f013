//! One webhook body into one [`Update`]. Lenient by rule: what we do not know is not an error.
//!
//! What lives here: [`Decoder`]; `scan`, one pass over the bytes that checks all of them and remembers where the
//! few texts stand that matter; `unescape`, which resolves those. The platform delivers an update until it is
//! answered 2xx, and holds the chat's later updates back meanwhile, so an odd shape that were refused would
//! stop a student for a day. Only a body that is no JSON object, or has no `update_id`, is an error.

mod scan;
pub mod tape;
#[cfg(test)]
mod tests;
mod unescape;
mod visit;

use super::update::Update;
use nobat_core::id::{ChatId, UserId};

/// Ids have "at most 52 significant bits" (Bot API, type User and Chat).
const ID_BOUND: i64 = 1 << 52;

/// Why a body is no update.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON (RFC 8259), cut off, not UTF-8, or nested too deeply (1,024 levels).
    #[error("the body is not JSON")]
    NotJson,
    /// JSON, but not an object with an integer `update_id`.
    #[error("the body has no update_id")]
    NoUpdateId,
}

/// Decodes updates.
#[derive(Clone, Copy, Default, Debug)]
pub struct Decoder;

impl Decoder {
    /// A decoder. It keeps nothing between calls.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// Reads one body. **The bytes are rewritten** (escapes of the texts that are given are resolved in place):
    /// check signatures and record traffic before. Linear in the body; allocates nothing.
    ///
    /// # Errors
    /// [`DecodeError`], if the body is no JSON object with an `update_id`.
    pub fn decode<'a>(&mut self, body: &'a mut [u8]) -> Result<Update<'a>, DecodeError> {
        match visit::update(body).map_err(|scan::NotJson| DecodeError::NotJson)? {
            Some(found) => found.into_update(body),
            None if scan::utf8(body).is_none() => Err(DecodeError::NotJson),
            None => Err(DecodeError::NoUpdateId),
        }
    }
}

fn user_id(id: i64) -> Option<UserId> {
    (1..ID_BOUND).contains(&id).then_some(UserId(id.unsigned_abs()))
}

fn chat_id(id: i64) -> Option<ChatId> {
    (id != 0 && id.unsigned_abs() < ID_BOUND.unsigned_abs()).then_some(ChatId(id))
}
