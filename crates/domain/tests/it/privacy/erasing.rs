//! Nothing is left, and nothing else is touched.

use std::collections::BTreeSet;

use domain::people::invitations;
use domain::privacy::{Holds, places};
use serde_json::{Value, json};
use wire::Role;
use wire::audit::AuditEntity;
use wire::floor::guests::GuestStatus;
use wire::live::events::Action;
use wire::privacy::Erased;

use super::{NUMBER, VALUES, erase, guest, regular, tables_with, try_erase};
use crate::audit::entries;
use crate::house::House;
use crate::sql::Sql;
use crate::support::{fields, scope};
use crate::tablet::Tablet;

/// Of each event its envelope, without what it says.
fn envelopes(events: &[Value]) -> Vec<Value> {
    let mut envelopes = events.to_vec();
    for event in &mut envelopes {
        event["data"] = Value::Null;
    }
    envelopes
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_person_is_left_anywhere() {
    let house = House::open().await;
    let party = regular(&house).await;
    // And was to work here once.
    let invited =
        json!({"email": "Zacharias@Example.com", "firstName": "Zac", "lastName": "Quill"});
    let invited = serde_json::from_value(invited).unwrap();
    let owner = scope(house.id(), Role::Owner, None);
    house
        .db()
        .write("invite", &owner, async |tx| {
            invitations::create(tx, &invited).await.map(drop)
        })
        .await
        .unwrap();
    let sql = Sql::beside(&house.test).await;
    // Everywhere that values can live they do, or this would show nothing.
    let mut before = BTreeSet::new();
    for value in VALUES {
        before.extend(tables_with(&sql, value).await);
    }
    let places: BTreeSet<String> = places()
        .filter(|place| {
            place
                .columns
                .iter()
                .any(|(_, holds)| *holds != Holds::Nothing)
        })
        .map(|place| place.table.to_owned())
        .collect();
    assert_eq!(before, places);
    let told = house.tablet.events_after(0).await;
    let audit = entries(&house.tablet, json!({})).await;

    let who = json!({"phone": NUMBER, "email": "zacharias@example.com"});
    let done = try_erase(&house.tablet, who).await.unwrap();
    for value in VALUES {
        assert_eq!(tables_with(&sql, value).await, BTreeSet::new(), "{value}");
    }
    let erased = done.value.erased;
    // The visit before, the mistake (by its present name), and the one at the table.
    assert_eq!(
        (erased.guests, erased.reservations, erased.answers),
        (3, 1, 2)
    );
    assert_eq!(erased.invitations, 1);
    // The events of these and of the deleted party, but that one's deletion said nothing.
    assert_eq!(erased.events, 2 + 1 + 2 + 1 + 2);
    // The party at the table sits there still.
    let now = guest(&house.tablet, party.id).await;
    assert_eq!(now.guest_name, "Guest");
    assert_eq!(
        (now.status, &now.table_ids),
        (GuestStatus::Seated, &party.table_ids)
    );
    assert_eq!(now.version, party.version + 1);
    // Numbers, kinds and times are as they were; after them comes the erasure, and what it changed.
    let events = house.tablet.events_after(0).await;
    let (past, new) = events.split_at(told.len());
    assert_eq!(envelopes(past), envelopes(&told));
    let kinds: Vec<&str> = new
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds[0], "person_erased");
    assert_eq!(new[0]["erasure_id"], json!(done.value.id));
    assert_eq!(new[0]["data"], json!(done.value));
    assert_eq!(kinds[1..].len(), 4);
    assert_eq!(done.appended.unwrap().events.len(), 5);
    // The audit has who did what, and one entry more.
    let after = entries(&house.tablet, json!({})).await;
    assert_eq!(after.len(), audit.len() + 1);
    for (before, after) in audit.iter().zip(&after) {
        assert_eq!(
            (before.seq, before.actor_id, before.action),
            (after.seq, after.actor_id, after.action)
        );
    }
    let last = after.last().unwrap();
    assert_eq!(
        (last.entity, last.action),
        (AuditEntity::Person, Action::Erased)
    );
    assert_eq!(last.actor_id, house.tablet.scope.actor.user_id);
    assert_eq!(last.after, Some(json!(done.value)));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn again_there_is_nothing_until_the_person_comes_back() {
    let house = House::open().await;
    regular(&house).await;
    let zac = json!({"phone": NUMBER, "email": "ZACHARIAS@EXAMPLE.com"});
    assert_ne!(
        erase(&house.tablet, zac.clone()).await.erased,
        Erased::default()
    );
    let head = house.tablet.head().await;
    let audit = entries(&house.tablet, json!({})).await.len();
    let again = try_erase(&house.tablet, zac.clone()).await.unwrap();
    assert_eq!(
        (again.value.id, again.value.erased),
        (None, Erased::default())
    );
    assert!(again.appended.is_none());
    assert_eq!(house.tablet.head().await, head);
    assert_eq!(entries(&house.tablet, json!({})).await.len(), audit);

    let back = json!({"guestName": "Quill", "partySize": 2, "email": "zacharias@example.com"});
    house.tablet.try_add_guest(back).await.unwrap();
    let erased = erase(&house.tablet, zac).await.erased;
    assert_eq!(
        (erased.guests, erased.events, erased.audit_entries),
        (1, 1, 1)
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_left_alone() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Europe/Berlin").await;
    let ann = json!({"guestName": "Ann", "partySize": 2, "phone": "+1 555 0100", "tags": ["vip"]});
    let near =
        json!({"guestName": "Bea", "partySize": 2, "phone": "+1 555 01001", "email": "an@b.c"});
    let here = house.tablet.try_add_guest(ann.clone()).await.unwrap();
    let beside = house.tablet.try_add_guest(near).await.unwrap();
    let elsewhere = other.try_add_guest(ann).await.unwrap();
    let events = other.events_after(0).await;
    let erased = erase(
        &house.tablet,
        json!({"phone": "15550100", "email": "n@b.c"}),
    )
    .await;
    assert_eq!(erased.entity_ids, [here.id.0]);
    assert_eq!(house.tablet.guest(beside.id).await.unwrap(), beside);
    assert_eq!(other.guest(elsewhere.id).await.unwrap(), elsewhere);
    assert_eq!(other.events_after(0).await, events);
    for nobody in [json!({}), json!({"phone": " "}), json!({"phone": "12"})] {
        assert_eq!(fields(try_erase(&house.tablet, nobody).await), ["phone"]);
    }
    let nobody = json!({"email": "x"});
    assert_eq!(fields(try_erase(&house.tablet, nobody).await), ["email"]);
    house.close().await;
}
