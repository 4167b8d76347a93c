//! The rights of a person: to get everything that is kept about them, and to have it erased.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use crate::rooms::{Erased, PersonExport};

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

/// Declares what is kept of people: what is handed out of each kind of thing, and what is counted
/// when it is erased.
macro_rules! kept_of_people {
    ($(
        $(#[$($meta:tt)*])*
        $list:ident: $thing:ident as $ids:literal,
        $(#[$($erased_meta:tt)*])*
        erased;
    )+) => {
        /// Everything that is kept about a person, at one position of the log.
        #[derive(
            Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
        )]
        #[serde(rename_all = "camelCase")]
        pub struct PersonExport {
            /// The id of this export, as the audit names it.
            pub id: uuid::Uuid,
            /// When it was read.
            pub exported_at: chrono::DateTime<chrono::Utc>,
            /// The life of the log.
            #[schema(value_type = String, format = "uuid")]
            pub epoch: $crate::Epoch,
            /// The last event that it can contain.
            #[schema(value_type = i64)]
            pub seq: $crate::Seq,
            $(
                $(#[$($meta)*])*
                pub $list: Vec<$thing>,
            )+
            /// What was told of them and is still in the log: frames of the stream.
            #[schema(value_type = Vec<Object>)]
            pub events: Vec<serde_json::Value>,
            /// Who did what to them.
            pub audit: Vec<$crate::audit::AuditEntry>,
            /// What clients were answered about them, as far as the answers are remembered; only the parts
            /// that are about this person.
            #[schema(value_type = Vec<Object>)]
            pub answers: Vec<serde_json::Value>,
        }

        impl PersonExport {
            /// One that has nothing yet.
            #[must_use]
            pub const fn new(
                id: uuid::Uuid,
                exported_at: chrono::DateTime<chrono::Utc>,
                epoch: $crate::Epoch,
                seq: $crate::Seq,
            ) -> Self {
                Self {
                    id,
                    exported_at,
                    epoch,
                    seq,
                    $($list: Vec::new(),)+
                    events: Vec::new(),
                    audit: Vec::new(),
                    answers: Vec::new(),
                }
            }

            /// The ids of what it has, under the names that the audit has for them.
            pub fn ids(&self) -> impl Iterator<Item = (&'static str, Vec<uuid::Uuid>)> {
                [$(($ids, self.$list.iter().map(|thing| thing.id.0).collect()),)+].into_iter()
            }
        }

        /// What was erased. Nothing, when all is zero: there was nothing (any more).
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize,
            utoipa::ToSchema,
        )]
        #[serde(rename_all = "camelCase")]
        pub struct Erased {
            $(
                $(#[$($erased_meta)*])*
                pub $list: usize,
            )+
            /// Events of the log. They keep their numbers.
            pub events: usize,
            /// Entries of the audit. They keep who did what, and when.
            pub audit_entries: usize,
            /// Remembered answers.
            pub answers: usize,
        }
    };
}

pub(crate) use kept_of_people;

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
