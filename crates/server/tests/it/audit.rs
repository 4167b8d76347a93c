use reqwest::Method;
use serde_json::json;

use crate::support::{Restaurant, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn who_did_what_from_which_device_in_which_request() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (uid, staff) = house.member_with_id(&app, "staff").await;
    let device = app
        .client(0)
        .post(
            "/api/v1/auth/login",
            json!({"email": house.email, "password": crate::support::restaurant::PASSWORD, "deviceName": "Host stand"}),
        )
        .await
        .expect(200);
    let stand = app
        .client(0)
        .with_token(device["access_token"].as_str().unwrap());
    let headers = [("x-request-id", "request-7")];
    let body = json!({"guestName": "Ann", "partySize": 2});
    let made = stand
        .send(Method::POST, &house.path("/guests"), Some(body), &headers)
        .await
        .expect(201);
    let path = house.path(&format!("/guests/{}", made["id"].as_str().unwrap()));
    staff.put(&path, json!({"notes": "n"})).await.expect(200);
    staff.put(&path, json!({"notes": "n"})).await.expect(200);

    let audit = house.path(&format!("/audit?id={}", made["id"].as_str().unwrap()));
    let entries = house.owner.get(&audit).await.expect(200);
    let [changed, created] = entries.as_array().unwrap().as_slice() else {
        panic!("{entries}")
    };
    assert_eq!(
        (
            &created["requestId"],
            &created["deviceName"],
            &created["after"]
        ),
        (&json!("request-7"), &json!("Host stand"), &made)
    );
    assert_eq!(
        (
            &changed["actorId"],
            &changed["actorName"],
            &changed["before"],
            &changed["after"]
        ),
        (
            &json!(uid),
            &json!("staff"),
            &json!({"notes": null}),
            &json!({"notes": "n"})
        )
    );
    staff.get(&audit).await.expect_error(403, "forbidden");

    // Newest first, page by page.
    let first = house.owner.get(&house.path("/audit?limit=2")).await;
    let link = first.header("link").unwrap().to_owned();
    assert_eq!(first.expect(200)[0], *changed);
    let next = link
        .trim_start_matches('<')
        .split_once('>')
        .unwrap()
        .0
        .to_owned();
    let rest = house.owner.get(&next).await;
    let rest: Vec<_> = rest.expect(200).as_array().unwrap().clone();
    // The member's joining: the invitation was confirmed, and there was a member.
    let kinds: Vec<_> = rest.iter().map(|entry| &entry["entity"]).collect();
    assert_eq!(kinds, ["invitation", "user"]);
    let founded = house
        .owner
        .get(&house.path("/audit?entity=restaurant"))
        .await
        .expect(200);
    assert_eq!(founded[0]["action"], "created");
    app.finish().await;
}
