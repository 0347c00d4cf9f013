//! The hour of a release, as an operator writes it into the configuration.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A whole second of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hour(u64);

impl Hour {
    /// The first whole second that is so far away at least.
    pub(super) fn in_time(after: Duration) -> Hour {
        Hour((wall() + after).as_secs() + 1)
    }

    /// How long until then; nothing if it is over.
    pub(super) fn remaining(self) -> Duration {
        Duration::from_secs(self.0).saturating_sub(wall())
    }
}

fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl fmt::Display for Hour {
    /// RFC 3339, in UTC. The day by Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0 / 86_400 + 719_468, self.0 % 86_400);
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        let (hours, minutes, seconds) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_784_527_199, "2026-07-20T05:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Hour(seconds).to_string(), text);
        }
    }
}
