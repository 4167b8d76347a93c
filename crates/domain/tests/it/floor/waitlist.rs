//! Quoted waits, from what the database knows.

use chrono::TimeDelta;
use domain::floor::{dashboard, waitlist};
use serde_json::json;
use wire::floor::waitlist::{WaitQuote, WaitQuoteQuery};

use crate::house::{House, missing};
use crate::support::fields;
use crate::tablet::Tablet;

async fn ask(tablet: &Tablet, party_size: Option<i32>) -> domain::Result<WaitQuote> {
    let (here, now) = (tablet.id(), tablet.db.clock().now());
    let query = WaitQuoteQuery { party_size };
    tablet
        .db
        .read("test", async |conn| {
            waitlist::ask(conn, here, &query, now).await
        })
        .await
}

fn later(house: &House, minutes: i64) {
    house.test.clock.advance(TimeDelta::minutes(minutes));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_floor() {
    let house = House::open().await;
    let tablet = &house.tablet;
    let nothing = ask(tablet, Some(2)).await.unwrap();
    assert_eq!(
        (nothing.low_minutes, nothing.basis.tables_that_fit),
        (None, 0)
    );
    assert_eq!(
        tablet.add_guest("Too early", 2).await.quoted_wait_minutes,
        None
    );

    let table = tablet.add_table("1", 4).await;
    let out = json!({"tableNumber": "2", "capacity": 4, "status": "out_of_service"});
    tablet.try_add_table(out).await.unwrap();
    // Ten parties that left again, each after forty minutes.
    for _ in 0..10 {
        let guest = tablet.add_guest("Ada", 4).await;
        tablet.seat(&guest, &[&table]).await.unwrap();
        later(&house, 40);
        tablet.clear(table.id).await.unwrap();
    }
    let sits = tablet.add_guest("Bea", 3).await;
    tablet.seat(&sits, &[&table]).await.unwrap();
    later(&house, 10);
    let quote = ask(tablet, Some(4)).await.unwrap();
    assert_eq!((quote.basis.seatings, quote.basis.tables_that_fit), (10, 1));
    assert_eq!(
        (quote.basis.min_party_size, quote.basis.turn_minutes),
        (3, 54)
    );
    assert_eq!(
        (quote.basis.free_now, quote.basis.next_free_minutes),
        (0, Some(44))
    );
    assert_eq!((quote.parties_ahead, quote.basis.prior_weight), (1, 10));
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    assert_eq!(
        ask(&other, Some(4)).await.unwrap().basis.seatings,
        0,
        "its own"
    );

    let big = ask(tablet, Some(5)).await.unwrap();
    assert_eq!((big.low_minutes, big.parties_ahead), (None, 0));
    for size in [None, Some(0), Some(101)] {
        assert_eq!(fields(ask(tablet, size).await), ["partySize"]);
    }
    let mut nowhere = tablet.clone();
    nowhere.scope.restaurant_id = domain::clock::new_id();
    assert_eq!(missing(ask(&nowhere, Some(2)).await), "restaurant");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_and_joined_tables_count() {
    let house = House::open().await;
    let tablet = &house.tablet;
    let (one, two) = (
        tablet.add_table("1", 4).await,
        tablet.add_table("2", 4).await,
    );
    let group = json!({"joinableGroups": [{"tableIds": [one.id, two.id]}]});
    tablet.change_restaurant(json!({"settings": group})).await;
    let quote = ask(tablet, Some(8)).await.unwrap();
    assert_eq!((quote.high_minutes, quote.basis.free_now), (Some(0), 1));
    let soon = house.test.clock.now() + TimeDelta::minutes(30);
    let booking = json!({
        "guestName": "Ada", "partySize": 4, "tableIds": [two.id], "reservationTime": soon,
        "durationMinutes": 90,
    });
    let booking = tablet.book(booking).await;
    let quote = ask(tablet, Some(8)).await.unwrap();
    assert_eq!(
        (quote.low_minutes, quote.high_minutes),
        (Some(120), Some(120))
    );
    assert_eq!(
        ask(tablet, Some(4)).await.unwrap().high_minutes,
        Some(0),
        "the other one"
    );
    // Who has booked is not in the way of who has not, and is quoted nothing.
    let arrived = tablet
        .change_booking(booking.id, json!({"status": "arrived"}))
        .await;
    let party = tablet.guest(arrived.guest_id.unwrap()).await.unwrap();
    assert_eq!(
        (party.quoted_high_minutes, party.wait_position),
        (None, Some(1))
    );
    assert_eq!(ask(tablet, Some(4)).await.unwrap().parties_ahead, 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_quoted_is_kept_and_measured() {
    let house = House::open().await;
    let tablet = &house.tablet;
    let table = tablet.add_table("1", 4).await;
    let at_once = tablet.add_guest("Ada", 2).await;
    assert_eq!(
        (at_once.quoted_low_minutes, at_once.quoted_wait_minutes),
        (Some(0), Some(0))
    );
    let seated = tablet.seat(&at_once, &[&table]).await.unwrap();
    assert_eq!(
        (seated.waited_minutes, seated.quote_error_minutes),
        (Some(0), Some(0))
    );

    let quote = ask(tablet, Some(2)).await.unwrap();
    let silent = tablet.add_guest("Bea", 2).await;
    assert_eq!(silent.quoted_low_minutes, quote.low_minutes);
    assert_eq!(silent.quoted_high_minutes, quote.high_minutes);
    assert_eq!(
        silent.quoted_wait_minutes, quote.high_minutes,
        "the host said nothing else"
    );
    let input = json!({"guestName": "Cleo", "partySize": 2, "quotedWaitMinutes": 20});
    let told = tablet.try_add_guest(input).await.unwrap();
    assert_eq!(told.quoted_wait_minutes, Some(20));
    assert!(
        told.quoted_high_minutes > quote.high_minutes,
        "one more is ahead"
    );
    assert_eq!((told.waited_minutes, told.over_quote), (None, false));

    later(&house, 32);
    tablet.clear(table.id).await.unwrap();
    let late = tablet.seat(&told, &[&table]).await.unwrap();
    assert_eq!(
        (late.waited_minutes, late.quote_error_minutes),
        (Some(32), Some(12))
    );
    assert!(late.over_quote);
    let walk_in = json!({"guestName": "Dora", "partySize": 2, "tableId": table.id});
    tablet.clear(table.id).await.unwrap();
    let walk_in = tablet.try_add_guest(walk_in).await.unwrap();
    assert_eq!(
        (walk_in.waited_minutes, walk_in.quoted_high_minutes),
        (None, None)
    );

    let quotes = async || {
        let (here, now) = (house.id(), house.test.clock.now());
        let read =
            async |conn: &mut domain::db::PgConnection| dashboard::read(conn, here, now).await;
        house.db().snapshot("test", read).await.unwrap().1.quotes
    };
    let found = quotes().await;
    assert_eq!((found.measured, found.held_percent), (2, Some(50.0)));
    assert_eq!(
        (found.in_range_percent, found.median_error_minutes),
        (Some(50.0), Some(6.0))
    );
    later(&house, 7 * 24 * 60 + 1);
    let none = quotes().await;
    assert_eq!(
        (none.measured, none.held_percent, none.median_error_minutes),
        (0, None, None)
    );
    house.close().await;
}
