//! The floor: what every tablet reads all evening, and what hosts change.

use chrono::TimeDelta;
use domain::db::{PgConnection, Tx};
use domain::due;
use domain::floor::{
    availability, dashboard, guests, holds, reservations, snapshot, tables, waitlist,
};
use domain::rooms::DUE;
use domain::venue::restaurants;
use serde_json::{Value, json};
use wire::floor::availability::Hold;
use wire::floor::guests::{Guest, GuestStatus};
use wire::{GuestId, ReservationId, RestaurantId, TableId};

use super::large::{House, id, now, read as from};

/// Everything that is only read.
pub(super) async fn read(house: &House) {
    lists_of_guests(house).await;
    lists_of_others(house).await;
    let here = house.id();
    let (guest, table) = house.seated(0);
    let name = "guests.get";
    house
        .read(name, "", async |conn| guests::get(conn, here, guest).await)
        .await;
    let name = "tables.get";
    house
        .read(name, "", async |conn| tables::get(conn, here, table).await)
        .await;
    let name = "reservations.get";
    let booking: ReservationId = id(72_007);
    house
        .read(name, "", async |conn| {
            reservations::get(conn, here, booking).await
        })
        .await;
    let name = "floor.view";
    house
        .read(name, "", async |conn| {
            restaurants::floor_view(conn, here, now()).await
        })
        .await;
    let name = "floor.snapshot";
    house
        .read(name, "", async |conn| {
            let view = restaurants::floor_view(conn, here, now()).await?;
            restaurants::get(conn, here).await?;
            snapshot::read(conn, here, view.service_day_start, now()).await
        })
        .await;
    let name = "floor.dashboard";
    house
        .read(name, "", async |conn| {
            dashboard::read(conn, here, now()).await
        })
        .await;
    let query = from(json!({"partySize": 4}));
    let name = "waitlist.quote";
    house
        .read(name, "", async |conn| {
            waitlist::ask(conn, here, &query, now()).await
        })
        .await;
    let query = from(json!({"date": "2026-03-20", "partySize": 4}));
    let name = "availability.day";
    house
        .read(name, "", async |conn| {
            availability::day(conn, here, &query, now()).await
        })
        .await;
}

async fn lists_of_guests(house: &House) {
    let (_, table) = house.seated(1);
    let lately = now() - TimeDelta::minutes(30);
    for (what, filter) in [
        ("the floor", json!({})),
        ("who waits", json!({"status": "waiting,notified"})),
        ("who sits", json!({"status": "seated"})),
        ("at a table", json!({"tableId": table})),
        ("by name", json!({"q": "schmidt"})),
        ("changed lately", json!({"updatedSince": lately})),
        ("all", json!({"scope": "all"})),
        (
            "of all, who waits",
            json!({"scope": "all", "status": "waiting"}),
        ),
        (
            "of all, who did not come",
            json!({"scope": "all", "status": "no_show"}),
        ),
        (
            "of all, at a table",
            json!({"scope": "all", "tableId": table}),
        ),
        (
            "of all, by name",
            json!({"scope": "all", "q": "anna schmidt", "limit": 20}),
        ),
        (
            "of all, by a rare name",
            json!({"scope": "all", "q": "c4ca42"}),
        ),
        (
            "of all, by number",
            json!({"scope": "all", "q": "+49 30 1023757"}),
        ),
        ("of all, by digits", json!({"scope": "all", "q": "1023757"})),
        (
            "of all, changed lately",
            json!({"scope": "all", "updatedSince": lately}),
        ),
    ] {
        let next = guest_list(house, what, filter.clone()).await;
        if let Some(cursor) = next {
            let mut filter = filter;
            filter["cursor"] = Value::from(cursor);
            guest_list(house, &format!("{what}, next page"), filter).await;
        }
    }
}

async fn guest_list(house: &House, what: &str, filter: Value) -> Option<String> {
    let (here, filter) = (house.id(), from(filter));
    let since = now() - TimeDelta::hours(7);
    let list = async |conn: &mut PgConnection| guests::list(conn, here, &filter, since).await;
    house.read("guests.list", what, list).await.next
}

async fn lists_of_others(house: &House) {
    let here = house.id();
    for (what, filter) in [
        ("all", json!({"limit": 50})),
        ("free", json!({"status": "available"})),
        ("of a section", json!({"section": "Section 3"})),
    ] {
        let first = from(filter.clone());
        let list = async |conn: &mut PgConnection| tables::list(conn, here, &first).await;
        let page = house.read("tables.list", what, list).await;
        if let Some(next) = page.next {
            let mut filter = filter;
            filter["cursor"] = Value::from(next);
            let filter = from(filter);
            let list = async |conn: &mut PgConnection| tables::list(conn, here, &filter).await;
            house
                .read("tables.list", &format!("{what}, next page"), list)
                .await;
        }
    }
    for (what, filter) in [
        ("of a day", json!({"date": "2026-03-14"})),
        (
            "of a day at a table",
            json!({"date": "2026-03-14", "tableId": id::<TableId>(8)}),
        ),
        ("all", json!({"limit": 100})),
        ("to come", json!({"status": "confirmed", "limit": 100})),
        (
            "at a table",
            json!({"tableId": id::<TableId>(8), "limit": 20}),
        ),
    ] {
        let first = from(filter.clone());
        let list = async |conn: &mut PgConnection| reservations::list(conn, here, &first).await;
        let page = house.read("reservations.list", what, list).await;
        if let Some(next) = page.next {
            let mut filter = filter;
            filter["cursor"] = Value::from(next);
            let filter = from(filter);
            let list =
                async |conn: &mut PgConnection| reservations::list(conn, here, &filter).await;
            house
                .read("reservations.list", &format!("{what}, next page"), list)
                .await;
        }
    }
}

/// An evening.
pub(super) async fn change(house: &House) {
    let came = of_guests(house).await;
    of_tables(house).await;
    of_bookings(house, came).await;
    for due in DUE {
        let find = async |conn: &mut PgConnection| due::find(conn, *due, now(), &[], 100).await;
        let late: Vec<RestaurantId> = house.read("due.find", due.name(), find).await;
        assert!(late.len() > 1, "{late:?}");
        house
            .write("due.pass_time", due.name(), async |tx| {
                due::pass_time(tx, *due).await
            })
            .await;
    }
}

async fn of_guests(house: &House) -> GuestId {
    let input = from(json!({"guestName": "Ada", "partySize": 2, "phone": "+49 30 1007919"}));
    let create = async |tx: &mut Tx<'_>| guests::create(tx, &input).await;
    let came: Guest = house.write("guests.create", "", create).await;
    update_guest(house, "a note", came.id, json!({"notes": "by the window"})).await;
    update_guest(
        house,
        "a number",
        came.id,
        json!({"phone": "+49 30 1015838"}),
    )
    .await;
    update_guest(
        house,
        "their table is ready",
        came.id,
        json!({"status": "notified"}),
    )
    .await;
    update_guest(
        house,
        "a place on the list",
        house.waiting(0),
        json!({"waitPosition": 3}),
    )
    .await;
    let table = house.free_table(0);
    let seated = update_guest(house, "seated", house.waiting(1), json!({"tableId": table})).await;
    assert_eq!(seated.status, GuestStatus::Seated);
    let table = house.free_table(1);
    update_guest(house, "moved", house.waiting(1), json!({"tableId": table})).await;
    update_guest(
        house,
        "left",
        house.waiting(1),
        json!({"status": "completed"}),
    )
    .await;
    let gone = house.waiting(2);
    house
        .write("guests.delete", "", async |tx| {
            guests::delete(tx, gone, None).await
        })
        .await;
    came.id
}

async fn update_guest(house: &House, what: &str, id: GuestId, patch: Value) -> Guest {
    let patch = from(patch);
    let update = async |tx: &mut Tx<'_>| guests::update(tx, id, &patch, None).await;
    house.write("guests.update", what, update).await
}

async fn of_tables(house: &House) {
    let (_, taken) = house.seated(2);
    house
        .write("tables.clear", "", async |tx| {
            tables::clear(tx, taken).await
        })
        .await;
    for (what, patch) in [
        ("out of service", json!({"status": "out_of_service"})),
        ("in service again", json!({"status": "available"})),
        ("moved", json!({"position": {"x": 0.1, "y": 0.2}})),
    ] {
        let (table, patch) = (house.free_table(2), from(patch));
        let update = async |tx: &mut Tx<'_>| tables::update(tx, table, &patch, None).await;
        house.write("tables.update", what, update).await;
    }
    let input = from(json!({"tableNumber": format!("N{}", house.round), "capacity": 4}));
    let create = async |tx: &mut Tx<'_>| tables::create(tx, &input).await;
    let table = house.write("tables.create", "", create).await.id;
    house
        .write("tables.delete", "", async |tx| {
            tables::delete(tx, table, None).await
        })
        .await;
}

async fn of_bookings(house: &House, came: GuestId) {
    let chosen = json!({"guestName": "Ada", "guestPhone": "+49 30 1", "partySize": 2,
        "reservationTime": now() + TimeDelta::days(2)});
    let mut asked = chosen.clone();
    asked["tableIds"] = json!([house.free_table(3)]);
    asked["reservationTime"] = json!(now() + TimeDelta::hours(4));
    let mut booked = Vec::new();
    for (what, input) in [("any table", chosen), ("a table", asked)] {
        let input = from(input);
        let create = async |tx: &mut Tx<'_>| reservations::create(tx, &input).await;
        booked.push(house.write("reservations.create", what, create).await.id);
    }
    let [chosen, asked] = booked[..] else {
        unreachable!()
    };
    for (what, patch) in [
        ("a note", json!({"notes": "a birthday"})),
        (
            "an hour later",
            json!({"reservationTime": now() + TimeDelta::hours(5)}),
        ),
    ] {
        let patch = from(patch);
        let update = async |tx: &mut Tx<'_>| reservations::update(tx, asked, &patch, None).await;
        house.write("reservations.update", what, update).await;
    }
    let input = from(json!({"guestId": came}));
    let check_in = async |tx: &mut Tx<'_>| reservations::check_in(tx, asked, &input).await;
    house.write("reservations.check_in", "", check_in).await;
    let input = from(json!({}));
    let seat = async |tx: &mut Tx<'_>| reservations::seat(tx, asked, &input).await;
    house.write("reservations.seat", "", seat).await;
    let cancel = async |tx: &mut Tx<'_>| reservations::cancel(tx, chosen, None).await;
    house.write("reservations.cancel", "", cancel).await;

    let input = from(json!({"partySize": 2, "reservationTime": now() + TimeDelta::days(3)}));
    let create = async |tx: &mut Tx<'_>| holds::create(tx, &input).await;
    let hold: Hold = house.write("holds.create", "", create).await;
    house
        .write("holds.delete", "", async |tx| {
            holds::delete(tx, hold.id).await
        })
        .await;
}
