//! Ids in the path.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use crate::platform::errors::ApiError;

/// The variable parts of the path: one id, or a tuple of them in the order of the pattern.
///
/// What cannot be read cannot exist, so it is 404 and not 400: a probe learns nothing.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            request
                .match_info()
                .load()
                .map(Self)
                .map_err(|_| ApiError::not_found()),
        )
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use wire::{GuestId, RestaurantId};

    use super::*;

    const ID: &str = "0198b2f0-0000-7000-8000-000000000000";

    async fn read<T: DeserializeOwned>(parts: &[(&'static str, &'static str)]) -> Result<T, u16> {
        let request = parts
            .iter()
            .fold(TestRequest::default(), |request, (name, value)| {
                request.param(*name, *value)
            });
        match Path::extract(&request.to_http_request()).await {
            Ok(Path(ids)) => Ok(ids),
            Err(error) => Err(error.body("").status),
        }
    }

    #[actix_web::test]
    async fn typed_ids() {
        let id: RestaurantId = ID.parse().unwrap();
        assert_eq!(read(&[("rid", ID)]).await, Ok(id));
        let both = read::<(RestaurantId, GuestId)>(&[("rid", ID), ("gid", ID)]).await;
        assert_eq!(both, Ok((id, GuestId(id.0))));
        assert_eq!(read(&[("dish", "17")]).await, Ok(17_i64));
    }

    #[actix_web::test]
    async fn an_id_that_cannot_be_read_does_not_exist() {
        for bad in ["", "7", "x%00", "0198b2f0-0000-7000-8000-00000000000g"] {
            assert_eq!(
                read::<RestaurantId>(&[("rid", bad)]).await,
                Err(404),
                "{bad}"
            );
        }
    }
}
