//! A new restaurant and its owner.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use wire::Role;
use wire::audit::AuditEntity;
use wire::people::auth::Register;
use wire::{ErrorCode, RestaurantId, UserId};

use super::NewAccount;
use crate::address;
use crate::audit::{self, Entry};
use crate::checks::{Checks, trim};
use crate::clock::new_id;
use crate::db::{Actor, Scope};
use crate::people::users;
use crate::schema::memberships;
use crate::venue::restaurants;
use crate::venue::restaurants::NewRestaurant;
use crate::{Error, Result};

/// Who and what was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The owner's account.
    pub user_id: UserId,
    /// The account's version, for its tokens.
    pub auth_version: i32,
    /// The restaurant.
    pub restaurant_id: RestaurantId,
}

/// Whether the fields are right. Asked before the password is hashed, so that nobody can buy a
/// hash with nonsense.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_register(input: &Register) -> Result<()> {
    let mut checks = Checks::new();
    let name = trim(&input.restaurant_name);
    checks.name("restaurantName", Some(name), 1..=120);
    checks.email("email", Some(&input.email));
    checks.password("password", &input.password);
    checks.name("firstName", Some(trim(&input.first_name)), 0..=100);
    checks.name("lastName", Some(trim(&input.last_name)), 0..=100);
    if input
        .time_zone
        .as_deref()
        .is_some_and(|zone| zone.parse::<Tz>().is_err())
    {
        checks.fault(
            "timeZone",
            "must be an IANA time zone, for instance Europe/Berlin",
        );
    }
    checks.finish()
}

/// Makes a restaurant, an account, and the one the owner of the other. Must run in a transaction.
///
/// # Errors
/// [`Error::Invalid`]; `email_taken`.
pub async fn register(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    input: &Register,
    password_hash: &str,
) -> Result<Registered> {
    check_register(input)?;
    let restaurant = NewRestaurant {
        id: new_id(),
        name: input.restaurant_name.clone(),
        slug: None,
        time_zone: input.time_zone.clone().unwrap_or_else(|| "UTC".to_owned()),
    };
    let id = restaurants::create(conn, &restaurant, now).await?.id;
    let (first_name, last_name) = (&input.first_name, &input.last_name);
    create_owner(
        conn,
        now,
        id,
        &input.email,
        first_name,
        last_name,
        password_hash,
    )
    .await
}

/// Makes the account that owns a restaurant which has just been made, so that nobody can be
/// listening yet. Must run in a transaction.
///
/// # Errors
/// `email_taken`; [`Error::Invalid`] for what is no address.
pub async fn create_owner(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    restaurant_id: RestaurantId,
    email: &str,
    first_name: &str,
    last_name: &str,
    password_hash: &str,
) -> Result<Registered> {
    let address = address::read(email).map_err(|fault| Error::invalid("email", fault))?;
    let account = NewAccount {
        id: new_id(),
        email: address.written,
        email_key: Some(address.key),
        password_hash: password_hash.to_owned(),
        first_name: trim(first_name).to_owned(),
        last_name: trim(last_name).to_owned(),
        is_admin: false,
        home_restaurant_id: Some(restaurant_id),
        created_at: now,
        last_updated: now,
    };
    let Some(user_id) = account.insert(conn).await? else {
        return Err(Error::refused(
            ErrorCode::EmailTaken,
            "This address has an account already.",
        ));
    };
    diesel::insert_into(memberships::table)
        .values((
            memberships::restaurant_id.eq(restaurant_id),
            memberships::user_id.eq(user_id),
            memberships::role.eq(Role::Owner),
            memberships::created_at.eq(now),
            memberships::last_updated.eq(now),
        ))
        .execute(conn)
        .await?;
    audit_founding(conn, now, restaurant_id, user_id).await?;
    Ok(Registered {
        user_id,
        auth_version: 1,
        restaurant_id,
    })
}

/// The first entries of a restaurant's audit: itself and its owner, who made both.
async fn audit_founding(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    restaurant_id: RestaurantId,
    user_id: UserId,
) -> Result<()> {
    let owner = Actor {
        user_id: Some(user_id),
        session_id: None,
        role: Role::Owner,
    };
    let restaurant = restaurants::get(conn, restaurant_id).await?;
    let user = users::get(conn, restaurant_id, user_id).await?;
    let entries = vec![
        Entry::created(AuditEntity::Restaurant, restaurant_id.0, &restaurant)?,
        Entry::created(AuditEntity::User, user_id.0, &user)?,
    ];
    audit::record(conn, &Scope::new(restaurant_id, owner), entries, now).await
}
