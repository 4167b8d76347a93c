//! Who is meant.

use wire::privacy::PersonQuery;

use crate::address;
use crate::checks::{Checks, trimmed};
use crate::{Error, Result};

/// A person, as rows and documents are compared with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// The digits of the number, with and without the zeros that stand for a plus.
    pub(super) digits: Vec<String>,
    /// What the address may be written like; empty without one.
    pub(super) spellings: Vec<String>,
    key: Option<String>,
}

impl Person {
    /// # Errors
    /// [`Error::Invalid`] for nobody in particular.
    pub(super) fn read(query: &PersonQuery) -> Result<Self> {
        let (phone, email) = (
            trimmed(query.phone.as_deref()),
            trimmed(query.email.as_deref()),
        );
        if phone.is_none() && email.is_none() {
            let sentence = "or an e-mail address is required";
            return Err(Error::invalid("phone", sentence));
        }
        let mut checks = Checks::new();
        checks.text("phone", phone.as_deref(), 0..=100);
        checks.email("email", email.as_deref());
        let digits = phone.map(|phone| {
            let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
            digits
                .strip_prefix("00")
                .map_or(digits.clone(), str::to_owned)
        });
        // Fewer belong to no telephone, and would erase whoever has them in a note of the house's.
        if digits.as_ref().is_some_and(|digits| digits.len() < 3) {
            checks.fault("phone", "must have at least three digits");
        }
        checks.finish()?;
        let digits = digits.into_iter();
        Ok(Self {
            digits: digits
                .flat_map(|digits| [format!("00{digits}"), digits])
                .collect(),
            spellings: email.as_deref().map(address::spellings).unwrap_or_default(),
            key: email.as_deref().and_then(address::key),
        })
    }

    /// Whether a text is the number.
    pub(super) fn has_phone(&self, text: &str) -> bool {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        self.digits.contains(&digits)
    }

    /// Whether an address that was found is the person's.
    pub(super) fn has_address(&self, email: &str) -> bool {
        self.key.is_some() && address::key(email) == self.key
            // One that was taken before addresses were looked at closely.
            || self.spellings.iter().any(|spelling| spelling == email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(phone: &str, email: &str) -> Result<Person> {
        Person::read(&PersonQuery {
            phone: Some(phone.to_owned()),
            email: Some(email.to_owned()),
        })
    }

    #[test]
    fn numbers_in_any_spelling() {
        for phone in ["+49 30 / 12-34", "0049301234", " 49301234 "] {
            assert_eq!(read(phone, "").unwrap().digits, ["0049301234", "49301234"]);
        }
        let person = read(" ", "A@b.c ").unwrap();
        assert!(person.has_address("a@B.c") && !person.has_address("aa@b.c"));
        let person = read(" ", "élodie@bücher.de").unwrap();
        assert!(person.has_address("ÉLODIE@xn--bcher-kva.de"));
    }

    #[test]
    fn nobody_in_particular() {
        for (phone, email) in [
            ("", " "),
            ("+", ""),
            ("12", ""),
            ("", "somebody"),
            ("00 12", ""),
        ] {
            assert!(matches!(read(phone, email), Err(Error::Invalid(_))));
        }
    }
}
