//! Several workers without Redis: the database's notifications are the bus.

use serde_json::json;
use testkit::wait::{DEADLINE, until};

use crate::support::app::connect;
use crate::support::{Client, Restaurant, TestApp, guest};

async fn until_the_bus_is(client: &Client, status: &str) {
    until("the bus to change", DEADLINE, async || {
        let health = client.get("/health").await.expect(200);
        (health["bus"]["status"] == status).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_on_the_database_alone() {
    let app = TestApp::with(2, &[("REDIS_URL", ""), ("BUS", "postgres")]).await;
    let house = Restaurant::new(&app).await;
    let clients = [house.owner.clone(), house.owner.at(&app.client(1))];
    for client in &clients {
        until_the_bus_is(client, "up").await;
    }
    let health = clients[0].get("/health").await.expect(200);
    assert_eq!(
        (
            &health["status"],
            &health["redis"]["status"],
            &health["bus"]["kind"]
        ),
        (&json!("healthy"), &json!("off"), &json!("postgres"))
    );
    let mut tablets = [house.socket(&app, 0).await, house.socket(&app, 1).await];
    let write = async |n: usize| {
        let body = guest(&format!("Party {n}"), 2);
        let path = house.path("/guests");
        clients[n % 2].post(&path, body).await.expect(201);
    };
    let mut expected = Vec::new();
    for n in 0..20 {
        write(n).await;
        expected.push(format!("Party {n}"));
    }
    for tablet in &mut tablets {
        for name in &expected {
            assert_eq!(tablet.frame().await["data"]["guestName"], *name);
        }
    }
    for (n, client) in clients.iter().enumerate() {
        let page = client.get("/metrics").await.text;
        let received = page.lines().find_map(|line| {
            let count = line.strip_prefix("qtable_bus_received_total ")?;
            count.parse::<u64>().ok()
        });
        assert!(received > Some(0), "nothing came by the bus to worker {n}");
    }

    // The bus's own connections are ended; what is written meanwhile arrives all the same.
    let sql = connect(app.database_url()).await;
    let ended = sql
        .query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'qtable bus'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(ended.len(), 4, "one listens and one speaks, on each worker");
    for n in 20..24 {
        write(n).await;
        for tablet in &mut tablets {
            let name = format!("Party {n}");
            assert_eq!(tablet.frame().await["data"]["guestName"], *name);
        }
    }
    for client in &clients {
        until_the_bus_is(client, "up").await;
    }
    app.finish().await;
}
