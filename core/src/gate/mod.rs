//! The gate: what is decided about an input before any bot sees it.
//!
//! What lives here: duplicates by update id ([`dedup`]) and how often one user may write ([`rate`]).
//! The engine calls it; it knows neither bots nor the journal.

pub mod dedup;
pub mod rate;
