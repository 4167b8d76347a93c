//! The floor plan: what a table is, and who may say so.

use chrono::TimeDelta;
use serde_json::json;
use wire::ErrorCode;
use wire::Role;
use wire::floor::tables::{TableShape, TableStatus};

use crate::house::{House, stale};
use crate::support::{code, fields};
use crate::tablet::Tablet;

#[tokio::test(flavor = "multi_thread")]
async fn stand_where_they_are_put() {
    let house = House::open().await;
    let plain = house
        .tablet
        .try_add_table(json!({"tableNumber": 7, "capacity": 4}))
        .await
        .unwrap();
    assert_eq!(
        (
            plain.table_number.as_str(),
            plain.capacity,
            plain.min_party_size
        ),
        ("7", 4, 1)
    );
    assert_eq!(
        (plain.status, plain.shape),
        (TableStatus::Available, TableShape::Square)
    );
    assert_eq!((plain.position.x, plain.position.y), (0.5, 0.5));
    assert_eq!(
        (plain.section.as_deref(), plain.current_guest_id),
        (None, None)
    );
    assert!(plain.is_active && plain.version == 1);

    let input = json!({
        "tableNumber": " A-1 ", "capacity": 100, "minPartySize": 100, "status": "reserved",
        "position": {"x": 0.0, "y": 1.0}, "shape": "oval", "section": " Terrace ", "isActive": false,
    });
    let full = house.tablet.try_add_table(input).await.unwrap();
    assert_eq!(full, house.tablet.table(full.id).await.unwrap());
    assert_eq!(
        (full.table_number.as_str(), full.section.as_deref()),
        ("A-1", Some("Terrace"))
    );
    assert_eq!(
        (full.status, full.shape),
        (TableStatus::Reserved, TableShape::Oval)
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn have_fields_with_limits() {
    let house = House::open().await;
    let table = house.tablet.add_table("1", 4).await;
    let cases = [
        (json!({"tableNumber": "x".repeat(21)}), "tableNumber"),
        (json!({"tableNumber": "a\u{0}"}), "tableNumber"),
        (json!({"tableNumber": " "}), "tableNumber"),
        (json!({"tableNumber": ""}), "tableNumber"),
        (json!({"capacity": 0}), "capacity"),
        (json!({"capacity": 101}), "capacity"),
        (json!({"minPartySize": 0}), "minPartySize"),
        (json!({"minPartySize": 5}), "minPartySize"),
        (json!({"position": {"x": -0.1, "y": 0.5}}), "position.x"),
        (json!({"position": {"x": 0.5, "y": 1.1}}), "position.y"),
        (json!({"section": "x".repeat(61)}), "section"),
        (json!({"section": "a\u{0}b"}), "section"),
    ];
    for (patch, field) in cases {
        let mut input = json!({"tableNumber": "2", "capacity": 4});
        input
            .as_object_mut()
            .unwrap()
            .extend(patch.as_object().unwrap().clone());
        let named =
            |faults: Vec<String>| assert!(faults.iter().any(|f| f == field), "{patch}: {faults:?}");
        named(fields(house.tablet.try_add_table(input).await));
        named(fields(
            house.tablet.change_table(table.id, patch.clone()).await,
        ));
    }
    let nothing = house.tablet.try_add_table(json!({})).await;
    assert_eq!(fields(nothing), ["tableNumber", "capacity"]);
    assert_eq!(house.tablet.table(table.id).await.unwrap(), table);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn change_as_asked_and_say_what_changed() {
    let house = House::open().await;
    let table = house.tablet.add_table("1", 4).await;
    let mut version = 1;
    for (patch, action) in [
        (
            json!({"status": "out_of_service", "position": {"x": 0.1, "y": 0.1}}),
            "status_changed",
        ),
        (
            json!({"position": {"x": 0.2, "y": 0.1}, "section": "Main"}),
            "moved",
        ),
        (
            json!({"section": "Terrace", "capacity": 6, "minPartySize": 2, "shape": "round"}),
            "info_updated",
        ),
        (json!({"section": null}), "info_updated"),
        (json!({"tableNumber": 12}), "info_updated"),
        (json!({"isActive": false}), "info_updated"),
    ] {
        house.test.clock.advance(TimeDelta::seconds(1));
        let changed = house
            .tablet
            .change_table(table.id, patch.clone())
            .await
            .unwrap();
        version += 1;
        assert_eq!(
            (changed.version, changed.last_updated),
            (version, house.test.clock.now())
        );
        let event = house
            .tablet
            .events_after(i64::from(version) - 1)
            .await
            .remove(0);
        assert_eq!(event["action"], action, "{patch}");
        assert_eq!(event["data"], serde_json::to_value(&changed).unwrap());
        let again = house.tablet.change_table(table.id, patch).await.unwrap();
        assert_eq!(again, changed, "nothing to change any more");
    }
    let now = house.tablet.table(table.id).await.unwrap();
    assert_eq!(
        (now.table_number.as_str(), now.section, now.capacity),
        ("12", None, 6)
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn have_numbers_of_their_own() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    house.tablet.add_table("1", 4).await;
    other.add_table("1", 4).await;
    let two = house.tablet.add_table("2", 4).await;
    let again = json!({"tableNumber": "1", "capacity": 4});
    assert_eq!(
        code(house.tablet.try_add_table(again).await),
        ErrorCode::TableNumberTaken
    );
    let renumbered = house
        .tablet
        .change_table(two.id, json!({"tableNumber": " 1"}))
        .await;
    assert_eq!(code(renumbered), ErrorCode::TableNumberTaken);
    house
        .tablet
        .change_table(two.id, json!({"tableNumber": "2 ", "capacity": 5}))
        .await
        .unwrap();
    house.tablet.delete_table(two.id, None).await.unwrap();
    house.tablet.add_table("2", 4).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn are_arranged_by_managers_and_worked_by_staff() {
    let house = House::open().await;
    let staff = house.tablet(Role::Staff);
    let table = house.tablet.add_table("1", 4).await;
    for status in ["out_of_service", "needs_cleaning", "reserved", "available"] {
        staff
            .change_table(table.id, json!({"status": status}))
            .await
            .unwrap();
    }
    staff.change_table(table.id, json!({})).await.unwrap();
    for patch in [
        json!({"status": "reserved", "capacity": 6}),
        json!({"capacity": 4}),
        json!({"tableNumber": "2"}),
        json!({"position": {"x": 0.1, "y": 0.1}}),
        json!({"section": null}),
        json!({"isActive": false}),
    ] {
        let refused = staff.change_table(table.id, patch.clone()).await;
        assert_eq!(code(refused), ErrorCode::Forbidden, "{patch}");
    }
    let new = json!({"tableNumber": "2", "capacity": 4});
    assert_eq!(
        code(staff.try_add_table(new.clone()).await),
        ErrorCode::Forbidden
    );
    assert_eq!(
        code(staff.delete_table(table.id, None).await),
        ErrorCode::Forbidden
    );
    staff.clear(table.id).await.unwrap();
    for role in [Role::Manager, Role::Owner, Role::Admin] {
        let table = house.tablet(role).try_add_table(new.clone()).await.unwrap();
        house
            .tablet(role)
            .delete_table(table.id, None)
            .await
            .unwrap();
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn are_changed_and_removed_at_the_version_that_was_read() {
    let house = House::open().await;
    let table = house.tablet.add_table("1", 4).await;
    let changed = house
        .tablet
        .change_table_at(table.id, Some(1), json!({"capacity": 6}))
        .await
        .unwrap();
    let current = serde_json::to_value(&changed).unwrap();
    let old = house
        .tablet
        .change_table_at(table.id, Some(1), json!({"capacity": 8}))
        .await;
    assert_eq!(stale(old), current);
    assert_eq!(
        stale(house.tablet.delete_table(table.id, Some(1)).await),
        current
    );
    house.tablet.delete_table(table.id, Some(2)).await.unwrap();
    let event = house.tablet.events_after(2).await.remove(0);
    assert_eq!(
        (&event["type"], &event["action"]),
        (&json!("table_deleted"), &json!("deleted"))
    );
    assert_eq!(event["data"], json!({"id": table.id, "version": 3}));
    house.close().await;
}
