//! Moments and dates that a parser reads and no calendar has.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Restaurant, TestApp, day};

/// Before PostgreSQL's first day, after the last that Chrono reckons with, and between two minutes.
const MOMENTS: [&str; 5] = [
    "-5000-01-01T00:00:00Z",
    "-262143-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "+262142-12-31T23:59:59Z",
    "2026-12-31T23:59:60Z",
];

const DATES: [&str; 4] = [
    "-5000-01-01",
    "-262143-01-01",
    "0000-01-01",
    "+262142-12-31",
];

#[tokio::test(flavor = "multi_thread")]
async fn in_queries() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    for (list, field, odd) in [
        ("/audit", "since", &MOMENTS[..]),
        ("/audit", "until", &MOMENTS),
        ("/guests", "updatedSince", &MOMENTS),
        ("/reservations", "date", &DATES),
        ("/availability?partySize=2", "date", &DATES),
    ] {
        for value in odd {
            let mark = if list.contains('?') { '&' } else { '?' };
            let value = value.replace('+', "%2B");
            let reply = house
                .owner
                .get(&house.path(&format!("{list}{mark}{field}={value}")))
                .await;
            assert_eq!(reply.fields(), [field], "{list} {value}: {reply:?}");
            reply.expect_error(422, "invalid");
        }
    }
    app.finish().await;
}

/// A cursor is opaque, but in the client's hands.
#[tokio::test(flavor = "multi_thread")]
async fn in_cursors() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let mut cursors: Vec<(&str, Value)> = Vec::new();
    for moment in MOMENTS {
        cursors.push(("/reservations", json!([moment, Uuid::now_v7()])));
        cursors.push(("/audit", json!([moment, 1, 1])));
    }
    cursors.push(("/audit", json!(["2026-11-20T12:00:00Z", 1, 70_000])));
    cursors.push(("/users", json!("a\u{0}@example.com")));
    cursors.push(("/tables", json!([1, "a\u{0}"])));
    for (list, key) in cursors {
        let cursor = URL_SAFE_NO_PAD.encode(key.to_string());
        let path = house.path(&format!("{list}?cursor={cursor}"));
        let reply = house.owner.get(&path).await;
        assert_eq!(reply.fields(), ["cursor"], "{list} {key}: {reply:?}");
        reply.expect_error(422, "invalid");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_bodies() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let booking = house
        .owner
        .post(
            &house.path("/reservations"),
            json!({"guestName": "Ann", "partySize": 2, "tableIds": [],
                "reservationTime": format!("{}T19:00:00Z", day())}),
        )
        .await
        .expect(201);
    let booking = format!("/reservations/{}", booking["id"].as_str().unwrap());
    let dish = json!({"dishName": "Soup", "priceMinor": 500, "currency": "EUR"});
    for moment in MOMENTS {
        let sold_out = json!({"status": "sold_out", "until": moment});
        let mut dish = dish.clone();
        dish["availability"] = sold_out.clone();
        let pause = json!({"from": moment, "until": "2099-01-01T00:00:00Z"});
        for (method, path, body, field) in [
            (
                Method::POST,
                "/reservations",
                json!({"guestName": "Ann", "partySize": 2, "reservationTime": moment}),
                "reservationTime",
            ),
            (
                Method::PUT,
                &booking,
                json!({"reservationTime": moment}),
                "reservationTime",
            ),
            (
                Method::POST,
                "/holds",
                json!({"partySize": 2, "reservationTime": moment}),
                "reservationTime",
            ),
            (Method::POST, "/dishes", dish, "availability.until"),
            (
                Method::PUT,
                "",
                json!({"settings": {"pauses": [pause]}}),
                "settings.pauses[0].from",
            ),
        ] {
            let reply = house
                .owner
                .send(method, &house.path(path), Some(body.clone()), &[])
                .await;
            assert_eq!(reply.fields()[0], field, "{path} {body}: {reply:?}");
            reply.expect_error(422, "invalid");
        }
    }
    for date in DATES {
        let body = json!({"settings": {"hoursExceptions": [{"date": date}]}});
        let reply = house.owner.put(&house.path(""), body).await;
        assert_eq!(reply.fields(), ["settings.hoursExceptions[0].date"]);
        reply.expect_error(422, "invalid");
    }
    app.finish().await;
}

/// What was done offline and what a file says is read by the same rules.
#[tokio::test(flavor = "multi_thread")]
async fn in_queues_and_files() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    for moment in MOMENTS {
        let data = json!({"guestName": "Ann", "partySize": 2, "reservationTime": moment});
        let create =
            json!({"op": "create", "entity": "reservation", "clientId": moment, "data": data});
        let queue = json!({"operations": [create]});
        let done = house
            .owner
            .post(&house.path("/sync/batch"), queue)
            .await
            .expect(200);
        let result = &done["results"][0];
        assert_eq!(result["status"], "rejected", "{done}");
        assert_eq!(result["fields"][0]["field"], "data.reservationTime");

        let dish = json!({"dishName": "Soup", "priceMinor": 500, "currency": "EUR",
            "availability": {"status": "sold_out", "until": moment}});
        let file = json!({"dishes": [dish]});
        let reply = house.owner.post(&house.path("/menu/import"), file).await;
        assert_eq!(reply.status, 422, "{reply:?}");
        assert!(reply.text.contains("availability.until"), "{reply:?}");
    }
    app.finish().await;
}
