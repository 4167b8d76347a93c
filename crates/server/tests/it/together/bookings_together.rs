//! Bookings in batches, transactions of clients and offline queues.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::floor::reservations::{at, booking};
use crate::support::{Restaurant, TestApp};

fn operation(op: &str, id: Uuid, data: &Value) -> Value {
    json!({"op": op, "entity": "reservation", "id": id, "data": data})
}

async fn statuses(house: &Restaurant, operations: Value) -> Vec<Value> {
    let done = house
        .owner
        .post(
            &house.path("/sync/batch"),
            json!({"operations": operations}),
        )
        .await
        .expect(200);
    done["results"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_moves_with_its_party_in_one_transaction() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (one, two) = (house.table("1", 4).await, house.table("2", 4).await);
    let mut tablet = house.socket(&app, 1).await;
    let (ann, bob) = (Uuid::now_v7(), Uuid::now_v7());
    let body = json!({"transactionId": Uuid::now_v7(), "operations": [
        operation("create", ann, &booking("Ann", "18:00", &[&one])),
        operation("update", ann, &json!({"tableIds": [two]})),
        operation("create", bob, &booking("Bob", "18:30", &[&one])),
        operation("update", ann, &json!({"status": "arrived"})),
        operation("delete", bob, &json!({})),
    ]});
    let path = house.path("/atomic");
    let done = house.owner.post(&path, body).await.expect(200);
    assert_eq!(done["results"][1]["data"]["tableIds"], json!([two]));
    assert_eq!(done["results"][4]["data"]["status"], "cancelled");
    let kinds: Vec<String> = tablet
        .until(6)
        .await
        .iter()
        .map(|frame| frame["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        [
            "reservation_created",
            "reservation_created",
            "guest_created",
            "atomic_transaction_complete"
        ]
    );

    // What would be booked twice undoes everything, and is named with the booking in the way.
    let body = json!({"transactionId": Uuid::now_v7(), "operations": [
        operation("create", Uuid::now_v7(), &booking("Cid", "20:30", &[&one])),
        operation("create", Uuid::now_v7(), &booking("Dan", "21:00", &[&one])),
        {"op": "create", "entity": "reservation", "data": {"guestName": "", "partySize": 2, "reservationTime": at("18:00")}},
    ]});
    let refused = house
        .owner
        .post(&path, body)
        .await
        .expect_error(409, "conflict");
    let items = refused["items"].as_array().unwrap();
    let named: Vec<_> = items
        .iter()
        .map(|item| (item["index"].as_i64(), item["code"].as_str()))
        .collect();
    assert_eq!(
        named,
        [
            (Some(1), Some("table_unavailable")),
            (Some(2), Some("invalid"))
        ]
    );
    let sentence = items[0]["error"].as_str().unwrap();
    assert!(sentence.contains("booked for Cid"), "{sentence}");
    let all = house.owner.get(&house.path("/reservations")).await;
    assert_eq!(all.expect(200).as_array().unwrap().len(), 2);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_changes_bookings_with_tables_and_parties() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (one, two) = (house.table("1", 4).await, house.table("2", 4).await);
    let (ann, bob) = (Uuid::now_v7(), Uuid::now_v7());
    let body = json!({"transactionId": Uuid::now_v7(), "operations": [
        operation("create", ann, &booking("Ann", "18:00", &[&one])),
        operation("create", bob, &booking("Bob", "18:00", &[&two])),
    ]});
    let atomic = house.path("/atomic");
    house.owner.post(&atomic, body).await.expect(200);
    let body = json!({
        "tables": [{"id": one, "section": "terrace"}],
        "reservations": [{"id": ann, "notes": "birthday", "ifVersion": 1}, {"id": bob, "status": "no_show"}],
    });
    let path = house.path("/batch-update");
    let done = house.owner.post(&path, body).await.expect(200);
    let bookings = done["reservations"].as_array().unwrap();
    assert_eq!(
        (&bookings[0]["notes"], &bookings[1]["status"]),
        (&json!("birthday"), &json!("no_show"))
    );
    assert_eq!(done["tables"][0]["section"], "terrace");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_that_were_taken_offline() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let one = house.table("1", 4).await;
    let (ann, bob, cid) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let queued = |id: &str, mut operation: Value, base: Option<i32>| {
        operation["clientId"] = json!(id);
        operation["baseVersion"] = json!(base);
        operation
    };
    // While the tablet was away, another took the table that its guests were promised.
    let theirs = booking("Theirs", "20:00", &[&one]);
    let taken = house.path("/reservations");
    house.owner.post(&taken, theirs).await.expect(201);
    let queue = json!([
        queued(
            "1",
            operation("create", ann, &booking("Ann", "18:00", &[&one])),
            None
        ),
        queued(
            "2",
            operation("update", ann, &json!({"guestPhone": "555 0100"})),
            Some(1)
        ),
        queued(
            "3",
            operation("create", bob, &booking("Bob", "20:30", &[&one])),
            None
        ),
        queued(
            "4",
            operation(
                "create",
                cid,
                &json!({"guestName": "Cid", "partySize": 2, "reservationTime": at("18:00")})
            ),
            None
        ),
    ]);
    let first = statuses(&house, queue.clone()).await;
    let words: Vec<_> = first
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["applied", "applied", "conflict", "conflict"]);
    let sentence = first[2]["message"].as_str().unwrap();
    assert!(sentence.contains("booked for Theirs"), "{sentence}");
    assert_eq!(statuses(&house, queue).await, first);

    // Others moved the booking; a note goes along, another time does not.
    let path = house.path(&format!("/reservations/{ann}"));
    house
        .owner
        .put(&path, json!({"reservationTime": at("17:30")}))
        .await
        .expect(200);
    let queue = json!([
        queued(
            "5",
            operation("update", ann, &json!({"notes": "window"})),
            Some(2)
        ),
        queued(
            "6",
            operation("update", ann, &json!({"reservationTime": at("18:15")})),
            Some(2)
        ),
        queued("7", operation("delete", ann, &json!({})), Some(2)),
    ]);
    let results = statuses(&house, queue).await;
    let sentences: Vec<_> = results
        .iter()
        .map(|result| (result["status"].as_str(), result["message"].as_str()))
        .collect();
    let clash =
        "Somebody else changed the time of the booking of Ann in the meantime. Please look again.";
    assert_eq!(
        sentences,
        [
            (
                Some("merged"),
                Some("Somebody else changed the booking of Ann too; both changes are kept.")
            ),
            (Some("conflict"), Some(clash)),
            (Some("conflict"), Some(clash)),
        ]
    );
    app.finish().await;
}

/// Ten clients at once, each with three bookings for which the house chooses the tables.
#[tokio::test(flavor = "multi_thread")]
async fn the_house_chooses_for_several_at_once() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    for number in 1..=12 {
        house.table(&number.to_string(), 2).await;
    }
    let path = house.path("/atomic");
    let requests = (0..10).map(|n| {
        let wish = json!({"guestName": format!("Group {n}"), "partySize": 2, "reservationTime": at("19:00")});
        let three: Vec<Value> = (0..3).map(|_| operation("create", Uuid::now_v7(), &wish)).collect();
        let body = json!({"transactionId": Uuid::now_v7(), "operations": three});
        let client = house.owner.at(&app.client(n % 2));
        let path = path.clone();
        async move { client.post(&path, body).await.status }
    });
    let mut answers = futures_util::future::join_all(requests).await;
    answers.sort_unstable();
    assert_eq!(answers, [[200; 4].as_slice(), [409; 6].as_slice()].concat());
    app.finish().await;
}
