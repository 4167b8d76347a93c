//! Dishes in lines. A line is turned into the JSON that a dish in a JSON file would be, and read
//! like that.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula and may do what
//! it says. Such a cell is written with an apostrophe before it, and read without.

mod cells;
mod write;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use wire::{ErrorCode, FieldError};

use self::cells::{CELL, Cell, Cells, Record};
use self::write::unguarded;
pub(super) use self::write::write;
use crate::platform::errors::ApiError;
use crate::platform::faults;
use crate::platform::faults::Faults;

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
#[derive(Debug)]
pub(super) struct Line {
    /// Its line in the file, from 1.
    pub(super) number: u64,
    /// The dish as JSON, or why it cannot be read.
    pub(super) dish: Result<String, Vec<FieldError>>,
}

/// The lines of a file with a header. Commas or semicolons stand between the cells, as the header
/// has it. A file is read as far as it is asked for, and of a line only what there are columns for
/// is kept.
pub(super) struct Lines<'f> {
    header: Vec<String>,
    cells: Cells<'f>,
}

impl<'f> Lines<'f> {
    /// Reads the header.
    ///
    /// # Errors
    /// 422 for one that cannot be, 400 for what is no text.
    pub(super) fn new(bytes: &'f [u8]) -> Result<Self, ApiError> {
        // What spreadsheets put before UTF-8.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or(bytes);
        let has = |byte: u8| memchr::memchr(byte, first).is_some();
        let delimiter = if has(b';') && !has(b',') { b';' } else { b',' };
        let mut cells = Cells::new(bytes, delimiter);
        let header = cells.record(COLUMNS.len()).unwrap_or_default();
        let names = header.cells.into_iter().map(|cell| match cell {
            Cell::Text(name) => Ok(name),
            Cell::Long => Ok("…".to_owned()),
            Cell::NoText => Err(unreadable()),
        });
        let names = names.collect::<Result<Vec<String>, ApiError>>()?;
        check_header(&names, header.count)?;
        Ok(Self {
            header: names,
            cells,
        })
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let record = self.cells.record(self.header.len())?;
        Some(Line {
            number: record.line,
            dish: dish(&self.header, record),
        })
    }
}

fn check_header(names: &[String], count: usize) -> Result<(), ApiError> {
    let mut faults = Faults::default();
    for (index, name) in names.iter().enumerate() {
        let fault = if !COLUMNS.contains(&name.as_str()) {
            let name = faults::cut(name, faults::NAME);
            format!("names {name:?}; the columns are {}", COLUMNS.join(", "))
        } else if names.iter().take(index).any(|before| before == name) {
            format!("names {name} twice")
        } else {
            continue;
        };
        faults.note(|| fault_of("header", &fault));
    }
    // There is no further column that they could be.
    faults.add(count - names.len());
    faults.check()
}

fn unreadable() -> ApiError {
    ApiError::new(ErrorCode::BadRequest, "The file is not CSV in UTF-8.")
}

fn fault_of(field: &str, message: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message: message.to_owned(),
    }
}

/// What stands in a field of a dish.
#[derive(Serialize)]
#[serde(untagged)]
enum Field {
    Value(Value),
    /// JSON as it is in the cell: a tree of values would be many times as large.
    Json(Box<RawValue>),
}

fn dish(header: &[String], record: Record) -> Result<String, Vec<FieldError>> {
    if record.count != header.len() {
        let message = format!("has {} cells, not {}", record.count, header.len());
        return Err(vec![fault_of("line", &message)]);
    }
    let mut fields = BTreeMap::new();
    let mut availability = Map::new();
    let mut faults = Vec::new();
    for (name, cell) in header.iter().map(String::as_str).zip(&record.cells) {
        let cell = match cell {
            Cell::Text(cell) => unguarded(cell),
            Cell::Long => {
                let message = format!("must have at most {CELL} bytes");
                faults.push(fault_of(name, &message));
                continue;
            }
            Cell::NoText => return Err(vec![fault_of("line", "is not UTF-8")]),
        };
        if cell.contains('\0') {
            faults.push(fault_of(name, "must not contain NUL characters"));
        } else if let Some(part) = part_of_availability(name) {
            if !cell.is_empty() {
                availability.insert(part.to_owned(), value(name, &cell));
            }
        } else if name == "modifierGroups" && !cell.is_empty() {
            match RawValue::from_string(cell.into_owned()) {
                Ok(groups) => {
                    fields.insert(name, Field::Json(groups));
                }
                Err(_) => faults.push(fault_of(name, "must be JSON, as an export has it")),
            }
        } else if let Some(value) = field(name, &cell) {
            fields.insert(name, Field::Value(value));
        }
    }
    if !availability.is_empty() {
        fields.insert("availability", Field::Value(Value::Object(availability)));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    serde_json::to_string(&fields).map_err(|_| vec![fault_of("line", "cannot be read")])
}

/// What a column says of whether the dish can be had.
fn part_of_availability(name: &str) -> Option<&'static str> {
    match name {
        "availability" => Some("status"),
        "quantityLeft" => Some("quantityLeft"),
        "soldOutUntil" => Some("until"),
        _ => None,
    }
}

/// What a cell says of a field. What can be empty is emptied by an empty cell; of the rest it says
/// nothing.
fn field(name: &str, cell: &str) -> Option<Value> {
    match name {
        "dietary" | "allergens" => {
            let words = cell.split([BETWEEN, ',', ';']).map(str::trim);
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            Some(json!(words))
        }
        "modifierGroups" => Some(json!([])),
        "description" | "imageUrl" | "category" | "station" | "preparationMinutes"
            if cell.is_empty() =>
        {
            Some(Value::Null)
        }
        _ => (!cell.is_empty()).then(|| value(name, cell)),
    }
}

fn value(name: &str, cell: &str) -> Value {
    match name {
        "dishId" | "priceMinor" | "preparationMinutes" | "position" | "quantityLeft" => {
            number(cell)
        }
        "isPublished" => truth(cell),
        _ => json!(cell),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Line> {
        Lines::new(bytes).unwrap().collect()
    }

    fn read_one(text: &str) -> Value {
        let line = lines(text.as_bytes()).remove(0);
        serde_json::from_str(&line.dish.unwrap()).unwrap()
    }

    #[test]
    fn a_line_is_the_json_of_a_dish() {
        let dish = read_one(
            "dishName,priceMinor,isPublished,allergens,availability,quantityLeft,station,modifierGroups\n\
             \"Fish, fried\",1290,yes,fish|gluten,available,7,,\"[{\"\"max\"\":1}]\"\n",
        );
        assert_eq!(
            dish,
            json!({
                "dishName": "Fish, fried", "priceMinor": 1290, "isPublished": true,
                "allergens": ["fish", "gluten"], "modifierGroups": [{"max": 1}],
                "availability": {"status": "available", "quantityLeft": 7}, "station": null,
            })
        );
        let with_mark = "\u{feff}dishName;priceMinor\r\n Soup ;x\r\n";
        assert_eq!(
            read_one(with_mark),
            json!({"dishName": "Soup", "priceMinor": "x"})
        );
        assert_eq!(read_one("dishName\nSoup"), json!({"dishName": "Soup"}));
    }

    #[test]
    fn lines_are_counted_as_an_editor_does() {
        let text = "dishName,description\nOne,\"two\nlines\"\n\nTwo,x,y\nThree,\u{0}\n";
        let found = lines(text.as_bytes());
        let numbers: Vec<u64> = found.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [2, 5, 6]);
        let fault = |index: usize| found[index].dish.as_ref().unwrap_err()[0].clone();
        assert_eq!(fault(1).message, "has 3 cells, not 2");
        assert_eq!(fault(2).field, "description");
        let found = lines(b"dishName\r\nOne\r\n\r\n\r\nTwo\r\n");
        let numbers: Vec<u64> = found.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [2, 5]);
    }

    #[test]
    fn what_is_no_menu_is_refused() {
        for (bytes, status) in [
            (&b"dishName,price\nSoup,1\n"[..], 422),
            (b"dishName,dishName\nSoup,Soup\n", 422),
            (b"\x00\xff\xfe", 422),
        ] {
            let error = Lines::new(bytes).err().map(|error| error.body("").status);
            assert!(error.is_some_and(|found| found == status || found == 400));
        }
        let found = lines(b"dishName\nSo\xffup\n");
        assert_eq!(
            found[0].dish.as_ref().unwrap_err()[0].message,
            "is not UTF-8"
        );
    }

    #[test]
    fn of_what_is_too_much_nothing_is_kept() {
        let wide = "a,".repeat(1_000_000);
        let body = Lines::new(wide.as_bytes()).err().unwrap().body("r-1");
        assert_eq!((body.fields.len(), body.more), (10, 999_991));
        assert!(serde_json::to_vec(&body).unwrap().len() < 16 * 1024);
        // A line as wide under a good header, and one of a single cell.
        let long = "x".repeat(CELL + 1);
        let file = format!("dishName\n{wide}\n{long}\n\"{long}\n{long}");
        let messages: Vec<String> = lines(file.as_bytes())
            .into_iter()
            .map(|line| line.dish.unwrap_err().remove(0).message)
            .collect();
        let too_long = format!("must have at most {CELL} bytes");
        assert_eq!(messages, ["has 1000001 cells, not 1", &too_long, &too_long]);
        let mut cells = Cells::new(wide.as_bytes(), b',');
        let record = cells.record(3).unwrap();
        assert_eq!((record.count, record.cells.len()), (1_000_001, 3));
    }
}
