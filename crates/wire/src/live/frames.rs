//! Frames that are not in the log, messages of clients, and close codes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::errors::ErrorCode;
use crate::live::presence::Presence;
use crate::live::snapshot::Snapshot;
use crate::words::words;
use crate::{Epoch, RestaurantId, Seq};

/// What a session says of itself, beside the events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SessionFrame {
    /// The first frame.
    RestaurantConnect {
        /// The restaurant that is followed.
        restaurant_id: RestaurantId,
        /// The life of the log.
        epoch: Epoch,
        /// The log's head when the session began.
        #[schema(value_type = i64)]
        seq: Seq,
        /// Whether the session continues from the position that the client gave.
        resumed: bool,
        /// Which worker serves it.
        worker_id: String,
        /// After how many seconds of silence a heartbeat comes.
        heartbeat_seconds: u64,
        /// The server's time.
        timestamp: DateTime<Utc>,
    },
    /// The answer to `ping`.
    Pong {
        /// The server's time.
        timestamp: DateTime<Utc>,
        /// Up to which event this session has been served.
        #[schema(value_type = i64)]
        position: Seq,
    },
    /// Nothing else was said for a while.
    Heartbeat {
        /// The server's time.
        timestamp: DateTime<Utc>,
        /// Up to which event this session has been served.
        #[schema(value_type = i64)]
        position: Seq,
    },
    /// What was missed cannot be told any more. The stream goes on at `seq + 1`: take a snapshot
    /// and drop frames up to the snapshot's own position.
    ResyncRequired {
        /// Why.
        reason: ResyncReason,
        /// The life of the log.
        epoch: Epoch,
        /// The stream goes on after this event.
        #[schema(value_type = i64)]
        seq: Seq,
    },
    /// The answer to `request_full_sync`; the next frame is `seq + 1`.
    FullSync(Box<Snapshot>),
    /// Who is here: after `restaurant_connect`, and whenever users or devices come or go. Only the
    /// latest counts. Sessions with `types` hear it if they name `presence`.
    Presence(Presence),
    /// A message could not be understood, or what it asked for not be done. The session stays.
    Error {
        /// For programs.
        code: ErrorCode,
        /// For people.
        message: String,
    },
    /// The last frame of a stream of server-sent events: what a socket's close frame says.
    Closing {
        /// The close code.
        code: u16,
        /// For people.
        reason: String,
        /// After how long to come back, in milliseconds, if that is asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        reconnect_after_ms: Option<u64>,
    },
}

words! {
    /// Why a client has to take a snapshot.
    ResyncReason {
        /// The database was rewound or restored: the position counts in another life of the log.
        EpochChanged = "epoch_changed",
        /// The events after the position have been pruned.
        Pruned = "pruned",
        /// The position lies beyond the log's head.
        AheadOfLog = "ahead_of_log",
        /// The position was given without its epoch.
        EpochMissing = "epoch_missing",
    }
}

/// What a client may say.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "FlatMessage")]
pub enum ClientMessage {
    /// Asks for a `pong`.
    Ping,
    /// Asks for a `full_sync`.
    RequestFullSync,
    /// Renews the credential before it expires.
    Auth {
        /// A fresh access token of the same account.
        token: String,
    },
}

/// A message as it is read: what is tagged inside would keep all of it before it knows the tag.
#[derive(Deserialize)]
struct FlatMessage {
    #[serde(rename = "type")]
    kind: MessageKind,
    #[serde(default)]
    token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum MessageKind {
    Ping,
    RequestFullSync,
    Auth,
}

impl TryFrom<FlatMessage> for ClientMessage {
    type Error = &'static str;

    fn try_from(said: FlatMessage) -> Result<Self, Self::Error> {
        Ok(match said.kind {
            MessageKind::Ping => Self::Ping,
            MessageKind::RequestFullSync => Self::RequestFullSync,
            MessageKind::Auth => Self::Auth {
                token: said.token.ok_or("missing field `token`")?,
            },
        })
    }
}

impl std::fmt::Debug for ClientMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ping => f.write_str("Ping"),
            Self::RequestFullSync => f.write_str("RequestFullSync"),
            // Never the token.
            Self::Auth { .. } => f.debug_struct("Auth").finish_non_exhaustive(),
        }
    }
}

/// Why the server closes a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CloseCode {
    /// The client closed.
    Normal,
    /// The worker goes away (a deploy). The reason carries `reconnect_after_ms`.
    GoingAway,
    /// Protocol abuse; do not come back like this.
    Abuse,
    /// The token expired or was revoked: refresh it, then come back.
    TokenExpired,
    /// No longer allowed.
    Forbidden,
    /// Nothing was heard from the client for too long.
    Silent,
    /// Too many messages or sockets.
    TooMany,
    /// Too slow: come back and resume.
    TooSlow,
}

impl CloseCode {
    /// Every code.
    pub const ALL: [Self; 8] = [
        Self::Normal,
        Self::GoingAway,
        Self::Abuse,
        Self::TokenExpired,
        Self::Forbidden,
        Self::Silent,
        Self::TooMany,
        Self::TooSlow,
    ];

    /// What a client is to make of it.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Normal => "The client closed.",
            Self::GoingAway => {
                "The worker goes away. The reason is `{\"reconnect_after_ms\": …}`: come back \
                 after that time and resume."
            }
            Self::Abuse => {
                "Not the protocol, a message that is too large, or too many frames in a second."
            }
            Self::TokenExpired => "The token expired or was revoked: refresh it, then come back.",
            Self::Forbidden => "No longer allowed in this restaurant.",
            Self::Silent => "Nothing was heard for 2.5 heartbeat intervals: come back and resume.",
            Self::TooMany => "Too many messages. Come back more slowly.",
            Self::TooSlow => "Too slow to take what is sent: come back and resume.",
        }
    }

    /// The code of the close frame (RFC 6455, section 7.4).
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::GoingAway => 1001,
            Self::Abuse => 4400,
            Self::TokenExpired => 4401,
            Self::Forbidden => 4403,
            Self::Silent => 4408,
            Self::TooMany => 4429,
            Self::TooSlow => 4503,
        }
    }
}
