//! rustls on both sides.
//!
//! What lives here: [`Stream`], a socket that may be encrypted, for sockets that never block. `reactor` and
//! `outbound::client` use it. It knows nothing of HTTP beyond the protocol name in ALPN.

mod stream;

pub use stream::Stream;
