//! Nobody has all the places for sockets and streams.

use serde_json::Value;
use testkit::wait::{DEADLINE, until};

use crate::support::stream::Stream;
use crate::support::{Client, Restaurant, Socket, TestApp};

/// An open socket or stream.
#[expect(dead_code, reason = "they are held, and not read")]
enum Held {
    Socket(Box<Socket>),
    Stream(Box<Stream>),
}

/// Opens a socket with the client's token, as from an address of which a proxy tells.
async fn socket(client: &Client, path: &str, address: &str) -> Result<Held, (u16, Value)> {
    let bearer = client.token.as_ref().map(|token| format!("Bearer {token}"));
    let mut headers = vec![("x-forwarded-for", address)];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let socket = Socket::open_at(client, path, &headers).await?;
    Ok(Held::Socket(Box::new(socket)))
}

async fn stream(client: &Client, path: &str, address: &str) -> Result<Held, (u16, Value)> {
    let stream = Stream::open_at(client, path, &[("x-forwarded-for", address)]).await?;
    Ok(Held::Stream(Box::new(stream)))
}

fn is_full(refused: Result<Held, (u16, Value)>, whose: &str) {
    let (status, body) = refused.err().unwrap();
    assert_eq!(
        (status, body["code"].as_str()),
        (429, Some("too_many")),
        "{body}"
    );
    assert!(body["error"].as_str().unwrap().contains(whose), "{body}");
}

/// Waits until a place is free again.
async fn until_let_in(open: impl AsyncFn() -> Result<Held, (u16, Value)>) -> Held {
    until("a place", DEADLINE, async || open().await.ok()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_a_restaurant_and_an_address_have_a_share() {
    for transport in ["bare", "actix-ws"] {
        let vars = [
            ("SOCKET_TRANSPORT", transport),
            ("TRUSTED_PROXIES", "private"),
            ("SOCKETS_PER_ACCOUNT", "2"),
            ("SOCKETS_PER_RESTAURANT", "3"),
            ("SOCKETS_PER_ADDRESS", "4"),
        ];
        let app = TestApp::with(1, &vars).await;
        let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
        let staff = house.member(&app, "staff").await;
        let here = "192.0.2.1";
        let follow = |house: &Restaurant| format!("/realtime?restaurant_id={}", house.id);
        let events = |house: &Restaurant| format!("/realtime/events?restaurant_id={}", house.id);

        // Sockets and streams are counted together, under every mount.
        let first = socket(&house.owner, &follow(&house), here).await.unwrap();
        let second = stream(&house.owner, &format!("/api{}", events(&house)), here).await;
        let second = second.unwrap();
        is_full(
            socket(&house.owner, &follow(&house), here).await,
            "Your account",
        );
        is_full(
            stream(&house.owner, &events(&house), here).await,
            "Your account",
        );
        let third = socket(&staff, &follow(&house), here).await.unwrap();
        is_full(
            socket(&staff, &follow(&house), here).await,
            "The restaurant",
        );
        is_full(
            stream(&staff, &events(&house), here).await,
            "The restaurant",
        );
        let fourth = socket(&other.owner, &follow(&other), here).await.unwrap();
        is_full(
            stream(&other.owner, &events(&other), here).await,
            "Your address",
        );
        // Elsewhere there is room, and whoever only watches is counted by himself.
        let fifth = stream(&other.owner, &events(&other), "192.0.2.2")
            .await
            .unwrap();
        let watch = format!("/ws?restaurant_id={}", house.id);
        let guest = socket(&app.client(0), &watch, here).await.unwrap();

        // However it ended: a socket that closes, a stream that is dropped.
        drop(first);
        drop(until_let_in(async || stream(&house.owner, &events(&house), here).await).await);
        drop(second);
        drop(until_let_in(async || socket(&house.owner, &follow(&house), here).await).await);
        drop((third, fourth, fifth, guest));
        until("all places to be free", DEADLINE, async || {
            (app.worker(0).state.places.taken() == (0, 0)).then_some(())
        })
        .await;
        app.finish().await;
    }
}

/// However few places there are: half of them at most are one account's, or strangers'.
#[tokio::test(flavor = "multi_thread")]
async fn a_small_worker_has_room_for_others() {
    let vars = [("MAX_SESSIONS", "6"), ("TRUSTED_PROXIES", "private")];
    let app = TestApp::with(1, &vars).await;
    let (house, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let follow = format!("/realtime?restaurant_id={}", house.id);
    let watch = format!("/ws?restaurant_id={}", house.id);
    let mut held = Vec::new();
    for (client, path, address, whose) in [
        (house.owner.clone(), &follow, "192.0.2.1", "Your account"),
        (app.client(0), &watch, "192.0.2.2", "watching"),
    ] {
        for _ in 0..3 {
            held.push(socket(&client, path, address).await.unwrap());
        }
        if held.len() < 6 {
            is_full(socket(&client, path, address).await, whose);
        }
    }
    let follow = format!("/realtime?restaurant_id={}", other.id);
    let enter = async || socket(&other.owner, &follow, "192.0.2.3").await;
    is_full(enter().await, "This worker");
    held.truncate(3);
    // The strangers have gone, and the account still has its half.
    held.push(until_let_in(enter).await);
    drop(held);
    app.finish().await;
}
