//! Files as bodies.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use wire::ErrorCode;

use super::json::{collect, declared_length, is_packed, unreadable};
use super::limit;
use crate::platform::errors::ApiError;

/// The largest file that is read, in bytes.
pub const FILE_LIMIT: usize = 16 * 1024 * 1024;

/// A file that is JSON or CSV.
pub struct File {
    /// What it says it is.
    pub kind: FileKind,
    /// What is in it; never nothing.
    pub bytes: Bytes,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `application/json`.
    Json,
    /// `text/csv`.
    Csv,
}

impl FromRequest for File {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = kind(request);
        let limit = limit(request);
        let length = declared_length(request.headers(), limit);
        let payload = payload.take();
        Box::pin(async move {
            let kind = kind?;
            let bytes = collect(payload, length?, limit).await?;
            if bytes.is_empty() {
                return Err(unreadable("The file is empty."));
            }
            Ok(Self { kind, bytes })
        })
    }
}

fn kind(request: &HttpRequest) -> Result<FileKind, ApiError> {
    let essence = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok()?.split(';').next())
        .map(|essence| essence.trim().to_ascii_lowercase());
    match essence.as_deref() {
        _ if is_packed(request.headers()) => None,
        Some("application/json") => Some(FileKind::Json),
        Some("text/csv") => Some(FileKind::Csv),
        _ => None,
    }
    .ok_or_else(|| {
        let sentence = "The file is to be application/json or text/csv, uncompressed.";
        ApiError::new(ErrorCode::UnsupportedMediaType, sentence)
    })
}
