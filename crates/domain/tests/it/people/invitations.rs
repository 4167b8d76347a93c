//! Invitations: nobody becomes a member without having accepted, nor without being confirmed.

use chrono::TimeDelta;
use domain::db::Scope;
use domain::people::invitations;
use domain::people::invitations::Made;
use domain::{Result, audit};
use serde_json::json;
use wire::Role;
use wire::audit::AuditFilter;
use wire::people::invitations::{AcceptInvitation, Invitation, InvitationStatus as S, Invite};
use wire::{ErrorCode, InvitationId};

use crate::support::{HASH, TestDb, code, fields, scope};

async fn get(db: &TestDb, by: &Scope, id: InvitationId) -> Invitation {
    let now = db.clock.now();
    db.db
        .read("get", async |conn| {
            invitations::get(conn, now, by.restaurant_id, id).await
        })
        .await
        .unwrap()
}

async fn look(db: &TestDb, secret: &str) -> Result<S> {
    let now = db.clock.now();
    db.db
        .read("look", async |conn| {
            Ok(invitations::look(conn, now, secret).await?.status)
        })
        .await
}

async fn withdraw(db: &TestDb, by: &Scope, id: InvitationId) -> Result<()> {
    let done = db.db.write("withdraw", by, async |tx| {
        invitations::withdraw(tx, id).await
    });
    done.await.map(drop)
}

async fn members(db: &TestDb, by: &Scope) -> usize {
    let id = by.restaurant_id;
    db.sql(&format!(
        "SELECT FROM memberships WHERE restaurant_id = '{id}'"
    ))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn invited_accepted_and_confirmed() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let owner = scope(made.restaurant_id, Role::Owner, Some(made.user_id));
    let input = Invite {
        role: Some(Role::Manager),
        email: Some(" note@example.com ".to_owned()),
        first_name: Some("Sam".to_owned()),
        last_name: Some(" ".to_owned()),
        password: None,
    };
    let invited = db.db.write("invite", &owner, async |tx| {
        invitations::create(tx, &input).await
    });
    let Made { invitation, secret } = invited.await.unwrap().value;
    assert_eq!(invitation.email.as_deref(), Some("note@example.com"));
    assert_eq!(
        (invitation.role, invitation.status),
        (Role::Manager, S::Open)
    );
    assert_eq!(invitation.last_name, None);
    assert_eq!(
        invitation.expires_at - invitation.created_at,
        TimeDelta::days(7)
    );
    assert_eq!(get(&db, &owner, invitation.id).await, invitation);
    let refused = db.confirm(&owner, invitation.id, None).await;
    assert_eq!(code(refused), ErrorCode::Conflict);

    // The address is whoever accepts' own.
    let user = db.accept(&secret, "sam@example.com").await.unwrap();
    assert_eq!(look(&db, &secret).await.unwrap(), S::Accepted);
    let accepted = get(&db, &owner, invitation.id).await;
    let by = accepted.accepted_by.unwrap();
    assert_eq!((by.user_id, by.email.as_str()), (user, "sam@example.com"));
    assert_eq!(
        (by.first_name.as_str(), members(&db, &owner).await),
        ("Sam", 1)
    );
    assert_eq!(db.events(made.restaurant_id).await.len(), 0);

    // Nobody else is confirmed in its place.
    let refused = db.confirm(&owner, invitation.id, Some(made.user_id)).await;
    assert_eq!(code(refused), ErrorCode::Conflict);
    for _ in 0..2 {
        let confirmed = db.confirm(&owner, invitation.id, Some(user)).await.unwrap();
        assert_eq!(confirmed.status, S::Confirmed);
    }
    assert_eq!(members(&db, &owner).await, 2);
    let events = db.events(made.restaurant_id).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["action"], &events[0]["data"]["role"]),
        (&json!("created"), &json!("manager"))
    );
    assert_eq!(
        code(withdraw(&db, &owner, invitation.id).await),
        ErrorCode::Conflict
    );

    // The audit tells all of it, and not the secret.
    let filter = AuditFilter {
        id: Some(invitation.id.0),
        ..AuditFilter::default()
    };
    let entries = db
        .db
        .read("audit", async |conn| {
            audit::list(conn, made.restaurant_id, &filter).await
        })
        .await
        .unwrap()
        .items;
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry.action.as_str(), entry.actor_id))
        .collect();
    assert_eq!(
        told,
        [
            ("confirmed", Some(made.user_id)),
            ("accepted", Some(user)),
            ("created", Some(made.user_id)),
        ]
    );
    assert_eq!(
        entries[1].after,
        Some(json!({"status": "accepted", "acceptedBy": user}))
    );
    let text = serde_json::to_string(&entries).unwrap();
    assert!(text.contains("note@example.com") && !text.contains(&secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_good_is_all_the_same() {
    let db = TestDb::new().await;
    let (one, two) = (db.restaurant().await, db.restaurant().await);
    let owner = scope(one.restaurant_id, Role::Owner, None);
    let other = scope(two.restaurant_id, Role::Owner, None);
    let withdrawn = db.invite(&owner, Role::Staff).await.unwrap();
    withdraw(&db, &owner, withdrawn.invitation.id)
        .await
        .unwrap();
    withdraw(&db, &owner, withdrawn.invitation.id)
        .await
        .unwrap();
    let expired = db.invite(&owner, Role::Staff).await.unwrap();
    db.clock.advance(TimeDelta::days(7));
    let good = db.invite(&owner, Role::Staff).await.unwrap();
    // The place of one and the random part of another.
    let (place, random) = (&good.secret[..43], &expired.secret[43..]);
    let mixed = format!("{place}{random}");
    for secret in ["", "x", &mixed, &withdrawn.secret, &expired.secret] {
        let refusals = [
            look(&db, secret).await.map(drop),
            db.accept_as(secret, two.user_id).await.map(drop),
            db.accept(secret, "new@example.com").await.map(drop),
        ];
        for refused in refusals {
            assert_eq!(crate::house::missing(refused), "invitation", "{secret}");
        }
    }
    for id in [withdrawn.invitation.id, expired.invitation.id] {
        let refused = db.confirm(&owner, id, None).await;
        assert_eq!(code(refused), ErrorCode::Conflict);
    }
    // Another restaurant has no say.
    for refused in [
        db.confirm(&other, good.invitation.id, None).await.map(drop),
        withdraw(&db, &other, good.invitation.id).await,
    ] {
        assert_eq!(code(refused), ErrorCode::NotFound);
    }
    assert_eq!(look(&db, &good.secret).await.unwrap(), S::Open);
    assert_eq!(db.sql("SELECT FROM users").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_accepts_and_only_one() {
    let db = TestDb::new().await;
    let (one, two) = (db.restaurant().await, db.restaurant().await);
    let owner = scope(one.restaurant_id, Role::Owner, Some(one.user_id));
    let made = db.invite(&owner, Role::Staff).await.unwrap();
    let (mine, theirs) = tokio::join!(
        db.accept_as(&made.secret, two.user_id),
        db.accept(&made.secret, "new@example.com")
    );
    assert!(mine.is_ok() != theirs.is_ok(), "{mine:?} {theirs:?}");
    let late = mine.map(drop).and(theirs.map(drop));
    assert_eq!(code(late), ErrorCode::Conflict);
    let accepted = get(&db, &owner, made.invitation.id).await;
    let user = accepted.accepted_by.unwrap().user_id;
    // Again, and nothing happens.
    db.clock.advance(TimeDelta::days(1));
    let again = db.accept_as(&made.secret, user).await.unwrap();
    assert_eq!(
        (again.status, again.expires_at),
        (S::Accepted, accepted.expires_at)
    );
    // A member has nothing to accept, and one of elsewhere is no member.
    let made = db.invite(&owner, Role::Staff).await.unwrap();
    let refused = db.accept_as(&made.secret, one.user_id).await;
    assert_eq!(code(refused), ErrorCode::AlreadyMember);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_has_an_account_is_nobody_elses() {
    let db = TestDb::new().await;
    let (one, two) = (db.restaurant().await, db.restaurant().await);
    let owner = scope(one.restaurant_id, Role::Owner, None);
    let made = db.invite(&owner, Role::Manager).await.unwrap();
    let email = db
        .join(&owner, "Known@example.com", Role::Staff)
        .await
        .unwrap()
        .email;
    let mut input = AcceptInvitation {
        secret: made.secret.clone(),
        email: Some(email.to_lowercase()),
        password: Some("long enough".to_owned()),
        first_name: String::new(),
        last_name: String::new(),
    };
    let register = async |input: &AcceptInvitation| {
        let scope = invitations::scope_of(&made.secret, None, None)?;
        let done = db.db.write("register", &scope, async |tx| {
            invitations::register(tx, input, HASH).await
        });
        done.await.map(drop)
    };
    assert_eq!(code(register(&input).await), ErrorCode::EmailTaken);
    input.email = None;
    input.password = Some("short".to_owned());
    input.last_name = "\u{7}".to_owned();
    assert_eq!(
        fields(register(&input).await),
        ["email", "password", "lastName"]
    );
    assert_eq!(look(&db, &made.secret).await.unwrap(), S::Open);
    assert_eq!(two.auth_version, 1);
}

/// Whoever comes to have an account by setting its password does not get in by what the one before
/// accepted.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_given_another_password_accepts_again() {
    let db = TestDb::new().await;
    let (boss, house) = (db.restaurant().await, db.restaurant().await);
    let (boss, owner) = (
        scope(boss.restaurant_id, Role::Owner, None),
        scope(house.restaurant_id, Role::Owner, None),
    );
    let user = db.member(boss.restaurant_id, Role::Staff).await.id;
    let made = db.invite(&owner, Role::Manager).await.unwrap();
    db.accept_as(&made.secret, user).await.unwrap();
    let link = db.reset_link(&boss, user).await.unwrap();
    db.reset(&link).await.unwrap();
    let refused = db.confirm(&owner, made.invitation.id, Some(user)).await;
    assert_eq!(code(refused), ErrorCode::Conflict);
    db.accept_as(&made.secret, user).await.unwrap();
    db.confirm(&owner, made.invitation.id, Some(user))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_to_its_end_is_forgotten() {
    let db = TestDb::new().await;
    let owner = scope(db.restaurant().await.restaurant_id, Role::Owner, None);
    db.invite(&owner, Role::Staff).await.unwrap();
    db.clock.advance(TimeDelta::days(10));
    db.invite(&owner, Role::Staff).await.unwrap();
    let list = async || {
        let now = db.clock.now();
        let page = db.db.read("list", async |conn| {
            invitations::list(conn, now, owner.restaurant_id, None, None).await
        });
        page.await.unwrap().items
    };
    let statuses: Vec<_> = list().await.into_iter().map(|one| one.status).collect();
    assert_eq!(statuses, [S::Open, S::Expired]);
    db.clock.advance(TimeDelta::days(4));
    let swept = db.db.transaction("sweep", async |conn, now| {
        invitations::sweep_expired(conn, now, 10).await
    });
    assert_eq!(swept.await.unwrap(), 1);
    assert_eq!(list().await.len(), 1);
}
