use serde_json::{Value, json};

use crate::support::{Restaurant, TestApp};

/// So many parties, in transactions of 100.
pub async fn parties(house: &Restaurant, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for hundred in 0..count.div_ceil(100) {
        let operations: Vec<Value> = (hundred * 100..count.min(hundred * 100 + 100))
            .map(|n| json!({"op": "create", "entity": "guest", "data": {"guestName": format!("Party {n}"), "partySize": 2}}))
            .collect();
        let body = json!({"transactionId": uuid::Uuid::now_v7(), "operations": operations});
        let done = house
            .owner
            .post(&house.path("/atomic"), body)
            .await
            .expect(200);
        let results = done["results"].as_array().unwrap();
        ids.extend(
            results
                .iter()
                .map(|result| result["id"].as_str().unwrap().to_owned()),
        );
    }
    ids
}

async fn head(house: &Restaurant) -> i64 {
    let board = house
        .owner
        .get(&house.path("/dashboard-data"))
        .await
        .expect(200);
    board["seq"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_item_among_five_hundred_and_nothing_is_done() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let ids = parties(&house, 500).await;
    let before = head(&house).await;
    let mut items: Vec<Value> = ids
        .iter()
        .map(|id| json!({"id": id, "notes": "all of them"}))
        .collect();
    let good = items.clone();
    items[321]["status"] = json!("completed");
    let path = house.path("/batch-update");
    let refused = house
        .owner
        .post(&path, json!({"guests": items}))
        .await
        .expect_error(409, "conflict");
    let failed = refused["items"].as_array().unwrap();
    assert_eq!(failed.len(), 1, "{refused}");
    assert_eq!(failed[0]["index"], 321);
    assert_eq!(
        (&failed[0]["entity"], &failed[0]["id"]),
        (&json!("guest"), &json!(ids[321]))
    );
    assert_eq!(failed[0]["code"], "invalid_transition");
    assert_eq!(
        failed[0]["error"],
        "A party that is waiting cannot become completed."
    );
    assert_eq!(head(&house).await, before);
    let guest = house
        .owner
        .get(&house.path(&format!("/guests/{}", ids[0])))
        .await
        .expect(200);
    assert_eq!(
        (&guest["notes"], &guest["version"]),
        (&json!(null), &json!(1))
    );

    // Without it, all of them; their events arrive together and are closed by one more.
    let mut tablet = house.socket(&app, 1).await;
    let done = house
        .owner
        .post(&path, json!({"guests": good, "mode": "all_or_nothing"}))
        .await
        .expect(200);
    assert_eq!(done["guests"].as_array().unwrap().len(), 500);
    assert_eq!(done["guests"][499]["notes"], "all of them");
    let frames = tablet.until(before + 501).await;
    assert_eq!(frames.len(), 501);
    for frame in &frames {
        assert_eq!(frame["transaction_id"], done["transactionId"], "{frame}");
    }
    let last = frames.last().unwrap();
    assert_eq!(last["type"], "atomic_transaction_complete");
    assert_eq!(last["affected_entities"].as_array().unwrap().len(), 500);
    assert_eq!(last["affected_entities"][7], format!("guest-{}", ids[7]));

    // What changes nothing is not told.
    let reply = house.owner.post(&path, json!({"guests": good})).await;
    assert_eq!(reply.header("x-event-seq"), None);
    reply.expect(200);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_that_fails_is_named() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (one, two) = (house.table("1", 4).await, house.table("2", 4).await);
    let (ann, bob) = (house.guest("Ann", 2).await, house.guest("Bob", 2).await);
    let nobody = uuid::Uuid::now_v7();
    let path = house.path("/batch-update");
    let body = json!({
        "guests": [
            {"id": ann, "tableId": one},
            {"id": bob, "tableId": one},
            {"id": nobody, "notes": "x"},
            {"id": bob, "partySize": "two"},
            {"notes": "whose?"},
            {"id": bob, "notes": "x", "ifVersion": 7},
        ],
        "tables": [{"id": two, "capacity": 0}, {"id": two, "status": "available"}],
    });
    let refused = house
        .owner
        .post(&path, body)
        .await
        .expect_error(409, "conflict");
    let named: Vec<String> = refused["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let fields = item["fields"].as_array();
            let field = fields.map_or("", |fields| fields[0]["field"].as_str().unwrap());
            let (entity, code) = (
                item["entity"].as_str().unwrap(),
                item["code"].as_str().unwrap(),
            );
            format!("{entity} {} {code} {field}", item["index"])
        })
        .collect();
    assert_eq!(
        named,
        [
            "guest 1 table_occupied ",
            "guest 2 not_found ",
            "guest 3 invalid partySize",
            "guest 4 invalid id",
            "guest 5 stale_version ",
            "table 0 invalid capacity",
        ]
    );
    let stale = &refused["items"][4]["current"];
    assert_eq!((&stale["id"], &stale["version"]), (&json!(bob), &json!(1)));
    assert_eq!(
        refused["error"],
        "6 of 8 changes cannot be made, so none was."
    );
    let seats = house
        .owner
        .get(&house.path("/tables?status=occupied"))
        .await
        .expect(200);
    assert_eq!(seats, json!([]));

    // Who is seated moves up who waits; that is no change between the two.
    let body = json!({"guests": [
        {"id": ann, "tableId": one, "ifVersion": 1}, {"id": bob, "tableId": two, "ifVersion": 1},
    ]});
    house.owner.post(&path, body).await.expect(200);
    let body =
        json!({"guests": [{"id": ann, "status": "waiting"}, {"id": bob, "status": "waiting"}]});
    house.owner.post(&path, body).await.expect(200);

    // Only faults of the request itself: 422.
    let body = json!({"guests": [{"id": bob, "partySize": 0}]});
    let refused = house
        .owner
        .post(&path, body)
        .await
        .expect_error(422, "invalid");
    assert_eq!(refused["items"][0]["fields"][0]["field"], "partySize");
    // A party that leaves makes room for the next, in one batch.
    let body = json!({"guests": [{"id": ann, "tableId": one}]});
    house.owner.post(&path, body).await.expect(200);
    let body = json!({
        "guests": [{"id": ann, "status": "completed"}, {"id": bob, "tableId": one}],
        "tables": [{"id": one, "status": "occupied"}, {"id": two, "section": "Terrace"}],
    });
    let done = house.owner.post(&path, body).await.expect(200);
    assert_eq!(done["tables"][0]["currentGuestId"], bob.as_str());
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_batch_may_not_be() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let other = Restaurant::new(&app).await;
    let staff = house.member(&app, "staff").await;
    let table = house.table("1", 4).await;
    let path = house.path("/batch-update");
    let many: Vec<Value> = (0..501)
        .map(|_| json!({"id": table, "status": "reserved"}))
        .collect();
    staff
        .post(&path, json!({"tables": many}))
        .await
        .expect_error(422, "invalid");
    staff
        .post(&path, json!({"mode": "best_effort"}))
        .await
        .expect_error(422, "invalid");
    staff
        .post(&path, json!({"guests": {}}))
        .await
        .expect_error(422, "invalid");
    let arrange = json!({"tables": [{"id": table, "capacity": 8}]});
    let refused = staff
        .post(&path, arrange)
        .await
        .expect_error(409, "conflict");
    assert_eq!(refused["items"][0]["code"], "forbidden");
    // Another restaurant's table is no table.
    let foreign = json!({"tables": [{"id": table, "status": "reserved"}]});
    let reply = other
        .owner
        .post(&other.path("/batch-update"), foreign)
        .await;
    let refused = reply.expect_error(409, "conflict");
    assert_eq!(refused["items"][0]["code"], "not_found");
    assert_eq!(
        staff.post(&path, json!({})).await.expect(200)["guests"],
        json!([])
    );
    app.finish().await;
}

/// Two batches that take the same tables and parties in opposite orders do not lock each other out.
#[tokio::test(flavor = "multi_thread")]
async fn batches_that_cross_each_other() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let ids = parties(&house, 40).await;
    let tables = [house.table("1", 4).await, house.table("2", 4).await];
    let other = house.owner.at(&app.client(1));
    for round in 0..10 {
        let batch = |client: &crate::support::Client, forward: bool| {
            let mut items: Vec<Value> = ids
                .iter()
                .map(|id| json!({"id": id, "notes": format!("{round} {forward}")}))
                .collect();
            items[0]["tableId"] = json!(tables[usize::from(forward)]);
            if !forward {
                items.reverse();
            }
            let (client, path) = (client.clone(), house.path("/batch-update"));
            async move {
                client
                    .post(&path, json!({"guests": items}))
                    .await
                    .expect(200)
            }
        };
        tokio::join!(batch(&house.owner, true), batch(&other, false));
    }
    app.finish().await;
}
