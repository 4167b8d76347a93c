//! Who follows one party or booking by its link: what is heard, and when that ends.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Restaurant, Socket, Stream, TestApp, day};

async fn follow(client: &Client, house: &Restaurant, query: &str) -> Socket {
    Socket::open(client, &house.id, query).await.own()
}

/// What an answer or a frame must not tell whoever follows a party.
#[track_caller]
fn is_discreet(told: &Value) {
    let text = told.to_string();
    for secret in ["1234567", "Ann", "actor_id", "notes", "phone"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_is_followed_from_any_worker_and_nobody_else_is_heard() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let before = house.guest("Before", 2).await;
    let (guest, holder) = house.followed_guest(&app).await;
    let own = house.path(&format!("/guests/{guest}/own"));
    let reply = holder.get(&own).await;
    let position = reply.header("x-event-seq").unwrap().to_owned();
    let seen = reply.expect(200);
    is_discreet(&seen);
    assert_eq!(
        (&seen["waitPosition"], &seen["status"]),
        (&json!(2), &json!("waiting"))
    );
    let subjects = holder.get("/realtime/subjects").await.expect(200);
    assert_eq!(subjects[0]["href"].as_str().unwrap(), own);

    let (epoch, seq) = position.split_once(':').unwrap();
    let since = format!("&since={seq}&epoch={epoch}");
    let mut here = follow(&holder, &house, &since).await;
    let mut there = follow(&holder.at(&app.client(1)), &house, &since).await;
    // Others come and go; the one before goes too, which moves this one up.
    house.guest("Behind", 4).await;
    let gone = house.path(&format!("/guests/{before}"));
    house
        .owner
        .put(&gone, json!({"status": "cancelled"}))
        .await
        .expect(200);
    let told = house.path(&format!("/guests/{guest}"));
    house
        .owner
        .put(&told, json!({"status": "notified"}))
        .await
        .expect(200);
    for socket in [&mut here, &mut there] {
        for (status, place) in [("waiting", 1), ("notified", 1)] {
            let frame = socket.frame().await;
            assert_eq!(frame["type"], "guest_updated", "{frame}");
            assert_eq!(frame["guest_id"].as_str().unwrap(), guest);
            assert_eq!(
                (&frame["data"]["status"], &frame["data"]["waitPosition"]),
                (&json!(status), &json!(place))
            );
            is_discreet(&frame);
        }
    }
    // Who was away hears the same.
    let mut later = follow(&holder.at(&app.client(1)), &house, &since).await;
    assert_eq!(later.connect["resumed"], true);
    assert_eq!(later.frame().await["data"]["waitPosition"], 1);
    assert_eq!(later.frame().await["data"]["status"], "notified");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_follows_by_a_stream() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (guest, holder) = house.followed_guest(&app).await;
    let mut stream = Stream::open(&holder, &house.id, "").await.own();
    let path = house.path(&format!("/guests/{guest}"));
    house
        .owner
        .put(&path, json!({"partySize": 3}))
        .await
        .expect(200);
    let frame = stream.frame_of("guest_updated").await;
    assert_eq!(frame["data"]["partySize"], 3);
    is_discreet(&frame);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_leads_to_its_party() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let booking = json!({
        "guestName": "Ann", "guestPhone": "+49 30 1234567", "partySize": 2,
        "reservationTime": format!("{}T18:00:00Z", day()),
    });
    let table = json!({"tableNumber": "1", "capacity": 4});
    house
        .owner
        .post(&house.path("/tables"), table)
        .await
        .expect(201);
    let made = house
        .owner
        .post(&house.path("/reservations"), booking)
        .await
        .expect(201);
    let thing = format!("/reservations/{}", made["id"].as_str().unwrap());
    let holder = app.client(0).with_token(&house.link(&thing).await);
    let own = house.path(&format!("{thing}/own"));
    is_discreet(&holder.get(&own).await.expect(200));
    let mut socket = follow(&holder, &house, "").await;
    let check_in = house.path(&format!("{thing}/check-in"));
    house.owner.post(&check_in, json!({})).await.expect(200);
    let (mut types, mut guest) = (Vec::new(), None);
    for _ in 0..2 {
        let frame = socket.frame().await;
        is_discreet(&frame);
        types.push(frame["type"].as_str().unwrap().to_owned());
        guest = guest.or_else(|| frame["guest_id"].as_str().map(str::to_owned));
    }
    types.sort();
    assert_eq!(types, ["guest_created", "reservation_updated"]);
    // The same link reads the party too, and says where.
    let subjects = holder.get("/realtime/subjects").await.expect(200);
    let hrefs: Vec<&str> = (0..2)
        .map(|n| subjects[n]["href"].as_str().unwrap())
        .collect();
    assert_eq!(
        hrefs[1],
        house.path(&format!("/guests/{}/own", guest.unwrap()))
    );
    for href in hrefs {
        holder.get(href).await.expect(200);
    }
    // The party is here: it is for the staff to say that it goes.
    holder
        .delete(&own)
        .await
        .expect_error(409, "invalid_transition");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_another_link_with_the_thing_and_with_its_data() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (guest, holder) = house.followed_guest(&app).await;
    let elsewhere = holder.at(&app.client(1));
    let mut socket = follow(&elsewhere, &house, "").await;
    // Another link: whoever had the first is sent away, at every worker.
    let holder = app
        .client(0)
        .with_token(&house.link(&format!("/guests/{guest}")).await);
    assert_eq!(socket.closed().await.code, 4403);
    let own = house.path(&format!("/guests/{guest}/own"));
    elsewhere
        .get(&own)
        .await
        .expect_error(401, "unauthenticated");
    holder.get(&own).await.expect(200);
    // Removed: that is said, and then it ends.
    let mut socket = follow(&holder, &house, "").await;
    house
        .owner
        .delete(&house.path(&format!("/guests/{guest}")))
        .await
        .expect(204);
    let left = socket.frame().await;
    assert_eq!(
        (&left["type"], left["guest_id"].as_str()),
        (&json!("guest_left"), Some(&*guest))
    );
    assert_eq!(socket.closed().await.code, 4403);
    // Erased: the same.
    let (guest, holder) = house.followed_guest(&app).await;
    let mut socket = follow(&holder, &house, "").await;
    let person = json!({"phone": "+49 30 1234567"});
    let erasure = house.path("/privacy/erase");
    house.owner.post(&erasure, person).await.expect(200);
    assert_eq!(
        socket.frame_of("guest_left").await["guest_id"].as_str(),
        Some(&*guest)
    );
    assert_eq!(socket.closed().await.code, 4403);
    holder
        .get("/realtime/subjects")
        .await
        .expect_error(401, "unauthenticated");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_a_day_after_the_visit() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (guest, holder) = house.followed_guest(&app).await;
    let own = house.path(&format!("/guests/{guest}/own"));
    // Who waits may leave by itself, as often as the button is pressed.
    for _ in 0..2 {
        let left = holder.delete(&own).await.expect(200);
        assert_eq!(left["status"], "cancelled");
    }
    let entries = house.path(&format!("/guests/{guest}"));
    assert_eq!(
        house.owner.get(&entries).await.expect(200)["status"],
        "cancelled"
    );
    app.time().advance(chrono::TimeDelta::hours(23));
    holder.get(&own).await.expect(200);
    app.time().advance(chrono::TimeDelta::hours(2));
    holder.get(&own).await.expect_error(401, "unauthenticated");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_link_says_how_it_stands() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (guest, holder) = house.followed_guest(&app).await;
    let client = app.client(0);
    let path = format!("/w/{}", holder.token.as_ref().unwrap());
    let html = [("accept", "text/html")];
    let open = async || client.send_raw(Method::GET, &path, None, &html).await;
    let page = open().await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(
        page.text.contains("You are number <strong>1</strong>"),
        "{}",
        page.text
    );
    assert_eq!(page.header("refresh"), Some("15"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(!page.text.contains("1234567") && !page.text.contains("Ann"));
    let told = house.path(&format!("/guests/{guest}"));
    house
        .owner
        .put(&told, json!({"status": "notified"}))
        .await
        .expect(200);
    assert!(open().await.text.contains("Your table is ready"));
    let form = [
        ("accept", "text/html"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let sent = client
        .send_raw(Method::POST, &path, Some(Vec::new()), &form)
        .await;
    // 303, which the client follows.
    assert_eq!(sent.status, 200, "{}", sent.text);
    let page = open().await;
    assert!(
        page.text.contains("not on the list any more"),
        "{}",
        page.text
    );
    assert_eq!(page.header("refresh"), None, "nothing will change");
    let unknown = client
        .send_raw(Method::GET, "/w/unknown", None, &html)
        .await;
    assert_eq!(unknown.status, 404);
    app.finish().await;
}
