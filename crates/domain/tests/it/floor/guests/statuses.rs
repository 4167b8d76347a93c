//! Which status may follow which, and what that says about times and table.

use chrono::TimeDelta;
use serde_json::json;
use wire::ErrorCode;
use wire::floor::guests::{Guest, GuestStatus};

use super::seated;
use crate::house::House;
use crate::support::{code, fields};

const ALLOWED: &[(GuestStatus, &[GuestStatus])] = {
    use GuestStatus as S;
    &[
        (
            S::Waiting,
            &[S::Notified, S::Seated, S::Cancelled, S::NoShow],
        ),
        (
            S::Notified,
            &[S::Waiting, S::Seated, S::Cancelled, S::NoShow],
        ),
        (S::Seated, &[S::Completed, S::Waiting]),
        (S::Completed, &[S::Seated]),
        (S::Cancelled, &[S::Waiting, S::Seated]),
        (S::NoShow, &[S::Waiting, S::Seated]),
    ]
};

/// A party with a status, that has come there as parties do.
async fn party(house: &House, status: GuestStatus) -> Guest {
    let guest = house.tablet.add_guest("Ada", 2).await;
    let steps = match status {
        GuestStatus::Waiting => vec![],
        GuestStatus::Seated => vec![seated(house).await],
        GuestStatus::Completed => vec![seated(house).await, json!({"status": "completed"})],
        status => vec![json!({"status": status})],
    };
    for step in steps {
        house.tablet.change_guest(guest.id, step).await;
    }
    house.tablet.guest(guest.id).await.unwrap()
}

/// What a status says about times, table and place in the queue.
fn check(guest: &Guest) {
    let status = guest.status;
    assert_eq!(
        guest.wait_position.is_some(),
        status.is_waiting(),
        "{guest:?}"
    );
    assert_eq!(
        guest.finished_time.is_some(),
        status.is_finished(),
        "{guest:?}"
    );
    assert_eq!(
        guest.table_id.is_some(),
        status == GuestStatus::Seated,
        "{guest:?}"
    );
    if status == GuestStatus::Seated {
        assert!(guest.seated_time.is_some(), "{guest:?}");
    } else if status.is_waiting() {
        assert_eq!(guest.seated_time, None, "{guest:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn go_from_status_to_status_as_is_allowed() {
    let house = House::open().await;
    for (from, allowed) in ALLOWED {
        for to in GuestStatus::ALL {
            let guest = party(&house, *from).await;
            check(&guest);
            let patch = match to {
                GuestStatus::Seated if *from != GuestStatus::Seated => seated(&house).await,
                to => json!({"status": to}),
            };
            let changed = house.tablet.try_change_guest(guest.id, patch).await;
            if to == from {
                assert_eq!(changed.unwrap(), guest, "{from} stays");
            } else if allowed.contains(to) {
                let changed = changed.unwrap();
                assert_eq!((changed.status, changed.version), (*to, guest.version + 1));
                assert_eq!(changed, house.tablet.guest(guest.id).await.unwrap());
                check(&changed);
            } else {
                assert_eq!(code(changed), ErrorCode::InvalidTransition, "{from} → {to}");
                assert_eq!(house.tablet.guest(guest.id).await.unwrap(), guest);
            }
        }
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn are_taken_down_waiting_notified_or_seated() {
    let house = House::open().await;
    let new = |more: serde_json::Value| {
        let mut input = json!({"guestName": "Ada", "partySize": 2});
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        house.tablet.try_add_guest(input)
    };
    let table = house.tablet.add_table("1", 4).await;
    for (input, status) in [
        (json!({}), GuestStatus::Waiting),
        (json!({"status": "notified"}), GuestStatus::Notified),
        (json!({"status": "Arrived"}), GuestStatus::Waiting),
        (json!({"tableId": table.id}), GuestStatus::Seated),
    ] {
        let guest = new(input).await.unwrap();
        assert_eq!((guest.status, guest.version), (status, 1));
        assert_eq!(guest, house.tablet.guest(guest.id).await.unwrap());
        check(&guest);
    }
    for (input, field) in [
        (json!({"status": "seated"}), "tableId"),
        (json!({"status": "seated", "tableIds": []}), "tableId"),
        (json!({"status": "waiting", "tableId": table.id}), "tableId"),
        (json!({"status": "completed"}), "status"),
        (json!({"status": "Finished", "tableId": table.id}), "status"),
        (json!({"status": "no_show"}), "status"),
    ] {
        assert_eq!(fields(new(input.clone()).await), [field], "{input}");
    }
    house.close().await;
}

/// Hosts tap the wrong party.
#[tokio::test(flavor = "multi_thread")]
async fn can_be_called_back() {
    let house = House::open().await;
    let table = house.tablet.add_table("1", 4).await;
    let guest = house.tablet.add_guest("Ada", 2).await;
    let seated = house.tablet.seat(&guest, &[&table]).await.unwrap();
    assert_eq!(seated.seated_time, Some(house.test.clock.now()));
    house.test.clock.advance(TimeDelta::minutes(50));
    let done = house
        .tablet
        .change_guest(guest.id, json!({"status": "completed"}))
        .await;
    assert_eq!(done.finished_time, Some(house.test.clock.now()));
    assert_eq!(done.seated_time, seated.seated_time);

    let without = house
        .tablet
        .try_change_guest(guest.id, json!({"status": "seated"}))
        .await;
    assert_eq!(
        fields(without),
        ["tableId"],
        "its table may have another party by now"
    );
    let back = json!({"status": "seated", "tableId": table.id});
    let back = house.tablet.change_guest(guest.id, back).await;
    assert_eq!(back.seated_time, seated.seated_time, "it sat all the time");
    assert_eq!(
        (back.finished_time, back.check_in_time),
        (None, guest.check_in_time)
    );
    house.close().await;
}
