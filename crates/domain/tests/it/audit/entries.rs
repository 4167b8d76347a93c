//! What the audit says of every kind of change.

use chrono::TimeDelta;
use domain::clock::new_id;
use domain::db::{RequestId, Scope};
use domain::floor::{guests, reservations, tables};
use domain::people::sessions::NewSession;
use serde_json::{Value, json};
use uuid::Uuid;
use wire::Role;
use wire::audit::{AuditEntity, AuditEntry};
use wire::floor::guests::UpdateGuest;
use wire::floor::tables::UpdateTable;
use wire::live::events::Action;
use wire::people::users::UpdateUser;

use super::entries;
use crate::house::House;
use crate::support::{HASH, scope};
use crate::tablet::Tablet;

/// What is to be compared of an entry.
fn said(entry: &AuditEntry) -> (AuditEntity, Uuid, Action, Value, Value) {
    let state = |state: &Option<Value>| state.clone().unwrap_or_default();
    (
        entry.entity,
        entry.entity_id,
        entry.action,
        state(&entry.before),
        state(&entry.after),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parties_and_tables() {
    let house = House::open().await;
    let table = house.tablet.add_table("1", 4).await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    let seated = house.tablet.seat(&guest, &[&table]).await.unwrap();
    let gone = house.tablet.clear(table.id).await.unwrap();
    house.tablet.delete_guest(guest.id, None).await.unwrap();
    house.tablet.delete_table(table.id, None).await.unwrap();

    let audit = entries(&house.tablet, json!({})).await;
    let (party, place) = (guest.id.0, table.id.0);
    let now = house.test.clock.now();
    let whole = |state: &dyn erased::Json| state.json();
    assert_eq!(
        audit.iter().map(said).collect::<Vec<_>>(),
        [
            (
                AuditEntity::Table,
                place,
                Action::Created,
                Value::Null,
                whole(&table)
            ),
            (
                AuditEntity::Guest,
                party,
                Action::Created,
                Value::Null,
                whole(&guest)
            ),
            (
                AuditEntity::Guest,
                party,
                Action::StatusChanged,
                json!({"status": "waiting", "tableId": null, "tableIds": [], "waitPosition": 1, "seatedTime": null, "waitedMinutes": null, "quoteErrorMinutes": null}),
                json!({"status": "seated", "tableId": place, "tableIds": [place], "waitPosition": null, "seatedTime": now, "waitedMinutes": 0, "quoteErrorMinutes": 0}),
            ),
            (
                AuditEntity::Table,
                place,
                Action::StatusChanged,
                json!({"status": "available", "currentGuestId": null}),
                json!({"status": "occupied", "currentGuestId": party}),
            ),
            (
                AuditEntity::Guest,
                party,
                Action::StatusChanged,
                json!({"status": "seated", "tableId": place, "tableIds": [place], "finishedTime": null}),
                json!({"status": "completed", "tableId": null, "tableIds": [], "finishedTime": now}),
            ),
            (
                AuditEntity::Table,
                place,
                Action::StatusChanged,
                json!({"status": "occupied", "currentGuestId": party}),
                json!({"status": "available", "currentGuestId": null}),
            ),
            (
                AuditEntity::Guest,
                party,
                Action::Deleted,
                {
                    let mut before = whole(&seated);
                    before["status"] = json!("completed");
                    before["tableId"] = Value::Null;
                    before["tableIds"] = json!([]);
                    before["finishedTime"] = json!(now);
                    before["version"] = json!(3);
                    before
                },
                Value::Null,
            ),
            (
                AuditEntity::Table,
                place,
                Action::Deleted,
                whole(&gone),
                Value::Null
            ),
        ]
    );
    // Each under the number of the event that told of it.
    let told = house.tablet.events_after(0).await;
    for (entry, event) in audit.iter().zip(&told) {
        assert_eq!((json!(entry.seq), entry.n), (event["seq"].clone(), 0));
        assert_eq!(json!(entry.action), event["action"]);
    }
    house.close().await;
}

/// States of different types in one list.
mod erased {
    use serde_json::Value;

    pub(super) trait Json {
        fn json(&self) -> Value;
    }

    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> Value {
            serde_json::to_value(self).unwrap()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_bookings_and_settings() {
    let house = House::open().await;
    let at = house.test.clock.now() + TimeDelta::hours(5);
    let input = serde_json::from_value(
        json!({"guestName": "Ada", "partySize": 2, "reservationTime": at, "tableIds": []}),
    )
    .unwrap();
    let made = house
        .tablet
        .write(async |tx| reservations::create(tx, &input).await)
        .await
        .unwrap()
        .value;
    let patch = serde_json::from_value(json!({"partySize": 3})).unwrap();
    house
        .tablet
        .write(async |tx| reservations::update(tx, made.id, &patch, None).await)
        .await
        .unwrap();
    let cancel = async || {
        house
            .tablet
            .write(async |tx| reservations::cancel(tx, made.id, None).await)
            .await
            .unwrap();
    };
    cancel().await;
    cancel().await;
    house
        .tablet
        .change_restaurant(json!({"settings": {"needsCleaning": true}}))
        .await;
    let audit = entries(&house.tablet, json!({})).await;
    let (booking, id) = (AuditEntity::Reservation, made.id.0);
    assert_eq!(
        audit.iter().map(said).collect::<Vec<_>>(),
        [
            (booking, id, Action::Created, Value::Null, json!(made)),
            (
                booking,
                id,
                Action::InfoUpdated,
                json!({"partySize": 2}),
                json!({"partySize": 3})
            ),
            (
                booking,
                id,
                Action::Cancelled,
                json!({"status": "confirmed"}),
                json!({"status": "cancelled"})
            ),
            (
                AuditEntity::Restaurant,
                house.id().0,
                Action::InfoUpdated,
                json!({"settings": {"needsCleaning": false}}),
                json!({"settings": {"needsCleaning": true}})
            ),
        ]
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_members_and_never_their_secrets() {
    let house = House::open().await;
    let founded = house.test.restaurant().await;
    let owner = scope(founded.restaurant_id, Role::Owner, Some(founded.user_id));
    let staff = house.test.member(founded.restaurant_id, Role::Staff).await;
    let patch: UpdateUser = serde_json::from_value(json!({"role": "manager"})).unwrap();
    let changed = house.test.update_user(&owner, staff.id, &patch, None).await;
    changed.unwrap();
    let link = house.test.reset_link(&owner, staff.id).await.unwrap();
    house.test.reset(&link).await.unwrap();
    house
        .test
        .delete_user(&owner, staff.id, None)
        .await
        .unwrap();
    let office = Tablet {
        db: house.db().clone(),
        scope: owner,
    };
    let audit = entries(&office, json!({})).await;
    let founder = (Some(founded.user_id), Some("Ada Byron"));
    let who: Vec<_> = audit
        .iter()
        .map(|entry| (entry.actor_id, entry.actor_name.as_deref()))
        .collect();
    let (nobody, member) = ((None, None), (Some(staff.id), Some("Sam")));
    assert_eq!(
        who,
        [
            founder, founder, nobody, member, nobody, nobody, founder, founder, member, founder
        ]
    );
    let text = serde_json::to_string(&audit).unwrap();
    for secret in [HASH, "a new hash", "entirely new", &link] {
        assert!(!text.contains(secret), "{text}");
    }
    let said: Vec<_> = audit.iter().map(said).collect();
    let (restaurant, user) = (AuditEntity::Restaurant, AuditEntity::User);
    let (invitation, invited) = (AuditEntity::Invitation, said[2].1);
    assert_eq!(
        said.iter()
            .map(|said| (said.0, said.1, said.2))
            .collect::<Vec<_>>(),
        [
            (restaurant, founded.restaurant_id.0, Action::Created),
            (user, founded.user_id.0, Action::Created),
            (invitation, invited, Action::Created),
            (invitation, invited, Action::Accepted),
            (user, staff.id.0, Action::Created),
            (invitation, invited, Action::Confirmed),
            (user, staff.id.0, Action::InfoUpdated),
            (user, staff.id.0, Action::ResetLinkMade),
            (user, staff.id.0, Action::PasswordReset),
            (user, staff.id.0, Action::Deleted),
        ]
    );
    assert_eq!(
        (&said[6].3, &said[6].4),
        (&json!({"role": "staff"}), &json!({"role": "manager"}))
    );
    assert_eq!((&said[8].3, &said[8].4), (&json!({}), &json!({})));
    assert_eq!(said[9].3["email"], staff.email);
    house.close().await;
}

/// First and last state count, whatever was between; what was undone was never there.
#[tokio::test(flavor = "multi_thread")]
async fn of_several_changes_in_one_transaction() {
    let house = House::open().await;
    let (guest, table) = (
        house.tablet.add_guest("Ada", 2).await,
        house.tablet.add_table("1", 4).await,
    );
    let before = house.tablet.head().await.last_seq;
    let noted = |notes: &str| UpdateGuest {
        notes: Some(Some(notes.to_owned())),
        ..UpdateGuest::default()
    };
    let renamed = UpdateGuest {
        guest_name: Some("Byron".to_owned()),
        ..UpdateGuest::default()
    };
    let nothing = UpdateTable::default();
    let done = house.tablet.write(async |tx| {
        guests::update(tx, guest.id, &noted("first"), None).await?;
        guests::update(tx, guest.id, &renamed, None).await?;
        let undone = tx.attempt(async |tx| {
            guests::update(tx, guest.id, &noted("undone"), None).await?;
            tables::delete(tx, new_id(), None).await
        });
        undone.await?.unwrap_err();
        tables::update(tx, table.id, &nothing, None).await?;
        guests::update(tx, guest.id, &noted("last"), None).await
    });
    done.await.unwrap();
    let audit: Vec<_> = entries(&house.tablet, json!({}))
        .await
        .into_iter()
        .filter(|entry| entry.seq > before)
        .collect();
    assert_eq!(
        audit.iter().map(said).collect::<Vec<_>>(),
        [(
            AuditEntity::Guest,
            guest.id.0,
            Action::InfoUpdated,
            json!({"guestName": "Ada", "notes": null}),
            json!({"guestName": "Byron", "notes": "last"}),
        )]
    );
    house
        .tablet
        .write(async |tx| {
            let guest = guests::create(
                tx,
                &serde_json::from_value(json!({"guestName": "x", "partySize": 1}))?,
            )
            .await?;
            guests::delete(tx, guest.id, None).await
        })
        .await
        .unwrap();
    assert_eq!(entries(&house.tablet, json!({})).await.len(), 3);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_whom_from_where_and_in_which_request() {
    let house = House::open().await;
    let founded = house.test.restaurant().await;
    let device = house
        .test
        .open(&NewSession {
            user_id: founded.user_id,
            auth_version: founded.auth_version,
            restaurant_id: Some(founded.restaurant_id),
            device_name: Some("Host stand".to_owned()),
        })
        .await
        .unwrap()
        .session_id;
    let mut owner = scope(founded.restaurant_id, Role::Owner, Some(founded.user_id));
    owner.actor.session_id = Some(device);
    let transaction = new_id();
    let office = Tablet {
        db: house.db().clone(),
        scope: Scope {
            request_id: RequestId::new("a-request"),
            transaction_id: Some(transaction),
            ..owner
        },
    };
    let guest = office.add_guest("Ada", 2).await;
    // The login is forgotten, the entry is not.
    house.test.sql("DELETE FROM device_sessions").await;
    let audit = entries(&office, json!({"id": guest.id})).await;
    let [entry] = audit.as_slice() else {
        panic!("{audit:?}")
    };
    assert_eq!(entry.created_at, house.test.clock.now());
    assert_eq!(entry.actor_id, Some(founded.user_id));
    assert_eq!(entry.actor_name.as_deref(), Some("Ada Byron"));
    assert_eq!(entry.session_id, Some(device));
    assert_eq!(entry.device_name.as_deref(), Some("Host stand"));
    assert_eq!(entry.request_id.as_deref(), Some("a-request"));
    assert_eq!(entry.transaction_id, Some(transaction));
    // The end of a client's transaction is an event, but changes nothing.
    let done = office.write(async |tx| {
        guests::update(
            tx,
            guest.id,
            &serde_json::from_value(json!({"notes": "n"}))?,
            None,
        )
        .await?;
        tx.tell_complete()
    });
    assert_eq!(done.await.unwrap().appended.unwrap().events.len(), 2);
    assert_eq!(entries(&office, json!({"id": guest.id})).await.len(), 2);
    house.close().await;
}
