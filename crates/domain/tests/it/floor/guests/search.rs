//! Looking for a party by its name or its telephone number.

use chrono::DateTime;
use serde_json::{Value, json};

use crate::house::House;
use crate::support::fields;

async fn with_guests(guests: &[Value]) -> House {
    let house = House::open().await;
    for guest in guests {
        let mut input = guest.clone();
        input["partySize"] = json!(2);
        house.tablet.try_add_guest(input).await.unwrap();
    }
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_part_of_a_name() {
    let house = with_guests(&[
        json!({"guestName": "Ada Byron"}),
        json!({"guestName": "The Countess", "firstName": "Augusta", "lastName": "Lovelace"}),
        json!({"guestName": "Özge Çelik"}),
        json!({"guestName": "100% Vegan"}),
        json!({"guestName": "snake_case"}),
        json!({"guestName": "C:\\Users"}),
    ])
    .await;
    for (q, names) in [
        ("ada", &["Ada Byron"][..]),
        ("BYR", &["Ada Byron"]),
        ("byron ada", &["Ada Byron"]),
        ("ada lovelace", &[]),
        ("count", &["The Countess"]),
        ("august love", &["The Countess"]),
        ("özge", &["Özge Çelik"]),
        ("ÇEL", &["Özge Çelik"]),
        ("0%", &["100% Vegan"]),
        ("%", &["100% Vegan"]),
        ("_", &["snake_case"]),
        ("a_a", &[]),
        ("e_c", &["snake_case"]),
        ("\\", &["C:\\Users"]),
        (":\\u", &["C:\\Users"]),
        ("'", &[]),
    ] {
        assert_eq!(house.tablet.names(json!({"q": q})).await, names, "{q}");
    }
    assert_eq!(
        house.tablet.names(json!({"q": " "})).await.len(),
        6,
        "nothing was asked"
    );
    for q in ["x".repeat(101), "a\u{0}b".to_owned()] {
        let refused = house
            .tablet
            .guests_since(DateTime::UNIX_EPOCH, json!({"q": q}))
            .await;
        assert_eq!(fields(refused), ["q"]);
    }
    house.close().await;
}

/// The same number is written in many ways, when it is taken down and when it is looked for.
#[tokio::test(flavor = "multi_thread")]
async fn by_telephone_number_however_it_is_written() {
    let house = with_guests(&[
        json!({"guestName": "Plain", "phone": "+15550100"}),
        json!({"guestName": "Dashed", "phone": "+49 228 / 555-01.00"}),
        json!({"guestName": "Room 555", "phone": "+1 (212) 000-0000"}),
        json!({"guestName": "Nobody"}),
    ])
    .await;
    for (q, names) in [
        ("5550100", &["Plain", "Dashed"][..]),
        ("555-0100", &["Plain", "Dashed"]),
        ("555 0100", &["Plain", "Dashed"]),
        ("(555) 01-00", &["Plain", "Dashed"]),
        ("555.01.00", &["Plain", "Dashed"]),
        ("+1 555", &["Plain"]),
        ("+1-555", &["Plain"]),
        ("0228 / 555", &[]),
        ("228 / 555 01 00", &["Dashed"]),
        ("228/555", &["Dashed"]),
        ("+49-228", &["Dashed"]),
        ("plain 555-0100", &["Plain"]),
        ("dashed 555", &["Dashed"]),
        ("555", &["Plain", "Dashed", "Room 555"]),
        ("room 555", &["Room 555"]),
        ("(", &["Room 555"]),
    ] {
        assert_eq!(house.tablet.names(json!({"q": q})).await, names, "{q}");
    }
    house.close().await;
}
