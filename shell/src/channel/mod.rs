//! Platforms, thin: decode what comes in, encode what goes out, read the verdict.
//!
//! What lives here: one folder a platform, and nothing that decides. It may be called by the webhook, the
//! outbound lanes and the command line; it must not know a socket, a bot kind or a user's state.

pub mod telegram;
