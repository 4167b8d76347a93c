//! `X-Min-Seq`: the answer is to contain at least what the client knows.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest};
use wire::{ErrorCode, Position};

use crate::platform::errors::ApiError;
use crate::platform::reply;
use crate::platform::tag::LogTag;

const MIN_SEQ: HeaderName = HeaderName::from_static("x-min-seq");

/// So many tags of a client are looked at: it keeps a version of a list, or a few.
const TAGS: usize = 100;

/// The positions that the client shows to know: that of `X-Min-Seq`, and those of the lists that it
/// has (`If-None-Match`). Empty when it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AtLeast(pub Vec<Position>);

impl FromRequest for AtLeast {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asked: Result<Vec<Position>, ApiError> = request
            .headers()
            .get_all(MIN_SEQ)
            .map(|value| {
                let text = value.to_str().ok().map(str::trim);
                text.and_then(|text| text.parse().ok())
                    .ok_or_else(unreadable)
            })
            .collect();
        ready(asked.map(|mut least| {
            least.extend(held(request));
            Self(least)
        }))
    }
}

/// The positions of `If-None-Match`. Tags that are none are somebody else's.
fn held(request: &HttpRequest) -> impl Iterator<Item = Position> {
    reply::known_tags(request)
        .take(TAGS)
        .filter_map(LogTag::position_in)
}

fn unreadable() -> ApiError {
    ApiError::new(
        ErrorCode::BadRequest,
        "X-Min-Seq is to hold a position as X-Event-Seq has it: <epoch>:<seq>.",
    )
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const EPOCH: &str = "0191d3a0-0000-7000-8000-000000000001";

    async fn read(headers: &[(&'static str, String)]) -> Option<Vec<i64>> {
        let request = headers
            .iter()
            .fold(TestRequest::default(), |request, (name, value)| {
                request.append_header((*name, value.as_str()))
            });
        let least = AtLeast::extract(&request.to_http_request()).await.ok()?;
        Some(least.0.iter().map(|position| position.seq).collect())
    }

    #[actix_web::test]
    async fn what_the_client_shows_to_know() {
        let min = |text: String| ("x-min-seq", text);
        let tag = |text: String| ("if-none-match", text);
        assert_eq!(read(&[]).await, Some(vec![]));
        assert_eq!(read(&[min(format!(" {EPOCH}:7 "))]).await, Some(vec![7]));
        let both = [
            min(format!("{EPOCH}:7")),
            tag(format!("W/\"{EPOCH}:9:1764212400\", \"3\", \"{EPOCH}:8\"")),
        ];
        assert_eq!(read(&both).await, Some(vec![7, 9, 8]));
        let two = [min(format!("{EPOCH}:7")), min(format!("{EPOCH}:8"))];
        assert_eq!(read(&two).await, Some(vec![7, 8]));
        assert_eq!(read(&[tag("*".into())]).await, Some(vec![]));
        for garbage in [
            "",
            "7",
            "x:7",
            &format!("{EPOCH}:-1"),
            &format!("{EPOCH}:7,{EPOCH}:8"),
        ] {
            assert_eq!(read(&[min((*garbage).into())]).await, None, "{garbage}");
        }
    }
}
