//! Every route × every kind of caller × two restaurants.

use reqwest::Method;
use serde_json::json;
use server::Need;
use server::routes;
use uuid::Uuid;
use wire::Role;

use crate::support::{Client, Restaurant, TestApp};

/// A path of the route in a restaurant; other ids are of things that do not exist.
fn path(pattern: &str, restaurant: &str) -> String {
    let mut path = pattern.replace("{rid}", restaurant);
    while let Some((before, rest)) = path.split_once('{') {
        let (_, after) = rest.split_once('}').unwrap();
        path = format!("{before}{}{after}", Uuid::from_u128(42));
    }
    path
}

/// Sends a body that can never be accepted: whoever gets past the checks of who he is gets 400 or
/// 422 for it, or 404 for a thing that does not exist.
async fn knock(client: &Client, method: &Method, path: &str) -> u16 {
    knock_with(client, method, path, "{nonsense").await
}

async fn knock_with(client: &Client, method: &Method, path: &str, body: &str) -> u16 {
    let has_body = *method != Method::GET && *method != Method::DELETE;
    let body = has_body.then(|| body.as_bytes().to_vec());
    let headers = [("content-type", "application/json")];
    let reply = client.send_raw(method.clone(), path, body, &headers).await;
    if reply.status >= 400 {
        assert!(
            reply.body["code"].is_string(),
            "{method} {path}: not the envelope: {}",
            reply.text
        );
    }
    reply.status
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_who_is_there_before_anything_else() {
    let app = TestApp::with(1, &[]).await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let (staff, manager) = (
        house.member(&app, "staff").await,
        house.member(&app, "manager").await,
    );
    let stranger = other.member(&app, "manager").await;
    let anybody = app.client(0);
    let forged = anybody.with_token("eyJhbGciOiJub25lIn0.e30.");
    // Whoever has the link of a party here, and of one elsewhere.
    let (guest, holder) = house.followed_guest(&app).await;
    let (_, foreign) = other.followed_guest(&app).await;
    let members = [
        (Role::Staff, &staff),
        (Role::Manager, &manager),
        (Role::Owner, &house.owner),
    ];

    let mut checked = 0;
    for row in routes().list() {
        let pattern = row.path;
        // The server's type and the client's are of different versions of one crate.
        let method = Method::from_bytes(row.method.as_str().as_bytes()).unwrap();
        // Ends the very login with which the others are checked.
        if pattern == "/auth/logout" {
            assert_eq!(knock(&anybody, &method, pattern).await, 401);
            continue;
        }
        let path = path(pattern, &house.id);
        let what = format!("{method} {pattern}");
        if !matches!(row.need, Need::Public | Need::Follow | Need::Holder) {
            let status = knock(&holder, &method, &path).await;
            assert_eq!(status, 401, "{what} with a link");
        }
        match row.need {
            Need::Public => {
                let status = knock(&anybody, &method, &path).await;
                assert!(![401, 403].contains(&status), "{what}: {status}");
            }
            Need::Account => {
                assert_eq!(knock(&anybody, &method, &path).await, 401, "{what}");
                assert_eq!(knock(&forged, &method, &path).await, 401, "{what}");
                let status = knock(&staff, &method, &path).await;
                assert!(![401, 403].contains(&status), "{what}: {status}");
            }
            Need::Member(least) | Need::MemberOrSelf(least) => {
                assert_eq!(knock(&anybody, &method, &path).await, 401, "{what}");
                assert_eq!(knock(&forged, &method, &path).await, 401, "{what}");
                assert_eq!(
                    knock(&stranger, &method, &path).await,
                    404,
                    "{what} by a stranger"
                );
                for (role, client) in members {
                    let status = knock(client, &method, &path).await;
                    if role < least {
                        assert_eq!(status, 403, "{what} by {role}");
                    } else {
                        assert!(![401, 403].contains(&status), "{what} by {role}: {status}");
                    }
                }
            }
            Need::Named(least) => {
                assert_eq!(knock(&anybody, &method, &path).await, 401, "{what}");
                assert_eq!(knock(&forged, &method, &path).await, 401, "{what}");
                // In the query or in the body; of the rest nothing is right.
                let path = format!("{path}?restaurantId={}", house.id);
                let body = json!({"restaurantId": house.id}).to_string();
                let status = knock_with(&stranger, &method, &path, &body).await;
                assert_eq!(status, 404, "{what} by a stranger");
                for (role, client) in members {
                    let status = knock_with(client, &method, &path, &body).await;
                    if role < least {
                        assert_eq!(status, 403, "{what} by {role}");
                    } else {
                        assert!([404, 422].contains(&status), "{what} by {role}: {status}");
                    }
                }
            }
            Need::Follow => {
                // Whoever may follow is told what is wrong with the rest.
                let path = format!("{path}?restaurant_id={}&since=-1", house.id);
                assert_eq!(knock(&anybody, &method, &path).await, 401, "{what}");
                assert_eq!(knock(&forged, &method, &path).await, 401, "{what}");
                let forged = format!("{path}&token=forged");
                assert_eq!(knock(&anybody, &method, &forged).await, 401, "{what}");
                assert_eq!(knock(&stranger, &method, &path).await, 404, "{what}");
                for (role, client) in members {
                    let status = knock(client, &method, &path).await;
                    assert_eq!(status, 422, "{what} by {role}");
                }
                assert_eq!(knock(&foreign, &method, &path).await, 404, "{what}");
                assert_eq!(knock(&holder, &method, &path).await, 422, "{what}");
            }
            Need::Holder => {
                for client in [&anybody, &forged, &house.owner] {
                    assert_eq!(knock(client, &method, &path).await, 401, "{what}");
                }
                if pattern.contains("{rid}") {
                    assert_eq!(knock(&holder, &method, &path).await, 404, "{what}");
                    let own = path.replace(&Uuid::from_u128(42).to_string(), &guest);
                    assert_eq!(knock(&foreign, &method, &own).await, 404, "{what}");
                } else {
                    assert_eq!(knock(&holder, &method, &path).await, 200, "{what}");
                }
            }
        }
        checked += 1;
    }
    assert!(checked > 25, "only {checked} routes were checked");
    app.finish().await;
}

/// Everybody may leave, and send nobody else away.
#[tokio::test(flavor = "multi_thread")]
async fn of_oneself_one_may_more() {
    let app = TestApp::with(1, &[]).await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let (id, staff) = house.member_with_id(&app, "staff").await;
    let (colleague, _) = house.member_with_id(&app, "staff").await;
    let mut checked = 0;
    for row in routes().list() {
        if !matches!(row.need, Need::MemberOrSelf(_)) {
            continue;
        }
        let pattern = row.path;
        let method = Method::from_bytes(row.method.as_str().as_bytes()).unwrap();
        let of = |uid: &str, rid| path(&pattern.replace("{uid}", uid), rid);
        for (path, expected) in [
            (of(&colleague, &house.id), 403),
            (of("nonsense", &house.id), 403),
            // Not where one is nobody.
            (of(&id, &other.id), 404),
        ] {
            let status = knock(&staff, &method, &path).await;
            assert_eq!(status, expected, "{method} {path}");
        }
        let status = knock(&staff, &method, &of(&id, &house.id)).await;
        assert!(
            ![401, 403].contains(&status),
            "{method} {pattern}: {status}"
        );
        checked += 1;
    }
    assert!(checked > 0);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_reaches_every_restaurant_that_there_is() {
    let admin = [
        ("ADMIN_EMAIL", "admin@example.com"),
        ("ADMIN_PASSWORD", "correct horse battery"),
    ];
    let app = TestApp::with(1, &admin).await;
    let house = Restaurant::new(&app).await;
    let tokens = crate::support::restaurant::login(&app.client(0), "admin@example.com").await;
    let client = app
        .client(0)
        .with_token(tokens["access_token"].as_str().unwrap());
    client.get(&house.path("/guests")).await.expect(200);
    client
        .get(&format!("/restaurants/{}/tables", Uuid::now_v7()))
        .await
        .expect_error(404, "not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_three_mounts_are_one_tree() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    for mount in ["", "/api", "/api/v1"] {
        let path = format!("{mount}/restaurants/{}/guests", house.id);
        house.owner.get(&path).await.expect(200);
        app.client(0)
            .get(&format!("{mount}/health/live"))
            .await
            .expect(200);
    }
    app.client(0)
        .get("/api/v2/health")
        .await
        .expect_error(404, "not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restaurant_in_the_body_is_asked_for_like_one_in_the_path() {
    let app = TestApp::with(1, &[]).await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let path = "/api/v1/atomic/batch";
    let create =
        json!({"op": "create", "entity": "guest", "data": {"guestName": "Ann", "partySize": 2}});
    let guests = async |house: &Restaurant| {
        let list = house.owner.get(&house.path("/guests")).await.expect(200);
        list.as_array().unwrap().len()
    };
    let body = |rid: &str| json!({"restaurant_id": rid, "transactionId": Uuid::now_v7(), "operations": [create]});
    app.client(0)
        .post(path, body(&house.id))
        .await
        .expect_error(401, "unauthenticated");
    other
        .owner
        .post(path, body(&house.id))
        .await
        .expect_error(404, "not_found");
    other
        .owner
        .post(path, body(&Uuid::now_v7().to_string()))
        .await
        .expect_error(404, "not_found");
    // Not even what is wrong with the rest is said to a stranger.
    other
        .owner
        .post(path, json!({"restaurant_id": house.id}))
        .await
        .expect_error(404, "not_found");
    let reply = house
        .owner
        .post(path, json!({"restaurantId": house.id}))
        .await;
    assert_eq!(reply.fields(), ["transactionId"]);
    let reply = house.owner.post(path, json!({"operations": []})).await;
    assert_eq!(reply.fields(), ["restaurantId"]);
    let staff = house.member(&app, "staff").await;
    staff.post(path, body(&house.id)).await.expect(200);
    assert_eq!((guests(&house).await, guests(&other).await), (1, 0));
    app.finish().await;
}
