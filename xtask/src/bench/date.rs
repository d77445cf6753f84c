//! The date of a record in UTC, from the system's clock; a crate for one conversion is too much.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::Result;

const DAY: u64 = 86_400;

/// Now, as `2026-11-22T15-04-05`: it sorts by time and is a file name everywhere.
pub(super) fn now() -> Result<String> {
    Ok(stamp(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs()))
}

fn stamp(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / DAY);
    let rest = seconds % DAY;
    format!("{year:04}-{month:02}-{day:02}T{:02}-{:02}-{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Year, month and day from the days since 1970-01-01, for dates after it.
///
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years begin in March here, so that the leap day is the last; an era is 400 years.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_civil() {
        assert_eq!(stamp(0), "1970-01-01T00-00-00");
        assert_eq!(stamp(951_782_400 + 3_661), "2000-02-29T01-01-01");
        assert_eq!(stamp(1_735_689_599), "2024-12-31T23-59-59");
        assert_eq!(stamp(1_795_359_845), "2026-11-22T15-04-05");
    }

    #[test]
    fn days_follow_one_another() {
        let mut before = civil(0);
        for day in 1..60_000 {
            let next = civil(day);
            assert!(
                next > before && next.2 <= 31 && (next.2 == before.2 + 1 || next.2 == 1),
                "{before:?} {next:?}"
            );
            before = next;
        }
    }
}
