//! `/openapi.json` and `/docs`: generated from the handlers and the types, and from the list of
//! routes what every route has in common.

use std::future::{Ready, ready};
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ContentBuilder, Header, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type,
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::access::auth::Need;
use crate::platform::routing::{Kind, Row};
use crate::rooms::OfRooms;
use crate::routes::routes;

/// The schemes by which callers say who they are.
const BEARER: &str = "bearer";
const SECRET: &str = "secret";
const TICKET: &str = "ticket";

/// What the document says of the whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "QTable",
        description = "The real-time backend of a restaurant: tables, guests and everyone who \
                       follows them. Every path also answers under `/api` and at the root. \
                       Requests may spell fields in snake_case. What is counted by a rate limit \
                       is answered with `RateLimit-Limit`, `RateLimit-Remaining` and \
                       `RateLimit-Reset`.",
        license(name = "MIT OR Apache-2.0")
    ),
    components(schemas(wire::ErrorBody, wire::floor::guests::GuestScope)),
    modifiers(&OfRooms)
)]
struct Frame;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| whole().to_json().unwrap_or_default());

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operations", responses((status = 200)))]
pub fn document() -> Ready<HttpResponse> {
    ready(
        HttpResponse::Ok()
            .content_type("application/json")
            .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
            .body(DOCUMENT.as_str()),
    )
}

/// Swagger UI at `/docs/`.
pub fn ui(app: &mut ServiceConfig) {
    app.service(web::redirect("/docs", "/docs/"))
        .service(SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json")));
}

/// The document: every handler with what its row says of it, under its canonical path.
fn whole() -> utoipa::openapi::OpenApi {
    let mut document = Frame::openapi();
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme(BEARER, bearer);
    let secret = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "The secret of the thing's link, which is the last part of its address.",
        ));
    components.add_security_scheme(SECRET, SecurityScheme::Http(secret.build()));
    let ticket = ApiKeyValue::with_description("token", "A ticket of `/realtime/tickets`.");
    components.add_security_scheme(TICKET, SecurityScheme::ApiKey(ApiKey::Query(ticket)));
    for (mut part, rows) in routes().documents() {
        for item in part.paths.paths.values_mut() {
            for (number, row) in rows.iter().enumerate() {
                if let Some(operation) = operation(item, &row.method) {
                    if number > 0 {
                        // The same handler, whose name it must not have.
                        let name = row.method.as_str().to_ascii_lowercase();
                        operation.operation_id = Some(name);
                    }
                    complete(operation, row);
                }
            }
        }
        document.merge(part);
    }
    document
}

/// Adds what follows from the row.
fn complete(operation: &mut Operation, row: &Row) {
    name(operation);
    if row.takes_keys {
        take_keys(operation);
    }
    headers(operation);
    secure(operation, row.need);
    // Operations say all of their answers themselves.
    if !row.is_operation() {
        describe(operation, row);
    }
    if row.tier.is_some() {
        limit(operation);
    }
    explain(operation);
}

/// A name that no other operation has: handlers of several nouns are called `list`.
fn name(operation: &mut Operation) {
    let noun = operation
        .tags
        .iter()
        .flatten()
        .next()
        .cloned()
        .unwrap_or_default();
    let verb = operation.operation_id.take().unwrap_or_default();
    operation.operation_id = Some(format!("{noun}_{verb}"));
}

/// Every answer has a description; those of a status are alike.
fn explain(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        if response.description.is_empty() {
            response.description = match status.as_str() {
                "200" => "As asked.",
                "201" => "Made.",
                "204" => "Done.",
                "401" => "No credential, or one that is not valid.",
                "403" => "Not allowed.",
                "404" => "No such resource, or it belongs to another restaurant.",
                "409" => "The state forbids it; the code says why.",
                "412" => "`If-Match` names an older version; `current` is the resource as it is.",
                "503" => "Away for the moment.",
                _ => "See the code.",
            }
            .to_owned();
        }
    }
}

/// Headers that requests may have, what they look like and what they mean.
const HEADERS: [(&str, &str, &str); 2] = [
    (
        "If-Match",
        r#"^(\*|(W/)?"[0-9]{1,9}")$"#,
        "The one version that is to be changed, as its `ETag` has it.",
    ),
    (
        "X-Min-Seq",
        "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9]{1,18}$",
        "A position as `X-Event-Seq` has it: the answer contains at least this. Without it, it may \
         be older than what another worker has answered, by seconds, where there is a replica.",
    ),
];

/// Describes headers, wherever they are parameters.
fn headers(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && let Some((_, pattern, description)) =
                HEADERS.iter().find(|(name, ..)| *name == parameter.name)
        {
            let text = ObjectBuilder::new().schema_type(Type::String);
            parameter.schema = Some(text.pattern(Some(*pattern)).into());
            parameter.description = Some((*description).to_owned());
        }
    }
}

/// A POST may carry a key, under which it is done once.
fn take_keys(operation: &mut Operation) {
    let text = |most| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(most)
    };
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "Sent again under the same key within 24 hours, the request is answered as the first \
             time, with `Idempotent-Replayed: true`, and not done again.",
        ))
        .schema(Some(
            text(Some(255))
                .min_length(Some(1))
                .pattern(Some("^[!-~]+$")),
        ));
    operation
        .parameters
        .get_or_insert_default()
        .push(RefOr::T(key.build()));
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            let mut replayed = Header::new(text(None).enum_values(Some(["true"])));
            replayed.description = Some("This is the answer of an earlier request.".to_owned());
            response
                .headers
                .insert("Idempotent-Replayed".to_owned(), RefOr::T(replayed));
        }
    }
    let refused = error("The state forbids it; or the same request is being answered right now.");
    operation
        .responses
        .responses
        .entry("409".to_owned())
        .or_insert_with(|| RefOr::T(refused));
}

/// What is counted may be too much.
fn limit(operation: &mut Operation) {
    let refused = error("Too many requests; `Retry-After` says when to come again.");
    operation
        .responses
        .responses
        .entry("429".to_owned())
        .or_insert_with(|| RefOr::T(refused));
}

fn operation<'i>(item: &'i mut PathItem, method: &Method) -> Option<&'i mut Operation> {
    let method = match method.as_str() {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => return None,
    };
    match method {
        HttpMethod::Get => item.get.as_mut(),
        HttpMethod::Post => item.post.as_mut(),
        HttpMethod::Put => item.put.as_mut(),
        HttpMethod::Patch => item.patch.as_mut(),
        _ => item.delete.as_mut(),
    }
}

/// With what a caller says who it is.
fn secure(operation: &mut Operation, need: Need) {
    let schemes: &[&str] = match need {
        Need::Public => return,
        Need::Account | Need::Member(_) | Need::MemberOrSelf(_) | Need::Named(_) => &[BEARER],
        Need::Follow => &[BEARER, TICKET, SECRET],
        Need::Holder => &[SECRET],
    };
    let schemes = schemes.iter();
    let one_of = schemes.map(|scheme| SecurityRequirement::new(*scheme, Vec::<String>::new()));
    operation.security = Some(one_of.collect());
}

/// The refusals that a caller has to expect.
fn describe(operation: &mut Operation, row: &Row) {
    let mut errors = vec![
        ("500", "A fault of the server."),
        ("503", "Away for the moment."),
    ];
    if row.kind == Kind::Open {
        errors.extend([
            ("401", "No credential."),
            ("403", "Not let in."),
            ("404", "Another restaurant."),
            ("429", "Too many sockets."),
        ]);
    } else if row.need != Need::Public {
        errors.push(("401", "No credential, or one that is not valid."));
    }
    if row.kind != Kind::Open && !matches!(row.need, Need::Public | Need::Holder) {
        errors.push(("403", "The role may not do this."));
    }
    if row.path.contains('{') {
        errors.push((
            "404",
            "No such resource, or it belongs to another restaurant.",
        ));
    }
    if operation.request_body.is_some() || operation.parameters.is_some() {
        errors.push(("400", "The request could not be read."));
        errors.push(("422", "Fields are missing or out of range."));
    }
    if operation.request_body.is_some() {
        errors.push(("413", "The body is larger than 1 MiB."));
        errors.push(("415", "The body is not JSON."));
    }
    for (status, description) in errors {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(error(description)));
    }
}

fn error(description: &str) -> Response {
    let envelope = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ErrorBody")))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/json", envelope)
        .build()
}
