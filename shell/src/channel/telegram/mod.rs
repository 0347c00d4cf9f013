//! The Telegram Bot API: decode, encode, verdict, and the calls around a webhook.
//!
//! What lives here: pure functions over bytes. [`decode`] reads an update, [`encode`] writes a request,
//! [`verdict`] reads the answer to a send, [`polling`] that to a long poll. None of them keeps anything but
//! buffers between calls. [`setup`] is what an operator does once: it speaks to the platform through the
//! trait [`api::Api`].

pub mod api;
pub mod decode;
pub mod encode;
mod json;
pub mod polling;
pub mod setup;
pub mod update;
pub mod verdict;

pub use api::{Api, ApiError, RawAnswer};
pub use decode::{DecodeError, Decoder};
pub use encode::{Encoder, RequestHead};
pub use update::{ChatType, Update, UpdateKind, What};
pub use verdict::VerdictReader;
