//! Devices: logging in and out, and what they may do.

use chrono::TimeDelta;
use domain::Result;
use domain::page::Page;
use domain::people::sessions;
use domain::people::sessions::{NewSession, Standing};
use wire::Role;
use wire::people::sessions::DeviceSession;
use wire::people::users::UpdateUser;
use wire::{ErrorCode, RestaurantId, SessionId, UserId};

use crate::support::{TTL, TestDb, code, scope};

async fn list(
    db: &TestDb,
    user: UserId,
    current: SessionId,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<DeviceSession>> {
    let now = db.clock.now();
    db.db
        .read("list", async |conn| {
            sessions::list(conn, now, user, current, limit, cursor).await
        })
        .await
}

async fn devices(db: &TestDb, user: UserId) -> Vec<SessionId> {
    let nobody = SessionId(uuid::Uuid::now_v7());
    let page = list(db, user, nobody, None, None).await.unwrap();
    page.items.into_iter().map(|device| device.id).collect()
}

async fn revoke_of_user(db: &TestDb, user: UserId, session: SessionId) -> Result<()> {
    db.db
        .transaction("revoke", async |conn, now| {
            sessions::revoke_of_user(conn, now, user, session).await
        })
        .await
}

async fn revoke(db: &TestDb, session: SessionId) {
    db.db
        .transaction("revoke", async |conn, now| {
            sessions::revoke(conn, now, session).await
        })
        .await
        .unwrap();
}

async fn standings(db: &TestDb, of: &[SessionId]) -> Vec<Standing> {
    let now = db.clock.now();
    db.db
        .read("standings", async |conn| {
            sessions::standings(conn, now, of).await
        })
        .await
        .unwrap()
}

async fn standing(db: &TestDb, of: SessionId) -> Standing {
    standings(db, &[of]).await.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_listed_and_signed_out() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let (user, restaurant) = (made.user_id, Some(made.restaurant_id));
    let named = |name: &str| NewSession {
        user_id: user,
        auth_version: made.auth_version,
        restaurant_id: restaurant,
        device_name: Some(name.to_owned()),
    };
    let long = format!(" Bar\u{7} {}", "x".repeat(200));
    let one = db.open(&named(&long)).await.unwrap().session_id;
    db.clock.advance(TimeDelta::minutes(1));
    let two = db.open(&named(" ")).await.unwrap().session_id;

    let listed = list(&db, user, two, None, None).await.unwrap().items;
    assert_eq!(
        listed.iter().map(|device| device.id).collect::<Vec<_>>(),
        [two, one]
    );
    assert_eq!(
        listed
            .iter()
            .map(|device| device.is_current)
            .collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!(listed[0].device_name, None);
    let name = listed[1].device_name.as_deref().unwrap();
    assert!(name.starts_with("Bar x") && name.len() < 100, "{name}");
    assert_eq!(listed[1].restaurant_id, restaurant);
    assert_eq!(listed[1].created_at, listed[1].last_used_at);
    assert_eq!(listed[0].created_at, db.clock.now());

    // Nobody else's, and each only once.
    let stranger = db.restaurant().await.user_id;
    assert_eq!(
        code(revoke_of_user(&db, stranger, one).await),
        ErrorCode::NotFound
    );
    revoke_of_user(&db, user, one).await.unwrap();
    assert_eq!(
        code(revoke_of_user(&db, user, one).await),
        ErrorCode::NotFound
    );
    assert_eq!(devices(&db, user).await, [two]);

    // Logging out twice is logging out.
    revoke(&db, two).await;
    revoke(&db, two).await;
    assert!(devices(&db, user).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_come_in_pages() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let restaurant = Some(made.restaurant_id);
    let mut all = Vec::new();
    for _ in 0..5 {
        all.insert(0, db.login(made.user_id, restaurant).await.session_id);
    }
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = list(&db, made.user_id, all[0], Some(2), cursor.as_deref())
            .await
            .unwrap();
        seen.extend(page.items.into_iter().map(|device| device.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, all);
    for (limit, cursor) in [(Some(0), None), (None, Some("nonsense"))] {
        let refused = list(&db, made.user_id, all[0], limit, cursor).await;
        assert_eq!(code(refused), ErrorCode::Invalid);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_verified_a_password_that_has_changed_does_not_get_in() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let new = NewSession {
        user_id: made.user_id,
        auth_version: made.auth_version,
        restaurant_id: Some(made.restaurant_id),
        device_name: None,
    };
    let device = db.open(&new).await.unwrap().session_id;
    let late = db
        .during_password_change(made.user_id, device, db.open(&new))
        .await;
    assert_eq!(code(late), ErrorCode::WrongCredentials);
    assert_eq!(code(db.open(&new).await), ErrorCode::WrongCredentials);
    assert_eq!(devices(&db, made.user_id).await, [device]);

    let unknown = NewSession {
        user_id: UserId(uuid::Uuid::now_v7()),
        ..new.clone()
    };
    assert_eq!(code(db.open(&unknown).await), ErrorCode::WrongCredentials);
    let nowhere = NewSession {
        auth_version: made.auth_version + 1,
        restaurant_id: Some(RestaurantId(uuid::Uuid::now_v7())),
        ..new
    };
    assert_eq!(code(db.open(&nowhere).await), ErrorCode::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_may_do_is_what_its_member_may() {
    let db = TestDb::new().await;
    let restaurant = db.restaurant().await.restaurant_id;
    let owner = scope(restaurant, Role::Owner, None);
    let user = db.member(restaurant, Role::Manager).await.id;
    let device = db.login(user, Some(restaurant)).await.session_id;
    let before = standing(&db, device).await;
    assert_eq!(
        before,
        Standing {
            session_id: device,
            user_id: user,
            restaurant_id: Some(restaurant),
            is_live: true,
            auth_version: 1,
            is_admin: false,
            role: Some(Role::Manager),
        }
    );
    assert_eq!(before.role_now(), Some(Role::Manager));

    let patch = |role: Option<Role>, is_active: Option<bool>| UpdateUser {
        role,
        is_active,
        ..UpdateUser::default()
    };
    let lowered = patch(Some(Role::Staff), None);
    db.update_user(&owner, user, &lowered, None).await.unwrap();
    assert_eq!(standing(&db, device).await.role, Some(Role::Staff));

    db.update_user(&owner, user, &patch(None, Some(false)), None)
        .await
        .unwrap();
    let inactive = standing(&db, device).await;
    assert_eq!(
        (inactive.role, inactive.is_live, inactive.role_now()),
        (None, true, None)
    );

    db.update_user(&owner, user, &patch(None, Some(true)), None)
        .await
        .unwrap();
    assert_eq!(standing(&db, device).await.role_now(), Some(Role::Staff));

    db.clock.advance(TTL);
    let expired = standing(&db, device).await;
    assert_eq!(
        (expired.role, expired.is_live, expired.role_now()),
        (Some(Role::Staff), false, None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_elsewhere_is_no_membership_here() {
    let db = TestDb::new().await;
    let (here, there) = (db.restaurant().await, db.restaurant().await);
    let lost = db
        .login(here.user_id, Some(there.restaurant_id))
        .await
        .session_id;
    let homeless = db.login(here.user_id, None).await.session_id;
    for device in [lost, homeless] {
        assert_eq!(standing(&db, device).await.role, None);
        assert!(!db.is_live(device).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_asked_about_at_once() {
    let db = TestDb::new().await;
    let mut asked = vec![SessionId(uuid::Uuid::now_v7())];
    assert!(
        standings(&db, &asked).await.is_empty(),
        "an unknown one is left out"
    );
    for _ in 0..3 {
        let made = db.restaurant().await;
        for _ in 0..3 {
            asked.push(
                db.login(made.user_id, Some(made.restaurant_id))
                    .await
                    .session_id,
            );
        }
    }
    revoke(&db, asked[1]).await;
    let found = standings(&db, &asked).await;
    assert_eq!(found.len(), 9);
    let dead: Vec<_> = found
        .iter()
        .filter(|one| !one.is_live)
        .map(|one| one.session_id)
        .collect();
    assert_eq!(dead, [asked[1]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_devices_are_forgotten_in_batches() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let login = async || {
        db.login(made.user_id, Some(made.restaurant_id))
            .await
            .session_id
    };
    for _ in 0..3 {
        login().await;
    }
    revoke(&db, login().await).await;
    db.clock.advance(TimeDelta::days(1));
    let young = login().await;
    let sweep = async |batch: i64| {
        db.db
            .transaction("sweep", async |conn, now| {
                sessions::sweep_expired(conn, now, batch).await
            })
            .await
            .unwrap()
    };
    assert_eq!(sweep(10).await, 0);
    db.clock.advance(TTL - TimeDelta::days(1));
    // Two workers at once do not get in each other's way.
    let (one, two) = tokio::join!(sweep(2), sweep(2));
    assert!(one + two >= 2);
    assert_eq!(one + two + sweep(10).await, 4);
    assert!(db.is_live(young).await);
}
