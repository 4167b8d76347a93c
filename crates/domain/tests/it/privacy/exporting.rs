//! Everything, and nothing of others.

use domain::privacy;
use serde_json::json;
use wire::audit::AuditEntity;
use wire::live::events::Action;
use wire::privacy::{PersonExport, PersonQuery};

use super::{NUMBER, erase, regular};
use crate::audit::entries;
use crate::house::House;

async fn export(house: &House) -> PersonExport {
    let (here, now) = (house.id(), house.test.clock.now());
    let query = PersonQuery {
        phone: Some(NUMBER.to_owned()),
        email: None,
    };
    let read = house.db().snapshot("test", async |conn| {
        privacy::export(conn, here, &query, now).await
    });
    let export = read.await.unwrap();
    house
        .tablet
        .write(async |tx| privacy::note_export(tx, &export))
        .await
        .unwrap();
    export
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_kept_is_handed_out_and_noted() {
    let house = House::open().await;
    let stranger = house.tablet.add_guest("Stranger", 2).await;
    let party = regular(&house).await;
    let head = house.tablet.head().await;
    let found = export(&house).await;
    assert_eq!((found.epoch, found.seq), (head.epoch, head.last_seq));
    assert_eq!((found.guests.len(), found.reservations.len()), (3, 1));
    assert!(found.guests.contains(&party));
    assert_eq!(found.events.len(), 9);
    assert_eq!(found.audit.len(), 9);
    // What was answered about them, and only the parts that are.
    assert_eq!(found.answers.len(), 3);
    let text = serde_json::to_string(&found).unwrap();
    assert!(!text.contains("Stranger") && !text.contains(&stranger.id.to_string()));
    let last = entries(&house.tablet, json!({"entity": "person"})).await;
    let [entry] = last.as_slice() else {
        panic!("{last:?}")
    };
    assert_eq!(
        (entry.entity, entry.action),
        (AuditEntity::Person, Action::Exported)
    );
    assert_eq!(
        (entry.entity_id, entry.seq, entry.n),
        (found.id, head.last_seq, 1)
    );
    let text = serde_json::to_string(entry).unwrap();
    assert!(!text.contains("Quill") && !text.contains("9999"), "{text}");
    assert_eq!(house.tablet.head().await, head, "no event tells of it");

    erase(&house.tablet, json!({"phone": NUMBER})).await;
    let found = export(&house).await;
    assert!(found.guests.is_empty() && found.events.is_empty() && found.audit.is_empty());
    house.close().await;
}
