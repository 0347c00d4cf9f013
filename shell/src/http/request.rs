//! Request heads: RFC 9112 3 (request line) and the fields that decide framing.

use super::bytes::{self, TARGET, TCHAR};
use super::field::{Fields, FieldsIndex, is_named};
use super::framing::{Framing, Seen};
use super::head::{HeadLimits, Stop, Version, line_end, version};
use super::target::{self, Parts};
use super::{Reason, Step};

/// Longer than any method that is registered: refused at once, whatever follows.
const METHOD_BYTES_MAX: usize = 32;

/// The methods that are understood. CONNECT is not: this server is no tunnel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    Patch,
    Trace,
}

/// What a request head says, as offsets. Reused from head to head, so parsing allocates nothing.
#[derive(Clone, Default)]
pub struct RequestIndex {
    fields: FieldsIndex,
    method: Method,
    version: Version,
    framing: Framing,
    persists: bool,
    expects_continue: bool,
    /// Where the target stands in the head.
    target_from: usize,
    target_to: usize,
    parts: Parts,
}

/// A request head over its bytes.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    bytes: &'a [u8],
    index: &'a RequestIndex,
}

impl<'a> RequestHead<'a> {
    /// `bytes` must be those that `index` was filled from by [`parse_request`]; more may follow.
    #[must_use]
    pub fn new(bytes: &'a [u8], index: &'a RequestIndex) -> Self {
        Self { bytes, index }
    }

    #[must_use]
    pub fn method(&self) -> Method {
        self.index.method
    }

    #[must_use]
    pub fn version(&self) -> Version {
        self.index.version
    }

    /// The path, still percent-encoded; `*` for the asterisk form.
    #[must_use]
    pub fn path(&self) -> &'a [u8] {
        match &self.target()[self.index.parts.path.clone()] {
            [] => b"/",
            path => path,
        }
    }

    /// The query without its question mark, still percent-encoded.
    #[must_use]
    pub fn query(&self) -> Option<&'a [u8]> {
        self.index.parts.query.clone().map(|query| &self.target()[query])
    }

    /// RFC 9112 3.2.2: the authority of an absolute target counts, else the Host field.
    #[must_use]
    pub fn authority(&self) -> Option<&'a [u8]> {
        match self.index.parts.authority.clone() {
            Some(authority) => Some(&self.target()[authority]),
            None => self.fields().first("host"),
        }
    }

    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        self.index.fields.over(self.bytes)
    }

    #[must_use]
    pub fn framing(&self) -> Framing {
        self.index.framing
    }

    /// Whether the client lets the connection stay (RFC 9112 9.3).
    #[must_use]
    pub fn persists(&self) -> bool {
        self.index.persists
    }

    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 10.1.1).
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.index.expects_continue
    }

    /// The target as it stood in the request line, for the differential tests.
    #[cfg(any(test, fuzzing))]
    pub(super) fn raw_target(&self) -> &'a [u8] {
        self.target()
    }

    fn target(&self) -> &'a [u8] {
        &self.bytes[self.index.target_from..self.index.target_to]
    }
}

/// Parses a request head at the beginning of `bytes` into `index`.
///
/// On `Done(n)` the body begins at `bytes[n]`. On anything else `index` holds nothing of use. Linear in the
/// head; at most `limits.head_bytes` are looked at.
#[must_use]
pub fn parse_request(bytes: &[u8], limits: &HeadLimits, index: &mut RequestIndex) -> Step {
    let window = limits.window(bytes);
    match read(window, limits, index) {
        Ok(end) => Step::Done(end),
        Err(Stop::NeedMore) => limits.need_more(window),
        Err(Stop::Bad(reason)) => Step::Bad(reason),
    }
}

fn read(bytes: &[u8], limits: &HeadLimits, index: &mut RequestIndex) -> Result<usize, Stop> {
    // RFC 9112 2.2: one empty line before the request line is ignored.
    let at = if bytes.first() == Some(&b'\r') { line_end(bytes, 0, Reason::RequestLine)? } else { 0 };
    let at = request_line(bytes, at, limits, index)?;
    let mut seen = Seen::default();
    let mut host = false;
    let mut expects = false;
    let end = index.fields.read(bytes, at, |name, value| {
        match name.len() {
            4 if is_named(name, b"Host") => {
                // RFC 9112 3.2: more than one Host, or one that is no authority, is 400.
                if std::mem::replace(&mut host, true) {
                    return Err(Reason::HostRepeated);
                }
                if !target::is_authority(value) {
                    return Err(Reason::Host);
                }
            }
            6 if is_named(name, b"Expect") => {
                // RFC 9110 10.1.1: a list; any other expectation may be answered 417.
                if !bytes::members(value).all(|member| member.eq_ignore_ascii_case(b"100-continue")) {
                    return Err(Reason::Expectation);
                }
                expects = true;
            }
            10 if is_named(name, b"Connection") => seen.connection(value),
            14 if is_named(name, b"Content-Length") => seen.content_length(value)?,
            // RFC 9110 8.4: 415 for a content coding that nobody here decodes.
            16 if is_named(name, b"Content-Encoding") && !value.eq_ignore_ascii_case(b"identity") => {
                return Err(Reason::ContentCoding);
            }
            17 if is_named(name, b"Transfer-Encoding") => seen.transfer_encoding(value)?,
            _ => {}
        }
        Ok(())
    })?;
    // RFC 9112 3.2: an HTTP/1.1 request without Host is 400.
    if !host && index.version == Version::Http11 {
        return Err(Reason::HostMissing.into());
    }
    index.framing = seen.framing(index.version)?;
    index.persists = seen.persists(index.version);
    // RFC 9110 10.1.1: an expectation in HTTP/1.0 is ignored, and one without a body asks for nothing.
    index.expects_continue = expects && index.version == Version::Http11 && index.framing != Framing::None;
    Ok(end)
}

/// RFC 9112 3: `method SP request-target SP HTTP-version`, single spaces, no whitespace elsewhere.
fn request_line(
    bytes: &[u8],
    at: usize,
    limits: &HeadLimits,
    index: &mut RequestIndex,
) -> Result<usize, Stop> {
    let method_end = bytes::skip(bytes, at, TCHAR);
    if method_end - at > METHOD_BYTES_MAX {
        return Err(Reason::MethodUnknown.into());
    }
    match bytes.get(method_end) {
        None => return Err(Stop::NeedMore),
        Some(b' ') if method_end > at => {}
        Some(_) => return Err(Reason::RequestLine.into()),
    }
    let from = method_end + 1;
    let to = bytes::skip(bytes, from, TARGET);
    if to - from > usize::from(limits.target_bytes) {
        return Err(Reason::TargetTooLong.into());
    }
    match bytes.get(to) {
        None => return Err(Stop::NeedMore),
        Some(b' ') if to > from => {}
        Some(b' ') => return Err(Reason::RequestLine.into()),
        Some(_) => return Err(Reason::Target.into()),
    }
    index.version = version(bytes, to + 1, Reason::RequestLine)?;
    let next = line_end(bytes, to + 9, Reason::RequestLine)?;
    index.method = method(&bytes[at..method_end]).ok_or(Reason::MethodUnknown)?;
    (index.target_from, index.target_to) = (from, to);
    index.parts = target::parse(index.method, &bytes[from..to])?;
    Ok(next)
}

/// RFC 9110 9.1: methods are case-sensitive.
fn method(name: &[u8]) -> Option<Method> {
    Some(match name {
        b"GET" => Method::Get,
        b"HEAD" => Method::Head,
        b"POST" => Method::Post,
        b"PUT" => Method::Put,
        b"DELETE" => Method::Delete,
        b"OPTIONS" => Method::Options,
        b"PATCH" => Method::Patch,
        b"TRACE" => Method::Trace,
        _ => return None,
    })
}
