//! Where the data is: PostgreSQL and Redis; and by which of them workers hear of each other.

use std::time::Duration;

use realtime::Cluster;
use wire::health::BusKind;

use super::Secret;
use super::vars::Vars;

/// The database.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `postgres://…`, with the password in it.
    pub url: Secret,
    /// How many connections this worker holds at most.
    pub pool_size: usize,
    /// A copy that answers reads which may be a little old, if there is one.
    pub replica: Option<ReplicaConfig>,
}

/// A replica of the database.
#[derive(Clone, Debug)]
pub struct ReplicaConfig {
    /// `postgres://…`, with the password in it.
    pub url: Secret,
    /// How many connections to it this worker holds at most.
    pub pool_size: usize,
    /// How old its answers may be.
    pub max_lag: Duration,
}

/// Redis.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// `redis://…`, with the password in it: one, or several that share the restaurants.
    pub urls: Vec<Secret>,
    /// Whether it is a Redis Cluster.
    pub cluster: Cluster,
    /// What stands before every key and channel, so that installations can share a Redis.
    pub prefix: String,
}

const DATABASE: (&str, &str) = (
    "DATABASE_URL",
    "postgres://qtable:password@localhost:5432/qtable",
);
const REPLICA: (&str, &str) = (
    "DATABASE_REPLICA_URL",
    "postgres://qtable:password@replica:5432/qtable",
);
const REDIS: (&str, &str) = ("REDIS_URL", "redis://localhost:6379/0");

pub(super) fn database(vars: &Vars<'_>, cores: usize) -> DatabaseConfig {
    let url = vars.required(DATABASE.0, DATABASE.1);
    check_url(vars, &url, DATABASE);
    DatabaseConfig {
        url: Secret::new(url),
        // Twice the cores keeps the database busy; four more cover those that wait for a reply.
        pool_size: vars.number("DATABASE_POOL_SIZE", "8", 2..=1000, 2 * cores + 4),
        replica: replica(vars, cores),
    }
}

fn replica(vars: &Vars<'_>, cores: usize) -> Option<ReplicaConfig> {
    let pool_size = vars.number("DATABASE_REPLICA_POOL_SIZE", "8", 2..=1000, 2 * cores + 4);
    // The heartbeat by which its age is told comes once a second.
    let max_lag = vars.number("DATABASE_REPLICA_MAX_LAG_SECONDS", "10", 2..=3600, 10);
    let url = vars.text(REPLICA.0)?;
    check_url(vars, &url, REPLICA);
    Some(ReplicaConfig {
        url: Secret::new(url),
        pool_size,
        max_lag: Duration::from_secs(max_lag),
    })
}

fn check_url(vars: &Vars<'_>, url: &str, (variable, example): (&'static str, &'static str)) {
    if !url.is_empty() && !is_url(url, &["postgres", "postgresql"]) {
        vars.fault(variable, "is to be a postgres:// address", example);
    } else if ["require", "verify-ca", "verify-full"]
        .iter()
        .any(|mode| url.contains(&format!("sslmode={mode}")))
    {
        vars.fault(
            variable,
            "asks for TLS, which this version does not speak",
            example,
        );
    }
}

pub(super) fn redis(vars: &Vars<'_>) -> Option<RedisConfig> {
    let prefix = vars.text("REDIS_PREFIX");
    let cluster = vars.word(
        "REDIS_CLUSTER",
        &[
            ("auto", Cluster::Ask),
            ("on", Cluster::Always),
            ("off", Cluster::Never),
        ],
        Cluster::Ask,
    );
    let (variable, example) = REDIS;
    let urls = vars.parsed(variable, example, |list| {
        let urls = list.split(',').map(str::trim);
        urls.map(redis_url).collect::<Result<Vec<_>, _>>()
    })?;
    Some(RedisConfig {
        urls,
        cluster,
        prefix: prefix.unwrap_or_else(|| "qtable:".to_owned()),
    })
}

fn redis_url(url: &str) -> Result<Secret, String> {
    if is_url(url, &["redis"]) {
        Ok(Secret::new(url))
    } else if is_url(url, &["rediss"]) {
        Err("asks for TLS, which this version does not speak".to_owned())
    } else {
        Err("is to be a redis:// address, or several with commas between them".to_owned())
    }
}

/// By what workers hear of each other: as somebody says, or by Redis if there is one.
pub(super) fn bus(vars: &Vars<'_>) -> BusKind {
    let has_redis = vars.text(REDIS.0).is_some();
    let by_default = if has_redis {
        BusKind::Redis
    } else {
        BusKind::Local
    };
    let words = BusKind::ALL.iter().map(|kind| (kind.as_str(), *kind));
    let words: Vec<_> = words.collect();
    let bus = vars.word("BUS", &words, by_default);
    if bus == BusKind::Redis && !has_redis {
        vars.fault("BUS", "is redis, but REDIS_URL is not set", "postgres");
    }
    bus
}

/// Only what can be told from the shape: the drivers read the rest.
fn is_url(text: &str, schemes: &[&str]) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        schemes.contains(&scheme) && !rest.is_empty() && !rest.contains(char::is_whitespace)
    })
}
