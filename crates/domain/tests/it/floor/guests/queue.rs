//! Places on the waiting list, and visits before.

use std::time::Duration;

use domain::Error;
use futures_util::future::join_all;
use serde_json::{Value, json};
use wire::floor::guests::Guest;

use super::seated;
use crate::house::House;
use crate::support::fields;
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
    assert_eq!(late.wait_position, Some(3), "the others moved up");
    let undone = house
        .tablet
        .change_guest(guests[0].id, json!({"status": "waiting"}))
        .await;
    assert_eq!(
        undone.wait_position,
        Some(1),
        "as if it had not been seated"
    );
    assert_eq!(waiting(&house).await, ["Ada", "Bea", "Cleo", "Dora"]);

    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    assert_eq!(
        other.add_guest("Ada", 2).await.wait_position,
        Some(1),
        "a list of its own"
    );
    house.close().await;
}

/// The names on the list, in the order of their places, which are without gaps.
async fn waiting(house: &House) -> Vec<String> {
    let filter = json!({"status": "waiting,notified"});
    let since = house.test.clock.now();
    let mut list = house
        .tablet
        .guests_since(since, filter)
        .await
        .unwrap()
        .items;
    list.sort_by_key(|guest| guest.wait_position);
    let places: Vec<Option<i32>> = list.iter().map(|guest| guest.wait_position).collect();
    assert_eq!(
        places,
        (1..).map(Some).take(places.len()).collect::<Vec<_>>()
    );
    list.into_iter().map(|guest| guest.guest_name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn are_moved_and_each_that_gives_way_is_told_of() {
    let house = House::open().await;
    let mut guests = Vec::new();
    for name in ["Ada", "Bea", "Cleo", "Dora"] {
        guests.push(house.tablet.add_guest(name, 2).await);
    }
    let before = house.tablet.head().await.last_seq;
    let dora = house
        .tablet
        .change_guest(
            guests[3].id,
            json!({"waitPosition": 2, "notes": "in a hurry"}),
        )
        .await;
    assert_eq!(dora.wait_position, Some(2));
    let told: Vec<(Value, Value)> = house
        .tablet
        .events_after(before)
        .await
        .iter()
        .map(|event| {
            (
                event["data"]["guestName"].clone(),
                event["data"]["waitPosition"].clone(),
            )
        })
        .collect();
    let expected = [("Dora", 2), ("Bea", 3), ("Cleo", 4)];
    assert_eq!(
        told,
        expected.map(|(name, place)| (json!(name), json!(place))),
        "not Ada"
    );
    let same = house
        .tablet
        .change_guest(dora.id, json!({"waitPosition": 2}))
        .await;
    assert_eq!(same, dora, "it stands there");
    house
        .tablet
        .change_guest(guests[0].id, json!({"wait_position": 99}))
        .await;
    assert_eq!(waiting(&house).await, ["Dora", "Bea", "Cleo", "Ada"]);

    let table = house.tablet.add_table("1", 4).await;
    house.tablet.seat(&guests[1], &[&table]).await.unwrap();
    house.tablet.delete_guest(guests[2].id, None).await.unwrap();
    assert_eq!(waiting(&house).await, ["Dora", "Ada"]);
    for (id, place) in [(guests[1].id, 1), (guests[0].id, 0)] {
        let refused = house
            .tablet
            .try_change_guest(id, json!({"waitPosition": place}))
            .await;
        assert_eq!(fields(refused), ["waitPosition"]);
    }
    house
        .tablet
        .change_guest(guests[1].id, json!({"status": "waiting"}))
        .await;
    assert_eq!(waiting(&house).await, ["Dora", "Bea", "Ada"]);
    let both = json!({"status": "cancelled", "waitPosition": 1});
    assert_eq!(
        fields(house.tablet.try_change_guest(dora.id, both).await),
        ["waitPosition"]
    );
    house.close().await;
}

/// Two hosts move parties at once, others come and go: the list stays one.
#[tokio::test(flavor = "multi_thread")]
async fn are_moved_by_several_hosts_at_once() {
    let house = House::open().await;
    let pools = [(); 2].map(|()| house.pool(&house.url, 3, Duration::from_secs(30)));
    let (mut guests, mut tables) = (Vec::new(), Vec::new());
    for n in 0..6 {
        guests.push(house.tablet.add_guest(&format!("Party {n}"), 2).await);
        tables.push(house.tablet.add_table(&n.to_string(), 4).await);
    }
    join_all((0..4_usize).map(async |host| {
        let tablet = house.tablet.through(&pools[host % 2]);
        for tap in 0..8 {
            let n = (host + tap) % 6;
            let patch = match (host + tap) % 4 {
                0 => json!({"waitPosition": tap}),
                1 => json!({"status": "cancelled"}),
                2 => json!({"status": "seated", "tableId": tables[n].id}),
                _ => json!({"status": "waiting"}),
            };
            match tablet.try_change_guest(guests[n].id, patch).await {
                Ok(_) | Err(Error::Refused { .. } | Error::Invalid(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
            if tap % 4 == host {
                tablet.add_guest("Walk-in", 3).await;
            }
        }
    }))
    .await;
    waiting(&house).await;
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
