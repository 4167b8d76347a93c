//! Registration, login, new passwords.

use domain::Result;
use domain::people::accounts;
use domain::people::accounts::Account;
use wire::Role;
use wire::people::auth::{Membership, Register};
use wire::people::users::UpdateUser;
use wire::{ErrorCode, RestaurantId, SessionId, UserId};

use crate::support::{HASH, TestDb, code, fields, scope};

fn registration(email: &str) -> Register {
    Register {
        restaurant_name: " Chez Nous ".to_owned(),
        email: email.to_owned(),
        password: "long enough".to_owned(),
        first_name: " Ada ".to_owned(),
        last_name: String::new(),
        time_zone: Some("Europe/Berlin".to_owned()),
    }
}

async fn account(db: &TestDb, email: &str) -> Option<Account> {
    db.db
        .read("account", async |conn| {
            accounts::for_login(conn, email).await
        })
        .await
        .unwrap()
}

async fn memberships(db: &TestDb, user: UserId) -> Vec<Membership> {
    db.db
        .read("memberships", async |conn| {
            accounts::memberships(conn, user).await
        })
        .await
        .unwrap()
}

async fn change_password(
    db: &TestDb,
    user: UserId,
    session: SessionId,
    verified: &str,
    new: &str,
) -> Result<i32> {
    db.db
        .transaction("password", async |conn, now| {
            accounts::change_password(conn, now, user, session, verified, new).await
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn registration_makes_a_restaurant_and_its_owner() {
    let db = TestDb::new().await;
    let made = db
        .register(&registration("  Ada@Example.com "))
        .await
        .unwrap();
    let memberships = memberships(&db, made.user_id).await;
    assert_eq!(
        memberships,
        [Membership {
            id: made.restaurant_id,
            name: "Chez Nous".to_owned(),
            role: Role::Owner,
        }]
    );
    let session = db.login(made.user_id, Some(made.restaurant_id)).await;
    let (session, restaurant) = (session.session_id, Some(made.restaurant_id));
    let me = db
        .db
        .read("me", async |conn| {
            accounts::me(conn, made.user_id, session, restaurant, Some(Role::Owner)).await
        })
        .await
        .unwrap();
    assert_eq!(me.email, "Ada@Example.com");
    assert_eq!((me.first_name.as_str(), me.last_name.as_str()), ("Ada", ""));
    assert_eq!((me.session_id, me.restaurant_id), (session, restaurant));
    assert_eq!((me.created_at, me.is_admin), (db.clock.now(), false));
    assert_eq!(me.restaurants, memberships);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_one_account_whatever_its_case() {
    let db = TestDb::new().await;
    let made = db.register(&registration("Ada@Example.com")).await.unwrap();
    let again = db.register(&registration(" aDA@eXAMPLE.COM")).await;
    assert_eq!(code(again), ErrorCode::EmailTaken);
    for spelling in ["ada@example.com", " ADA@EXAMPLE.COM "] {
        let found = account(&db, spelling).await.unwrap();
        assert_eq!(found.user_id, made.user_id);
        assert_eq!(found.password_hash, HASH);
        assert_eq!(
            (found.is_admin, found.auth_version),
            (false, made.auth_version)
        );
    }
    for unknown in [
        "",
        "eve@example.com",
        "ada@example.com\0",
        "%",
        "ada@example.co",
    ] {
        assert!(account(&db, unknown).await.is_none(), "{unknown}");
    }
    // Nothing of the second restaurant remains.
    assert_eq!(db.sql("SELECT FROM restaurants").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_register_at_once() {
    let db = TestDb::new().await;
    // The same name, so the same slug is wanted, and nobody is told off for that.
    let (ada, eve) = (
        registration("ada@example.com"),
        registration("eve@example.com"),
    );
    let (one, two) = tokio::join!(db.register(&ada), db.register(&eve));
    assert_ne!(one.unwrap().restaurant_id, two.unwrap().restaurant_id);
    // The same address.
    let sam = registration("sam@example.com");
    let (one, two) = tokio::join!(db.register(&sam), db.register(&sam));
    let (made, refused) = if one.is_ok() { (one, two) } else { (two, one) };
    made.unwrap();
    assert_eq!(code(refused), ErrorCode::EmailTaken);
    assert_eq!(db.sql("SELECT FROM restaurants").await, 3);
}

#[test]
fn all_faults_of_a_registration_are_told_at_once() {
    let input = Register {
        restaurant_name: " ".to_owned(),
        email: "nobody".to_owned(),
        password: "short".to_owned(),
        first_name: "x".repeat(101),
        last_name: "\u{7}".to_owned(),
        time_zone: Some("Mars/Olympus".to_owned()),
    };
    let faults = fields(accounts::check_register(&input));
    assert_eq!(
        faults,
        [
            "restaurantName",
            "email",
            "password",
            "firstName",
            "lastName",
            "timeZone"
        ]
    );
    accounts::check_register(&registration("a@b")).unwrap();
    accounts::check_new_password("newPassword", "12345678").unwrap();
    let short = accounts::check_new_password("newPassword", "1234567");
    assert_eq!(fields(short), ["newPassword"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_active_memberships_count_and_they_come_by_name() {
    let db = TestDb::new().await;
    let email = db.address();
    let mut ids = Vec::new();
    for name in ["Zum Hirsch", "Alte Post", "Mitte"] {
        let owner = registration(&db.address());
        let input = Register {
            restaurant_name: name.to_owned(),
            ..owner
        };
        let id = db.register(&input).await.unwrap().restaurant_id;
        let user = db
            .join(&scope(id, Role::Owner, None), &email, Role::Staff)
            .await
            .unwrap();
        ids.push((id, user.id));
    }
    let user = ids[0].1;
    assert!(ids.iter().all(|(_, id)| *id == user), "one account");
    let names = async || -> Vec<String> {
        memberships(&db, user)
            .await
            .into_iter()
            .map(|one| one.name)
            .collect()
    };
    assert_eq!(names().await, ["Alte Post", "Mitte", "Zum Hirsch"]);

    let patch = UpdateUser {
        is_active: Some(false),
        ..UpdateUser::default()
    };
    let owner = scope(ids[1].0, Role::Owner, None);
    db.update_user(&owner, user, &patch, None).await.unwrap();
    assert_eq!(names().await, ["Mitte", "Zum Hirsch"]);
}

#[test]
fn which_restaurant_a_login_is_for() {
    let membership = |name: &str| Membership {
        id: RestaurantId(uuid::Uuid::now_v7()),
        name: name.to_owned(),
        role: Role::Staff,
    };
    let two = [membership("a"), membership("b")];
    let [a, b] = [two[0].id, two[1].id];
    let other = RestaurantId(uuid::Uuid::now_v7());
    let choose = accounts::choose_restaurant;
    assert_eq!(choose(&two, None, Some(b), false).unwrap(), Some(b));
    assert_eq!(choose(&two, Some(a), Some(b), false).unwrap(), Some(a));
    for memberships in [&two[..], &[]] {
        let refused = choose(memberships, Some(other), None, false);
        assert_eq!(code(refused), ErrorCode::NotFound);
    }
    // Who belongs to none logs in, and can accept an invitation.
    assert_eq!(choose(&[], None, None, false).unwrap(), None);
    assert_eq!(choose(&two, None, Some(a), true).unwrap(), Some(a));
    assert_eq!(
        choose(&two, Some(other), Some(a), true).unwrap(),
        Some(other)
    );
    assert_eq!(choose(&[], None, None, true).unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_signs_the_other_devices_out() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let (user, restaurant) = (made.user_id, Some(made.restaurant_id));
    let own = db.login(user, restaurant).await.session_id;
    let other = db.login(user, restaurant).await.session_id;
    let somebody = db.restaurant().await;
    let stranger = db
        .login(somebody.user_id, Some(somebody.restaurant_id))
        .await
        .session_id;

    let version = change_password(&db, user, own, HASH, "new").await.unwrap();
    assert_eq!(version, made.auth_version + 1);
    assert_eq!(db.auth_version(user).await, version);
    assert!(db.is_live(own).await);
    assert!(!db.is_live(other).await);
    assert!(db.is_live(stranger).await);
    let hash = db
        .db
        .read("hash", async |conn| {
            accounts::password_hash_of(conn, user).await
        })
        .await;
    assert_eq!(hash.unwrap(), "new");
    let unknown = UserId(uuid::Uuid::now_v7());
    let hash = db
        .db
        .read("hash", async |conn| {
            accounts::password_hash_of(conn, unknown).await
        })
        .await;
    assert_eq!(code(hash), ErrorCode::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_password_that_was_changed_meanwhile_changes_nothing() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let own = db
        .login(made.user_id, Some(made.restaurant_id))
        .await
        .session_id;
    let thief = db
        .login(made.user_id, Some(made.restaurant_id))
        .await
        .session_id;
    let late = change_password(&db, made.user_id, thief, HASH, "the thief's");
    let refused = db.during_password_change(made.user_id, own, late).await;
    assert_eq!(code(refused), ErrorCode::WrongCredentials);
    assert_eq!(db.auth_version(made.user_id).await, made.auth_version + 1);
}
