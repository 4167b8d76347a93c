//! `/openapi.json` and `/docs`: generated from the handlers and the types, and from the list of
//! routes what every route has in common.

use std::future::{Ready, ready};
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, Header, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type,
};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::access::auth::Need;
use crate::describe::asyncapi;
use crate::floor::{
    availability, dashboard, guests, holds, reservations, snapshot, tables, waitlist,
};
use crate::live::{events, presence, realtime, socket_tickets};
use crate::menu::{categories, dishes, menus, transfer, tree};
use crate::people::{auth, invitations, sessions, users};
use crate::platform::routing::canonical;
use crate::platform::{idempotency, limits};
use crate::rooms::OfRooms;
use crate::routes::routes;
use crate::seen::{health, metrics};
use crate::together::{atomic, batch, sync};
use crate::venue::restaurants;
use crate::{audit, menu, privacy};

/// The document. Routes are listed under their canonical path.
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
    paths(
        auth::register, auth::login, auth::refresh, auth::logout, auth::me, auth::change_password,
        auth::update_me, auth::reset_password,
        sessions::list, sessions::revoke,
        restaurants::get, restaurants::update,
        users::list, users::update, users::delete, users::reset_link,
        invitations::create, invitations::list, invitations::get, invitations::delete,
        invitations::confirm, invitations::lookup, invitations::accept,
        guests::list, guests::create, guests::get, guests::update, guests::delete,
        tables::list, tables::create, tables::get, tables::update, tables::delete, tables::clear,
        reservations::list, reservations::create, reservations::get, reservations::update,
        reservations::cancel, reservations::check_in, reservations::seat,
        availability::day, holds::create, holds::delete, waitlist::quote,
        dashboard::dashboard, dashboard::dashboard_data, snapshot::full, sync::delta,
        batch::update, atomic::atomic, atomic::batch, sync::batch,
        tree::get, transfer::import, transfer::export,
        categories::list, categories::create, categories::get, categories::update,
        categories::delete,
        dishes::visit, dishes::toggle, dishes::list, dishes::create, dishes::get, dishes::update,
        dishes::delete, menus::category, menus::item, menu::live::watch,
        audit::list, privacy::export, privacy::erase,
        presence::list, realtime::follow, events::stream, socket_tickets::issue,
        health::health, health::live, health::ready, metrics::page::page, document, asyncapi::asyncapi,
    ),
    components(schemas(wire::ErrorBody, wire::floor::guests::GuestScope)),
    modifiers(&Common, &OfRooms)
)]
struct Document;

static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| Document::openapi().to_json().unwrap_or_default());

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

/// What every route has in common, by its method and by what it needs.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("bearer", bearer);
        for (method, path, need) in routes().list() {
            let Some(item) = document.paths.paths.get_mut(&canonical(path)) else {
                continue;
            };
            if *method == Method::PATCH && item.patch.is_none() {
                // The same handler as PUT, whose name it must not have.
                item.patch.clone_from(&item.put);
                if let Some(operation) = &mut item.patch {
                    operation.operation_id = Some("patch".to_owned());
                }
            }
            if let Some(operation) = operation(item, method) {
                name(operation);
                if idempotency::takes_keys(method, path) {
                    take_keys(operation);
                }
                headers(operation);
                describe(operation, path, need);
                if limits::tier(method, &canonical(path)).is_some() {
                    limit(operation);
                }
                explain(operation);
            }
        }
    }
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

fn describe(operation: &mut Operation, path: &str, need: Need) {
    let mut errors = vec![
        ("500", "A fault of the server."),
        ("503", "Away for the moment."),
    ];
    if need != Need::Public {
        operation.security = Some(vec![SecurityRequirement::new(
            "bearer",
            Vec::<String>::new(),
        )]);
        errors.push(("401", "No credential, or one that is not valid."));
        errors.push(("403", "The role may not do this."));
    }
    if path.contains('{') {
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
    if ["/realtime", "/realtime/events", "/ws"].contains(&path) {
        for status in [
            ("401", "No credential."),
            ("403", "Not let in."),
            ("404", "Another restaurant."),
            ("429", "Too many sockets."),
        ] {
            errors.push(status);
        }
    }
    if path.starts_with("/health") || path.ends_with("api.json") {
        return;
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
