//! Where the data is: PostgreSQL and Redis.

use super::Secret;
use super::vars::Vars;

/// The database.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `postgres://…`, with the password in it.
    pub url: Secret,
    /// How many connections this worker holds at most.
    pub pool_size: usize,
}

/// The bus between workers.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// `redis://…`, with the password in it.
    pub url: Secret,
    /// What stands before every key and channel, so that installations can share a Redis.
    pub prefix: String,
}

const DATABASE: (&str, &str) = (
    "DATABASE_URL",
    "postgres://qtable:password@localhost:5432/qtable",
);
const REDIS: (&str, &str) = ("REDIS_URL", "redis://localhost:6379/0");

pub(super) fn database(vars: &Vars<'_>, cores: usize) -> DatabaseConfig {
    let (variable, example) = DATABASE;
    let url = vars.required(variable, example);
    if !url.is_empty() && !is_url(&url, &["postgres", "postgresql"]) {
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
    DatabaseConfig {
        url: Secret::new(url),
        // Twice the cores keeps the database busy; four more cover those that wait for a reply.
        pool_size: vars.number("DATABASE_POOL_SIZE", "8", 2..=1000, 2 * cores + 4),
    }
}

pub(super) fn redis(vars: &Vars<'_>) -> Option<RedisConfig> {
    let prefix = vars.text("REDIS_PREFIX");
    let (variable, example) = REDIS;
    let url = vars.parsed(variable, example, |url| {
        if is_url(url, &["redis"]) {
            Ok(Secret::new(url))
        } else if is_url(url, &["rediss"]) {
            Err("asks for TLS, which this version does not speak".to_owned())
        } else {
            Err("is to be a redis:// address".to_owned())
        }
    })?;
    Some(RedisConfig {
        url,
        prefix: prefix.unwrap_or_else(|| "qtable:".to_owned()),
    })
}

/// Only what can be told from the shape: the drivers read the rest.
fn is_url(text: &str, schemes: &[&str]) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        schemes.contains(&scheme) && !rest.is_empty() && !rest.contains(char::is_whitespace)
    })
}
