//! A PostgreSQL database per test.
//!
//! Migrations run once per server into a template; a test gets a file copy of it.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_postgres::{Client, NoTls};

const TEST_PREFIX: &str = "qt_test_";
const TEMPLATE_PREFIX: &str = "qt_template_";
const UNFINISHED: &str = "_building";

/// No test takes this long: a database older than this belongs to a run that crashed.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);

/// The URL of a database from which others can be created.
///
/// # Panics
/// When `TEST_DATABASE_URL` is not set.
#[must_use]
pub fn admin_url() -> String {
    crate::service_url("TEST_DATABASE_URL")
}

/// A migrated database that is never connected to, only copied.
#[derive(Clone, Debug)]
pub struct Template {
    admin_url: String,
    name: String,
}

impl Template {
    /// Finds the template for `key` or makes it by running `migrate` on the URL of a new database.
    ///
    /// `key` is a hash of whatever `migrate` does; another key is another template. Any number of
    /// threads and processes may ask at once: one builds, the others wait. A build that fails
    /// leaves nothing that could be taken for a template.
    ///
    /// # Panics
    /// When the server refuses, or `key` is not made of `a-z`, `0-9` and `_`.
    pub async fn prepare(
        admin_url: &str,
        key: &str,
        migrate: impl AsyncFnOnce(String) -> (),
    ) -> Self {
        assert!(
            key.len() <= 40
                && key
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{key:?} cannot be part of a database's name"
        );
        let admin = connect(admin_url).await;
        sweep(&admin).await;
        let template = Self {
            admin_url: admin_url.to_owned(),
            name: format!("{TEMPLATE_PREFIX}{key}"),
        };
        if !exists(&admin, &template.name).await {
            // Released with the connection, also when `migrate` panics.
            lock(&admin, &template.name).await;
            if !exists(&admin, &template.name).await {
                template.build(&admin, migrate).await;
            }
        }
        template
    }

    async fn build(&self, admin: &Client, migrate: impl AsyncFnOnce(String) -> ()) {
        let name = &self.name;
        let building = format!("{name}{UNFINISHED}");
        run(
            admin,
            &format!("DROP DATABASE IF EXISTS {building} WITH (FORCE)"),
        )
        .await;
        run(admin, &format!("CREATE DATABASE {building}")).await;
        migrate(with_database(&self.admin_url, &building)).await;
        // A pool that `migrate` left behind would be in the way of the copies.
        run(
            admin,
            &format!("ALTER DATABASE {building} ALLOW_CONNECTIONS false"),
        )
        .await;
        admin
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                &[&building],
            )
            .await
            .unwrap();
        run(
            admin,
            &format!("ALTER DATABASE {building} RENAME TO {name}"),
        )
        .await;
    }

    /// A fresh copy for one test.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn create(&self) -> TestDatabase {
        let name = format!(
            "{TEST_PREFIX}{:x}_{}",
            now().as_secs(),
            crate::random_name()
        );
        // Two to five times as fast as WAL_LOG where fsync is off.
        run(
            &connect(&self.admin_url).await,
            &format!(
                "CREATE DATABASE {name} TEMPLATE {} STRATEGY FILE_COPY",
                self.name
            ),
        )
        .await;
        TestDatabase {
            url: with_database(&self.admin_url, &name),
            name,
            admin_url: self.admin_url.clone(),
        }
    }
}

/// A database that belongs to one test and is dropped with this value, whoever is connected.
#[derive(Debug)]
pub struct TestDatabase {
    /// Where to connect.
    pub url: String,
    /// The bare name, `qt_test_…`.
    pub name: String,
    admin_url: String,
}

impl Drop for TestDatabase {
    /// Waits for the server's reply, because the test's process may end right after.
    fn drop(&mut self) {
        let admin_url = self.admin_url.clone();
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A thread of its own, since nobody knows whose runtime this is called on, if any.
        let dropping = thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(async { run(&connect(&admin_url).await, &statement).await });
        });
        if dropping.join().is_err() {
            // Not a panic: the test may be unwinding already. A later run sweeps it.
            eprintln!("the test database {} stays behind", self.name);
        }
    }
}

/// Drops what crashed runs left: old test databases, and templates that nobody is building.
async fn sweep(admin: &Client) {
    let names = admin
        .query(
            "SELECT datname::text FROM pg_database
             WHERE starts_with(datname, $1) OR starts_with(datname, $2)",
            &[&TEST_PREFIX, &TEMPLATE_PREFIX],
        )
        .await
        .unwrap();
    for name in names.iter().map(|row| row.get::<_, String>(0)) {
        if let Some(template) = name.strip_suffix(UNFINISHED) {
            if try_lock(admin, template).await {
                drop_quietly(admin, &name).await;
                unlock(admin, template).await;
            }
        } else if created(&name).is_some_and(|at| at + ABANDONED_AFTER < now()) {
            drop_quietly(admin, &name).await;
        }
    }
}

/// Another run may be sweeping as well: whoever comes second has nothing left to drop.
async fn drop_quietly(admin: &Client, name: &str) {
    let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    if let Err(error) = admin.batch_execute(&statement).await {
        eprintln!("{name} stays behind: {error}");
    }
}

/// When a test database was made, since the epoch; its name says so.
fn created(name: &str) -> Option<Duration> {
    let (seconds, _random) = name.strip_prefix(TEST_PREFIX)?.split_once('_')?;
    u64::from_str_radix(seconds, 16)
        .ok()
        .map(Duration::from_secs)
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .unwrap_or_else(|error| panic!("the test database server: {error:?}"));
    tokio::spawn(connection);
    client
}

async fn run(admin: &Client, statement: &str) {
    admin
        .batch_execute(statement)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
}

async fn exists(admin: &Client, name: &str) -> bool {
    let found = "SELECT FROM pg_database WHERE datname = $1";
    admin.query_opt(found, &[&name]).await.unwrap().is_some()
}

async fn lock(admin: &Client, name: &str) {
    let taken = "SELECT pg_advisory_lock(hashtextextended($1, 0))";
    admin.execute(taken, &[&name]).await.unwrap();
}

async fn try_lock(admin: &Client, name: &str) -> bool {
    let taken = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
    admin.query_one(taken, &[&name]).await.unwrap().get(0)
}

async fn unlock(admin: &Client, name: &str) {
    let released = "SELECT pg_advisory_unlock(hashtextextended($1, 0))";
    admin.execute(released, &[&name]).await.unwrap();
}

/// The same server and parameters, another database.
fn with_database(url: &str, name: &str) -> String {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let (server, parameters) = url.split_at(url.find('?').unwrap_or(url.len()));
    let end = server
        .get(authority..)
        .and_then(|rest| rest.find('/'))
        .map_or(server.len(), |at| authority + at);
    format!("{}/{name}{parameters}", server.get(..end).unwrap())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Its own template per test, dropped at its end, so that every run builds it.
    struct Built(String);

    impl Built {
        fn new() -> Self {
            Self(format!("testkit_{}", crate::random_name()))
        }

        async fn prepare(&self) -> Template {
            Template::prepare(&admin_url(), &self.0, async |url| {
                run(
                    &connect(&url).await,
                    "CREATE TABLE marks (mark int); INSERT INTO marks VALUES (7)",
                )
                .await;
            })
            .await
        }
    }

    impl Drop for Built {
        fn drop(&mut self) {
            drop(TestDatabase {
                url: String::new(),
                name: format!("{TEMPLATE_PREFIX}{}", self.0),
                admin_url: admin_url(),
            });
        }
    }

    async fn is_there(name: &str) -> bool {
        exists(&connect(&admin_url()).await, name).await
    }

    #[test]
    fn another_database_on_the_same_server() {
        for (url, other) in [
            (
                "postgres://u:p@localhost:5432/a",
                "postgres://u:p@localhost:5432/b",
            ),
            ("postgres://localhost", "postgres://localhost/b"),
            (
                "postgres://h/a?sslmode=disable&x=/y",
                "postgres://h/b?sslmode=disable&x=/y",
            ),
            (
                "postgresql://[::1]:1?options=-c%20a",
                "postgresql://[::1]:1/b?options=-c%20a",
            ),
        ] {
            assert_eq!(with_database(url, "b"), other);
        }
    }

    #[tokio::test]
    async fn a_copy_has_what_the_template_has_and_nothing_of_other_copies() {
        let built = Built::new();
        let template = built.prepare().await;
        let (one, two) = tokio::join!(template.create(), template.create());
        let first = connect(&one.url).await;
        run(&first, "DELETE FROM marks").await;
        let second = connect(&two.url).await;
        let mark = second.query_one("SELECT mark FROM marks", &[]).await;
        assert_eq!(mark.unwrap().get::<_, i32>(0), 7);
    }

    #[tokio::test]
    async fn dropped_with_its_connections() {
        let built = Built::new();
        let database = built.prepare().await.create().await;
        let name = database.name.clone();
        let connected = connect(&database.url).await;
        drop(database);
        assert!(!is_there(&name).await);
        connected.batch_execute("SELECT 1").await.unwrap_err();
    }

    #[test]
    fn dropped_outside_a_runtime() {
        let runtime = || tokio::runtime::Runtime::new().unwrap();
        let built = Built::new();
        let database = runtime().block_on(async { built.prepare().await.create().await });
        let name = database.name.clone();
        drop(database);
        assert!(!runtime().block_on(is_there(&name)));
    }

    #[test]
    fn many_ask_and_one_builds() {
        let built = Built::new();
        let builds = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Runtime::new().unwrap();
                    runtime.block_on(async {
                        Template::prepare(&admin_url(), &built.0, async |_| {
                            builds.fetch_add(1, Ordering::Relaxed);
                        })
                        .await
                        .create()
                        .await;
                    });
                });
            }
        });
        assert_eq!(builds.into_inner(), 1);
    }

    #[tokio::test]
    async fn a_failed_build_is_no_template() {
        let built = Built::new();
        let key = built.0.clone();
        let failed = tokio::spawn(async move {
            Template::prepare(&admin_url(), &key, async |_| panic!("a bad migration")).await;
        });
        failed.await.unwrap_err();
        assert!(!is_there(&format!("{TEMPLATE_PREFIX}{}", built.0)).await);
        let database = built.prepare().await.create().await;
        let marks = connect(&database.url).await;
        run(&marks, "SELECT mark FROM marks").await;
    }

    #[tokio::test]
    async fn only_old_databases_are_swept() {
        let admin = connect(&admin_url()).await;
        let made = |age: Duration| {
            format!(
                "{TEST_PREFIX}{:x}_{}",
                (now() - age).as_secs(),
                crate::random_name()
            )
        };
        let (young, old) = (made(Duration::from_secs(5)), made(ABANDONED_AFTER * 2));
        for name in [&young, &old] {
            run(&admin, &format!("CREATE DATABASE {name}")).await;
        }
        Built::new().prepare().await;
        assert!(!is_there(&old).await);
        assert!(is_there(&young).await);
        run(&admin, &format!("DROP DATABASE {young}")).await;
    }
}
