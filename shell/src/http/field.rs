//! Field lines (RFC 9112 5): name, colon, value, into a fixed index of offsets.

use super::Reason;
use super::bytes::{self, TCHAR};
use super::head::{Stop, line_end};

/// Field lines of one head, at most. More: 431.
pub const FIELDS_MAX: usize = 64;

#[derive(Clone, Copy, Default)]
struct Line {
    name: u16,
    name_len: u16,
    value: u16,
    value_len: u16,
}

/// Where the field lines of a head stand. Reused from head to head; 520 bytes.
#[derive(Clone)]
pub struct FieldsIndex {
    lines: [Line; FIELDS_MAX],
    count: usize,
}

impl Default for FieldsIndex {
    fn default() -> Self {
        Self { lines: [Line::default(); FIELDS_MAX], count: 0 }
    }
}

impl FieldsIndex {
    /// Reads the field lines from `at` to the empty line; `each` sees every complete line in order and
    /// may refuse. Gives where the body begins. `bytes` is at most 65,535 long.
    pub(super) fn read<F>(&mut self, bytes: &[u8], mut at: usize, mut each: F) -> Result<usize, Stop>
    where
        F: FnMut(&[u8], &[u8]) -> Result<(), Reason>,
    {
        self.count = 0;
        loop {
            match bytes.get(at) {
                None => return Err(Stop::NeedMore),
                Some(b'\r') => return line_end(bytes, at, Reason::FieldName),
                // RFC 9112 2.2 and 5.2: whitespace before the first field, and obs-fold, are refused.
                Some(b' ' | b'\t') => return Err(Reason::FieldFolded.into()),
                Some(_) => {}
            }
            let (line, next) = field_line(bytes, at)?;
            let slot = self.lines.get_mut(self.count).ok_or(Reason::TooManyFields)?;
            *slot = line;
            self.count += 1;
            each(slice(bytes, line.name, line.name_len), slice(bytes, line.value, line.value_len))?;
            at = next;
        }
    }

    /// The fields with the bytes they stand in.
    pub(super) fn over<'a>(&'a self, bytes: &'a [u8]) -> Fields<'a> {
        Fields { bytes, lines: &self.lines[..self.count] }
    }
}

/// RFC 9112 5.1: no whitespace between name and colon; optional whitespace around the value is not of it.
#[inline(always)]
fn field_line(bytes: &[u8], at: usize) -> Result<(Line, usize), Stop> {
    let colon = bytes::skip(bytes, at, TCHAR);
    match bytes.get(colon) {
        None => return Err(Stop::NeedMore),
        Some(b':') if colon > at => {}
        Some(_) => return Err(Reason::FieldName.into()),
    }
    let mut from = colon + 1;
    while bytes.get(from).is_some_and(|&b| bytes::is_ows(b)) {
        from += 1;
    }
    // RFC 9110 5.5: CR, LF, NUL and the other controls are refused, not replaced.
    let end = bytes::skip_value(bytes, from);
    let next = line_end(bytes, end, Reason::FieldValue)?;
    let mut to = end;
    while to > from && bytes::is_ows(bytes[to - 1]) {
        to -= 1;
    }
    let line = Line {
        name: at as u16,
        name_len: (colon - at) as u16,
        value: from as u16,
        value_len: (to - from) as u16,
    };
    Ok((line, next))
}

/// Whether a field's name is `wanted`, in any case. Compared as written first: that is a few words at once, and
/// nearly everybody writes it so.
#[inline(always)]
pub(super) fn is_named(name: &[u8], wanted: &[u8]) -> bool {
    name.len() == wanted.len() && (name == wanted || name.eq_ignore_ascii_case(wanted))
}

#[inline]
fn slice(bytes: &[u8], from: u16, len: u16) -> &[u8] {
    &bytes[usize::from(from)..usize::from(from) + usize::from(len)]
}

/// The fields of one head, in order.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    bytes: &'a [u8],
    lines: &'a [Line],
}

impl<'a> Fields<'a> {
    /// Name and value of each line, in order; values without surrounding whitespace.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.lines.iter().map(move |line| {
            (slice(self.bytes, line.name, line.name_len), slice(self.bytes, line.value, line.value_len))
        })
    }

    /// The first value of a field, by name without regard to case.
    #[must_use]
    pub fn first(self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The value of a field that stands exactly once. For what must not be ambiguous: secrets, signatures.
    #[must_use]
    pub fn only(self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.all(name);
        let first = values.next()?;
        values.next().is_none().then_some(first)
    }

    /// Every value of a field, by name without regard to case.
    pub fn all<'n>(self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        // Most names are told apart by their length.
        let lines = self.lines.iter().filter(move |line| usize::from(line.name_len) == name.len());
        let named =
            move |line: &&Line| is_named(slice(self.bytes, line.name, line.name_len), name.as_bytes());
        lines.filter(named).map(move |line| slice(self.bytes, line.value, line.value_len))
    }
}
