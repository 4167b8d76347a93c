use std::sync::Arc;

use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, FromRequest, Handler, HttpResponse, Responder, web};
use serde_json::{Value, json};

use super::*;
use crate::access::auth::Need;
use crate::platform::errors::ApiError;
use crate::platform::extract::{Json, Path};
use crate::platform::routing::{Route, Routes};

struct Answer {
    status: u16,
    headers: actix_web::http::header::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn platform(is_production: bool, cors: CorsOrigins) -> web::Data<Platform> {
    web::Data::new(Platform {
        is_production,
        proxies: TrustedProxies::parse("10.0.0.0/8").unwrap(),
        cors,
        metrics: Arc::new(Metrics::new().unwrap()),
    })
}

fn desk() -> web::Data<Platform> {
    platform(
        false,
        CorsOrigins::These(vec!["https://app.example".into()]),
    )
}

fn routes() -> Routes {
    fn get<F, Args>(path: &'static str, handler: F) -> Route
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Route::bare(Method::GET, path, Need::Public, handler)
    }
    let guests = "/api/v1/restaurants/{rid}/guests";
    Routes::of([
        get(guests, async |context: Context| {
            HttpResponse::Ok().json(json!({
                "mount": context.mount(),
                "path": &*context.path(),
                "route": context.route().unwrap(),
                "restaurant": context.restaurant(),
                "client": context.client_ip(),
            }))
        }),
        get("/api/v1/number/{n}", async |Path(n): Path<u8>| {
            n.to_string()
        }),
        Route::bare(
            Method::POST,
            "/api/v1/echo",
            Need::Public,
            async |Json(body): Json<Value>| HttpResponse::Ok().json(body),
        ),
        get("/api/v1/fault", async || -> Result<String, ApiError> {
            Err(ApiError::internal(anyhow::anyhow!("the inside")))
        }),
        get("/api/v1/tagged", async || {
            HttpResponse::Ok()
                .insert_header(("etag", "\"3\""))
                .json(json!({"text": "x".repeat(5000)}))
        }),
        get("/api/v1/stream", async || {
            let chunks =
                futures_util::stream::iter([Ok::<_, actix_web::Error>(web::Bytes::from(vec![
                    b'x';
                    5000
                ]))]);
            HttpResponse::Ok()
                .content_type("text/event-stream")
                .streaming(chunks)
        }),
        get("/api/v1/away", async || {
            HttpResponse::ServiceUnavailable().json(json!({"status": "draining"}))
        }),
        get("/health", async || "ok"),
    ])
}

async fn ask(platform: &web::Data<Platform>, request: TestRequest) -> Answer {
    let app = App::new()
        // A service of the framework, with refusals of its own.
        .route("/theirs", web::post().to(async |_: web::Json<u8>| "ok"))
        .default_service(routes().service());
    let app = init_service(around(app, platform.clone())).await;
    let request = request.peer_addr("10.0.0.1:1".parse().unwrap());
    let answer = call_service(&app, request.to_request()).await;
    Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: read_body(answer).await.to_vec(),
    }
}

fn get(uri: &str) -> TestRequest {
    TestRequest::with_uri(uri)
}

#[actix_web::test]
async fn one_tree_under_three_mounts() {
    let id = "0198b2f0-0000-7000-8000-000000000000";
    let platform = desk();
    for mount in ["/api/v1", "/api", ""] {
        let path = format!("{mount}/restaurants/{id}/guests/");
        let request = get(&path).insert_header(("x-forwarded-for", "203.0.113.9"));
        let answer = ask(&platform, request).await;
        assert_eq!(
            answer.json(),
            json!({
                "mount": mount,
                "path": path,
                "route": "/api/v1/restaurants/{rid}/guests",
                "restaurant": id,
                "client": "203.0.113.9",
            })
        );
    }
    let text = platform.metrics.render().unwrap();
    let line = r#"qtable_http_requests_total{method="GET",route="/api/v1/restaurants/{rid}/guests",status="200"} 3"#;
    assert!(text.contains(line), "{text}");
}

#[actix_web::test]
async fn the_request_id_is_the_clients_if_it_is_sane() {
    for (given, kept) in [
        ("abc-1.2_3", true),
        ("", false),
        ("with space", false),
        (&"x".repeat(65), false),
    ] {
        let answer = ask(
            &desk(),
            get("/nothing").insert_header(("x-request-id", given)),
        )
        .await;
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(id == given, kept, "{given}");
        assert_eq!(answer.json()["requestId"], id);
        assert!(kept || id.parse::<uuid::Uuid>().is_ok());
    }
}

#[actix_web::test]
async fn a_head_has_an_end() {
    let ask_with = async |bytes: usize| {
        let request = get("/health").insert_header(("accept-encoding", ",".repeat(bytes)));
        ask(&desk(), request).await
    };
    assert_eq!(ask_with(30_000).await.status, 200);
    let refused = ask_with(33_000).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (400, &json!("bad_request"))
    );
    assert!(refused.header("x-request-id").is_some());
}

#[actix_web::test]
async fn every_refusal_is_in_the_envelope() {
    let json = |body: &'static str| {
        let request = TestRequest::post().insert_header(("content-type", "application/json"));
        request.uri("/api/v1/echo").set_payload(body)
    };
    let preflight = get("/echo")
        .method(Method::OPTIONS)
        .insert_header(("origin", "https://evil.example"))
        .insert_header(("access-control-request-method", "POST"));
    for (request, status, code) in [
        (get("/nowhere"), 404, "not_found"),
        (get("/docs/../x"), 404, "not_found"),
        (get("/number/many"), 404, "not_found"),
        (get("/echo"), 405, "method_not_allowed"),
        (json("{"), 400, "bad_request"),
        (json("\"\\u0000\""), 422, "invalid"),
        (
            TestRequest::post().uri("/echo").set_payload("{}"),
            415,
            "unsupported_media_type",
        ),
        (get("/fault"), 500, "internal"),
        // The framework's own refusals, too: this one is 400 in its eyes.
        (
            TestRequest::post().uri("/theirs").set_payload("{}"),
            400,
            "bad_request",
        ),
        (get("/theirs"), 404, "not_found"),
        (preflight, 400, "bad_request"),
    ] {
        let answer = ask(&desk(), request).await;
        let body = answer.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status"], status, "{body}");
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(body["requestId"], answer.header("x-request-id").unwrap());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(!body.to_string().contains("inside"), "{body}");
    }
    let answer = ask(&desk(), get("/echo")).await;
    assert_eq!(answer.header("allow"), Some("POST"));
    // What a handler says in JSON of its own stays.
    assert_eq!(
        ask(&desk(), get("/away")).await.json(),
        json!({"status": "draining"})
    );
}

#[actix_web::test]
async fn security_headers() {
    let https = || get("/number/7").insert_header(("x-forwarded-proto", "https"));
    let answer = ask(&desk(), https()).await;
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("strict-transport-security"), None);
    let tagged = ask(&desk(), get("/tagged")).await;
    assert_eq!(tagged.header("cache-control"), Some("private, no-cache"));
    assert_eq!(tagged.header("etag"), Some("\"3\""));

    let production = platform(true, CorsOrigins::These(Vec::new()));
    let answer = ask(&production, https()).await;
    assert!(answer.header("strict-transport-security").is_some());
    let answer = ask(&production, get("/number/7")).await;
    assert_eq!(answer.header("strict-transport-security"), None);
}

#[actix_web::test]
async fn cross_origin_rules() {
    let from = |origin: &'static str| get("/number/7").insert_header(("origin", origin));
    let allowed = ask(&desk(), from("https://app.example")).await;
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        Some("https://app.example")
    );
    let exposed = allowed
        .header("access-control-expose-headers")
        .unwrap()
        .to_lowercase();
    for name in ["etag", "link", "x-request-id", "x-event-seq", "retry-after"] {
        assert!(exposed.contains(name), "{exposed}");
    }
    let other = ask(&desk(), from("https://evil.example")).await;
    assert_eq!(
        (other.status, other.header("access-control-allow-origin")),
        (200, None)
    );
    let no_page = ask(&desk(), get("/number/7")).await;
    assert_eq!(no_page.header("access-control-expose-headers"), None);
    // An error is readable for the page as well.
    let fault = get("/fault").insert_header(("origin", "https://app.example"));
    let fault = ask(&desk(), fault).await;
    assert_eq!(
        fault.header("access-control-allow-origin"),
        Some("https://app.example")
    );
    let preflight = get("/echo")
        .method(Method::OPTIONS)
        .insert_header(("origin", "https://app.example"))
        .insert_header(("access-control-request-method", "POST"))
        .insert_header(("access-control-request-headers", "authorization,if-match"));
    let preflight = ask(&desk(), preflight).await;
    assert_eq!(preflight.status, 200);
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        Some("authorization,if-match")
    );
    let any = ask(
        &platform(false, CorsOrigins::Any),
        from("https://any.example"),
    )
    .await;
    assert_eq!(any.header("access-control-allow-origin"), Some("*"));
}

#[actix_web::test]
async fn only_large_answers_of_known_size_are_compressed() {
    let packed =
        |uri: &str, accepted: &'static str| get(uri).insert_header(("accept-encoding", accepted));
    let large = ask(&desk(), packed("/tagged", "gzip")).await;
    assert_eq!(large.header("content-encoding"), Some("gzip"));
    assert_eq!(large.header("etag"), Some("W/\"3\""));
    let vary = |answer: &Answer| {
        let lines = answer.headers.get_all("vary");
        lines.filter(|line| *line == "accept-encoding").count()
    };
    assert_eq!(vary(&large), 1);
    assert_eq!(vary(&ask(&desk(), get("/tagged")).await), 1);
    assert!(large.body.len() < 1000 && large.body.starts_with(&[0x1f, 0x8b]));
    let large = ask(&desk(), packed("/tagged", "br, gzip;q=0.5")).await;
    assert_eq!(large.header("content-encoding"), Some("br"));
    for (uri, accepted) in [
        ("/tagged", "identity"),
        ("/tagged", "zstd"),
        ("/tagged", "identity;q=0, *;q=0"),
        ("/number/7", "gzip"),
        ("/stream", "gzip"),
    ] {
        let plain = ask(&desk(), packed(uri, accepted)).await;
        assert_eq!(
            (plain.status, plain.header("content-encoding")),
            (200, None),
            "{uri} {accepted}"
        );
    }
}

#[actix_web::test]
async fn a_request_whose_client_leaves_is_counted() {
    let platform = desk();
    let app = App::new().default_service(web::to(std::future::pending::<HttpResponse>));
    let app = init_service(around(app, platform.clone())).await;
    let waiting = call_service(&app, get("/slow").to_request());
    let left = tokio::time::timeout(std::time::Duration::from_millis(10), waiting).await;
    assert!(left.is_err());
    let text = platform.metrics.render().unwrap();
    assert!(
        text.contains(r#"route="unmatched",status="499"} 1"#),
        "{text}"
    );
    assert!(text.contains("qtable_http_requests_in_flight 0"), "{text}");
}

#[actix_web::test]
async fn methods_that_somebody_makes_up_are_one_label() {
    let platform = desk();
    let strange = get("/").method(Method::from_bytes(b"BREW").unwrap());
    assert_eq!(
        ask(&platform, strange).await.status,
        StatusCode::NOT_FOUND.as_u16()
    );
    let text = platform.metrics.render().unwrap();
    assert!(
        text.contains(r#"method="OTHER",route="unmatched",status="404"} 1"#),
        "{text}"
    );
}
