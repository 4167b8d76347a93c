//! What a dish may be. Pure.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;
use wire::FieldError;
use wire::menu::ModifierGroup;
use wire::menu::dishes::{AvailabilityStatus, DishAvailability, UpdateDish};

use super::row::DishRow;
use crate::checks::{Checks, trim, trimmed};
use crate::clock::new_id;
use crate::menu::{images, money};

/// The highest price, in minor units: a dinner in any currency, and exact in every JSON parser.
const PRICE: i64 = 1_000_000_000_000;

/// A dish after a change. New modifiers are given their ids.
pub(in crate::menu) fn patched(row: &DishRow, patch: &UpdateDish, now: DateTime<Utc>) -> DishRow {
    let mut next = row.clone();
    if let Some(name) = &patch.dish_name {
        trim(name).clone_into(&mut next.dish_name);
    }
    if let Some(description) = &patch.description {
        next.description = trimmed(description.as_deref());
    }
    if let Some(url) = &patch.image_url {
        next.image_url = trimmed(url.as_deref()).map(images::kept);
    }
    if let Some(currency) = &patch.currency {
        currency.trim().clone_into(&mut next.currency);
    }
    if let Some(said) = patch.availability {
        let said = said.at(now);
        next.availability = match said.quantity_left {
            Some(0) => AvailabilityStatus::SoldOut,
            _ => said.status,
        };
        next.quantity_left = said.quantity_left.filter(|left| *left != 0);
        next.sold_out_until = said.until;
    }
    if let Some(category) = patch.category_id {
        next.category_id = category;
    }
    if let Some(groups) = &patch.modifier_groups {
        next.modifier_groups = serde_json::json!(with_ids(groups.clone()));
    }
    if let Some(dietary) = &patch.dietary {
        next.dietary = sorted(dietary);
    }
    if let Some(allergens) = &patch.allergens {
        next.allergens = sorted(allergens);
    }
    if let Some(station) = &patch.station {
        next.station = trimmed(station.as_deref());
    }
    if let Some(minutes) = patch.preparation_minutes {
        next.preparation_minutes = minutes;
    }
    next.price_minor = patch.price_minor.unwrap_or(row.price_minor);
    next.is_published = patch.is_published.unwrap_or(row.is_published);
    next.position = patch.position.unwrap_or(row.position);
    next
}

fn sorted<T: Copy + Ord>(words: &[T]) -> Vec<T> {
    let mut words = words.to_vec();
    words.sort_unstable();
    words.dedup();
    words
}

fn with_ids(mut groups: Vec<ModifierGroup>) -> Vec<ModifierGroup> {
    for group in &mut groups {
        group.id.get_or_insert_with(new_id);
        group.name = trim(&group.name).to_owned();
        for option in &mut group.options {
            option.id.get_or_insert_with(new_id);
            option.name = trim(&option.name).to_owned();
        }
    }
    groups
}

/// Everything that is wrong with a dish, and with what was asked of it.
///
/// # Errors
/// All faults.
pub(in crate::menu) fn check(
    row: &DishRow,
    patch: &UpdateDish,
    is_new: bool,
) -> Result<(), Vec<FieldError>> {
    let mut checks = Checks::new();
    if is_new {
        for (field, is_absent) in [
            ("dishName", patch.dish_name.is_none()),
            ("priceMinor", patch.price_minor.is_none()),
            ("currency", patch.currency.is_none()),
        ] {
            if is_absent {
                checks.fault(field, "is required");
            }
        }
    }
    let given = |is_given: bool| is_given || !is_new;
    if given(patch.dish_name.is_some()) {
        checks.name("dishName", Some(&row.dish_name), 1..=255);
    }
    if given(patch.description.is_some()) {
        checks.text("description", row.description.as_deref(), 1..=2000);
    }
    if given(patch.image_url.is_some()) {
        images::check(&mut checks, "imageUrl", row.image_url.as_deref());
    }
    if !(0..=PRICE).contains(&row.price_minor) {
        checks.fault("priceMinor", format!("must be between 0 and {PRICE}"));
    }
    if given(patch.currency.is_some()) && !money::is_currency(&row.currency) {
        let message = "must be a currency of ISO 4217, for instance EUR";
        checks.fault("currency", message);
    }
    if let Some(availability) = &patch.availability {
        check_availability(&mut checks, availability);
    }
    if let Some(groups) = &patch.modifier_groups {
        check_modifiers(&mut checks, groups);
    }
    if given(patch.station.is_some()) {
        checks.name("station", row.station.as_deref(), 1..=60);
    }
    checks.number("preparationMinutes", row.preparation_minutes, 0..=1440);
    checks.number("position", Some(row.position), 0..=1_000_000);
    checks.faults()
}

fn check_availability(checks: &mut Checks, said: &DishAvailability) {
    checks.number("availability.quantityLeft", said.quantity_left, 0..=100_000);
    match said.status {
        AvailabilityStatus::Available if said.until.is_some() => {
            checks.fault("availability.until", "goes with sold_out only");
        }
        AvailabilityStatus::SoldOut if said.quantity_left.is_some_and(|left| left != 0) => {
            checks.fault("availability.quantityLeft", "goes with available only");
        }
        _ => {}
    }
}

fn check_modifiers(checks: &mut Checks, groups: &[ModifierGroup]) {
    if groups.len() > 20 {
        checks.fault("modifierGroups", "must have at most 20 entries");
    }
    let mut ids: HashSet<Uuid> = HashSet::new();
    let mut names: HashSet<&str> = HashSet::new();
    let mut is_twice = |id: Option<Uuid>| id.is_some_and(|id| !ids.insert(id));
    for (index, group) in groups.iter().enumerate() {
        let field = format!("modifierGroups[{index}]");
        checks.name(&format!("{field}.name"), Some(trim(&group.name)), 1..=100);
        if !names.insert(trim(&group.name)) {
            checks.fault(&format!("{field}.name"), "is there twice");
        }
        if is_twice(group.id) {
            checks.fault(&format!("{field}.id"), "is there twice");
        }
        if !(1..=50).contains(&group.options.len()) {
            let message = "must have between 1 and 50 entries";
            checks.fault(&format!("{field}.options"), message);
        }
        let most = i32::try_from(group.options.len()).unwrap_or(i32::MAX);
        if !(1..=most).contains(&group.max) {
            let message = "must be between 1 and the number of options";
            checks.fault(&format!("{field}.max"), message);
        }
        if !(0..=group.max).contains(&group.min) {
            checks.fault(&format!("{field}.min"), "must be between 0 and max");
        }
        for (index, option) in group.options.iter().enumerate() {
            let field = format!("{field}.options[{index}]");
            checks.name(&format!("{field}.name"), Some(trim(&option.name)), 1..=100);
            if is_twice(option.id) {
                checks.fault(&format!("{field}.id"), "is there twice");
            }
            if !(0..=PRICE).contains(&option.price_minor) {
                let message = format!("must be between 0 and {PRICE}");
                checks.fault(&format!("{field}.priceMinor"), message);
            }
        }
    }
}
