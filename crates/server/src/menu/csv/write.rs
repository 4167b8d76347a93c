//! Writes dishes in lines, so that no spreadsheet takes a cell for a formula.

use std::borrow::Cow;

use wire::menu::dishes::DishAvailability;
use wire::menu::transfer::FileDish;

use super::{BETWEEN, COLUMNS};
use crate::platform::errors::ApiError;

/// Writes dishes under a header.
///
/// # Errors
/// When they cannot be written, which does not happen.
pub(in crate::menu) fn write(dishes: &[FileDish]) -> Result<String, ApiError> {
    let mut file = COLUMNS.join(",");
    file.push('\n');
    for dish in dishes {
        for (index, cell) in cells(dish)?.iter().enumerate() {
            if index > 0 {
                file.push(',');
            }
            push_cell(&mut file, &guarded(cell));
        }
        file.push('\n');
    }
    Ok(file)
}

/// Writes a cell (RFC 4180): in quotes, where it holds what stands between cells somewhere. A
/// spreadsheet may take semicolons or tabs for it, whatever the file is written with.
fn push_cell(file: &mut String, cell: &str) {
    if cell.contains([',', ';', '\t', '\n', '\r', '"']) {
        file.push('"');
        file.push_str(&cell.replace('"', "\"\""));
        file.push('"');
    } else {
        file.push_str(cell);
    }
}

fn cells(dish: &FileDish) -> Result<[String; 17], ApiError> {
    fn or_empty(value: Option<&impl ToString>) -> String {
        value.map(ToString::to_string).unwrap_or_default()
    }
    fn list(words: impl Iterator<Item = &'static str>) -> String {
        words.collect::<Vec<_>>().join(&BETWEEN.to_string())
    }
    let DishAvailability {
        status,
        quantity_left,
        until,
    } = dish.availability;
    let groups = if dish.modifier_groups.is_empty() {
        String::new()
    } else {
        serde_json::to_string(&dish.modifier_groups).map_err(ApiError::internal)?
    };
    Ok([
        or_empty(dish.dish_id.as_ref()),
        dish.dish_name.clone(),
        or_empty(dish.description.as_ref()),
        or_empty(dish.image_url.as_ref()),
        dish.price_minor.to_string(),
        dish.currency.clone(),
        or_empty(dish.category.as_ref()),
        dish.is_published.to_string(),
        status.to_string(),
        or_empty(quantity_left.as_ref()),
        until.map(wire::live::events::timestamp).unwrap_or_default(),
        list(dish.dietary.iter().map(|word| word.as_str())),
        list(dish.allergens.iter().map(|word| word.as_str())),
        or_empty(dish.station.as_ref()),
        or_empty(dish.preparation_minutes.as_ref()),
        dish.position.to_string(),
        groups,
    ])
}

/// What a spreadsheet takes for the end of a cell, if it goes by other separators than the file.
const ENDS: [char; 4] = [';', '\t', '\n', '\r'];

/// Whether a spreadsheet would take a cell that begins so for a formula, with or without
/// apostrophes, quotes and blanks before it. `place` is the part of the cell that it is: an empty
/// line within a text is none.
fn is_formula(place: usize, part: &str) -> bool {
    let part = part.trim_start_matches(['\'', '"', ' ']);
    part.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || (place == 0 && part.starts_with(['\t', '\r', '\n']))
}

/// Puts an apostrophe before what would be a formula: at the beginning, and wherever a spreadsheet
/// may see a cell begin. Quotes do not help there: of `17,"Soup;=1"` the second cell is `=1"` for
/// whoever goes by semicolons.
fn guarded(cell: &str) -> String {
    let mut guarded = String::with_capacity(cell.len() + 1);
    for (place, part) in cell.split_inclusive(ENDS).enumerate() {
        if is_formula(place, part) {
            guarded.push('\'');
        }
        guarded.push_str(part);
    }
    guarded
}

pub(super) fn unguarded(cell: &str) -> Cow<'_, str> {
    if !cell.contains('\'') {
        return Cow::Borrowed(cell);
    }
    let parts = cell.split_inclusive(ENDS).enumerate();
    let parts = parts.map(|(place, part)| match part.strip_prefix('\'') {
        Some(rest) if is_formula(place, rest) => rest,
        _ => part,
    });
    Cow::Owned(parts.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::menu::csv::Lines;

    const TEXTS: [&str; 26] = [
        "=HYPERLINK(\"http://x\")",
        "+1",
        "-1",
        "@SUM(A1)",
        "'=1",
        "''=1",
        "'quoted'",
        "plain",
        "",
        "＝1",
        "Soup;=cmd|' /C calc'!A0",
        "Soup;'=1",
        "Soup; ''=1;'x;\"=1",
        "Soup\t=1",
        "Soup\n=1\n- nuts\r\n'- bread",
        "a;b;c",
        "\t=1",
        "a\r\n\r\nb",
        "Soup, =1",
        "it's",
        "'",
        ";;;'';=",
        "\"=1\"",
        "a;\"\"=1",
        "'Soup;'",
        ";",
    ];

    #[test]
    fn formulas_are_made_harmless_and_come_back() {
        for text in TEXTS {
            let written = guarded(text);
            for part in written.split([';', '\t', '\n', '\r']) {
                let part = part.trim_start_matches(['"', ' ']);
                assert!(
                    !part.starts_with(['=', '+', '-', '@', '＝']),
                    "{text} is written as {written}"
                );
            }
            assert_eq!(unguarded(&written), text);
        }
    }

    #[test]
    fn whatever_a_cell_holds_comes_back() {
        let mut file = "description\n".to_owned();
        let texts = TEXTS.map(str::trim).into_iter();
        let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
        for text in &texts {
            push_cell(&mut file, &guarded(text));
            file.push('\n');
        }
        let read = Lines::new(file.as_bytes()).unwrap().map(|line| {
            let dish: Value = serde_json::from_str(&line.dish.unwrap()).unwrap();
            dish["description"].as_str().unwrap().to_owned()
        });
        assert_eq!(read.collect::<Vec<_>>(), texts);
    }
}
