//! A restaurant: its name, its address, its zone, its settings.

use chrono::TimeDelta;
use domain::clock::new_id;
use domain::venue::restaurants;
use domain::venue::restaurants::NewRestaurant;
use domain::{Result, db::Tx};
use serde_json::{Value, json};
use wire::ErrorCode;
use wire::venue::restaurants::Restaurant;

use crate::house::{House, missing, stale};
use crate::support::{code, fields};
use crate::tablet::Tablet;

async fn create(house: &House, name: &str, slug: Option<&str>, zone: &str) -> Result<Restaurant> {
    let new = NewRestaurant {
        id: new_id(),
        name: name.to_owned(),
        slug: slug.map(str::to_owned),
        time_zone: zone.to_owned(),
    };
    house
        .db()
        .transaction("test", async |conn, now| {
            restaurants::create(conn, &new, now).await
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn begins_with_an_empty_log_of_its_own() {
    let house = House::open().await;
    let made = create(&house, " Zum Löwen ", None, "Europe/Berlin")
        .await
        .unwrap();
    assert_eq!(
        (made.name.as_str(), made.slug.as_str(), made.version),
        ("Zum Löwen", "zum-l-wen", 1)
    );
    assert_eq!(made.created_at, house.test.clock.now());
    let read = async |conn: &mut domain::db::PgConnection| restaurants::get(conn, made.id).await;
    assert_eq!(house.db().read("test", read).await.unwrap(), made);
    let mut tablet = house.tablet.clone();
    tablet.scope.restaurant_id = made.id;
    let head = tablet.head().await;
    assert_eq!((head.last_seq, head.pruned_seq), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_name_have_different_slugs() {
    let house = House::open().await;
    let names = ["Chez Nous"; 4];
    let made = futures_util::future::join_all(
        names.map(async |name| create(&house, name, None, "UTC").await.unwrap().slug),
    )
    .await;
    let mut distinct = made.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 4, "{made:?}");
    assert!(
        made.iter().all(|slug| slug.starts_with("chez-nous")),
        "{made:?}"
    );
    let asked = create(&house, "Another", Some("chez-nous"), "UTC").await;
    assert_eq!(
        code(asked),
        ErrorCode::SlugTaken,
        "whoever asks for one gets it or is told"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn has_fields_with_limits() {
    let house = House::open().await;
    let before = house.tablet.head().await;
    for (patch, field) in [
        (json!({"name": " "}), "name"),
        (json!({"name": "x".repeat(121)}), "name"),
        (json!({"name": "a\u{0}b"}), "name"),
        (json!({"slug": ""}), "slug"),
        (json!({"slug": "x".repeat(81)}), "slug"),
        (json!({"slug": "Anker"}), "slug"),
        (json!({"slug": "-anker"}), "slug"),
        (json!({"slug": "anker-"}), "slug"),
        (json!({"slug": "an--ker"}), "slug"),
        (json!({"slug": "anker\u{0}"}), "slug"),
        (json!({"timeZone": "Europe/Atlantis"}), "timeZone"),
        (json!({"timeZone": ""}), "timeZone"),
        (
            json!({"settings": {"serviceDayStartMinute": -1}}),
            "settings.serviceDayStartMinute",
        ),
        (
            json!({"settings": {"serviceDayStartMinute": 1440}}),
            "settings.serviceDayStartMinute",
        ),
    ] {
        assert_eq!(
            fields(house.tablet.try_change_restaurant(patch.clone()).await),
            [field],
            "{patch}"
        );
    }
    assert_eq!(house.tablet.head().await, before);
    let longest = json!({"name": "ü".repeat(120), "slug": "x".repeat(80)});
    let longest = house.tablet.change_restaurant(longest).await;
    assert_eq!(
        (longest.name.chars().count(), longest.slug.len()),
        (120, 80)
    );
    let made = create(&house, &"x".repeat(120), None, "UTC").await.unwrap();
    assert!((70..=80).contains(&made.slug.len()), "{}", made.slug);
    assert_eq!(
        fields(create(&house, " ", None, "Mars").await),
        ["restaurantName", "timeZone"]
    );
    assert_eq!(
        fields(create(&house, "A", Some("Ä"), "UTC").await),
        ["slug"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_what_is_named_and_tells() {
    let house = House::open().await;
    for (version, (patch, field, value)) in (2..).zip([
        (json!({"name": " Zum Hafen "}), "/name", json!("Zum Hafen")),
        (json!({"slug": "zum-hafen"}), "/slug", json!("zum-hafen")),
        (
            json!({"time_zone": "America/New_York"}),
            "/timeZone",
            json!("America/New_York"),
        ),
        (
            json!({"settings": {"needs_cleaning": true}}),
            "/settings/needsCleaning",
            json!(true),
        ),
        (
            json!({"settings": {"serviceDayStartMinute": 0}}),
            "/settings/serviceDayStartMinute",
            json!(0),
        ),
    ]) {
        house.test.clock.advance(TimeDelta::seconds(1));
        let changed = house.tablet.change_restaurant(patch.clone()).await;
        assert_eq!(
            (changed.version, changed.last_updated),
            (version, house.test.clock.now())
        );
        let json = serde_json::to_value(&changed).unwrap();
        assert_eq!(json.pointer(field), Some(&value));
        let told: Value = house
            .tablet
            .events_after(i64::from(version) - 2)
            .await
            .remove(0);
        assert_eq!(
            (&told["type"], &told["data"]),
            (&json!("restaurant_updated"), &json)
        );
        assert_eq!(house.tablet.change_restaurant(patch).await, changed, "once");
    }
    let now = house.tablet.change_restaurant(json!({})).await;
    assert_eq!(now.settings.venue.service_day_start_minute, 0);
    assert!(
        now.settings.floor.needs_cleaning,
        "settings that are not named stay"
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_slugs_and_versions_apart() {
    let house = House::open().await;
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    let theirs = other.change_restaurant(json!({"slug": "taken"})).await;
    let taken = house
        .tablet
        .try_change_restaurant(json!({"slug": "taken"}))
        .await;
    assert_eq!(code(taken), ErrorCode::SlugTaken);

    let patch = serde_json::from_value(json!({"name": "Late"})).unwrap();
    let late = async |tx: &mut Tx<'_>| restaurants::update(tx, &patch, Some(1)).await;
    assert_eq!(
        stale(other.write(late).await),
        serde_json::to_value(theirs).unwrap()
    );
    let mut nowhere = house.tablet.clone();
    nowhere.scope.restaurant_id = new_id();
    assert_eq!(
        missing(nowhere.try_change_restaurant(json!({"name": "x"})).await),
        "restaurant"
    );
}
