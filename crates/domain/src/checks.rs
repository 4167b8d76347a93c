//! Checks of fields. All faults of a request are collected and reported together.

use std::ops::RangeInclusive;

use wire::FieldError;

use crate::{Error, Result};

/// Collects what is wrong with the fields of a request.
#[derive(Debug, Default)]
pub struct Checks {
    faults: Vec<FieldError>,
}

impl Checks {
    /// Nothing is wrong yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a fault.
    pub fn fault(&mut self, field: &str, message: impl Into<String>) {
        self.faults.push(FieldError {
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// A text without control characters (line breaks and tabs are allowed), with a length in
    /// characters. `None` is fine.
    pub fn text(&mut self, field: &str, text: Option<&str>, length: RangeInclusive<usize>) {
        let Some(text) = text else { return };
        let count = text.chars().count();
        if !length.contains(&count) {
            let message = if *length.start() == 0 {
                format!("must have at most {} characters", length.end())
            } else if count == 0 {
                "must not be empty".to_owned()
            } else {
                format!(
                    "must have between {} and {} characters",
                    length.start(),
                    length.end()
                )
            };
            self.fault(field, message);
        } else if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            self.fault(field, "must not contain control characters");
        }
    }

    /// A whole number in a range. `None` is fine.
    pub fn number(&mut self, field: &str, number: Option<i32>, range: RangeInclusive<i32>) {
        if number.is_some_and(|number| !range.contains(&number)) {
            self.fault(
                field,
                format!("must be between {} and {}", range.start(), range.end()),
            );
        }
    }

    /// A list of short words, for instance tags.
    pub fn words(&mut self, field: &str, words: Option<&[String]>, most: usize, length: usize) {
        let Some(words) = words else { return };
        if words.len() > most {
            self.fault(field, format!("must have at most {most} entries"));
        }
        for (index, word) in words.iter().enumerate() {
            self.text(&format!("{field}[{index}]"), Some(word), 1..=length);
        }
    }

    /// An e-mail address, loosely: something, an `@`, something, at most 254 characters.
    pub fn email(&mut self, field: &str, email: Option<&str>) {
        let Some(email) = email else { return };
        let is_address = email.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !host.contains('@')
        });
        if !is_address || email.chars().any(char::is_whitespace) {
            self.fault(field, "must be an e-mail address");
        } else {
            self.text(field, Some(email), 3..=254);
        }
    }

    /// A new password: 8–72 bytes, because bcrypt ignores what comes after.
    pub fn password(&mut self, field: &str, password: &str) {
        if !(8..=72).contains(&password.len()) {
            self.fault(field, "must have between 8 and 72 bytes");
        } else if password.contains('\0') {
            self.fault(field, "must not contain control characters");
        }
    }

    /// Everything was fine, or all that was not.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every fault.
    pub fn finish(self) -> Result<()> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.faults))
        }
    }
}

/// A text without surrounding white space; `None` when nothing remains.
#[must_use]
pub fn trimmed(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}
