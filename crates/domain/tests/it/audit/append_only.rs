//! The audit stays as it was written, until its time is over.

use chrono::TimeDelta;
use serde_json::json;
use tokio_postgres::error::SqlState;

use super::entries;
use crate::house::House;
use crate::sql::Sql;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_or_removes_an_entry() {
    let house = House::open().await;
    house.tablet.add_guest("Ada", 2).await;
    let sql = Sql::beside(&house.test).await;
    let erasure = "SELECT set_config('qtable.audit', 'erasure', true)";
    for statement in [
        "UPDATE audit_entries SET action = 'moved'",
        "UPDATE audit_entries SET after = NULL",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        // Not even in the name of an erasure.
        &format!("{erasure}; UPDATE audit_entries SET after = NULL, actor_id = gen_random_uuid()"),
        &format!("{erasure}; DELETE FROM audit_entries"),
    ] {
        let error = sql
            .try_run(&format!("BEGIN; {statement}"))
            .await
            .unwrap_err();
        sql.run("ROLLBACK").await;
        assert_eq!(
            error.code(),
            Some(&SqlState::RESTRICT_VIOLATION),
            "{statement}: {error}"
        );
    }
    assert_eq!(entries(&house.tablet, json!({})).await.len(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_in_batches() {
    let house = House::open().await;
    for name in ["Ada", "Bea", "Cid"] {
        house.tablet.add_guest(name, 2).await;
        house.test.clock.advance(TimeDelta::days(1));
    }
    let prune = async |batch| {
        house
            .db()
            .transaction("test", async move |conn, now| {
                domain::audit::prune(conn, now - TimeDelta::days(1), batch).await
            })
            .await
            .unwrap()
    };
    assert_eq!((prune(1).await, prune(5).await, prune(5).await), (1, 1, 0));
    let left = entries(&house.tablet, json!({})).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].after.as_ref().unwrap()["guestName"], "Cid");
    house.close().await;
}
