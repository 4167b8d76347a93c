//! Members: joining, changing, leaving, and what is told of it.

use domain::Error;
use domain::db::Tx;
use domain::people::{accounts, users};
use serde_json::{Value, json};
use wire::Role;
use wire::people::auth::UpdateMe;
use wire::people::users::{UpdateUser, User};
use wire::{ErrorCode, RestaurantId, UserId};

use crate::support::{HASH, TestDb, code, fields, scope};

fn named(first_name: &str) -> UpdateUser {
    UpdateUser {
        first_name: Some(first_name.to_owned()),
        ..UpdateUser::default()
    }
}

fn with_role(role: Role) -> UpdateUser {
    UpdateUser {
        role: Some(role),
        ..UpdateUser::default()
    }
}

async fn list(db: &TestDb, restaurant: RestaurantId) -> Vec<User> {
    let page = db
        .db
        .read("list", async |conn| {
            users::list(conn, restaurant, None, None).await
        })
        .await;
    page.unwrap().items
}

async fn get(db: &TestDb, restaurant: RestaurantId, id: UserId) -> domain::Result<User> {
    db.db
        .read("get", async |conn| users::get(conn, restaurant, id).await)
        .await
}

async fn hash(db: &TestDb, id: UserId) -> String {
    db.db
        .read("hash", async |conn| {
            accounts::password_hash_of(conn, id).await
        })
        .await
        .unwrap()
}

fn told(event: &Value) -> (&Value, &Value, &Value) {
    (&event["type"], &event["action"], &event["data"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_joins_changes_and_leaves() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let id = made.restaurant_id;
    let owner = scope(id, Role::Owner, Some(made.user_id));

    let user = db
        .join(&owner, " Sam@Example.com ", Role::Staff)
        .await
        .unwrap();
    assert_eq!(
        (user.email.as_str(), user.first_name.as_str()),
        ("Sam@Example.com", "Sam")
    );
    assert_eq!(
        (user.role, user.is_active, user.version),
        (Role::Staff, true, 1)
    );
    assert_eq!(
        (user.created_at, user.last_updated),
        (db.clock.now(), db.clock.now())
    );
    assert_eq!(get(&db, id, user.id).await.unwrap(), user);

    db.clock.advance(chrono::TimeDelta::seconds(1));
    let patch = with_role(Role::Manager);
    let changed = db
        .update_user(&owner, user.id, &patch, Some(1))
        .await
        .unwrap();
    assert_eq!(changed.role, Role::Manager);
    assert_eq!((changed.version, changed.last_updated), (2, db.clock.now()));
    assert_eq!(changed.created_at, user.created_at);
    assert_eq!(get(&db, id, user.id).await.unwrap(), changed);

    // Again, and nothing happens.
    db.clock.advance(chrono::TimeDelta::seconds(1));
    let same = db.update_user(&owner, user.id, &patch, None).await.unwrap();
    assert_eq!(same, changed);

    db.delete_user(&owner, user.id, Some(2)).await.unwrap();
    assert_eq!(code(get(&db, id, user.id).await), ErrorCode::NotFound);
    assert_eq!(
        code(db.delete_user(&owner, user.id, None).await),
        ErrorCode::NotFound
    );
    assert_eq!(
        code(db.update_user(&owner, user.id, &patch, None).await),
        ErrorCode::NotFound
    );

    let events = db.events(id).await;
    let kind = json!("user_updated");
    let gone = json!({"id": user.id, "version": 3});
    assert_eq!(
        events.iter().map(told).collect::<Vec<_>>(),
        [
            (&kind, &json!("created"), &json!(user)),
            (&kind, &json!("info_updated"), &json!(changed)),
            (&kind, &json!("deleted"), &gone),
        ]
    );
    assert!(
        events
            .iter()
            .all(|event| event["user_id"] == json!(user.id))
    );
    assert!(
        events
            .iter()
            .all(|event| event["actor_id"] == json!(made.user_id))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_refused_with_the_present_state() {
    let db = TestDb::new().await;
    let id = db.restaurant().await.restaurant_id;
    let owner = scope(id, Role::Owner, None);
    let user = db.member(id, Role::Staff).await;
    let user = db
        .update_user(&owner, user.id, &with_role(Role::Manager), Some(1))
        .await
        .unwrap();
    for stale in [
        db.update_user(&owner, user.id, &with_role(Role::Staff), Some(1))
            .await
            .map(drop),
        db.delete_user(&owner, user.id, Some(3)).await,
    ] {
        let Err(Error::Stale(current)) = stale else {
            panic!("{stale:?}")
        };
        assert_eq!(*current, json!(user));
    }
    assert_eq!(get(&db, id, user.id).await.unwrap(), user);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_checked_together() {
    let db = TestDb::new().await;
    let id = db.restaurant().await.restaurant_id;
    let owner = scope(id, Role::Owner, None);
    let user = db.member(id, Role::Staff).await;
    let wrong = UpdateUser {
        first_name: Some("x".repeat(101)),
        last_name: Some("\u{7}".to_owned()),
        role: Some(Role::Admin),
        password: None,
        is_active: None,
    };
    let faults = fields(db.update_user(&owner, user.id, &wrong, None).await);
    assert_eq!(faults, ["firstName", "lastName", "role"]);
    assert_eq!(
        db.events(id).await.len(),
        1,
        "only of the member who was made"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_joins_with_its_own_names_and_password() {
    let db = TestDb::new().await;
    let (home, away) = (db.restaurant().await, db.restaurant().await);
    let (here, there) = (
        scope(home.restaurant_id, Role::Owner, None),
        scope(away.restaurant_id, Role::Owner, None),
    );
    let user = db
        .join(&here, "sam@example.com", Role::Staff)
        .await
        .unwrap();
    let joined = db
        .join(&there, "SAM@example.com", Role::Manager)
        .await
        .unwrap();
    assert_eq!(joined.id, user.id);
    assert_eq!(
        (&joined.email, &joined.first_name),
        (&user.email, &user.first_name)
    );
    assert_eq!(
        (joined.role, joined.restaurant_id),
        (Role::Manager, away.restaurant_id)
    );
    assert_eq!(hash(&db, user.id).await, HASH);
    assert_eq!(db.auth_version(user.id).await, 1);

    // Names are the account's own, shared or not; the rest is each restaurant's own.
    for owner in [&here, &there] {
        let refused = db.update_user(owner, user.id, &named("Kim"), None).await;
        assert_eq!(code(refused), ErrorCode::Conflict);
        // To name what is there already is no change.
        db.update_user(owner, user.id, &named("Sam"), None)
            .await
            .unwrap();
    }
    db.update_user(&there, user.id, &with_role(Role::Staff), None)
        .await
        .unwrap();
    assert_eq!(
        get(&db, home.restaurant_id, user.id).await.unwrap().version,
        1
    );
    db.delete_user(&there, user.id, None).await.unwrap();
    let refused = db.update_user(&here, user.id, &named("Kim"), None).await;
    assert_eq!(code(refused), ErrorCode::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_gives_itself_other_names() {
    let db = TestDb::new().await;
    let id = db.restaurant().await.restaurant_id;
    let user = db.member(id, Role::Staff).await;
    let oneself = scope(id, Role::Staff, Some(user.id));
    let rename = async |first: &str| {
        let patch = UpdateMe {
            first_name: Some(first.to_owned()),
            last_name: None,
        };
        let renamed = db.db.write("rename", &oneself, async |tx: &mut Tx<'_>| {
            users::rename(tx, &patch).await
        });
        renamed.await.map(drop)
    };
    rename(" Kim ").await.unwrap();
    rename("Kim").await.unwrap();
    assert_eq!(fields(rename(&"x".repeat(101)).await), ["firstName"]);
    let renamed = get(&db, id, user.id).await.unwrap();
    assert_eq!((renamed.first_name.as_str(), renamed.version), ("Kim", 2));
    let events = db.events(id).await;
    let (kind, action) = (json!("user_updated"), json!("info_updated"));
    assert_eq!(told(&events[1]), (&kind, &action, &json!(renamed)));
    assert_eq!(events.len(), 2, "nothing is told of what did not change");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_leave_and_send_nobody_else_away() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let id = made.restaurant_id;
    for role in [Role::Staff, Role::Manager, Role::Owner] {
        let (user, colleague) = (db.member(id, role).await, db.member(id, Role::Staff).await);
        let oneself = scope(id, role, Some(user.id));
        let device = db.login(user.id, Some(id)).await.session_id;
        if role == Role::Staff {
            let refused = db.delete_user(&oneself, colleague.id, None).await;
            assert_eq!(code(refused), ErrorCode::Forbidden);
        }
        db.delete_user(&oneself, user.id, None).await.unwrap();
        assert!(!db.is_live(device).await);
        assert_eq!(code(get(&db, id, user.id).await), ErrorCode::NotFound);
    }
    let last = scope(id, Role::Owner, Some(made.user_id));
    let refused = db.delete_user(&last, made.user_id, None).await;
    assert_eq!(code(refused), ErrorCode::LastOwner);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_is_signed_out_there_and_only_there() {
    let db = TestDb::new().await;
    let (home, away) = (db.restaurant().await, db.restaurant().await);
    let here = scope(home.restaurant_id, Role::Owner, None);
    let there = scope(away.restaurant_id, Role::Owner, None);
    let user = db.member(home.restaurant_id, Role::Staff).await;
    db.join(&there, &user.email, Role::Staff).await.unwrap();
    let device_here = db.login(user.id, Some(home.restaurant_id)).await.session_id;
    let device_there = db.login(user.id, Some(away.restaurant_id)).await.session_id;
    let colleague = db.member(home.restaurant_id, Role::Staff).await;
    let other = db
        .login(colleague.id, Some(home.restaurant_id))
        .await
        .session_id;

    db.delete_user(&here, user.id, None).await.unwrap();
    assert!(!db.is_live(device_here).await);
    assert!(db.is_live(device_there).await);
    assert!(db.is_live(other).await);
    // Coming back does not bring the device back.
    db.join(&here, &user.email, Role::Staff).await.unwrap();
    assert!(!db.is_live(device_here).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restaurant_sees_its_own_members_only() {
    let db = TestDb::new().await;
    let (home, away) = (db.restaurant().await, db.restaurant().await);
    let here = scope(home.restaurant_id, Role::Owner, None);
    let stranger = away.user_id;
    assert_eq!(
        code(get(&db, home.restaurant_id, stranger).await),
        ErrorCode::NotFound
    );
    for patch in [with_role(Role::Owner), named("Kim")] {
        let refused = db.update_user(&here, stranger, &patch, None).await;
        assert_eq!(code(refused), ErrorCode::NotFound);
    }
    assert_eq!(
        code(db.delete_user(&here, stranger, None).await),
        ErrorCode::NotFound
    );
    let nowhere = scope(RestaurantId(uuid::Uuid::now_v7()), Role::Owner, None);
    assert_eq!(
        code(db.invite(&nowhere, Role::Staff).await.map(drop)),
        ErrorCode::NotFound
    );
    assert_eq!(list(&db, home.restaurant_id).await.len(), 1);
    assert_eq!(db.sql("SELECT FROM users").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_listed_by_address_in_pages() {
    let db = TestDb::new().await;
    let id = db.restaurant().await.restaurant_id;
    let owner = scope(id, Role::Owner, None);
    for email in [
        "Zoe@example.com",
        "abe@example.com",
        "Bea@example.com",
        "max@example.com",
    ] {
        db.join(&owner, email, Role::Staff).await.unwrap();
    }
    let all: Vec<String> = list(&db, id)
        .await
        .into_iter()
        .map(|user| user.email)
        .collect();
    assert_eq!(
        all,
        [
            "abe@example.com",
            "Bea@example.com",
            "max@example.com",
            "Person000@example.com",
            "Zoe@example.com"
        ]
    );
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = db
            .db
            .read("list", async |conn| {
                users::list(conn, id, Some(2), cursor.as_deref()).await
            })
            .await
            .unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|user| user.email));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, all);
}
