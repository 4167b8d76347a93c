//! Reading the audit.

use chrono::TimeDelta;
use domain::clock::new_id;
use serde_json::{Value, json};
use wire::UserId;

use super::{entries, page};
use crate::house::House;
use crate::support::fields;

#[tokio::test(flavor = "multi_thread")]
async fn by_thing_kind_actor_and_time() {
    let house = House::open().await;
    let noon = house.test.clock.now();
    let mut other = house.tablet.clone();
    other.scope.actor.user_id = Some(new_id::<UserId>());
    let ada = house.tablet.add_guest("Ada", 2).await;
    house.test.clock.advance(TimeDelta::hours(1));
    let table = other.add_table("1", 4).await;
    house.test.clock.advance(TimeDelta::hours(1));
    other.seat(&ada, &[&table]).await.unwrap();
    let (one, two) = (noon + TimeDelta::hours(1), noon + TimeDelta::hours(2));
    let seqs = async |filter: Value| -> Vec<i64> {
        let found = entries(&house.tablet, filter).await;
        found.iter().map(|entry| entry.seq).collect()
    };
    for (filter, expected) in [
        (json!({}), &[1, 2, 3, 4][..]),
        (json!({"id": ada.id}), &[1, 3]),
        (json!({"entity": "table"}), &[2, 4]),
        (json!({"entity": "table, guest"}), &[1, 2, 3, 4]),
        (json!({"entity": "user"}), &[]),
        (json!({"entity": "guest", "id": table.id}), &[]),
        (json!({"actor": house.tablet.scope.actor.user_id}), &[1]),
        (
            json!({"actor": other.scope.actor.user_id, "entity": "guest"}),
            &[3],
        ),
        (json!({"since": one}), &[2, 3, 4]),
        (json!({"until": two}), &[1, 2]),
        (json!({"since": one, "until": two}), &[2]),
        (json!({"since": two, "until": one}), &[]),
    ] {
        assert_eq!(seqs(filter.clone()).await, expected, "{filter}");
    }
    for (filter, field) in [
        (json!({"entity": "burger"}), "entity"),
        (json!({"limit": 0}), "limit"),
        (json!({"cursor": "me"}), "cursor"),
    ] {
        assert_eq!(fields(page(&house.tablet, filter).await), [field]);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_by_page_newest_first() {
    let house = House::open().await;
    for n in 0..7 {
        house.tablet.add_guest(&n.to_string(), 2).await;
        // Several at one moment.
        if n % 3 == 2 {
            house.test.clock.advance(TimeDelta::seconds(1));
        }
    }
    let (mut seqs, mut cursor, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let filter = json!({"limit": 2, "entity": "guest", "cursor": cursor});
        let found = page(&house.tablet, filter).await.unwrap();
        seqs.extend(found.items.iter().map(|entry| entry.seq));
        pages += 1;
        match found.next {
            Some(next) => cursor = json!(next),
            None => break,
        }
    }
    assert_eq!((seqs, pages), (vec![7, 6, 5, 4, 3, 2, 1], 4));
    house.close().await;
}
