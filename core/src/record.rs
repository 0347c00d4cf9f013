//! How durable things become bytes: a small writer and reader, and the [`Record`] trait.
//!
//! What lives here: little-endian integers, LEB128 lengths, byte strings. States, events and envelopes
//! are written with it. Every reader is total: bytes that are not a record give [`Malformed`], never a
//! panic and never more memory than the bytes that are there.

/// Bytes that are not the record they were taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("malformed record: {0}")]
pub struct Malformed(pub &'static str);

/// A durable value with a stable encoding. A later version may append fields; it must still read what
/// an earlier version wrote.
pub trait Record: Sized {
    /// Appends the encoding to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads one value.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not one.
    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed>;

    /// Reads one value that must fill `bytes`.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not exactly one.
    fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let value = Self::decode(&mut reader)?;
        if reader.is_empty() { Ok(value) } else { Err(Malformed("trailing bytes")) }
    }
}

impl Record for () {
    fn encode(&self, _: &mut Vec<u8>) {}
    fn decode(_: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(())
    }
}

/// Appends fields to a buffer.
pub trait Write {
    /// One byte.
    fn put_u8(&mut self, v: u8);
    /// Two bytes, little-endian.
    fn put_u16(&mut self, v: u16);
    /// Four bytes, little-endian.
    fn put_u32(&mut self, v: u32);
    /// Eight bytes, little-endian.
    fn put_u64(&mut self, v: u64);
    /// LEB128: one byte below 128, at most ten.
    fn put_varint(&mut self, v: u64);
    /// Zigzag LEB128.
    fn put_signed(&mut self, v: i64);
    /// A length as varint, then the bytes.
    fn put_bytes(&mut self, v: &[u8]);
    /// A length as varint, then UTF-8.
    fn put_str(&mut self, v: &str);
}

impl Write for Vec<u8> {
    fn put_u8(&mut self, v: u8) {
        self.push(v);
    }
    fn put_u16(&mut self, v: u16) {
        self.extend_from_slice(&v.to_le_bytes());
    }
    fn put_u32(&mut self, v: u32) {
        self.extend_from_slice(&v.to_le_bytes());
    }
    fn put_u64(&mut self, v: u64) {
        self.extend_from_slice(&v.to_le_bytes());
    }
    fn put_varint(&mut self, mut v: u64) {
        while v >= 0x80 {
            self.push(v as u8 | 0x80);
            v >>= 7;
        }
        self.push(v as u8);
    }
    fn put_signed(&mut self, v: i64) {
        self.put_varint(((v << 1) ^ (v >> 63)) as u64);
    }
    fn put_bytes(&mut self, v: &[u8]) {
        self.put_varint(v.len() as u64);
        self.extend_from_slice(v);
    }
    fn put_str(&mut self, v: &str) {
        self.put_bytes(v.as_bytes());
    }
}

/// Takes fields off the front of a slice.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Over all of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is left.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Exactly `n` bytes.
    ///
    /// # Errors
    /// [`Malformed`] if fewer are left.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(Malformed("cut short"))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed("cut short"))?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Malformed`] if none is left.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes, little-endian.
    ///
    /// # Errors
    /// [`Malformed`] if fewer are left.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes, little-endian.
    ///
    /// # Errors
    /// [`Malformed`] if fewer are left.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes, little-endian.
    ///
    /// # Errors
    /// [`Malformed`] if fewer are left.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// LEB128.
    ///
    /// # Errors
    /// [`Malformed`] if it is cut short or does not fit 64 bits.
    pub fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed("varint over 64 bits"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed("varint over 64 bits"))
    }

    /// Zigzag LEB128.
    ///
    /// # Errors
    /// As [`Reader::varint`].
    pub fn signed(&mut self) -> Result<i64, Malformed> {
        let z = self.varint()?;
        Ok((z >> 1) as i64 ^ -((z & 1) as i64))
    }

    /// A length, then that many bytes.
    ///
    /// # Errors
    /// [`Malformed`] if fewer are left.
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let n = self.varint()?;
        self.take(usize::try_from(n).map_err(|_| Malformed("length over memory"))?)
    }

    /// A length, then UTF-8.
    ///
    /// # Errors
    /// [`Malformed`] if fewer are left or they are not UTF-8.
    pub fn str(&mut self) -> Result<&'a str, Malformed> {
        core::str::from_utf8(self.bytes()?).map_err(|_| Malformed("not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_survive(a: u64, b: i64, c: u16, s: String) {
            let mut out = Vec::new();
            out.put_varint(a);
            out.put_signed(b);
            out.put_u16(c);
            out.put_str(&s);
            let mut r = Reader::new(&out);
            prop_assert_eq!(r.varint(), Ok(a));
            prop_assert_eq!(r.signed(), Ok(b));
            prop_assert_eq!(r.u16(), Ok(c));
            prop_assert_eq!(r.str(), Ok(s.as_str()));
            prop_assert!(r.is_empty());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let mut r = Reader::new(&bytes);
            while r.bytes().is_ok() && !r.is_empty() {}
            let _ = r.varint();
            let _ = r.u64();
        }
    }

    #[test]
    fn a_length_beyond_the_input_is_malformed_and_allocates_nothing() {
        let mut bytes = Vec::new();
        bytes.put_varint(u64::MAX);
        assert_eq!(Reader::new(&bytes).bytes(), Err(Malformed("cut short")));
    }
}
