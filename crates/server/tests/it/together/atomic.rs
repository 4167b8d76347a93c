use serde_json::{Value, json};
use testkit::wait::{DEADLINE, until};
use uuid::Uuid;

use crate::support::{Restaurant, TestApp};

fn create(name: &str) -> Value {
    json!({"op": "create", "entity": "guest", "data": {"guestName": name, "partySize": 2}})
}

fn transaction(id: Uuid, operations: Value) -> Value {
    json!({"transactionId": id, "operations": operations})
}

async fn guests(house: &Restaurant) -> usize {
    house
        .owner
        .get(&house.path("/guests"))
        .await
        .expect(200)
        .as_array()
        .unwrap()
        .len()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_changes_as_one() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let table = house.table("1", 4).await;
    let ann = house.guest("Ann", 2).await;
    house
        .owner
        .put(
            &house.path(&format!("/guests/{ann}")),
            json!({"tableId": table}),
        )
        .await
        .expect(200);
    let mut tablet = house.socket(&app, 1).await;
    let (id, bob) = (Uuid::now_v7(), Uuid::now_v7());
    let body = transaction(
        id,
        json!([
            {"op": "update", "entity": "guest", "id": ann, "data": {"status": "completed"}, "ifVersion": 2},
            {"op": "create", "entity": "guest", "id": bob, "data": {"guestName": "Bob", "partySize": 3}},
            {"op": "update", "entity": "guest", "id": bob, "data": {"tableId": table}},
            {"op": "create", "entity": "table", "data": {"tableNumber": "2", "capacity": 2}},
            {"op": "delete", "entity": "guest", "id": ann},
        ]),
    );
    let done = house
        .owner
        .post(&house.path("/atomic"), body.clone())
        .await
        .expect(200);
    assert_eq!(done["transactionId"], id.to_string());
    let results = done["results"].as_array().unwrap();
    assert_eq!(results.len(), 5);
    assert_eq!(
        (&results[2]["id"], &results[2]["data"]["tableId"]),
        (&json!(bob), &json!(table))
    );
    assert_eq!(
        (&results[4]["op"], &results[4]["data"]),
        (&json!("delete"), &json!(null))
    );

    // One event per thing, with its final state, and one that closes the transaction.
    let frames = tablet.until(9).await;
    let kinds: Vec<&str> = frames
        .iter()
        .map(|frame| frame["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "guest_deleted",
            "table_updated",
            "guest_created",
            "table_created",
            "atomic_transaction_complete"
        ]
    );
    assert!(
        frames
            .iter()
            .all(|frame| frame["transaction_id"] == id.to_string()),
        "{frames:?}"
    );
    assert_eq!(frames[1]["data"]["currentGuestId"], bob.to_string());
    let new_table = results[3]["id"].as_str().unwrap();
    let affected = json!([
        format!("guest-{ann}"),
        format!("table-{table}"),
        format!("guest-{bob}"),
        format!("table-{new_table}")
    ]);
    assert_eq!(frames[4]["affected_entities"], affected);
    assert_eq!(
        (&frames[4]["data"], &frames[4]["action"]),
        (&json!(null), &json!(null))
    );

    // Again, through the other worker and the other path: the same answer, and nothing happens.
    let mut elsewhere = body.clone();
    elsewhere["restaurant_id"] = json!(house.id);
    let again = house
        .owner
        .at(&app.client(1))
        .post("/api/v1/atomic/batch", elsewhere)
        .await;
    assert_eq!(
        (
            again.header("idempotent-replayed"),
            again.header("x-event-seq")
        ),
        (Some("true"), None)
    );
    assert_eq!(again.expect(200), done);
    // Another request under the same id.
    let other = house
        .owner
        .post(
            &house.path("/atomic"),
            transaction(id, json!([create("Cid")])),
        )
        .await;
    assert_eq!(other.fields(), ["transactionId"]);
    other.expect_error(422, "invalid");
    assert_eq!(guests(&house).await, 1);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_undoes_all_and_may_be_sent_again() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let ann = house.guest("Ann", 2).await;
    let path = house.path("/atomic");
    let id = Uuid::now_v7();
    let body = transaction(
        id,
        json!([
            create("Bob"),
            {"op": "update", "entity": "guest", "id": ann, "data": {"notes": "x"}, "ifVersion": 2},
            {"op": "update", "entity": "dish", "id": ann, "data": {}},
            {"op": "burn", "entity": "guest", "id": ann},
            {"op": "update", "entity": "guest", "data": {}},
        ]),
    );
    let refused = house
        .owner
        .post(&path, body)
        .await
        .expect_error(409, "conflict");
    let named: Vec<_> = refused["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["index"], &item["code"]))
        .collect();
    let (stale, invalid) = (json!("stale_version"), json!("invalid"));
    assert_eq!(
        named,
        [
            (&json!(1), &stale),
            (&json!(2), &invalid),
            (&json!(3), &invalid),
            (&json!(4), &invalid)
        ]
    );
    assert_eq!(
        refused["items"][1]["fields"][0]["message"],
        "must be one of guest, table, reservation"
    );
    let unknown = transaction(
        Uuid::now_v7(),
        json!([{"op": "create", "entity": "dish", "data": {}}]),
    );
    let refused = house
        .owner
        .post(&path, unknown)
        .await
        .expect_error(422, "invalid");
    assert_eq!(refused["items"][0]["index"], 0);
    assert_eq!(guests(&house).await, 1);

    // Nothing was remembered of it: what failed may be put right.
    let body = transaction(
        id,
        json!([create("Bob"), {"op": "update", "entity": "guest", "id": ann, "data": {"notes": "x"}, "ifVersion": 1}]),
    );
    house.owner.post(&path, body).await.expect(200);
    assert_eq!(guests(&house).await, 2);
    let many: Vec<Value> = (0..101).map(|_| create("x")).collect();
    house
        .owner
        .post(&path, transaction(Uuid::now_v7(), json!(many)))
        .await
        .expect_error(422, "invalid");
    house
        .owner
        .post(&path, json!({"transactionId": "mine", "operations": []}))
        .await
        .expect_error(422, "invalid");
    house
        .owner
        .post(&path, json!([]))
        .await
        .expect_error(422, "invalid");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_was_lost_is_asked_for_again() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (path, other) = (house.path("/atomic"), house.owner.at(&app.client(1)));
    // It was done, and the reply went nowhere.
    let body = transaction(Uuid::now_v7(), json!([create("Ann")]));
    let owner = &house.owner;
    owner
        .send_and_hang_up(&path, &body, &[], async || {
            until("it to be done", DEADLINE, async || {
                (guests(&house).await == 1).then_some(())
            })
            .await;
        })
        .await;
    let again = other.post(&path, body).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    again.expect(200);
    // Nobody knows how far it got.
    for round in 0..20 {
        let body = transaction(Uuid::now_v7(), json!([create(&format!("Round {round}"))]));
        owner.send_and_hang_up(&path, &body, &[], async || {}).await;
        other.post(&path, body.clone()).await.expect(200);
        house.owner.post(&path, body).await.expect(200);
        assert_eq!(guests(&house).await, 2 + round);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_get_the_same_transaction_at_once() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (path, other) = (house.path("/atomic"), house.owner.at(&app.client(1)));
    for round in 0..20 {
        let body = transaction(Uuid::now_v7(), json!([create("A"), create("B")]));
        let (a, b) = tokio::join!(
            house.owner.post(&path, body.clone()),
            other.post(&path, body)
        );
        let replayed = [&a, &b]
            .iter()
            .filter(|reply| reply.header("idempotent-replayed").is_some())
            .count();
        assert_eq!(replayed, 1, "{a:?} {b:?}");
        assert_eq!(a.expect(200), b.expect(200));
        assert_eq!(guests(&house).await, 2 * (round + 1));
    }
    app.finish().await;
}
