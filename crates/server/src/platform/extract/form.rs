//! Forms of pages without script.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use wire::ErrorCode;

use super::json::{collect, declared_length, unreadable};
use super::limit;
use crate::platform::errors::ApiError;
use crate::platform::origin::Site;
use crate::state::AppState;

/// A form, `application/x-www-form-urlencoded`, that was not sent by somebody else's page. For the
/// pages alone: what programs send is JSON, which no page of others can make a browser send.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let admitted = admit(request);
        let limit = limit(request);
        let length = declared_length(request.headers(), limit);
        let payload = payload.take();
        Box::pin(async move {
            admitted?;
            let bytes = collect(payload, length?, limit).await?;
            let form = serde_urlencoded::from_bytes(&bytes);
            // The cause could repeat a value.
            form.map(Self)
                .map_err(|_| unreadable("The form could not be read."))
        })
    }
}

fn admit(request: &HttpRequest) -> Result<(), ApiError> {
    let state = request
        .app_data::<Data<AppState>>()
        .ok_or_else(|| ApiError::internal(anyhow::anyhow!("there is no state")))?;
    if Site::of(request.headers(), &state.config.http.public_url) == Site::Foreign {
        let sentence = "This form was sent by another site.";
        return Err(ApiError::new(ErrorCode::Forbidden, sentence));
    }
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Ok(())
    } else {
        let sentence = "The form is to be sent as a browser sends it.";
        Err(ApiError::new(ErrorCode::UnsupportedMediaType, sentence))
    }
}
