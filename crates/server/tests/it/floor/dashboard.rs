use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use crate::support::{Restaurant, Socket, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn the_floor_and_its_figures() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let (one, _two) = (house.table("1", 4).await, house.table("2", 2).await);
    let mut parties = Vec::new();
    for (name, size) in [("Ann", 3), ("Bob", 2)] {
        let party = json!({"guestName": name, "partySize": size, "quotedWaitMinutes": 30});
        let party = house.owner.post(&house.path("/guests"), party).await;
        parties.push(party.expect(201)["id"].as_str().unwrap().to_owned());
    }
    let ann = &parties[0];
    app.time().advance(TimeDelta::minutes(12));
    let path = house.path(&format!("/guests/{ann}"));
    house
        .owner
        .put(&path, json!({"tableId": one}))
        .await
        .expect(200);

    let other = house.owner.at(&app.client(1));
    let board = other
        .get(&format!("/api/v1/dashboard/{}", house.id))
        .await
        .expect(200);
    let stats = &board["stats"];
    assert_eq!(
        (&stats["totalGuests"], &stats["totalTables"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        (&stats["occupancyRate"], &stats["covers"]),
        (&json!(0.5), &json!(3))
    );
    let wait = stats["averageWaitMinutes"].as_f64().unwrap();
    assert!((12.0..12.9).contains(&wait), "{stats}");
    assert_eq!(stats["averageTurnMinutes"], json!(null));
    let statuses = json!({"waiting": 1, "notified": 0, "seated": 1, "completed": 0, "cancelled": 0, "no_show": 0});
    assert_eq!(stats["guestsByStatus"], statuses);
    assert_eq!(board["reservations"], json!([]));
    let quotes = json!({"measured": 1, "heldPercent": 100.0, "inRangePercent": 0.0, "medianErrorMinutes": -18.0});
    assert_eq!(
        board["quotes"], quotes,
        "the house would have said that a table is free"
    );
    assert_eq!(stats["tablesByStatus"]["occupied"], 1);
    assert_eq!(board["tables"][0]["currentGuestId"], ann.as_str());
    assert_eq!(
        board["seq"], 7,
        "two tables, two parties, one seated, its table, the other moved up"
    );

    let reply = house.owner.get(&house.path("/dashboard-data")).await;
    let etag = reply.header("etag").unwrap().to_owned();
    let same = reply.expect(200);
    assert_eq!((&same["guests"], &same["stats"]), (&board["guests"], stats));
    let path = house.path("/dashboard-data");
    let again = house
        .owner
        .send(Method::GET, &path, None, &[("if-none-match", &etag)])
        .await;
    assert_eq!(again.status, 304);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_goes_on_live_from_where_the_dashboard_was_read() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    house.guest("Before", 2).await;
    let board = house
        .owner
        .get(&house.path("/dashboard-data"))
        .await
        .expect(200);
    house.guest("Between", 2).await;
    let position = format!(
        "&since={}&epoch={}",
        board["seq"],
        board["epoch"].as_str().unwrap()
    );
    let mut tablet = Socket::open(&house.owner.at(&app.client(1)), &house.id, &position).await;
    assert_eq!(tablet.frame().await["data"]["guestName"], "Between");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_can_be_asked_for() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let start = house
        .owner
        .get(&house.path("/dashboard-data"))
        .await
        .expect(200);
    let epoch = start["epoch"].as_str().unwrap().to_owned();
    let mut tablet = house.socket(&app, 0).await;
    for number in 0..5 {
        house.guest(&format!("Party {number}"), 2).await;
    }
    let live = tablet.until(5).await;

    let other = house.owner.at(&app.client(1));
    let (mut since, mut found) = (0, Vec::new());
    loop {
        let path = house.path(&format!("/sync/delta?since={since}&epoch={epoch}&limit=2"));
        let page = other.get(&path).await.expect(200);
        found.extend(page["events"].as_array().unwrap().clone());
        since = page["seq"].as_i64().unwrap();
        assert_eq!(page["hasMore"], since < 5, "{page}");
        if page["hasMore"] == false {
            break;
        }
    }
    assert_eq!((since, &found), (5, &live));
    let path = house.path(&format!("/sync/delta?since=5&epoch={epoch}"));
    let nothing = other.get(&path).await.expect(200);
    assert_eq!(
        (&nothing["events"], &nothing["seq"]),
        (&json!([]), &json!(5))
    );

    // Another life of the log, beyond its end, and past what is kept.
    let elsewhere = format!("since=1&epoch={}", uuid::Uuid::now_v7());
    let beyond = format!("since=6&epoch={epoch}");
    let sql = crate::support::app::connect(app.database_url()).await;
    let prune =
        "WITH gone AS (DELETE FROM events WHERE seq <= 2) UPDATE log_heads SET pruned_seq = 2";
    sql.batch_execute(prune).await.unwrap();
    let past = format!("since=1&epoch={epoch}");
    let last = format!("since={}&epoch={epoch}", i64::MAX);
    for query in [elsewhere, beyond, past, last] {
        let path = house.path(&format!("/sync/delta?{query}"));
        other.get(&path).await.expect_error(410, "resync_required");
    }
    let kept = house.path(&format!("/sync/delta?since=2&epoch={epoch}"));
    assert_eq!(
        other.get(&kept).await.expect(200)["events"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    for (query, field) in [
        (format!("epoch={epoch}"), "since"),
        ("since=1".to_owned(), "epoch"),
        (format!("since=-1&epoch={epoch}"), "since"),
        (format!("since=1&epoch={epoch}&limit=0"), "limit"),
    ] {
        let reply = other
            .get(&house.path(&format!("/sync/delta?{query}")))
            .await;
        assert_eq!(reply.fields(), [field]);
        reply.expect_error(422, "invalid");
    }
    app.finish().await;
}
