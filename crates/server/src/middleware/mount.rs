//! One tree of routes under three mounts.
//!
//! The canonical prefix is `/api/v1`; older clients use `/api` or none. The prefix is taken off
//! before routing, so that there is one tree, one set of labels and one list for OpenAPI.

use actix_web::dev::{ServiceRequest, Url};
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;

/// What may stand before every path; the longer ones first.
pub const MOUNTS: [&str; 2] = ["/api/v1", "/api"];

/// The mount of a path, and the path under it.
#[must_use]
pub fn split(path: &str) -> (&'static str, &str) {
    for mount in MOUNTS {
        match path.strip_prefix(mount) {
            Some("") => return (mount, "/"),
            Some(rest) if rest.starts_with('/') => return (mount, rest),
            _ => {}
        }
    }
    ("", path)
}

/// Takes the mount off the request's path.
pub(super) fn take_off(request: &mut ServiceRequest) {
    let uri = request.uri();
    let (mount, path) = split(uri.path());
    if !mount.is_empty()
        && let Some(shorter) = with_path(uri, path)
    {
        // Routing reads the path here, everything else in the head.
        request.match_info_mut().set(Url::new(shorter.clone()));
        request.head_mut().uri = shorter;
    }
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path_and_query = match uri.query() {
        Some(query) => PathAndQuery::from_maybe_shared(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn three_mounts() {
        for (path, expected) in [
            ("/api/v1/guests", ("/api/v1", "/guests")),
            ("/api/v1/guests/", ("/api/v1", "/guests/")),
            ("/api/dishes", ("/api", "/dishes")),
            ("/restaurants/7/guests", ("", "/restaurants/7/guests")),
            ("/api/v1", ("/api/v1", "/")),
            ("/api/v1/", ("/api/v1", "/")),
            ("/api/v2/guests", ("/api", "/v2/guests")),
            ("/apiary", ("", "/apiary")),
            ("/", ("", "/")),
            ("", ("", "")),
        ] {
            assert_eq!(split(path), expected, "{path}");
        }
    }

    #[test]
    fn the_request_is_rewritten() {
        for (given, path, query) in [
            ("/api/v1/guests?a=%20b", "/guests", "a=%20b"),
            ("/api/guests/?x", "/guests/", "x"),
            ("/guests", "/guests", ""),
            ("/api/v1/a%20b", "/a%20b", ""),
        ] {
            let mut request = TestRequest::with_uri(given).to_srv_request();
            take_off(&mut request);
            assert_eq!(request.path(), path, "{given}");
            assert_eq!(request.query_string(), query, "{given}");
            let routed = request.match_info().as_str();
            assert_eq!(routed, path.replace("%20", " "), "{given}");
        }
    }
}
