use serde_json::{Value, json};

use crate::support::{Client, Restaurant, Socket, TestApp};

const VALUES: [&str; 3] = ["Quill", "9999", "walnuts"];

#[track_caller]
fn check_forgotten(what: &str, text: &str) {
    for value in VALUES {
        assert!(!text.contains(value), "{what} has {value}: {text}");
    }
}

/// Everything that a client gets who comes back after the event `since`, up to `head`.
async fn replay(
    client: &Client,
    house: &Restaurant,
    epoch: &str,
    since: i64,
    head: i64,
) -> Vec<Value> {
    let query = format!("&since={since}&epoch={epoch}");
    let mut socket = Socket::open(client, &house.id, &query).await;
    assert_eq!(socket.connect["resumed"], true);
    socket.until(head).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_comes_back_from_no_worker() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let manager = house.member(&app, "manager").await;
    let clients = [house.owner.clone(), house.owner.at(&app.client(1))];
    // Both workers hold in memory what happens from here on.
    let mut live = [house.socket(&app, 0).await, house.socket(&app, 1).await];
    let epoch = live[0].connect["epoch"].as_str().unwrap().to_owned();
    let table = house.table("1", 4).await;
    let quill =
        json!({"guestName": "Quill", "partySize": 2, "phone": "+1 555 010-9999", "tableId": table});
    let guest = house
        .owner
        .post_once("key", &house.path("/guests"), quill.clone())
        .await
        .expect(201);
    let path = house.path(&format!("/guests/{}", guest["id"].as_str().unwrap()));
    let noted = manager.put(&path, json!({"notes": "no walnuts"})).await;
    let head: i64 = noted
        .header("x-event-seq")
        .unwrap()
        .rsplit_once(':')
        .unwrap()
        .1
        .parse()
        .unwrap();
    for socket in &mut live {
        socket.until(head).await;
    }
    // It would come back now.
    let before = replay(&clients[1], &house, &epoch, 0, head).await;
    assert!(json!(before).to_string().contains("walnuts"));

    let person = json!({"phone": "(1) 5550109999"});
    let export = manager
        .post(&house.path("/privacy/export"), person.clone())
        .await;
    assert_eq!(export.header("cache-control"), Some("no-store"));
    let export = export.expect(200);
    assert_eq!(export["guests"][0]["notes"], "no walnuts");
    assert_eq!(
        (export["events"].as_array().unwrap().len(), &export["seq"]),
        (2, &json!(head))
    );
    let erasure = manager
        .post(&house.path("/privacy/erase"), person.clone())
        .await;
    assert!(erasure.header("x-event-seq").is_some());
    let erasure = erasure.expect(200);
    assert_eq!(
        erasure["erased"],
        json!({
            "guests": 1, "reservations": 0, "invitations": 0, "events": 2, "auditEntries": 2,
            "answers": 1,
        })
    );

    for (socket, client) in live.iter_mut().zip(&clients) {
        // The party keeps its seat, on every screen.
        let told = socket.until(head + 2).await;
        assert_eq!(told[0]["type"], "person_erased");
        assert_eq!(told[1]["data"]["guestName"], "Guest");
        assert_eq!(told[1]["data"]["tableId"], table);
        for since in [0, head - 1, head] {
            let frames = replay(client, &house, &epoch, since, head + 2).await;
            let seqs: Vec<i64> = frames
                .iter()
                .map(|frame| frame["seq"].as_i64().unwrap())
                .collect();
            assert_eq!(seqs, (since + 1..=head + 2).collect::<Vec<_>>());
            check_forgotten("the replay", &json!(frames).to_string());
        }
        for rest in [
            "/sync/full",
            &format!("/sync/delta?since=0&epoch={epoch}"),
            "/audit",
            "/guests?scope=all",
        ] {
            let reply = client.get(&house.path(rest)).await;
            assert_eq!(reply.status, 200);
            check_forgotten(rest, &reply.text);
        }
    }
    // The answer that is kept for whoever sends the request again has forgotten, too.
    let kept = house
        .owner
        .post_once("key", &house.path("/guests"), quill)
        .await;
    assert_eq!(kept.header("idempotent-replayed"), Some("true"));
    check_forgotten("the kept answer", &kept.text);
    assert_eq!(kept.expect(201)["guestName"], "Guest");
    // Again there is nothing, and the audit knows of one erasure and one export.
    let again = manager.post(&house.path("/privacy/erase"), person).await;
    assert_eq!(again.header("x-event-seq"), None);
    let again = again.expect(200);
    assert_eq!(
        (&again["id"], &again["erased"]["events"]),
        (&Value::Null, &json!(0))
    );
    let audit = house
        .owner
        .get(&house.path("/audit?entity=person"))
        .await
        .expect(200);
    let said: Vec<_> = audit
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (&entry["action"], &entry["actorName"]))
        .collect();
    assert_eq!(
        said,
        [
            (&json!("erased"), &json!("manager")),
            (&json!("exported"), &json!("manager"))
        ]
    );

    let nobody = manager.post(&house.path("/privacy/erase"), json!({})).await;
    assert_eq!(nobody.fields(), ["phone"]);
    nobody.expect_error(422, "invalid");
    app.finish().await;
}
