//! Answers that are kept for clients who ask again.

use chrono::TimeDelta;
use domain::clock::new_id;
use domain::db::{Answer, Committed, Tx};
use domain::remembered::{Once, forget_answers};
use domain::together::atomic;
use domain::together::atomic::Transaction;

use crate::house::House;
use crate::support::fields;

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_kept_until_they_are_forgotten() {
    let house = House::open().await;
    let transaction = Transaction {
        id: new_id(),
        fingerprint: [7; 32],
        items: Vec::new(),
    };
    let run = async || {
        let done = house
            .tablet
            .write(async |tx| atomic::run(tx, &transaction).await);
        done.await.unwrap().value
    };
    let forget = async |batch| {
        house
            .db()
            .transaction("test", async move |conn, now| {
                forget_answers(
                    conn,
                    now + TimeDelta::days(7) + TimeDelta::seconds(1),
                    batch,
                )
                .await
            })
            .await
            .unwrap()
    };
    let first = run().await;
    assert!(!first.is_repeated);
    let again = run().await;
    assert_eq!((again.is_repeated, again.body), (true, first.body));
    assert_eq!(
        (forget(0).await, forget(10).await, forget(10).await),
        (0, 1, 0)
    );
    assert!(!run().await.is_repeated);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_kept_for_a_day() {
    let house = House::open().await;
    let once = Once {
        key: [1; 32],
        body: [2; 32],
    };
    let ask = async |once| {
        let body = async |_: &mut Tx<'_>| Ok(());
        let answer = |done: Committed<()>| Ok((done, "kept".to_owned()));
        let scope = &house.tablet.scope;
        let done = house.db().write_once("test", scope, once, body, answer);
        done.await.map(|done| done.value)
    };
    assert_eq!(ask(once).await.unwrap(), Answer::New(()));
    assert_eq!(ask(once).await.unwrap(), Answer::Kept("kept".into()));
    let other = Once {
        body: [3; 32],
        ..once
    };
    assert_eq!(fields(ask(other).await), ["Idempotency-Key"]);
    let forget = async |age| {
        house
            .db()
            .transaction("test", async move |conn, now| {
                forget_answers(conn, now + age, 10).await
            })
            .await
            .unwrap()
    };
    assert_eq!(forget(TimeDelta::hours(24)).await, 0);
    assert_eq!(
        forget(TimeDelta::hours(24) + TimeDelta::seconds(1)).await,
        1
    );
    assert_eq!(ask(other).await.unwrap(), Answer::New(()));
    house.close().await;
}
