//! Headers that tell browsers what not to do, and which web pages may call.

use actix_cors::Cors;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::config::CorsOrigins;

/// What a web page may read of an answer, beside the body.
const EXPOSED: [&str; 9] = [
    "ETag",
    "Link",
    "X-Request-Id",
    "X-Event-Seq",
    "Retry-After",
    "Idempotent-Replayed",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
];

/// The same for every answer.
const ALWAYS: [(HeaderName, HeaderValue); 3] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
];

/// What a page may do. Swagger UI has its scripts and styles in files of its own beside it, and
/// pictures in its styles; it calls this server to try operations out. A page that needs less says so
/// itself.
const PAGES: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'",
);

const YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The rules for web pages of other origins. Credentials are bearer tokens, so cookies are not
/// allowed across origins, and a wildcard gives nothing away.
pub(super) fn cors(origins: &CorsOrigins) -> Cors {
    let rules = Cors::default()
        .allow_any_header()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .expose_headers(EXPOSED)
        .max_age(3600);
    match origins {
        CorsOrigins::Any => rules.allow_any_origin().send_wildcard(),
        CorsOrigins::These(origins) => origins
            .iter()
            .fold(rules, |rules, origin| rules.allowed_origin(origin)),
    }
}

/// What is answered under a path with a secret is kept by nobody and found by nobody; where one came
/// from is never told.
pub(super) fn keep_to_oneself(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let robots = HeaderName::from_static("x-robots-tag");
    headers.insert(robots, HeaderValue::from_static("noindex"));
}

/// Adds what every answer says to browsers.
pub(crate) fn protect(status: StatusCode, headers: &mut HeaderMap, strict_transport: bool) {
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    if is_page(headers) && !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, PAGES);
    }
    if strict_transport {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, YEAR);
    }
    if status != StatusCode::NOT_MODIFIED
        && !headers.contains_key(header::CACHE_CONTROL)
        && is_data(headers)
    {
        // With a tag an answer may be kept but is asked about each time; without, it is not kept.
        let rule = if headers.contains_key(header::ETAG) {
            "private, no-cache"
        } else {
            "no-store"
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(rule));
    }
}

/// Whether an answer is something that a browser runs scripts in.
fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| {
        let kind = kind.as_bytes().to_ascii_lowercase();
        [&b"text/html"[..], b"application/xhtml", b"image/svg"]
            .iter()
            .any(|page| kind.starts_with(page))
    })
}

/// Whether an answer is data and not a part of the documentation's pages.
fn is_data(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_none_or(|kind| {
        let kind = kind.as_bytes();
        [
            &b"application/json"[..],
            b"text/event-stream",
            b"text/plain",
        ]
        .iter()
        .any(|data| kind.starts_with(data))
    })
}
