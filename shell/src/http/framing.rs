//! How long a message's body is (RFC 9112 6), and whether the connection stays (9.3).

use super::bytes::{self, TCHAR};
use super::{Reason, Version};

/// Where the body of a message ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Framing {
    /// No body, and none was announced.
    #[default]
    None,
    /// As many bytes as Content-Length says.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
    /// Until the peer closes; responses only.
    UntilClose,
}

/// What the fields said about framing and persistence, collected line by line.
#[derive(Default)]
pub(super) struct Seen {
    length: Option<u64>,
    encoded: bool,
    chunked: bool,
    other_coding: bool,
    close: bool,
    keep_alive: bool,
}

impl Seen {
    /// RFC 9112 6.3: digits alone. A second line or a list is refused even when the values agree: a
    /// recipient may do so, and two readers may differ on which one counts.
    pub(super) fn content_length(&mut self, value: &[u8]) -> Result<(), Reason> {
        if self.length.is_some() {
            return Err(Reason::LengthRepeated);
        }
        if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return Err(Reason::Length);
        }
        // Digits that do not fit 64 bits announce more than anybody takes.
        self.length = Some(bytes::decimal(value).ok_or(Reason::BodyTooLarge)?);
        Ok(())
    }

    /// RFC 9112 6.1: a list of codings over all lines; `chunked` once, last and without parameters.
    pub(super) fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Reason> {
        self.encoded = true;
        for coding in bytes::members(value) {
            let name = bytes::trim(coding.split(|&b| b == b';').next().unwrap_or_default());
            if self.chunked || name.is_empty() || !bytes::all(name, TCHAR) {
                return Err(Reason::Encoding);
            }
            if name.eq_ignore_ascii_case(b"chunked") {
                if name.len() != coding.len() {
                    return Err(Reason::Encoding);
                }
                self.chunked = true;
            } else {
                self.other_coding = true;
            }
        }
        Ok(())
    }

    /// RFC 9110 7.6.1: connection options are case-insensitive.
    pub(super) fn connection(&mut self, value: &[u8]) {
        // What nearly everybody says.
        if value == b"keep-alive" {
            self.keep_alive = true;
            return;
        }
        for option in bytes::members(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// RFC 9112 6.1 and 6.3: the length of the body, from the fields alone.
    pub(super) fn framing(&self, version: Version) -> Result<Framing, Reason> {
        if !self.encoded {
            return Ok(self.length.map_or(Framing::None, Framing::Length));
        }
        // 6.1: a length beside a coding is how requests are smuggled.
        if self.length.is_some() {
            return Err(Reason::LengthAndEncoding);
        }
        // 6.1: a coding in HTTP/1.0 is faulty framing.
        if version == Version::Http10 {
            return Err(Reason::EncodingInHttp10);
        }
        // 6.3: without a final `chunked` the length of a request cannot be known.
        if !self.chunked {
            return Err(Reason::Encoding);
        }
        // 6.1: 501 for a coding the server does not understand.
        if self.other_coding {
            return Err(Reason::EncodingUnknown);
        }
        Ok(Framing::Chunked)
    }

    /// RFC 9112 9.3: HTTP/1.1 persists unless `close`; HTTP/1.0 only with `keep-alive`.
    pub(super) fn persists(&self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }
}
