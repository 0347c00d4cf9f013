//! # nobat: every byte in and out, nothing else
//!
//! ```text
//! main -> cli -> serve -> { webhook, polling, outbound, admin }
//!                     -> { reactor, channel, records, recovery -> disk }
//!                     -> { http, tls } -> { clock, entropy, observe }
//! ```
//!
//! The binary is `main.rs`; this library exists for the benches, the fuzz targets and the tests.

pub mod address;
pub mod admin;
pub mod backup;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod ctl;
pub mod disk;
pub mod entropy;
pub mod http;
pub mod import;
pub mod network;
pub mod observe;
pub mod outbound;
pub mod platform;
pub mod polling;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod reactor;
pub mod records;
pub mod recovery;
pub mod serve;
pub mod supervisor;
pub mod tls;
pub mod updates;
pub mod vault;
pub mod webhook;
