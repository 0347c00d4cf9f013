//! The writers: responses of the server, requests of the client. They append to a buffer that is reused.

use super::bytes::{self, VALUE, put_decimal};
use super::{HttpDate, Reason, Status};
use std::borrow::Cow;

/// The interim response to `Expect: 100-continue`.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What to say about the connection after a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// HTTP/1.1 and it stays: nothing is said.
    Silent,
    /// HTTP/1.0 and it stays: that must be said.
    Say,
    /// It will be closed.
    Close,
}

/// A response. One with a static body allocates nothing.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: Status,
    /// Of the body; none is sent without a body.
    pub content_type: &'static str,
    pub body: Cow<'static, [u8]>,
    /// Seconds; for 429 and 503.
    pub retry_after: Option<u32>,
    /// The methods that are allowed; RFC 9110 15.5.6 demands it with 405.
    pub allow: Option<&'static str>,
    /// Whether the connection must not be used again.
    pub close: bool,
    fields: Vec<(&'static str, Cow<'static, str>)>,
}

impl Response {
    /// A status with no body.
    #[must_use]
    pub const fn empty(status: Status) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: Cow::Borrowed(b""),
            retry_after: None,
            allow: None,
            close: false,
            fields: Vec::new(),
        }
    }

    /// A plain text.
    #[must_use]
    pub fn text(status: Status, text: impl Into<Cow<'static, str>>) -> Self {
        Self::with_body(status, "text/plain; charset=utf-8", text)
    }

    /// A JSON text that is already encoded.
    #[must_use]
    pub fn json(status: Status, text: impl Into<Cow<'static, str>>) -> Self {
        Self::with_body(status, "application/json", text)
    }

    /// A body of a stated type.
    #[must_use]
    pub fn with_body(status: Status, content_type: &'static str, body: impl Into<Cow<'static, str>>) -> Self {
        let body = match body.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Self { content_type, body, ..Self::empty(status) }
    }

    /// 405 with the methods that are allowed, as in `"GET, HEAD"`.
    #[must_use]
    pub const fn method_not_allowed(allow: &'static str) -> Self {
        let mut response = Self::empty(Status::METHOD_NOT_ALLOWED);
        response.allow = Some(allow);
        response
    }

    /// The answer to OPTIONS: what is allowed (RFC 9110 9.3.7).
    #[must_use]
    pub const fn options(allow: &'static str) -> Self {
        let mut response = Self::empty(Status::OK);
        response.allow = Some(allow);
        response
    }

    /// 503: back-pressure. The platform keeps the update and honours the seconds.
    #[must_use]
    pub const fn busy(retry_after_secs: u32) -> Self {
        let mut response = Self::empty(Status::SERVICE_UNAVAILABLE);
        response.retry_after = Some(retry_after_secs);
        response
    }

    /// What a refused request is answered: its status, then close.
    #[must_use]
    pub fn refusal(reason: Reason) -> Self {
        let mut response = Self::empty(reason.status());
        response.close = true;
        match reason {
            // RFC 9110 12.5.3: says which content codings would have been taken.
            Reason::ContentCoding => response.field("Accept-Encoding", "identity"),
            _ => response,
        }
    }

    /// With one more field. A value with a line break or control character would forge other fields, so it
    /// is left out as a whole.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        let value = value.into();
        if bytes::all(value.as_bytes(), VALUE) {
            self.fields.push((name, value));
        }
        self
    }

    /// No body, no further field, and a status that says a length.
    fn is_bare(&self) -> bool {
        self.body.is_empty()
            && self.retry_after.is_none()
            && self.allow.is_none()
            && self.fields.is_empty()
            && !self.status.is_bodiless()
    }

    /// Appends the response to `out`. `head_only` for answers to HEAD: everything but the body.
    pub fn write(&self, out: &mut Vec<u8>, date: &HttpDate, keep: Keep, head_only: bool) {
        // The head of anything we say fits: one growth of a fresh buffer at most.
        out.reserve(128);
        match self.status.line() {
            Some(line) => out.extend_from_slice(line.as_bytes()),
            None => {
                out.extend_from_slice(b"HTTP/1.1 ");
                put_decimal(out, u64::from(self.status.0.clamp(100, 999)));
                out.extend_from_slice(b" \r\n");
            }
        }
        // RFC 9110 6.6.1: an origin server with a clock sends Date.
        out.extend_from_slice(date.line());
        // Nearly every answer to an update: nothing but that it was taken.
        if self.is_bare() && keep == Keep::Silent {
            out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
            return;
        }
        // RFC 9110 8.6: no Content-Length in 1xx and 204; 304 would have to repeat the length of a 200.
        let bodiless = self.status.is_bodiless();
        if !bodiless {
            if !self.body.is_empty() {
                put_field(out, "Content-Type", self.content_type.as_bytes());
            }
            out.extend_from_slice(b"Content-Length: ");
            put_decimal(out, self.body.len() as u64);
            out.extend_from_slice(b"\r\n");
        }
        if let Some(seconds) = self.retry_after {
            out.extend_from_slice(b"Retry-After: ");
            put_decimal(out, u64::from(seconds));
            out.extend_from_slice(b"\r\n");
        }
        if let Some(methods) = self.allow {
            put_field(out, "Allow", methods.as_bytes());
        }
        for (name, value) in &self.fields {
            put_field(out, name, value.as_bytes());
        }
        match keep {
            Keep::Silent => {}
            Keep::Say => put_field(out, "Connection", b"keep-alive"),
            Keep::Close => put_field(out, "Connection", b"close"),
        }
        out.extend_from_slice(b"\r\n");
        if !bodiless && !head_only {
            out.extend_from_slice(&self.body);
        }
    }
}

/// Appends a complete POST request with a JSON or other body. `target` and `host` must come from a checked
/// [`crate::outbound::client::Origin`] or be constants; `fields` are further lines.
pub fn write_post(
    out: &mut Vec<u8>,
    target: &[&str],
    host: &str,
    content_type: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) {
    request_head(out, "POST ", target, host, fields);
    put_field(out, "Content-Type", content_type.as_bytes());
    out.extend_from_slice(b"Content-Length: ");
    put_decimal(out, body.len() as u64);
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
}

/// Appends a complete GET request; as [`write_post`].
pub fn write_get(out: &mut Vec<u8>, target: &[&str], host: &str, fields: &[(&str, &str)]) {
    request_head(out, "GET ", target, host, fields);
    out.extend_from_slice(b"\r\n");
}

/// The target comes in pieces so that a token need not be copied into a string of its own first.
fn request_head(out: &mut Vec<u8>, method: &str, target: &[&str], host: &str, fields: &[(&str, &str)]) {
    out.extend_from_slice(method.as_bytes());
    for piece in target {
        out.extend_from_slice(piece.as_bytes());
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
    // RFC 9112 3.2: Host first, where a proxy looks for it.
    put_field(out, "Host", host.as_bytes());
    // RFC 9110 12.5.3: without it any content coding would be acceptable, and none is decoded here.
    put_field(out, "Accept-Encoding", b"identity");
    for (name, value) in fields {
        put_field(out, name, value.as_bytes());
    }
}

fn put_field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
