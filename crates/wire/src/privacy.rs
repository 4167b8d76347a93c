//! The rights of a person: to get everything that is kept about them, and to have it erased.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::AuditEntry;
use crate::floor::guests::Guest;
use crate::floor::reservations::Reservation;
use crate::people::invitations::Invitation;
use crate::{Epoch, Seq};

/// Whose data. At least one is required; with both, what fits either is theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(example = json!({"phone": "+1 555 0100"}))]
pub struct PersonQuery {
    /// A telephone number, in any spelling: only its digits count.
    #[schema(max_length = 100)]
    pub phone: Option<String>,
    /// An e-mail address, in small or capital letters.
    #[schema(max_length = 254)]
    pub email: Option<String>,
}

/// Everything that is kept about a person, at one position of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonExport {
    /// The id of this export, as the audit names it.
    pub id: Uuid,
    /// When it was read.
    pub exported_at: DateTime<Utc>,
    /// The life of the log.
    #[schema(value_type = String, format = "uuid")]
    pub epoch: Epoch,
    /// The last event that it can contain.
    #[schema(value_type = i64)]
    pub seq: Seq,
    /// Visits, the present one and those that are over.
    pub guests: Vec<Guest>,
    /// Bookings, those to come and those that are over.
    pub reservations: Vec<Reservation>,
    /// Invitations that were meant for them.
    pub invitations: Vec<Invitation>,
    /// What was told of them and is still in the log: frames of the stream.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<serde_json::Value>,
    /// Who did what to them.
    pub audit: Vec<AuditEntry>,
    /// What clients were answered about them, as far as the answers are remembered; only the parts
    /// that are about this person.
    #[schema(value_type = Vec<Object>)]
    pub answers: Vec<serde_json::Value>,
}

/// What was erased. Nothing, when all is zero: there was nothing (any more).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Erased {
    /// Parties; a party that is here keeps its place, as "Guest".
    pub guests: usize,
    /// Bookings; one that is to come keeps its tables.
    pub reservations: usize,
    /// Invitations, which keep what became of them.
    pub invitations: usize,
    /// Events of the log. They keep their numbers.
    pub events: usize,
    /// Entries of the audit. They keep who did what, and when.
    pub audit_entries: usize,
    /// Remembered answers.
    pub answers: usize,
}

/// What an erasure did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Erasure {
    /// The id of this erasure, as the log and the audit name it; `null` when nothing was found.
    pub id: Option<Uuid>,
    /// How much was erased.
    pub erased: Erased,
    /// The parties, bookings and invitations that were about the person, those that were deleted before too.
    pub entity_ids: Vec<Uuid>,
}
