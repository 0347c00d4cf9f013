//! From when to when a certificate is valid, read from its DER (RFC 5280 4.1), so that an expired one is
//! said at
//! start and not found out by the platform. It verifies nothing: rustls does.

use nobat_core::time::UnixMillis;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The validity of one certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Validity {
    pub(super) not_before: UnixMillis,
    pub(super) not_after: UnixMillis,
}

impl Validity {
    /// Reads `Certificate.tbsCertificate.validity`; nothing if the bytes are not of that shape.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (certificate, _) = element(certificate, SEQUENCE)?;
        let (mut tbs, _) = element(certificate, SEQUENCE)?;
        // The version is optional; serial number, algorithm and issuer stand before the validity.
        if let Some((_, rest)) = element(tbs, VERSION) {
            tbs = rest;
        }
        for tag in [INTEGER, SEQUENCE, SEQUENCE] {
            tbs = element(tbs, tag)?.1;
        }
        let (validity, _) = element(tbs, SEQUENCE)?;
        let (not_before, rest) = time(validity)?;
        let (not_after, _) = time(rest)?;
        Some(Self { not_before, not_after })
    }
}

/// The content of the element at the front, if it has this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = bytes.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // X.690 8.1.3.5: the long form; four bytes hold any certificate.
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |len, &byte| len << 8 | usize::from(byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(len)
}

/// RFC 5280 4.1.2.5: `YYMMDDhhmmssZ` until 2049, `YYYYMMDDhhmmssZ` from 2050.
fn time(bytes: &[u8]) -> Option<(UnixMillis, &[u8])> {
    let (text, rest) = element(bytes, UTC_TIME).or_else(|| element(bytes, GENERALIZED_TIME))?;
    let digits = text.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let number = |part: &[u8]| part.iter().fold(0u64, |n, &digit| n * 10 + u64::from(digit - b'0'));
    let (year, rest_of_date) = match digits.len() {
        // RFC 5280 4.1.2.5.1: 50 to 99 are of the last century.
        12 if number(&digits[..2]) >= 50 => (1900 + number(&digits[..2]), &digits[2..]),
        12 => (2000 + number(&digits[..2]), &digits[2..]),
        14 => (number(&digits[..4]), &digits[4..]),
        _ => return None,
    };
    let part = |at: usize| number(&rest_of_date[2 * at..2 * at + 2]);
    let days = days_since_1970(year, part(0), part(1))?;
    let seconds = days * 86_400 + part(2) * 3_600 + part(3) * 60 + part(4);
    Some((UnixMillis(seconds * 1_000), rest))
}

/// Counts from March in 400-year eras, so that leap days fall at the end of a year. What lies before 1970
/// is 1970.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year == 0 {
        return None;
    }
    let (year, from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    let day_of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + day_of_year;
    Some((year / 400 * 146_097 + day_of_era).saturating_sub(719_468))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpDate;
    use proptest::prelude::*;

    fn utc(text: &str) -> Vec<u8> {
        let tag = if text.len() == 13 { UTC_TIME } else { GENERALIZED_TIME };
        [&[tag, text.len() as u8], text.as_bytes()].concat()
    }

    #[test]
    fn times_of_both_forms_are_read() {
        for (text, date) in [
            ("941106084937Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("240229235959Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
            ("20500101000000Z", "Sat, 01 Jan 2050 00:00:00 GMT"),
            ("20000301000000Z", "Wed, 01 Mar 2000 00:00:00 GMT"),
        ] {
            let bytes = utc(text);
            let (instant, rest) = time(&bytes).expect(text);
            assert_eq!(HttpDate::new(instant).as_bytes(), date.as_bytes());
            assert!(rest.is_empty());
        }
        for bad in ["941306084937Z", "94110608493Z", "941106084937+", "9411060849370Z"] {
            assert_eq!(time(&utc(bad)), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Validity::of(&bytes);
            let nested = [&[SEQUENCE, 0x82, 1, 0, SEQUENCE, 0x20], &bytes[..]].concat();
            let _ = Validity::of(&nested);
        }
    }
}
