//! When the house is open: what may be set, and what cannot be.

use std::collections::BTreeSet;

use async_trait::async_trait;
use wire::rooms::RestaurantSettings;
use wire::times;
use wire::venue::settings::{Hours, VenueSettings};

use crate::checks::{Checks, few};
use crate::settings::Section;

/// The days of the house, and its hours.
pub(crate) struct OfVenue;

#[async_trait]
impl Section for OfVenue {
    fn check(&self, checks: &mut Checks, settings: &RestaurantSettings) {
        let settings = &settings.venue;
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
    }
}

fn check_hours(checks: &mut Checks, settings: &VenueSettings) {
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
