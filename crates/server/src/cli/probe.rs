//! What `qtable check-config --connect` finds at the other end.

use std::time::Duration;

use anyhow::Context;
use deadpool_redis::redis::{AsyncConnectionConfig, Client, RedisResult, cmd};
use domain::db;
use tls::{PostgresServer, explained};

use crate::config::{Config, RedisConfig, RedisSecurity};
use crate::seen::logs::address;

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// One line for each server, and whether it can be used as it is configured.
pub(super) async fn probe(config: &Config) -> Vec<(bool, String)> {
    let database = config.database.url.reveal();
    let mut lines = vec![line(&address(database), primary(database).await)];
    if let Some(config) = &config.database.replica {
        let url = config.url.reveal();
        lines.push(line(&address(url), replica(url).await));
    }
    if let Some(redis) = &config.redis {
        for url in &redis.urls {
            let said = said_by_redis(redis, url.reveal()).await;
            lines.push(line(&address(url.reveal()), said));
        }
    }
    lines
}

fn line(address: &str, said: anyhow::Result<String>) -> (bool, String) {
    match said {
        Ok(said) => (true, format!("{address}: {said}")),
        Err(error) => (false, format!("{address}: {error:#}")),
    }
}

async fn primary(url: &str) -> anyhow::Result<String> {
    let found = postgres(url).await?;
    anyhow::ensure!(
        !found.is_following,
        "it is a replica, which takes no writes"
    );
    Ok(described(&found))
}

async fn replica(url: &str) -> anyhow::Result<String> {
    let found = postgres(url).await?;
    anyhow::ensure!(found.is_following, "it is no replica: it follows nobody");
    Ok(format!("{}, a replica", described(&found)))
}

async fn postgres(url: &str) -> anyhow::Result<db::Probe> {
    let server = PostgresServer::parse(url)?;
    let asked = tokio::time::timeout(PATIENCE, db::probe(&server));
    Ok(asked.await.context("no answer in time")??)
}

fn described(found: &db::Probe) -> String {
    let encryption = found.encryption.as_deref().unwrap_or("not encrypted");
    format!("PostgreSQL {}, {encryption}", found.version)
}

async fn said_by_redis(redis: &RedisConfig, url: &str) -> anyhow::Result<String> {
    let is_encrypted = RedisSecurity::of(url) != RedisSecurity::Plain;
    // What a server says that expects the other kind of speech is nothing, or nothing of use.
    let other = if is_encrypted {
        "perhaps it has no TLS at this port"
    } else {
        "perhaps it wants TLS at this port: rediss://"
    };
    let client = Client::open(realtime::redis_server(url, redis.authorities.as_deref())?)?;
    match tokio::time::timeout(PATIENCE, ping(&client)).await {
        Ok(Ok(())) if is_encrypted => Ok("Redis, TLS".to_owned()),
        Ok(Ok(())) => Ok("Redis, not encrypted".to_owned()),
        Ok(Err(error)) if error.is_timeout() => anyhow::bail!("no answer in time; {other}"),
        Ok(Err(error)) if error.is_connection_dropped() && !error.is_connection_refusal() => {
            anyhow::bail!("{}; {other}", explained(&error))
        }
        Ok(Err(error)) => anyhow::bail!(explained(&error)),
        Err(_elapsed) => anyhow::bail!("no answer in time; {other}"),
    }
}

async fn ping(client: &Client) -> RedisResult<()> {
    let options = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE / 2))
        .set_response_timeout(Some(PATIENCE / 2));
    let mut connection = client
        .get_multiplexed_async_connection_with_config(&options)
        .await?;
    cmd("PING").query_async(&mut connection).await
}
