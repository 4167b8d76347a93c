//! Dishes in lines. A line is turned into the JSON that a dish in a JSON file would be, and read
//! like that.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula and may do what
//! it says. Such a cell is written with an apostrophe before it, and read without.

use csv::{ReaderBuilder, StringRecord, Trim, Writer};
use serde_json::{Map, Value, json};
use wire::menu::dishes::DishAvailability;
use wire::menu::transfer::FileDish;
use wire::{ErrorCode, FieldError};

use super::transfer::check_count;
use crate::errors::ApiError;

/// The columns. A file may have them in any order, and leave any out.
const COLUMNS: [&str; 17] = [
    "dishId",
    "dishName",
    "description",
    "imageUrl",
    "priceMinor",
    "currency",
    "category",
    "isPublished",
    "availability",
    "quantityLeft",
    "soldOutUntil",
    "dietary",
    "allergens",
    "station",
    "preparationMinutes",
    "position",
    "modifierGroups",
];

/// Stands between the words of a list.
const BETWEEN: char = '|';

/// A line that has been read.
pub(super) struct Line {
    /// Its place among the dishes, from 0.
    pub(super) index: usize,
    /// Its line in the file, from 1.
    pub(super) line: u64,
    /// The dish, or why it cannot be read.
    pub(super) fields: Result<Value, Vec<FieldError>>,
}

/// Reads a file with a header. Commas or semicolons stand between the cells, as the header has it.
///
/// # Errors
/// 422 for a header that cannot be, or too many lines.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Line>, ApiError> {
    // What spreadsheets put before UTF-8.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or(bytes);
    let has = |byte: u8| first.contains(&byte);
    let delimiter = if has(b';') && !has(b',') { b';' } else { b',' };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(Trim::All)
        .flexible(true)
        .from_reader(bytes);
    let header = reader.headers().map_err(|_| unreadable())?.clone();
    check_header(&header)?;
    let mut lines = Vec::new();
    let mut record = csv::ByteRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(_) => return Err(unreadable()),
        }
        let line = record
            .position()
            .map_or(line, |start| line_of(bytes, start));
        check_count(lines.len() + 1)?;
        lines.push(Line {
            index: lines.len(),
            line,
            fields: fields(&header, record.clone()),
        });
    }
    Ok(lines)
}

/// The line of a record: the reader places it where the one before ended, before empty lines.
fn line_of(bytes: &[u8], start: &csv::Position) -> u64 {
    let start_byte = usize::try_from(start.byte()).unwrap_or(usize::MAX);
    let before = bytes.get(start_byte..).unwrap_or_default().iter();
    let ends = before.take_while(|byte| b"\r\n".contains(byte));
    (start.line()..)
        .zip(ends.filter(|byte| **byte == b'\n'))
        .last()
        .map_or(start.line(), |(line, _)| line + 1)
}

fn check_header(header: &StringRecord) -> Result<(), ApiError> {
    let mut faults = Vec::new();
    let mut fault = |field: &str, message: String| {
        faults.push(FieldError {
            field: field.to_owned(),
            message,
        });
    };
    for (index, name) in header.iter().enumerate() {
        if !COLUMNS.contains(&name) {
            let known = COLUMNS.join(", ");
            fault("header", format!("names {name:?}; the columns are {known}"));
        } else if header.iter().take(index).any(|before| before == name) {
            fault("header", format!("names {name} twice"));
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid(faults))
    }
}

fn unreadable() -> ApiError {
    ApiError::new(ErrorCode::BadRequest, "The file is not CSV in UTF-8.")
}

fn fields(header: &StringRecord, record: csv::ByteRecord) -> Result<Value, Vec<FieldError>> {
    let fault = |field: &str, message: &str| {
        vec![FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        }]
    };
    if record.len() != header.len() {
        let message = format!("has {} cells, not {}", record.len(), header.len());
        return Err(fault("line", &message));
    }
    let record =
        StringRecord::from_byte_record(record).map_err(|_| fault("line", "is not UTF-8"))?;
    let mut dish = Map::new();
    let mut availability = Map::new();
    let mut faults = Vec::new();
    for (name, cell) in header.iter().zip(&record) {
        let cell = unguarded(cell);
        if cell.contains('\0') {
            faults.extend(fault(name, "must not contain NUL characters"));
            continue;
        }
        let is_empty = cell.is_empty();
        match name {
            "availability" if !is_empty => {
                availability.insert("status".to_owned(), json!(cell));
            }
            "quantityLeft" if !is_empty => {
                availability.insert("quantityLeft".to_owned(), number(cell));
            }
            "soldOutUntil" if !is_empty => {
                availability.insert("until".to_owned(), json!(cell));
            }
            "dietary" | "allergens" => {
                let words = cell.split([BETWEEN, ',', ';']).map(str::trim);
                let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
                dish.insert(name.to_owned(), json!(words));
            }
            "modifierGroups" if is_empty => {
                dish.insert(name.to_owned(), json!([]));
            }
            "modifierGroups" => match serde_json::from_str::<Value>(cell) {
                Ok(groups) => {
                    dish.insert(name.to_owned(), groups);
                }
                Err(_) => faults.extend(fault(name, "must be JSON, as an export has it")),
            },
            // What can be empty is emptied; of the rest nothing is said.
            "description" | "imageUrl" | "category" | "station" | "preparationMinutes"
                if is_empty =>
            {
                dish.insert(name.to_owned(), Value::Null);
            }
            _ if is_empty => {}
            "dishId" | "priceMinor" | "preparationMinutes" | "position" => {
                dish.insert(name.to_owned(), number(cell));
            }
            "isPublished" => {
                dish.insert(name.to_owned(), truth(cell));
            }
            "dishName" | "description" | "imageUrl" | "currency" | "category" | "station" => {
                dish.insert(name.to_owned(), json!(cell));
            }
            _ => {}
        }
    }
    if !availability.is_empty() {
        dish.insert("availability".to_owned(), Value::Object(availability));
    }
    if faults.is_empty() {
        Ok(Value::Object(dish))
    } else {
        Err(faults)
    }
}

/// A number, or the text that is none: whoever reads the field says what is wrong.
fn number(cell: &str) -> Value {
    cell.parse::<i64>()
        .map_or_else(|_| json!(cell), Value::from)
}

fn truth(cell: &str) -> Value {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => json!(true),
        "false" | "no" | "0" => json!(false),
        _ => json!(cell),
    }
}

/// Writes dishes under a header.
///
/// # Errors
/// When they cannot be written, which does not happen.
pub(super) fn write(dishes: &[FileDish]) -> Result<Vec<u8>, ApiError> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(ApiError::internal)?;
    for dish in dishes {
        let cells = cells(dish)?.map(|cell| guarded(&cell));
        writer.write_record(&cells).map_err(ApiError::internal)?;
    }
    writer
        .into_inner()
        .map_err(|error| ApiError::internal(anyhow::anyhow!("{error}")))
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

/// Whether a spreadsheet would take it for a formula, with or without apostrophes before it.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

fn guarded(cell: &str) -> String {
    if is_formula(cell) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(text: &str) -> Result<Value, Vec<FieldError>> {
        read(text.as_bytes()).ok().unwrap().remove(0).fields
    }

    #[test]
    fn formulas_are_made_harmless_and_come_back() {
        for text in [
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
        ] {
            let written = guarded(text);
            assert!(
                !written.starts_with(['=', '+', '-', '@', '＝']),
                "{text} is written as {written}"
            );
            assert_eq!(unguarded(&written), text);
        }
    }

    #[test]
    fn a_line_is_the_json_of_a_dish() {
        let dish = read_one(
            "dishName,priceMinor,isPublished,allergens,availability,quantityLeft,station\n\
             \"Fish, fried\",1290,yes,fish|gluten,available,7,\n",
        );
        assert_eq!(
            dish.unwrap(),
            json!({
                "dishName": "Fish, fried", "priceMinor": 1290, "isPublished": true,
                "allergens": ["fish", "gluten"],
                "availability": {"status": "available", "quantityLeft": 7}, "station": null,
            })
        );
        let with_mark = "\u{feff}dishName;priceMinor\r\nSoup;x\r\n";
        assert_eq!(
            read_one(with_mark).unwrap(),
            json!({"dishName": "Soup", "priceMinor": "x"})
        );
    }

    #[test]
    fn lines_are_counted_as_an_editor_does() {
        let text = "dishName,description\nOne,\"two\nlines\"\n\nTwo,x,y\nThree,\u{0}\n";
        let lines = read(text.as_bytes()).ok().unwrap();
        let numbers: Vec<u64> = lines.iter().map(|line| line.line).collect();
        assert_eq!(numbers, [2, 5, 6]);
        let fault = |index: usize| lines[index].fields.as_ref().unwrap_err()[0].clone();
        assert_eq!(fault(1).message, "has 3 cells, not 2");
        assert_eq!(fault(2).field, "description");
        let lines = read(b"dishName\r\nOne\r\n\r\n\r\nTwo\r\n").ok().unwrap();
        let numbers: Vec<u64> = lines.iter().map(|line| line.line).collect();
        assert_eq!(numbers, [2, 5]);
    }

    #[test]
    fn what_is_no_menu_is_refused() {
        for (bytes, status) in [
            (&b"dishName,price\nSoup,1\n"[..], 422),
            (b"dishName,dishName\nSoup,Soup\n", 422),
            (b"\x00\xff\xfe", 422),
        ] {
            let error = read(bytes).err().map(|error| error.body("").status);
            assert!(error.is_some_and(|found| found == status || found == 400));
        }
        let lines = read(b"dishName\nSo\xffup\n").ok().unwrap();
        assert_eq!(
            lines[0].fields.as_ref().unwrap_err()[0].message,
            "is not UTF-8"
        );
    }
}
