//! Somebody writes about the person who is being erased.

use domain::Result;
use domain::db::Tx;
use domain::floor::guests;
use serde_json::{Value, json};
use tokio::sync::Notify;
use wire::GuestId;

use super::{VALUES, erase, tables_with};
use crate::audit::entries;
use crate::house::House;
use crate::sql::Sql;

/// Does `work` in a transaction that stays open until `meanwhile` waits for its locks.
async fn in_the_way<T>(
    house: &House,
    work: impl AsyncFn(&mut Tx<'_>) -> Result<()>,
    meanwhile: impl Future<Output = T>,
) -> T {
    let sql = Sql::beside(&house.test).await;
    let (worked, go_on) = (Notify::new(), Notify::new());
    let holding = house.tablet.write(async |tx| {
        work(tx).await?;
        worked.notify_one();
        go_on.notified().await;
        Ok(())
    });
    let waiting = async {
        worked.notified().await;
        let (done, ()) = tokio::join!(meanwhile, async {
            sql.until_waiting(1).await;
            go_on.notify_one();
        });
        done
    };
    let (held, done) = tokio::join!(holding, waiting);
    held.unwrap();
    done
}

async fn quill(house: &House) -> GuestId {
    let input = json!({"guestName": "Quill", "partySize": 2, "phone": "+1 (555) 010-9999"});
    house.tablet.try_add_guest(input).await.unwrap().id
}

async fn check_nothing_is_left(house: &House) {
    let sql = Sql::beside(&house.test).await;
    for value in VALUES {
        let found = tables_with(&sql, value).await;
        assert!(found.is_empty(), "{value} in {found:?}");
    }
}

async fn change(tx: &mut Tx<'_>, id: GuestId, patch: Value) -> Result<()> {
    guests::update(tx, id, &serde_json::from_value(patch)?, None).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_just_before_is_erased_too() {
    let house = House::open().await;
    let id = quill(&house).await;
    // Values of the party, and another party that the erasure has not seen when it begins.
    let write = async |tx: &mut Tx<'_>| {
        change(
            tx,
            id,
            json!({"notes": "no walnuts", "phone": "1.555.010-9999"}),
        )
        .await?;
        let another = json!({"guestName": "Quill", "partySize": 2, "phone": "15550109999"});
        guests::create(tx, &serde_json::from_value(another)?).await?;
        Ok(())
    };
    let erasing = erase(&house.tablet, json!({"phone": "1 555 010 9999"}));
    let done = in_the_way(&house, write, erasing).await;
    assert_eq!((done.erased.guests, done.erased.events), (2, 3));
    check_nothing_is_left(&house).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_just_after_knows_no_values() {
    let house = House::open().await;
    let id = quill(&house).await;
    let person = serde_json::from_value(json!({"phone": "15550109999"})).unwrap();
    let erasing = async |tx: &mut Tx<'_>| {
        domain::privacy::erase(tx, &person).await?;
        Ok(())
    };
    let writing = house.tablet.change_guest(id, json!({"partySize": 3}));
    let changed = in_the_way(&house, erasing, writing).await;
    assert_eq!((changed.guest_name.as_str(), changed.version), ("Guest", 3));
    check_nothing_is_left(&house).await;
    let audit = entries(&house.tablet, json!({"id": id})).await;
    assert_eq!(audit.last().unwrap().before, Some(json!({"partySize": 2})));
    house.close().await;
}
