//! What a host is told about changes that met.

use crate::together::kinds::{Fields, Profile};

/// The thing, by the name that staff use.
pub(super) fn name(profile: &Profile, state: Option<&Fields>) -> String {
    let name = state.and_then(profile.named);
    name.unwrap_or_else(|| profile.the.to_owned())
}

/// Somebody else changed the same.
pub(super) fn conflict(profile: &Profile, name: &str, fields: &[String]) -> String {
    let mut words: Vec<&str> = fields.iter().map(|field| word(profile, field)).collect();
    words.sort_unstable();
    words.dedup();
    let (last, rest) = match words.split_last() {
        Some((last, rest)) => (*last, rest),
        None => ("data", words.as_slice()),
    };
    let list = if rest.is_empty() {
        last.to_owned()
    } else {
        format!("{} and the {last}", rest.join(", the "))
    };
    format!("Somebody else changed the {list} of {name} in the meantime. Please look again.")
}

/// What happened since cannot be told.
pub(super) fn unknown(name: &str) -> String {
    format!("A lot has happened to {name} since this device was online. Please look again.")
}

/// Both changes are kept.
pub(super) fn merged(name: &str) -> String {
    format!("Somebody else changed {name} too; both changes are kept.")
}

/// It is no longer there.
pub(super) fn removed(profile: &Profile) -> String {
    let this = profile.this;
    format!("{this} was removed by somebody else in the meantime.")
}

/// It is there already.
pub(super) fn taken(name: &str) -> String {
    format!("Under this id there is {name} already.")
}

fn word<'f>(profile: &Profile, field: &'f str) -> &'f str {
    let mut words = profile.words.iter();
    let word = words.find(|(of, _)| *of == field);
    word.map_or(field, |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use wire::together::atomic::Entity;

    use super::*;
    use crate::rooms::profile;

    #[test]
    fn sentences_for_a_host() {
        for (fields, sentence) in [
            (&["status"][..], "the status of Ann"),
            (&["tableIds", "status"], "the status and the table of Ann"),
            (
                &["notes", "firstName", "guestName", "partySize"],
                "the name, the notes and the party size of Ann",
            ),
        ] {
            let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
            assert_eq!(
                conflict(profile(Entity::Guest), "Ann", &fields),
                format!("Somebody else changed {sentence} in the meantime. Please look again.")
            );
        }
    }
}
