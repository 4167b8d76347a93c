//! `If-Match`: a change is made only to the version that the client has seen.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use wire::ErrorCode;

use crate::platform::errors::ApiError;

/// The version that the client wants to change; `None` for any.
///
/// A weak tag (`W/"3"`) is taken too: compression on the way makes strong tags weak, and a version
/// is the same in every encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub Option<i32>);

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut given = request.headers().get_all(header::IF_MATCH);
        ready(match (given.next(), given.next()) {
            (None, _) => Ok(Self(None)),
            (Some(one), None) => one.to_str().ok().and_then(version).ok_or_else(unreadable),
            (Some(_), Some(_)) => Err(unreadable()),
        })
    }
}

fn version(text: &str) -> Option<IfMatch> {
    let text = text.trim();
    if text == "*" {
        return Some(IfMatch(None));
    }
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let number = tag.strip_prefix('"')?.strip_suffix('"')?;
    Some(IfMatch(Some(number.parse().ok()?)))
}

fn unreadable() -> ApiError {
    ApiError::new(
        ErrorCode::BadRequest,
        "If-Match is to hold one version, as the ETag has it: \"3\".",
    )
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    async fn read(header: &str) -> Option<IfMatch> {
        let request = TestRequest::default().insert_header(("if-match", header));
        IfMatch::extract(&request.to_http_request()).await.ok()
    }

    #[actix_web::test]
    async fn one_version_or_any() {
        assert_eq!(read("\"3\"").await, Some(IfMatch(Some(3))));
        assert_eq!(read("W/\"12\"").await, Some(IfMatch(Some(12))));
        assert_eq!(read(" * ").await, Some(IfMatch(None)));
        for garbage in ["3", "", "\"\"", "\"x\"", "\"1\", \"2\"", "\"9999999999\""] {
            assert_eq!(read(garbage).await, None, "{garbage}");
        }
        let without = TestRequest::default().to_http_request();
        assert_eq!(IfMatch::extract(&without).await.unwrap(), IfMatch(None));
    }
}
