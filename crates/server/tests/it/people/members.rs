use serde_json::json;
use testkit::wait::{DEADLINE, until};

use crate::support::restaurant::PASSWORD;
use crate::support::{Restaurant, Socket, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn members_come_change_and_go() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (id, staff) = house.member_with_id(&app, "staff").await;
    let path = house.path(&format!("/users/{id}"));
    staff
        .get(&house.path("/users"))
        .await
        .expect_error(403, "forbidden");
    let members = house.owner.get(&house.path("/users")).await.expect(200);
    assert_eq!(members.as_array().unwrap().len(), 2);

    let raised = house
        .owner
        .put(&path, json!({"role": "manager"}))
        .await
        .expect(200);
    assert_eq!(raised["role"], "manager");
    until(
        "the manager to be one on the other worker",
        DEADLINE,
        async || {
            (staff
                .at(&app.client(1))
                .get(&house.path("/users"))
                .await
                .status
                == 200)
                .then_some(())
        },
    )
    .await;
    // A manager is not for owners.
    let owner = members
        .as_array()
        .unwrap()
        .iter()
        .find(|user| user["role"] == "owner")
        .unwrap();
    let owner_path = house.path(&format!("/users/{}", owner["id"].as_str().unwrap()));
    staff
        .put(&owner_path, json!({"role": "staff"}))
        .await
        .expect_error(403, "forbidden");
    staff
        .put(&path, json!({"role": "owner"}))
        .await
        .expect_error(403, "forbidden");
    house
        .owner
        .put(&owner_path, json!({"role": "staff"}))
        .await
        .expect_error(409, "last_owner");
    house
        .owner
        .delete(&owner_path)
        .await
        .expect_error(409, "last_owner");

    assert_eq!(house.owner.delete(&path).await.status, 204);
    until(
        "the member to be gone on the other worker",
        DEADLINE,
        async || {
            (staff
                .at(&app.client(1))
                .get(&house.path("/guests"))
                .await
                .status
                != 200)
                .then_some(())
        },
    )
    .await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_may_belong_to_several_restaurants() {
    let app = TestApp::with(1, &[]).await;
    let (one, two) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let (invitation, secret) = one.invite(json!({"role": "staff"})).await;
    let accepted = two
        .owner
        .post("/invitations/accept", json!({"secret": secret}));
    let accepted = accepted.await.expect(200);
    assert_eq!(
        (&accepted["restaurantName"], &accepted["status"]),
        (&json!("Chez Nous"), &json!("accepted"))
    );
    let user = two.owner_tokens["user_id"].as_str().unwrap();
    one.confirm(&invitation, user).await;
    let (_, secret) = one.invite(json!({"role": "staff"})).await;
    two.owner
        .post("/invitations/accept", json!({"secret": secret}))
        .await
        .expect_error(409, "already_member");
    let body = json!({"email": two.email, "password": PASSWORD, "restaurantId": one.id});
    let tokens = app.client(0).post("/auth/login", body).await.expect(200);
    assert_eq!(tokens["restaurants"].as_array().unwrap().len(), 2);
    let client = app
        .client(0)
        .with_token(tokens["access_token"].as_str().unwrap());
    client.get(&one.path("/guests")).await.expect(200);
    // A token is for one restaurant.
    client
        .get(&two.path("/guests"))
        .await
        .expect_error(404, "not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_ones_own() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (id, staff) = house.member_with_id(&app, "staff").await;
    let path = house.path(&format!("/users/{id}"));
    let named = house.owner.put(&path, json!({"firstName": "Kim"})).await;
    named.expect_error(409, "conflict");
    let mut socket = house.socket(&app, 0).await;
    let me = staff.put("/auth/me", json!({"first_name": " Kim "})).await;
    let me = me.expect(200);
    assert_eq!(
        (&me["firstName"], &me["role"]),
        (&json!("Kim"), &json!("staff"))
    );
    let told = socket.frame_of("user_updated").await;
    assert_eq!(told["data"]["firstName"], "Kim");
    let long = json!({"lastName": "x".repeat(101)});
    assert_eq!(staff.put("/auth/me", long).await.fields(), ["lastName"]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_let_go_loses_the_open_sockets_on_every_worker() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (id, staff) = house.member_with_id(&app, "staff").await;
    let mut sockets = Vec::new();
    for worker in 0..2 {
        sockets.push(Socket::open(&staff.at(&app.client(worker)), &house.id, "").await);
    }
    let mut stays = house.socket(&app, 1).await;
    let path = house.path(&format!("/users/{id}"));
    house
        .owner
        .put(&path, json!({"isActive": false}))
        .await
        .expect(200);
    for socket in &mut sockets {
        let closed = socket.closed().await;
        assert!(closed.code == 4403 || closed.code == 4401, "{closed:?}");
    }
    let gone = stays.frame_of("user_updated").await;
    assert_eq!(
        (&gone["user_id"], &gone["data"]["isActive"]),
        (&json!(id), &json!(false))
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_come_in_may_leave() {
    let app = TestApp::with(1, &[]).await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let deactivate = async |path: &str| {
        let off = house.owner.put(path, json!({"isActive": false})).await;
        off.expect(200);
    };
    // On a device that is still logged in.
    let (id, staff) = house.member_with_id(&app, "staff").await;
    let path = house.path(&format!("/users/{id}"));
    deactivate(&path).await;
    let guests = staff.get(&house.path("/guests")).await;
    guests.expect_error(403, "forbidden");
    let members = house.path(&format!(
        "/users/{}",
        house.owner_tokens["user_id"].as_str().unwrap()
    ));
    staff.delete(&members).await.expect_error(403, "forbidden");
    assert_eq!(staff.delete(&path).await.status, 204);
    assert_eq!(staff.delete(&path).await.status, 401);

    // On one that is logged in to another restaurant: in this one it could not.
    let (invitation, secret) = house.invite(json!({"role": "staff"})).await;
    let accept = json!({"secret": secret});
    other
        .owner
        .post("/invitations/accept", accept)
        .await
        .expect(200);
    let user = other.owner_tokens["user_id"].as_str().unwrap();
    let path = house.path(&format!("/users/{user}"));
    // Whoever is no member yet has nothing to leave.
    other
        .owner
        .delete(&path)
        .await
        .expect_error(404, "not_found");
    house.confirm(&invitation, user).await;
    deactivate(&path).await;
    let stale = [("if-match", "\"1\"")];
    let stale = other
        .owner
        .send(reqwest::Method::DELETE, &path, None, &stale)
        .await;
    stale.expect_error(412, "stale_version");
    assert_eq!(other.owner.delete(&path).await.status, 204);
    other
        .owner
        .delete(&path)
        .await
        .expect_error(404, "not_found");
    let members = house.owner.get(&house.path("/users")).await.expect(200);
    assert_eq!(members.as_array().unwrap().len(), 1);
    // At home nothing has changed.
    other.owner.get(&other.path("/guests")).await.expect(200);
    app.finish().await;
}
