//! What a party may be called, and what else is taken down.

use serde_json::{Value, json};

use crate::house::House;
use crate::support::fields;

fn with(more: Value) -> Value {
    let mut input = json!({"guestName": "Ada", "partySize": 2});
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    input
}

/// What is at fault, in a new party and in a change alike.
fn faulty() -> Vec<(Value, &'static str)> {
    let long = |length| "x".repeat(length);
    vec![
        (json!({"guestName": long(201)}), "guestName"),
        (json!({"guestName": "A\u{0}da"}), "guestName"),
        (json!({"guestName": "A\u{7}da"}), "guestName"),
        (json!({"guestName": "A\u{9b}da"}), "guestName"),
        (json!({"firstName": long(101)}), "firstName"),
        (json!({"lastName": long(101)}), "lastName"),
        (json!({"lastName": "\u{1b}"}), "lastName"),
        (json!({"partySize": 0}), "partySize"),
        (json!({"partySize": 101}), "partySize"),
        (json!({"partySize": -1}), "partySize"),
        (json!({"phone": "5".repeat(41)}), "phone"),
        (json!({"phone": "5\u{0}5"}), "phone"),
        (json!({"email": "ada"}), "email"),
        (json!({"email": "@example.org"}), "email"),
        (json!({"email": "ada@"}), "email"),
        (json!({"email": "a@b@example.org"}), "email"),
        (json!({"email": "a da@example.org"}), "email"),
        (
            json!({"email": format!("{}@example.org", long(250))}),
            "email",
        ),
        (json!({"notes": long(2001)}), "notes"),
        (json!({"notes": "\u{0}"}), "notes"),
        (json!({"specialRequests": long(2001)}), "specialRequests"),
        (
            json!({"dietaryRestrictions": ["vegan", long(61)]}),
            "dietaryRestrictions[1]",
        ),
        (json!({"tags": [""]}), "tags[0]"),
        (json!({"tags": ["a\u{0}"]}), "tags[0]"),
        (json!({"quotedWaitMinutes": -1}), "quotedWaitMinutes"),
        (json!({"quotedWaitMinutes": 1441}), "quotedWaitMinutes"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_at_fault_is_named() {
    let house = House::open().await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    for (input, field) in faulty() {
        let new = house.tablet.try_add_guest(with(input.clone())).await;
        assert_eq!(fields(new), [field], "a new party with {input}");
        let change = house.tablet.try_change_guest(guest.id, input.clone()).await;
        assert_eq!(fields(change), [field], "a change to {input}");
    }
    let empty = house
        .tablet
        .try_change_guest(guest.id, json!({"guestName": "  "}))
        .await;
    assert_eq!(fields(empty), ["guestName"]);
    assert_eq!(house.tablet.guest(guest.id).await.unwrap(), guest);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_at_fault_is_named_at_once() {
    let house = House::open().await;
    let nothing = house.tablet.try_add_guest(json!({})).await;
    assert_eq!(fields(nothing), ["guestName", "partySize"]);
    let blank = house
        .tablet
        .try_add_guest(json!({"guestName": " ", "lastName": " "}))
        .await;
    assert_eq!(fields(blank), ["guestName", "partySize"]);
    let bad = json!({"guestName": "\u{0}", "partySize": 0, "email": "x", "tags": ["", "ok", ""]});
    let bad = house.tablet.try_add_guest(bad).await;
    assert_eq!(
        fields(bad),
        ["guestName", "partySize", "email", "tags[0]", "tags[2]"]
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_and_the_strangest_are_kept() {
    let house = House::open().await;
    let text = |length| "ü".repeat(length);
    let input = json!({
        "guestName": text(200), "firstName": text(100), "lastName": text(100), "partySize": 100,
        "phone": "5".repeat(40), "email": format!("{}@example.org", "x".repeat(242)),
        "notes": format!("{}\r\n\t\u{1F382}", text(1996)), "specialRequests": text(2000),
        "dietaryRestrictions": vec![text(60); 30], "tags": vec![text(60); 30],
        "quotedWaitMinutes": 1440,
    });
    let guest = house.tablet.try_add_guest(input.clone()).await.unwrap();
    let stored = serde_json::to_value(house.tablet.guest(guest.id).await.unwrap()).unwrap();
    for (field, value) in input.as_object().unwrap() {
        if field != "notes" {
            assert_eq!(stored[field], *value, "{field}");
        }
    }
    assert!(
        stored["notes"]
            .as_str()
            .unwrap()
            .ends_with("\r\n\t\u{1F382}")
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_made_of_its_parts() {
    let house = House::open().await;
    for (input, name) in [
        (
            json!({"firstName": " Ada ", "lastName": "Byron"}),
            "Ada Byron",
        ),
        (json!({"firstName": "Ada"}), "Ada"),
        (json!({"guestName": " ", "lastName": "Byron"}), "Byron"),
        (
            json!({"guestName": " The Byrons ", "firstName": "Ada"}),
            "The Byrons",
        ),
    ] {
        let mut input = input;
        input["partySize"] = json!(2);
        let guest = house.tablet.try_add_guest(input).await.unwrap();
        assert_eq!(guest.guest_name, name);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_leaves_what_it_does_not_name_and_null_clears() {
    let house = House::open().await;
    let input = json!({
        "guestName": "Ada", "firstName": "Ada", "lastName": "Byron", "partySize": 2,
        "phone": "555 0100", "email": "ada@example.org", "notes": "n", "specialRequests": "s",
        "dietaryRestrictions": ["vegan"], "tags": ["VIP"], "quotedWaitMinutes": 15,
    });
    let guest = house.tablet.try_add_guest(input).await.unwrap();
    let before = serde_json::to_value(&guest).unwrap();
    for (field, empty) in [
        ("firstName", json!(null)),
        ("lastName", json!(null)),
        ("phone", json!(null)),
        ("email", json!(null)),
        ("notes", json!(null)),
        ("specialRequests", json!(null)),
        ("quotedWaitMinutes", json!(null)),
        ("dietaryRestrictions", json!([])),
        ("tags", json!([])),
    ] {
        let cleared = house
            .tablet
            .change_guest(guest.id, json!({field: null}))
            .await;
        let cleared = serde_json::to_value(cleared).unwrap();
        for (name, value) in before.as_object().unwrap() {
            if name == field {
                assert_eq!(cleared[name], empty, "{field} is cleared");
            } else if !["version", "lastUpdated", "quotedUntil"].contains(&name.as_str()) {
                assert_eq!(cleared[name], *value, "{name}, when {field} is cleared");
            }
        }
        let again = house
            .tablet
            .change_guest(guest.id, json!({field: null}))
            .await;
        assert_eq!(json!(again.version), cleared["version"], "cleared once");
        house
            .tablet
            .change_guest(guest.id, json!({field: before[field]}))
            .await;
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn white_space_around_a_text_is_nothing() {
    let house = House::open().await;
    let input = json!({
        "guestName": " Ada ", "partySize": 2, "phone": " ", "notes": "\n", "email": " ada@example.org ",
    });
    let guest = house.tablet.try_add_guest(input.clone()).await.unwrap();
    assert_eq!(guest.guest_name, "Ada");
    assert_eq!(
        (guest.phone.as_deref(), guest.notes.as_deref()),
        (None, None)
    );
    assert_eq!(guest.email.as_deref(), Some("ada@example.org"));
    let same = house.tablet.change_guest(guest.id, input).await;
    assert_eq!(same, guest, "nothing changed");
    let blank = house
        .tablet
        .change_guest(guest.id, json!({"email": " "}))
        .await;
    assert_eq!(blank.email, None);
    house.close().await;
}
