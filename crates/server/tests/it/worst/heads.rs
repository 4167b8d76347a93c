//! Paths, queries and headers.

use reqwest::Method;
use uuid::Uuid;

use super::{Bench, Request, targets};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_heads_to_every_route() {
    const BYTES: usize = 30_000;
    let bench = Bench::start().await;
    let fill = |part: &str, bytes: usize| part.repeat(bytes / part.len());
    let queries = [
        fill("&", BYTES),
        fill("a=&", BYTES),
        format!("q={}", fill("%00", BYTES)),
        fill("q=%00&", 7_000),
        format!("status={}", fill("waiting,", 7_000)),
        format!("types={}", fill("guest_updated,", 7_000)),
        format!("cursor={}", fill("x", 7_000)),
        format!("{}=%00", fill("k", 7_000)),
    ];
    let position = format!("\"{}:1\",", Uuid::from_u128(42));
    let headers = [
        ("if-match", fill("\"1\",", BYTES)),
        ("if-none-match", fill(&position, BYTES)),
        ("if-none-match", fill(",", BYTES)),
        ("x-min-seq", fill(&position, BYTES)),
        ("last-event-id", fill("x", BYTES)),
        ("sec-websocket-protocol", fill("bearer,", BYTES)),
        ("x-forwarded-for", fill("1.1.1.1,", BYTES)),
        ("accept-encoding", fill("a,", BYTES)),
        ("accept-language", fill("a,", BYTES)),
        ("accept", fill("a/a,", BYTES)),
        ("cookie", fill("a=a;", BYTES)),
        ("traceparent", fill("0", BYTES)),
        ("tracestate", fill("a=a,", BYTES)),
        ("idempotency-key", fill("k", BYTES)),
        ("x-request-id", fill("k", BYTES)),
        ("user-agent", fill("k", BYTES)),
        ("accept-encoding", fill("a,", 100_000)),
    ];
    for (method, pattern, path) in targets(&bench.house) {
        if method == Method::GET {
            // Some write a document when they are first asked.
            bench.house.owner.get(&path).await;
            for query in &queries {
                let what = format!("{:.40} to {pattern}", query);
                let request = Request::new(&method, format!("{path}?{query}"));
                bench.send(&what, request).await;
            }
        }
        if method == Method::GET || method == Method::DELETE {
            for (name, value) in &headers {
                let what = format!("{name} to {method} {pattern}");
                let request = Request::new(&method, path.clone()).header(name, value.as_str());
                bench.send(&what, request).await;
            }
        }
    }
    let forged = bench
        .house
        .owner
        .with_token(&format!("{}.e30.", fill("a", BYTES)));
    forged
        .get(&bench.house.path("/guests"))
        .await
        .expect_error(401, "unauthenticated");
    for segment in ["x", "/", "x/", "%00", "%e2%80%ae"] {
        let path = format!("/{}", fill(segment, BYTES));
        let request = Request::new(&Method::GET, &path);
        bench
            .send(segment, request)
            .await
            .expect_error(404, "not_found");
    }
    // What is logged of a path that is not there is short, and orders no terminal about.
    let lines = bench.worker.output();
    let longest = lines.lines().map(str::len).max().unwrap();
    assert!(longest < 2048, "a line of {longest} bytes");
    bench.finish().await;
}
