//! Of which restaurant, where the path does not say.

use actix_web::HttpRequest;
use wire::{ErrorCode, FieldError, RestaurantId};

use crate::access::auth;
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::state::AppState;

/// The restaurant that a visitor means: the one that is asked for, else the caller's own, else the
/// installation's default one. And the caller, where it is a member there; others are the public,
/// with or without a credential. A credential that is not valid is refused nevertheless.
///
/// # Errors
/// 401 for a bad credential, 422 when no restaurant is meant.
pub(super) async fn visited(
    state: &AppState,
    request: &HttpRequest,
    asked: Option<RestaurantId>,
) -> Result<(RestaurantId, Option<Caller>), ApiError> {
    let default = state.config.menu.default_restaurant;
    let Some(token) = auth::bearer(request.headers()) else {
        let restaurant = asked.or(default).ok_or_else(unnamed)?;
        return Ok((restaurant, None));
    };
    let claims = state.tokens.verify(token, state.db.clock().now())?;
    let standing = auth::standing(state, &claims).await?;
    let restaurant = asked.or(claims.rid).or(default).ok_or_else(unnamed)?;
    match auth::caller(state, &claims, &standing, Some(restaurant)).await {
        Ok(caller) => Ok((restaurant, Some(caller))),
        Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::Forbidden) => {
            Ok((restaurant, None))
        }
        Err(error) => Err(error),
    }
}

/// The restaurant in which a member wants to do something, and the member there.
///
/// # Errors
/// 404 for another restaurant than the caller's, 403 for one that no longer lets the caller in.
pub(super) async fn own(
    state: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    asked: Option<RestaurantId>,
) -> Result<(RestaurantId, Caller), ApiError> {
    let restaurant = asked
        .or(caller.restaurant_id)
        .or(state.config.menu.default_restaurant)
        .ok_or_else(unnamed)?;
    let member = auth::member(state, request, restaurant).await?;
    Ok((restaurant, member))
}

fn unnamed() -> ApiError {
    ApiError::invalid(vec![FieldError {
        field: "restaurant_id".to_owned(),
        message: "is required, as there is no default restaurant here".to_owned(),
    }])
}
