//! The audit: who changed what, when, from which device.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

pub use crate::entities::AuditEntity;
use crate::live::events::Action;
use crate::{Seq, SessionId, TransactionId, UserId};

/// One change of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// When its transaction began.
    pub created_at: DateTime<Utc>,
    /// The event that told of it; where none did (an export), the last one before it.
    #[schema(value_type = i64)]
    pub seq: Seq,
    /// Tells what no event told of apart: 0 for the event itself.
    pub n: i16,
    /// What kind of thing was changed.
    pub entity: AuditEntity,
    /// Which.
    pub entity_id: Uuid,
    /// What was done.
    pub action: Action,
    /// The fields that changed, as they were; the whole of what is gone; `null` for what is new.
    #[schema(value_type = Option<Object>)]
    pub before: Option<serde_json::Value>,
    /// The fields that changed, as they became; the whole of what is new; `null` for what is gone.
    #[schema(value_type = Option<Object>)]
    pub after: Option<serde_json::Value>,
    /// Who did it; `null` for the passing of time.
    pub actor_id: Option<UserId>,
    /// The actor's name, as it is now; the address of one without a name.
    #[schema(example = "Ada Byron")]
    pub actor_name: Option<String>,
    /// The login with which it was done.
    pub session_id: Option<SessionId>,
    /// What the device called itself, or its user agent.
    #[schema(example = "Host stand")]
    pub device_name: Option<String>,
    /// The request, as in its `X-Request-Id`.
    pub request_id: Option<String>,
    /// The client's transaction of which it was part.
    pub transaction_id: Option<TransactionId>,
}

/// Which entries to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query)]
pub struct AuditFilter {
    /// Kinds of things, separated by commas.
    #[param(example = "guest,reservation")]
    pub entity: Option<String>,
    /// One thing.
    pub id: Option<Uuid>,
    /// What one account did.
    pub actor: Option<UserId>,
    /// From this moment on.
    #[serde(deserialize_with = "crate::times::some_moment")]
    pub since: Option<DateTime<Utc>>,
    /// Before this moment.
    #[serde(deserialize_with = "crate::times::some_moment")]
    pub until: Option<DateTime<Utc>>,
    /// 1–1000, default 200.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<i64>,
    /// From the `Link` of the page before.
    pub cursor: Option<String>,
}
