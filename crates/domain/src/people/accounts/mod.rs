//! Accounts: an address, a password, and the restaurants that one may enter with them.

mod admin;
mod defaults;
mod find;
mod keys;
mod login;
mod names;
mod password;
mod registration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::{RestaurantId, UserId};

pub use admin::{AdminAccount, create_admin};
pub use defaults::{Suspect, close, suspects};
pub(super) use find::find;
pub use keys::{Filled, fill_keys};
pub use login::{Account, choose_restaurant, for_login, last_used, me, memberships};
pub use names::rename;
pub(super) use password::{auth_version_of, set_password};
pub use password::{change_password, check_new_password, password_hash_of};
pub use registration::{Registered, check_register, create_owner, register};

use crate::schema::users;
use crate::{Error, Result};

/// The version of a new account, for its tokens.
pub const FIRST_VERSION: i32 = 1;

/// A row of `users` that does not exist yet.
#[derive(Insertable)]
#[diesel(table_name = users)]
pub(super) struct NewAccount {
    pub(super) id: UserId,
    pub(super) email: String,
    pub(super) email_key: Option<String>,
    pub(super) password_hash: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) is_admin: bool,
    pub(super) home_restaurant_id: Option<RestaurantId>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) last_updated: DateTime<Utc>,
}

impl NewAccount {
    /// Makes the account, unless its address has one already. Waits for whoever is just making it.
    pub(super) async fn insert(self, conn: &mut AsyncPgConnection) -> Result<Option<UserId>> {
        if find(conn, &self.email).await?.is_some() {
            return Ok(None);
        }
        Ok(diesel::insert_into(users::table)
            .values(self)
            .on_conflict_do_nothing()
            .returning(users::id)
            .get_result(conn)
            .await
            .optional()?)
    }
}

/// Locks an account against everybody who would change it, sign its devices out or give it another
/// restaurant.
pub(super) async fn lock(conn: &mut AsyncPgConnection, user_id: UserId) -> Result<()> {
    users::table
        .find(user_id)
        .select(users::id)
        .for_update()
        .first::<UserId>(conn)
        .await
        .optional()?
        .ok_or(Error::NotFound("user"))?;
    Ok(())
}
