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

/// How the escape of every letter of Arabic and Persian begins: U+0600 to U+06FF.
const ARABIC: u32 = u32::from_le_bytes(*b"\\u06");

/// The low byte of a letter U+0600 to U+06FF, if `six` is its escape. Most of what the platform escapes for the bots
/// that run here, so it is looked for first: one word and two digits instead of a byte at a time.
#[inline(always)]
fn arabic(&[a, b, c, d, high, low]: &[u8; 6]) -> Option<u8> {
    if u32::from_le_bytes([a, b, c, d]) != ARABIC {
        return None;
    }
    let (high, low) = (HEX[usize::from(high)], HEX[usize::from(low)]);
    (high | low <= 0xf).then_some(high << 4 | low)
}

/// How many bytes of escaped Arabic letters, and of spaces between them, stand at the front of `rest`.
#[inline(always)]
pub(super) fn arabic_run(rest: &[u8]) -> usize {
    let mut left = rest;
    loop {
        while let Some((six, behind)) = left.split_first_chunk() {
            if arabic(six).is_none() {
                break;
            }
            left = behind;
        }
        match left {
            [b' ', b'\\', ..] => left = &left[1..],
            _ => return rest.len() - left.len(),
        }
    }
}

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
/// shorter than what it stands for: two bytes for one, six for three, twelve for four. What is left over becomes
/// spaces, so that a body in UTF-8 stays in UTF-8.
pub(super) fn in_place(body: &mut [u8], text: Text) -> Range<usize> {
    if !text.escaped {
        return text.from..text.to;
    }
    let inside = &mut body[text.from..text.to];
    let (mut from, mut to) = (0, 0);
    while let Some(&byte) = inside.get(from) {
        if byte != b'\\' {
            inside[to] = byte;
            (from, to) = (from + 1, to + 1);
            continue;
        }
        // RFC 3629 3: two bytes are 110xxxxx 10xxxxxx; U+0600 is 0xd8 0x80.
        while let Some(low) = inside.get(from..).and_then(<[u8]>::first_chunk).and_then(arabic) {
            inside[to..to + 2].copy_from_slice(&[0xd8 | low >> 6, 0x80 | low & 0x3f]);
            (from, to) = (from + 6, to + 2);
        }
        if inside.get(from) == Some(&b'\\') {
            let mut utf8 = [0; 4];
            let (read, written) = one(inside, from, &mut utf8);
            inside[to..to + written].copy_from_slice(&utf8[..written]);
            (from, to) = (from + read, to + written);
        }
    }
    inside[to..].fill(b' ');
    text.from..text.from + to
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
