//! Parts of a transaction that may fail without the rest, and transactions that are told to be
//! complete.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel_async::SimpleAsyncConnection;
use domain::Error;
use domain::clock::new_id;
use domain::db::Scope;
use domain::floor::guests;
use serde_json::json;
use wire::ErrorCode;
use wire::floor::guests::{CreateGuest, GuestStatus, UpdateGuest};

use crate::house::House;
use crate::support::code;

fn named(name: &str) -> CreateGuest {
    CreateGuest {
        guest_name: Some(name.to_owned()),
        party_size: Some(2),
        ..CreateGuest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_refused_part_did_is_undone_and_not_told() {
    let house = House::open().await;
    let ann = house.tablet.add_guest("Ann", 2).await.id;
    let noted = |notes: &str| UpdateGuest {
        notes: Some(Some(notes.to_owned())),
        ..UpdateGuest::default()
    };
    let done = house
        .tablet
        .write(async |tx| {
            guests::update(tx, ann, &noted("kept"), None).await?;
            let refused = tx
                .attempt(async |tx| {
                    guests::create(tx, &named("Undone")).await?;
                    guests::update(tx, ann, &noted("undone"), None).await?;
                    let completed = UpdateGuest {
                        status: Some(GuestStatus::Completed),
                        ..UpdateGuest::default()
                    };
                    guests::update(tx, ann, &completed, None).await
                })
                .await?;
            assert_eq!(code(refused), ErrorCode::InvalidTransition);
            let made = tx.attempt(async |tx| guests::create(tx, &named("Bob")).await);
            made.await??;
            tx.attempt(async |tx| guests::update(tx, ann, &noted("kept too"), None).await)
                .await?
        })
        .await
        .unwrap();
    let events = done.appended.unwrap().events;
    let frames: Vec<serde_json::Value> = events
        .iter()
        .map(|event| serde_json::from_str(&event.frame).unwrap())
        .collect();
    let told: Vec<_> = frames
        .iter()
        .map(|frame| (&frame["type"], &frame["data"]["notes"]))
        .collect();
    let (updated, created) = (json!("guest_updated"), json!("guest_created"));
    let (notes, none) = (json!("kept too"), json!(null));
    assert_eq!(told, [(&updated, &notes), (&created, &none)]);
    assert_eq!(house.tablet.names(json!({})).await, ["Ann", "Bob"]);
    assert_eq!(house.tablet.guest(ann).await.unwrap().version, 3);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_a_part_ends_the_whole() {
    let house = House::open().await;
    let tries = AtomicU32::new(0);
    house
        .tablet
        .write(async |tx| {
            guests::create(tx, &named("Ann")).await?;
            tx.attempt(async |tx| {
                guests::create(tx, &named("Bob")).await?;
                match tries.fetch_add(1, Ordering::SeqCst) {
                    0 => Err(Error::Contended),
                    1 => {
                        let fail =
                            "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$";
                        Ok(tx.conn.batch_execute(fail).await?)
                    }
                    _ => Ok(()),
                }
            })
            .await?
        })
        .await
        .unwrap();
    assert_eq!(tries.into_inner(), 3);
    assert_eq!(house.tablet.names(json!({})).await, ["Ann", "Bob"]);
    assert_eq!(house.tablet.head().await.last_seq, 2);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_a_client_is_told_to_be_complete() {
    let house = House::open().await;
    let scope = Scope {
        transaction_id: Some(new_id()),
        ..house.tablet.scope
    };
    let run = async |name: Option<&str>| {
        let done = house.tablet.db.write("test", &scope, async |tx| {
            if let Some(name) = name {
                guests::create(tx, &named(name)).await?;
            }
            tx.tell_complete()
        });
        done.await.unwrap().appended
    };
    assert!(run(None).await.is_none(), "nothing happened");
    let events = run(Some("Ann")).await.unwrap().events;
    assert_eq!(events.len(), 2);
    let last: serde_json::Value = serde_json::from_str(&events[1].frame).unwrap();
    let guest: serde_json::Value = serde_json::from_str(&events[0].frame).unwrap();
    assert_eq!(last["type"], "atomic_transaction_complete");
    assert_eq!(last["transaction_id"], guest["transaction_id"]);
    let named = format!("guest-{}", guest["guest_id"].as_str().unwrap());
    assert_eq!(last["affected_entities"], json!([named]));
    house.close().await;
}
