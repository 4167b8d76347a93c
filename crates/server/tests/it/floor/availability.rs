use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Restaurant, TestApp, day};

impl Restaurant {
    async fn settings(&self, settings: Value) {
        self.owner
            .put(&self.path(""), json!({"settings": settings}))
            .await
            .expect(200);
    }

    /// The free slots: the local time and the tables of each.
    async fn slots(&self, party_size: i32) -> Vec<Value> {
        let path = self.path(&format!(
            "/availability?date={}&partySize={party_size}",
            day()
        ));
        self.owner.get(&path).await.expect(200)["slots"]
            .as_array()
            .unwrap()
            .clone()
    }
}

/// Open from 18:00 to 21:00 on every day.
fn evenings() -> Value {
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    days.iter()
        .map(|day| json!({"weekday": day, "opensMinute": 1080, "closesMinute": 1260}))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_within_hours_and_pacing() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (one, two) = (house.table("1", 2).await, house.table("2", 4).await);
    house
        .settings(json!({"openingHours": evenings(), "pacing": {"maxParties": 1}}))
        .await;
    let slots = house.slots(2).await;
    assert_eq!(slots.len(), 7, "from 18:00 to 19:30");
    assert_eq!(
        (&slots[0]["localTime"], &slots[0]["tableIds"]),
        (&json!("18:00"), &json!([one]))
    );
    let body = json!({"guestName": "Ann", "partySize": 2, "reservationTime": slots[0]["time"], "source": "online"});
    let path = house.path("/reservations");
    let made = house.owner.post(&path, body.clone()).await.expect(201);
    assert_eq!(
        made["tableIds"],
        json!([one]),
        "the house's choice is what it offers"
    );
    // One party each quarter of an hour; the next one gets the other table.
    let refused = house
        .owner
        .post(&path, body)
        .await
        .expect_error(409, "table_unavailable");
    assert_eq!(refused["conflict"]["slots"][0]["localTime"], "18:15");
    let slots = house.slots(2).await;
    assert_eq!(
        (&slots[0]["localTime"], &slots[0]["tableIds"]),
        (&json!("18:15"), &json!([two]))
    );
    // Staff who name a table may book outside of the rules.
    let time = json!({"guestName": "Bob", "partySize": 2, "reservationTime": format!("{}T18:00:00Z", day())});
    let mut named = time.clone();
    named["tableIds"] = json!([two]);
    house.owner.post(&path, named).await.expect(201);
    for (query, field) in [
        ("", "date"),
        (&*format!("date={}", day()), "partySize"),
        (&*format!("date={}&partySize=0", day()), "partySize"),
        (
            &*format!("date={}&partySize=2&duration=0", day()),
            "duration",
        ),
        (
            &*format!("date={}&partySize=2&duration=10000", day()),
            "duration",
        ),
        ("date=2400-01-01&partySize=2", "date"),
        ("date=tomorrow&partySize=2", "date"),
    ] {
        let reply = house
            .owner
            .get(&house.path(&format!("/availability?{query}")))
            .await;
        assert!(reply.fields().contains(&field), "{query}: {}", reply.text);
        reply.expect_error(422, "invalid");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_kept_for_five_minutes() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (one, two) = (house.table("1", 2).await, house.table("2", 2).await);
    house
        .settings(json!({
            "openingHours": evenings(),
            "joinableGroups": [{"tableIds": [one, two]}],
        }))
        .await;
    let slot = house.slots(4).await[0].clone();
    assert_eq!(
        (&slot["tableIds"], &slot["capacity"]),
        (&json!([one, two]), &json!(4))
    );
    let ask = json!({"partySize": 4, "reservationTime": slot["time"]});
    let reply = house.owner.post(&house.path("/holds"), ask.clone()).await;
    let location = reply.header("location").unwrap().to_owned();
    let hold = reply.expect(201);
    assert_eq!(hold["tableIds"], json!([one, two]));
    // Nobody else gets it, not even a part of it.
    let other = house.owner.at(&app.client(1));
    other
        .post(&house.path("/holds"), ask.clone())
        .await
        .expect_error(409, "table_unavailable");
    let body = json!({"guestName": "Bob", "partySize": 2, "reservationTime": slot["time"], "tableIds": [two]});
    let refused = other
        .post(&house.path("/reservations"), body.clone())
        .await
        .expect_error(409, "table_unavailable");
    assert!(
        refused["error"].as_str().unwrap().contains("kept"),
        "{refused}"
    );
    assert_eq!(house.slots(2).await[0]["localTime"], "19:30");
    // Whoever has it books it, once.
    let taken = json!({"guestName": "Ann", "holdId": hold["id"]});
    let made = other
        .post(&house.path("/reservations"), taken.clone())
        .await
        .expect(201);
    assert_eq!(
        (&made["tableIds"], &made["partySize"]),
        (&json!([one, two]), &json!(4))
    );
    other
        .post(&house.path("/reservations"), taken)
        .await
        .expect_error(404, "not_found");
    house
        .owner
        .delete(&location)
        .await
        .expect_error(404, "not_found");
    let path = house.path(&format!("/reservations/{}", made["id"].as_str().unwrap()));
    assert_eq!(house.owner.delete(&path).await.status, 204);

    // Given back, and run out of time.
    let reply = house.owner.post(&house.path("/holds"), ask.clone()).await;
    assert_eq!(
        other.delete(reply.header("location").unwrap()).await.status,
        204
    );
    let hold = house
        .owner
        .post(&house.path("/holds"), ask)
        .await
        .expect(201);
    app.time().advance(TimeDelta::minutes(6));
    let late = json!({"guestName": "Ann", "holdId": hold["id"]});
    house
        .owner
        .post(&house.path("/reservations"), late)
        .await
        .expect_error(404, "not_found");
    assert_eq!(house.slots(4).await[0]["localTime"], "18:00");
    house
        .owner
        .post(&house.path("/reservations"), body)
        .await
        .expect(201);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_checked_and_told() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let (one, two) = (house.table("1", 2).await, house.table("2", 2).await);
    let mut tablet = house.socket(&app, 0).await;
    let group = json!({"joinableGroups": [{"tableIds": [one, two], "maxPartySize": 4}]});
    house.settings(group.clone()).await;
    let event = tablet.frame_of("restaurant_updated").await;
    assert_eq!(
        event["data"]["settings"]["joinableGroups"][0]["maxPartySize"],
        4
    );
    assert_eq!(
        event["data"]["settings"]["defaultTurnMinutes"], 90,
        "the others have their default"
    );
    let same = house
        .owner
        .put(&house.path(""), json!({"settings": group}))
        .await;
    assert_eq!(same.header("x-event-seq"), None, "nothing changed");
    let stranger = Restaurant::new(&app).await.table("1", 4).await;
    for (settings, field) in [
        (
            json!({"joinableGroups": [{"tableIds": [one, stranger]}]}),
            "settings.joinableGroups[0].tableIds",
        ),
        (
            json!({"pacing": {"maxCovers": 0}}),
            "settings.pacing.maxCovers",
        ),
        (
            json!({"defaultTurnMinutes": 10_000}),
            "settings.defaultTurnMinutes",
        ),
    ] {
        let reply = house
            .owner
            .put(&house.path(""), json!({"settings": settings}))
            .await;
        assert_eq!(reply.fields(), [field]);
        reply.expect_error(422, "invalid");
    }
    // A pause, a section for walk-ins, a table out of service.
    let free = house.slots(2).await.len();
    let pause =
        json!({"from": format!("{}T00:00:00Z", day()), "until": format!("{}T12:00:00Z", day())});
    house.settings(json!({"pauses": [pause]})).await;
    assert_eq!(house.slots(2).await.len(), free / 2);
    house
        .settings(json!({"pauses": [], "sections": [{"name": "Bar", "walkInOnly": true}]}))
        .await;
    house
        .owner
        .put(
            &house.path(&format!("/tables/{one}")),
            json!({"section": "Bar"}),
        )
        .await
        .expect(200);
    assert_eq!(house.slots(2).await[0]["tableIds"], json!([two]));
    house
        .owner
        .put(
            &house.path(&format!("/tables/{two}")),
            json!({"status": "out_of_service"}),
        )
        .await
        .expect(200);
    assert_eq!(house.slots(2).await, Vec::<Value>::new());
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_the_tables_cannot_be_kept_from_everybody() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let mut tables = Vec::new();
    for number in 0..42 {
        tables.push(house.table(&number.to_string(), 2).await);
    }
    let time = format!("{}T18:00:00Z", day());
    let keep = async |table: &String| {
        let ask = json!({"partySize": 2, "reservationTime": time, "durationMinutes": 1440, "tableIds": [table]});
        house.owner.post(&house.path("/holds"), ask).await
    };
    for table in &tables[..21] {
        keep(table).await.expect(201);
    }
    let refused = keep(&tables[21]).await.expect_error(409, "conflict");
    let sentence = refused["error"].as_str().unwrap();
    assert!(
        sentence.starts_with("21 slots are kept already."),
        "{sentence}"
    );
    // Booking is not keeping.
    let book = json!({"guestName": "Ann", "partySize": 2, "reservationTime": time, "tableIds": [tables[21]]});
    house
        .owner
        .post(&house.path("/reservations"), book)
        .await
        .expect(201);
    app.time().advance(TimeDelta::minutes(6));
    keep(&tables[22]).await.expect(201);
    app.finish().await;
}
