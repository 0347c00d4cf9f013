//! Response heads: RFC 9112 4 (status line) and 6.3 (how long the body is).

use super::bytes::{self, VALUE};
use super::field::{Fields, FieldsIndex, is_named};
use super::framing::{Framing, Seen};
use super::head::{HeadLimits, Stop, line_end, version};
use super::{Method, Reason, Status, Step};

/// What a response head says, as offsets. Reused from head to head.
#[derive(Clone, Default)]
pub struct ResponseIndex {
    fields: FieldsIndex,
    status: u16,
    framing: Framing,
    persists: bool,
}

/// A response head over its bytes.
#[derive(Clone, Copy)]
pub struct ResponseHead<'a> {
    bytes: &'a [u8],
    index: &'a ResponseIndex,
}

impl<'a> ResponseHead<'a> {
    /// `bytes` must be those that `index` was filled from by [`parse_response`]; more may follow.
    #[must_use]
    pub fn new(bytes: &'a [u8], index: &'a ResponseIndex) -> Self {
        Self { bytes, index }
    }

    #[must_use]
    pub fn status(&self) -> Status {
        Status(self.index.status)
    }

    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        self.index.fields.over(self.bytes)
    }

    #[must_use]
    pub fn framing(&self) -> Framing {
        self.index.framing
    }

    /// Whether the connection may carry another request after this response.
    #[must_use]
    pub fn persists(&self) -> bool {
        self.index.persists
    }

    /// Seconds to wait, if Retry-After is a number (RFC 9110 10.2.3; the date form is not used by the
    /// platforms and is ignored).
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        let seconds = bytes::decimal(self.fields().only("retry-after")?)?;
        Some(u32::try_from(seconds).unwrap_or(u32::MAX))
    }
}

/// Parses a response head at the beginning of `bytes`; `method` is that of the request it answers.
///
/// On `Done(n)` the body begins at `bytes[n]`. On anything else `index` holds nothing of use.
#[must_use]
pub fn parse_response(bytes: &[u8], limits: &HeadLimits, method: Method, index: &mut ResponseIndex) -> Step {
    let window = limits.window(bytes);
    match read(window, method, index) {
        Ok(end) => Step::Done(end),
        Err(Stop::NeedMore) => limits.need_more(window),
        Err(Stop::Bad(reason)) => Step::Bad(reason),
    }
}

fn read(bytes: &[u8], method: Method, index: &mut ResponseIndex) -> Result<usize, Stop> {
    let http = version(bytes, 0, Reason::StatusLine)?;
    let at = status_line(bytes, index)?;
    let mut seen = Seen::default();
    let end = index.fields.read(bytes, at, |name, value| {
        match name.len() {
            10 if is_named(name, b"Connection") => seen.connection(value),
            14 if is_named(name, b"Content-Length") => seen.content_length(value)?,
            // RFC 9110 8.4: bytes in a coding that was not asked for are not the answer.
            16 if is_named(name, b"Content-Encoding") && !value.eq_ignore_ascii_case(b"identity") => {
                return Err(Reason::ContentCoding);
            }
            17 if is_named(name, b"Transfer-Encoding") => seen.transfer_encoding(value)?,
            _ => {}
        }
        Ok(())
    })?;
    let announced = seen.framing(http)?;
    // RFC 9112 6.3: no body after HEAD, 1xx, 204 and 304 whatever is announced; without any announcement
    // it lasts until the close.
    index.framing = match announced {
        _ if method == Method::Head || Status(index.status).is_bodiless() => Framing::None,
        Framing::None => Framing::UntilClose,
        framing => framing,
    };
    index.persists = seen.persists(http) && index.framing != Framing::UntilClose;
    Ok(end)
}

/// RFC 9112 4: `HTTP-version SP status-code SP [reason-phrase]`; the version was read before.
fn status_line(bytes: &[u8], index: &mut ResponseIndex) -> Result<usize, Stop> {
    for (i, &byte) in bytes.iter().enumerate().take(13).skip(8) {
        let fits = match i {
            8 | 12 => byte == b' ',
            // RFC 9110 15: the first digit is the class; 1 to 5 are defined, 6 to 9 are invalid.
            9 => matches!(byte, b'1'..=b'5'),
            _ => byte.is_ascii_digit(),
        };
        if !fits {
            return Err(Reason::StatusLine.into());
        }
    }
    let Some(digits) = bytes.get(9..13) else { return Err(Stop::NeedMore) };
    index.status = digits[..3].iter().fold(0, |code, &digit| code * 10 + u16::from(digit - b'0'));
    line_end(bytes, bytes::skip(bytes, 13, VALUE), Reason::StatusLine)
}
