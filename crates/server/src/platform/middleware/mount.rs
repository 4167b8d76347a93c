//! One tree of routes under three mounts.
//!
//! The canonical prefix is `/api/v1`; older clients use `/api` or none. The prefix is taken off
//! before routing, so that there is one tree, one set of labels and one list for OpenAPI.

use std::borrow::Cow;

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

/// Under these a path goes on with a secret, whether or not a route answers: tables, queue, orders,
/// work, invitations, passwords. The balancer's log has the same list.
const SECRET: [&str; 6] = ["t", "q", "o", "w", "i", "r"];

/// No name of ours is so long, nor an id: what is, may be a secret in a path that was mistyped.
const LONGEST: usize = 40;

/// A path that no route answers, as it is logged.
pub(super) fn without_secrets(path: &str) -> Cow<'_, str> {
    let end = path.char_indices().nth(200).map(|(end, _)| end);
    let shown = end.and_then(|end| path.get(..end)).unwrap_or(path);
    let is_long = |segment: &str| segment.len() > LONGEST;
    let has_secret = |segment: &str| SECRET.iter().any(|one| segment.eq_ignore_ascii_case(one));
    if path.len() == shown.len() && !path.split('/').any(|one| is_long(one) || has_secret(one)) {
        return Cow::Borrowed(path);
    }
    let mut safe = String::new();
    for (number, segment) in shown.split('/').enumerate() {
        if number > 0 {
            safe.push('/');
        }
        if is_long(segment) {
            safe.push('…');
            continue;
        }
        safe.push_str(segment);
        if has_secret(segment) {
            safe.push_str("/…");
            break;
        }
    }
    Cow::Owned(safe)
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
    fn what_may_be_a_secret_is_not_shown() {
        let (secret, id) = ("S".repeat(75), "0190f3c0-0000-7000-8000-000000000001");
        for (path, shown) in [
            (
                format!("/restaurants/{id}/gusts"),
                format!("/restaurants/{id}/gusts"),
            ),
            (format!("/I/{secret}"), "/I/…".to_owned()),
            (format!("/api/v1/i/{secret}/x"), "/api/v1/i/…".to_owned()),
            (format!("//i/{secret}"), "//i/…".to_owned()),
            ("/t/short".to_owned(), "/t/…".to_owned()),
            (format!("/x/{secret}"), "/x/…".to_owned()),
            (format!("/%69/{secret}"), "/%69/…".to_owned()),
            ("/".to_owned(), "/".to_owned()),
        ] {
            assert_eq!(without_secrets(&path), shown, "{path}");
        }
        let endless = "/ab".repeat(10_000);
        assert!(without_secrets(&endless).len() <= 203);
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
