//! Query strings.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use wire::ErrorCode;

use super::fields::{Spelling, field_error};
use super::nul;
use crate::platform::errors::ApiError;

/// The longest query that is read, in bytes.
const BYTES: usize = 8 * 1024;

/// The most fields that a query may have.
const FIELDS: usize = 100;

/// The fields of the query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> Query<T> {
    /// Reads a query string.
    ///
    /// # Errors
    /// 400 for one that is too long, 422 with the field that is missing or wrong.
    pub fn read(query: &str) -> Result<Self, ApiError> {
        check_size(query)?;
        nul::in_query(query).check()?;
        let pairs = form_urlencoded::parse(query.as_bytes());
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
            .map(Self)
            .map_err(|error| {
                let message = error.inner().to_string();
                ApiError::invalid(vec![field_error(error.path(), &message, Spelling::AsGiven)])
            })
    }
}

/// Refuses what nobody asks.
fn check_size(query: &str) -> Result<(), ApiError> {
    if query.len() > BYTES || query.split('&').nth(FIELDS).is_some() {
        return Err(ApiError::new(
            ErrorCode::BadRequest,
            format!("A query has at most {FIELDS} fields and {BYTES} bytes."),
        ));
    }
    Ok(())
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
    fn a_query_has_an_end() {
        let code = |query: &str| {
            Query::<Listing>::read(query)
                .err()
                .map(|error| error.code())
        };
        let fill = |bytes: usize| format!("{ID}&q={}", "x".repeat(bytes - ID.len() - 3));
        assert_eq!(code(&fill(BYTES)), None);
        assert_eq!(code(&fill(BYTES + 1)), Some(ErrorCode::BadRequest));
        assert_eq!(code(&format!("{ID}{}", "&x".repeat(FIELDS - 1))), None);
        let many = format!("{ID}{}", "&x".repeat(FIELDS));
        assert_eq!(code(&many), Some(ErrorCode::BadRequest));
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
