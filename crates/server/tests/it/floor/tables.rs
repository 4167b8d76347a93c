use serde_json::json;

use crate::support::{Restaurant, TestApp, table};

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_arranged_and_removed() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let body = json!({
        "table_number": 7, "capacity": 4, "min_party_size": 2, "position": {"x": 0.25, "y": 0.5},
        "shape": "round", "section": "Terrace", "status": "outOfService",
    });
    let made = house
        .owner
        .post(&house.path("/tables"), body)
        .await
        .expect(201);
    assert_eq!(
        (&made["tableNumber"], &made["status"]),
        (&json!("7"), &json!("out_of_service"))
    );
    let path = house.path(&format!("/tables/{}", made["id"].as_str().unwrap()));
    house
        .owner
        .post(&house.path("/tables"), table("7", 2))
        .await
        .expect_error(409, "table_number_taken");
    let moved = house
        .owner
        .at(&app.client(1))
        .put(
            &path,
            json!({"position": {"x": 1, "y": 0}, "section": null, "status": "available"}),
        )
        .await
        .expect(200);
    assert_eq!(
        (&moved["position"], &moved["section"]),
        (&json!({"x": 1.0, "y": 0.0}), &json!(null))
    );
    house
        .owner
        .put(&path, json!({"status": "occupied"}))
        .await
        .expect_error(409, "conflict");
    assert_eq!(house.owner.delete(&path).await.status, 204);
    house.owner.get(&path).await.expect_error(404, "not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_a_party_stays() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let id = house.table("1", 4).await;
    let path = house.path(&format!("/tables/{id}"));
    let guest = house.path(&format!("/guests/{}", house.guest("Ann", 2).await));
    house
        .owner
        .put(&guest, json!({"tableId": id}))
        .await
        .expect(200);
    house
        .owner
        .delete(&path)
        .await
        .expect_error(409, "table_occupied");
    house
        .owner
        .put(&path, json!({"status": "available"}))
        .await
        .expect_error(409, "table_occupied");
    house
        .owner
        .put(&path, json!({"isActive": false}))
        .await
        .expect_error(409, "table_occupied");

    let settings = json!({"settings": {"needsCleaning": true}});
    house.owner.put(&house.path(""), settings).await.expect(200);
    let dirty = house
        .owner
        .put(&format!("{path}/clear"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        (&dirty["status"], &dirty["currentGuestId"]),
        (&json!("needs_cleaning"), &json!(null))
    );
    assert_eq!(
        house.owner.get(&guest).await.expect(200)["status"],
        "completed"
    );
    let clean = house
        .owner
        .put(&format!("{path}/clear"), json!({}))
        .await
        .expect(200);
    assert_eq!(clean["status"], "available");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_may_change_the_status_only() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let staff = house.member(&app, "staff").await;
    let path = house.path(&format!("/tables/{}", house.table("1", 4).await));
    staff
        .put(&path, json!({"status": "reserved"}))
        .await
        .expect(200);
    staff
        .put(&path, json!({"status": "available", "capacity": 8}))
        .await
        .expect_error(403, "forbidden");
    staff.delete(&path).await.expect_error(403, "forbidden");
    staff
        .post(&house.path("/tables"), table("2", 2))
        .await
        .expect_error(403, "forbidden");
    app.finish().await;
}
