use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use actix_web::{App, HttpResponse};
use serde_json::{Value, json};
use wire::RestaurantId;
use wire::Role;

use super::*;
use crate::access::auth::Need;
use crate::platform::extract::{BODY_LIMIT, FILE_LIMIT, Json, Path};
use crate::platform::limits::Tier;

async fn ask(routes: Routes, request: TestRequest) -> (StatusCode, Option<String>, Value) {
    let app = init_service(App::new().default_service(routes.service())).await;
    let answer = call_service(&app, request.to_request()).await;
    let allow = answer.headers().get(header::ALLOW);
    let allow = allow.map(|allow| allow.to_str().unwrap().to_owned());
    let status = answer.status();
    let body = if status == StatusCode::NO_CONTENT {
        Value::Null
    } else {
        read_body_json(answer).await
    };
    (status, allow, body)
}

async fn echo(Path(ids): Path<(String, String)>) -> HttpResponse {
    HttpResponse::Ok().json(ids)
}

async fn made(Json(body): Json<Value>) -> HttpResponse {
    HttpResponse::Created().json(body)
}

async fn nothing() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

async fn broken() -> HttpResponse {
    panic!("a bug")
}

fn routes() -> Routes {
    const GUEST: &str = "/api/v1/restaurants/{rid}/guests/{gid}";
    const GUESTS: &str = "/api/v1/restaurants/{rid}/guests";
    Routes::of([
        Route::bare(Method::GET, GUEST, Need::Public, echo),
        Route::bare(Method::DELETE, GUEST, Need::Public, nothing),
        Route::bare(Method::POST, GUESTS, Need::Member(Role::Staff), made),
        Route::bare(Method::POST, "/api/v1/open", Need::Public, made),
        Route::bare(Method::GET, "/api/v1/broken", Need::Public, broken),
    ])
}

#[actix_web::test]
async fn the_variable_parts_reach_the_handler_decoded() {
    let (status, _, body) = ask(
        routes(),
        TestRequest::with_uri("/restaurants/7/guests/a%20b%2Fc"),
    )
    .await;
    assert_eq!((status, body), (StatusCode::OK, json!(["7", "a b/c"])));
}

#[actix_web::test]
async fn head_is_answered_where_get_is() {
    let head = TestRequest::with_uri("/restaurants/7/guests/8").method(Method::HEAD);
    assert_eq!(ask(routes(), head).await.0, StatusCode::OK);
}

#[actix_web::test]
async fn another_method_is_told_which_are_allowed() {
    let put = TestRequest::put().uri("/restaurants/7/guests/8");
    let (status, allow, body) = ask(routes(), put).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(allow.as_deref(), Some("DELETE, GET, HEAD"));
    assert_eq!(body["code"], "method_not_allowed");
    let (_, allow, _) = ask(routes(), TestRequest::with_uri("/open")).await;
    assert_eq!(allow.as_deref(), Some("POST"));
}

#[actix_web::test]
async fn a_slash_at_the_end_changes_nothing() {
    let (status, ..) = ask(routes(), TestRequest::with_uri("/restaurants/7/guests/8/")).await;
    assert_eq!(status, StatusCode::OK);
}

#[actix_web::test]
async fn another_path_is_not_found() {
    let (status, _, body) = ask(routes(), TestRequest::with_uri("/elsewhere")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(body["code"], "not_found");
}

#[actix_web::test]
async fn a_missing_credential_beats_a_bad_body() {
    let id = RestaurantId(uuid::Uuid::nil());
    let post = |uri: &str| {
        TestRequest::post()
            .uri(uri)
            .insert_header(("content-type", "application/json"))
            .set_payload("{")
    };
    // Without the server's state nobody is let in: what matters is that this is said first.
    let guarded = post(&format!("/restaurants/{id}/guests"));
    assert_ne!(ask(routes(), guarded).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(
        ask(routes(), post("/open")).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[actix_web::test]
async fn a_panic_is_an_answer() {
    let (status, _, body) = ask(routes(), TestRequest::with_uri("/broken")).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!body.to_string().contains("bug"), "{body}");
}

#[test]
fn what_follows_from_method_path_and_need() {
    let member = Need::Member(Role::Staff);
    let (reads, writes) = (Some(Tier::Reads), Some(Tier::Writes));
    for (method, canonical, need, path, tier, takes_keys) in [
        (
            Method::GET,
            "/api/v1/guests",
            member,
            "/guests",
            reads,
            false,
        ),
        (
            Method::POST,
            "/api/v1/guests",
            member,
            "/guests",
            writes,
            true,
        ),
        (
            Method::PATCH,
            "/api/v1/me",
            Need::Account,
            "/me",
            writes,
            true,
        ),
        (
            Method::PUT,
            "/api/v1/me",
            Need::Account,
            "/me",
            writes,
            false,
        ),
        (
            Method::DELETE,
            "/api/v1/me",
            Need::Account,
            "/me",
            writes,
            false,
        ),
        (
            Method::POST,
            "/api/v1/open",
            Need::Public,
            "/open",
            writes,
            false,
        ),
        (Method::GET, "/health", Need::Public, "/health", None, false),
        (
            Method::GET,
            "/api/v1/health",
            Need::Public,
            "/health",
            reads,
            false,
        ),
    ] {
        let route = Route::bare(method.clone(), canonical, need, nothing);
        let row = &route.rows[0];
        assert_eq!(row.path, path, "{method} {canonical}");
        assert_eq!(row.tier, tier, "{method} {canonical}");
        assert_eq!(row.takes_keys, takes_keys, "{method} {canonical}");
        assert_eq!(row.is_operation(), tier.is_none(), "{method} {canonical}");
        assert_eq!(row.body_limit, BODY_LIMIT);
    }
}

/// Both methods of it.
#[utoipa::path(method(put, patch), path = "/api/v1/both/{id}", responses((status = 204)))]
async fn both() -> HttpResponse {
    nothing().await
}

#[actix_web::test]
async fn a_handler_with_two_methods_is_one_row_of_the_table() {
    let both = || Routes::of([route!(both, Need::Public).tier(Tier::Logins)]);
    let table = both();
    let rows: Vec<_> = table.list().map(|row| (&row.method, row.path)).collect();
    let path = "/both/{id}";
    assert_eq!(rows, [(&Method::PUT, path), (&Method::PATCH, path)]);
    assert!(table.list().all(|row| row.tier == Some(Tier::Logins)));
    assert_eq!(table.documents().count(), 1);
    for method in [Method::PUT, Method::PATCH] {
        let request = TestRequest::with_uri("/both/7").method(method);
        assert_eq!(ask(both(), request).await.0, StatusCode::NO_CONTENT);
    }
}

#[test]
fn marks() {
    let at = |path| Route::page(Method::GET, path, nothing);
    let page = at("/r/{secret}");
    let row = &page.rows[0];
    assert!(row.is_page() && row.has_secret() && !row.is_operation());
    assert_eq!(row.tier, Some(Tier::Reads));
    let routes = Routes::of([page, at("/r/done").uncounted()]);
    assert_eq!(routes.list().count(), 0);
    let done = routes.pages().last().unwrap();
    assert!(!done.has_secret() && done.tier.is_none());

    let marked = || Route::bare(Method::POST, "/api/v1/x", Need::Account, nothing);
    assert!(!marked().no_key().rows[0].takes_keys);
    assert_eq!(marked().file().rows[0].body_limit, FILE_LIMIT);
    let open = marked().stays_open();
    assert_eq!(open.rows[0].kind, Kind::Open);
    assert_eq!(open.rows[0].tier, Some(Tier::Sockets));
}
