//! Pages for people who come by a link, without script: a form or a sentence.
//!
//! They stand at the root and under no mount, and their addresses have a secret in them. So they are
//! logged by their route alone, kept by nobody, indexed by nobody, and tell no other site where one
//! came from; the middleware sees to it for every route that [`crate::platform::routing`] knows as one. A GET
//! changes nothing. A form is posted to its page's own address, so the secret is in no page and in
//! no cookie, and is answered 303: the page that follows says what has become of it.

pub mod invitation;
pub mod reset;
mod routes;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use wire::ErrorBody;

pub use self::routes::routes;
use crate::platform::errors::ApiError;

const STYLE: &str = include_str!("style.css");

/// No script, no pictures, nothing from elsewhere: only this style, and forms to where they are.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// A page.
pub(crate) fn page(status: StatusCode, title: &str, content: &Markup) -> HttpResponse {
    dressed(HttpResponse::new(status), title, content)
}

fn dressed(answer: HttpResponse, title: &str, content: &Markup) -> HttpResponse {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (title) }
                    (content)
                }
            }
        }
    };
    let mut answer = answer.set_body(BoxBody::new(page.into_string()));
    let headers = answer.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    answer
}

/// The same, which is asked for again after a while, without script: the header is old and every
/// browser knows it.
pub(crate) fn again(mut page: HttpResponse) -> HttpResponse {
    let refresh = HeaderName::from_static("refresh");
    let headers = page.headers_mut();
    headers.insert(refresh, HeaderValue::from_static("15"));
    page
}

/// An error in place of a page, with the headers that it has.
pub(crate) fn fault(answer: HttpResponse, body: &ErrorBody) -> HttpResponse {
    let content = html! {
        p { (body.error) }
        @if body.status == 404 {
            p { "A link is good for a few days and, mostly, once. Ask whoever sent it for another." }
        }
        p.small { "Request " (body.request_id) }
    };
    dressed(answer, "This did not work", &content)
}

/// What is wrong with what was typed, above its form; `None` for what is no fault of the person's.
pub(crate) fn complaint(error: &ApiError) -> Option<(StatusCode, Markup)> {
    let body = error.body("");
    let status = StatusCode::from_u16(body.status).ok()?;
    let is_of_form = matches!(status.as_u16(), 401 | 409 | 422);
    is_of_form.then(|| {
        let content = html! {
            div.complaint role="alert" {
                p { (body.error) }
                @if body.fields.len() > 1 {
                    ul { @for fault in &body.fields { li { (label(&fault.field)) " " (fault.message) } } }
                }
            }
        };
        (status, content)
    })
}

/// A field as its form calls it.
fn label(field: &str) -> &str {
    match field {
        "email" => "E-mail address",
        "password" | "newPassword" => "Password",
        "firstName" => "First name",
        "lastName" => "Last name",
        other => other,
    }
}

/// A line of a form.
fn input(id: &str, name: &str, kind: &str, autocomplete: &str, value: &str) -> Markup {
    let least = (autocomplete == "new-password").then_some("8");
    html! {
        p {
            label for=(id) { (label(name)) }
            input id=(id) name=(name) type=(kind) autocomplete=(autocomplete) value=(value)
                required[kind != "text"] minlength=[least] maxlength="254";
        }
    }
}

/// 303 to a page.
pub(crate) fn see_other(place: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, place))
        .finish()
}
