//! Who is here.

use serde_json::{Value, json};
use testkit::wait::{DEADLINE, until};

use crate::support::app::connect;
use crate::support::{Restaurant, Socket, Stream, TestApp};

fn roles(present: &Value) -> Vec<&str> {
    let users = present["users"].as_array().unwrap();
    let mut roles: Vec<_> = users
        .iter()
        .map(|user| user["role"].as_str().unwrap())
        .collect();
    roles.sort_unstable();
    roles
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_who_is_here_whatever_dies() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let other = Restaurant::new(&app).await;
    let (mut process, client) = app.process(&[]).await;
    let (staff, manager) = (
        house.member(&app, "staff").await,
        house.member(&app, "manager").await,
    );
    let mut tablet = house.socket(&app, 0).await;
    let _second = house.socket(&app, 0).await;
    let staff = staff.at(&client);
    let mut phone = Socket::open(&staff, &house.id, "").await;
    let _stream = Stream::open(&manager.at(&client), &house.id, "").await;
    let _neighbour = other.socket(&app, 0).await;

    let everybody = |present: &Value| roles(present) == ["manager", "owner", "staff"];
    let frame = tablet.presence(everybody).await;
    phone.presence(everybody).await;
    assert_eq!(
        (&frame["userCount"], &frame["deviceCount"]),
        (&json!(3), &json!(3))
    );
    let list = staff.get(&house.path("/presence")).await.expect(200);
    assert!(everybody(&list), "{list}");
    let owner = list["users"].as_array().unwrap();
    let owner = owner.iter().find(|user| user["role"] == "owner").unwrap();
    assert_eq!(owner["name"], "Ada Byron");
    let devices = list["devices"].as_array().unwrap();
    let device = devices
        .iter()
        .find(|device| device["userId"] == owner["id"]);
    assert_eq!(device.unwrap()["connections"], 2);

    // Two who were there are not, and nobody could say so.
    process.kill();
    let frame = tablet.presence(|present| roles(present) == ["owner"]).await;
    assert_eq!(frame["deviceCount"], 1);
    let list = house.owner.get(&house.path("/presence")).await.expect(200);
    assert_eq!(roles(&list), ["owner"]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_needs_no_bus_and_only_those_hear_it_who_want_to() {
    let app = TestApp::with(1, &[("REDIS_URL", "")]).await;
    let house = Restaurant::new(&app).await;
    let staff = house.member(&app, "staff").await;
    let mut all = house.socket(&app, 0).await;
    let mut only = Socket::open(&house.owner, &house.id, "&types=presence").await;
    let types = "&types=guest_created";
    let mut guests = Socket::open(&house.owner, &house.id, types).await;
    let phone = Socket::open(&staff, &house.id, "").await;
    let both = |present: &Value| roles(present) == ["owner", "staff"];
    all.presence(both).await;
    only.presence(both).await;
    drop(phone);
    all.presence(|present| roles(present) == ["owner"]).await;
    house.guest("Ann", 2).await;
    // All that came before it would have been heard.
    let frame = guests.any_frame().await;
    assert_eq!(frame["type"], "guest_created");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_forgets_is_told_again() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (_one, _two) = (house.socket(&app, 0).await, house.socket(&app, 1).await);
    let path = house.path("/presence");
    let connections = |wanted: u64| {
        let (client, path) = (house.owner.clone(), path.clone());
        async move {
            until("the device with its connections", DEADLINE, async || {
                let list = client.get(&path).await.expect(200);
                (list["devices"][0]["connections"] == wanted).then_some(())
            })
            .await;
        }
    };
    connections(2).await;
    let sql = connect(app.database_url()).await;
    // As after a failover, which does not carry this over; and as after a restore, which brings
    // back what was told before.
    sql.batch_execute("TRUNCATE presence_workers CASCADE")
        .await
        .unwrap();
    connections(2).await;
    let rewind = "UPDATE presence_workers SET revision = revision - 1; DELETE FROM presence";
    sql.batch_execute(rewind).await.unwrap();
    connections(2).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_a_member_any_more_is_not_here() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (id, staff) = house.member_with_id(&app, "staff").await;
    let mut tablet = house.socket(&app, 0).await;
    let mut phone = Socket::open(&staff, &house.id, "").await;
    tablet
        .presence(|present| roles(present) == ["owner", "staff"])
        .await;
    house
        .owner
        .delete(&house.path(&format!("/users/{id}")))
        .await
        .expect(204);
    let list = house.owner.get(&house.path("/presence")).await.expect(200);
    assert_eq!(roles(&list), ["owner"]);
    let code = phone.closed().await.code;
    assert!([4401, 4403].contains(&code), "{code}");
    tablet.presence(|present| roles(present) == ["owner"]).await;
    app.finish().await;
}
