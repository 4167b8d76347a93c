//! Compression of answers.
//!
//! Not actix's middleware: that one also squeezes answers of a hundred bytes, and event streams,
//! which it holds back until a block is full. Here only what is large enough, and known in full
//! size, is compressed; sockets and streams pass untouched.

use actix_http::encoding::Encoder;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderMap, HeaderValue,
    TryIntoHeaderValue,
};
use actix_web::{HttpRequest, HttpResponse};

/// Below this many bytes the answer fits into one packet with its head, and nothing is won.
const LEAST: u64 = 1024;

/// Compresses the answer, if it is worth it and the client can read it.
pub(super) fn compress(request: &HttpRequest, answer: HttpResponse) -> HttpResponse {
    let is_worth_it = matches!(answer.body().size(), BodySize::Sized(size) if size >= LEAST)
        && answer.status() != StatusCode::PARTIAL_CONTENT
        && !answer.headers().contains_key(header::CONTENT_ENCODING)
        && is_text(answer.headers());
    if !is_worth_it {
        return answer;
    }
    let encoding = choose(request);
    answer.map_body(|head, body| {
        if encoding == ContentEncoding::Identity {
            // The encoder says this by itself.
            let vary = HeaderValue::from_static("accept-encoding");
            head.headers.append(header::VARY, vary);
            return body;
        }
        weaken_tag(&mut head.headers);
        BoxBody::new(Encoder::response(encoding, head, body))
    })
}

/// What the client likes best among what is built in. It never gets 406: plain is always there.
fn choose(request: &HttpRequest) -> ContentEncoding {
    if !request.headers().contains_key(header::ACCEPT_ENCODING) {
        return ContentEncoding::Identity;
    }
    let offers = [Encoding::identity(), Encoding::brotli(), Encoding::gzip()];
    let chosen = AcceptEncoding::parse(request)
        .ok()
        .and_then(|accepted| accepted.negotiate(offers.iter()));
    match chosen {
        Some(Encoding::Known(encoding)) => encoding,
        _ => ContentEncoding::Identity,
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return false;
    };
    let kind = kind.to_str().unwrap_or_default();
    [
        "application/json",
        "text/",
        "application/javascript",
        "image/svg",
    ]
    .iter()
    .any(|text| kind.starts_with(text))
        && !kind.starts_with("text/event-stream")
}

/// A strong tag means "the same bytes", which the two encodings of an answer are not.
fn weaken_tag(headers: &mut HeaderMap) {
    let weak = headers
        .get(header::ETAG)
        .and_then(|tag| tag.to_str().ok())
        .filter(|tag| tag.starts_with('"'))
        .and_then(|tag| format!("W/{tag}").try_into_value().ok());
    if let Some(weak) = weak {
        headers.insert(header::ETAG, weak);
    }
}
