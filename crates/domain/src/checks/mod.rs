//! Checks of fields. All faults of a request are collected and reported together.

mod shown;

use std::ops::RangeInclusive;

use wire::FieldError;

pub(crate) use shown::{is_all_visible, is_shown};
pub use shown::{shows, trim};

use crate::address;
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

    /// A text without control characters (line breaks and tabs are allowed) and without what
    /// reorders its surroundings, with a length in characters. `None` is fine.
    pub fn text(&mut self, field: &str, text: Option<&str>, length: RangeInclusive<usize>) {
        let Some(text) = text else { return };
        if let Some(fault) = text_fault(text, &length) {
            self.fault(field, fault);
        }
    }

    /// A name: a text that shows something, and nothing that is not seen. `None` is fine, and so
    /// is one that is empty, if it may be.
    pub fn name(&mut self, field: &str, name: Option<&str>, length: RangeInclusive<usize>) {
        let Some(name) = name else { return };
        let may_be_nothing = length.contains(&0) && trim(name).is_empty();
        let fault = text_fault(name, &length).or_else(|| {
            if shown::hides(name) {
                Some("must not contain invisible characters".to_owned())
            } else if !may_be_nothing && !shows(name) {
                Some("must show something".to_owned())
            } else {
                None
            }
        });
        if let Some(fault) = fault {
            self.fault(field, fault);
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
            self.name(&format!("{field}[{index}]"), Some(word), 1..=length);
        }
    }

    /// An e-mail address, as [`address::read`] has it. `None` is fine.
    pub fn email(&mut self, field: &str, email: Option<&str>) {
        if let Some(Err(fault)) = email.map(address::read) {
            self.fault(field, fault);
        }
    }

    /// A new password: 8–72 bytes, because bcrypt ignores what comes after, and not blanks alone.
    pub fn password(&mut self, field: &str, password: &str) {
        if !(8..=72).contains(&password.len()) {
            self.fault(field, "must have between 8 and 72 bytes");
        } else if password.contains('\0') {
            self.fault(field, "must not contain control characters");
        } else if !shows(password) {
            self.fault(field, "must not be made of blanks alone");
        }
    }

    /// Everything was fine, or all that was not.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every fault.
    pub fn finish(self) -> Result<()> {
        self.faults().map_err(Error::Invalid)
    }

    /// The same, for who has more to say of the faults.
    ///
    /// # Errors
    /// Every fault.
    pub fn faults(self) -> Result<(), Vec<FieldError>> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(self.faults)
        }
    }
}

fn text_fault(text: &str, length: &RangeInclusive<usize>) -> Option<String> {
    let count = text.chars().count();
    if !length.contains(&count) {
        Some(if *length.start() == 0 {
            format!("must have at most {} characters", length.end())
        } else if count == 0 {
            "must not be empty".to_owned()
        } else {
            let (least, most) = (length.start(), length.end());
            format!("must have between {least} and {most} characters")
        })
    } else if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        Some("must not contain control characters".to_owned())
    } else if shown::is_reordered(text) {
        Some("must not contain characters that change the direction of others".to_owned())
    } else {
        None
    }
}

/// A text without what shows nothing at its ends; `None` when nothing remains.
#[must_use]
pub fn trimmed(text: Option<&str>) -> Option<String> {
    text.map(trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// The entries of a list with their places; notes when there are too many.
pub(crate) fn few<'a, T>(
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
