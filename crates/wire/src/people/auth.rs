//! Registration, login, tokens.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Role;
use crate::patch::present;
use crate::secretive::secretive;
use crate::{RestaurantId, SessionId, UserId};

secretive!(Register, Login, Tokens, Refresh, ChangePassword, Ticket);

/// Makes a restaurant and its owner.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"restaurantName": "Chez Nous", "email": "owner@example.com", "password": "correct horse", "firstName": "Ada", "lastName": "Byron"}))]
pub struct Register {
    /// The restaurant's name.
    #[serde(alias = "restaurant_name")]
    #[schema(min_length = 1, max_length = 120)]
    pub restaurant_name: String,
    /// The owner's address; unique, case does not matter.
    #[schema(format = "email", max_length = 254)]
    pub email: String,
    /// 8–72 bytes.
    #[schema(min_length = 8, max_length = 72)]
    pub password: String,
    /// Given name.
    #[serde(default, alias = "first_name")]
    #[schema(max_length = 100)]
    pub first_name: String,
    /// Family name.
    #[serde(default, alias = "last_name")]
    #[schema(max_length = 100)]
    pub last_name: String,
    /// IANA time zone; `UTC` when absent.
    #[serde(default, alias = "time_zone")]
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
}

/// Address and password for tokens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"email": "test@restaurant.com", "password": "password123"}))]
pub struct Login {
    /// The account's address.
    #[schema(format = "email")]
    pub email: String,
    /// The account's password.
    pub password: String,
    /// Which of the account's restaurants; when absent the one that it used last, and before it has
    /// used any, the one that it joined first.
    #[serde(default, alias = "restaurant_id")]
    pub restaurant_id: Option<RestaurantId>,
    /// What to call the device in the list of sessions; the user agent when absent.
    #[serde(default, alias = "device_name")]
    #[schema(max_length = 100)]
    pub device_name: Option<String>,
}

/// A pair of tokens. Snake case, as the clients have it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// Always `bearer`.
    #[schema(example = "bearer")]
    pub token_type: String,
    /// Seconds until the access token expires.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// For `POST /auth/refresh`, once.
    pub refresh_token: String,
    /// The restaurant that the tokens are for; `null` for an account that belongs to none.
    pub restaurant_id: Option<RestaurantId>,
    /// The account.
    pub user_id: UserId,
    /// All restaurants of the account, by name.
    pub restaurants: Vec<Membership>,
}

/// A restaurant of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    /// The restaurant.
    pub id: RestaurantId,
    /// Its name.
    pub name: String,
    /// What the account may do there.
    pub role: Role,
}

/// A refresh token for a new pair.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refresh {
    /// The latest refresh token of this device.
    #[serde(alias = "refresh_token", rename(serialize = "refresh_token"))]
    #[schema(rename = "refresh_token")]
    pub refresh_token: String,
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// The account.
    pub id: UserId,
    /// Its address.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Runs the platform.
    pub is_admin: bool,
    /// The restaurant of this token.
    pub restaurant_id: Option<RestaurantId>,
    /// What the account may do there; `null` where it is no member.
    pub role: Option<Role>,
    /// This device.
    pub session_id: SessionId,
    /// All restaurants of the account, by name.
    pub restaurants: Vec<Membership>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// The caller's own names: the fields that are present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UpdateMe {
    /// Given name.
    #[serde(
        alias = "first_name",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(max_length = 100)]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(
        alias = "last_name",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(max_length = 100)]
    pub last_name: Option<String>,
}

/// The caller's own new password. Signs the account's other devices out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangePassword {
    /// The password as it is.
    #[serde(alias = "current_password")]
    pub current_password: String,
    /// 8–72 bytes.
    #[serde(alias = "new_password")]
    #[schema(min_length = 8, max_length = 72)]
    pub new_password: String,
}

/// A ticket for opening a socket where no header can be sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// For `?token=`, once.
    pub ticket: String,
    /// Seconds until it expires.
    #[schema(example = 30)]
    pub expires_in: i64,
}
