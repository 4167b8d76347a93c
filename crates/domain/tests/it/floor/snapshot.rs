//! The whole floor at one position of the log.

use domain::floor::snapshot;
use serde_json::json;

use crate::house::{House, missing};

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
            let before = snapshot::read(conn, here, now).await?;
            house.tablet.seat(&guest, &[&two]).await?;
            house
                .tablet
                .change_restaurant(json!({"name": "Another"}))
                .await;
            let after = snapshot::read(conn, here, now).await?;
            assert_eq!(before, after, "what happens meanwhile is not seen");
            assert_eq!((before.epoch, before.seq), (head.epoch, head.last_seq));
            assert_eq!(before.restaurant.name, "Zum Anker");
            assert_eq!(before.guests[0].table_id, Some(one.id));
            assert_eq!(before.tables.len(), 2, "the active ones");
            Ok(())
        })
        .await
        .unwrap();
    let read = async |conn: &mut domain::db::PgConnection| snapshot::read(conn, here, now).await;
    let later = house.db().snapshot("test", read).await.unwrap();
    assert_eq!((later.epoch, later.seq), (head.epoch, head.last_seq + 4));
    assert_eq!(later.guests, [house.tablet.guest(guest.id).await.unwrap()]);
    assert_eq!(later.tables[1], house.tablet.table(two.id).await.unwrap());

    let nowhere = domain::clock::new_id();
    let nobody = house.db().snapshot("test", async |conn| {
        snapshot::read(conn, nowhere, now).await
    });
    assert_eq!(missing(nobody.await), "restaurant");
    house.close().await;
}
