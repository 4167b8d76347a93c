use std::fmt::Write;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{dish, names};
use crate::support::{Client, Reply, Restaurant, TestApp};

async fn import(
    client: &Client,
    house: &Restaurant,
    kind: &str,
    file: impl Into<Vec<u8>>,
) -> Reply {
    let headers = [("content-type", kind)];
    let path = house.path("/menu/import");
    client
        .send_raw(Method::POST, &path, Some(file.into()), &headers)
        .await
}

async fn export(house: &Restaurant, format: &str) -> Reply {
    house
        .owner
        .get(&house.path(&format!("/menu/export?format={format}")))
        .await
}

/// What an import did: made, changed, left.
fn done(reply: Reply) -> (u64, u64, u64) {
    let done = reply.expect(200);
    let count = |field: &str| done[field].as_u64().unwrap();
    (count("created"), count("updated"), count("unchanged"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_menu_goes_out_and_comes_back() {
    let app = TestApp::with(1, &[]).await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let lunch = json!({"name": "Lunch", "windows": [{"weekdays": ["friday"], "fromMinute": 690, "untilMinute": 870}]});
    let lunch = house
        .owner
        .post("/menus/categories", lunch)
        .await
        .expect(201);
    house
        .dish("=1+1", json!({
            "categoryId": lunch["id"], "isPublished": true, "description": "two\nlines, \"quoted\"",
            "imageUrl": "https://example.com/ü.png", "allergens": ["eggs", "milk"], "dietary": ["vegan"],
            "availability": {"status": "available", "quantityLeft": 4}, "station": "@cold",
            "preparationMinutes": 5, "position": 3,
            "modifierGroups": [{"name": "Size", "min": 1, "max": 1, "options": [{"name": "L", "priceMinor": 100}]}],
        }))
        .await;
    house.dish("Plain", json!({})).await;
    let json_file = export(&house, "json").await;
    let csv_file = export(&house, "csv").await;
    assert!(
        csv_file
            .header("content-type")
            .unwrap()
            .starts_with("text/csv")
    );
    assert!(
        csv_file.text.contains(",'=1+1,") && csv_file.text.contains(",'@cold,"),
        "{}",
        csv_file.text
    );

    // What comes back as it went changes nothing and tells nobody.
    let head = async || house.owner.get(&house.path("/sync/full")).await.body["seq"].clone();
    let before = head().await;
    for (kind, file) in [
        ("application/json", &json_file.text),
        ("text/csv; charset=utf-8", &csv_file.text),
    ] {
        let reply = import(&house.owner, &house, kind, file.as_str()).await;
        assert_eq!(done(reply), (0, 0, 2), "{kind}");
    }
    assert_eq!(head().await, before);

    // Elsewhere, without the numbers, it makes the same menu.
    let mut file: Value = json_file.body.clone();
    for dish in file["dishes"].as_array_mut().unwrap() {
        dish["dishId"] = Value::Null;
    }
    let reply = import(&other.owner, &other, "application/json", file.to_string()).await;
    assert_eq!(done(reply), (2, 0, 0));
    let mut copy = export(&other, "json").await.body;
    let mut original = json_file.body;
    for file in [&mut copy, &mut original] {
        for dish in file["dishes"].as_array_mut().unwrap() {
            dish.as_object_mut().unwrap().remove("dishId");
        }
    }
    assert_eq!(copy, original);
    app.finish().await;
}

/// A spreadsheet may go by semicolons where the file goes by commas.
#[tokio::test(flavor = "multi_thread")]
async fn no_cell_of_an_export_is_a_formula_by_any_separator() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    let texts = [
        "Soup;=cmd|' /C calc'!A0",
        "Soup\t@SUM(1)",
        "Soup\n+1",
        "Soup; \"-1",
    ];
    for text in texts {
        house.dish("Soup", json!({"description": text})).await;
    }
    let file = export(&house, "csv").await.text;
    for part in file.split([',', ';', '\t', '\n']) {
        let part = part.trim_start_matches(['"', ' ']);
        assert!(!part.starts_with(['=', '+', '-', '@']), "{part} in {file}");
    }
    assert!(file.contains(r#","Soup;'=cmd|' /C calc'!A0","#), "{file}");
    let reply = import(&house.owner, &house, "text/csv", file).await;
    assert_eq!(done(reply), (0, 0, 4));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_as_a_whole_or_not_at_all() {
    let app = TestApp::with(1, &[]).await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let staff = house.member(&app, "staff").await;
    let ours = house.dish("Ours", json!({})).await;
    let theirs = other.dish("Theirs", json!({})).await;
    let csv = format!(
        "dishId,dishName,priceMinor,currency,category,isPublished\n\
         {ours},Renamed,100,EUR,New,true\n\
         ,Fine,100,EUR,New,true\n\
         ,,100,EUR,New,true\n\
         ,Soup,cheap,EUR,New,true\n\
         {theirs},Theirs,100,EUR,New,true\n\
         {ours},Again,100,EUR,New,true\n\
         ,Short,100\n\
         ,Soup,100,XYZ,,\n"
    );
    let reply = import(&house.owner, &house, "text/csv", csv).await;
    let body = reply.expect_error(422, "invalid");
    let items: Vec<(u64, &str)> = body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["line"].as_u64().unwrap(),
                item["fields"][0]["field"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        items,
        [
            (4, "dishName"),
            (5, "priceMinor"),
            (6, "dishId"),
            (7, "dishId"),
            (8, "line"),
            (9, "currency")
        ],
        "{body}"
    );
    let file = json!({
        "categories": [{"name": "Lunch"}, {"name": "LUNCH"}, {"name": "x", "windows": [{"fromMinute": 9, "untilMinute": 9}]}],
        "dishes": [dish("Fine", json!({"category": "Lunch"})), 7, dish("Bad", json!({"allergens": ["x"]}))],
    });
    let body = import(&house.owner, &house, "application/json", file.to_string())
        .await
        .expect_error(422, "invalid");
    let fields: Vec<&str> = body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["fields"][0]["field"].as_str().unwrap())
        .collect();
    assert_eq!(
        fields,
        [
            "categories[1].name",
            "categories[2].windows[0].untilMinute",
            "dishes[1].body",
            "dishes[2].allergens[0]"
        ]
    );
    // Nothing of either was done.
    let dishes = house.owner.get(&house.path("/dishes")).await.expect(200);
    assert_eq!(names(&dishes), ["Ours"]);
    assert_eq!(
        house.owner.get(&house.path("/menu/categories")).await.body,
        json!([])
    );
    for (client, kind, file, status) in [
        (&staff, "text/csv", "dishName\n", 403),
        (&other.owner, "text/csv", "dishName\n", 404),
        (&house.owner, "text/plain", "dishName\n", 415),
        (&house.owner, "text/csv", "", 400),
        (&house.owner, "text/csv", "name\nx\n", 422),
        (&house.owner, "application/json", "{", 400),
        (&house.owner, "application/json", "{}", 422),
    ] {
        assert_eq!(
            import(client, &house, kind, file).await.status,
            status,
            "{kind} {file}"
        );
    }
    // Too large a file is refused before it is sent.
    let mut wire = tokio::net::TcpStream::connect(house.owner.address)
        .await
        .unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: text/csv\r\n\
         content-length: {}\r\n\r\n",
        house.path("/menu/import"),
        house.owner.token.as_ref().unwrap(),
        server::FILE_LIMIT + 1
    );
    wire.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    wire.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
    // Too many parts for one menu.
    let mut many = "dishName,priceMinor,currency,category\n".to_owned();
    for part in 0..201 {
        writeln!(many, "Soup,1,EUR,Part {part}").unwrap();
    }
    let reply = import(&house.owner, &house, "text/csv", many).await;
    reply.expect_error(409, "conflict");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_dishes_in_one_file() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let mut tablet = house.socket(&app, 1).await;
    let mut csv = "dishName,priceMinor,currency,category,isPublished,description\n".to_owned();
    for number in 0..5000 {
        let words = "Slowly cooked, served with what the market had this morning. ".repeat(3);
        let published = number % 50 == 0;
        let part = number / 100;
        writeln!(
            csv,
            "Dish {number},{number},EUR,Part {part},{published},\"{words}\""
        )
        .unwrap();
    }
    let started = std::time::Instant::now();
    let reply = import(&house.owner, &house, "text/csv", csv).await;
    eprintln!("5,000 dishes were imported in {:?}", started.elapsed());
    assert_eq!(done(reply), (5000, 0, 0));
    // Every one has its event, and all arrive.
    let frames = tablet.until(5050).await;
    assert_eq!(frames.len(), 5050);
    assert!(
        frames
            .iter()
            .zip(1..)
            .all(|(frame, seq)| frame["seq"] == seq)
    );
    let menu = house.menu(&app.client(1)).await;
    assert_eq!(menu["categories"].as_array().unwrap().len(), 50);
    let many = "dishName,priceMinor,currency\n".to_owned() + &"Soup,1,EUR\n".repeat(5001);
    let reply = import(&house.owner, &house, "text/csv", many).await;
    reply.expect_error(409, "conflict");
    app.finish().await;
}
