//! Where a log last told of what a list is made of.

use domain::venue::restaurants;
use uuid::Uuid;
use wire::Seq;
use wire::live::events::{Action, EventKind};

use crate::house::House;
use crate::sql::Sql;
use crate::tablet::Tablet;

async fn tell(tablet: &Tablet, kind: EventKind) {
    let told = tablet.write(async |tx| tx.tell(kind, Uuid::now_v7(), Action::InfoUpdated, &"x"));
    told.await.unwrap();
}

/// The last event of the log, and the last that changed what lists of the floor are made of.
async fn stands(tablet: &Tablet) -> (Seq, Seq) {
    let (id, now) = (tablet.id(), tablet.db.clock().now());
    let view = tablet.db.read("floor.view", async |conn| {
        restaurants::floor_view(conn, id, now).await
    });
    let view = view.await.unwrap();
    assert_eq!(view.position.epoch, view.changed.epoch);
    (view.position.seq, view.changed.seq)
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rooms_move_only_the_head() {
    let house = House::open().await;
    let tablet = &house.tablet;
    assert_eq!(stands(tablet).await, (0, 0));
    tell(tablet, EventKind::DishUpdated).await;
    assert_eq!(stands(tablet).await, (1, 0));
    for (seq, kind) in [
        (2, EventKind::GuestUpdated),
        (3, EventKind::RestaurantUpdated),
        (4, EventKind::PersonErased),
    ] {
        tell(tablet, kind).await;
        assert_eq!(stands(tablet).await, (seq, seq), "{kind}");
    }
    tell(tablet, EventKind::CategoryUpdated).await;
    assert_eq!(stands(tablet).await, (5, 4));
}

/// While a release is rolled out, programs write that know of no topics, or of more.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_release_tells_may_be_of_any_topic() {
    let house = House::open().await;
    let tablet = &house.tablet;
    let sql = Sql::beside(&house.test).await;
    tell(tablet, EventKind::TableUpdated).await;
    tell(tablet, EventKind::DishUpdated).await;
    assert_eq!(stands(tablet).await, (2, 1));
    sql.run("UPDATE log_heads SET last_seq = last_seq + 1")
        .await;
    assert_eq!(stands(tablet).await, (3, 3));
    tell(tablet, EventKind::DishUpdated).await;
    assert_eq!(stands(tablet).await, (4, 3));

    sql.run("UPDATE log_heads SET topic_seqs[9] = 2").await;
    tell(tablet, EventKind::DishUpdated).await;
    assert_eq!(stands(tablet).await, (5, 3));
    let kept: Seq = sql.one("SELECT topic_seqs[9] FROM log_heads").await;
    assert_eq!(kept, 2);
}
