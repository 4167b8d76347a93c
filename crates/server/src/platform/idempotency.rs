//! `Idempotency-Key`: a POST or PATCH that is sent again under its key is answered as the first time,
//! and not done again.
//!
//! [`read`] runs for all of them before their handlers and hands the key on in the [`Caller`], from
//! where it reaches the transaction as a part of its scope. [`crate::state::AppState::post`] claims
//! it there and keeps the answer, in the transaction that does the work. A handler cannot forget
//! it: [`crate::state::AppState::write`] refuses a scope with a key.
//!
//! What was refused has been rolled back, its key with it: sent again it is looked at anew. The same
//! holds for what was under way when a worker died. A copy that comes while the first is being
//! answered gets 409 and is to come again.

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpResponse};
use domain::remembered::Once;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use wire::ErrorCode;

use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract;
use crate::platform::routing::Row;

/// The key of the client's own, 1 to 255 visible ASCII characters.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that the answer is that of an earlier request.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Refuses a key where strangers are answered, and no answer can be kept: whoever sends one believes
/// that sending again is harmless.
///
/// # Errors
/// 400 when there is a key.
pub fn refuse(headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.contains_key(KEY) {
        let sentence = "An Idempotency-Key is not taken here: \
                        no answer is kept, and sent again this would be done again.";
        return Err(ApiError::new(ErrorCode::BadRequest, sentence));
    }
    Ok(())
}

/// Reads the key of a request, if it has one, and the body that it stands for; to be called once
/// the caller is known.
///
/// # Errors
/// 400 for a key that is none; as for every body, when it cannot be read.
pub async fn read(request: &mut ServiceRequest, row: &Row) -> Result<(), ApiError> {
    let caller = request.extensions().get::<Caller>().copied();
    let Some(caller) = caller else {
        return refuse(request.headers());
    };
    let Some(key) = key(request.headers())? else {
        return Ok(());
    };
    let payload = request.take_payload();
    let body = extract::body(request.headers(), payload, row.body_limit).await?;
    let mut hash = Sha256::new();
    for part in [&caller.user_id.0.to_string(), row.canonical, &key] {
        hash.update(part);
        hash.update([0]);
    }
    for (_, id) in request.match_info().iter() {
        hash.update(id.to_ascii_lowercase());
        hash.update([0]);
    }
    // The key is in the request's hash, too, and is kept nowhere: nobody who sees the hash can guess
    // at a password that a body may hold.
    let mut said = hash.clone();
    // What else says what is meant. Nothing is added where there is none of it, so that requests that
    // a worker of an earlier release has answered are known.
    for (name, value) in conditions(request) {
        said.update(name);
        said.update([0]);
        said.update(value);
        said.update([0]);
    }
    let once = Once {
        body: said.chain_update(&body).finalize().into(),
        key: hash.finalize().into(),
    };
    request.set_payload(Payload::Stream {
        payload: Box::pin(stream::iter([Ok(body)])),
    });
    request.extensions_mut().insert(Caller {
        once: Some(once),
        ..caller
    });
    Ok(())
}

/// What a request says beside its path and its body.
fn conditions(request: &ServiceRequest) -> impl Iterator<Item = (&'static str, &[u8])> {
    let query = Some(request.query_string()).filter(|query| !query.is_empty());
    let versions = request.headers().get_all(header::IF_MATCH);
    query
        .map(|query| ("query", query.as_bytes()))
        .into_iter()
        .chain(versions.map(|version| ("if-match", version.as_bytes())))
}

fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut keys = headers.get_all(KEY);
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let is_visible = key.as_bytes().iter().all(u8::is_ascii_graphic);
    match key.to_str() {
        Ok(key) if is_visible && (1..=255).contains(&key.len()) && keys.next().is_none() => {
            Ok(Some(key.to_owned()))
        }
        _ => Err(ApiError::new(
            ErrorCode::BadRequest,
            "Idempotency-Key is to be one text of 1 to 255 visible ASCII characters.",
        )),
    }
}

/// An answer as it is kept: what the handler said, before the headers that every answer gets.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    /// As it stands, not as a text in a text: whoever takes a person's values out of what is kept
    /// finds them here.
    body: Option<Box<RawValue>>,
}

impl Kept {
    /// Of an answer whose body is JSON of a known length, or nothing.
    pub(crate) fn of(answer: HttpResponse) -> domain::Result<Self> {
        let odd = |what: &str| domain::Error::Internal(format!("an answer with {what}"));
        let headers = answer.headers().iter().map(|(name, value)| {
            let value = value
                .to_str()
                .map_err(|_| odd("a header that is no text"))?;
            Ok((name.to_string(), value.to_owned()))
        });
        let headers = headers.collect::<domain::Result<_>>()?;
        let status = answer.status().as_u16();
        let body = answer.into_body().try_into_bytes();
        let body = body.map_err(|_| odd("a body that is a stream"))?;
        let body = String::from_utf8(body.into()).map_err(|_| odd("a body that is no text"))?;
        let body = (!body.is_empty()).then(|| RawValue::from_string(body));
        Ok(Self {
            status,
            headers,
            body: body.transpose()?,
        })
    }

    /// The answer again.
    pub(crate) fn response(self) -> Result<HttpResponse, ApiError> {
        let status = StatusCode::from_u16(self.status).map_err(ApiError::internal)?;
        let mut answer = HttpResponse::build(status);
        for header in self.headers {
            answer.append_header(header);
        }
        Ok(match self.body {
            Some(body) => answer.body(Box::<str>::from(body).into_string()),
            None => answer.finish(),
        })
    }
}

/// The answer that was kept of an earlier request.
pub(crate) fn replay(kept: &str) -> Result<HttpResponse, ApiError> {
    let kept: Kept = serde_json::from_str(kept).map_err(ApiError::internal)?;
    let mut answer = kept.response()?;
    let yes = HeaderValue::from_static("true");
    answer.headers_mut().insert(REPLAYED, yes);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_visible_ascii() {
        let longest = "k".repeat(255);
        for (keys, good) in [
            (vec!["8e03978e-40d5-43dd-bc93-6894a57f9324"], true),
            (vec!["\"quoted!~\""], true),
            (vec![longest.as_str()], true),
            (vec![&"k".repeat(256)], false),
            (vec![""], false),
            (vec!["two words"], false),
            (vec!["tab\t"], false),
            (vec!["ключ"], false),
            (vec!["one", "two"], false),
        ] {
            let mut headers = HeaderMap::new();
            for key in &keys {
                headers.append(KEY, HeaderValue::from_bytes(key.as_bytes()).unwrap());
            }
            assert_eq!(key(&headers).is_ok(), good, "{keys:?}");
        }
        assert_eq!(key(&HeaderMap::new()).unwrap(), None);
    }
}
