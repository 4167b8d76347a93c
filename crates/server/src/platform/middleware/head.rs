//! How long a request's head may be.
//!
//! The parser takes 128 KiB. Of a list in a header of that length (encodings, methods, members of a
//! trace) libraries make many times as much, before anything is known of who is asking.

use actix_web::dev::RequestHead;
use wire::ErrorCode;

use crate::platform::errors::ApiError;

/// The longest head that is looked at, in bytes: as of most servers and balancers.
const LIMIT: usize = 32 * 1024;

/// Refuses a head that is too long.
///
/// # Errors
/// 400.
pub(super) fn check(head: &RequestHead) -> Result<(), ApiError> {
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + 4);
    let query = head.uri.query().unwrap_or_default();
    let bytes = head.uri.path().len() + query.len() + headers.sum::<usize>();
    if bytes > LIMIT {
        let most = LIMIT / 1024;
        let sentence = format!("The head of the request is longer than {most} KiB.");
        return Err(ApiError::new(ErrorCode::BadRequest, sentence));
    }
    Ok(())
}
