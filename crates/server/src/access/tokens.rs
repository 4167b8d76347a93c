//! Access tokens: JWT (RFC 7519), HS256, a quarter of an hour.
//!
//! A token says who and on which device. What they may do is not in it but in the database
//! ([`crate::access::standings`]), so that a lowered role does not live on in tokens.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use wire::{ErrorCode, RestaurantId, SessionId, UserId};

use crate::platform::errors::ApiError;

/// No token of ours is so long, in bytes; of a longer one not even the head is read.
const LONGEST: usize = 2048;

/// What an access token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The account.
    pub sub: UserId,
    /// The device.
    pub sid: SessionId,
    /// The restaurant for which it is; a platform admin's may be for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rid: Option<RestaurantId>,
    /// The account's version of credentials when the token was made.
    pub ver: i32,
    /// Seconds since 1970 when it was made.
    pub iat: i64,
    /// Seconds since 1970 when it expires.
    pub exp: i64,
}

impl Claims {
    /// When the token expires.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.exp, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// Makes and reads access tokens.
pub struct Tokens {
    signing: EncodingKey,
    /// The present key, then the one before it, whose tokens are still out.
    verifying: Vec<DecodingKey>,
    validation: Validation,
    lifetime: TimeDelta,
}

impl Tokens {
    /// Tokens under `key` that live for `lifetime`; those under `previous` are still accepted.
    #[must_use]
    pub fn new(key: &str, previous: Option<&str>, lifetime: TimeDelta) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Expiry is checked below, by the clock that everything else goes by.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Self {
            signing: EncodingKey::from_secret(key.as_bytes()),
            verifying: std::iter::once(key)
                .chain(previous)
                .map(|key| DecodingKey::from_secret(key.as_bytes()))
                .collect(),
            validation,
            lifetime,
        }
    }

    /// Seconds for which a token lives.
    #[must_use]
    pub fn lifetime_seconds(&self) -> i64 {
        self.lifetime.num_seconds()
    }

    /// Makes a token.
    ///
    /// # Errors
    /// When it cannot be signed, which does not happen.
    pub fn issue(
        &self,
        user: UserId,
        session: SessionId,
        restaurant: Option<RestaurantId>,
        auth_version: i32,
        now: DateTime<Utc>,
    ) -> Result<String, ApiError> {
        let claims = Claims {
            sub: user,
            sid: session,
            rid: restaurant,
            ver: auth_version,
            iat: now.timestamp(),
            exp: (now + self.lifetime).timestamp(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(ApiError::internal)
    }

    /// Reads a token.
    ///
    /// # Errors
    /// `token_expired`, or `unauthenticated` for anything that is not a token of ours.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, ApiError> {
        let claims = Some(token)
            .filter(|token| token.len() <= LONGEST)
            .and_then(|token| {
                let mut keys = self.verifying.iter();
                keys.find_map(|key| {
                    jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok()
                })
            })
            .ok_or_else(|| {
                ApiError::new(
                    ErrorCode::Unauthenticated,
                    "The token is not valid. Please log in.",
                )
            })?
            .claims;
        if claims.expires_at() <= now {
            return Err(ApiError::new(
                ErrorCode::TokenExpired,
                "The token has expired.",
            ));
        }
        Ok(claims)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use uuid::Uuid;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn issue(tokens: &Tokens, now: DateTime<Utc>) -> String {
        let id = Uuid::from_u128(7);
        tokens
            .issue(UserId(id), SessionId(id), Some(RestaurantId(id)), 3, now)
            .unwrap()
    }

    fn code(tokens: &Tokens, token: &str, now: DateTime<Utc>) -> Option<ErrorCode> {
        tokens.verify(token, now).err().map(|error| error.code())
    }

    #[test]
    fn a_token_is_good_until_it_expires() {
        let tokens = Tokens::new(KEY, None, TimeDelta::minutes(15));
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let token = issue(&tokens, now);
        assert_eq!(tokens.verify(&token, now).unwrap().ver, 3);
        assert_eq!(code(&tokens, &token, now + TimeDelta::seconds(899)), None);
        assert_eq!(
            code(&tokens, &token, now + TimeDelta::seconds(900)),
            Some(ErrorCode::TokenExpired)
        );
    }

    #[test]
    fn forged_tokens_are_refused() {
        let tokens = Tokens::new(KEY, None, TimeDelta::minutes(15));
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let good = issue(&tokens, now);
        let (_, body) = good.split_once('.').unwrap();
        let (payload, signature) = body.split_once('.').unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let other = issue(
            &Tokens::new(
                "another key of thirty-two bytes!",
                None,
                TimeDelta::minutes(15),
            ),
            now,
        );
        let forged = [
            format!("{none}.{payload}."),
            format!("{none}.{payload}.{signature}"),
            good.chars().rev().collect(),
            good[..good.len() - 2].to_owned(),
            other,
            String::new(),
            "a.b.c".to_owned(),
            format!("{}.{payload}.{signature}", "a".repeat(100_000)),
        ];
        for token in forged {
            assert_eq!(
                code(&tokens, &token, now),
                Some(ErrorCode::Unauthenticated),
                "{token}"
            );
        }
    }

    #[test]
    fn tokens_survive_the_change_of_the_key() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let old = Tokens::new(KEY, None, TimeDelta::minutes(15));
        let new = Tokens::new(
            "another key of thirty-two bytes!",
            Some(KEY),
            TimeDelta::minutes(15),
        );
        assert_eq!(code(&new, &issue(&old, now), now), None);
        assert_eq!(
            code(&old, &issue(&new, now), now),
            Some(ErrorCode::Unauthenticated)
        );
    }
}
