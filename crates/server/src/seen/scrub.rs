//! Takes out of a cause what may be somebody's.
//!
//! Where a value comes from outside, nothing of it is put into a log line. Causes are different:
//! they are texts of libraries and of the database, which like to quote what they choke on. They
//! are scrubbed before they are logged or reported. Names of tables, constraints and types stay, and
//! so do ids: they are what a cause is read for.

use std::borrow::Cow;

/// What stands in the place of what was taken out.
const GONE: &str = "[…]";

/// After these words, what is in quotes is a name of ours.
const OURS: [&str; 9] = [
    "column",
    "constraint",
    "database",
    "function",
    "index",
    "relation",
    "role",
    "table",
    "type",
];

/// So many digits are a number that somebody can be reached by, or an account's.
const DIGITS: usize = 7;

/// A word of so many letters and digits that is no id is a token.
const TOKEN: usize = 28;

/// A cause without quoted values, addresses, numbers of telephones and tokens.
#[must_use]
pub fn scrubbed(cause: &str) -> String {
    // What the database quotes in full stands in its second line.
    let cause = cause.split("\nDETAIL").next().unwrap_or_default();
    let mut clean = String::with_capacity(cause.len());
    let mut parts = cause.split('"');
    if let Some(first) = parts.next() {
        clean.push_str(&words(first));
    }
    let mut is_quoted = true;
    for part in parts {
        if !is_quoted {
            clean.push('"');
            clean.push_str(&words(part));
        } else if is_ours(&clean) {
            clean.push('"');
            clean.push_str(part);
        } else {
            clean.push('"');
            clean.push_str(GONE);
        }
        is_quoted = !is_quoted;
    }
    clean
}

fn is_ours(before: &str) -> bool {
    let word = before.trim_end().rsplit(' ').next().unwrap_or_default();
    OURS.contains(&word)
}

/// The text without words that may be somebody's, and without numbers that go over several words.
fn words(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut number: Vec<&str> = Vec::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let is_numeric = word
            .trim_end()
            .bytes()
            .all(|b| b"0123456789+-()/.,;".contains(&b));
        if is_numeric && word.bytes().any(|b| b.is_ascii_digit()) {
            number.push(word);
            continue;
        }
        flush(&mut number, &mut clean);
        clean.push_str(&one(word));
    }
    flush(&mut number, &mut clean);
    clean
}

fn flush(number: &mut Vec<&str>, clean: &mut String) {
    let digits = number.iter().map(|word| digits(word)).sum::<usize>();
    if digits >= DIGITS {
        let last = number.last().map_or("", |last| *last);
        clean.push_str(GONE);
        clean.push_str(last.get(last.trim_end().len()..).unwrap_or_default());
    } else {
        clean.extend(number.iter().copied());
    }
    number.clear();
}

fn one(word: &str) -> Cow<'_, str> {
    let bare = word.trim_end();
    let mut parts = bare.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c));
    let is_telling = parts.any(|part| {
        let digits = digits(part);
        !is_id(part) && (digits >= DIGITS || (digits > 0 && part.len() >= TOKEN))
    });
    if bare.contains('@') || is_telling {
        let space = word.get(bare.len()..).unwrap_or_default();
        Cow::Owned(format!("{GONE}{space}"))
    } else {
        Cow::Borrowed(word)
    }
}

fn is_id(part: &str) -> bool {
    uuid::Uuid::try_parse(part).is_ok()
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cause_is_read_for_stays() {
        for cause in [
            "database: duplicate key value violates unique constraint \"guests_pkey\"",
            "database: relation \"guests\" does not exist",
            "unavailable: connection to 192.168.178.201:5432 refused (os error 111)",
            "internal: no party 0190f3c0-1234-7000-8000-123456789012 at table 12",
            "json: missing field `partySize` at line 1 column 2048",
            "crates/server/src/floor/guests.rs:123:45",
            "the reply to COMMIT was lost and its outcome could not be learned",
        ] {
            assert_eq!(scrubbed(cause), cause);
        }
    }

    #[test]
    fn what_may_be_somebodys_goes() {
        for (cause, clean) in [
            (
                "json: invalid type: string \"Ann Lee\", expected u32 at line 1 column 9",
                "json: invalid type: string \"[…]\", expected u32 at line 1 column 9",
            ),
            (
                "a refused: +49 151 2345678 and 0151/2345678, (0151) 234-56",
                "a refused: […] and […]",
            ),
            ("no mail to ann@example.com today", "no mail to […] today"),
            (
                "bad eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijklmnopqrstuvwxyz0123 here",
                "bad […] here",
            ),
            (
                "db error: ERROR: refused\nDETAIL: Key (phone)=(+491512345678) is there",
                "db error: ERROR: refused",
            ),
            ("an open \"quotation of Ann", "an open \"[…]"),
            ("", ""),
        ] {
            assert_eq!(scrubbed(cause), clean);
        }
    }
}
