//! Refresh tokens: traded once, with a minute of grace, and never twice.

use chrono::TimeDelta;
use domain::people::sessions;
use domain::people::sessions::{GRACE, Refreshed, Rotated};
use futures_util::future::join_all;
use wire::Role;
use wire::people::users::UpdateUser;

use crate::support::{TTL, TestDb, scope};

async fn refresh(db: &TestDb, token: &str) -> Refreshed {
    db.db
        .transaction("refresh", async |conn, now| {
            sessions::refresh(conn, now, token, TTL).await
        })
        .await
        .unwrap()
}

/// Trades a token that is good.
#[track_caller]
fn rotated(outcome: Refreshed) -> Rotated {
    match outcome {
        Refreshed::Rotated(rotated) => rotated,
        other => panic!("{other:?}"),
    }
}

async fn next(db: &TestDb, token: &str) -> String {
    rotated(refresh(db, token).await).refresh_token
}

async fn logged_in(db: &TestDb) -> (wire::SessionId, String) {
    let made = db.restaurant().await;
    let opened = db.login(made.user_id, Some(made.restaurant_id)).await;
    (opened.session_id, opened.refresh_token)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_is_traded_for_the_next() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let opened = db.login(made.user_id, Some(made.restaurant_id)).await;
    let mut seen = vec![opened.refresh_token];
    for _ in 0..5 {
        db.clock.advance(TimeDelta::minutes(15));
        let rotated = rotated(refresh(&db, seen.last().unwrap()).await);
        assert_eq!(rotated.session_id, opened.session_id);
        assert_eq!(rotated.user_id, made.user_id);
        assert_eq!(rotated.restaurant_id, Some(made.restaurant_id));
        assert_eq!(rotated.auth_version, made.auth_version);
        assert!(!seen.contains(&rotated.refresh_token));
        seen.push(rotated.refresh_token);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_token_is_stored() {
    let db = TestDb::new().await;
    let (_, token) = logged_in(&db).await;
    let token = next(&db, &token).await;
    let bytes = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, &token).unwrap();
    for secret in bytes[16..].chunks(16) {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let found = db
            .sql(&format!(
                "SELECT FROM device_sessions AS row WHERE row::text LIKE '%{hex}%'"
            ))
            .await;
        assert_eq!(found, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_is_asked_for_again() {
    let db = TestDb::new().await;
    let (device, token) = logged_in(&db).await;
    let successor = next(&db, &token).await;
    // The tablet never saw it. However often it asks, it gets what it missed.
    for seconds in [0, 20, 40] {
        db.clock.advance(TimeDelta::seconds(seconds));
        assert_eq!(next(&db, &token).await, successor);
    }
    let third = next(&db, &successor).await;
    assert!(db.is_live(device).await);
    next(&db, &third).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grace_ends_with_the_minute() {
    let db = TestDb::new().await;
    let (device, token) = logged_in(&db).await;
    let successor = next(&db, &token).await;
    db.clock.advance(GRACE);
    assert_eq!(
        next(&db, &token).await,
        successor,
        "asking does not prolong it"
    );
    db.clock.advance(TimeDelta::microseconds(1));
    assert!(matches!(refresh(&db, &token).await, Refreshed::Reused(_)));
    assert!(!db.is_live(device).await);
    assert!(matches!(refresh(&db, &successor).await, Refreshed::Refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn grace_ends_with_the_successor() {
    let db = TestDb::new().await;
    let (device, first) = logged_in(&db).await;
    let second = next(&db, &first).await;
    let third = next(&db, &second).await;
    assert!(matches!(refresh(&db, &first).await, Refreshed::Reused(_)));
    assert!(!db.is_live(device).await);
    for token in [&first, &second, &third] {
        assert!(matches!(refresh(&db, token).await, Refreshed::Refused));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reuse_costs_one_device_only() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let one = db.login(made.user_id, Some(made.restaurant_id)).await;
    let two = db.login(made.user_id, Some(made.restaurant_id)).await;
    let second = next(&db, &one.refresh_token).await;
    next(&db, &second).await;
    assert!(matches!(
        refresh(&db, &one.refresh_token).await,
        Refreshed::Reused(_)
    ));
    assert!(!db.is_live(one.session_id).await);
    assert!(db.is_live(two.session_id).await);
    next(&db, &two.refresh_token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_device_that_asks_many_times_at_once_stays_logged_in() {
    let db = TestDb::new().await;
    let (device, mut token) = logged_in(&db).await;
    for _ in 0..3 {
        let replies = join_all((0..8).map(|_| refresh(&db, &token))).await;
        let mut tokens: Vec<String> = replies
            .into_iter()
            .map(|reply| rotated(reply).refresh_token)
            .collect();
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "it does not matter which reply is kept");
        token = tokens.remove(0);
        db.clock.advance(TimeDelta::minutes(15));
    }
    assert!(db.is_live(device).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_windows_go_on_together() {
    let db = TestDb::new().await;
    let (device, token) = logged_in(&db).await;
    let (mut one, mut two) = (token.clone(), token);
    for _ in 0..4 {
        one = next(&db, &one).await;
        db.clock.advance(TimeDelta::seconds(5));
        two = next(&db, &two).await;
        assert_eq!(one, two);
        db.clock.advance(TimeDelta::minutes(15));
    }
    assert!(db.is_live(device).await);
}

/// Whichever of them comes first.
#[tokio::test(flavor = "multi_thread")]
async fn a_thief_in_the_minute_of_grace_is_found_out() {
    let db = TestDb::new().await;
    for device_is_first in [true, false] {
        let (device, stolen) = logged_in(&db).await;
        let thief = next(&db, &stolen).await;
        let owner = next(&db, &stolen).await;
        db.clock.advance(TimeDelta::minutes(10));
        let (first, second) = if device_is_first {
            (owner, thief)
        } else {
            (thief, owner)
        };
        next(&db, &first).await;
        db.clock.advance(TimeDelta::minutes(5));
        assert!(matches!(refresh(&db, &second).await, Refreshed::Reused(_)));
        assert!(!db.is_live(device).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invented_token_logs_nobody_out() {
    let db = TestDb::new().await;
    let (device, token) = logged_in(&db).await;
    let engine = base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let bytes = base64::Engine::decode(&engine, &token).unwrap();
    let forged = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        base64::Engine::encode(&engine, bytes)
    };
    let unknown = forged(0);
    let other_family = forged(16);
    for token in [unknown.as_str(), &other_family, "", "garbage", &token[1..]] {
        assert!(
            matches!(refresh(&db, token).await, Refreshed::Refused),
            "{token}"
        );
        assert!(db.is_live(device).await);
    }
    // The family is right, so whoever made this has held a token of it.
    assert!(matches!(
        refresh(&db, &forged(63)).await,
        Refreshed::Reused(_)
    ));
    assert!(!db.is_live(device).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_used_does_not_expire() {
    let db = TestDb::new().await;
    let (device, token) = logged_in(&db).await;
    db.clock.advance(TTL - TimeDelta::minutes(1));
    let token = next(&db, &token).await;
    db.clock.advance(TTL - TimeDelta::microseconds(1));
    let token = next(&db, &token).await;
    db.clock.advance(TTL);
    assert!(!db.is_live(device).await);
    assert!(matches!(refresh(&db, &token).await, Refreshed::Refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_may_not_enter_gets_no_token() {
    let db = TestDb::new().await;
    let restaurant = db.restaurant().await.restaurant_id;
    let user = db.member(restaurant, Role::Staff).await.id;
    let token = db.login(user, Some(restaurant)).await.refresh_token;
    let owner = scope(restaurant, Role::Owner, None);
    let active = |is_active: bool| UpdateUser {
        is_active: Some(is_active),
        ..UpdateUser::default()
    };
    db.update_user(&owner, user, &active(false), None)
        .await
        .unwrap();
    assert!(matches!(refresh(&db, &token).await, Refreshed::Refused));
    // Being refused cost the token nothing.
    db.update_user(&owner, user, &active(true), None)
        .await
        .unwrap();
    let token = next(&db, &token).await;
    db.delete_user(&owner, user, None).await.unwrap();
    assert!(matches!(refresh(&db, &token).await, Refreshed::Refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_rolled_back_has_not_happened() {
    let db = TestDb::new().await;
    let (_, token) = logged_in(&db).await;
    let failed = db
        .db
        .transaction("refresh", async |conn, now| {
            rotated(sessions::refresh(conn, now, &token, TTL).await?);
            Err::<(), _>(domain::Error::Internal(
                "the reply could not be made".to_owned(),
            ))
        })
        .await;
    failed.unwrap_err();
    let token = next(&db, &token).await;
    next(&db, &token).await;
}
