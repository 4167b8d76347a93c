//! Who follows a party or a booking without an account.

use chrono::TimeDelta;
use domain::db::{PgConnection, Tx};
use domain::floor::{guests, reservations};
use domain::holders;
use serde_json::json;
use wire::RootId;
use wire::floor::guests::Guest;
use wire::floor::reservations::Reservation;

use super::large::{House, now, read as from};

pub(super) async fn run(house: &House) {
    let here = house.id();
    let input = from(json!({"guestName": "Eve", "partySize": 2}));
    let create = async |tx: &mut Tx<'_>| guests::create(tx, &input).await;
    let guest: Guest = house.write("guests.create", "to follow", create).await;
    let link = async |tx: &mut Tx<'_>| guests::make_link(tx, guest.id).await;
    let secret = house.write("guests.link", "", link).await;
    let secret = holders::Secret::parse(&secret).unwrap();
    let time = now() + TimeDelta::days(30 + i64::try_from(house.round).unwrap());
    let input = from(json!({"guestName": "Eve", "partySize": 2, "reservationTime": time}));
    let create = async |tx: &mut Tx<'_>| reservations::create(tx, &input).await;
    let booking: Reservation = house
        .write("reservations.create", "to follow", create)
        .await;
    let link = async |tx: &mut Tx<'_>| reservations::make_link(tx, booking.id).await;
    house.write("reservations.link", "", link).await;

    let find = async |conn: &mut PgConnection| holders::holder(conn, now(), &secret).await;
    let held = house.read("holders.find", "", find).await.unwrap();
    let place = (here, held.root);
    let find =
        async |conn: &mut PgConnection| holders::holder_of(conn, now(), &secret, place).await;
    assert_eq!(house.read("holders.of", "", find).await, Some(held));
    let others = (0..60).map(|number| (here, RootId(house.waiting(number % 3).0)));
    let places: Vec<holders::Place> = others.chain([place]).collect();
    let stamps = async |conn: &mut PgConnection| holders::stamps(conn, now(), &places).await;
    let stamps = house.read("holders.stamps", "", stamps).await;
    assert_eq!(stamps.get(&place), Some(&held.stamp));

    let own = async |conn: &mut PgConnection| guests::get_own(conn, here, guest.id).await;
    house.read("guests.own", "", own).await;
    let own = async |conn: &mut PgConnection| reservations::get_own(conn, here, booking.id).await;
    house.read("reservations.own", "", own).await;
    let cancel = async |tx: &mut Tx<'_>| guests::cancel_own(tx, guest.id).await;
    house.write("guests.cancel_own", "", cancel).await;
    let cancel = async |tx: &mut Tx<'_>| reservations::cancel_own(tx, booking.id).await;
    house.write("reservations.cancel_own", "", cancel).await;
}
