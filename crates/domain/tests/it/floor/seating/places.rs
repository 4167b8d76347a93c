//! Coming to a table, to another, to several, and leaving.

use serde_json::{Value, json};
use wire::floor::guests::GuestStatus;
use wire::floor::tables::{Table, TableStatus};

use crate::house::House;
use crate::tablet::Tablet;

/// The types, actions and entities of the events after `after`.
async fn told(tablet: &Tablet, after: i64) -> Vec<(String, String)> {
    let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
    let events = tablet.events_after(after).await;
    events
        .iter()
        .map(|event| (text(event, "type"), text(event, "action")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(kind, action)| ((*kind).to_owned(), (*action).to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_both_sides_in_one_transaction() {
    let house = House::open().await;
    let table = house.tablet.add_table("1", 4).await;
    let guest = house.tablet.add_guest("Ada", 4).await;
    house.test.clock.advance(chrono::TimeDelta::minutes(7));
    let before = house.tablet.head().await.last_seq;

    let seated = house
        .tablet
        .change_guest(guest.id, json!({"tableId": table.id}))
        .await;
    assert_eq!(seated.status, GuestStatus::Seated, "a table is enough");
    assert_eq!(
        (seated.table_id, &*seated.table_ids),
        (Some(table.id), &[table.id][..])
    );
    assert_eq!(seated.seated_time, Some(house.test.clock.now()));
    assert_eq!(seated.last_updated, house.test.clock.now());
    let now = house.tablet.table(table.id).await.unwrap();
    assert_eq!(
        (now.status, now.current_guest_id),
        (TableStatus::Occupied, Some(guest.id))
    );
    assert_eq!(
        (now.version, now.last_updated),
        (table.version + 1, house.test.clock.now())
    );
    let expected = pairs(&[
        ("guest_updated", "status_changed"),
        ("table_updated", "status_changed"),
    ]);
    assert_eq!(told(&house.tablet, before).await, expected);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_a_party() {
    let house = House::open().await;
    let (one, two) = (
        house.tablet.add_table("1", 4).await,
        house.tablet.add_table("2", 4).await,
    );
    let guest = house.tablet.add_guest("Ada", 4).await;
    let seated = house.tablet.seat(&guest, &[&one]).await.unwrap();
    let before = house.tablet.head().await.last_seq;
    house.test.clock.advance(chrono::TimeDelta::minutes(7));

    let moved = house.tablet.seat(&guest, &[&two]).await.unwrap();
    assert_eq!(moved.table_id, Some(two.id));
    assert_eq!(
        moved.seated_time, seated.seated_time,
        "it has been sitting since"
    );
    let (one, two) = (
        house.tablet.table(one.id).await.unwrap(),
        house.tablet.table(two.id).await.unwrap(),
    );
    assert_eq!(
        (one.status, one.current_guest_id),
        (TableStatus::Available, None)
    );
    assert_eq!(
        (two.status, two.current_guest_id),
        (TableStatus::Occupied, Some(guest.id))
    );
    let expected = [
        ("guest_updated", "table_assigned"),
        ("table_updated", "status_changed"),
        ("table_updated", "status_changed"),
    ];
    assert_eq!(told(&house.tablet, before).await, pairs(&expected));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_tables_in_an_order() {
    let house = House::open().await;
    let mut tables = Vec::new();
    for number in ["1", "2", "3"] {
        tables.push(house.tablet.add_table(number, 4).await);
    }
    let [a, b, c] = [&tables[0], &tables[1], &tables[2]];
    let guest = house.tablet.add_guest("Ada", 8).await;
    let place = async |tables: &[&Table]| {
        let before = house.tablet.head().await.last_seq;
        let guest = house.tablet.seat(&guest, tables).await.unwrap();
        let ids: Vec<_> = tables.iter().map(|table| table.id).collect();
        assert_eq!(guest.table_ids, ids);
        assert_eq!(guest.table_id, ids.first().copied());
        assert_eq!(guest, house.tablet.guest(guest.id).await.unwrap());
        told(&house.tablet, before).await.len()
    };
    assert_eq!(place(&[b, a]).await, 3, "the party and both tables");
    assert_eq!(
        place(&[a, b]).await,
        1,
        "the other way round, nothing changes for the tables"
    );
    assert_eq!(place(&[b, c]).await, 3, "one goes, one comes, one stays");
    assert_eq!(place(&[b, c, a]).await, 2);
    house
        .tablet
        .change_guest(guest.id, json!({"status": "completed"}))
        .await;
    for table in [a, b, c] {
        assert_eq!(
            house.tablet.table(table.id).await.unwrap().status,
            TableStatus::Available
        );
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_may_lose_its_table_and_stay() {
    let house = House::open().await;
    let table = house.tablet.add_table("1", 4).await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    for nowhere in [
        json!({"tableId": null}),
        json!({"tableIds": null}),
        json!({"tableIds": []}),
    ] {
        house.tablet.seat(&guest, &[&table]).await.unwrap();
        let before = house.tablet.head().await.last_seq;
        let standing = house.tablet.change_guest(guest.id, nowhere.clone()).await;
        assert_eq!(
            (standing.status, standing.table_id),
            (GuestStatus::Seated, None)
        );
        let now = house.tablet.table(table.id).await.unwrap();
        assert_eq!(
            (now.status, now.current_guest_id),
            (TableStatus::Available, None)
        );
        let expected = [
            ("guest_updated", "table_cleared"),
            ("table_updated", "status_changed"),
        ];
        assert_eq!(told(&house.tablet, before).await, pairs(&expected));
        let same = house.tablet.change_guest(guest.id, nowhere).await;
        assert_eq!(same, standing, "once is enough");
    }
    house.close().await;
}

/// Whoever leaves leaves the table: to be cleaned, where the restaurant says so and they ate there.
#[tokio::test(flavor = "multi_thread")]
async fn ends_with_a_free_table() {
    let house = House::open().await;
    let (one, two) = (
        house.tablet.add_table("1", 4).await,
        house.tablet.add_table("2", 4).await,
    );
    for (needs_cleaning, used) in [
        (false, TableStatus::Available),
        (true, TableStatus::NeedsCleaning),
    ] {
        let settings = json!({"settings": {"needsCleaning": needs_cleaning}});
        house.tablet.change_restaurant(settings).await;
        for (patch, expected) in [
            (json!({"status": "completed"}), used),
            (json!({"tableId": two.id}), used),
            (json!({"tableId": null}), used),
            (json!({"status": "waiting"}), TableStatus::Available),
        ] {
            let guest = house.tablet.add_guest("Ada", 2).await;
            house.tablet.seat(&guest, &[&one]).await.unwrap();
            house.tablet.change_guest(guest.id, patch.clone()).await;
            let left = house.tablet.table(one.id).await.unwrap();
            assert_eq!(
                (left.status, left.current_guest_id),
                (expected, None),
                "{patch}"
            );
            house.tablet.delete_guest(guest.id, None).await.unwrap();
        }
        let guest = house.tablet.add_guest("Ada", 2).await;
        house.tablet.seat(&guest, &[&one, &two]).await.unwrap();
        let before = house.tablet.head().await.last_seq;
        house.tablet.delete_guest(guest.id, None).await.unwrap();
        for table in [&one, &two] {
            let left = house.tablet.table(table.id).await.unwrap();
            assert_eq!(
                (left.status, left.current_guest_id),
                (TableStatus::Available, None)
            );
        }
        assert_eq!(
            told(&house.tablet, before).await.len(),
            3,
            "the party and its two tables"
        );
    }
    house.close().await;
}
