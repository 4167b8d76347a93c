//! Links for a new password, and which restaurant a login is for.

use chrono::TimeDelta;
use domain::people::{accounts, users};
use wire::Role;
use wire::people::users::UpdateUser;
use wire::{ErrorCode, RestaurantId, UserId};

use crate::house::missing;
use crate::support::{HASH, TestDb, code, scope};

async fn hash(db: &TestDb, id: UserId) -> String {
    db.db
        .read("hash", async |conn| {
            accounts::password_hash_of(conn, id).await
        })
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_sets_a_password_once() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let id = made.restaurant_id;
    let user = db.member(id, Role::Staff).await;
    let device = db.login(user.id, Some(id)).await.session_id;
    let manager = scope(id, Role::Manager, None);
    let earlier = db.reset_link(&manager, user.id).await.unwrap();
    let link = db.reset_link(&manager, user.id).await.unwrap();
    assert_eq!(missing(db.reset(&earlier).await), "link");
    assert!(db.is_live(device).await, "a link alone changes nothing");

    db.reset(&link).await.unwrap();
    assert_eq!(hash(&db, user.id).await, "a new hash");
    assert_eq!(db.auth_version(user.id).await, 2);
    assert!(!db.is_live(device).await);
    let events = db.events(id).await;
    let told = &events[1];
    assert_eq!(
        (&told["action"], &told["actor_id"], &told["data"]["version"]),
        (
            &"password_reset".into(),
            &user.id.to_string().into(),
            &2.into()
        )
    );
    assert!(!told.to_string().contains("hash"));
    assert_eq!(missing(db.reset(&link).await), "link");

    let late = db.reset_link(&manager, user.id).await.unwrap();
    let now = db.clock.now();
    let face = db.db.read("look", async |conn| {
        users::look_at_reset(conn, now, &late).await
    });
    assert_eq!(face.await.unwrap().email, user.email);
    db.clock.advance(TimeDelta::hours(24));
    for secret in ["", "x", &late] {
        assert_eq!(missing(db.reset(secret).await), "link");
    }
    let swept = db.db.transaction("sweep", async |conn, now| {
        users::sweep_expired_resets(conn, now, 10).await
    });
    assert_eq!(swept.await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_of_an_account_that_nobody_else_trusts() {
    let db = TestDb::new().await;
    let (home, away) = (db.restaurant().await, db.restaurant().await);
    let here = scope(home.restaurant_id, Role::Owner, Some(home.user_id));
    let there = scope(away.restaurant_id, Role::Owner, None);
    let user = db.member(home.restaurant_id, Role::Staff).await;
    let link = db.reset_link(&here, user.id).await.unwrap();
    db.join(&there, &user.email, Role::Staff).await.unwrap();
    for owner in [&here, &there] {
        let refused = db.reset_link(owner, user.id).await;
        assert_eq!(code(refused), ErrorCode::Conflict);
    }
    // Neither is one of before any good.
    assert_eq!(missing(db.reset(&link).await), "link");
    assert_eq!(hash(&db, user.id).await, HASH);

    // One's own is changed where the present one is asked for.
    let own = db.reset_link(&here, home.user_id).await;
    assert_eq!(code(own), ErrorCode::Conflict);
    // Nobody makes one for the platform's administration.
    let admin = db.member(home.restaurant_id, Role::Staff).await;
    let link = db.reset_link(&here, admin.id).await.unwrap();
    db.db
        .transaction("admin", async |conn, now| {
            accounts::create_admin(conn, now, &admin.email, "the operator's", false).await
        })
        .await
        .unwrap();
    assert_eq!(missing(db.reset(&link).await), "link");
    for by in [&here, &scope(home.restaurant_id, Role::Admin, None)] {
        let refused = db.reset_link(by, admin.id).await;
        assert_eq!(code(refused), ErrorCode::Conflict);
    }
    assert_eq!(hash(&db, admin.id).await, "the operator's");
}

/// A link is worth what its maker may do, and what it is for.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_with_what_it_was_made_by() {
    let db = TestDb::new().await;
    let id = db.restaurant().await.restaurant_id;
    let owner = scope(id, Role::Owner, None);
    let user = db.member(id, Role::Staff).await.id;
    let role = |role| UpdateUser {
        role: Some(role),
        ..UpdateUser::default()
    };
    let maker = db.member(id, Role::Manager).await.id;
    let by = scope(id, Role::Manager, Some(maker));
    let link = db.reset_link(&by, user).await.unwrap();
    db.update_user(&owner, maker, &role(Role::Staff), None)
        .await
        .unwrap();
    assert_eq!(missing(db.reset(&link).await), "link");

    let link = db.reset_link(&by, user).await.unwrap();
    db.update_user(&owner, user, &role(Role::Owner), None)
        .await
        .unwrap();
    assert_eq!(missing(db.reset(&link).await), "link");

    let device = db.login(user, Some(id)).await.session_id;
    let link = db.reset_link(&owner, user).await.unwrap();
    db.db
        .transaction("password", async |conn, now| {
            accounts::change_password(conn, now, user, device, HASH, "their own").await
        })
        .await
        .unwrap();
    assert_eq!(missing(db.reset(&link).await), "link");
}

/// An account that is just joining another restaurant is shared already.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_waits_for_who_is_just_joining() {
    let db = TestDb::new().await;
    let (home, away) = (db.restaurant().await, db.restaurant().await);
    let here = scope(home.restaurant_id, Role::Owner, None);
    let there = scope(away.restaurant_id, Role::Owner, None);
    let user = db.member(home.restaurant_id, Role::Staff).await.id;
    let link = db.reset_link(&here, user).await.unwrap();
    let made = db.invite(&there, Role::Staff).await.unwrap();
    db.accept_as(&made.secret, user).await.unwrap();
    let (joined, reset) = tokio::join!(
        db.confirm(&there, made.invitation.id, None),
        db.reset(&link)
    );
    // Whichever came first, the other was refused.
    assert!(joined.is_ok() != reset.is_ok(), "{joined:?} {reset:?}");
}

async fn last_used(db: &TestDb, user: UserId) -> Option<RestaurantId> {
    db.db
        .read("last", async |conn| accounts::last_used(conn, user).await)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_for_the_restaurant_that_was_used_last() {
    let db = TestDb::new().await;
    let (home, away) = (db.restaurant().await, db.restaurant().await);
    let (home, away) = (home.restaurant_id, away.restaurant_id);
    let user = db.member(home, Role::Staff).await;
    db.clock.advance(TimeDelta::seconds(1));
    db.join(&scope(away, Role::Owner, None), &user.email, Role::Owner)
        .await
        .unwrap();
    // Before it has used any: the one that it joined first.
    assert_eq!(last_used(&db, user.id).await, Some(home));
    db.login(user.id, Some(away)).await;
    assert_eq!(last_used(&db, user.id).await, Some(away));
    db.clock.advance(TimeDelta::seconds(1));
    db.login(user.id, Some(home)).await;
    db.login(user.id, None).await;
    assert_eq!(last_used(&db, user.id).await, Some(home));
    let oneself = scope(home, Role::Staff, Some(user.id));
    db.delete_user(&oneself, user.id, None).await.unwrap();
    assert_eq!(last_used(&db, user.id).await, Some(away));
    let oneself = scope(away, Role::Owner, Some(user.id));
    db.delete_user(&oneself, user.id, None).await.unwrap();
    assert_eq!(last_used(&db, user.id).await, None);
}
