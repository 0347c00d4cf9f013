//! HTTP/1.1 over bytes, for server and client alike: RFC 9112 (framing) and RFC 9110 (fields).
//!
//! What lives here: pure functions and small state machines from bytes to bytes. `reactor` and
//! `outbound::client` call it; it knows neither mio nor rustls, reads no clock and opens no socket.
//! It is strict: whatever two readers could understand differently is refused, with a [`Reason`] that
//! maps to a status, and the connection is closed after it. It forgives nothing silently.
//!
//! - [`parse_request`] and [`parse_response`]: heads, without allocation, into an index of offsets.
//! - [`Chunked`]: the chunked transfer coding, byte by byte, in place.
//! - [`Response`] with [`Response::write`], and [`write_post`]: the writers.
//!
//! Invariant: parsing a message cut anywhere gives `NeedMore` or the refusal that the whole gives.

mod bytes;
mod chunked;
mod date;
mod field;
mod framing;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod head;
mod reason;
mod request;
mod response_head;
mod status;
mod target;
mod write;

pub use chunked::{Chunked, Progress};
pub use date::HttpDate;
pub use field::{FIELDS_MAX, Fields, FieldsIndex};
pub use framing::Framing;
pub use head::{HeadLimits, Version};
pub use reason::Reason;
pub use request::{Method, RequestHead, RequestIndex, parse_request};
pub use response_head::{ResponseHead, ResponseIndex, parse_response};
pub use status::Status;
pub use write::{CONTINUE, Keep, Response, write_get, write_post};

/// How far a parser came. Too few bytes are not an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Complete; the head takes this many bytes of the input.
    Done(usize),
    /// Correct so far; call again with more.
    NeedMore,
    /// Refused: answer with the reason's status and close.
    Bad(Reason),
}

#[cfg(test)]
mod tests;
