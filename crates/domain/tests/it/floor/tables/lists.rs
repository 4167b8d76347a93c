//! Lists of tables: by number as people count, filtered, page by page.

use serde_json::{Value, json};

use crate::house::House;
use crate::support::fields;
use crate::tablet::Tablet;

async fn numbers(tablet: &Tablet, filter: Value) -> Vec<String> {
    let page = tablet.tables(filter).await.unwrap();
    page.items
        .into_iter()
        .map(|table| table.table_number)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_before_ten() {
    let house = House::open().await;
    for number in ["10", "B2", "2", "1", "A12", "9", "11", "Ä", "A1"] {
        house.tablet.add_table(number, 4).await;
    }
    let all = numbers(&house.tablet, json!({})).await;
    let digits: Vec<&String> = all.iter().filter(|n| n.parse::<u32>().is_ok()).collect();
    assert_eq!(digits, ["1", "2", "9", "10", "11"]);
    let lengths: Vec<usize> = all.iter().map(|number| number.chars().count()).collect();
    assert!(lengths.is_sorted(), "{all:?}");

    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = house
            .tablet
            .tables(json!({"limit": 2, "cursor": cursor}))
            .await
            .unwrap();
        seen.extend(page.items.into_iter().map(|table| table.table_number));
        cursor = page.next;
        // Comes after what was listed, or is not listed: never twice, nothing left out.
        let late = seen.len();
        if late == 4 {
            house.tablet.add_table("0", 4).await;
            house.tablet.add_table("A999", 4).await;
        }
        if cursor.is_none() {
            break;
        }
    }
    let mut expected = all;
    expected.push("A999".to_owned());
    assert_eq!(seen, expected);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_status_and_section() {
    let house = House::open().await;
    for (number, section, status) in [
        ("1", "Terrace", "available"),
        ("2", "Terrace", "reserved"),
        ("3", "Main", "out_of_service"),
    ] {
        let input =
            json!({"tableNumber": number, "capacity": 4, "section": section, "status": status});
        house.tablet.try_add_table(input).await.unwrap();
    }
    let input = json!({"tableNumber": 4, "capacity": 4, "isActive": false});
    house.tablet.try_add_table(input).await.unwrap();
    for (filter, expected) in [
        (json!({}), &["1", "2", "3", "4"][..]),
        (json!({"section": "Terrace"}), &["1", "2"]),
        (json!({"section": "terrace"}), &[]),
        (json!({"status": "available"}), &["1", "4"]),
        (json!({"status": "reserved,outOfService"}), &["2", "3"]),
        (json!({"status": "reserved", "section": "Main"}), &[]),
    ] {
        assert_eq!(
            numbers(&house.tablet, filter.clone()).await,
            expected,
            "{filter}"
        );
    }
    let other = Tablet::of_new_restaurant(house.db(), "Asia/Tokyo").await;
    assert_eq!(numbers(&other, json!({})).await, Vec::<String>::new());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_listed_is_named() {
    let house = House::open().await;
    for (filter, field) in [
        (json!({"limit": 0}), "limit"),
        (json!({"limit": 1001}), "limit"),
        (json!({"cursor": "x"}), "cursor"),
        // [1,"\u0000"], which no page gave.
        (json!({"cursor": "WzEsIlx1MDAwMCJd"}), "cursor"),
        (json!({"status": "taken"}), "status"),
        (json!({"section": "a\u{0}b"}), "section"),
    ] {
        assert_eq!(
            fields(house.tablet.tables(filter.clone()).await),
            [field],
            "{filter}"
        );
    }
}
