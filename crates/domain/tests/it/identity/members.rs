//! Members: joining, changing, leaving, and what is told of it.

use domain::Error;
use domain::db::{Scope, Tx};
use domain::identity::{accounts, users};
use serde_json::{Value, json};
use tokio::sync::Notify;
use wire::identity::Role;
use wire::identity::users::{CreateUser, UpdateUser, User};
use wire::{ErrorCode, RestaurantId, UserId};

use crate::support::{HASH, TestDb, code, fields, scope};

fn new_user(email: &str, role: Option<Role>) -> CreateUser {
    CreateUser {
        email: email.to_owned(),
        password: Some("long enough".to_owned()),
        first_name: " Sam ".to_owned(),
        last_name: String::new(),
        role,
    }
}

fn named(first_name: &str) -> UpdateUser {
    UpdateUser {
        first_name: Some(first_name.to_owned()),
        ..UpdateUser::default()
    }
}

fn with_password() -> UpdateUser {
    UpdateUser {
        password: Some("another one".to_owned()),
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
        .create_user(&owner, &new_user(" Sam@Example.com ", None))
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
    let patch = UpdateUser {
        last_name: Some(" Smith ".to_owned()),
        role: Some(Role::Manager),
        ..UpdateUser::default()
    };
    let changed = db
        .update_user(&owner, user.id, &patch, Some(1))
        .await
        .unwrap();
    assert_eq!(
        (changed.last_name.as_str(), changed.role),
        ("Smith", Role::Manager)
    );
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
        .update_user(&owner, user.id, &named("Kim"), Some(1))
        .await
        .unwrap();
    for stale in [
        db.update_user(&owner, user.id, &named("Lee"), Some(1))
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
    let wrong = CreateUser {
        email: "nobody".to_owned(),
        password: Some("short".to_owned()),
        first_name: "x".repeat(101),
        last_name: "\u{7}".to_owned(),
        role: Some(Role::Admin),
    };
    let faults = fields(db.create_user(&owner, &wrong).await);
    assert_eq!(
        faults,
        ["email", "password", "firstName", "lastName", "role"]
    );

    let without = CreateUser {
        password: None,
        ..new_user("sam@example.com", None)
    };
    users::check_create(&without).unwrap();
    assert_eq!(fields(db.create_user(&owner, &without).await), ["password"]);

    let user = db.member(id, Role::Staff).await;
    let wrong = UpdateUser {
        first_name: Some("x".repeat(101)),
        last_name: Some("\u{7}".to_owned()),
        role: Some(Role::Admin),
        password: Some("short".to_owned()),
        is_active: None,
    };
    let faults = fields(db.update_user(&owner, user.id, &wrong, None).await);
    assert_eq!(faults, ["firstName", "lastName", "role", "password"]);
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
        .create_user(&here, &new_user("sam@example.com", None))
        .await
        .unwrap();
    let joining = CreateUser {
        password: None,
        first_name: "Somebody".to_owned(),
        ..new_user("SAM@example.com", Some(Role::Manager))
    };
    let joined = db.create_user(&there, &joining).await.unwrap();
    assert_eq!(joined.id, user.id);
    assert_eq!(
        (joined.email, joined.first_name),
        (user.email, user.first_name)
    );
    assert_eq!(
        (joined.role, joined.restaurant_id),
        (Role::Manager, away.restaurant_id)
    );
    assert_eq!(hash(&db, user.id).await, HASH);

    // A password that is sent all the same changes nothing.
    let again = new_user("sam@example.com", None);
    assert_eq!(
        code(db.create_user(&there, &again).await),
        ErrorCode::AlreadyMember
    );
    assert_eq!(hash(&db, user.id).await, HASH);
    assert_eq!(db.auth_version(user.id).await, 1);

    // Shared, its names and password are nobody's to change; the rest is each restaurant's own.
    for owner in [&here, &there] {
        for patch in [named("Kim"), with_password()] {
            let refused = db.update_user(owner, user.id, &patch, None).await;
            assert_eq!(code(refused), ErrorCode::Conflict);
        }
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

    // It leaves the restaurant that made it. The one that it joined may still not take it over.
    db.delete_user(&here, user.id, None).await.unwrap();
    for patch in [named("Kim"), with_password()] {
        let refused = db.update_user(&there, user.id, &patch, None).await;
        assert_eq!(code(refused), ErrorCode::Conflict);
    }
    // It comes back, and leaves the other.
    db.create_user(&here, &joining).await.unwrap();
    db.delete_user(&there, user.id, None).await.unwrap();
    db.update_user(&here, user.id, &with_password(), None)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_signs_the_member_out() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let id = made.restaurant_id;
    let user = db.member(id, Role::Staff).await;
    let device = db.login(user.id, Some(id)).await.session_id;
    let manager = scope(id, Role::Manager, None);
    let changed = db
        .update_user(&manager, user.id, &with_password(), None)
        .await
        .unwrap();
    assert_eq!(changed.version, 2);
    assert_eq!(hash(&db, user.id).await, "a new hash");
    assert_eq!(db.auth_version(user.id).await, 2);
    assert!(!db.is_live(device).await);
    let events = db.events(id).await;
    assert_eq!(events.len(), 2);
    assert!(!events[1].to_string().contains("hash"));

    // One's own is changed where the present one is asked for.
    let oneself = scope(id, Role::Owner, Some(made.user_id));
    let own = db
        .update_user(&oneself, made.user_id, &with_password(), None)
        .await;
    assert_eq!(code(own), ErrorCode::Conflict);
    db.update_user(&oneself, made.user_id, &named("Grace"), None)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_resets_the_password_of_an_admin() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let user = db.member(made.restaurant_id, Role::Staff).await;
    db.db
        .transaction("admin", async |conn, now| {
            accounts::create_admin(conn, now, &user.email, "the operator's", false).await
        })
        .await
        .unwrap();
    let owner = scope(made.restaurant_id, Role::Owner, Some(made.user_id));
    for patch in [with_password(), named("Kim")] {
        let refused = db.update_user(&owner, user.id, &patch, None).await;
        assert_eq!(code(refused), ErrorCode::Conflict);
    }
    assert_eq!(hash(&db, user.id).await, "the operator's");
    let admin = scope(made.restaurant_id, Role::Admin, None);
    db.update_user(&admin, user.id, &with_password(), None)
        .await
        .unwrap();
}

/// Does something while a member is joining and the transaction is not committed before whoever
/// does it waits for that. Returns the member, and what came of it.
async fn during_joining<T>(
    db: &TestDb,
    scope: &Scope,
    input: &CreateUser,
    something: impl Future<Output = T>,
) -> (User, T) {
    let (joined, go_on) = (Notify::new(), Notify::new());
    let joining = db.db.write("join", scope, async |tx: &mut Tx<'_>| {
        let user = users::create(tx, input, Some(HASH)).await?;
        joined.notify_one();
        go_on.notified().await;
        Ok(user)
    });
    let commit = async {
        db.until_somebody_waits().await;
        go_on.notify_one();
    };
    let meanwhile = async {
        joined.notified().await;
        tokio::join!(Box::pin(something), commit).0
    };
    let (user, result) = tokio::join!(Box::pin(joining), meanwhile);
    (user.unwrap().value, result)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_just_joining_another_restaurant_is_shared_already() {
    let db = TestDb::new().await;
    let (home, away) = (db.restaurant().await, db.restaurant().await);
    let here = scope(home.restaurant_id, Role::Owner, None);
    let there = scope(away.restaurant_id, Role::Owner, None);
    let user = db.member(home.restaurant_id, Role::Staff).await;
    let (input, patch) = (new_user(&user.email, None), with_password());
    let reset = db.update_user(&here, user.id, &patch, None);
    let (joined, reset) = during_joining(&db, &there, &input, reset).await;
    assert_eq!(joined.id, user.id);
    assert_eq!(code(reset), ErrorCode::Conflict);
    assert_eq!(hash(&db, user.id).await, HASH);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_is_added_twice_at_once() {
    let db = TestDb::new().await;
    let (one, two) = (db.restaurant().await, db.restaurant().await);
    let (one, two) = (
        scope(one.restaurant_id, Role::Owner, None),
        scope(two.restaurant_id, Role::Owner, None),
    );
    // In two restaurants: one makes the account, the other takes it in.
    let input = new_user("sam@example.com", None);
    let second = db.create_user(&two, &input);
    let (first, second) = during_joining(&db, &one, &input, second).await;
    assert_eq!(first.id, second.unwrap().id);
    // In one restaurant: one is too late.
    let input = new_user("kim@example.com", None);
    let second = db.create_user(&one, &input);
    let (_, second) = during_joining(&db, &one, &input, second).await;
    assert_eq!(code(second), ErrorCode::AlreadyMember);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_is_signed_out_there_and_only_there() {
    let db = TestDb::new().await;
    let (home, away) = (db.restaurant().await, db.restaurant().await);
    let here = scope(home.restaurant_id, Role::Owner, None);
    let there = scope(away.restaurant_id, Role::Owner, None);
    let user = db.member(home.restaurant_id, Role::Staff).await;
    db.create_user(&there, &new_user(&user.email, None))
        .await
        .unwrap();
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
    db.create_user(&here, &new_user(&user.email, None))
        .await
        .unwrap();
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
    for patch in [with_role(Role::Owner), named("Kim"), with_password()] {
        let refused = db.update_user(&here, stranger, &patch, None).await;
        assert_eq!(code(refused), ErrorCode::NotFound);
    }
    assert_eq!(
        code(db.delete_user(&here, stranger, None).await),
        ErrorCode::NotFound
    );
    let nowhere = scope(RestaurantId(uuid::Uuid::now_v7()), Role::Owner, None);
    assert_eq!(
        code(db.create_user(&nowhere, &new_user("a@b", None)).await),
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
        db.create_user(&owner, &new_user(email, None))
            .await
            .unwrap();
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
