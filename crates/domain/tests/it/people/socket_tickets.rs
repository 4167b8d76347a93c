//! Tickets for sockets and streams.

use chrono::TimeDelta;
use domain::people::socket_tickets;
use domain::people::socket_tickets::{LIFETIME, Redeemed};
use futures_util::future::join_all;
use wire::SessionId;

use crate::support::TestDb;

const ACCESS: TimeDelta = TimeDelta::minutes(15);

async fn device(db: &TestDb) -> SessionId {
    let made = db.restaurant().await;
    db.login(made.user_id, Some(made.restaurant_id))
        .await
        .session_id
}

async fn issue(db: &TestDb, device: SessionId, lasts: TimeDelta) -> String {
    db.db
        .transaction("issue", async |conn, now| {
            socket_tickets::issue(conn, now, device, now + lasts).await
        })
        .await
        .unwrap()
}

async fn redeem(db: &TestDb, ticket: &str) -> Option<Redeemed> {
    db.db
        .transaction("redeem", async |conn, now| {
            socket_tickets::redeem(conn, now, ticket).await
        })
        .await
        .unwrap()
}

async fn present(db: &TestDb, ticket: &str) -> Option<Redeemed> {
    let now = db.clock.now();
    db.db
        .read("present", async |conn| {
            socket_tickets::present(conn, now, ticket).await
        })
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_socket() {
    let db = TestDb::new().await;
    let device = device(&db).await;
    let good = Redeemed {
        session_id: device,
        credential_expires_at: db.clock.now() + ACCESS,
    };
    let (one, two) = (
        issue(&db, device, ACCESS).await,
        issue(&db, device, ACCESS).await,
    );
    assert_ne!(one, two);
    assert_eq!(redeem(&db, &one).await, Some(good));
    assert_eq!(redeem(&db, &one).await, None);
    assert_eq!(present(&db, &one).await, None);
    let at_once = join_all((0..8).map(|_| redeem(&db, &two))).await;
    assert_eq!(at_once.into_iter().flatten().collect::<Vec<_>>(), [good]);
}

#[tokio::test(flavor = "multi_thread")]
async fn for_half_a_minute() {
    let db = TestDb::new().await;
    let device = device(&db).await;
    let (one, two) = (
        issue(&db, device, ACCESS).await,
        issue(&db, device, ACCESS).await,
    );
    db.clock.advance(LIFETIME - TimeDelta::microseconds(1));
    assert!(redeem(&db, &one).await.is_some());
    db.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(redeem(&db, &two).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn never_longer_than_the_token_it_was_bought_with() {
    let db = TestDb::new().await;
    let device = device(&db).await;
    let ticket = issue(&db, device, TimeDelta::seconds(10)).await;
    db.clock.advance(TimeDelta::seconds(10));
    assert_eq!(present(&db, &ticket).await, None);
    assert_eq!(redeem(&db, &ticket).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_comes_back_with_it_until_the_token_ends() {
    let db = TestDb::new().await;
    let device = device(&db).await;
    let ticket = issue(&db, device, ACCESS).await;
    for _ in 0..3 {
        let redeemed = present(&db, &ticket).await.unwrap();
        assert_eq!(redeemed.session_id, device);
        db.clock.advance(TimeDelta::minutes(4));
    }
    assert_eq!(redeem(&db, &ticket).await, None, "too late for a socket");
    db.clock.advance(TimeDelta::minutes(3));
    assert_eq!(present(&db, &ticket).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_a_ticket() {
    let db = TestDb::new().await;
    let ticket = issue(&db, device(&db).await, ACCESS).await;
    let other = format!("{}A", &ticket[..ticket.len() - 1]);
    for garbage in [
        "",
        "x",
        "not base64!",
        &ticket[1..],
        &other,
        "\0",
        &format!("{ticket}AAAA"),
    ] {
        if garbage != ticket {
            assert_eq!(redeem(&db, garbage).await, None, "{garbage}");
            assert_eq!(present(&db, garbage).await, None, "{garbage}");
        }
    }
    assert!(redeem(&db, &ticket).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn old_ones_are_swept() {
    let db = TestDb::new().await;
    let device = device(&db).await;
    for _ in 0..3 {
        issue(&db, device, TimeDelta::minutes(1)).await;
    }
    db.clock.advance(TimeDelta::minutes(1));
    let kept = issue(&db, device, ACCESS).await;
    let sweep = async |batch: i64| {
        db.db
            .transaction("sweep", async |conn, now| {
                socket_tickets::sweep_expired(conn, now, batch).await
            })
            .await
            .unwrap()
    };
    assert_eq!([sweep(2).await, sweep(2).await, sweep(2).await], [2, 1, 0]);
    assert!(redeem(&db, &kept).await.is_some());
}
