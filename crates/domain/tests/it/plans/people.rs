//! Who works here, on which devices.

use chrono::TimeDelta;
use domain::db::{PgConnection, Tx};
use domain::people::accounts;
use domain::people::sessions;
use domain::people::sessions::{NewSession, Refreshed};
use domain::people::{invitations, socket_tickets, users};
use domain::venue::restaurants;
use serde_json::json;
use wire::Role;
use wire::{SessionId, UserId};

use super::large::{House, id, now, read as from};
use crate::support::{HASH, TTL};

pub(super) async fn run(house: &House) {
    let here = house.id();
    let opened = sign_in(house).await;
    let name = "sessions.standing";
    house
        .read(name, "", async |conn| {
            sessions::standing(conn, now(), opened).await
        })
        .await;
    let many: Vec<SessionId> = (1_421..1_481).map(id).collect();
    let name = "sessions.standings";
    let standings = async |conn: &mut PgConnection| sessions::standings(conn, now(), &many).await;
    assert_eq!(house.read(name, "", standings).await.len(), 60);
    let list = async |conn: &mut PgConnection| {
        sessions::list(conn, now(), id(3), opened, None, None).await
    };
    house.read("sessions.list", "", list).await;
    by_ticket(house, opened).await;

    let leave = async |conn: &mut PgConnection, now| sessions::revoke(conn, now, opened).await;
    house.transaction("auth.logout", "", leave).await;
    let other: SessionId = id(3_000 + house.round * 300);
    let revoke = async |conn: &mut PgConnection, now| {
        sessions::revoke_of_user(conn, now, id(3), other).await
    };
    house.transaction("sessions.revoke", "", revoke).await;
    members(house).await;

    let name = "restaurants.get";
    house
        .read(name, "", async |conn| restaurants::get(conn, here).await)
        .await;
    let before = 20 + house.round;
    let patch = from(json!({"settings": {"reserveTablesMinutesBefore": before}}));
    let update = async |tx: &mut Tx<'_>| restaurants::update(tx, &patch, None).await;
    house.write("restaurants.update", "", update).await;
}

/// Logs a device in, and trades its token.
async fn sign_in(house: &House) -> SessionId {
    let name = "auth.account";
    let find =
        async |conn: &mut PgConnection| accounts::for_login(conn, "Person1@Example.com").await;
    let account = house.read(name, "", find).await.unwrap();
    let user = account.user_id;
    let new = NewSession {
        user_id: user,
        auth_version: account.auth_version,
        restaurant_id: Some(house.id()),
        device_name: None,
    };
    let open = async |conn: &mut PgConnection, now| {
        accounts::memberships(conn, user).await?;
        accounts::last_used(conn, user).await?;
        sessions::open(conn, now, &new, TTL).await
    };
    let opened = house.transaction("auth.login", "", open).await;
    let refresh = async |conn: &mut PgConnection, now| {
        sessions::refresh(conn, now, &opened.refresh_token, TTL).await
    };
    for what in ["a new one", "the one before"] {
        let refreshed = house.transaction("auth.refresh", what, refresh).await;
        assert!(matches!(refreshed, Refreshed::Rotated(_)));
    }
    let me = async |conn: &mut PgConnection| {
        accounts::me(
            conn,
            user,
            opened.session_id,
            new.restaurant_id,
            Some(Role::Owner),
        )
        .await
    };
    house.read("auth.me", "", me).await;
    let hash = async |conn: &mut PgConnection| accounts::password_hash_of(conn, user).await;
    house.read("auth.password_hash", "", hash).await;
    opened.session_id
}

async fn by_ticket(house: &House, device: SessionId) {
    let until = now() + TimeDelta::minutes(10);
    let issue =
        async |conn: &mut PgConnection, now| socket_tickets::issue(conn, now, device, until).await;
    let ticket = house.transaction("tickets.issue", "", issue).await;
    let name = "tickets.present";
    let present =
        async |conn: &mut PgConnection| socket_tickets::present(conn, now(), &ticket).await;
    assert!(house.read(name, "", present).await.is_some());
    let redeem =
        async |conn: &mut PgConnection, now| socket_tickets::redeem(conn, now, &ticket).await;
    assert!(
        house
            .transaction("tickets.redeem", "", redeem)
            .await
            .is_some()
    );
}

async fn members(house: &House) {
    let here = house.id();
    let list = async |conn: &mut PgConnection| users::list(conn, here, None, None).await;
    house.read("users.list", "", list).await;
    let user = invited(house).await;
    let get = async |conn: &mut PgConnection| users::get(conn, here, user).await;
    house.read("users.get", "", get).await;
    let patch = from(json!({"role": "manager"}));
    let update = async |tx: &mut Tx<'_>| users::update(tx, user, &patch, None).await;
    house.write("users.update", "", update).await;
    by_link(house, user).await;
    let change = async |conn: &mut PgConnection, now| {
        accounts::change_password(conn, now, user, id(1), "by a link", "another").await
    };
    house.transaction("auth.change_password", "", change).await;
    house
        .write("users.delete", "", async |tx| {
            users::delete(tx, user, None).await
        })
        .await;

    let names = from(json!({"firstName": format!("Sam {}", house.round)}));
    house
        .transaction("auth.rename", "", async |conn, now| {
            accounts::rename(conn, now, user, &names).await
        })
        .await;

    let input = from(
        json!({"restaurantName": "Chez Nous", "email": format!("owner{}@example.com", house.round),
        "password": "long enough", "firstName": "Ada", "lastName": "Byron"}),
    );
    let register =
        async |conn: &mut PgConnection, now| accounts::register(conn, now, &input, HASH).await;
    house.transaction("auth.register", "", register).await;
    let fill = async |conn: &mut PgConnection, _| accounts::fill_keys(conn, None, 1_000).await;
    house.transaction("accounts.fill_keys", "", fill).await;
}

/// How somebody becomes a member.
async fn invited(house: &House) -> UserId {
    let here = house.id();
    let input = from(json!({"email": "note@example.com"}));
    let invite = async |tx: &mut Tx<'_>| invitations::create(tx, &input).await;
    let one = house.write("invitations.create", "", invite).await;
    let two = house.write("invitations.create", "another", invite).await;
    let list =
        async |conn: &mut PgConnection| invitations::list(conn, now(), here, None, None).await;
    house.read("invitations.list", "", list).await;
    let (id, other) = (one.invitation.id, two.invitation.id);
    let get = async |conn: &mut PgConnection| invitations::get(conn, now(), here, id).await;
    house.read("invitations.get", "", get).await;
    let look = async |conn: &mut PgConnection| invitations::look(conn, now(), &one.secret).await;
    house.read("invitations.look", "", look).await;

    let input = from(json!({"secret": one.secret, "password": "long enough",
        "email": format!("new{}@example.com", house.round)}));
    let register = async |tx: &mut Tx<'_>| {
        let user_id = invitations::register(tx, &input, HASH).await?;
        let new = NewSession {
            user_id,
            auth_version: accounts::FIRST_VERSION,
            restaurant_id: None,
            device_name: None,
        };
        sessions::open(tx.conn, tx.now, &new, TTL).await?;
        Ok(user_id)
    };
    let newcomer = invitations::scope_of(&one.secret, None, None)
        .unwrap()
        .actor;
    let user = house
        .write_as(newcomer, "invitations.register", "", register)
        .await;
    let accept = async |tx: &mut Tx<'_>| invitations::accept(tx, &two.secret).await;
    house
        .write_as(newcomer, "invitations.accept", "", accept)
        .await;
    let confirm = async |tx: &mut Tx<'_>| invitations::confirm(tx, id, &Default::default()).await;
    house.write("invitations.confirm", "", confirm).await;
    let withdraw = async |tx: &mut Tx<'_>| invitations::withdraw(tx, other).await;
    house.write("invitations.withdraw", "", withdraw).await;

    let names = from(json!({"firstName": format!("Kim {}", house.round)}));
    let rename = async |tx: &mut Tx<'_>| users::rename(tx, &names).await;
    house.write_as(newcomer, "users.rename", "", rename).await;
    user
}

async fn by_link(house: &House, user: UserId) {
    let make = async |tx: &mut Tx<'_>| users::make_reset_link(tx, user).await;
    let (secret, _) = house.write("users.reset_link", "", make).await;
    let look = async |conn: &mut PgConnection| users::look_at_reset(conn, now(), &secret).await;
    house.read("users.look_at_reset", "", look).await;
    let reset = async |tx: &mut Tx<'_>| users::reset_password(tx, &secret, "by a link").await;
    house.write("users.reset_password", "", reset).await;
}
