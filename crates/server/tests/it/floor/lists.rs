use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use crate::support::restaurant::login;
use crate::support::{Client, Restaurant, TestApp};

/// Every page of a list, by its `Link`s.
async fn all_pages(client: &Client, path: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let reply = client.get(&path).await;
        next = reply.header("link").map(|link| {
            let (url, rest) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
            assert_eq!(rest, "; rel=\"next\"");
            url.to_owned()
        });
        let page = reply.expect(200);
        names.extend(page.as_array().unwrap().iter().map(|item| {
            item["guestName"]
                .as_str()
                .or(item["tableNumber"].as_str())
                .unwrap()
                .to_owned()
        }));
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let names: Vec<String> = (0..23).map(|n| format!("Party {n}")).collect();
    for name in &names {
        house.guest(name, 2).await;
    }
    assert_eq!(
        all_pages(&house.owner, &house.path("/guests?limit=5")).await,
        names
    );
    assert_eq!(
        all_pages(&house.owner, &house.path("/guests?limit=23&status=waiting")).await,
        names
    );
    for number in ["10", "2", "1", "A1"] {
        house.table(number, 2).await;
    }
    assert_eq!(
        all_pages(&house.owner, &house.path("/tables?limit=1")).await,
        ["1", "2", "10", "A1"]
    );
    for bad in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=nonsense",
        "status=asleep",
        "scope=none",
    ] {
        house
            .owner
            .get(&house.path(&format!("/guests?{bad}")))
            .await
            .expect_error(422, "invalid");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_are_found_by_name_and_number() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    for (name, phone) in [
        ("Žofie Nováková", "+420 777 123 456"),
        ("100% Ann", "(555) 010-0199"),
        ("Bob_Under", ""),
    ] {
        let body = json!({"guestName": name, "partySize": 2, "phone": phone});
        house
            .owner
            .post(&house.path("/guests"), body)
            .await
            .expect(201);
    }
    for (q, found) in [
        ("nov%C3%A1k", vec!["Žofie Nováková"]),
        ("NOV%C3%81KOV%C3%81", vec!["Žofie Nováková"]),
        ("777123", vec!["Žofie Nováková"]),
        ("5550100199", vec!["100% Ann"]),
        ("010-0199", vec!["100% Ann"]),
        ("%25", vec!["100% Ann"]),
        ("_", vec!["Bob_Under"]),
        ("under%20bob", vec!["Bob_Under"]),
        ("nobody", vec![]),
    ] {
        assert_eq!(
            all_pages(&house.owner, &house.path(&format!("/guests?q={q}"))).await,
            found,
            "{q}"
        );
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_not_sent_again() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    house.guest("Ann", 2).await;
    for list in ["/guests", "/tables", "/sync/full"] {
        let path = house.path(list);
        let etag = house
            .owner
            .get(&path)
            .await
            .header("etag")
            .unwrap()
            .to_owned();
        let again = house.owner.at(&app.client(1));
        let reply = again
            .send(Method::GET, &path, None, &[("if-none-match", &etag)])
            .await;
        assert_eq!((reply.status, reply.text.as_str()), (304, ""), "{list}");
        house.guest("Bob", 2).await;
        let reply = again
            .send(Method::GET, &path, None, &[("if-none-match", &etag)])
            .await;
        assert_eq!(reply.status, 200, "{list}");
    }
    app.finish().await;
}

/// Changes of the menu are told in the same log, and are nothing to those who look at the floor.
#[tokio::test(flavor = "multi_thread")]
async fn what_other_rooms_do_is_no_other_list() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let ann = json!({"guestName": "Ann", "partySize": 2, "phone": "555 0100"});
    house
        .owner
        .post(&house.path("/guests"), ann)
        .await
        .expect(201);
    let ask = async |list: &str, tag: &str| {
        let (path, known) = (house.path(list), [("if-none-match", tag)]);
        let again = house.owner.at(&app.client(1));
        again.send(Method::GET, &path, None, &known).await
    };
    let lists = ["/guests", "/tables", "/reservations"];
    let mut tags = Vec::new();
    for list in lists {
        let reply = house.owner.get(&house.path(list)).await;
        tags.push(reply.header("etag").unwrap().to_owned());
    }
    let whole = ["/sync/full", "/dashboard-data"];
    let mut tags_of_whole = Vec::new();
    for path in whole {
        let reply = house.owner.get(&house.path(path)).await;
        tags_of_whole.push(reply.header("etag").unwrap().to_owned());
    }

    let starters = json!({"name": "Starters"});
    let path = house.path("/menu/categories");
    let reply = house.owner.post(&path, starters).await;
    let after = reply.header("x-event-seq").unwrap().to_owned();
    reply.expect(201);
    for (list, tag) in lists.iter().zip(&tags) {
        let reply = ask(list, tag).await;
        assert_eq!(reply.status, 304, "{list}");
        // It has all of the log nevertheless.
        assert_eq!(reply.header("x-event-seq"), Some(after.as_str()), "{list}");
    }
    // What names its position is another: who takes it goes on from there.
    for (path, tag) in whole.iter().zip(&tags_of_whole) {
        assert_eq!(ask(path, tag).await.status, 200, "{path}");
    }

    // Settings are of the floor, and so are the words of people who are forgotten.
    let settings = json!({"settings": {"notifiedTimeoutMinutes": 7}});
    house.owner.put(&house.path(""), settings).await.expect(200);
    for (list, tag) in lists.iter().zip(&mut tags) {
        let reply = ask(list, tag).await;
        assert_eq!(reply.status, 200, "{list}");
        reply.header("etag").unwrap().clone_into(tag);
    }
    let path = house.path("/privacy/erase");
    let person = json!({"phone": "5550100"});
    house.owner.post(&path, person).await.expect(200);
    for (list, tag) in lists.iter().zip(&tags) {
        assert_eq!(ask(list, tag).await.status, 200, "{list}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_service_day_is_another_floor() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let ann = house.guest("Ann", 2).await;
    let path = house.path(&format!("/guests/{ann}"));
    let left = json!({"status": "cancelled"});
    house.owner.put(&path, left).await.expect(200);
    let lists = ["/guests", "/sync/full", "/dashboard-data"];
    let mut tags = Vec::new();
    for list in lists {
        let reply = house.owner.get(&house.path(list)).await;
        let (tag, position) = (reply.header("etag").unwrap(), reply.header("x-event-seq"));
        assert_eq!(tag.rsplit_once(':').map(|(tag, _)| &tag[1..]), position);
        tags.push(tag.to_owned());
        let known = [("if-none-match", tag)];
        let path = house.path(list);
        let again = house.owner.send(Method::GET, &path, None, &known).await;
        assert_eq!(
            (again.status, again.header("x-event-seq")),
            (304, position),
            "{list}"
        );
    }
    // Nothing is done; but the party left on the day before.
    app.time().advance(TimeDelta::days(1));
    let tokens = login(&app.client(0), &house.email).await;
    let token = tokens["access_token"].as_str().unwrap();
    let owner = app.client(0).with_token(token);
    for (list, tag) in lists.iter().zip(&tags) {
        let (path, known) = (house.path(list), [("if-none-match", tag.as_str())]);
        let reply = owner.send(Method::GET, &path, None, &known).await;
        assert_ne!(reply.header("etag"), Some(tag.as_str()), "{list}");
        let body = reply.expect(200);
        let guests = body.get("guests").unwrap_or(&body);
        assert_eq!(guests, &json!([]), "{list}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_has_the_floor_and_its_position() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let table = house.table("1", 4).await;
    let guest = house.guest("Ann", 2).await;
    house
        .owner
        .put(
            &house.path(&format!("/guests/{guest}")),
            json!({"tableId": table}),
        )
        .await
        .expect(200);
    let snapshot = house.owner.get(&house.path("/sync/full")).await.expect(200);
    assert_eq!(
        snapshot["seq"], 4,
        "table, guest, seated guest, occupied table"
    );
    assert_eq!(snapshot["guests"][0]["tableId"], table.as_str());
    assert_eq!(snapshot["tables"][0]["currentGuestId"], guest.as_str());
    assert_eq!(snapshot["restaurant"]["name"], "Chez Nous");
    app.finish().await;
}
