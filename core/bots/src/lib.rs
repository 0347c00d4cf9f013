//! # nobat-bots: the conversations
//!
//! One folder a kind, on the contract in `nobat_core::bot` alone; `text` holds the normal forms that
//! kinds share. A kind may import `nobat_core::{bot, envelope, id, record, time}` and nothing else of ours.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod chat;
pub mod results;
pub mod text;
