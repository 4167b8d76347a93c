//! Query strings.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use super::fields::{Spelling, field_error};
use super::nul;
use crate::errors::ApiError;

/// The fields of the query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> Query<T> {
    /// Reads a query string.
    ///
    /// # Errors
    /// 422 with the field that is missing or wrong.
    pub fn read(query: &str) -> Result<Self, ApiError> {
        let nul = nul::in_query(query);
        if !nul.is_empty() {
            return Err(ApiError::invalid(nul));
        }
        let pairs = form_urlencoded::parse(query.as_bytes());
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
            .map(Self)
            .map_err(|error| {
                let message = error.inner().to_string();
                ApiError::invalid(vec![field_error(error.path(), &message, Spelling::AsGiven)])
            })
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request.query_string()))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use wire::RestaurantId;

    use super::*;

    #[derive(Deserialize, Debug)]
    struct Listing {
        restaurant_id: RestaurantId,
        limit: Option<u32>,
        q: Option<String>,
        all: Option<bool>,
    }

    const ID: &str = "restaurant_id=0198b2f0-0000-7000-8000-000000000000";

    #[test]
    fn reads_fields_and_ignores_the_rest() {
        let Query(listing) =
            Query::<Listing>::read(&format!("{ID}&limit=20&q=M%C3%BCller+%26&all=true&x=1"))
                .unwrap();
        assert_eq!(listing.restaurant_id.to_string(), ID[14..]);
        assert_eq!(listing.limit, Some(20));
        assert_eq!(listing.q.as_deref(), Some("Müller &"));
        assert_eq!(listing.all, Some(true));
    }

    #[test]
    fn refusals_name_the_field() {
        for (query, refusal) in [
            ("", "restaurant_id is required."),
            ("restaurant_id=7", "restaurant_id must be an id (a UUID)."),
            (
                &format!("{ID}&limit=many"),
                "limit must be a whole number in range.",
            ),
            (
                &format!("{ID}&limit=-1"),
                "limit must be a whole number in range.",
            ),
            (&format!("{ID}&limit=1&limit=2"), "limit is given twice."),
            (&format!("{ID}&all=maybe"), "all must be true or false."),
            (
                &format!("{ID}&q=a%00"),
                "q must not contain NUL characters.",
            ),
        ] {
            let error = Query::<Listing>::read(query).err().unwrap();
            assert_eq!(error.sentence(), refusal);
            assert_eq!(error.body("").status, 422);
        }
    }
}
