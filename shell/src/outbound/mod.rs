//! The outbound thread: one owner of the pacer, the lanes and their connections.

pub mod client;
