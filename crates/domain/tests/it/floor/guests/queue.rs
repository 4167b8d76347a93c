//! Places on the waiting list, and visits before.

use serde_json::json;
use wire::floor::guests::Guest;

use super::seated;
use crate::house::House;
use crate::tablet::Tablet;

#[tokio::test(flavor = "multi_thread")]
async fn wait_in_the_order_in_which_they_came() {
    let house = House::open().await;
    let table = house.tablet.add_table("1", 4).await;
    let mut positions = Vec::new();
    let mut guests = Vec::new();
    for name in ["Ada", "Bea", "Cleo"] {
        let guest = house.tablet.add_guest(name, 2).await;
        positions.push(guest.wait_position);
        guests.push(guest);
    }
    assert_eq!(positions, [Some(1), Some(2), Some(3)]);

    let notified = house
        .tablet
        .change_guest(guests[1].id, json!({"status": "notified"}))
        .await;
    assert_eq!(notified.wait_position, Some(2), "told, and still waiting");
    let back = house
        .tablet
        .change_guest(guests[1].id, json!({"status": "waiting"}))
        .await;
    assert_eq!(back.wait_position, Some(2));

    house.tablet.seat(&guests[0], &[&table]).await.unwrap();
    let late = house.tablet.add_guest("Dora", 2).await;
    assert_eq!(late.wait_position, Some(4));
    let undone = house
        .tablet
        .change_guest(guests[0].id, json!({"status": "waiting"}))
        .await;
    assert_eq!(undone.wait_position, Some(5), "behind those who wait now");

    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    assert_eq!(
        other.add_guest("Ada", 2).await.wait_position,
        Some(1),
        "a list of its own"
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn are_known_by_their_number() {
    let house = House::open().await;
    let visit = async |phone: Option<&str>| {
        let input = json!({"guestName": "Ada", "partySize": 2, "phone": phone});
        house.tablet.try_add_guest(input).await.unwrap()
    };
    let eat = async |guest: &Guest| {
        house
            .tablet
            .change_guest(guest.id, seated(&house).await)
            .await;
        house
            .tablet
            .change_guest(guest.id, json!({"status": "completed"}))
            .await
    };
    let first = visit(Some("+1 (555) 010-0")).await;
    assert_eq!(first.total_visits, 1);
    assert_eq!(eat(&first).await.total_visits, 1);
    let second = visit(Some("1-555-0100")).await;
    assert_eq!(
        second.total_visits, 2,
        "the same number, written in another way"
    );
    assert_eq!(
        visit(Some("15550100")).await.total_visits,
        2,
        "the second has not eaten yet"
    );
    eat(&second).await;
    let third = visit(Some("1 555 0100")).await;
    assert_eq!(third.total_visits, 3);
    house
        .tablet
        .change_guest(third.id, json!({"status": "no_show"}))
        .await;
    assert_eq!(
        visit(Some("+15550100")).await.total_visits,
        3,
        "whoever never came did not visit"
    );

    let stranger = visit(None).await;
    assert_eq!(stranger.total_visits, 1);
    let known = house
        .tablet
        .change_guest(stranger.id, json!({"phone": "1.555.0100"}))
        .await;
    assert_eq!(known.total_visits, 3);
    let unknown = house
        .tablet
        .change_guest(stranger.id, json!({"phone": null}))
        .await;
    assert_eq!(unknown.total_visits, 1);
    assert_eq!(
        visit(Some("n/a")).await.total_visits,
        1,
        "no digits, no number"
    );

    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    let input = json!({"guestName": "Ada", "partySize": 2, "phone": "15550100"});
    assert_eq!(other.try_add_guest(input).await.unwrap().total_visits, 1);
    house.close().await;
}
