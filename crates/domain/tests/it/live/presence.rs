//! What workers tell of who is here.

use domain::live::presence::{self, Change, Place, Tenure};
use wire::Role;
use wire::live::presence::Presence;
use wire::{RestaurantId, SessionId};

use crate::support::TestDb;

fn here(restaurant_id: RestaurantId, sessions: &[SessionId]) -> Change {
    let places = sessions.iter().map(|session_id| Place {
        restaurant_id,
        session_id: *session_id,
    });
    Change {
        here: places.map(|place| (place, 1)).collect(),
        gone: Vec::new(),
    }
}

async fn tell(test: &TestDb, tenure: Option<Tenure>, change: Change) -> Option<Tenure> {
    test.db
        .transaction("presence.tell", async move |conn, _| {
            presence::tell(conn, tenure, &change).await
        })
        .await
        .unwrap()
}

async fn read(test: &TestDb, restaurant: RestaurantId, limit: i64) -> Presence {
    test.db
        .read("presence.read", async move |conn| {
            presence::read(conn, restaurant, limit).await
        })
        .await
        .unwrap()
}

async fn digest(test: &TestDb, restaurant: RestaurantId) -> Option<i64> {
    let digests = test
        .db
        .read("presence.digests", async move |conn| {
            presence::digests(conn, &[restaurant]).await
        })
        .await
        .unwrap();
    digests.first().map(|(_, digest)| *digest)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_devices_of_all_living_workers_each_once() {
    let test = TestDb::new().await;
    let house = test.restaurant().await;
    let id = house.restaurant_id;
    let staff = test.member(id, Role::Staff).await;
    let mut devices = Vec::new();
    for user in [house.user_id, staff.id, staff.id] {
        devices.push(test.login(user, Some(id)).await.session_id);
    }
    assert_eq!(read(&test, id, 9).await, Presence::default());
    let one = tell(&test, None, here(id, &devices[..2])).await.unwrap();
    let before = digest(&test, id).await;
    // One device has a socket at each of them.
    let two = tell(&test, None, here(id, &devices[1..])).await.unwrap();
    let both = digest(&test, id).await;
    assert!(before.is_some() && both.is_some() && before != both);
    let all = read(&test, id, 9).await;
    assert_eq!((all.user_count, all.device_count), (2, 3));
    let shared = all.devices.iter().find(|device| device.id == devices[1]);
    assert_eq!(shared.unwrap().connections, 2);
    // A list is bounded, the numbers count everybody.
    let some = read(&test, id, 1).await;
    assert_eq!(
        (some.devices.len(), some.device_count, some.user_count),
        (1, 3, 2)
    );

    // Nothing new is nothing different.
    let one = tell(&test, Some(one), Change::default()).await.unwrap();
    assert_eq!(digest(&test, id).await, both);
    // A worker that is silent for too long is dead; the other one's devices stay.
    test.sql(
        "UPDATE presence_workers SET seen_at = now() - interval '7 seconds' WHERE revision = 1",
    )
    .await;
    let left = read(&test, id, 9).await;
    assert_eq!((left.user_count, left.device_count), (1, 2));
    assert_eq!(
        left.devices
            .iter()
            .map(|device| device.connections)
            .sum::<u32>(),
        2
    );
    let swept = test
        .db
        .transaction("presence.sweep", async |conn, _| {
            presence::sweep(conn).await
        })
        .await;
    assert_eq!(swept.unwrap(), 1);
    // Who was believed dead, and is not, has to tell everything anew.
    assert_eq!(tell(&test, Some(one), Change::default()).await, None);
    let gone = Change {
        here: Vec::new(),
        gone: vec![Place {
            restaurant_id: id,
            session_id: devices[2],
        }],
    };
    assert!(tell(&test, Some(two), gone).await.is_some());
    assert_eq!(read(&test, id, 9).await.device_count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_does_not_build_on_what_the_database_has_not_kept() {
    let test = TestDb::new().await;
    let id = test.restaurant().await.restaurant_id;
    let first = tell(&test, None, Change::default()).await.unwrap();
    let second = tell(&test, Some(first), Change::default()).await.unwrap();
    // Restored as it was after the first time, or the reply to the second commit was lost.
    assert_eq!(tell(&test, Some(first), Change::default()).await, None);
    assert!(tell(&test, Some(second), Change::default()).await.is_some());
    assert_eq!(digest(&test, id).await, None);
}
