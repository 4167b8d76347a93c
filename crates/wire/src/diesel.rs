//! Database traits of ids (`uuid`) and words (`text`), for the crate that reads and writes rows.

use ::diesel::backend::Backend;
use ::diesel::deserialize::{self, FromSql};
use ::diesel::pg::Pg;
use ::diesel::serialize::{self, Output, ToSql};
use ::diesel::sql_types;
use uuid::Uuid;

use crate::Role;
use crate::audit::AuditEntity;
use crate::floor::guests::GuestStatus;
use crate::floor::reservations::{ReservationSource, ReservationStatus};
use crate::floor::tables::{TableShape, TableStatus};
use crate::live::events::{Action, EventKind};
use crate::menu::dishes::{Allergen, AvailabilityStatus, DietaryTag};
use crate::position::Epoch;
use crate::{
    CategoryId, DishId, GuestId, HoldId, InvitationId, ReservationId, RestaurantId, SessionId,
    TableId, TransactionId, UserId,
};

macro_rules! uuids {
    ($($id:ty),+ $(,)?) => {$(
        impl FromSql<sql_types::Uuid, Pg> for $id {
            fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                <Uuid as FromSql<sql_types::Uuid, Pg>>::from_sql(bytes).map(Self)
            }
        }

        impl ToSql<sql_types::Uuid, Pg> for $id {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <Uuid as ToSql<sql_types::Uuid, Pg>>::to_sql(&self.0, out)
            }
        }
    )+};
}

macro_rules! texts {
    ($($word:ty),+ $(,)?) => {$(
        impl FromSql<sql_types::Text, Pg> for $word {
            fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(std::str::from_utf8(bytes.as_bytes())?.parse()?)
            }
        }

        impl ToSql<sql_types::Text, Pg> for $word {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <str as ToSql<sql_types::Text, Pg>>::to_sql(self.as_str(), out)
            }
        }
    )+};
}

uuids!(
    RestaurantId,
    UserId,
    SessionId,
    GuestId,
    TableId,
    ReservationId,
    HoldId,
    TransactionId,
    CategoryId,
    InvitationId,
    Epoch,
);
texts!(
    GuestStatus,
    ReservationStatus,
    ReservationSource,
    TableStatus,
    TableShape,
    Role,
    EventKind,
    Action,
    AuditEntity,
    AvailabilityStatus,
    DietaryTag,
    Allergen,
);

impl FromSql<sql_types::BigInt, Pg> for DishId {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <i64 as FromSql<sql_types::BigInt, Pg>>::from_sql(bytes).map(Self)
    }
}

impl ToSql<sql_types::BigInt, Pg> for DishId {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <i64 as ToSql<sql_types::BigInt, Pg>>::to_sql(&self.0, out)
    }
}
