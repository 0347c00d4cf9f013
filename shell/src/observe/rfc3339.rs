//! Wall-clock instants as RFC 3339 text, both ways.
//!
//! What lives here: [`format()`] for logs and `/health`, [`parse`] for the configuration. The calendar is
//! Hinnant's `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>).

use nobat_core::time::UnixMillis;

const DAY_MILLIS: u64 = 86_400_000;

/// `2026-11-21T12:00:00.123Z`. Years beyond 9999 are written as they are.
#[must_use]
pub fn format(at: UnixMillis) -> String {
    let (year, month, day) = civil((at.0 / DAY_MILLIS) as i64);
    let ms = at.0 % DAY_MILLIS;
    let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{:03}Z", ms % 1000)
}

/// Reads `2026-11-21T12:00:00Z`, with an optional fraction of a second, and `Z` or an offset such as
/// `+03:00`. None for anything else, dates before 1970, and days that do not exist. A leap second counts
/// as the first of the next minute.
#[must_use]
pub fn parse(text: &str) -> Option<UnixMillis> {
    let bytes = text.as_bytes();
    let number = |from: usize, len: usize| -> Option<i64> {
        let digits = bytes.get(from..from + len)?;
        digits.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
    };
    let is = |at: usize, of: &[u8]| bytes.get(at).is_some_and(|b| of.contains(b));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let days = days(year, month, day);
    if !(1..=12).contains(&month)
        || civil(days) != (year, month, day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let (millis, zone) = fraction(&text[19..])?;
    let offset = offset_minutes(zone)?;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset * 60;
    u64::try_from(seconds * 1000 + millis).ok().map(UnixMillis)
}

/// Milliseconds, and what follows the fraction.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return None;
    }
    let millis = format!("{:0<3}", &rest[..digits.min(3)]).parse().ok()?;
    Some((millis, &rest[digits..]))
}

fn offset_minutes(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (h, m) = rest.split_once(':')?;
    let two = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok()).flatten();
    let (h, m) = (two(h)?, two(m)?);
    (h < 24 && m < 60).then(|| sign * (i64::from(h) * 60 + i64::from(m)))
}

/// Days since 1970-01-01 to (year, month, day).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// (year, month, day) to days since 1970-01-01; meaningless for days that do not exist.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_instants_are_read_and_written() {
        for (text, millis) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T12:34:56.789Z", 951_827_696_789),
            ("2026-07-20T06:00:00.000Z", 1_784_527_200_000),
        ] {
            assert_eq!(parse(text), Some(UnixMillis(millis)), "{text}");
            assert_eq!(format(UnixMillis(millis)), text);
        }
        assert_eq!(parse("2026-07-20T09:00:00+03:00"), Some(UnixMillis(1_784_527_200_000)));
        assert_eq!(parse("2026-07-20T09:00:00.5+03:00"), Some(UnixMillis(1_784_527_200_500)));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "now",
            "2026-07-20",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-07-20T24:00:00Z",
            "2026-07-20T09:00:00",
            "2026-07-20T09:00:00+3",
            "2026-07-20T09:00:00.Z",
            "1969-12-31T23:59:59Z",
            "2026-07-20T09:00:00Zx",
            "٢٠٢٦-07-20T09:00:00Z",
            "2026-07-20T09:00:00é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millis in 0..253_402_300_800_000_u64) {
            prop_assert_eq!(parse(&format(UnixMillis(millis))), Some(UnixMillis(millis)));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
