//! Menus in files.

use reqwest::Method;
use serde_json::json;

use super::{Bench, Request, list};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_files() {
    const BYTES: usize = 16 * 1024 * 1024 - 4096;
    let bench = Bench::start().await;
    let path = bench.house.path("/menu/import");
    let wide = "a,".repeat(BYTES / 2);
    let rows = format!("dishName\n{}", "x\n".repeat(BYTES / 2 - 8));
    let cell = format!("dishName\n\"{}", "x".repeat(BYTES - 16));
    let line = format!("dishName\n{}", ",".repeat(BYTES - 16));
    let modifiers = format!(
        "dishName,modifierGroups\n{}",
        "x,\"[{\"\"\"\":0}]\"\n".repeat(9_000)
    );
    let name = format!("dishName,{}\nx,x\n", "x".repeat(BYTES - 32));
    for (what, file) in [
        ("columns", wide),
        ("rows", rows),
        ("a cell", cell),
        ("separators", line),
        ("modifiers", modifiers),
        ("a name", name),
    ] {
        let request = Request::new(&Method::POST, &path).with("text/csv", file);
        bench.send(what, request).await.expect_error(422, "invalid");
    }
    let objects = list("{\"\":0}", BYTES - 64);
    let text = "x".repeat(BYTES - 128);
    for (what, file) in [
        ("rows of objects", format!("{{\"dishes\":{objects}}}")),
        (
            "categories",
            format!("{{\"dishes\":[],\"categories\":{objects}}}"),
        ),
        ("a row", format!("{{\"dishes\":[{{\"x\":{objects}}}]}}")),
        (
            "a list in a row",
            format!("{{\"dishes\":[{{\"allergens\":{objects}}}]}}"),
        ),
        (
            "the name of a category",
            format!("{{\"dishes\":[{{\"dishName\":\"x\",\"category\":\"{text}\"}}]}}"),
        ),
        (
            "a name over NULs",
            format!(
                "{{\"dishes\":[],\"{}\":{}}}",
                &text[..BYTES / 2],
                list("\"\\u0000\"", BYTES / 2 - 128)
            ),
        ),
    ] {
        let request = Request::new(&Method::POST, &path).with("application/json", file);
        bench.send(what, request).await.expect_error(422, "invalid");
    }
    // Every row is at fault, and only so many are told.
    let rows = format!("dishName,currency\n{}", ",EUR\n".repeat(9_000));
    let request = Request::new(&Method::POST, &path).with("text/csv", rows);
    let refused = bench
        .send("bad rows", request)
        .await
        .expect_error(422, "invalid");
    assert_eq!(
        (refused["items"].as_array().unwrap().len(), &refused["more"]),
        (10, &json!(8_990))
    );
    bench.finish().await;
}
