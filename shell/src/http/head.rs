//! What request and response heads have in common: limits and versions.

use super::Reason;

/// Bounds of one head, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadLimits {
    /// The whole head, final empty line included. At most 65,535; beyond it: 431.
    pub head_bytes: u16,
    /// The request target. RFC 9112 3 asks for at least 8,000 for the whole line; beyond it: 414.
    pub target_bytes: u16,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { head_bytes: 16 * 1024, target_bytes: 8_000 }
    }
}

impl HeadLimits {
    /// The bytes that may be looked at, so that what lies beyond the limit cannot change the refusal.
    pub(super) fn window(self, bytes: &[u8]) -> &[u8] {
        &bytes[..bytes.len().min(usize::from(self.head_bytes))]
    }

    /// A head that is incomplete in a full window is too large.
    pub(super) fn need_more(self, window: &[u8]) -> super::Step {
        if window.len() >= usize::from(self.head_bytes) {
            super::Step::Bad(Reason::HeadTooLarge)
        } else {
            super::Step::NeedMore
        }
    }
}

/// The protocol version of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Version {
    Http10,
    #[default]
    Http11,
}

/// What stopped a parser inside a head.
pub(super) enum Stop {
    NeedMore,
    Bad(Reason),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Bad(reason)
    }
}

/// RFC 9112 2.3: `HTTP/` digit `.` digit, case-sensitive. Versions other than 1.0 and 1.1 are well-formed
/// but not ours; whatever is not of this form is `malformed`. Reads 8 bytes at `at`.
#[inline]
pub(super) fn version(bytes: &[u8], at: usize, malformed: Reason) -> Result<Version, Stop> {
    match bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(b"HTTP/1.1") => Ok(Version::Http11),
        _ => other_version(bytes, at, malformed),
    }
}

#[cold]
fn other_version(bytes: &[u8], at: usize, malformed: Reason) -> Result<Version, Stop> {
    let seen = &bytes[at.min(bytes.len())..bytes.len().min(at + 8)];
    let fits = seen.iter().enumerate().all(|(i, &b)| match i {
        5 | 7 => b.is_ascii_digit(),
        _ => b == b"HTTP/_._"[i],
    });
    match seen {
        _ if !fits => Err(malformed.into()),
        b"HTTP/1.0" => Ok(Version::Http10),
        _ if seen.len() < 8 => Err(Stop::NeedMore),
        _ => Err(Reason::Version.into()),
    }
}

/// RFC 9112 2.2: a line ends in CR LF; a bare CR or LF is refused as `bad`. Gives what follows it.
#[inline]
pub(super) fn line_end(bytes: &[u8], at: usize, bad: Reason) -> Result<usize, Stop> {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\r'), Some(b'\n')) => Ok(at + 2),
        (None, _) | (Some(b'\r'), None) => Err(Stop::NeedMore),
        _ => Err(bad.into()),
    }
}
