//! JSON.

use std::fmt::Write;

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{Bench, Request, list, targets};

/// Routes for which a body of fields that nobody knows is in order, or that say of each change by
/// itself that it was not made.
const SILENT: [&str; 6] = [
    "/auth/me",
    "/realtime/tickets",
    "/restaurants/{rid}",
    "/restaurants/{rid}/batch-update",
    "/restaurants/{rid}/sync/batch",
    "/restaurants/{rid}/users",
];

/// Every list of every request.
const LISTS: [&str; 19] = [
    "tags",
    "dietaryRestrictions",
    "tableIds",
    "operations",
    "guests",
    "tables",
    "reservations",
    "modifierGroups",
    "dietary",
    "allergens",
    "windows",
    "categories",
    "dishes",
    "settings.openingHours",
    "settings.hoursExceptions",
    "settings.pauses",
    "settings.turnTimes",
    "settings.sections",
    "settings.joinableGroups",
];

/// An object with every list, all together about so long.
fn lists(entry: &str, bytes: usize) -> String {
    let (mut body, mut settings) = (String::new(), String::new());
    for name in LISTS {
        let list = list(entry, bytes / LISTS.len());
        match name.strip_prefix("settings.") {
            Some(name) => write!(settings, "\"{name}\":{list},").unwrap(),
            None => write!(body, "\"{name}\":{list},").unwrap(),
        }
    }
    format!(
        "{{{body}\"settings\":{{{}}}}}",
        settings.trim_end_matches(',')
    )
}

/// The worst bodies, each about so long.
fn bodies(bytes: usize) -> Vec<(&'static str, String)> {
    let key = "k".repeat(bytes * 3 / 4);
    let rest = bytes / 4;
    let keys = (0..bytes / 12).map(|number| format!("\"k{number}\":0"));
    let tree = list("{\"\":0}", bytes);
    let id = Uuid::from_u128(42);
    let (name, escapes) = ("x".repeat(bytes / 3), "\\u0041".repeat(bytes / 18));
    let texts = |text: &str| {
        format!("{{\"guestName\":\"{text}\",\"email\":\"{text}\",\"password\":\"{text}\"}}")
    };
    vec![
        (
            "a long name over NULs",
            format!("{{\"{key}\":{}}}", list("\"\\u0000\"", rest)),
        ),
        (
            "a long name over a list and one NUL",
            format!("{{\"{key}\":{},\"x\":\"\\u0000\"}}", list("\"\"", rest)),
        ),
        ("NULs", lists("\"\\u0000\"", bytes)),
        ("empty texts", lists("\"\"", bytes)),
        ("empty objects", lists("{}", bytes)),
        ("objects with a field", lists("{\"\":0}", bytes)),
        ("empty lists", lists("[]", bytes)),
        ("ids", lists(&format!("\"{id}\""), bytes)),
        ("a list of objects", list("{}", bytes)),
        ("a tree that nobody reads", format!("{{\"x\":{tree}}}")),
        (
            "trees in the place of plain values",
            format!("{{\"tableNumber\":{tree},\"name\":{tree},\"guestName\":{tree}}}"),
        ),
        (
            "a tree in a change",
            format!(
                "{{\"transactionId\":\"{id}\",\"restaurantId\":\"{id}\",\"operations\":[\
                 {{\"clientId\":\"c\",\"op\":\"create\",\"entity\":\"guest\",\"data\":{{\"x\":{tree}}}}}]}}"
            ),
        ),
        (
            "trees in hours and rows",
            format!(
                "{{\"settings\":{{\"openingHours\":[{{\"weekday\":\"friday\",\"x\":{0}}}]}},\
                 \"dishes\":[{{\"x\":{0}}}]}}",
                list("[]", bytes / 2)
            ),
        ),
        ("depth", "[".repeat(bytes)),
        (
            "depth in a field",
            format!(
                "{{\"x\":{}{}}}",
                "[".repeat(bytes / 2),
                "]".repeat(bytes / 2)
            ),
        ),
        ("objects in objects", "{\"a\":".repeat(bytes / 5)),
        (
            "many names",
            format!("{{{}}}", keys.collect::<Vec<_>>().join(",")),
        ),
        (
            "one name, often",
            format!("{{{}0}}", "\"partySize\":1,".repeat(bytes / 14)),
        ),
        (
            "a long number",
            format!("{{\"partySize\":{}}}", "9".repeat(bytes)),
        ),
        ("long texts", texts(&name)),
        ("escapes", texts(&escapes)),
        (
            "a long word",
            format!("{{\"status\":\"{name}\",\"role\":\"{name}\",\"op\":\"{name}\"}}"),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_bodies_to_every_route() {
    const BYTES: usize = 64 * 1024;
    let bench = Bench::start().await;
    let bodies = bodies(BYTES);
    for (method, pattern, path) in targets(&bench.house) {
        if method == Method::GET || method == Method::DELETE {
            continue;
        }
        for (name, body) in &bodies {
            let what = format!("{name} to {method} {pattern}");
            let request =
                Request::new(&method, path.clone()).with("application/json", body.clone());
            let reply = bench.send(&what, request).await;
            // Nothing of it is done. Who reads no body, or finds nothing to do in it, says nothing.
            assert!(
                reply.status >= 400 || SILENT.contains(&pattern),
                "{what}: {}",
                reply.status
            );
        }
    }
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_bodies_to_those_who_read_most() {
    const BYTES: usize = 1024 * 1024 - 4096;
    let bench = Bench::start().await;
    let house = &bench.house;
    let bodies = bodies(BYTES);
    for path in [
        "/auth/login".to_owned(),
        house.path("/guests"),
        house.path("/atomic"),
        house.path("/sync/batch"),
        house.path("/batch-update"),
        house.path("/menu/import"),
    ] {
        for (name, body) in &bodies {
            let request = Request::new(&Method::POST, &path).with("application/json", body.clone());
            bench.send(&format!("{name} to {path}"), request).await;
        }
    }
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_refused_where_they_end_and_the_first_faults_are_told() {
    let bench = Bench::start().await;
    let house = &bench.house;
    let post = async |path: &str, body: String| {
        let request = Request::new(&Method::POST, house.path(path)).with("application/json", body);
        bench.send(path, request).await
    };
    for (path, name) in [
        ("/guests", "tags"),
        ("/guests", "dietaryRestrictions"),
        ("/atomic", "operations"),
    ] {
        for entry in ["\"\"", "{}"] {
            let id = Uuid::now_v7();
            let list = vec![entry; 340_000].join(",");
            let body = format!("{{\"transactionId\":\"{id}\",\"{name}\":[{list}]}}");
            let reply = post(path, body).await;
            let first = if name == "operations" || entry == "\"\"" {
                name.to_owned()
            } else {
                format!("{name}[0]")
            };
            assert_eq!(reply.fields(), [first.as_str()], "{}", reply.text);
            reply.expect_error(422, "invalid");
        }
    }
    // As many as there may be, all of them wrong.
    let operations = vec!["{}"; 100].join(",");
    let body = format!(
        "{{\"transactionId\":\"{}\",\"operations\":[{operations}]}}",
        Uuid::now_v7()
    );
    let refused = post("/atomic", body).await.expect_error(422, "invalid");
    assert_eq!(
        (refused["items"].as_array().unwrap().len(), &refused["more"]),
        (10, &json!(90))
    );
    assert_eq!(
        refused["error"],
        "100 of 100 changes cannot be made, so none was. The first 10 are named."
    );
    let nuls = format!("{{\"x\":{}}}", list("\"\\u0000\"", 9 * 400 - 1));
    let refused = post("/guests", nuls).await.expect_error(422, "invalid");
    assert_eq!(
        (
            refused["fields"].as_array().unwrap().len(),
            &refused["more"]
        ),
        (10, &json!(390))
    );
    bench.finish().await;
}
