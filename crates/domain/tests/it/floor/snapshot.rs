//! The whole floor at one position of the log.

use chrono::{DateTime, Utc};
use domain::Result;
use domain::db::PgConnection;
use domain::floor::snapshot;
use domain::venue::restaurants;
use serde_json::json;
use wire::floor::snapshot::Floor;
use wire::venue::restaurants::Restaurant;
use wire::{Position, RestaurantId};

use crate::house::{House, missing};

/// The floor, the restaurant, and where its log stands.
async fn whole(
    conn: &mut PgConnection,
    here: RestaurantId,
    now: DateTime<Utc>,
) -> Result<(Floor, Restaurant, Position)> {
    let view = restaurants::floor_view(conn, here, now).await?;
    let restaurant = restaurants::get(conn, here).await?;
    let floor = snapshot::read(conn, here, view.service_day_start, now).await?;
    Ok((floor, restaurant, view.position))
}

#[tokio::test(flavor = "multi_thread")]
async fn is_of_one_moment() {
    let house = House::open().await;
    let (one, two) = (
        house.tablet.add_table("1", 4).await,
        house.tablet.add_table("2", 4).await,
    );
    house
        .tablet
        .try_add_table(json!({"tableNumber": "3", "capacity": 2, "isActive": false}))
        .await
        .unwrap();
    let guest = house.tablet.add_guest("Ada", 2).await;
    house.tablet.seat(&guest, &[&one]).await.unwrap();
    let (here, now) = (house.id(), house.test.clock.now());
    let head = house.tablet.head().await;
    house
        .db()
        .snapshot("test", async |conn| {
            let before = whole(conn, here, now).await?;
            house.tablet.seat(&guest, &[&two]).await?;
            house
                .tablet
                .change_restaurant(json!({"name": "Another"}))
                .await;
            let after = whole(conn, here, now).await?;
            assert_eq!(before, after, "what happens meanwhile is not seen");
            let (floor, restaurant, position) = before;
            assert_eq!(position, head.position());
            assert_eq!(restaurant.name, "Zum Anker");
            assert_eq!(floor.guests[0].table_id, Some(one.id));
            assert_eq!(floor.tables.len(), 2, "the active ones");
            Ok(())
        })
        .await
        .unwrap();
    let read = async |conn: &mut PgConnection| whole(conn, here, now).await;
    let (later, _, position) = house.db().snapshot("test", read).await.unwrap();
    assert_eq!(
        (position.epoch, position.seq),
        (head.epoch, head.last_seq + 4)
    );
    assert_eq!(later.guests, [house.tablet.guest(guest.id).await.unwrap()]);
    assert_eq!(later.tables[1], house.tablet.table(two.id).await.unwrap());

    let nowhere = domain::clock::new_id();
    let nobody = house
        .db()
        .snapshot("test", async |conn| whole(conn, nowhere, now).await);
    assert_eq!(missing(nobody.await), "restaurant");
    house.close().await;
}
