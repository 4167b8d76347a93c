//! The one error envelope and its codes.
//!
//! A code belongs here when a client could act on it; the sentence beside it is for people.
//! Which status a code has is decided in one place, the server's `errors.rs`.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::together::atomic::Entity;
use crate::words::words;

words! {
    /// What went wrong, for programs.
    ErrorCode {
        /// The body, query or message could not be read.
        BadRequest = "bad_request",
        /// Some fields are missing or out of range; `fields` names them.
        Invalid = "invalid",
        /// No credential, or one that is not valid.
        Unauthenticated = "unauthenticated",
        /// The access token's time is over; refresh it.
        TokenExpired = "token_expired",
        /// Address and password do not belong together.
        WrongCredentials = "wrong_credentials",
        /// The refresh token is unknown, expired or was used before.
        RefreshRefused = "refresh_refused",
        /// The caller's role may not do this.
        Forbidden = "forbidden",
        /// Registration is closed on this installation.
        RegistrationClosed = "registration_closed",
        /// No such resource, or it belongs to another restaurant.
        NotFound = "not_found",
        /// The path exists, but not with this method.
        MethodNotAllowed = "method_not_allowed",
        /// The state of the resource forbids it.
        Conflict = "conflict",
        /// The address has an account already.
        EmailTaken = "email_taken",
        /// The account belongs to the restaurant already.
        AlreadyMember = "already_member",
        /// A restaurant needs at least one active owner.
        LastOwner = "last_owner",
        /// The table has a party, or is out of service.
        TableOccupied = "table_occupied",
        /// A table is booked or kept at that time, or none is free; `conflict` tells more.
        TableUnavailable = "table_unavailable",
        /// The party does not fit at the table.
        PartyTooLarge = "party_too_large",
        /// Another table has this number.
        TableNumberTaken = "table_number_taken",
        /// A party cannot go from its status to the one asked for.
        InvalidTransition = "invalid_transition",
        /// Another restaurant has this slug.
        SlugTaken = "slug_taken",
        /// The same request, under the same `Idempotency-Key`, is being answered at this moment.
        InProgress = "in_progress",
        /// `If-Match` names an older version.
        StaleVersion = "stale_version",
        /// The body is larger than is accepted.
        TooLarge = "too_large",
        /// The body is not JSON.
        UnsupportedMediaType = "unsupported_media_type",
        /// Too many requests, or too many sockets.
        TooMany = "too_many",
        /// The log no longer reaches back to the position asked for: take a snapshot.
        ResyncRequired = "resync_required",
        /// A part that is needed is away for the moment.
        Unavailable = "unavailable",
        /// A fault of the server.
        Internal = "internal",
    }
}

/// The text is not one of the known words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} is one of {}", known.join(", "))]
pub struct UnknownWord {
    /// The enum that was being read.
    pub kind: &'static str,
    /// The words it knows.
    pub known: &'static [&'static str],
}

/// The body of every answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// A sentence for people.
    #[schema(example = "Table 12 has a party already.")]
    pub error: String,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// The code for programs.
    pub code: ErrorCode,
    /// The id of the request, as in `X-Request-Id` and in the server's log.
    pub request_id: String,
    /// Which fields are at fault, when the code is `invalid`: the first ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// Which of several changes cannot be made, and why: the first ten. Then none was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemError>,
    /// How many more are at fault than `fields` or `items` name; absent when they name all.
    #[serde(default, skip_serializing_if = "is_none")]
    #[schema(example = 0)]
    pub more: usize,
    /// The resource as it is now, when the code is `stale_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub current: Option<serde_json::Value>,
    /// What the code tells beside the sentence, in a field of its own.
    #[serde(flatten, skip_deserializing)]
    #[schema(ignore)]
    pub details: Option<Box<Details>>,
}

/// What a code of a room tells beside its sentence. The room says under which field of the envelope,
/// which itself knows no room.
pub trait Detail: Serialize + ToSchema {
    /// The field of the envelope.
    const FIELD: &'static str;
    /// When it is there and what it tells, for `/openapi.json`.
    const MEANING: &'static str;
}

/// A [`Detail`], written as JSON.
#[derive(Clone, Debug)]
pub struct Details {
    field: &'static str,
    value: Box<RawValue>,
}

impl Details {
    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of<D: Detail>(detail: &D) -> serde_json::Result<Self> {
        Ok(Self {
            field: D::FIELD,
            value: to_raw_value(detail)?,
        })
    }

    /// Reads it, if it is of this type.
    #[must_use]
    pub fn read<D: Detail + serde::de::DeserializeOwned>(&self) -> Option<D> {
        let is_it = self.field == D::FIELD;
        is_it.then(|| serde_json::from_str(self.value.get()).ok())?
    }
}

impl PartialEq for Details {
    fn eq(&self, other: &Self) -> bool {
        (self.field, self.value.get()) == (other.field, other.value.get())
    }
}

impl Eq for Details {}

/// As the one field that it is.
impl Serialize for Details {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_map(Some(1))?;
        fields.serialize_entry(self.field, &self.value)?;
        fields.end()
    }
}

const fn is_none(more: &usize) -> bool {
    *more == 0
}

/// One field that is at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The field, in camelCase, with a path where it is nested.
    #[schema(example = "partySize")]
    pub field: String,
    /// What is wrong with it.
    #[schema(example = "must be between 1 and 100")]
    pub message: String,
}

/// One of several changes, which cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemError {
    /// Its place in its list, from 0.
    pub index: usize,
    /// The line of the file, from 1, when it stood in a file with lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What it would change, if that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// The id of what it would change, if that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The code for programs.
    pub code: ErrorCode,
    /// A sentence for people.
    pub error: String,
    /// Which fields are at fault, when the code is `invalid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// The thing as it is now, when the code is `stale_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub current: Option<serde_json::Value>,
}
