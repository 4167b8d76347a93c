//! What handlers answer with: a resource, a page of a list, or nothing, with the headers of each.

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use domain::page::Page;
use serde::Serialize;
use sha2::{Digest, Sha256};
use wire::Position;

use crate::platform::errors::ApiError;
use crate::platform::tag::LogTag;

/// `X-Event-Seq: <epoch>:<seq>`, the position of the log after a write, or in what is
/// read at a position.
pub const EVENT_SEQ: HeaderName = HeaderName::from_static("x-event-seq");

/// How long an item of a list is as JSON, roughly: a party has some 800 bytes.
const ITEM_BYTES: usize = 1024;

/// A resource with a version: its `ETag`.
pub trait Versioned {
    /// Counts the changes.
    fn version(&self) -> i32;
}

/// Each room says which of its resources have a version.
macro_rules! versioned {
    ($($resource:ty),+ $(,)?) => {$(
        impl $crate::platform::reply::Versioned for $resource {
            fn version(&self) -> i32 {
                self.version
            }
        }
    )+};
}

pub(crate) use versioned;

/// What is said in place of a link that was shown.
pub const SHOWN_ONCE: &str = "The link was shown once, with the first answer, and is kept nowhere. \
    Who has lost it makes another one.";

/// A resource as it is.
pub fn found<T: Serialize + Versioned>(resource: &T) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::ETAG, etag(resource.version())))
        .json(resource)
}

fn etag(version: i32) -> String {
    format!("\"{version}\"")
}

/// What a write did, and where the log stands after it.
#[derive(Debug)]
pub struct Saved<T> {
    /// What the operation returned.
    pub value: T,
    position: Option<Position>,
}

impl<T> Saved<T> {
    /// After a commit; `position` is `None` where nothing changed.
    #[must_use]
    pub const fn new(value: T, position: Option<Position>) -> Self {
        Self { value, position }
    }

    /// Where the log stands after it.
    #[must_use]
    pub const fn position(&self) -> Option<Position> {
        self.position
    }

    /// What the operation returned and the position, apart.
    #[must_use]
    pub fn into_parts(self) -> (T, Option<Position>) {
        (self.value, self.position)
    }

    /// 204.
    #[must_use]
    pub fn no_content(&self) -> HttpResponse {
        self.with_position(HttpResponse::NoContent()).finish()
    }

    fn with_position(&self, mut answer: HttpResponseBuilder) -> HttpResponseBuilder {
        if let Some(position) = self.position {
            answer.insert_header((EVENT_SEQ, position.to_string()));
        }
        answer
    }
}

impl<T: Serialize + Versioned> Saved<T> {
    /// 200 with the resource.
    #[must_use]
    pub fn ok(&self) -> HttpResponse {
        self.answer(HttpResponse::Ok())
    }

    /// 201 with the resource, which is to be found under the request's path and `id`.
    #[must_use]
    pub fn created(&self, request: &HttpRequest, id: impl std::fmt::Display) -> HttpResponse {
        self.created_at(&format!("{}/{id}", request.path()))
    }

    /// 201 with the resource, which is to be found at `place` under the canonical mount.
    #[must_use]
    pub fn created_at(&self, place: &str) -> HttpResponse {
        let mut answer = HttpResponse::Created();
        answer.insert_header((header::LOCATION, mounted(place)));
        self.answer(answer)
    }

    fn answer(&self, answer: HttpResponseBuilder) -> HttpResponse {
        let mut answer = self.with_position(answer);
        answer
            .insert_header((header::ETAG, etag(self.value.version())))
            .json(&self.value)
    }
}

/// 201 with a resource that never changes, and so has no version.
pub fn made<T: Serialize>(
    request: &HttpRequest,
    id: impl std::fmt::Display,
    resource: &T,
) -> HttpResponse {
    made_at(&format!("{}/{id}", request.path()), resource)
}

/// The same, of what is to be found at `place` under the canonical mount.
pub fn made_at<T: Serialize>(place: &str, resource: &T) -> HttpResponse {
    HttpResponse::Created()
        .insert_header((header::LOCATION, mounted(place)))
        .json(resource)
}

/// 200 with what a write did.
pub fn done<T: Serialize>(body: &T, position: Option<Position>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    if let Some(position) = position {
        answer.insert_header((EVENT_SEQ, position.to_string()));
    }
    answer.json(body)
}

/// A page of a list; where there is another, `Link` names it (RFC 8288).
pub fn page<T: Serialize>(request: &HttpRequest, page: &Page<T>) -> HttpResponse {
    listed(HttpResponse::Ok(), request, page)
}

/// Something read at a position: its `ETag`, and the position of the log that it contains.
pub fn at<T: Serialize>(tag: LogTag, body: &T) -> HttpResponse {
    tagged(HttpResponse::Ok(), tag).json(body)
}

/// The same, of what is written as JSON already.
pub fn json_at(tag: LogTag, body: Bytes) -> HttpResponse {
    tagged(HttpResponse::Ok(), tag)
        .content_type("application/json")
        .body(body)
}

/// A page of a list that is read at a position.
pub fn page_at<T: Serialize>(request: &HttpRequest, tag: LogTag, page: &Page<T>) -> HttpResponse {
    listed(tagged(HttpResponse::Ok(), tag), request, page)
}

/// 304 when the caller has what there is under a tag.
pub fn not_modified(request: &HttpRequest, tag: LogTag) -> Option<HttpResponse> {
    is_known(request, &tag.to_string()).then(|| tagged(HttpResponse::NotModified(), tag).finish())
}

fn tagged(mut answer: HttpResponseBuilder, tag: LogTag) -> HttpResponseBuilder {
    answer
        .insert_header((header::ETAG, tag.to_string()))
        .insert_header((EVENT_SEQ, tag.position().to_string()));
    answer
}

/// JSON with a tag of its own: the same content has the same tag on every worker.
#[derive(Debug)]
pub struct Document {
    /// The JSON.
    pub body: Bytes,
    /// Its `ETag`.
    pub tag: String,
}

impl Document {
    /// Writes it.
    ///
    /// # Errors
    /// A fault when it cannot be written as JSON.
    pub fn new(content: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(content).map_err(ApiError::internal)?;
        let hash = Sha256::digest(&body);
        let tag = hash.iter().take(12).map(|byte| format!("{byte:02x}"));
        Ok(Self {
            tag: format!("\"{}\"", tag.collect::<String>()),
            body: body.into(),
        })
    }
}

/// What everybody may read and keep for a moment: 304 when the caller has it. `position` is where
/// the log stood when it was read.
pub fn public(request: &HttpRequest, document: &Document, position: Position) -> HttpResponse {
    let is_known = is_known(request, &document.tag);
    let mut answer = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    answer
        .insert_header((header::ETAG, document.tag.as_str()))
        .insert_header((header::CACHE_CONTROL, "public, max-age=5"))
        .insert_header((EVENT_SEQ, position.to_string()));
    if is_known {
        return answer.finish();
    }
    answer
        .content_type("application/json")
        .body(document.body.clone())
}

/// Whether the caller has what has this tag.
fn is_known(request: &HttpRequest, tag: &str) -> bool {
    known_tags(request).any(|known| known == tag)
}

/// The tags of what the caller has (`If-None-Match`), in their quotes. Compression on the way makes
/// strong tags weak.
pub fn known_tags(request: &HttpRequest) -> impl Iterator<Item = &str> {
    let tags = request.headers().get(header::IF_NONE_MATCH);
    let tags = tags.and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    tags.split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
}

fn listed<T: Serialize>(
    mut answer: HttpResponseBuilder,
    request: &HttpRequest,
    page: &Page<T>,
) -> HttpResponse {
    if let Some(cursor) = &page.next
        && let Ok(link) = HeaderValue::from_str(&next_link(request, cursor))
    {
        answer.insert_header((header::LINK, link));
    }
    json(answer, &page.items, page.items.len() * ITEM_BYTES)
}

/// Answers with JSON that is about so long: a buffer that has to grow is copied each time.
fn json(mut answer: HttpResponseBuilder, body: &impl Serialize, bytes: usize) -> HttpResponse {
    let mut text = Vec::with_capacity(bytes);
    match serde_json::to_writer(&mut text, body) {
        Ok(()) => answer.content_type("application/json").body(text),
        Err(error) => HttpResponse::from_error(ApiError::internal(error)),
    }
}

fn next_link(request: &HttpRequest, cursor: &str) -> String {
    let query = request.query_string();
    let mut pairs: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="))
        .collect();
    let cursor = format!("cursor={cursor}");
    pairs.push(&cursor);
    format!("<{}?{}>; rel=\"next\"", canonical(request), pairs.join("&"))
}

/// The request's path under the canonical mount.
fn canonical(request: &HttpRequest) -> String {
    mounted(request.path())
}

fn mounted(path: &str) -> String {
    format!("/api/v1{path}")
}
