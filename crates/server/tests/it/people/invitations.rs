//! Strangers who want to be somebody else: invitations, links, and where a login leads.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::restaurant::{PASSWORD, login};
use crate::support::{Client, Restaurant, TestApp};

const VICTIM: &str = "new@victim.example";

fn with_token(app: &TestApp, tokens: &Value) -> Client {
    app.client(0)
        .with_token(tokens["access_token"].as_str().unwrap())
}

/// What an answer says apart from ids, times and the secret.
fn said(mut answer: Value) -> Value {
    for own in ["id", "createdAt", "expiresAt", "link"] {
        assert!(answer[own].is_string(), "{answer}");
        answer[own] = Value::Null;
    }
    answer
}

/// A stranger sets a password for an address, and another house gives the address a role.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_sets_a_password_for_an_address_of_somebody_else() {
    let app = TestApp::with(1, &[]).await;
    let (house, stranger) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    for whose in [&stranger, &house] {
        let body = json!({"email": VICTIM, "password": PASSWORD, "role": "manager"});
        let refused = whose.owner.post(&whose.path("/users"), body).await;
        assert_eq!(refused.fields(), ["password"]);
        let sentence = refused.expect_error(422, "invalid")["error"].to_string();
        assert!(sentence.contains("nobody's password is set by another"));
    }
    let body = json!({"email": VICTIM, "role": "manager"});
    let invited = house.owner.post(&house.path("/users"), body).await;
    let location = invited.header("location").unwrap().to_owned();
    let invited = invited.expect(201);
    assert_eq!(
        house.owner.get(&location).await.expect(200)["status"],
        "open"
    );
    // There is no such account, and no role before somebody accepts and is confirmed.
    let body = json!({"email": VICTIM, "password": PASSWORD});
    let refused = app.client(0).post("/auth/login", body).await;
    refused.expect_error(401, "wrong_credentials");
    let members = house.owner.get(&house.path("/users")).await.expect(200);
    assert_eq!(members.as_array().unwrap().len(), 1);
    let confirm = house.path(&format!(
        "/invitations/{}/confirm",
        invited["id"].as_str().unwrap()
    ));
    for body in [json!({}), json!({"userId": Uuid::now_v7()})] {
        let refused = house.owner.post(&confirm, body).await;
        refused.expect_error(409, "conflict");
    }
    // Nor does anybody set a password for a member.
    let (id, _) = house.member_with_id(&app, "staff").await;
    let path = house.path(&format!("/users/{id}"));
    let refused = house.owner.put(&path, json!({"password": PASSWORD})).await;
    assert_eq!(refused.fields(), ["password"]);
    app.finish().await;
}

/// An address is added by somebody who learns of it, and takes its owner in.
#[tokio::test(flavor = "multi_thread")]
async fn inviting_tells_nothing_and_takes_nobody_in() {
    let app = TestApp::with(1, &[]).await;
    let (victim, stranger) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let invite = async |email: &str| {
        let body = json!({"email": email});
        let invited = stranger.owner.post(&stranger.path("/users"), body).await;
        assert_eq!(invited.status, 201);
        let mut said = said(invited.body);
        said["email"] = Value::Null;
        said
    };
    let (known, unknown) = (invite(&victim.email).await, invite(VICTIM).await);
    assert_eq!(known, unknown, "an account shows by the answer");
    assert_eq!(known["firstName"], Value::Null);
    let tokens = login(&app.client(0), &victim.email).await;
    assert_eq!(tokens["restaurant_id"], victim.id.as_str());
    assert_eq!(tokens["restaurants"].as_array().unwrap().len(), 1);

    // Who has accepted works on where they worked, and leaves again.
    let (invitation, secret) = stranger.invite(json!({"role": "owner"})).await;
    let body = json!({"secret": secret});
    victim
        .owner
        .post("/invitations/accept", body)
        .await
        .expect(200);
    let user = tokens["user_id"].as_str().unwrap();
    stranger.confirm(&invitation, user).await;
    let tokens = login(&app.client(0), &victim.email).await;
    assert_eq!(tokens["restaurant_id"], victim.id.as_str());
    let body = json!({"email": victim.email, "password": PASSWORD, "restaurantId": stranger.id});
    let there = app.client(0).post("/auth/login", body).await.expect(200);
    let tokens = login(&app.client(0), &victim.email).await;
    assert_eq!(tokens["restaurant_id"], stranger.id.as_str());
    let leave = stranger.path(&format!("/users/{user}"));
    let left = with_token(&app, &there).delete(&leave).await;
    assert_eq!(left.status, 204);
    let tokens = login(&app.client(0), &victim.email).await;
    assert_eq!(tokens["restaurant_id"], victim.id.as_str());
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_ones_own_by_a_link() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (invitation, secret) = house.invite(json!({"firstName": "Sam"})).await;
    let client = app.client(0);
    let looked = client.post("/api/v1/invitations/lookup", json!({"secret": secret}));
    let looked = looked.await.expect(200);
    assert_eq!(
        (
            &looked["restaurantName"],
            &looked["role"],
            &looked["status"]
        ),
        (&json!("Chez Nous"), &json!("staff"), &json!("open"))
    );
    let accept = |more: Value| {
        let mut body = json!({"secret": secret});
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        body
    };
    let path = "/api/v1/invitations/accept";
    let nothing = client.post(path, accept(json!({}))).await;
    assert_eq!(nothing.fields(), ["email", "password"]);
    let taken = accept(json!({"email": house.email, "password": PASSWORD}));
    client
        .post(path, taken)
        .await
        .expect_error(409, "email_taken");
    client
        .with_token("nonsense")
        .post(path, accept(json!({})))
        .await
        .expect_error(401, "unauthenticated");
    let mine = accept(json!({"email": "own@example.com", "password": PASSWORD}));
    let tokens = client.post(path, mine.clone()).await.expect(201);
    assert_eq!(tokens["restaurant_id"], Value::Null);
    // Logged in, and nobody anywhere yet.
    let own = with_token(&app, &tokens).at(&app.client(1));
    let me = own.get("/auth/me").await.expect(200);
    assert_eq!(
        (&me["role"], &me["restaurantId"]),
        (&Value::Null, &Value::Null)
    );
    own.get(&house.path("/guests"))
        .await
        .expect_error(404, "not_found");
    let again = own.post(path, accept(json!({}))).await.expect(200);
    assert_eq!(again["status"], "accepted");
    let other = accept(json!({"email": "other@example.com", "password": PASSWORD}));
    client.post(path, other).await.expect_error(409, "conflict");
    let shown = house.path(&format!("/invitations/{invitation}"));
    let shown = house.owner.get(&shown).await.expect(200);
    assert_eq!(shown["acceptedBy"]["email"], "own@example.com");
    assert_eq!(shown["firstName"], "Sam", "a note stays a note");
    assert_eq!(shown.get("link"), None, "shown once");
    let waiting = login(&client, "own@example.com").await;
    assert_eq!(waiting["restaurant_id"], Value::Null);

    house
        .confirm(&invitation, tokens["user_id"].as_str().unwrap())
        .await;
    let tokens = login(&client, "own@example.com").await;
    assert_eq!(tokens["restaurant_id"], house.id.as_str());
    let staff = with_token(&app, &tokens);
    staff.get(&house.path("/guests")).await.expect(200);
    staff
        .get(&house.path("/invitations"))
        .await
        .expect_error(403, "forbidden");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_registers_where_registration_is_closed() {
    let open = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&open).await;
    let (_, secret) = house.invite(json!({})).await;
    let mut app = open;
    app.set_var("REGISTRATION", "closed");
    let closed = app.add_worker().await;
    let client = app.client(closed);
    let body = json!({"secret": secret, "email": VICTIM, "password": PASSWORD});
    client.post("/invitations/accept", body).await.expect(201);
    let body = json!({"restaurantName": "Mine", "email": "a@b.example", "password": PASSWORD});
    client
        .post("/auth/register", body)
        .await
        .expect_error(403, "registration_closed");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_good_is_answered_alike() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (expired, old) = house.invite(json!({})).await;
    app.time().advance(TimeDelta::days(7));
    let tokens = login(&app.client(0), &house.email).await;
    let owner = with_token(&app, &tokens);
    let other = Restaurant::new(&app).await;
    let invite = owner
        .post(&house.path("/users"), json!({}))
        .await
        .expect(201);
    let (_, taken_back) = invite["link"].as_str().unwrap().rsplit_once('/').unwrap();
    let path = house.path(&format!("/invitations/{}", invite["id"].as_str().unwrap()));
    // Another house's are not there.
    for method in ["GET", "DELETE"] {
        let elsewhere = path.replace(&house.id, &other.id);
        let method = method.parse().unwrap();
        let reply = other.owner.send(method, &elsewhere, None, &[]).await;
        reply.expect_error(404, "not_found");
    }
    assert_eq!(owner.delete(&path).await.status, 204);
    let mut answers = Vec::new();
    for secret in ["", "nonsense", &"A".repeat(75), &old, taken_back] {
        for (client, path) in [
            (app.client(0), "/invitations/lookup"),
            (app.client(0), "/invitations/accept"),
            (other.owner.clone(), "/invitations/accept"),
        ] {
            let body = json!({"secret": secret, "email": VICTIM, "password": PASSWORD});
            let mut answer = client.post(path, body).await.expect_error(404, "not_found");
            answer["requestId"] = Value::Null;
            answers.push(answer);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let list = owner.get(&house.path("/invitations")).await.expect(200);
    let list: Vec<_> = list.as_array().unwrap().iter().collect();
    let status = |id: &str| {
        let found = list.iter().find(|one| one["id"] == id);
        found.map(|one| one["status"].as_str().unwrap())
    };
    assert_eq!(status(&expired), Some("expired"));
    assert_eq!(status(invite["id"].as_str().unwrap()), Some("withdrawn"));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_is_invited_by_an_owner() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let manager = house.member(&app, "manager").await;
    manager
        .post(&house.path("/users"), json!({"role": "owner"}))
        .await
        .expect_error(403, "forbidden");
    let admin = json!({"role": "admin"});
    let reply = house.owner.post(&house.path("/users"), admin).await;
    assert_eq!(reply.fields(), ["role"]);
    let (invitation, secret) = house.invite(json!({"role": "owner"})).await;
    let body = json!({"secret": secret, "email": VICTIM, "password": PASSWORD});
    app.client(0)
        .post("/invitations/accept", body)
        .await
        .expect(201);
    let path = house.path(&format!("/invitations/{invitation}"));
    let confirm = format!("{path}/confirm");
    manager
        .post(&confirm, json!({}))
        .await
        .expect_error(403, "forbidden");
    manager.delete(&path).await.expect_error(403, "forbidden");
    house.owner.post(&confirm, json!({})).await.expect(200);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_by_its_account() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (id, staff) = house.member_with_id(&app, "staff").await;
    let me = staff.get("/auth/me").await.expect(200);
    let email = me["email"].as_str().unwrap();
    let manager = house.member(&app, "manager").await;
    let path = house.path(&format!("/users/{id}/reset-link"));
    staff
        .post(&path, json!({}))
        .await
        .expect_error(403, "forbidden");
    let owner = house.owner_tokens["user_id"].as_str().unwrap();
    let of_owner = house.path(&format!("/users/{owner}/reset-link"));
    manager
        .post(&of_owner, json!({}))
        .await
        .expect_error(403, "forbidden");
    let made = manager.post(&path, json!({})).await.expect(201);
    let link = made["link"].as_str().unwrap();
    let secret = link.strip_prefix("https://door.example/r/").unwrap();
    staff.get("/auth/me").await.expect(200);

    let client = app.client(1);
    let reset = |secret: &str, password: &str| json!({"secret": secret, "newPassword": password});
    let place = "/api/v1/auth/password/reset";
    let short = client.post(place, reset(secret, "short")).await;
    assert_eq!(short.fields(), ["newPassword"]);
    let wrong = client.post(place, reset("nonsense", "entirely new")).await;
    wrong.expect_error(404, "not_found");
    let mut socket = house.socket(&app, 0).await;
    let done = client.post(place, reset(secret, "entirely new")).await;
    assert_eq!(done.status, 204);
    let told = socket.frame_of("user_updated").await;
    assert_eq!(
        (&told["action"], &told["user_id"]),
        (&json!("password_reset"), &json!(id))
    );
    staff
        .at(&client)
        .get("/auth/me")
        .await
        .expect_error(401, "unauthenticated");
    let again = client.post(place, reset(secret, "entirely new")).await;
    again.expect_error(404, "not_found");
    for (password, status) in [(PASSWORD, 401), ("entirely new", 200)] {
        let body = json!({"email": email, "password": password});
        client.post("/auth/login", body).await.expect(status);
    }
    app.finish().await;
}
