//! Ids: UUIDv7 (RFC 9562), so that they sort by the time they were made.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Declares ids. Those that everybody speaks of are declared below, others where their things are.
macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
        )]
        #[cfg_attr(
            feature = "diesel",
            derive(::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow),
            diesel(sql_type = ::diesel::sql_types::Uuid)
        )]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        #[cfg(feature = "diesel")]
        crate::diesel::column!($name, Uuid, Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<$name> for $crate::ids::EntityId {
            fn from(id: $name) -> Self {
                Self::Uuid(id.0)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}
pub(crate) use ids;

ids! {
    /// A restaurant: the tenant, and the unit of sequence, room and channel.
    RestaurantId,
    /// An account. One account may belong to several restaurants.
    UserId,
    /// A device's login: the family of its refresh tokens and the target of "sign out".
    SessionId,
    /// A party that is here or waiting.
    GuestId,
    /// A table on the floor plan.
    TableId,
    /// A booking.
    ReservationId,
    /// A slot that is kept for a few minutes.
    HoldId,
    /// A part of a menu.
    CategoryId,
    /// An invitation to a restaurant.
    InvitationId,
    /// A thing that may be followed by itself, by somebody who is no member: a party, a booking. The
    /// id is the thing's own.
    RootId,
}

/// A dish: a number, as the clients of menus know it, from one sequence for all restaurants.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[cfg_attr(
    feature = "diesel",
    derive(::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow),
    diesel(sql_type = ::diesel::sql_types::BigInt)
)]
#[serde(transparent)]
#[schema(value_type = i64, example = 17)]
pub struct DishId(pub i64);

#[cfg(feature = "diesel")]
crate::diesel::column!(DishId, BigInt, i64);

impl std::fmt::Display for DishId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What an event is about: most things have a UUID, some a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntityId {
    /// A UUID.
    Uuid(Uuid),
    /// A number.
    Number(i64),
}

impl EntityId {
    /// As the log's index of entities has it. A number is laid into a UUID of version 8, which RFC
    /// 9562 keeps for such uses and which no id has.
    #[must_use]
    pub fn as_uuid(self) -> Uuid {
        match self {
            Self::Uuid(id) => id,
            Self::Number(number) => {
                let bytes = u128::from(number.unsigned_abs()).to_be_bytes();
                uuid::Builder::from_custom_bytes(bytes).into_uuid()
            }
        }
    }
}

impl std::fmt::Display for EntityId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Uuid(id) => id.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl From<Uuid> for EntityId {
    fn from(id: Uuid) -> Self {
        Self::Uuid(id)
    }
}

impl From<DishId> for EntityId {
    fn from(id: DishId) -> Self {
        Self::Number(id.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_uuid_that_is_nobody_elses() {
        let [one, two] = [1, 2].map(|number| EntityId::from(DishId(number)).as_uuid());
        assert_eq!(one.to_string(), "00000000-0000-8000-8000-000000000001");
        assert_ne!(one, two);
        assert_eq!(one.get_version_num(), 8);
    }
}
