use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use actix_web::{App, HttpResponse};
use serde_json::{Value, json};
use wire::RestaurantId;
use wire::people::Role;

use super::*;
use crate::platform::extract::{Json, Path};

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
    Routes::new()
        .get("/restaurants/{rid}/guests/{gid}", Need::Public, echo)
        .delete("/restaurants/{rid}/guests/{gid}", Need::Public, nothing)
        .post("/restaurants/{rid}/guests", Need::Member(Role::Staff), made)
        .post("/open", Need::Public, made)
        .get("/broken", Need::Public, broken)
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
fn the_list() {
    let routes = routes();
    let list: Vec<_> = routes.list().collect();
    assert_eq!(list.len(), 5);
    assert_eq!(
        list[2],
        (
            &Method::POST,
            "/restaurants/{rid}/guests",
            Need::Member(Role::Staff)
        )
    );
}

#[test]
fn canonical_paths() {
    for (path, known) in [
        ("/auth/login", "/api/v1/auth/login"),
        ("/health", "/health"),
        ("/health/live", "/health/live"),
        ("/healthy", "/api/v1/healthy"),
        ("/docs/{file}", "/docs/{file}"),
    ] {
        assert_eq!(canonical(path), known);
    }
}
