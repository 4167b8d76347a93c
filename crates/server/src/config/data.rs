//! Where the data is: PostgreSQL and Redis; and by which of them workers hear of each other.

use std::time::Duration;

use realtime::Cluster;
use tls::{PostgresServer, Roots, Security};
use wire::health::BusKind;

use super::Secret;
use super::vars::Vars;

/// The database.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `postgres://…`, with the password in it.
    pub url: Secret,
    /// How well connections to it are kept from others.
    pub security: Security,
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
    /// How well connections to it are kept from others.
    pub security: Security,
    /// How many connections to it this worker holds at most.
    pub pool_size: usize,
    /// How old its answers may be.
    pub max_lag: Duration,
}

/// Redis.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// `redis://…` or `rediss://…`, with the password in it: one, or several that share the
    /// restaurants.
    pub urls: Vec<Secret>,
    /// Who is asked whether a server is what it says.
    pub roots: Roots,
    /// The certificates of `roots` as PEM, unless they are the system's.
    pub authorities: Option<Vec<u8>>,
    /// Whether it is a Redis Cluster.
    pub cluster: Cluster,
    /// What stands before every key and channel, so that installations can share a Redis.
    pub prefix: String,
}

/// How well a connection to Redis is kept from others: its URL says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisSecurity {
    /// Not at all: `redis://`.
    Plain,
    /// Encrypted, whoever answers: `rediss://…/#insecure`.
    Unverified,
    /// Encrypted, and the server's certificate and name are right: `rediss://`.
    Verified,
}

impl RedisSecurity {
    /// What a URL says.
    #[must_use]
    pub fn of(url: &str) -> Self {
        match url.split_once("://") {
            Some(("rediss", rest)) if rest.ends_with("#insecure") => Self::Unverified,
            Some(("rediss", _)) => Self::Verified,
            _ => Self::Plain,
        }
    }
}

impl RedisConfig {
    /// How well one of its servers is kept from others, in words.
    #[must_use]
    pub fn security(&self, url: &Secret) -> String {
        let roots = self.roots.clone();
        let like = match RedisSecurity::of(url.reveal()) {
            RedisSecurity::Plain => Security::Plain,
            RedisSecurity::Unverified => Security::Unverified,
            RedisSecurity::Verified => Security::Full(roots),
        };
        like.to_string()
    }

    /// What an operator ought to hear at every start.
    pub(super) fn warnings(&self, warnings: &mut Vec<String>) {
        let urls = self.urls.iter().map(Secret::reveal);
        if urls
            .map(RedisSecurity::of)
            .any(|security| security == RedisSecurity::Unverified)
        {
            warnings.push(
                "REDIS_URL says #insecure: the connection is encrypted, but whoever answers in \
                 the server's place is believed, is told the password, and reads and writes what \
                 workers say to each other. With the server's certificate, or that of its \
                 authority, in REDIS_TLS_CA it need not be."
                    .to_owned(),
            );
        }
    }
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
    DatabaseConfig {
        security: security(vars, &url, DATABASE),
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
    Some(ReplicaConfig {
        security: security(vars, &url, REPLICA),
        url: Secret::new(url),
        pool_size,
        max_lag: Duration::from_secs(max_lag),
    })
}

/// What the address of a PostgreSQL says of TLS; a fault if it will not do.
fn security(
    vars: &Vars<'_>,
    url: &str,
    (variable, example): (&'static str, &'static str),
) -> Security {
    if is_url(url, &["postgres", "postgresql"]) {
        match PostgresServer::parse(url) {
            Ok(server) => return server.security().clone(),
            Err(error) => vars.fault(variable, error.to_string(), example),
        }
    } else if !url.is_empty() {
        vars.fault(variable, "is to be a postgres:// address", example);
    }
    Security::Offered
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
    let (authority, its_example) = ("REDIS_TLS_CA", "/etc/ssl/redis-ca.pem");
    let authorities = vars.parsed(authority, its_example, |file| {
        let roots = Roots::File(file.into());
        let pem = roots
            .pem()
            .map_err(|error| format!("will not do: {error}"))?;
        Ok((roots, pem))
    });
    let (roots, authorities) = authorities.unwrap_or((Roots::System, None));
    let (variable, example) = REDIS;
    let urls = vars.parsed(variable, example, |list| {
        let urls = list.split(',').map(str::trim);
        urls.map(redis_url).collect::<Result<Vec<_>, _>>()
    })?;
    let is_plain = |url: &Secret| RedisSecurity::of(url.reveal()) == RedisSecurity::Plain;
    if authorities.is_some() && urls.iter().any(is_plain) {
        vars.fault(
            variable,
            "is to be rediss:// when REDIS_TLS_CA is set: redis:// is not encrypted",
            "rediss://localhost:6379/0",
        );
    }
    Some(RedisConfig {
        urls,
        roots,
        authorities,
        cluster,
        prefix: prefix.unwrap_or_else(|| "qtable:".to_owned()),
    })
}

fn redis_url(url: &str) -> Result<Secret, String> {
    if !is_url(url, &["redis", "rediss"]) {
        return Err("is to be a redis:// address, or several with commas between them".to_owned());
    }
    match realtime::redis_server(url, None) {
        Ok(_) => Ok(Secret::new(url)),
        Err(error) => Err(format!("will not do: {error}")),
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
