//! JSON bodies.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use wire::{ErrorCode, FieldError};

use super::fields::{Spelling, field_error};
use super::{limit, nul};
use crate::platform::errors::ApiError;

/// The largest body that is read, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// How long a body may take to arrive, so that a dripping client does not hold a request open.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// A body that is announced to be so short gets its room at once, in bytes.
const AT_ONCE: usize = 16 * 1024;

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let typed = content_type(request.headers());
        let limit = limit(request);
        let length = declared_length(request.headers(), limit);
        let payload = payload.take();
        Box::pin(async move {
            let typed = typed?;
            let bytes = collect(payload, length?, limit).await?;
            match (typed, bytes.is_empty()) {
                (_, true) => Err(unreadable("The body is empty; JSON is wanted.")),
                (Typed::NotAtAll, false) => Err(not_json()),
                (Typed::Json, false) => Ok(Self(parse(&bytes)?)),
            }
        })
    }
}

/// A JSON body that may be left out.
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalJson<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let typed = content_type(request.headers());
        let limit = limit(request);
        let length = declared_length(request.headers(), limit);
        let payload = payload.take();
        Box::pin(async move {
            let typed = typed?;
            let bytes = collect(payload, length?, limit).await?;
            match (typed, bytes.is_empty()) {
                (_, true) => Ok(Self(T::default())),
                (Typed::NotAtAll, false) => Err(not_json()),
                (Typed::Json, false) => Ok(Self(parse(&bytes)?)),
            }
        })
    }
}

enum Typed {
    Json,
    NotAtAll,
}

fn content_type(headers: &HeaderMap) -> Result<Typed, ApiError> {
    if is_packed(headers) {
        return Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "Bodies are read uncompressed.",
        ));
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(Typed::NotAtAll);
    };
    let essence = value.to_str().unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || essence.ends_with("+json") {
        return Ok(Typed::Json);
    }
    if essence.is_empty() {
        return Ok(Typed::NotAtAll);
    }
    Err(not_json())
}

pub(super) fn is_packed(headers: &HeaderMap) -> bool {
    let encoding = headers.get(header::CONTENT_ENCODING);
    encoding.is_some_and(|encoding| encoding != "identity")
}

fn not_json() -> ApiError {
    ApiError::new(
        ErrorCode::UnsupportedMediaType,
        "The body is to be JSON, with the content type application/json.",
    )
}

/// What the client says it will send; refused before any of it is read.
pub(super) fn declared_length(headers: &HeaderMap, limit: usize) -> Result<usize, ApiError> {
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok())
        .unwrap_or(0);
    if length > limit {
        return Err(too_large(limit));
    }
    Ok(length)
}

/// The whole body of a request, whatever it says.
///
/// # Errors
/// 413 above `limit` bytes, 400 when it breaks off or does not arrive in time.
pub async fn body(headers: &HeaderMap, payload: Payload, limit: usize) -> Result<Bytes, ApiError> {
    collect(payload, declared_length(headers, limit)?, limit).await
}

pub(super) async fn collect(
    mut payload: Payload,
    length: usize,
    limit: usize,
) -> Result<Bytes, ApiError> {
    let read = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|cause| {
                unreadable("The body could not be read to its end.").because(cause)
            })?;
            if body.len() + chunk.len() > limit {
                return Err(too_large(limit));
            }
            make_room(&mut body, chunk.len(), length);
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    tokio::time::timeout(BODY_DEADLINE, read)
        .await
        .unwrap_or_else(|_| Err(unreadable("The body did not arrive in time.")))
}

/// Makes room for what has come, and for so much of what is announced as has come already: an
/// announcement alone costs nothing.
fn make_room(body: &mut BytesMut, coming: usize, announced: usize) {
    if body.capacity() - body.len() < coming {
        let missing = announced.saturating_sub(body.len());
        body.reserve(missing.min(body.len() + AT_ONCE).max(coming));
    }
}

fn too_large(limit: usize) -> ApiError {
    let most = limit / (1024 * 1024);
    ApiError::new(
        ErrorCode::TooLarge,
        format!("The body is larger than {most} MiB, the most that is read."),
    )
}

pub(super) fn unreadable(sentence: &'static str) -> ApiError {
    ApiError::new(ErrorCode::BadRequest, sentence)
}

/// Reads a JSON text.
///
/// # Errors
/// 400 for what is no JSON, 422 with the field that is missing or wrong.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let inner = error.inner();
        match inner.classify() {
            Category::Data => ApiError::invalid(vec![field_error(
                error.path(),
                &inner.to_string(),
                Spelling::Camel,
            )]),
            Category::Syntax | Category::Eof | Category::Io => syntax(inner),
        }
    })?;
    reader.end().map_err(|error| syntax(&error))?;
    nul::in_json(body).check()?;
    Ok(value)
}

/// Reads a part of a body that was read before: where each part is to be named that cannot be. Until
/// then it is kept as the text that it is, which costs what it was sent with; a tree of values would
/// be a hundred times as large.
///
/// # Errors
/// The field that is missing or wrong, and what is wrong with it.
pub fn part<T: DeserializeOwned>(text: &str) -> Result<T, Vec<FieldError>> {
    if !text.starts_with('{') {
        // serde would take a list for an object.
        let message = "must be an object".to_owned();
        return Err(vec![FieldError {
            field: "body".to_owned(),
            message,
        }]);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let inner = error.inner();
        let message = match inner.classify() {
            Category::Data => inner.to_string(),
            // What was skipped when the whole was read.
            Category::Syntax | Category::Eof | Category::Io => "is not valid JSON".to_owned(),
        };
        vec![field_error(error.path(), &message, Spelling::Camel)]
    })
}

fn syntax(error: &serde_json::Error) -> ApiError {
    // The place is the client's to find the fault; the text of the error has it at its end.
    ApiError::new(
        ErrorCode::BadRequest,
        format!("The body is not valid JSON: {error}."),
    )
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Party {
        #[serde(alias = "party_size")]
        party_size: u8,
        #[serde(default)]
        tags: Vec<Tag>,
    }

    #[derive(Deserialize, Debug, PartialEq)]
    struct Tag {
        name: String,
    }

    async fn read(request: TestRequest) -> Result<Party, String> {
        let (request, mut payload) = request.to_http_parts();
        match Json::<Party>::from_request(&request, &mut payload).await {
            Ok(Json(party)) => Ok(party),
            Err(error) => {
                let body = error.body("");
                let fields: Vec<_> = body
                    .fields
                    .iter()
                    .map(|field| format!("{}: {}", field.field, field.message))
                    .collect();
                Err(format!(
                    "{} {}",
                    body.status,
                    match fields.as_slice() {
                        [] => body.error,
                        fields => fields.join("; "),
                    }
                ))
            }
        }
    }

    fn json(body: &'static str) -> TestRequest {
        TestRequest::post()
            .insert_header(("content-type", "application/json; charset=utf-8"))
            .set_payload(body)
    }

    #[test]
    fn settings_of_all_rooms_are_one_object_to_who_reads_a_refusal() {
        for (settings, field) in [
            (
                r#"{"turn_times":[{"maxPartySize":2,"minutes":"x"}]}"#,
                "turnTimes[0].minutes",
            ),
            (r#"{"pauses":[{"from":"noon"}]}"#, "pauses[0].from"),
            (r#"{"pacing":{"maxCovers":[]}}"#, "pacing.maxCovers"),
            (
                r#"{"needsCleaning":true,"needs_cleaning":true}"#,
                "needsCleaning",
            ),
        ] {
            let error = parse::<wire::rooms::UpdateSettings>(settings.as_bytes()).unwrap_err();
            let fields = error.body("").fields;
            assert_eq!(
                fields.first().map(|fault| fault.field.as_str()),
                Some(field),
                "{settings}"
            );
        }
    }

    #[actix_web::test]
    async fn refusals_name_what_is_wrong() {
        for (body, refusal) in [
            ("", "400 The body is empty; JSON is wanted."),
            (
                "{",
                "400 The body is not valid JSON: EOF while parsing an object at line 1 column 1.",
            ),
            (
                "{\"partySize\":\n x}",
                "400 The body is not valid JSON: expected value at line 2 column 2.",
            ),
            (
                "{\"partySize\":1} x",
                "400 The body is not valid JSON: trailing characters at line 1 column 17.",
            ),
            ("{}", "422 partySize: is required"),
            ("[]", "422 body: must be an object"),
            (
                "{\"partySize\":\"many\"}",
                "422 partySize: must be a whole number, not a string",
            ),
            (
                "{\"party_size\":null}",
                "422 partySize: must be a whole number, not null",
            ),
            (
                "{\"party_size\":300}",
                "422 partySize: is out of range for a whole number",
            ),
            (
                "{\"party_size\":1,\"partySize\":1}",
                "422 partySize: is given twice",
            ),
            (
                "{\"partySize\":1,\"tags\":[{\"name\":\"a\"},{}]}",
                "422 tags[1].name: is required",
            ),
            (
                "{\"partySize\":1,\"tags\":[{\"name\":\"a\\u0000\"}]}",
                "422 tags[0].name: must not contain NUL characters",
            ),
        ] {
            assert_eq!(read(json(body)).await, Err(refusal.to_owned()), "{body}");
        }
    }

    #[actix_web::test]
    async fn both_spellings_and_unknown_fields_are_read() {
        for body in ["{\"partySize\":4}", "{\"party_size\":4,\"unknown\":true}"] {
            assert_eq!(read(json(body)).await.unwrap().party_size, 4);
        }
    }

    #[actix_web::test]
    async fn only_json_is_read() {
        let body = || TestRequest::post().set_payload("{\"partySize\":4}");
        for (content_type, good) in [
            ("application/json", true),
            ("Application/JSON;charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            let answer = read(body().insert_header(("content-type", content_type))).await;
            assert_eq!(answer.is_ok(), good, "{content_type}: {answer:?}");
            assert!(answer.is_ok() || answer.unwrap_err().starts_with("415"));
        }
        assert!(read(body()).await.unwrap_err().starts_with("415"));
        let packed = json("{}").insert_header(("content-encoding", "gzip"));
        assert!(read(packed).await.unwrap_err().starts_with("415"));
    }

    #[test]
    fn room_is_made_for_what_has_come() {
        let announced = 16 * 1024 * 1024;
        let mut body = BytesMut::new();
        while body.len() < announced {
            make_room(&mut body, 1000, announced);
            body.extend_from_slice(&[b' '; 1000]);
            let most = 2 * body.len() + 2 * AT_ONCE;
            assert!(
                body.capacity() <= most,
                "{} of {}",
                body.capacity(),
                body.len()
            );
        }
        let mut small = BytesMut::new();
        make_room(&mut small, 1, 500);
        assert!((500..AT_ONCE).contains(&small.capacity()));
    }

    #[actix_web::test]
    async fn a_body_has_a_limit_declared_or_not() {
        let declared = json("{}").insert_header(("content-length", (BODY_LIMIT + 1).to_string()));
        assert!(read(declared).await.unwrap_err().starts_with("413"));
        let undeclared = json("").set_payload(vec![b' '; BODY_LIMIT + 1]);
        let undeclared = undeclared.insert_header(("content-length", "0"));
        assert!(read(undeclared).await.unwrap_err().starts_with("413"));
        let mut largest = br#"{"partySize":1}"#.to_vec();
        largest.resize(BODY_LIMIT, b' ');
        assert!(read(json("").set_payload(largest)).await.is_ok());
    }
}
