//! A large database on a server that is watched, and the operations that are done in it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use diesel::sql_query;
use diesel_async::RunQueryDsl;
use domain::Result;
use domain::clock::Clock;
use domain::db::{Actor, Db, DbConfig, PgConnection, Scope, Tx};
use serde::de::DeserializeOwned;
use serde_json::Value;
use testkit::postgres::PostgresServer;
use testkit::wait::{DEADLINE, until};
use tokio::runtime::Handle;
use uuid::Uuid;
use wire::Role;
use wire::{GuestId, RestaurantId, TableId, UserId};

use super::statements::{self, Operation};
use crate::sql::Sql;

/// The role whose statements are written down, as of its next connection.
const WATCH: &str = "ALTER ROLE qtable SET log_min_duration_statement = 0;
    ALTER ROLE qtable SET auto_explain.log_min_duration = 0;
    ALTER ROLE qtable SET auto_explain.log_nested_statements = on;
    ALTER ROLE qtable SET auto_explain.log_analyze = on;
    ALTER ROLE qtable SET auto_explain.log_timing = off;
    ALTER ROLE qtable SET auto_explain.log_format = json;";

/// The moment to which the data leads: noon.
pub(super) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 14, 12, 0, 0).unwrap()
}

/// The n-th id of a moment, as `fill.sql` makes them.
pub(super) fn id_at<T: From<Uuid>>(n: u64, at: DateTime<Utc>) -> T {
    let millis = u128::try_from(at.timestamp_millis()).unwrap();
    let tail = (0x7000_u128 << 64) | (0x8000_u128 << 48) | u128::from(n);
    Uuid::from_u128(millis << 80 | tail).into()
}

/// The n-th of what has no time of its own.
pub(super) fn id<T: From<Uuid>>(n: u64) -> T {
    id_at(n, Utc.with_ymd_and_hms(2025, 1, 1, 0, 0, 0).unwrap())
}

/// What a client would have sent.
pub(super) fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

/// The data.
pub(super) struct Large {
    server: PostgresServer,
}

impl Large {
    pub(super) async fn fill() -> Self {
        let server = PostgresServer::watched().await;
        let url = server.url("postgres");
        domain::migrations::run(&url).await.unwrap();
        let sql = Sql::connect(&url).await;
        sql.run(include_str!("fill.sql")).await;
        // Not in the same message: it would be one transaction.
        sql.run("VACUUM ANALYZE").await;
        sql.run(WATCH).await;
        Self { server }
    }

    /// A worker whose statements are planned by `setting`.
    pub(super) async fn open(&self, setting: &str) -> House {
        let url = self.server.url("postgres");
        let sql = Sql::connect(&url).await;
        sql.run(&format!(
            "ALTER ROLE qtable SET plan_cache_mode = {setting}"
        ))
        .await;
        let config = DbConfig {
            url,
            // All on one connection, so that what it writes down is in its order.
            pool_size: 1,
            threads: 0,
            wait: DEADLINE,
            clock: Clock::new(now),
            observer: Arc::new(()),
        };
        House {
            db: Db::new(config, Handle::current()).unwrap(),
            round: 0,
            setting: setting.to_owned(),
        }
    }

    /// What was done in a house, with its statements.
    pub(super) async fn done(&self, house: &House) -> Vec<Operation> {
        let end = format!("the end of {}", house.setting);
        house.mark("", &end).await;
        let log = self.server.log();
        let text = until("the log to be written", DEADLINE, async || {
            let text = std::fs::read_to_string(&log).unwrap();
            text.contains(&end).then_some(text)
        })
        .await;
        statements::read(&text, &house.setting)
    }
}

/// The large restaurant, as one connection works in it.
pub(super) struct House {
    pub(super) db: Db,
    /// How often all operations were done before: each time with other rows.
    pub(super) round: u64,
    setting: String,
}

impl House {
    pub(super) fn id(&self) -> RestaurantId {
        id(1)
    }

    /// A party that waits; another in each round. `n` is at most 4.
    pub(super) fn waiting(&self, n: u64) -> GuestId {
        party(101 + self.round * 5 + n)
    }

    /// A party that sits, at the table of the same number.
    pub(super) fn seated(&self, n: u64) -> (GuestId, TableId) {
        let number = 1 + self.round * 5 + n;
        (party(number), id(number))
    }

    /// A table that is free now and later; another in each round. `n` is at most 4.
    pub(super) fn free_table(&self, n: u64) -> TableId {
        // Every fourth is booked in the evening.
        id(101 + (self.round * 5 + n) * 4)
    }

    pub(super) fn scope(&self) -> Scope {
        let actor = Actor {
            user_id: Some(id::<UserId>(3)),
            session_id: Some(id(3)),
            role: Role::Manager,
        };
        Scope::new(self.id(), actor)
    }

    /// Tells the log what comes now.
    async fn mark(&self, name: &str, what: &str) {
        let mark = statements::mark(&self.setting, self.round, name, what);
        let mark = self.db.read("mark", async |conn| {
            Ok(sql_query(&mark).execute(conn).await?)
        });
        mark.await.unwrap();
    }

    /// Reads, under the name that the workers give it.
    pub(super) async fn read<T>(
        &self,
        name: &'static str,
        what: &str,
        read: impl AsyncFn(&mut PgConnection) -> Result<T>,
    ) -> T {
        self.mark(name, what).await;
        let read = self.db.read(name, read).await;
        read.unwrap_or_else(|error| panic!("{name} ({what}): {error:?}"))
    }

    /// Works in a transaction of the restaurant.
    pub(super) async fn write<T>(
        &self,
        name: &'static str,
        what: &str,
        write: impl AsyncFn(&mut Tx<'_>) -> Result<T>,
    ) -> T {
        self.write_as(self.scope().actor, name, what, write).await
    }

    /// The same, done by somebody else than a manager.
    pub(super) async fn write_as<T>(
        &self,
        actor: Actor,
        name: &'static str,
        what: &str,
        write: impl AsyncFn(&mut Tx<'_>) -> Result<T>,
    ) -> T {
        self.mark(name, what).await;
        let scope = Scope::new(self.id(), actor);
        match self.db.write(name, &scope, write).await {
            Ok(written) => written.value,
            Err(error) => panic!("{name} ({what}): {error:?}"),
        }
    }

    /// Works in a transaction that no log tells of.
    pub(super) async fn transaction<T>(
        &self,
        name: &'static str,
        what: &str,
        write: impl AsyncFn(&mut PgConnection, DateTime<Utc>) -> Result<T>,
    ) -> T {
        self.mark(name, what).await;
        let written = self.db.transaction(name, write).await;
        written.unwrap_or_else(|error| panic!("{name} ({what}): {error:?}"))
    }
}

/// The n-th party of those that are here.
fn party(n: u64) -> GuestId {
    let seconds = i64::try_from(n).unwrap();
    id_at(n, now() - TimeDelta::seconds(seconds))
}
