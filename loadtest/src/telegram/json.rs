//! JSON as the platform writes it: every character outside ASCII is `\uXXXX`, pairs for those beyond U+FFFF.

use std::io;

use bytes::Bytes;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Escapes what is not ASCII; the rest is serde_json's compact form.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.bytes().position(|b| !b.is_ascii()) {
            out.write_all(&rest.as_bytes()[..at])?;
            let tail = &rest[at..];
            let end = tail.bytes().position(|b| b.is_ascii()).unwrap_or(tail.len());
            for unit in tail[..end].encode_utf16() {
                write_unit(out, unit)?;
            }
            rest = &tail[end..];
        }
        out.write_all(rest.as_bytes())
    }
}

fn write_unit<W: ?Sized + io::Write>(out: &mut W, unit: u16) -> io::Result<()> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digit = |shift: u16| HEX[usize::from((unit >> shift) & 15)];
    out.write_all(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)])
}

/// Serializes in the wire form.
pub(crate) fn to_wire<T: Serialize + ?Sized>(value: &T) -> Bytes {
    let mut out = Vec::with_capacity(512);
    // Writing to memory cannot fail, and the types written here have string keys only.
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, Ascii));
    debug_assert!(written.is_ok(), "{written:?}");
    out.into()
}

#[derive(Serialize)]
struct Success<'a, T: ?Sized> {
    ok: bool,
    result: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
}

#[derive(Serialize)]
struct Failure<'a> {
    ok: bool,
    error_code: u16,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
}

#[derive(Serialize)]
struct Parameters {
    retry_after: u32,
}

/// `{"ok":true,"result":...}`
pub(crate) fn success<T: Serialize + ?Sized>(result: &T, description: Option<&'static str>) -> Bytes {
    to_wire(&Success { ok: true, result, description })
}

/// `{"ok":false,"error_code":...,"description":...}`
pub(crate) fn failure(error_code: u16, description: &str) -> Bytes {
    to_wire(&Failure { ok: false, error_code, description, parameters: None })
}

/// The body of a 429.
pub(crate) fn too_many(retry_after: u32) -> Bytes {
    let description = format!("Too Many Requests: retry after {retry_after}");
    let parameters = Some(Parameters { retry_after });
    to_wire(&Failure { ok: false, error_code: 429, description: &description, parameters })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_outside_ascii_is_escaped_with_pairs_and_reads_back_the_same() {
        let text = "a\"\\\nنتيجة 😀/é";
        let wire = to_wire(text);
        assert!(wire.is_ascii());
        assert!(wire.windows(12).any(|w| w == br"\ud83d\ude00"));
        assert_eq!(serde_json::from_slice::<String>(&wire).unwrap(), text);
    }

    #[test]
    fn the_429_body_is_the_platforms() {
        let expected = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 14","parameters":{"retry_after":14}}"#;
        assert_eq!(too_many(14), expected);
    }
}
