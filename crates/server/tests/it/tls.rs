//! Workers whose database and Redis are behind certificates, and what `check-config` says of them.

use testkit::authority::Authority;
use testkit::database::Template;
use testkit::postgres::PostgresServer;
use testkit::redis::RedisServer;
use testkit::wait::{DEADLINE, until};

use crate::support::app::{check_config, connect};
use crate::support::{Restaurant, TestApp, guest};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_with_everything_encrypted() {
    let authority = Authority::new();
    let ca = authority.file();
    let identity = authority.identity(&["localhost"]);
    let server = PostgresServer::with_tls(&identity).await;
    let (redis, address) = RedisServer::with_tls(&identity, &[]).await;
    let verified = |url: &str| {
        let url = url.replace("127.0.0.1", "localhost");
        format!("{url}?sslmode=verify-full&sslrootcert={ca}")
    };
    let template = Template::prepare(&server.url("postgres"), "tls", async |url| {
        domain::migrations::run(&verified(&url)).await.unwrap();
    })
    .await;
    let redis_url = format!("rediss://localhost:{}", address.port());
    // By Redis, and the second time by the database alone.
    for bus in ["redis", "postgres"] {
        let database = template.create().await;
        let url = verified(&database.url);
        let vars = [
            ("DATABASE_URL", url.as_str()),
            ("REDIS_URL", &redis_url),
            ("REDIS_TLS_CA", &ca),
            ("RATE_LIMITS", "on"),
            ("BUS", bus),
        ];
        let app = TestApp::on(database, 2, &vars).await;
        let house = Restaurant::new(&app).await;
        let second = house.owner.at(&app.client(1));
        until("the bus to be up", DEADLINE, async || {
            let health = second.get("/health").await.expect(200);
            (health["bus"]["status"] == "up").then_some(())
        })
        .await;
        let mut tablets = [house.socket(&app, 0).await, house.socket(&app, 1).await];
        for (client, name) in [(&house.owner, "John Doe"), (&second, "Jane Doe")] {
            let path = house.path("/guests");
            client.post(&path, guest(name, 4)).await.expect(201);
            for tablet in &mut tablets {
                assert_eq!(tablet.frame().await["data"]["guestName"], name);
            }
        }
        let page = second.get("/metrics").await.text;
        let heard = page.lines().find_map(|line| {
            let count = line.strip_prefix("qtable_bus_received_total ")?;
            count.parse::<u64>().ok()
        });
        assert!(heard > Some(0), "nothing came by the bus");
        // Only this test itself looks without TLS.
        let sql = connect(app.database_url()).await;
        let plain = "SELECT count(*) FILTER (WHERE NOT ssl), count(*) FILTER (WHERE ssl) \
            FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let row = sql.query_one(plain, &[]).await.unwrap();
        let (plain, encrypted): (i64, i64) = (row.get(0), row.get(1));
        assert!(plain == 0 && encrypted >= 2, "{plain} and {encrypted}");
        app.finish().await;
    }
    // The counts of the rate limits went there, too.
    let stats = redis.tell("INFO commandstats").await;
    assert!(stats.contains("cmdstat_eval"), "{stats}");
}

fn checked(database: &str, redis: &str, ca: &str) -> (bool, String) {
    check_config(&[
        ("DATABASE_URL", database),
        ("REDIS_URL", redis),
        ("REDIS_TLS_CA", ca),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_config_says_what_is_wrong_with_a_certificate() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (ca, other_ca) = (ours.file(), theirs.file());
    let identity = ours.identity(&["localhost"]);
    let server = PostgresServer::with_tls(&identity).await;
    let (redis, address) = RedisServer::with_tls(&identity, &[]).await;
    let port = address.port();
    let (named, unnamed) = (
        format!("rediss://localhost:{port}"),
        format!("rediss://127.0.0.1:{port}"),
    );
    let database = |host: &str, ca: &str| {
        let url = server.url("postgres").replace("127.0.0.1", host);
        format!("{url}?sslmode=verify-full&sslrootcert={ca}")
    };
    let good = database("localhost", &ca);

    let (is_good, said) = checked(&good, &named, &ca);
    assert!(is_good, "{said}");
    for words in [
        &format!("encrypted, verified by {ca}, with its name"),
        "TLSv1.3",
        "Redis, TLS",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let (is_good, said) = checked(&good, &format!("{named}/#insecure"), "");
    assert!(
        is_good && said.contains("! REDIS_URL says #insecure"),
        "{said}"
    );

    let plain = format!("rediss://localhost:{}", redis.addr().port());
    let wants_tls = format!("redis://localhost:{port}");
    for (database, redis, ca, words) in [
        (
            database("localhost", &other_ca),
            &named,
            ca.as_str(),
            "of no authority",
        ),
        (database("127.0.0.1", &ca), &named, &ca, "another host name"),
        (good.clone(), &named, &other_ca, "of no authority"),
        (good.clone(), &named, "", "of no authority"),
        (good.clone(), &unnamed, &ca, "another host name"),
        (good.clone(), &plain, &ca, "no TLS at this port"),
        (good.clone(), &wants_tls, "", "wants TLS at this port"),
    ] {
        let (is_good, said) = checked(&database, redis, ca);
        assert!(!is_good && said.contains(words), "{words} in {said}");
    }
}
