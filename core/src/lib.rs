//! # nobat-core: every decision of Nobat
//!
//! The core decides, the shell moves bytes. Nothing here has a socket, a file, a thread, a clock or a
//! random source: time and seeds are arguments.
//!
//! ```text
//! engine -> { matchmaker, pacer, gate, journal } -> { bucket, wheel, sync } -> { time, id, limits }
//! bots   -> bot (the contract) <- engine
//! ```
//!
//! Imports run downward only; `tests/tidy.rs` checks it.

#![warn(missing_docs)]

pub mod bot;
pub mod bucket;
pub mod engine;
pub mod envelope;
pub mod gate;
pub mod id;
pub mod journal;
pub mod limits;
pub mod matchmaker;
pub mod pacer;
pub mod record;
pub mod sync;
pub mod time;
pub mod wheel;
