//! Reads that a replica answers, and what is never read from it.
//!
//! One story on one pair of servers, because they take seconds to make.

use reqwest::Method;
use serde_json::Value;
use testkit::authority::Authority;
use testkit::database::Template;
use testkit::postgres::PostgresServer;
use testkit::wait::{DEADLINE, until};
use uuid::Uuid;

use crate::support::app::{check_config, connect};
use crate::support::{Client, Reply, Restaurant, TestApp, guest};

/// Two workers, a primary and its replica, which they reach by TLS.
struct House {
    app: TestApp,
    restaurant: Restaurant,
    replica: PostgresServer,
    /// As the workers have it.
    replica_url: String,
    database: String,
    // Last: the others end first.
    primary: PostgresServer,
    _authority: Authority,
}

impl House {
    async fn open() -> Self {
        let authority = Authority::new();
        let primary = PostgresServer::with_tls(&authority.identity(&["localhost"])).await;
        let key = domain::migrations::fingerprint();
        let admin = primary.url("postgres");
        let template = Template::prepare(&admin, key, async |url| {
            domain::migrations::run(&url).await.unwrap();
        });
        let database = template.await.create().await;
        let name = database.name.clone();
        let replica = primary.replica().await;
        let replica_url = format!(
            "{}?sslmode=verify-full&sslrootcert={}",
            replica.url(&name).replace("127.0.0.1", "localhost"),
            authority.file()
        );
        let vars = [
            ("DATABASE_REPLICA_URL", replica_url.as_str()),
            ("DATABASE_REPLICA_POOL_SIZE", "4"),
            // No lag of a busy machine is to be mistaken for the ones that are made here.
            ("DATABASE_REPLICA_MAX_LAG_SECONDS", "60"),
        ];
        let app = TestApp::on(database, 2, &vars).await;
        let restaurant = Restaurant::new(&app).await;
        Self {
            app,
            restaurant,
            replica,
            replica_url,
            database: name,
            primary,
            _authority: authority,
        }
    }

    /// What an operator is told of the two servers.
    fn checked(&self) -> (bool, String) {
        check_config(&[
            ("DATABASE_URL", &self.primary.url(&self.database)),
            ("DATABASE_REPLICA_URL", &self.replica_url),
        ])
    }

    /// The owner at a worker.
    fn owner(&self, worker: usize) -> Client {
        self.restaurant.at(&self.app.client(worker))
    }

    async fn guests(&self, worker: usize, headers: &[(&str, &str)]) -> Reply {
        let path = self.restaurant.path("/guests");
        self.owner(worker)
            .send(Method::GET, &path, None, headers)
            .await
    }

    /// Who answered the one read that `reading` makes at a worker, and what.
    async fn by<T>(&self, worker: usize, reading: impl AsyncFn() -> T) -> (&'static str, T) {
        let before = counts(&self.app.client(worker)).await;
        let value = reading().await;
        let after = counts(&self.app.client(worker)).await;
        let mut moved = WHO.into_iter().zip(before.into_iter().zip(after));
        let who = moved.find(|(_, (before, after))| before < after);
        (who.expect("a read is counted").0, value)
    }

    /// Waits until a worker reads from the replica, or does so no more.
    async fn health(&self, worker: usize, status: &str, message: Option<&str>) {
        let client = self.app.client(worker);
        until("the replica to stand otherwise", DEADLINE, async || {
            let health = client.get("/health").await.expect(200);
            assert_eq!(health["status"], "healthy", "{health}");
            let replica = &health["replica"];
            (replica["status"] == status && replica["message"].as_str() == message).then_some(())
        })
        .await;
    }

    /// Waits until the replica shows what the primary has.
    async fn caught_up(&self) {
        let written = "SELECT pg_current_wal_lsn()::text";
        let row = self
            .primary
            .connect()
            .await
            .query_one(written, &[])
            .await
            .unwrap();
        let sql = self.replica.connect().await;
        let shown = format!(
            "SELECT pg_last_wal_replay_lsn() >= '{}'::pg_lsn",
            row.get::<_, &str>(0)
        );
        until("the replica to catch up", DEADLINE, async || {
            let row = sql.query_one(&shown, &[]).await.unwrap();
            row.get::<_, bool>(0).then_some(())
        })
        .await;
    }
}

const WHO: [&str; 4] = ["replica", "primary", "primary_behind", "primary_away"];

async fn counts(client: &Client) -> [f64; 4] {
    let mut counts = [0.0; 4];
    for (count, who) in counts.iter_mut().zip(WHO) {
        let name = format!("qtable_near_reads_total{{by=\"{who}\"}}");
        *count = client.metric(&name).await;
    }
    counts
}

fn names(list: Value) -> Vec<String> {
    let name = |guest: &Value| guest["guestName"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_what_may_be_old_and_nothing_else() {
    let mut house = House::open().await;
    for worker in [0, 1] {
        house.health(worker, "up", None).await;
    }
    everything_near_is_read_from_it(&house).await;
    nobody_sees_time_go_backwards(&house).await;
    what_was_heard_is_not_taken_back(&house).await;
    one_that_is_away_is_not_missed(&mut house).await;
    one_that_was_promoted_is_not_believed(&house).await;
    let House {
        app,
        restaurant,
        replica,
        primary,
        ..
    } = house;
    drop(restaurant);
    app.finish().await;
    drop((replica, primary));
}

async fn everything_near_is_read_from_it(house: &House) {
    house.restaurant.guest("Ada", 2).await;
    house.caught_up().await;
    let rid = &house.restaurant.id;
    for path in [
        house.restaurant.path("/guests"),
        house.restaurant.path("/tables"),
        house.restaurant.path("/reservations"),
        house.restaurant.path("/wait-quote?partySize=2"),
        house.restaurant.path("/audit"),
        house.restaurant.path("/dashboard-data"),
        format!("/api/v1/dashboard/{rid}"),
    ] {
        for worker in [0, 1] {
            let owner = house.owner(worker);
            let (who, reply) = house.by(worker, async || owner.get(&path).await).await;
            reply.expect(200);
            assert_eq!(who, "replica", "{path}");
        }
        let bad = [("x-min-seq", "yesterday")];
        let reply = house.owner(0).send(Method::GET, &path, None, &bad).await;
        reply.expect_error(400, "bad_request");
    }
    // What it was asked wrongly it says as the primary would.
    let owner = house.owner(0);
    let path = house.restaurant.path("/guests?cursor=nonsense");
    let status = owner.get(&path).await.status;
    assert!((400..500).contains(&status), "{status}");
    house.health(0, "up", None).await;

    for gauge in ["qtable_replica_up 1", "qtable_replica_lag_seconds "] {
        let page = house.owner(0).get("/metrics").await.text;
        assert!(page.contains(&format!("\n{gauge}")), "{gauge} in {page}");
    }
    let sql = connect(&house.replica.url(&house.database)).await;
    let workers = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let row = sql.query_one(workers, &[]).await.unwrap();
    assert_eq!(row.get::<_, Option<bool>>(0), Some(true));
    let (is_good, said) = house.checked();
    assert!(is_good && said.contains("TLSv1.3, a replica"), "{said}");
}

/// It stands still, and the primary goes on.
async fn nobody_sees_time_go_backwards(house: &House) {
    let tag = house
        .guests(1, &[])
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    house.replica.pause().await;
    let created = house
        .owner(0)
        .post(&house.restaurant.path("/guests"), guest("Ben", 2))
        .await;
    let written = created.header("x-event-seq").unwrap().to_owned();
    created.expect(201);

    // Who does not say what he knows is told what is old, by a worker that does not know either.
    let (who, reply) = house.by(1, async || house.guests(1, &[]).await).await;
    assert_eq!(
        (who, names(reply.expect(200))),
        ("replica", vec!["Ada".to_owned()])
    );
    let known = [("if-none-match", tag.as_str())];
    let (who, reply) = house.by(1, async || house.guests(1, &known).await).await;
    assert_eq!((who, reply.status), ("replica", 304));

    // The worker that wrote knows.
    let both = vec!["Ada".to_owned(), "Ben".to_owned()];
    let (who, reply) = house.by(0, async || house.guests(0, &[]).await).await;
    assert_eq!(
        (who, names(reply.expect(200))),
        ("primary_behind", both.clone())
    );

    // Any worker does, when it is told; of a life of the log that never was nobody knows anything.
    let (_, seq) = written.split_once(':').unwrap();
    let another = format!("{}:{seq}", Uuid::now_v7());
    for least in [&written, &another] {
        let headers = [("x-min-seq", least.as_str())];
        let (who, reply) = house.by(1, async || house.guests(1, &headers).await).await;
        assert_eq!(
            (who, names(reply.expect(200))),
            ("primary_behind", both.clone())
        );
        // From then on this worker has told of it.
        let (who, _) = house.by(1, async || house.guests(1, &[]).await).await;
        assert_eq!(who, "primary_behind");
    }

    house.replica.resume().await;
    house.caught_up().await;
    let headers = [("x-min-seq", written.as_str())];
    let (who, reply) = house.by(1, async || house.guests(1, &headers).await).await;
    assert_eq!((who, names(reply.expect(200))), ("replica", both));
}

/// Of a change that a tablet has heard, the lists of its worker tell, too.
async fn what_was_heard_is_not_taken_back(house: &House) {
    let mut tablet = house.restaurant.socket(&house.app, 1).await;
    house.replica.pause().await;
    house.restaurant.guest("Cleo", 2).await;
    assert_eq!(tablet.frame().await["data"]["guestName"], "Cleo");
    let (who, reply) = house.by(1, async || house.guests(1, &[]).await).await;
    let all = ["Ada", "Ben", "Cleo"].map(str::to_owned).to_vec();
    assert_eq!((who, names(reply.expect(200))), ("primary_behind", all));
    drop(tablet);
    house.replica.resume().await;
    house.caught_up().await;
}

async fn one_that_is_away_is_not_missed(house: &mut House) {
    house.replica.stop();
    let (who, reply) = house.by(0, async || house.guests(0, &[]).await).await;
    reply.expect(200);
    assert_eq!(who, "primary_away");
    house.health(1, "down", Some("it does not answer")).await;
    house.replica.restart().await;
    house.health(0, "up", None).await;
    house.health(1, "up", None).await;
    house.caught_up().await;
    let (who, _) = house.by(0, async || house.guests(0, &[]).await).await;
    assert_eq!(who, "replica");
}

/// The connections to it stay, and it would answer.
async fn one_that_was_promoted_is_not_believed(house: &House) {
    house.replica.promote().await;
    let (who, reply) = house.by(0, async || house.guests(0, &[]).await).await;
    reply.expect(200);
    assert_eq!(who, "primary_away");
    house.health(1, "down", Some("it follows nobody")).await;
    // Nor did anybody take it for a primary, and give its logs another life.
    let (mine, theirs) = (&house.primary, &house.replica);
    let mut identities = Vec::new();
    for server in [mine, theirs] {
        let url = server.url(&house.database);
        let sql = connect(&url).await;
        let row = sql
            .query_one("SELECT identity FROM database_identity", &[])
            .await;
        identities.push(row.unwrap().get::<_, String>(0));
    }
    assert_eq!(identities[0], identities[1]);
    let (is_good, said) = house.checked();
    assert!(!is_good && said.contains("it follows nobody"), "{said}");
}
