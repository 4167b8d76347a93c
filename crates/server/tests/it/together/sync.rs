use serde_json::{Value, json};
use uuid::Uuid;

use super::batch::parties;
use crate::support::{Client, Restaurant, TestApp};

/// A change of a party that was made offline.
fn update(client_id: &str, guest: &str, data: Value, base: i32) -> Value {
    json!({"clientId": client_id, "op": "update", "entity": "guest", "id": guest, "data": data, "baseVersion": base})
}

async fn sync(client: &Client, house: &Restaurant, operations: &[Value]) -> Vec<Value> {
    let body = json!({"operations": operations});
    let done = client
        .post(&house.path("/sync/batch"), body)
        .await
        .expect(200);
    done["results"].as_array().unwrap().clone()
}

fn statuses(results: &[Value]) -> Vec<&str> {
    results
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect()
}

async fn head(house: &Restaurant) -> i64 {
    house
        .owner
        .get(&house.path("/dashboard-data"))
        .await
        .expect(200)["seq"]
        .as_i64()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_a_thousand_is_safe_to_send_twice() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let ids = parties(&house, 200).await;
    let mut queue: Vec<Value> = (0..1000)
        .map(|n| {
            update(
                &format!("tablet-{n}"),
                &ids[n % 200],
                json!({"notes": format!("note {n}")}),
                1,
            )
        })
        .collect();
    queue[500]["data"] = json!({"partySize": 0});
    queue[501]["data"] = json!({"status": "completed"});
    queue[502]["id"] = json!(Uuid::now_v7());
    let first = sync(&house.owner, &house, &queue).await;
    let words = statuses(&first);
    assert_eq!(
        (words[500], words[501], words[502]),
        ("rejected", "conflict", "conflict")
    );
    assert_eq!(
        words.iter().filter(|word| **word == "applied").count(),
        997,
        "{words:?}"
    );
    let before = head(&house).await;
    let second = sync(&house.owner.at(&app.client(1)), &house, &queue).await;
    assert_eq!(first, second);
    assert_eq!(head(&house).await, before);
    // Two at once, through two workers.
    let more: Vec<Value> = (0..200)
        .map(|n| {
            update(
                &format!("more-{n}"),
                &ids[n],
                json!({"phone": format!("555 {n}")}),
                0,
            )
        })
        .collect();
    let other = house.owner.at(&app.client(1));
    let (a, b) = tokio::join!(
        sync(&house.owner, &house, &more),
        sync(&other, &house, &more)
    );
    assert_eq!(a, b);
    let too_many: Vec<Value> = queue.iter().chain(&more).take(1001).cloned().collect();
    let path = house.path("/sync/batch");
    house
        .owner
        .post(&path, json!({"operations": too_many}))
        .await
        .expect_error(422, "invalid");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_did_in_the_meantime() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let table = house.table("1", 4).await;
    let ids = parties(&house, 6).await;
    let put = async |n: usize, body: Value| {
        house
            .owner
            .put(&house.path(&format!("/guests/{}", ids[n])), body)
            .await
            .expect(200);
    };
    put(0, json!({"partySize": 5})).await;
    put(1, json!({"notes": "theirs"})).await;
    put(2, json!({"status": "cancelled"})).await;
    put(3, json!({"tableId": table})).await;
    assert_eq!(
        house
            .owner
            .delete(&house.path(&format!("/guests/{}", ids[4])))
            .await
            .status,
        204
    );
    let remove = |client_id: &str, n: usize| json!({"clientId": client_id, "op": "delete", "entity": "guest", "id": ids[n], "baseVersion": 1});
    let results = sync(
        &house.owner,
        &house,
        &[
            update("a", &ids[0], json!({"notes": "mine"}), 1),
            update("b", &ids[1], json!({"notes": "mine"}), 1),
            update("c", &ids[2], json!({"tableId": table}), 1),
            update("d", &ids[4], json!({"notes": "mine"}), 1),
            remove("e", 4),
            remove("f", 3),
            update("g", &ids[5], json!({"tableId": table}), 1),
            update("h", &ids[1], json!({"notes": "theirs"}), 1),
        ],
    )
    .await;
    assert_eq!(
        statuses(&results),
        [
            "merged", "conflict", "conflict", "conflict", "applied", "conflict", "conflict",
            "applied"
        ]
    );
    let sentences: Vec<&str> = results
        .iter()
        .map(|result| result["message"].as_str().unwrap_or(""))
        .collect();
    assert_eq!(
        sentences,
        [
            "Somebody else changed Party 0 too; both changes are kept.",
            "Somebody else changed the notes of Party 1 in the meantime. Please look again.",
            "Somebody else changed the status of Party 2 in the meantime. Please look again.",
            "This party was removed by somebody else in the meantime.",
            "",
            "Somebody else changed the status and the table of Party 3 in the meantime. Please look again.",
            "Table 1 has a party already.",
            "",
        ]
    );
    let merged = &results[0]["current"];
    assert_eq!(
        (&merged["notes"], &merged["partySize"]),
        (&json!("mine"), &json!(5))
    );
    assert_eq!(results[1]["current"]["notes"], "theirs");
    assert_eq!(results[1]["fields"][0]["field"], "notes");
    assert_eq!(
        (&results[3]["current"], &results[3]["code"]),
        (&json!(null), &json!("conflict"))
    );
    assert_eq!(results[6]["code"], "table_occupied");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_no_longer_tells_is_not_guessed() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let ids = parties(&house, 2).await;
    let guest = house.path(&format!("/guests/{}", ids[0]));
    house
        .owner
        .put(&guest, json!({"partySize": 5}))
        .await
        .expect(200);
    let sql = crate::support::app::connect(app.database_url()).await;
    let prune = "UPDATE log_heads SET pruned_seq = last_seq";
    sql.batch_execute(&format!("DELETE FROM events; {prune}"))
        .await
        .unwrap();
    let results = sync(
        &house.owner,
        &house,
        &[
            update("a", &ids[0], json!({"notes": "mine"}), 1),
            update("b", &ids[1], json!({"notes": "mine"}), 1),
            update("c", &ids[0], json!({"partySize": 5}), 1),
        ],
    )
    .await;
    assert_eq!(statuses(&results), ["conflict", "applied", "applied"]);
    let sentence = "A lot has happened to Party 0 since this device was online. Please look again.";
    assert_eq!(results[0]["message"], sentence);
    app.finish().await;
}

/// A party that was taken down, seated and sent home while the tablet was offline.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_evening_offline() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let table = house.table("1", 4).await;
    let known = house.guest("Known", 2).await;
    house
        .owner
        .put(
            &house.path(&format!("/guests/{known}")),
            json!({"notes": "window"}),
        )
        .await
        .expect(200);
    let new = Uuid::now_v7().to_string();
    let create = json!({"clientId": "1", "op": "create", "entity": "guest", "id": new, "data": {"guestName": "New", "partySize": 2}});
    let queue = [
        create.clone(),
        update("2", &new, json!({"tableId": table}), 1),
        update("3", &new, json!({"notes": "birthday"}), 1),
        update("4", &new, json!({"status": "completed"}), 1),
        // Changes upon one's own changes are no conflicts; the note of somebody else is kept.
        update("5", &known, json!({"partySize": 3}), 1),
        update("6", &known, json!({"partySize": 4}), 1),
        update("7", &known, json!({"tableId": table}), 1),
        update("8", &known, json!({"status": "completed"}), 1),
    ];
    let results = sync(&house.owner, &house, &queue).await;
    let expected = [
        "applied", "applied", "applied", "applied", "merged", "merged", "merged", "merged",
    ];
    assert_eq!(statuses(&results), expected, "{results:#?}");
    let done = house
        .owner
        .get(&house.path(&format!("/guests/{known}")))
        .await
        .expect(200);
    assert_eq!(
        (&done["status"], &done["partySize"], &done["notes"]),
        (&json!("completed"), &json!(4), &json!("window"))
    );

    // The reply was lost, and more was done before the queue is sent again.
    let more = [
        &queue[..],
        &[update("9", &known, json!({"partySize": 5}), 1)],
    ]
    .concat();
    let again = sync(&house.owner, &house, &more).await;
    assert_eq!(&again[..8], &results[..]);
    assert_eq!(again[8]["status"], "merged", "{}", again[8]);

    // An id that was used for something else, one that is missing, and a party that is there.
    let mut other = create.clone();
    other["data"]["partySize"] = json!(9);
    let mut taken = create.clone();
    taken["clientId"] = json!("10");
    let mut nameless = create;
    nameless.as_object_mut().unwrap().remove("clientId");
    let unknown = json!({"clientId": "11", "op": "create", "entity": "dish", "data": {}});
    let results = sync(&house.owner, &house, &[other, taken, nameless, unknown]).await;
    assert_eq!(
        statuses(&results),
        ["rejected", "conflict", "rejected", "rejected"]
    );
    assert_eq!(results[0]["fields"][0]["field"], "clientId");
    assert_eq!(results[1]["message"], "Under this id there is New already.");
    assert_eq!(results[3]["fields"][0]["field"], "entity");
    app.finish().await;
}
