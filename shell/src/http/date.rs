//! The Date field (RFC 9110 5.6.7, IMF-fixdate), formatted once a second.

use nobat_core::time::UnixMillis;

/// The whole line: name, value, line end.
const LINE: [u8; 37] = *b"Date: ___, 00 ___ 0000 00:00:00 GMT\r\n";
/// Where the value stands in it.
const VALUE: std::ops::Range<usize> = 6..35;

/// A formatted instant, kept until the second changes.
#[derive(Clone, Debug)]
pub struct HttpDate {
    second: u64,
    line: [u8; 37],
}

impl HttpDate {
    /// The date of `now`.
    #[must_use]
    pub fn new(now: UnixMillis) -> Self {
        let second = now.0 / 1_000;
        let mut line = LINE;
        line[VALUE].copy_from_slice(&format(second));
        Self { second, line }
    }

    /// Formats anew if the second is another one.
    pub fn update(&mut self, now: UnixMillis) {
        if now.0 / 1_000 != self.second {
            *self = Self::new(now);
        }
    }

    /// As in `Sun, 06 Nov 1994 08:49:37 GMT`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.line[VALUE]
    }

    /// The field line of a response.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }
}

/// Days to civil date by counting from March in 400-year eras (H. Hinnant, "chrono-compatible low-level
/// date algorithms"), so that leap days fall at the end of a year.
fn format(second: u64) -> [u8; 29] {
    let days = second / 86_400;
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);

    let mut text = *b"___, 00 ___ 0000 00:00:00 GMT";
    // 1970-01-01 was a Thursday.
    name(&mut text[0..3], b"ThuFriSatSunMonTueWed", days % 7);
    digits(&mut text[5..7], day);
    name(&mut text[8..11], b"JanFebMarAprMayJunJulAugSepOctNovDec", month - 1);
    digits(&mut text[12..16], year);
    digits(&mut text[17..19], second / 3_600 % 24);
    digits(&mut text[20..22], second / 60 % 60);
    digits(&mut text[23..25], second % 60);
    text
}

fn name(into: &mut [u8], names: &[u8], index: u64) {
    let from = 3 * index as usize;
    into.copy_from_slice(&names[from..from + 3]);
}

fn digits(into: &mut [u8], mut value: u64) {
    for place in into.iter_mut().rev() {
        *place = b'0' + (value % 10) as u8;
        value /= 10;
    }
}
