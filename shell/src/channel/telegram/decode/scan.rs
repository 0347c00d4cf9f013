//! A cursor over JSON (RFC 8259) that checks what it passes and decodes nothing.
//!
//! What lives here: [`Scan`], and [`Text`], where a string stands. Used by `visit`. Every byte of the body is
//! checked once: grammar, control characters, escapes, surrogate pairs; UTF-8 is left to the caller, because
//! nothing here depends on it. Strings are passed eight bytes at a time.

use super::unescape::{arabic_run, hex, hex4};

/// Levels of nesting: what deeper is no update of anybody's.
const DEPTH_MAX: usize = 1_024;

/// The bytes are not JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NotJson;

type Checked<T> = Result<T, NotJson>;

/// Where the inside of a string stands, and whether it holds escapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Text {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) escaped: bool,
}

/// The cursor.
pub(super) struct Scan<'b> {
    pub(super) bytes: &'b [u8],
    at: usize,
}

impl<'b> Scan<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next byte that is not white space; it is not consumed.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> Checked<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(&byte) if byte > b' ' => return Ok(byte),
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                _ => return Err(NotJson),
            }
        }
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> Checked<()> {
        if self.peek()? != byte {
            return Err(NotJson);
        }
        self.at += 1;
        Ok(())
    }

    /// After the root: nothing but white space.
    pub(super) fn end(&mut self) -> Checked<()> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_blank = rest.iter().all(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t'));
        if is_blank { Ok(()) } else { Err(NotJson) }
    }

    /// An object's entries: `each` sees a key and must pass its value. Anything else is passed unseen.
    #[inline(always)]
    pub(super) fn entries(&mut self, mut each: impl FnMut(&mut Self, Text) -> Checked<()>) -> Checked<()> {
        if self.peek()? != b'{' {
            return self.skip();
        }
        self.at += 1;
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.key()?;
            each(self, key)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(NotJson),
            }
        }
    }

    /// An array's items: `each` must pass the one it stands before. Anything else is passed unseen.
    pub(super) fn items(&mut self, mut each: impl FnMut(&mut Self) -> Checked<()>) -> Checked<()> {
        if self.peek()? != b'[' {
            return self.skip();
        }
        self.at += 1;
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            each(self)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(NotJson),
            }
        }
    }

    /// A key and its colon.
    #[inline(always)]
    fn key(&mut self) -> Checked<Text> {
        if self.peek()? != b'"' {
            return Err(NotJson);
        }
        let key = self.string()?;
        self.take(b':')?;
        Ok(key)
    }

    /// A value: the string it is, or none if it is another.
    #[inline]
    pub(super) fn text(&mut self) -> Checked<Option<Text>> {
        if self.peek()? == b'"' { self.string().map(Some) } else { self.skip().map(|()| None) }
    }

    /// A value: the integer it is, if it fits; `1.0` and `1e3` are none.
    #[inline]
    pub(super) fn int(&mut self) -> Checked<Option<i64>> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.skip().map(|()| None),
        }
    }

    /// A value: whether it is `true`.
    #[inline]
    pub(super) fn truth(&mut self) -> Checked<bool> {
        let is = self.peek()? == b't';
        self.skip().map(|()| is)
    }

    /// Passes a value.
    #[inline]
    pub(super) fn skip(&mut self) -> Checked<()> {
        match self.peek()? {
            b'{' | b'[' => self.nested(),
            _ => self.scalar(),
        }
    }

    #[inline]
    fn scalar(&mut self) -> Checked<()> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'-' | b'0'..=b'9' => self.number().map(drop),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => Err(NotJson),
        }
    }

    fn word(&mut self, word: &[u8]) -> Checked<()> {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(NotJson)
    }

    /// Objects and arrays inside one another, without recursion: a bit a level says which it is.
    fn nested(&mut self) -> Checked<()> {
        let mut objects = [0u64; DEPTH_MAX / 64];
        let mut depth = 0;
        loop {
            // Here a value begins.
            let open = self.peek()?;
            let mut complete = true;
            if matches!(open, b'{' | b'[') {
                self.at += 1;
                if depth == DEPTH_MAX {
                    return Err(NotJson);
                }
                let bit = 1 << (depth % 64);
                let is_object = open == b'{';
                let word = &mut objects[depth / 64];
                *word = if is_object { *word | bit } else { *word & !bit };
                depth += 1;
                complete = self.peek()? == if is_object { b'}' } else { b']' };
                if !complete && is_object {
                    self.key()?;
                }
            } else {
                self.scalar()?;
            }
            // Here a value has ended, or one is inside the other.
            while complete {
                if depth == 0 {
                    return Ok(());
                }
                let is_object = objects[(depth - 1) / 64] & (1 << ((depth - 1) % 64)) != 0;
                match self.peek()? {
                    b',' => {
                        self.at += 1;
                        if is_object {
                            self.key()?;
                        }
                        complete = false;
                    }
                    b'}' if is_object => self.close(&mut depth),
                    b']' if !is_object => self.close(&mut depth),
                    _ => return Err(NotJson),
                }
            }
        }
    }

    fn close(&mut self, depth: &mut usize) {
        self.at += 1;
        *depth -= 1;
    }

    /// RFC 8259 6: `-`, an integer without leading zeros, a fraction, an exponent.
    fn number(&mut self) -> Checked<Option<i64>> {
        let negative = self.bytes.get(self.at) == Some(&b'-');
        self.at += usize::from(negative);
        let from = self.at;
        let mut value = 0u64;
        // 19 digits fit 64 bits; what is longer is counted as too large.
        let mut digits = 0;
        for byte in self.bytes.get(from..).unwrap_or_default() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            digits += 1;
        }
        self.at += digits;
        if digits == 0 || digits > 1 && self.bytes[from] == b'0' {
            return Err(NotJson);
        }
        if matches!(self.bytes.get(self.at), Some(b'.' | b'e' | b'E')) {
            self.fraction()?;
            return Ok(None);
        }
        let fits = match negative {
            _ if digits > 19 => None,
            true => 0i64.checked_sub_unsigned(value),
            false => i64::try_from(value).ok(),
        };
        Ok(fits)
    }

    fn fraction(&mut self) -> Checked<()> {
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Checked<()> {
        let from = self.at;
        while matches!(self.bytes.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > from { Ok(()) } else { Err(NotJson) }
    }

    /// A string; the cursor stands at its opening quote.
    #[inline(always)]
    fn string(&mut self) -> Checked<Text> {
        let from = self.at + 1;
        let mut at = from;
        let mut escaped = false;
        loop {
            at = self.plain(at)?;
            // `plain` stops inside the bytes.
            match self.bytes[at] {
                b'"' => {
                    self.at = at + 1;
                    return Ok(Text { from, to: at, escaped });
                }
                b'\\' => {
                    escaped = true;
                    at = self.escapes(at)?;
                }
                _ => return Err(NotJson),
            }
        }
    }

    /// Where the first quote, backslash or control character stands, at or after `at`.
    #[inline(always)]
    fn plain(&self, mut at: usize) -> Checked<usize> {
        while let Some(word) = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*word);
            // "Bit Twiddling Hacks" (S. E. Anderson): a zero byte, and a byte below 0x20. A false mark stands
            // only above a true one, so the lowest is true.
            let quote = word ^ (ONES * u64::from(b'"'));
            let slash = word ^ (ONES * u64::from(b'\\'));
            let found = (quote.wrapping_sub(ONES) & !quote)
                | (slash.wrapping_sub(ONES) & !slash)
                | (word.wrapping_sub(ONES * 0x20) & !word);
            let found = found & HIGHS;
            if found != 0 {
                return Ok(at + (found.trailing_zeros() / 8) as usize);
            }
            at += 8;
        }
        // Less than eight bytes before the end of the body.
        while let Some(&byte) = self.bytes.get(at) {
            if matches!(byte, b'"' | b'\\' | 0..=0x1f) {
                return Ok(at);
            }
            at += 1;
        }
        Err(NotJson)
    }

    /// Passes escapes that follow one another: in the platform's form a whole Arabic word is such a run.
    #[inline]
    fn escapes(&self, mut at: usize) -> Checked<usize> {
        loop {
            at += arabic_run(self.bytes.get(at..).unwrap_or_default());
            match self.bytes.get(at..).and_then(|rest| rest.first_chunk::<6>()) {
                Some(&[b'\\', b'u', a, b, c, d]) => {
                    let unit = hex([a, b, c, d]).ok_or(NotJson)?;
                    at += 6;
                    if unit & 0xf800 == 0xd800 {
                        at = self.second_half(unit, at)?;
                    }
                }
                _ => match self.bytes.get(at..).unwrap_or_default() {
                    [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => at += 2,
                    [b'\\', ..] => return Err(NotJson),
                    _ => return Ok(at),
                },
            }
        }
    }

    /// RFC 8259 7: beyond the basic plane a pair of surrogates; one alone is nobody's text.
    fn second_half(&self, first: u32, at: usize) -> Checked<usize> {
        let second = match self.bytes.get(at..at + 2) {
            Some(b"\\u") => hex4(self.bytes, at + 2),
            _ => None,
        };
        let pair = first < 0xdc00 && second.is_some_and(|unit| unit & 0xfc00 == 0xdc00);
        if pair { Ok(at + 6) } else { Err(NotJson) }
    }
}

/// RFC 3629, by vector instructions where a text is long.
#[inline]
pub(super) fn utf8(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(bytes).ok()
}

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES << 7;
