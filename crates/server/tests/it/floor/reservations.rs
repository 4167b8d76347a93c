use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Restaurant, TestApp, day};

pub fn at(time: &str) -> String {
    format!("{}T{time}:00Z", day())
}

pub fn booking(name: &str, time: &str, tables: &[&String]) -> Value {
    json!({"guestName": name, "partySize": 2, "reservationTime": at(time), "tableIds": tables})
}

impl Restaurant {
    async fn book(&self, name: &str, time: &str, tables: &[&String]) -> String {
        let path = self.path("/reservations");
        let made = self
            .owner
            .post(&path, booking(name, time, tables))
            .await
            .expect(201);
        self.path(&format!("/reservations/{}", made["id"].as_str().unwrap()))
    }
}

async fn status(client: &Client, path: &str) -> String {
    client.get(path).await.expect(200)["status"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_from_the_telephone_to_the_bill() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (one, two) = (house.table("1", 2).await, house.table("2", 2).await);
    let mut tablet = house.socket(&app, 1).await;
    let body = json!({
        "guest_name": "John Doe", "party_size": 4, "reservation_time": at("18:00"),
        "guest_phone": "+1 555 0100", "table_ids": [two, one], "source": "online",
        "special_requests": "window",
    });
    let reply = house.owner.post(&house.path("/reservations"), body).await;
    assert_eq!(reply.header("etag"), Some("\"1\""));
    let path = reply.header("location").unwrap().to_owned();
    let made = reply.expect(201);
    assert_eq!(
        (&made["status"], &made["durationMinutes"]),
        (&json!("confirmed"), &json!(90))
    );
    assert_eq!(made["tableIds"], json!([two, one]), "in their order");
    let event = tablet.frame_of("reservation_created").await;
    assert_eq!(
        (&event["data"], &event["reservation_id"]),
        (&made, &made["id"])
    );

    let other = house.owner.at(&app.client(1));
    other
        .put(&path, json!({"status": "running_late"}))
        .await
        .expect(200);
    let here = other
        .post(&format!("{path}/check-in"), json!({"partially": true}))
        .await
        .expect(200);
    assert_eq!(here["status"], "partially_arrived");
    let all = house
        .owner
        .send(Method::POST, &format!("{path}/check-in"), None, &[])
        .await
        .expect(200);
    assert_eq!(
        (&all["status"], &all["guestId"]),
        (&json!("arrived"), &here["guestId"])
    );
    let guest = house.path(&format!("/guests/{}", all["guestId"].as_str().unwrap()));
    let party = house.owner.get(&guest).await.expect(200);
    assert_eq!(
        (&party["status"], &party["reservationId"]),
        (&json!("waiting"), &made["id"])
    );
    assert_eq!(
        (&party["guestName"], &party["specialRequests"]),
        (&json!("John Doe"), &json!("window"))
    );

    let seated = other
        .send(Method::POST, &format!("{path}/seat"), None, &[])
        .await
        .expect(200);
    assert_eq!(seated["status"], "seated");
    let party = house.owner.get(&guest).await.expect(200);
    assert_eq!(
        (&party["status"], &party["tableIds"]),
        (&json!("seated"), &json!([two, one]))
    );
    other
        .delete(&path)
        .await
        .expect_error(409, "invalid_transition");

    // The bill is paid at the table: the booking knows.
    house
        .owner
        .put(&guest, json!({"status": "completed"}))
        .await
        .expect(200);
    assert_eq!(status(&other, &path).await, "completed");
    house.book("Next", "18:00", &[&one]).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_bookings_are_refused_by_name_with_what_is_free() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (one, two) = (house.table("1", 2).await, house.table("2", 4).await);
    let first = house.book("Ann", "18:00", &[&one, &two]).await;
    let path = house.path("/reservations");
    for (time, tables) in [
        ("18:00", vec![&one]),
        ("17:00", vec![&two]),
        ("19:29", vec![&one, &two]),
    ] {
        let refused = house
            .owner
            .post(&path, booking("Bob", time, &tables))
            .await
            .expect_error(409, "table_unavailable");
        let conflict = &refused["conflict"];
        assert!(
            refused["error"]
                .as_str()
                .unwrap()
                .contains("booked for Ann from 18:00 to 19:30"),
            "{refused}"
        );
        assert!(first.ends_with(conflict["reservationId"].as_str().unwrap()));
        assert_eq!(
            (&conflict["from"], &conflict["until"]),
            (&json!(at("18:00")), &json!(at("19:30")))
        );
        let slots = conflict["slots"].as_array().unwrap();
        assert_eq!(slots.len(), 5, "{refused}");
        // What is offered can be had.
        let slot = &slots[0];
        let body = json!({
            "guestName": "Bob", "partySize": 2, "reservationTime": slot["time"], "tableIds": slot["tableIds"],
        });
        let made = house.owner.post(&path, body).await.expect(201);
        let made = house.path(&format!("/reservations/{}", made["id"].as_str().unwrap()));
        assert_eq!(house.owner.delete(&made).await.status, 204);
    }
    // Back to back fits, on both sides.
    house.book("Before", "16:30", &[&one]).await;
    let after = house.book("After", "19:30", &[&one]).await;
    house
        .owner
        .put(&after, json!({"reservationTime": at("19:29")}))
        .await
        .expect_error(409, "table_unavailable");
    house
        .owner
        .put(
            &after,
            json!({"tableIds": [two], "reservationTime": at("19:45")}),
        )
        .await
        .expect(200);
    // A booking may be moved over itself.
    house
        .owner
        .put(&first, json!({"reservationTime": at("18:10")}))
        .await
        .expect(200);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_book_one_slot_at_once() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (one, two) = (house.table("1", 2).await, house.table("2", 2).await);
    let clients = [house.owner.clone(), house.owner.at(&app.client(1))];
    let path = house.path("/reservations");
    for round in 0..200 {
        let time = format!("{:02}:{:02}", round % 20, round % 60);
        let tables = [[&one, &two], [&two, &one]];
        let [a, b] = [0, 1].map(|n| {
            let (client, path) = (clients[n].clone(), path.clone());
            let mut body = booking("Somebody", &time, &tables[n]);
            // One of the pairs is made without tables, by the house's choice.
            if round % 3 == 0 {
                body["tableIds"] = Value::Null;
                body["partySize"] = json!(2);
            }
            async move { client.post(&path, body).await }
        });
        let (a, b) = tokio::join!(a, b);
        let made: Vec<Value> = [a, b]
            .into_iter()
            .filter_map(|reply| match reply.status {
                201 => Some(reply.body),
                _ => {
                    reply.expect_error(409, "table_unavailable");
                    None
                }
            })
            .collect();
        if round % 3 == 0 {
            assert_eq!(made.len(), 2, "there are two tables");
            assert_ne!(made[0]["tableIds"], made[1]["tableIds"]);
        } else {
            assert_eq!(made.len(), 1, "round {round}");
        }
        for made in made {
            let path = house.path(&format!("/reservations/{}", made["id"].as_str().unwrap()));
            assert_eq!(house.owner.delete(&path).await.status, 204);
        }
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_of_a_booking_is_the_restaurants() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let zone = json!({"timeZone": "America/New_York", "settings": {"turnTimes": [{"maxPartySize": 2, "minutes": 75}]}});
    house.owner.put(&house.path(""), zone).await.expect(200);
    let table = house.table("1", 4).await;
    // Across midnight, by any clock; in New York it is the evening of the day.
    let late = house.book("Late", "23:30", &[&table]).await;
    house
        .owner
        .post(
            &house.path("/reservations"),
            booking("Later", "23:59", &[&table]),
        )
        .await
        .expect_error(409, "table_unavailable");
    let listed = |query: String| {
        let (owner, path) = (
            house.owner.clone(),
            house.path(&format!("/reservations?{query}")),
        );
        async move {
            let list = owner.get(&path).await.expect(200);
            list.as_array()
                .unwrap()
                .iter()
                .map(|one| one["guestName"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(listed(format!("date={}", day())).await, ["Late"]);
    assert_eq!(
        listed(format!("date={}&status=cancelled,no_show", day())).await,
        Vec::<String>::new()
    );
    assert_eq!(listed(format!("tableId={table}")).await, ["Late"]);
    let booked = house.owner.get(&late).await.expect(200);
    assert_eq!(booked["durationMinutes"], 75, "by party size");
    let snapshot = house.owner.get(&house.path("/sync/full")).await.expect(200);
    assert_eq!(snapshot["reservations"], json!([booked]));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_that_cannot_be() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let table = house.table("1", 4).await;
    let path = house.path("/reservations");
    let good = booking("Ann", "18:00", &[&table]);
    for (change, field) in [
        (json!({"durationMinutes": 0}), "durationMinutes"),
        (json!({"durationMinutes": 10_000}), "durationMinutes"),
        (
            json!({"reservationTime": "2020-01-01T18:00:00Z"}),
            "reservationTime",
        ),
        (
            json!({"reservationTime": "9999-12-31T23:59:59Z"}),
            "reservationTime",
        ),
        (json!({"reservationTime": "soon"}), "reservationTime"),
        (json!({"reservationTime": null}), "reservationTime"),
        (json!({"partySize": 0}), "partySize"),
        (json!({"partySize": null}), "partySize"),
        (json!({"guestName": " "}), "guestName"),
        (json!({"status": "seated"}), "status"),
        (json!({"source": "dream"}), "source"),
        (json!({"tableIds": [table, table]}), "tableIds"),
    ] {
        let mut body = good.clone();
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let reply = house.owner.post(&path, body).await;
        assert_eq!(reply.fields(), [field], "{change}: {}", reply.text);
        reply.expect_error(422, "invalid");
    }
    let mut large = good.clone();
    large["partySize"] = json!(5);
    house
        .owner
        .post(&path, large.clone())
        .await
        .expect_error(409, "party_too_large");
    let stranger = Restaurant::new(&app).await.table("1", 4).await;
    house
        .owner
        .post(&path, booking("Ann", "18:00", &[&stranger]))
        .await
        .expect_error(404, "not_found");
    assert_eq!(house.owner.get(&path).await.expect(200), json!([]));
    // The longest that can be, and none of the tables.
    large["durationMinutes"] = json!(1440);
    large["tableIds"] = json!([]);
    house.owner.post(&path, large).await.expect(201);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_called_off_stays_as_history_and_gives_its_tables_back() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let table = house.table("1", 4).await;
    let mut tablet = house.socket(&app, 1).await;
    let first = house.book("Ann", "18:00", &[&table]).await;
    assert_eq!(house.owner.delete(&first).await.status, 204);
    let event = tablet.frame_of("reservation_cancelled").await;
    assert_eq!(
        (&event["data"]["status"], &event["data"]["tableIds"]),
        (&json!("cancelled"), &json!([table]))
    );
    let again = house.owner.delete(&first).await;
    assert_eq!(
        (again.status, again.header("x-event-seq")),
        (204, None),
        "nothing changed"
    );
    // Somebody else takes the table; then it cannot be restored, until that one does not come.
    let second = house.book("Bob", "19:00", &[&table]).await;
    house
        .owner
        .put(&first, json!({"status": "confirmed"}))
        .await
        .expect_error(409, "table_unavailable");
    house
        .owner
        .put(&second, json!({"status": "no_show"}))
        .await
        .expect(200);
    house
        .owner
        .put(&first, json!({"status": "confirmed"}))
        .await
        .expect(200);
    // The no-show turns up after all, and his table is gone.
    house
        .owner
        .put(&second, json!({"status": "confirmed"}))
        .await
        .expect_error(409, "table_unavailable");
    let here = house
        .owner
        .send(Method::POST, &format!("{second}/check-in"), None, &[])
        .await
        .expect(200);
    assert_eq!(here["status"], "arrived");
    // A table that is booked stays; with another version nothing is called off.
    house
        .owner
        .delete(&house.path(&format!("/tables/{table}")))
        .await
        .expect_error(409, "conflict");
    let stale = house
        .owner
        .send(Method::DELETE, &first, None, &[("if-match", "\"1\"")])
        .await;
    stale.expect_error(412, "stale_version");
    house.owner.delete(&first).await;
    assert_eq!(
        house
            .owner
            .delete(&house.path(&format!("/tables/{table}")))
            .await
            .status,
        204
    );
    assert_eq!(
        house.owner.get(&first).await.expect(200)["tableIds"],
        json!([table])
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_and_its_party_go_together() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (one, two) = (house.table("1", 4).await, house.table("2", 4).await);
    let path = house.book("Ann", "18:00", &[&one]).await;
    // The party that waits already says that it has a table booked.
    let guest = house.guest("Ann", 2).await;
    let party = house.path(&format!("/guests/{guest}"));
    let here = house
        .owner
        .post(&format!("{path}/check-in"), json!({"guestId": guest}))
        .await
        .expect(200);
    assert_eq!(here["guestId"], guest.as_str());
    let other = house.book("Bob", "18:00", &[&two]).await;
    house
        .owner
        .post(&format!("{other}/check-in"), json!({"guestId": guest}))
        .await
        .expect_error(409, "conflict");
    // The host seats it elsewhere, by the party; the booked table is free again.
    house
        .owner
        .put(&other, json!({"status": "cancelled"}))
        .await
        .expect(200);
    house
        .owner
        .put(&party, json!({"tableId": two}))
        .await
        .expect(200);
    let seated = house.owner.get(&path).await.expect(200);
    assert_eq!(
        (&seated["status"], &seated["tableIds"]),
        (&json!("seated"), &json!([two]))
    );
    house.book("Carl", "18:00", &[&one]).await;
    // Moved by the booking, undone, and checked in by mistake.
    house
        .owner
        .put(&path, json!({"tableIds": [one]}))
        .await
        .expect(200);
    assert_eq!(
        house.owner.get(&party).await.expect(200)["tableIds"],
        json!([one])
    );
    house
        .owner
        .put(&path, json!({"status": "arrived"}))
        .await
        .expect(200);
    assert_eq!(status(&house.owner, &party).await, "waiting");
    house
        .owner
        .put(&path, json!({"status": "confirmed", "tableIds": []}))
        .await
        .expect(200);
    house.owner.get(&party).await.expect_error(404, "not_found");
    assert_eq!(
        house.owner.get(&path).await.expect(200)["guestId"],
        Value::Null
    );
    // Seated straight from the book; then the party is removed.
    house
        .owner
        .send(Method::POST, &format!("{path}/seat"), None, &[])
        .await
        .expect_error(422, "invalid");
    let seated = house
        .owner
        .post(&format!("{path}/seat"), json!({"tableIds": [two]}))
        .await
        .expect(200);
    let party = house.path(&format!("/guests/{}", seated["guestId"].as_str().unwrap()));
    assert_eq!(status(&house.owner, &party).await, "seated");
    house
        .owner
        .send(Method::POST, &format!("{path}/check-in"), None, &[])
        .await
        .expect_error(409, "invalid_transition");
    assert_eq!(house.owner.delete(&party).await.status, 204);
    assert_eq!(status(&house.owner, &path).await, "confirmed");
    app.finish().await;
}
