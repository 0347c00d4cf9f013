//! The chunked transfer coding (RFC 9112 7.1), byte by byte.
//!
//! Needs no buffer of its own: a cut anywhere, even inside a chunk size, is remembered in the state.
//! Extensions are checked and ignored, trailers are checked and discarded (RFC 9110 6.5.1 forbids to merge
//! them).

use super::Reason;
use super::bytes::{self, TCHAR, VALUE};

/// Chunk extensions of one body together, in bytes. Nobody uses them; without a bound they are free
/// work for an attacker.
const EXTENSION_BYTES_MAX: u32 = 4 * 1024;
/// Trailer section of one body, in bytes.
const TRAILER_BYTES_MAX: u32 = 8 * 1024;
/// Digits of a chunk size: what 64 bits hold.
const SIZE_DIGITS_MAX: u8 = 16;

/// What a call found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Body bytes stand at `input[at..at + len]`; everything up to their end is consumed.
    Data { at: usize, len: usize },
    /// All input is consumed; call again with more.
    NeedMore,
    /// The body is complete; this many bytes of the input belong to it.
    End(usize),
    /// Refused.
    Bad(Reason),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Before the first digit of a chunk size, and within it.
    Size {
        digits: u8,
    },
    /// Whitespace after a size, name or value: a semicolon must follow.
    ExtensionSpace,
    /// After a semicolon.
    ExtensionStart,
    ExtensionName,
    /// Whitespace after a name: an equals sign or a semicolon must follow.
    ExtensionNameEnd,
    /// After an equals sign.
    ExtensionValue,
    ExtensionToken,
    ExtensionQuoted,
    ExtensionEscape,
    ExtensionQuotedEnd,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
    Ended,
}

/// The decoder of one body.
#[derive(Clone, Debug)]
pub struct Chunked {
    state: State,
    /// Of the current chunk: its size while that is read, then what is left of it.
    left: u64,
    /// Decoded so far, the current chunk counted whole.
    total: u64,
    max: u64,
    extension_bytes: u32,
    trailer_bytes: u32,
}

impl Chunked {
    /// A body of at most `max` decoded bytes; more is refused as soon as a chunk's size says so.
    #[must_use]
    pub fn new(max: u64) -> Self {
        let state = State::Size { digits: 0 };
        Self { state, left: 0, total: 0, max, extension_bytes: 0, trailer_bytes: 0 }
    }

    /// Goes on with `input`, which begins where the last call's consumption ended.
    pub fn feed(&mut self, input: &[u8]) -> Progress {
        for (at, &byte) in input.iter().enumerate() {
            if self.state == State::Data {
                let len = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len() - at);
                self.left -= len as u64;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                return Progress::Data { at, len };
            }
            match self.next(byte) {
                Ok(State::Ended) => {
                    self.state = State::Ended;
                    return Progress::End(at + 1);
                }
                Ok(state) => self.state = state,
                Err(reason) => return Progress::Bad(reason),
            }
        }
        Progress::NeedMore
    }

    fn next(&mut self, byte: u8) -> Result<State, Reason> {
        match self.state {
            State::Size { digits } => self.size(digits, byte),
            State::ExtensionSpace
            | State::ExtensionStart
            | State::ExtensionName
            | State::ExtensionNameEnd
            | State::ExtensionValue
            | State::ExtensionToken
            | State::ExtensionQuoted
            | State::ExtensionEscape
            | State::ExtensionQuotedEnd => self.extension(byte),
            State::SizeLf => match byte {
                b'\n' if self.left == 0 => Ok(State::TrailerStart),
                b'\n' => self.begin_chunk(),
                _ => Err(Reason::ChunkSize),
            },
            // RFC 9112 7.1: a chunk's data is followed by CR LF and nothing else.
            State::DataCr if byte == b'\r' => Ok(State::DataLf),
            State::DataLf if byte == b'\n' => {
                self.left = 0;
                Ok(State::Size { digits: 0 })
            }
            State::DataCr | State::DataLf => Err(Reason::ChunkEnd),
            State::TrailerStart
            | State::TrailerName
            | State::TrailerValue
            | State::TrailerLf
            | State::EndLf => self.trailer(byte),
            // Data is taken in `feed`; after the end there is nothing to decode.
            State::Data | State::Ended => Err(Reason::ChunkEnd),
        }
    }

    /// RFC 9112 7.1: hexadecimal digits, at least one, watched for overflow.
    fn size(&mut self, digits: u8, byte: u8) -> Result<State, Reason> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ if digits == 0 => return Err(Reason::ChunkSize),
            b'\r' => return Ok(State::SizeLf),
            b';' => return Ok(State::ExtensionStart),
            b' ' | b'\t' => return Ok(State::ExtensionSpace),
            _ => return Err(Reason::ChunkSize),
        };
        if digits == SIZE_DIGITS_MAX {
            return Err(Reason::ChunkSize);
        }
        self.left = self.left << 4 | u64::from(digit);
        Ok(State::Size { digits: digits + 1 })
    }

    fn begin_chunk(&mut self) -> Result<State, Reason> {
        self.total = self.total.saturating_add(self.left);
        if self.total > self.max {
            return Err(Reason::BodyTooLarge);
        }
        Ok(State::Data)
    }

    /// RFC 9112 7.1.1: `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`.
    fn extension(&mut self, byte: u8) -> Result<State, Reason> {
        self.extension_bytes += 1;
        if self.extension_bytes > EXTENSION_BYTES_MAX {
            return Err(Reason::ChunkExtension);
        }
        let space = bytes::is_ows(byte);
        let token = bytes::is(byte, TCHAR);
        Ok(match (self.state, byte) {
            (State::ExtensionQuoted, b'"') => State::ExtensionQuotedEnd,
            (State::ExtensionQuoted, b'\\') => State::ExtensionEscape,
            (State::ExtensionQuoted | State::ExtensionEscape, _) if bytes::is(byte, VALUE) => {
                State::ExtensionQuoted
            }
            (State::ExtensionQuoted | State::ExtensionEscape, _) => return Err(Reason::ChunkExtension),
            (State::ExtensionStart, _) if space => State::ExtensionStart,
            (State::ExtensionStart | State::ExtensionName, _) if token => State::ExtensionName,
            (State::ExtensionName | State::ExtensionNameEnd, b'=') => State::ExtensionValue,
            (State::ExtensionName | State::ExtensionNameEnd, _) if space => State::ExtensionNameEnd,
            (State::ExtensionValue, _) if space => State::ExtensionValue,
            (State::ExtensionValue, b'"') => State::ExtensionQuoted,
            (State::ExtensionValue | State::ExtensionToken, _) if token => State::ExtensionToken,
            (State::ExtensionSpace | State::ExtensionToken | State::ExtensionQuotedEnd, _) if space => {
                State::ExtensionSpace
            }
            (State::ExtensionStart | State::ExtensionValue, _) => return Err(Reason::ChunkExtension),
            (_, b';') => State::ExtensionStart,
            (State::ExtensionName | State::ExtensionToken | State::ExtensionQuotedEnd, b'\r') => {
                State::SizeLf
            }
            _ => return Err(Reason::ChunkExtension),
        })
    }

    /// RFC 9112 7.1.2: field lines until an empty one, under the same syntax as in a head.
    fn trailer(&mut self, byte: u8) -> Result<State, Reason> {
        self.trailer_bytes += 1;
        if self.trailer_bytes > TRAILER_BYTES_MAX {
            return Err(Reason::Trailer);
        }
        Ok(match (self.state, byte) {
            (State::TrailerStart, b'\r') => State::EndLf,
            (State::EndLf, b'\n') => State::Ended,
            (State::TrailerStart | State::TrailerName, _) if bytes::is(byte, TCHAR) => State::TrailerName,
            (State::TrailerName, b':') => State::TrailerValue,
            (State::TrailerValue, b'\r') => State::TrailerLf,
            (State::TrailerValue, _) if bytes::is(byte, VALUE) => State::TrailerValue,
            (State::TrailerLf, b'\n') => State::TrailerStart,
            _ => return Err(Reason::Trailer),
        })
    }
}
