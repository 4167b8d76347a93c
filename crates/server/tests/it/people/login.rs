use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::restaurant::{PASSWORD, login};
use crate::support::{Client, Restaurant, TestApp};

async fn refresh(client: &Client, tokens: &Value) -> crate::support::Reply {
    client
        .post(
            "/api/v1/auth/refresh",
            json!({"refresh_token": tokens["refresh_token"]}),
        )
        .await
}

fn token(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_logs_in() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let me = house
        .owner
        .at(&app.client(1))
        .get("/api/v1/auth/me")
        .await
        .expect(200);
    assert_eq!(
        (&me["email"], &me["role"]),
        (&json!(house.email), &json!("owner"))
    );
    assert_eq!(me["restaurants"][0]["id"], house.id.as_str());

    let again =
        json!({"restaurantName": "Two", "email": house.email.to_uppercase(), "password": PASSWORD});
    app.client(0)
        .post("/auth/register", again)
        .await
        .expect_error(409, "email_taken");
    let bad = json!({"restaurant_name": "", "email": "nobody", "password": "short"});
    let reply = app.client(0).post("/api/auth/register", bad).await;
    let mut fields = reply.fields();
    fields.sort_unstable();
    assert_eq!(fields, ["email", "password", "restaurantName"]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn registration_can_be_closed() {
    let app = TestApp::with(1, &[("REGISTRATION", "closed")]).await;
    let body = json!({"restaurantName": "One", "email": "a@example.com", "password": PASSWORD});
    app.client(0)
        .post("/auth/register", body)
        .await
        .expect_error(403, "registration_closed");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_addresses_and_wrong_passwords_are_answered_alike() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let client = app.client(0);
    let mut answers = Vec::new();
    for (email, password) in [
        (house.email.as_str(), "wrong password"),
        ("nobody@example.com", PASSWORD),
    ] {
        let body = json!({"email": email, "password": password});
        let mut answer = client
            .post("/auth/login", body)
            .await
            .expect_error(401, "wrong_credentials");
        answer["requestId"] = Value::Null;
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
    let body =
        json!({"email": house.email, "password": PASSWORD, "restaurantId": uuid::Uuid::now_v7()});
    client
        .post("/auth/login", body)
        .await
        .expect_error(404, "not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_does_not_log_a_tablet_out() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (client, other) = (app.client(0), app.client(1));
    let first = login(&client, &house.email).await;
    let _lost = refresh(&client, &first).await.expect(200);
    let second = refresh(&other, &first).await.expect(200);
    client
        .with_token(token(&second))
        .get("/auth/me")
        .await
        .expect(200);
    let third = refresh(&client, &second).await.expect(200);
    // Now the first is used up for good: presenting it is theft, and ends the device's login.
    refresh(&other, &first)
        .await
        .expect_error(401, "refresh_refused");
    refresh(&client, &third)
        .await
        .expect_error(401, "refresh_refused");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_before_works_for_a_minute_only() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let client = app.client(0);
    let first = login(&client, &house.email).await;
    refresh(&client, &first).await.expect(200);
    app.time().advance(TimeDelta::seconds(61));
    refresh(&client, &first)
        .await
        .expect_error(401, "refresh_refused");
    for garbage in ["", "garbage", "AAAA.BBBB"] {
        let reply = refresh(&client, &json!({"refresh_token": garbage})).await;
        reply.expect_error(401, "refresh_refused");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_tokens_expire() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    house.owner.get("/auth/me").await.expect(200);
    app.time().advance(TimeDelta::minutes(15));
    house
        .owner
        .get("/auth/me")
        .await
        .expect_error(401, "token_expired");
    let fresh = refresh(&app.client(0), &house.owner_tokens)
        .await
        .expect(200);
    house
        .owner
        .with_token(token(&fresh))
        .get("/auth/me")
        .await
        .expect(200);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_listed_and_signed_out() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let client = app.client(0);
    let body =
        json!({"email": house.email, "password": PASSWORD, "deviceName": "iPad at the door"});
    let tablet = client.post("/auth/login", body).await.expect(200);
    let tablet = client.with_token(token(&tablet));
    let devices = house.owner.get("/auth/sessions").await.expect(200);
    let devices = devices.as_array().unwrap();
    assert_eq!(devices.len(), 2);
    let other = devices
        .iter()
        .find(|device| device["isCurrent"] == false)
        .unwrap();
    assert_eq!(other["deviceName"], "iPad at the door");
    let path = format!("/auth/sessions/{}", other["id"].as_str().unwrap());
    Restaurant::new(&app)
        .await
        .owner
        .delete(&path)
        .await
        .expect_error(404, "not_found");
    assert_eq!(house.owner.delete(&path).await.status, 204);
    tablet
        .get("/auth/me")
        .await
        .expect_error(401, "unauthenticated");
    assert_eq!(
        house.owner.post("/auth/logout", json!({})).await.status,
        204
    );
    house
        .owner
        .get("/auth/me")
        .await
        .expect_error(401, "unauthenticated");
    refresh(&client, &house.owner_tokens)
        .await
        .expect_error(401, "refresh_refused");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_signs_the_other_devices_out() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let client = app.client(0);
    let tablet = login(&client, &house.email).await;
    let wrong = json!({"currentPassword": "not this one", "newPassword": "another password"});
    house
        .owner
        .put("/auth/password", wrong)
        .await
        .expect_error(401, "wrong_credentials");
    let change = json!({"current_password": PASSWORD, "new_password": "another password"});
    assert_eq!(house.owner.put("/auth/password", change).await.status, 204);
    client
        .with_token(token(&tablet))
        .get("/auth/me")
        .await
        .expect_error(401, "unauthenticated");
    refresh(&client, &tablet)
        .await
        .expect_error(401, "refresh_refused");
    let mine = refresh(&client, &house.owner_tokens).await.expect(200);
    client
        .with_token(token(&mine))
        .get("/auth/me")
        .await
        .expect(200);
    let body = json!({"email": house.email, "password": PASSWORD});
    client
        .post("/auth/login", body)
        .await
        .expect_error(401, "wrong_credentials");
    app.finish().await;
}
