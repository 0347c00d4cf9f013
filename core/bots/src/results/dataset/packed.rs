//! Columns inside the file's bytes: integers of one width, and tables of strings.
//!
//! What lives here: where a column lies and how one value is read. The bytes themselves belong to the
//! data set, which holds the file as it is and lends it to every call. Nothing here can panic: what lies
//! outside a column reads as 0 or as the empty string, and `load` has proved beforehand that nobody asks.

use nobat_core::record::{Malformed, Reader, Write};

/// Zero bytes behind the last column, so that any value can be read as eight bytes and masked.
pub(super) const PADDING: usize = 8;

/// Unsigned integers of one width, 1 to 8 bytes, little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Packed {
    at: usize,
    len: usize,
    width: usize,
    mask: u64,
}

impl Packed {
    /// Appends `values` in the least width that holds the largest of them.
    pub(super) fn write(out: &mut Vec<u8>, len: usize, values: impl Iterator<Item = u64> + Clone) {
        let max = values.clone().max().unwrap_or(0);
        let width = (8 - max.leading_zeros() as usize / 8).max(1);
        out.put_u8(width as u8);
        out.put_varint(len as u64);
        let before = out.len();
        for value in values {
            out.extend_from_slice(&value.to_le_bytes()[..width]);
        }
        debug_assert_eq!(out.len() - before, len * width, "as many values as announced");
    }

    /// Reads where a column of `file` lies.
    pub(super) fn read(file: &[u8], from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let width = usize::from(from.u8()?);
        if !(1..=8).contains(&width) {
            return Err(Malformed("a column's width is not 1 to 8 bytes"));
        }
        let len = usize::try_from(from.varint()?).map_err(|_| Malformed("a column over memory"))?;
        let bytes = len.checked_mul(width).ok_or(Malformed("a column over memory"))?;
        let at = file.len() - from.rest().len();
        from.take(bytes)?;
        Ok(Self { at, len, width, mask: u64::MAX >> (64 - 8 * width) })
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The `i`th value; 0 outside the column.
    pub(super) fn get(&self, file: &[u8], i: usize) -> u64 {
        if i >= self.len {
            return 0;
        }
        let at = self.at + i * self.width;
        match file.get(at..).and_then(<[u8]>::first_chunk) {
            Some(word) => u64::from_le_bytes(*word) & self.mask,
            None => 0,
        }
    }

    /// The `i`th value as an index.
    pub(super) fn index(&self, file: &[u8], i: usize) -> usize {
        self.get(file, i) as usize
    }

    pub(super) fn iter<'a>(&'a self, file: &'a [u8]) -> impl Iterator<Item = u64> + 'a {
        (0..self.len).map(move |i| self.get(file, i))
    }

    /// `true` if every value is below `bound`.
    pub(super) fn all_below(&self, file: &[u8], bound: usize) -> bool {
        self.iter(file).all(|v| v < bound as u64)
    }

    /// `true` if the values never fall, begin with 0 and end with `end`: the offsets of `len - 1` pieces.
    pub(super) fn are_offsets_to(&self, file: &[u8], end: usize) -> bool {
        let mut last = 0;
        let rising = self.iter(file).all(|v| {
            let ok = v >= last;
            last = v;
            ok
        });
        self.len > 0 && self.get(file, 0) == 0 && rising && last == end as u64
    }
}

/// A table of strings: offsets, then the bytes of all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Strings {
    offsets: Packed,
    at: usize,
    len: usize,
}

impl Strings {
    pub(super) fn write<S: AsRef<str>>(out: &mut Vec<u8>, strings: &[S]) {
        let mut end = 0;
        let ends: Vec<u64> = core::iter::once(0)
            .chain(strings.iter().map(|s| {
                end += s.as_ref().len() as u64;
                end
            }))
            .collect();
        Packed::write(out, ends.len(), ends.iter().copied());
        out.put_varint(end);
        for s in strings {
            out.extend_from_slice(s.as_ref().as_bytes());
        }
    }

    /// Reads where a table lies and checks all of it: offsets and UTF-8.
    pub(super) fn read(file: &[u8], from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let offsets = Packed::read(file, from)?;
        let bytes = from.bytes()?;
        let at = file.len() - from.rest().len() - bytes.len();
        if !offsets.are_offsets_to(file, bytes.len()) {
            return Err(Malformed("a string table's offsets are out of order"));
        }
        let text = core::str::from_utf8(bytes).map_err(|_| Malformed("a string table is not UTF-8"))?;
        if !offsets.iter(file).all(|v| text.is_char_boundary(v as usize)) {
            return Err(Malformed("a string table cuts a character"));
        }
        Ok(Self { offsets, at, len: offsets.len() - 1 })
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The `i`th string; empty outside the table.
    pub(super) fn get<'a>(&self, file: &'a [u8], i: usize) -> &'a str {
        if i >= self.len {
            return "";
        }
        let (from, to) = (self.offsets.index(file, i), self.offsets.index(file, i + 1));
        let bytes = file.get(self.at + from..self.at + to).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The place of `key` in a table whose strings rise.
    pub(super) fn search(&self, file: &[u8], key: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(file, middle).cmp(key) {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Equal => return Some(middle),
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// `true` if each string is greater than the one before it.
    pub(super) fn rise(&self, file: &[u8]) -> bool {
        (1..self.len).all(|i| self.get(file, i - 1) < self.get(file, i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn columns_survive(values: Vec<u64>, shift in 0u32..64) {
            let values: Vec<u64> = values.iter().map(|v| v >> shift).collect();
            let mut file = Vec::new();
            Packed::write(&mut file, values.len(), values.iter().copied());
            file.extend_from_slice(&[0; PADDING]);
            let column = Packed::read(&file, &mut Reader::new(&file)).unwrap();
            prop_assert_eq!(column.iter(&file).collect::<Vec<_>>(), values);
        }

        #[test]
        fn string_tables_survive(strings: Vec<String>) {
            let mut file = Vec::new();
            Strings::write(&mut file, &strings);
            file.extend_from_slice(&[0; PADDING]);
            let table = Strings::read(&file, &mut Reader::new(&file)).unwrap();
            let read: Vec<_> = (0..table.len()).map(|i| table.get(&file, i).to_owned()).collect();
            prop_assert_eq!(read, strings);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(file: Vec<u8>, i: usize) {
            if let Ok(column) = Packed::read(&file, &mut Reader::new(&file)) {
                let _ = column.get(&file, i);
            }
            if let Ok(table) = Strings::read(&file, &mut Reader::new(&file)) {
                let _ = (table.get(&file, i), table.search(&file, "a"));
            }
        }
    }
}
