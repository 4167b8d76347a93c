//! Time windows of categories.

use chrono::{DateTime, Datelike, Timelike, Utc};
use chrono_tz::Tz;
use wire::menu::categories::ServingWindow;
use wire::venue::settings::Weekday;

use crate::checks::Checks;

const DAY: i32 = 24 * 60;

/// Whether a category is served at `now`: by what the clock on the wall shows, so on the days when
/// it is changed a window is an hour shorter or longer than usual.
pub(super) fn is_served(windows: &[ServingWindow], now: DateTime<Utc>, zone: Tz) -> bool {
    let local = now.with_timezone(&zone);
    let minute = i32::try_from(local.hour() * 60 + local.minute()).unwrap_or(0);
    let today = weekday(local.weekday());
    let yesterday = weekday(local.weekday().pred());
    windows.is_empty()
        || windows.iter().any(|window| {
            let begins_on = |day: Option<Weekday>| {
                window.weekdays.is_empty() || day.is_some_and(|day| window.weekdays.contains(&day))
            };
            let holds = |minute| (window.from_minute..window.until_minute).contains(&minute);
            (begins_on(today) && holds(minute)) || (begins_on(yesterday) && holds(minute + DAY))
        })
}

/// [`Weekday::ALL`] begins on Monday, too.
fn weekday(day: chrono::Weekday) -> Option<Weekday> {
    let index = usize::try_from(day.num_days_from_monday()).ok()?;
    Weekday::ALL.get(index).copied()
}

pub(super) fn check(checks: &mut Checks, windows: &[ServingWindow]) {
    if windows.len() > 20 {
        checks.fault("windows", "must have at most 20 entries");
    }
    for (index, window) in windows.iter().enumerate() {
        let from = window.from_minute;
        if !(0..DAY).contains(&from) {
            let field = format!("windows[{index}].fromMinute");
            checks.fault(&field, "must be between 0 and 1439");
        } else if !(from + 1..=from + DAY).contains(&window.until_minute) {
            let field = format!("windows[{index}].untilMinute");
            checks.fault(&field, "must be later than fromMinute, by at most 1440");
        }
        let mut days = window.weekdays.clone();
        days.sort_unstable();
        days.dedup();
        if days.len() < window.weekdays.len() {
            let field = format!("windows[{index}].weekdays");
            checks.fault(&field, "must name each day once");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(weekdays: &[Weekday], from_minute: i32, until_minute: i32) -> ServingWindow {
        ServingWindow {
            weekdays: weekdays.to_vec(),
            from_minute,
            until_minute,
        }
    }

    #[test]
    fn by_the_clock_of_the_restaurant() {
        let berlin = chrono_tz::Europe::Berlin;
        let lunch = [window(&[Weekday::Friday], 690, 870)];
        let late = [window(&[Weekday::Friday], 1320, 1560)];
        let daily = [window(&[], 0, 600), window(&[], 1200, 1440)];
        for (windows, now, served) in [
            // 2026-11-20 is a Friday; Berlin is an hour ahead of UTC.
            (&lunch[..], "2026-11-20T10:29:59Z", false),
            (&lunch[..], "2026-11-20T10:30:00Z", true),
            (&lunch[..], "2026-11-20T13:29:59Z", true),
            (&lunch[..], "2026-11-20T13:30:00Z", false),
            (&lunch[..], "2026-11-19T11:00:00Z", false),
            // In summer two.
            (&lunch[..], "2026-07-03T09:30:00Z", true),
            (&lunch[..], "2026-07-03T12:30:00Z", false),
            // Past midnight it is still Friday's.
            (&late[..], "2026-11-20T21:00:00Z", true),
            (&late[..], "2026-11-21T00:59:00Z", true),
            (&late[..], "2026-11-21T01:00:00Z", false),
            (&late[..], "2026-11-19T23:30:00Z", false),
            (&daily[..], "2026-11-18T23:00:00Z", true),
            (&daily[..], "2026-11-18T12:00:00Z", false),
            (&daily[..], "2026-11-18T22:59:00Z", true),
            (&[][..], "2026-11-18T12:00:00Z", true),
            // The clock is put forward at 02:00: 01:59 is followed by 03:00.
            (&[window(&[], 150, 180)][..], "2026-03-29T01:00:00Z", false),
        ] {
            assert_eq!(
                is_served(windows, now.parse().unwrap(), berlin),
                served,
                "{now} {windows:?}"
            );
        }
    }

    #[test]
    fn what_a_window_may_be() {
        for (window, field) in [
            (window(&[], 0, 1440), None),
            (window(&[Weekday::Monday], 1439, 2879), None),
            (window(&[], -1, 10), Some("windows[0].fromMinute")),
            (window(&[], 1440, 1500), Some("windows[0].fromMinute")),
            (window(&[], 600, 600), Some("windows[0].untilMinute")),
            (window(&[], 600, 2041), Some("windows[0].untilMinute")),
            (
                window(&[Weekday::Monday, Weekday::Monday], 0, 1),
                Some("windows[0].weekdays"),
            ),
        ] {
            let mut checks = Checks::new();
            check(&mut checks, std::slice::from_ref(&window));
            let found = match checks.finish() {
                Err(crate::Error::Invalid(faults)) => faults.first().map(|f| f.field.clone()),
                _ => None,
            };
            assert_eq!(found.as_deref(), field, "{window:?}");
        }
    }
}
