//! Where a reader stands in a restaurant's event log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The number of an event in its restaurant's log: 1, 2, 3, … without gaps within an [`Epoch`].
pub type Seq = i64;

/// One unbroken life of a restaurant's log.
///
/// A database that was rewound (failover to a lagging replica, restore) would reuse sequence
/// numbers, so it gets a new epoch. Epochs are UUIDv7: of two, the greater is the younger.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[cfg_attr(
    feature = "diesel",
    derive(::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow),
    diesel(sql_type = ::diesel::sql_types::Uuid)
)]
#[serde(transparent)]
#[schema(value_type = Uuid)]
pub struct Epoch(pub Uuid);

#[cfg(feature = "diesel")]
crate::diesel::column!(Epoch, Uuid, Uuid);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Epoch {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// An epoch and the last sequence number seen in it. Written `<epoch>:<seq>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Position {
    /// The life of the log that `seq` counts in.
    pub epoch: Epoch,
    /// The last event that was seen; 0 before the first.
    #[schema(value_type = i64)]
    pub seq: Seq,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)
    }
}

/// The text was not `<epoch>:<seq>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a position is written <epoch>:<seq>")]
pub struct BadPosition;

impl FromStr for Position {
    type Err = BadPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, seq) = text.split_once(':').ok_or(BadPosition)?;
        Ok(Self {
            epoch: epoch.parse().map_err(|_| BadPosition)?,
            seq: seq
                .parse()
                .ok()
                .filter(|seq| *seq >= 0)
                .ok_or(BadPosition)?,
        })
    }
}
