//! What a host is told about changes that met.

use serde_json::Value;
use wire::together::atomic::Entity;

use super::merge::Fields;

/// The thing, by the name that staff use.
pub(super) fn name(entity: Entity, state: Option<&Fields>) -> String {
    let text = |field| {
        state
            .and_then(|state| state.get(field))
            .and_then(Value::as_str)
    };
    match entity {
        Entity::Guest => text("guestName").unwrap_or("the party").to_owned(),
        Entity::Table => match text("tableNumber") {
            Some(number) => format!("table {number}"),
            None => "the table".to_owned(),
        },
        Entity::Reservation => match text("guestName") {
            Some(name) => format!("the booking of {name}"),
            None => "the booking".to_owned(),
        },
    }
}

/// Somebody else changed the same.
pub(super) fn conflict(name: &str, fields: &[String]) -> String {
    let mut words: Vec<&str> = fields.iter().map(|field| word(field)).collect();
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
pub(super) fn removed(entity: Entity) -> String {
    let thing = match entity {
        Entity::Guest => "This party",
        Entity::Table => "This table",
        Entity::Reservation => "This booking",
    };
    format!("{thing} was removed by somebody else in the meantime.")
}

/// It is there already.
pub(super) fn taken(name: &str) -> String {
    format!("Under this id there is {name} already.")
}

fn word(field: &str) -> &str {
    match field {
        "tableIds" => "table",
        "partySize" => "party size",
        "reservationTime" => "time",
        "durationMinutes" => "duration",
        "guestName" | "firstName" | "lastName" => "name",
        "phone" | "guestPhone" => "telephone number",
        "email" | "guestEmail" => "e-mail address",
        "specialRequests" => "special requests",
        "dietaryRestrictions" => "dietary restrictions",
        "quotedWaitMinutes" => "quoted wait",
        "tableNumber" => "number",
        "capacity" => "number of seats",
        "minPartySize" => "smallest party",
        "position" => "place on the plan",
        "isActive" => "use",
        // status, notes, tags, shape, section
        field => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                conflict("Ann", &fields),
                format!("Somebody else changed {sentence} in the meantime. Please look again.")
            );
        }
    }
}
