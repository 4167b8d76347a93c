//! The log, the audit, who is here, the rights of people, and what workers do in the background.

use chrono::TimeDelta;
use domain::db::PgConnection;
use domain::live::presence::{self, Change, Place};
use domain::rooms::SWEEPS;
use domain::sweeps::{Retention, Round};
use domain::{audit, log, privacy};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::{Epoch, RestaurantId, SessionId, UserId};

use super::large::{House, id, id_at, now, read as from};

pub(super) async fn run(house: &House) {
    the_log(house).await;
    the_audit(house).await;
    who_is_here(house).await;
    the_background(house).await;
    rights(house).await;
}

async fn the_log(house: &House) {
    let here = house.id();
    let all: Vec<RestaurantId> = (1..=40).map(id).collect();
    let heads = async |conn: &mut PgConnection| log::heads(conn, &all).await;
    assert_eq!(house.read("log.heads", "", heads).await.len(), 40);
    for (what, after) in [("the last", 49_900), ("from the middle", 25_000)] {
        let read = async |conn: &mut PgConnection| log::read(conn, here, after, 500).await;
        house.read("log.read", what, read).await;
    }
    house
        .read("log.tail", "", async |conn| {
            log::tail(conn, here, 256).await
        })
        .await;
    let epoch: Epoch = house
        .read("log.tail", "one", async |conn| {
            log::tail(conn, here, 1).await
        })
        .await
        .head
        .epoch;
    let query = from(json!({"since": 40_000, "epoch": epoch}));
    house
        .read("log.delta", "", async |conn| {
            log::delta(conn, here, &query).await
        })
        .await;
}

async fn the_audit(house: &House) {
    let guest: Uuid = id_at(77, now());
    let user: UserId = id(2);
    let since = now() - TimeDelta::days(2);
    for (what, filter) in [
        ("all", json!({})),
        ("of a kind", json!({"entity": "reservation"})),
        ("of two kinds", json!({"entity": "reservation,restaurant"})),
        ("of one", json!({"id": guest})),
        (
            "of one and its kind",
            json!({"entity": "guest", "id": guest}),
        ),
        ("by somebody", json!({"actor": user})),
        (
            "by somebody of a kind",
            json!({"actor": user, "entity": "reservation"}),
        ),
        ("of some days", json!({"since": since, "until": now()})),
    ] {
        let next = audit_list(house, what, filter.clone()).await;
        if let Some(cursor) = next {
            let mut filter = filter;
            filter["cursor"] = Value::from(cursor);
            audit_list(house, &format!("{what}, next page"), filter).await;
        }
    }
}

async fn audit_list(house: &House, what: &str, filter: Value) -> Option<String> {
    let (here, filter) = (house.id(), from(filter));
    let list = async |conn: &mut PgConnection| audit::list(conn, here, &filter).await;
    house.read("audit.list", what, list).await.next
}

async fn who_is_here(house: &House) {
    let here = house.id();
    let name = "presence.read";
    house
        .read(name, "", async |conn| presence::read(conn, here, 100).await)
        .await;
    let some: Vec<RestaurantId> = (1..=20).map(id).collect();
    let digests = async |conn: &mut PgConnection| presence::digests(conn, &some).await;
    house.read("presence.digests", "", digests).await;
    let place = |n| Place {
        restaurant_id: here,
        session_id: id::<SessionId>(n),
    };
    let came = Change {
        here: vec![(place(1), 1), (place(2), 2)],
        gone: Vec::new(),
    };
    let tell = async |conn: &mut PgConnection, _| presence::tell(conn, None, &came).await;
    let tenure = house
        .transaction("presence.tell", "first", tell)
        .await
        .unwrap();
    let went = Change {
        here: vec![(place(2), 1)],
        gone: vec![place(1)],
    };
    let tell = async |conn: &mut PgConnection, _| presence::tell(conn, Some(tenure), &went).await;
    let tenure = house
        .transaction("presence.tell", "again", tell)
        .await
        .unwrap();
    let leave = async |conn: &mut PgConnection, _| presence::leave(conn, tenure).await;
    house.transaction("presence.leave", "", leave).await;
    house
        .transaction("presence.sweep", "", async |conn, _| {
            presence::sweep(conn).await
        })
        .await;
}

async fn the_background(house: &House) {
    let week = TimeDelta::days(7);
    let never = TimeDelta::days(1000);
    for sweep in SWEEPS {
        for (what, events, audit) in [("", week, TimeDelta::days(360)), ("nothing", never, never)] {
            let run = async |conn: &mut PgConnection, now| {
                let round = Round {
                    now,
                    retention: Retention { events, audit },
                    // Few of many: that is when an index tells.
                    batch: sweep.batch / 50,
                };
                (sweep.run)(conn, round).await
            };
            let gone = house.transaction(sweep.name, what, run).await;
            if sweep.name == "log.prune" {
                assert_eq!(gone > 0, what.is_empty());
            }
        }
    }
}

/// Everything about a person, which is looked for in all that is kept.
async fn rights(house: &House) {
    let here = house.id();
    let person = from(
        json!({"phone": format!("+49 30 {}", 1_000_000 + (150 + house.round) * 7919 % 900_000)}),
    );
    let export = async |conn: &mut PgConnection| privacy::export(conn, here, &person, now()).await;
    house.read("privacy.export", "", export).await;
    house
        .write("privacy.erase", "", async |tx| {
            privacy::erase(tx, &person).await
        })
        .await;
}
