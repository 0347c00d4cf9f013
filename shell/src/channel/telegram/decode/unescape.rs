//! Escapes of strings that were checked before, resolved in place.

use super::scan::Text;
use std::ops::Range;

/// The value of a hexadecimal digit; 0xff for any other byte.
static HEX: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit] as usize] = digit as u8;
        table[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
};

/// The value of four hexadecimal digits.
#[inline(always)]
pub(super) fn hex(digits: [u8; 4]) -> Option<u32> {
    let [a, b, c, d] = digits.map(|digit| u32::from(HEX[usize::from(digit)]));
    (a | b | c | d <= 0xf).then_some(a << 12 | b << 8 | c << 4 | d)
}

/// The four hexadecimal digits at `at`.
pub(super) fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    hex(*bytes.get(at..)?.first_chunk()?)
}

/// Resolves the escapes of a checked string in place and gives where it stands now. An escape is never
/// shorter than what it stands for: two bytes for one, six for three, twelve for four.
pub(super) fn in_place(body: &mut [u8], text: Text) -> Range<usize> {
    if !text.escaped {
        return text.from..text.to;
    }
    let (mut from, mut to) = (text.from, text.from);
    while from < text.to {
        if let Some(pair) = basic(body, from) {
            body[to..to + 2].copy_from_slice(&pair);
            (from, to) = (from + 6, to + 2);
            continue;
        }
        if body[from] != b'\\' {
            body[to] = body[from];
            (from, to) = (from + 1, to + 1);
            continue;
        }
        let (read, written) = copied(body, from, to);
        (from, to) = (from + read, to + written);
    }
    text.from..to
}

/// `\uXXXX` of two bytes in UTF-8: nearly every letter of Arabic and Persian. None for anything else.
#[inline(always)]
fn basic(body: &[u8], from: usize) -> Option<[u8; 2]> {
    let Some(&[b'\\', b'u', a, b, c, d]) = body.get(from..)?.first_chunk::<6>() else { return None };
    let unit = hex([a, b, c, d]).filter(|unit| (0x80..0x800).contains(unit))?;
    // RFC 3629 3: 110xxxxx 10xxxxxx.
    Some([0xc0 | (unit >> 6) as u8, 0x80 | (unit & 0x3f) as u8])
}

fn copied(body: &mut [u8], from: usize, to: usize) -> (usize, usize) {
    let mut utf8 = [0; 4];
    let (read, written) = one(body, from, &mut utf8);
    body[to..to + written].copy_from_slice(&utf8[..written]);
    (read, written)
}

/// A string with escapes, resolved into `space` if it fits: for names and words, which are compared and
/// forgotten.
#[cold]
pub(super) fn into<'s>(body: &[u8], text: Text, space: &'s mut [u8; 64]) -> Option<&'s [u8]> {
    let (mut from, mut to) = (text.from, 0);
    while from < text.to {
        let mut utf8 = [0; 4];
        let (read, written) = one(body, from, &mut utf8);
        space.get_mut(to..to + written)?.copy_from_slice(&utf8[..written]);
        from += read;
        to += written;
    }
    Some(&space[..to])
}

/// The byte or escape at `at`: how much it takes, and how much it gives.
fn one(body: &[u8], at: usize, utf8: &mut [u8; 4]) -> (usize, usize) {
    if body[at] != b'\\' {
        utf8[0] = body[at];
        return (1, 1);
    }
    utf8[0] = match body[at + 1] {
        b'u' => return unicode(body, at, utf8),
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        itself => itself,
    };
    (2, 1)
}

fn unicode(body: &[u8], at: usize, utf8: &mut [u8; 4]) -> (usize, usize) {
    let unit = |at| hex4(body, at).unwrap_or(0xfffd);
    let first = unit(at + 2);
    let (read, code) = match first {
        0xd800..0xdc00 => (12, 0x1_0000 + ((first & 0x3ff) << 10) + (unit(at + 8) & 0x3ff)),
        _ => (6, first),
    };
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    (read, character.encode_utf8(utf8).len())
}
