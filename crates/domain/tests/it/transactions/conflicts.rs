//! Transactions that PostgreSQL ends to resolve a conflict are run again; those that a rule ends
//! leave nothing.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use domain::Error;
use domain::db::Tx;
use domain::floor::guests;
use serde_json::json;
use tokio::sync::Barrier;
use wire::floor::guests::{CreateGuest, UpdateGuest};
use wire::{ErrorCode, GuestId};

use crate::house::House;
use crate::support::code;

fn noted(text: &str) -> UpdateGuest {
    UpdateGuest {
        notes: Some(Some(text.to_owned())),
        ..UpdateGuest::default()
    }
}

async fn lock(tx: &mut Tx<'_>, id: GuestId) -> domain::Result<()> {
    diesel::sql_query("SELECT FROM guests WHERE id = $1 FOR UPDATE")
        .bind::<diesel::sql_types::Uuid, _>(id)
        .execute(tx.conn)
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_costs_one_of_two_a_second_try() {
    let house = House::open().await;
    let (a, b) = (
        house.tablet.add_guest("A", 2).await.id,
        house.tablet.add_guest("B", 2).await.id,
    );
    let (tries, meeting) = (AtomicU32::new(0), Barrier::new(2));
    let cross = async |first: GuestId, second: GuestId, note: &str| {
        let is_first_try = AtomicU32::new(0);
        house
            .tablet
            .write(async |tx| {
                tries.fetch_add(1, Ordering::SeqCst);
                lock(tx, first).await?;
                if is_first_try.fetch_add(1, Ordering::SeqCst) == 0 {
                    meeting.wait().await;
                }
                guests::update(tx, second, &noted(note), None).await
            })
            .await
    };
    let (one, other) = tokio::join!(cross(a, b, "from a"), cross(b, a, "from b"));
    one.unwrap();
    other.unwrap();
    assert_eq!(tries.into_inner(), 3);
    assert_eq!(
        house.tablet.guest(b).await.unwrap().notes.as_deref(),
        Some("from a")
    );
    assert_eq!(
        house.tablet.guest(a).await.unwrap().notes.as_deref(),
        Some("from b")
    );
    assert_eq!(house.tablet.head().await.last_seq, 4);
    house.close().await;
}

/// Writes a guest, then fails as a serialization failure does in the first `failures` tries.
async fn write_after(house: &House, failures: u32) -> (domain::Result<()>, u32) {
    let tries = AtomicU32::new(0);
    let done = house
        .tablet
        .write(async |tx| {
            let input = CreateGuest {
                guest_name: Some("Ada".to_owned()),
                party_size: Some(2),
                ..CreateGuest::default()
            };
            guests::create(tx, &input).await?;
            if tries.fetch_add(1, Ordering::SeqCst) < failures {
                let fail = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$";
                tx.conn.batch_execute(fail).await?;
            }
            Ok(())
        })
        .await;
    (done.map(|_| ()), tries.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serialization_failure_is_tried_again() {
    let house = House::open().await;
    let (done, tries) = write_after(&house, 2).await;
    done.unwrap();
    assert_eq!(tries, 3);
    assert_eq!(house.tablet.names(json!({})).await, ["Ada"]);
    assert_eq!(house.tablet.head().await.last_seq, 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn but_not_for_ever() {
    let house = House::open().await;
    let (failed, tries) = write_after(&house, u32::MAX).await;
    let error = failed.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!((2..=10).contains(&tries), "{tries} tries");
    assert_eq!(house.tablet.head().await.last_seq, 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_looked_at_and_then_changed_is_tried_again() {
    let house = House::open().await;
    let tries = AtomicU32::new(0);
    house
        .tablet
        .write(async |_| match tries.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Err(Error::Contended),
            _ => Ok(()),
        })
        .await
        .unwrap();
    assert_eq!(tries.into_inner(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_forbids_undoes_everything() {
    let house = House::open().await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    let table = house.tablet.add_table("1", 4).await;
    let before = house.tablet.head().await;
    let refused = house
        .tablet
        .write(async |tx| {
            let seated = UpdateGuest {
                table_id: Some(Some(table.id)),
                ..UpdateGuest::default()
            };
            guests::update(tx, guest.id, &seated, None).await?;
            let undone = serde_json::from_value(json!({"status": "cancelled"}))?;
            guests::update(tx, guest.id, &undone, None).await
        })
        .await;
    assert_eq!(code(refused), ErrorCode::InvalidTransition);
    assert_eq!(house.tablet.head().await, before);
    assert_eq!(house.tablet.guest(guest.id).await.unwrap(), guest);
    assert_eq!(house.tablet.table(table.id).await.unwrap(), table);
    house.close().await;
}

/// The append fails for every event, the rows were written before it.
#[tokio::test(flavor = "multi_thread")]
async fn no_row_without_its_event() {
    let house = House::open().await;
    let sql = crate::sql::Sql::beside(&house.test).await;
    sql.run("ALTER TABLE events ADD CONSTRAINT none CHECK (seq < 1)")
        .await;
    let failed = house
        .tablet
        .try_add_guest(json!({"guestName": "Ada", "partySize": 2}))
        .await;
    assert!(matches!(failed, Err(Error::Database(_))), "{failed:?}");
    assert_eq!(house.tablet.names(json!({})).await, Vec::<String>::new());
    assert_eq!(house.tablet.head().await.last_seq, 0);
    house.close().await;
}

/// A statement that failed has aborted the transaction: whoever goes on as if nothing had happened
/// is told so, and nothing is told to anybody else.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_was_swallowed_commits_nothing() {
    let house = House::open().await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    let before = house.tablet.head().await;
    let failed = house
        .tablet
        .write(async |tx| {
            guests::update(tx, guest.id, &noted("lost"), None).await?;
            let _swallowed = tx.conn.batch_execute("SELECT 1 / 0").await;
            Ok(())
        })
        .await;
    assert!(matches!(failed, Err(Error::Database(_))), "{failed:?}");
    assert_eq!(house.tablet.head().await, before);
    house.close().await;
}
