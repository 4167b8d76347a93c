use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Restaurant, TestApp, guest};

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_and_what_it_is_based_on() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let table = house.table("1", 4).await;
    let sits = json!({"guestName": "Ann", "partySize": 4, "tableId": table});
    house
        .owner
        .post(&house.path("/guests"), sits)
        .await
        .expect(201);
    let bob = house
        .owner
        .post(&house.path("/guests"), guest("Bob", 2))
        .await
        .expect(201);

    let staff = house.member(&app, "staff").await.at(&app.client(1));
    let path = house.path("/wait-quote?partySize=2");
    let quote = staff.get(&path).await.expect(200);
    assert_eq!(
        (&quote["partySize"], &quote["partiesAhead"]),
        (&json!(2), &json!(1))
    );
    let minutes = |value: &Value| value.as_i64().unwrap();
    assert!(minutes(&quote["lowMinutes"]) <= minutes(&quote["highMinutes"]));
    assert!(minutes(&bob["quotedHighMinutes"]) < minutes(&quote["highMinutes"]));
    assert_eq!(bob["quotedWaitMinutes"], bob["quotedHighMinutes"]);
    let basis = &quote["basis"];
    assert_eq!(
        (
            &basis["seatings"],
            &basis["priorWeight"],
            &basis["tablesThatFit"],
            &basis["freeNow"]
        ),
        (&json!(0), &json!(10), &json!(1), &json!(0)),
    );
    assert_eq!(
        (&basis["minPartySize"], &basis["maxPartySize"]),
        (&json!(1), &json!(2))
    );
    let snake = house.path("/wait-quote?party_size=9");
    assert_eq!(
        staff.get(&snake).await.expect(200)["lowMinutes"],
        Value::Null
    );
    for query in ["", "?partySize=0", "?partySize=101"] {
        let reply = staff.get(&house.path(&format!("/wait-quote{query}"))).await;
        assert_eq!(reply.fields(), ["partySize"]);
        reply.expect_error(422, "invalid");
    }
    app.finish().await;
}

/// Whichever worker finds a party that is due, the sockets of both hear of it, once.
#[tokio::test(flavor = "multi_thread")]
async fn what_time_brings_reaches_every_worker() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let table = house.table("1", 4).await;
    let (ann, bob) = (house.guest("Ann", 2).await, house.guest("Bob", 2).await);
    let (ann, bob) = (
        house.path(&format!("/guests/{ann}")),
        house.path(&format!("/guests/{bob}")),
    );
    house
        .owner
        .put(&ann, json!({"quotedWaitMinutes": 9}))
        .await
        .expect(200);
    house
        .owner
        .put(&bob, json!({"quotedWaitMinutes": 600}))
        .await
        .expect(200);
    let called = house
        .owner
        .put(&bob, json!({"status": "notified"}))
        .await
        .expect(200);
    assert!(called["notifiedUntil"].is_string(), "{called}");
    let soon = chrono::DateTime::parse_from_rfc3339(called["notifiedUntil"].as_str().unwrap());
    let booking = json!({
        "guestName": "Cleo", "partySize": 4, "tableIds": [table],
        "reservationTime": soon.unwrap() + TimeDelta::minutes(14),
    });
    let path = house.path("/reservations");
    house.owner.post(&path, booking).await.expect(201);
    let mut sockets = [house.socket(&app, 0).await, house.socket(&app, 1).await];
    let head = sockets[0].connect["seq"].as_i64().unwrap();

    app.time().advance(TimeDelta::minutes(11));
    let mut heard = Vec::new();
    for socket in &mut sockets {
        let mut frames = socket.until(head + 3).await;
        frames.sort_by_key(|frame| frame["seq"].as_i64());
        heard.push(frames);
    }
    assert_eq!(heard[0], heard[1]);
    let of = |what: &str, value: Value| {
        let mut frames = heard[0].iter();
        frames.any(|frame| frame["data"][what] == value && frame.get("actor_id").is_none())
    };
    assert!(of("overQuote", json!(true)), "{:#?}", heard[0]);
    assert!(of("status", json!("waiting")), "called, and did not come");
    assert!(of("status", json!("reserved")), "{:#?}", heard[0]);
    let bob = house.owner.get(&bob).await.expect(200);
    assert_eq!(
        (&bob["status"], &bob["notifiedAt"]),
        (&json!("waiting"), &called["notifiedAt"])
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_moved_over_http_and_by_a_batch() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let mut ids = Vec::new();
    for name in ["Ann", "Bob", "Cleo"] {
        ids.push(house.guest(name, 2).await);
    }
    let places = async || {
        let mut places = Vec::new();
        for id in &ids {
            let guest = house.owner.get(&house.path(&format!("/guests/{id}"))).await;
            places.push(guest.expect(200)["waitPosition"].as_i64());
        }
        places
    };
    let cleo = house.path(&format!("/guests/{}", ids[2]));
    house
        .owner
        .put(&cleo, json!({"waitPosition": 1}))
        .await
        .expect(200);
    assert_eq!(places().await, [Some(2), Some(3), Some(1)]);
    let batch = json!({"guests": [
        {"id": ids[0], "waitPosition": 1},
        {"id": ids[2], "status": "cancelled"},
    ]});
    house
        .owner
        .post(&house.path("/batch-update"), batch)
        .await
        .expect(200);
    assert_eq!(places().await, [Some(1), Some(2), None]);
    for wrong in [json!(0), json!(null), json!("first")] {
        let refused = house.owner.put(&cleo, json!({"waitPosition": wrong})).await;
        assert!([400, 422].contains(&refused.status), "{}", refused.text);
    }
    app.finish().await;
}
