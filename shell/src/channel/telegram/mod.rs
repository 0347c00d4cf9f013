//! The Telegram Bot API: decode, encode, verdict, and the calls around a webhook.
//!
//! What lives here: pure functions over bytes. [`decode`] reads an update, [`encode`] writes a request,
//! [`verdict`] reads the answer to a send. None of them keeps anything but buffers between calls.

pub mod decode;
pub mod encode;
mod json;
pub mod update;
pub mod verdict;

pub use decode::{DecodeError, Decoder};
pub use encode::{Encoder, RequestHead};
pub use update::{ChatType, Update, UpdateKind, What};
pub use verdict::VerdictReader;
