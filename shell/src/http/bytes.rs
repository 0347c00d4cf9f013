//! Character classes of RFC 9110 5.5, 5.6 and RFC 3986, as one table of bits.

/// RFC 9110 5.6.2: a byte of a token.
pub(super) const TCHAR: u8 = 1;
/// RFC 9110 5.5: a byte of a field value: visible, obs-text, space or tab.
pub(super) const VALUE: u8 = 2;
/// RFC 3986 3.3, 3.4: a byte of a path or query, the percent sign included.
pub(super) const PATH: u8 = 4;
/// RFC 3986 3.2.2: a byte of a registered name, the percent sign included.
pub(super) const NAME: u8 = 8;
/// `NAME` without the percent sign, which must be looked at.
pub(super) const PLAIN_NAME: u8 = 32;
/// `PATH` without the percent sign and the question mark.
pub(super) const PLAIN_PATH: u8 = 64;
/// What may stand in a request target at all: `PATH` and the brackets of an IP literal.
pub(super) const TARGET: u8 = 16;

static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        let mut class = 0;
        let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let sub_delim =
            matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=');
        if byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            )
        {
            class |= TCHAR;
        }
        if byte == b'\t' || (byte >= b' ' && byte != 0x7f) {
            class |= VALUE;
        }
        if unreserved || sub_delim || byte == b'%' {
            class |= NAME | PATH | TARGET;
        }
        if matches!(byte, b':' | b'@' | b'/' | b'?') {
            class |= PATH | TARGET;
        }
        if class & NAME != 0 && byte != b'%' {
            class |= PLAIN_NAME;
        }
        if class & PATH != 0 && byte != b'%' && byte != b'?' {
            class |= PLAIN_PATH;
        }
        if matches!(byte, b'[' | b']') {
            class |= TARGET;
        }
        table[at] = class;
        at += 1;
    }
    table
}

/// Whether `byte` is of `class`.
#[inline]
pub(super) fn is(byte: u8, class: u8) -> bool {
    CLASS[usize::from(byte)] & class != 0
}

/// Where, at or after `from`, the first byte stands that is not of `class`; the end if there is none.
#[inline(always)]
pub(super) fn skip(bytes: &[u8], from: usize, class: u8) -> usize {
    let mut at = from;
    // Four at a time: one branch for four look-ups.
    while let Some(&[a, b, c, d]) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let of = |byte: u8| CLASS[usize::from(byte)];
        if of(a) & of(b) & of(c) & of(d) & class == 0 {
            break;
        }
        at += 4;
    }
    while bytes.get(at).is_some_and(|&byte| is(byte, class)) {
        at += 1;
    }
    at.min(bytes.len())
}

/// As [`skip`] for field values, eight bytes at a time: they are most of a head.
#[inline]
pub(super) fn skip_value(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        // "Bit Twiddling Hacks" (S. E. Anderson): a byte below 0x20, and a byte 0x7f. A false mark stands only
        // above a true one, so the lowest is true.
        let deletes = word ^ (ONES * 0x7f);
        let marks = (word.wrapping_sub(ONES * 0x20) & !word) | (deletes.wrapping_sub(ONES) & !deletes);
        let marks = marks & HIGHS;
        if marks == 0 {
            at += 8;
            continue;
        }
        at += (marks.trailing_zeros() / 8) as usize;
        if bytes[at] != b'\t' {
            return at;
        }
        at += 1;
    }
    skip(bytes, at, VALUE)
}

/// Where `byte` first stands. For texts so short that a vectorised search costs more than it saves.
pub(super) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    bytes.iter().position(|&b| b == byte)
}

/// Whether all bytes are of `class`.
pub(super) fn all(bytes: &[u8], class: u8) -> bool {
    bytes.iter().all(|&b| is(b, class))
}

/// Optional whitespace (RFC 9110 5.6.3).
#[inline]
pub(super) const fn is_ows(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Without optional whitespace at both ends.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes {
        if !is_ows(*first) {
            break;
        }
        bytes = rest;
    }
    while let [rest @ .., last] = bytes {
        if !is_ows(*last) {
            break;
        }
        bytes = rest;
    }
    bytes
}

/// The members of a comma-separated list (RFC 9110 5.6.1), trimmed; empty ones are given too.
pub(super) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&b| b == b',').map(trim)
}

/// A decimal number of digits alone, if it fits.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, &b| {
        let digit = b.is_ascii_digit().then(|| u64::from(b - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// A decimal number into `out`, without allocation beyond it.
pub(super) fn put_decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
