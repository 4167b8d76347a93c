//! How a restaurant works: what may be set, and what cannot be.

use std::collections::BTreeSet;

use wire::times;
use wire::venue::restaurants::{Hours, RestaurantSettings, UpdateSettings};

use crate::checks::Checks;

/// The settings with those that shall change.
pub(super) fn patched(
    mut settings: RestaurantSettings,
    change: &UpdateSettings,
) -> RestaurantSettings {
    fn set<T: Clone>(field: &mut T, change: Option<&T>) {
        if let Some(value) = change {
            field.clone_from(value);
        }
    }
    let change = change.clone();
    set(&mut settings.needs_cleaning, change.needs_cleaning.as_ref());
    set(
        &mut settings.service_day_start_minute,
        change.service_day_start_minute.as_ref(),
    );
    set(&mut settings.opening_hours, change.opening_hours.as_ref());
    set(
        &mut settings.hours_exceptions,
        change.hours_exceptions.as_ref(),
    );
    set(&mut settings.pauses, change.pauses.as_ref());
    set(&mut settings.turn_times, change.turn_times.as_ref());
    set(
        &mut settings.default_turn_minutes,
        change.default_turn_minutes.as_ref(),
    );
    set(&mut settings.pacing, change.pacing.as_ref());
    set(&mut settings.sections, change.sections.as_ref());
    set(
        &mut settings.joinable_groups,
        change.joinable_groups.as_ref(),
    );
    set(
        &mut settings.notified_timeout_minutes,
        change.notified_timeout_minutes.as_ref(),
    );
    set(
        &mut settings.notified_timeout_status,
        change.notified_timeout_status.as_ref(),
    );
    set(
        &mut settings.reserve_tables_minutes_before,
        change.reserve_tables_minutes_before.as_ref(),
    );
    settings
}

/// Notes what cannot be. Whether joinable tables exist is for the database to say.
pub(super) fn check(checks: &mut Checks, settings: &RestaurantSettings) {
    checks.number(
        "settings.serviceDayStartMinute",
        Some(settings.service_day_start_minute),
        0..=1439,
    );
    check_hours(checks, settings);
    for (index, pause) in few(checks, "settings.pauses", &settings.pauses, 100) {
        let field = format!("settings.pauses[{index}]");
        // Asked here and not of the type: what was taken before is read all the same.
        for (name, moment) in [("from", pause.from), ("until", pause.until)] {
            if !times::is_moment(moment) {
                checks.fault(&format!("{field}.{name}"), times::OUT_OF_RANGE);
            }
        }
        if pause.until <= pause.from {
            checks.fault(&format!("{field}.until"), "must be after from");
        }
        checks.text(&format!("{field}.reason"), pause.reason.as_deref(), 0..=200);
    }
    let mut largest = 0;
    for (index, turn) in few(checks, "settings.turnTimes", &settings.turn_times, 20) {
        let field = format!("settings.turnTimes[{index}]");
        let size = turn.max_party_size;
        if size > 100 || size <= largest {
            checks.fault(
                &format!("{field}.maxPartySize"),
                "must be at most 100 and greater than the one before",
            );
        }
        largest = size;
        checks.number(&format!("{field}.minutes"), Some(turn.minutes), 15..=1440);
    }
    checks.number(
        "settings.defaultTurnMinutes",
        Some(settings.default_turn_minutes),
        15..=1440,
    );
    let pacing = settings.pacing;
    checks.number("settings.pacing.maxCovers", pacing.max_covers, 1..=10_000);
    checks.number("settings.pacing.maxParties", pacing.max_parties, 1..=10_000);
    let mut names = BTreeSet::new();
    for (index, section) in few(checks, "settings.sections", &settings.sections, 50) {
        let field = format!("settings.sections[{index}].name");
        checks.name(&field, Some(&section.name), 1..=60);
        if !names.insert(&section.name) {
            checks.fault(&field, "is there twice");
        }
    }
    check_groups(checks, settings);
    checks.number(
        "settings.notifiedTimeoutMinutes",
        settings.notified_timeout_minutes,
        1..=240,
    );
    checks.number(
        "settings.reserveTablesMinutesBefore",
        settings.reserve_tables_minutes_before,
        1..=240,
    );
}

fn check_hours(checks: &mut Checks, settings: &RestaurantSettings) {
    let weekly = settings.opening_hours.as_deref().unwrap_or_default();
    let mut open = Vec::new();
    for (index, hours) in few(checks, "settings.openingHours", weekly, 50) {
        let field = format!("settings.openingHours[{index}]");
        check_span(checks, &field, hours.hours);
        if open
            .iter()
            .any(|(day, span)| *day == hours.weekday && overlap(*span, hours.hours))
        {
            checks.fault(&field, "overlaps with other hours of the day");
        }
        open.push((hours.weekday, hours.hours));
    }
    let mut dates = BTreeSet::new();
    let exceptions = &settings.hours_exceptions;
    for (index, day) in few(checks, "settings.hoursExceptions", exceptions, 400) {
        let field = format!("settings.hoursExceptions[{index}]");
        if !dates.insert(day.date) {
            checks.fault(&format!("{field}.date"), "is there twice");
        }
        if !times::is_date(day.date) {
            checks.fault(&format!("{field}.date"), times::OUT_OF_RANGE);
        }
        checks.text(&format!("{field}.reason"), day.reason.as_deref(), 0..=200);
        let mut spans: Vec<Hours> = Vec::new();
        for (nth, hours) in few(checks, &format!("{field}.hours"), &day.hours, 10) {
            let field = format!("{field}.hours[{nth}]");
            check_span(checks, &field, *hours);
            if spans.iter().any(|span| overlap(*span, *hours)) {
                checks.fault(&field, "overlaps with other hours of the day");
            }
            spans.push(*hours);
        }
    }
}

fn check_span(checks: &mut Checks, field: &str, hours: Hours) {
    checks.number(
        &format!("{field}.opensMinute"),
        Some(hours.opens_minute),
        0..=1439,
    );
    let length = hours.closes_minute.saturating_sub(hours.opens_minute);
    if !(1..=1440).contains(&length) {
        checks.fault(
            &format!("{field}.closesMinute"),
            "must be later than opensMinute by at most a day",
        );
    }
}

fn overlap(a: Hours, b: Hours) -> bool {
    a.opens_minute < b.closes_minute && b.opens_minute < a.closes_minute
}

fn check_groups(checks: &mut Checks, settings: &RestaurantSettings) {
    let groups = &settings.joinable_groups;
    for (index, group) in few(checks, "settings.joinableGroups", groups, 100) {
        let field = format!("settings.joinableGroups[{index}]");
        let distinct: BTreeSet<_> = group.table_ids.iter().collect();
        if !(2..=10).contains(&distinct.len()) || distinct.len() != group.table_ids.len() {
            checks.fault(
                &format!("{field}.tableIds"),
                "must be 2–10 different tables",
            );
        }
        checks.number(
            &format!("{field}.minPartySize"),
            group.min_party_size,
            1..=100,
        );
        checks.number(
            &format!("{field}.maxPartySize"),
            group.max_party_size,
            1..=100,
        );
        if let (Some(least), Some(most)) = (group.min_party_size, group.max_party_size)
            && least > most
        {
            checks.fault(
                &format!("{field}.maxPartySize"),
                "must be at least minPartySize",
            );
        }
    }
}

/// The entries of a list with their places; notes when there are too many.
fn few<'a, T>(
    checks: &mut Checks,
    field: &str,
    list: &'a [T],
    most: usize,
) -> impl Iterator<Item = (usize, &'a T)> + use<'a, T> {
    if list.len() > most {
        checks.fault(field, format!("must have at most {most} entries"));
    }
    list.iter().take(most).enumerate()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: serde_json::Value) -> Vec<String> {
        let change: UpdateSettings = serde_json::from_value(json).unwrap();
        let mut checks = Checks::new();
        check(
            &mut checks,
            &patched(RestaurantSettings::default(), &change),
        );
        match checks.finish() {
            Err(crate::Error::Invalid(faults)) => {
                faults.into_iter().map(|fault| fault.field).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn what_can_be_set() {
        let table = |n: u128| uuid::Uuid::from_u128(n);
        let good = serde_json::json!({
            "opening_hours": [
                {"weekday": "friday", "opensMinute": 690, "closesMinute": 870},
                {"weekday": "friday", "opens_minute": 1080, "closes_minute": 1560},
            ],
            "hoursExceptions": [{"date": "2026-12-24", "reason": "Christmas Eve"}],
            "pauses": [{"from": "2026-11-21T19:00:00Z", "until": "2026-11-22T04:00:00Z"}],
            "turnTimes": [{"maxPartySize": 2, "minutes": 75}, {"maxPartySize": 4, "minutes": 90}],
            "defaultTurnMinutes": 120,
            "pacing": {"maxCovers": 20},
            "sections": [{"name": "Main"}, {"name": "Bar", "walkInOnly": true}],
            "joinableGroups": [{"tableIds": [table(1), table(2)], "maxPartySize": 8}],
            "notifiedTimeoutMinutes": null,
            "notifiedTimeoutStatus": "no_show",
            "reserve_tables_minutes_before": 240,
        });
        assert_eq!(faults(good), Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be() {
        let hours = |opens: i32, closes: i32| serde_json::json!({"weekday": "monday", "opensMinute": opens, "closesMinute": closes});
        let nil = uuid::Uuid::nil();
        for (json, expected) in [
            (
                serde_json::json!({"openingHours": [hours(600, 600)]}),
                "settings.openingHours[0].closesMinute",
            ),
            (
                serde_json::json!({"openingHours": [hours(600, 2041)]}),
                "settings.openingHours[0].closesMinute",
            ),
            (
                serde_json::json!({"openingHours": [hours(-1, 60)]}),
                "settings.openingHours[0].opensMinute",
            ),
            (
                serde_json::json!({"openingHours": [hours(600, 900), hours(899, 960)]}),
                "settings.openingHours[1]",
            ),
            (
                serde_json::json!({"hoursExceptions": [{"date": "2026-12-24"}, {"date": "2026-12-24"}]}),
                "settings.hoursExceptions[1].date",
            ),
            (
                serde_json::json!({"pauses": [{"from": "-5000-01-01T00:00:00Z", "until": "2026-11-21T19:00:00Z"}]}),
                "settings.pauses[0].from",
            ),
            (
                serde_json::json!({"hoursExceptions": [{"date": "+262142-12-31"}]}),
                "settings.hoursExceptions[0].date",
            ),
            (
                serde_json::json!({"pauses": [{"from": "2026-11-21T19:00:00Z", "until": "2026-11-21T19:00:00Z"}]}),
                "settings.pauses[0].until",
            ),
            (
                serde_json::json!({"turnTimes": [{"maxPartySize": 4, "minutes": 90}, {"maxPartySize": 4, "minutes": 90}]}),
                "settings.turnTimes[1].maxPartySize",
            ),
            (
                serde_json::json!({"defaultTurnMinutes": 0}),
                "settings.defaultTurnMinutes",
            ),
            (
                serde_json::json!({"pacing": {"maxParties": 0}}),
                "settings.pacing.maxParties",
            ),
            (
                serde_json::json!({"sections": [{"name": "A"}, {"name": "A"}]}),
                "settings.sections[1].name",
            ),
            (
                serde_json::json!({"joinableGroups": [{"tableIds": [nil, nil]}]}),
                "settings.joinableGroups[0].tableIds",
            ),
            (
                serde_json::json!({"notifiedTimeoutMinutes": 0}),
                "settings.notifiedTimeoutMinutes",
            ),
            (
                serde_json::json!({"reserveTablesMinutesBefore": 241}),
                "settings.reserveTablesMinutesBefore",
            ),
        ] {
            assert_eq!(faults(json.clone()), [expected], "{json}");
        }
    }
}
