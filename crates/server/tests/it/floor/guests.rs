use reqwest::Method;
use serde_json::json;

use crate::support::{Restaurant, TestApp, guest};

#[tokio::test(flavor = "multi_thread")]
async fn a_party_from_the_door_to_the_bill() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let table = house.table("12", 4).await;

    let reply = house
        .owner
        .post(&house.path("/guests"), guest("John Doe", 4))
        .await;
    assert!(
        reply
            .header("x-event-seq")
            .is_some_and(|seq| seq.ends_with(":2")),
        "{reply:?}"
    );
    assert_eq!(reply.header("etag"), Some("\"1\""));
    let location = reply.header("location").unwrap().to_owned();
    let party = reply.expect(201);
    assert_eq!(
        (party["status"].as_str(), party["waitPosition"].as_i64()),
        (Some("waiting"), Some(1))
    );

    // Through the other worker.
    let other = house.owner.at(&app.client(1));
    let seated = other
        .put(&location, json!({"status": "seated", "tableId": table}))
        .await
        .expect(200);
    assert_eq!(seated["tableId"], table.as_str());
    assert_eq!(seated["tableIds"], json!([table]));
    assert_eq!(seated["version"], 2);
    assert!(
        seated["seatedTime"].is_string() && seated["waitPosition"].is_null(),
        "{seated}"
    );
    let taken = other
        .get(&house.path(&format!("/tables/{table}")))
        .await
        .expect(200);
    assert_eq!(
        (taken["status"].as_str(), &taken["currentGuestId"]),
        (Some("occupied"), &party["id"])
    );

    let left = house
        .owner
        .put(&location, json!({"status": "completed"}))
        .await
        .expect(200);
    assert!(
        left["tableId"].is_null() && left["finishedTime"].is_string(),
        "{left}"
    );
    let free = other
        .get(&house.path(&format!("/tables/{table}")))
        .await
        .expect(200);
    assert_eq!(
        (free["status"].as_str(), free["currentGuestId"].is_null()),
        (Some("available"), true)
    );

    assert_eq!(other.delete(&location).await.status, 204);
    other.get(&location).await.expect_error(404, "not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_spellings_and_older_words_are_read() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let table = house.table("1", 6).await;
    let body = json!({
        "first_name": "Jane", "last_name": "Doe", "party_size": 3, "special_requests": "window",
        "dietary_restrictions": ["vegan"], "quoted_wait_minutes": 20, "status": "Waitlist",
        "unknown": {"is": "ignored"},
    });
    let party = house
        .owner
        .post(&house.path("/guests"), body)
        .await
        .expect(201);
    assert_eq!(party["guestName"], "Jane Doe");
    assert_eq!(
        (&party["specialRequests"], &party["quotedWaitMinutes"]),
        (&json!("window"), &json!(20))
    );
    let path = house.path(&format!("/guests/{}", party["id"].as_str().unwrap()));
    let seated = house
        .owner
        .put(&path, json!({"status": "Seated", "table_id": table}))
        .await
        .expect(200);
    assert_eq!(seated["status"], "seated");
    let done = house
        .owner
        .send(
            Method::PATCH,
            &path,
            Some(json!({"status": "Finished"})),
            &[],
        )
        .await
        .expect(200);
    assert_eq!(done["status"], "completed");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tablets_seat_two_parties_at_one_table() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let tablets = [house.owner.clone(), house.owner.at(&app.client(1))];
    for round in 0..20 {
        let table = house.table(&format!("{round}"), 4).await;
        let parties = [house.guest("A", 2).await, house.guest("B", 2).await];
        let [a, b] = [0, 1].map(|n| {
            let (tablet, path) = (
                tablets[n].clone(),
                house.path(&format!("/guests/{}", parties[n])),
            );
            let body = json!({"tableId": table});
            async move { tablet.put(&path, body).await }
        });
        let (a, b) = tokio::join!(a, b);
        let (won, lost) = if a.status == 200 { (a, b) } else { (b, a) };
        let seated = won.expect(200);
        lost.expect_error(409, "table_occupied");
        let taken = house
            .owner
            .get(&house.path(&format!("/tables/{table}")))
            .await
            .expect(200);
        assert_eq!(taken["currentGuestId"], seated["id"]);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_must_fit_unless_a_manager_says_it_will_do() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let staff = house.member(&app, "staff").await;
    let (two, four) = (house.table("2", 2).await, house.table("4", 4).await);
    let path = house.path(&format!("/guests/{}", house.guest("Six", 6).await));
    staff
        .put(&path, json!({"tableId": four}))
        .await
        .expect_error(409, "party_too_large");
    let squeeze = json!({"tableId": four, "allowOverCapacity": true});
    staff
        .put(&path, squeeze.clone())
        .await
        .expect_error(403, "forbidden");
    staff
        .put(&path, json!({"tableIds": [four, two]}))
        .await
        .expect(200);
    staff.put(&path, json!({"tableIds": []})).await.expect(200);
    house.owner.put(&path, squeeze).await.expect(200);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused_with_the_present_state() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let path = house.path(&format!("/guests/{}", house.guest("Ann", 2).await));
    let put = |etag: &'static str, notes: &'static str| {
        let (owner, path) = (house.owner.clone(), path.clone());
        async move {
            owner
                .send(
                    Method::PUT,
                    &path,
                    Some(json!({"notes": notes})),
                    &[("if-match", etag)],
                )
                .await
        }
    };
    assert_eq!(put("\"1\"", "first").await.header("etag"), Some("\"2\""));
    let refused = put("\"1\"", "second")
        .await
        .expect_error(412, "stale_version");
    assert_eq!(
        (&refused["current"]["notes"], &refused["current"]["version"]),
        (&json!("first"), &json!(2))
    );
    put("*", "third").await.expect(200);
    put("nonsense", "fourth")
        .await
        .expect_error(400, "bad_request");
    // What changes nothing makes no event and no version.
    let same = house.owner.put(&path, json!({"notes": "third"})).await;
    assert_eq!(
        (same.header("x-event-seq"), same.header("etag")),
        (None, Some("\"3\""))
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_steps_are_refused() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let path = house.path(&format!("/guests/{}", house.guest("Ann", 2).await));
    house
        .owner
        .put(&path, json!({"status": "completed"}))
        .await
        .expect_error(409, "invalid_transition");
    let reply = house.owner.put(&path, json!({"status": "seated"})).await;
    assert_eq!(reply.fields(), ["tableId"]);
    reply.expect_error(422, "invalid");
    // Another restaurant's table is no table.
    let other = Restaurant::new(&app).await;
    let table = other.table("1", 4).await;
    house
        .owner
        .put(&path, json!({"tableId": table}))
        .await
        .expect_error(404, "not_found");
    app.finish().await;
}
