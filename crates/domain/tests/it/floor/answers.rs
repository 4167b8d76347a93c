//! Answers that are kept for clients who ask again.

use chrono::TimeDelta;
use domain::clock::new_id;
use domain::floor::atomic::{self, Transaction};
use domain::floor::forget_answers;

use crate::house::House;

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
                forget_answers(conn, now + TimeDelta::seconds(1), batch).await
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
