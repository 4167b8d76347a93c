//! The service day: what staff call "today", which may end after midnight.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// When the service day that contains `now` began. `start_minute` counts from local midnight.
#[must_use]
pub(crate) fn start(now: DateTime<Utc>, zone: Tz, start_minute: i32) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    let begins = |date| local(date, zone, start_minute);
    let start = begins(today);
    if start <= now {
        start
    } else {
        begins(today.checked_sub_days(Days::new(1)).unwrap_or(today))
    }
}

/// From when until when the service day `date` lasts: 23 to 25 hours.
#[must_use]
pub(crate) fn span(date: NaiveDate, zone: Tz, start_minute: i32) -> (DateTime<Utc>, DateTime<Utc>) {
    let next = date.checked_add_days(Days::new(1)).unwrap_or(date);
    (
        local(date, zone, start_minute),
        local(next, zone, start_minute),
    )
}

/// The moment of a wall clock's time. Where the clock is put back and shows it twice, the first;
/// where it is put forward and never shows it, as many minutes after the gap.
pub(crate) fn local(date: NaiveDate, zone: Tz, minute: i32) -> DateTime<Utc> {
    let wall = date.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute));
    let found = zone.from_local_datetime(&wall).earliest().or_else(|| {
        let hour_before = zone
            .from_local_datetime(&(wall - TimeDelta::hours(1)))
            .earliest()?;
        Some(hour_before + TimeDelta::hours(1))
    });
    found.map_or_else(|| wall.and_utc(), |time| time.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_party_after_midnight_belongs_to_the_day_before() {
        let berlin = chrono_tz::Europe::Berlin;
        let five = 5 * 60;
        for (now, expected) in [
            ("2026-11-20T12:00:00Z", "2026-11-20T04:00:00Z"),
            ("2026-11-21T01:30:00Z", "2026-11-20T04:00:00Z"),
            ("2026-11-21T04:00:00Z", "2026-11-21T04:00:00Z"),
            // Summer time.
            ("2026-07-01T12:00:00Z", "2026-07-01T03:00:00Z"),
        ] {
            assert_eq!(start(utc(now), berlin, five), utc(expected), "at {now}");
        }
    }

    #[test]
    fn the_two_odd_nights_of_the_year_have_a_beginning() {
        let berlin = chrono_tz::Europe::Berlin;
        // Put forward at 02:00 on 29 March: 02:30 is never shown.
        assert_eq!(
            start(utc("2026-03-29T12:00:00Z"), berlin, 150),
            utc("2026-03-29T01:30:00Z")
        );
        // Put back at 03:00 on 25 October: 02:30 is shown twice; the first counts.
        assert_eq!(
            start(utc("2026-10-25T12:00:00Z"), berlin, 150),
            utc("2026-10-25T00:30:00Z")
        );
    }
}
