use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use super::*;

const KEY: &str = "q8Zr1vN0yXw3LkTf5HdJ7sBa9GpMcEuR2oVi4";

fn read(given: &[(&str, &str)]) -> Result<Config, Vec<ConfigFault>> {
    let base = [
        ("DATABASE_URL", "postgres://u:hunter2@db/qtable"),
        ("SECRET_KEY", KEY),
    ];
    Config::from_vars(|name| {
        let found = given.iter().chain(&base).find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

/// The variables at fault.
fn faults(given: &[(&str, &str)]) -> Vec<&'static str> {
    let faults = read(given).err().unwrap_or_default();
    faults.iter().map(|fault| fault.variable).collect()
}

fn production<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut given = more.to_vec();
    given.push(("ENVIRONMENT", "production"));
    given.push(("PUBLIC_URL", "https://qtable.example"));
    given
}

/// The variables of `.env.example`, as far as the program itself goes by them.
fn described() -> BTreeSet<String> {
    let text = include_str!("../../../../.env.example");
    let (ours, _) = text.split_once("# ---- docker-compose.yml alone").unwrap();
    let names = ours.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix('#')?.split_once('=')?;
        let is_name = |letter: char| letter.is_ascii_uppercase() || "_0123456789".contains(letter);
        (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
    });
    names.collect()
}

#[test]
fn what_is_read_is_described_and_what_is_described_is_read() {
    let asked = RefCell::new(BTreeSet::new());
    // Some are looked at only where others are set.
    let set = [
        ("DATABASE_URL", "postgres://u:hunter2@db/qtable"),
        (
            "DATABASE_REPLICA_URL",
            "postgres://u:hunter2@replica/qtable",
        ),
        ("REDIS_URL", "redis://redis:6379"),
        ("SECRET_KEY", KEY),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
    ];
    let read = Config::from_vars(|name| {
        asked.borrow_mut().insert(name.to_owned());
        let found = set.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    });
    read.unwrap();
    assert_eq!(asked.into_inner(), described());
}

#[test]
fn links_are_made_of_one_address() {
    let url = |given: &[_]| read(given).map(|config| config.http.public_url.to("i", "s"));
    for (environment, given, link) in [
        ("development", "", Some("http://localhost:8000/i/s")),
        (
            "development",
            "http://10.0.0.7:8000",
            Some("http://10.0.0.7:8000/i/s"),
        ),
        (
            "production",
            "https://Door.example/",
            Some("https://door.example/i/s"),
        ),
        (
            "production",
            "https://door.example:8443",
            Some("https://door.example:8443/i/s"),
        ),
        ("production", "", None),
        ("production", "http://door.example", None),
        ("production", "door.example", None),
        ("production", "https://door.example/app", None),
        ("production", "https://door.example/?x", None),
        ("production", "https://me@door.example", None),
        ("development", "ftp://door.example", None),
    ] {
        let found = url(&[("ENVIRONMENT", environment), ("PUBLIC_URL", given)]);
        match (found, link) {
            (Ok(found), link) => assert_eq!(Some(found.as_str()), link, "{environment} {given}"),
            (Err(faults), link) => {
                assert_eq!((faults.len(), link), (1, None), "{given}: {faults:?}");
                assert_eq!(faults[0].variable, "PUBLIC_URL");
            }
        }
    }
    let port = url(&[("PORT", "8001")]);
    assert_eq!(port.unwrap(), "http://localhost:8001/i/s");
}

#[test]
fn defaults() {
    let config = read(&[]).unwrap();
    assert_eq!(config.environment, Environment::Development);
    assert_eq!(config.http.host.to_string(), "0.0.0.0");
    assert_eq!(config.http.port, 8000);
    assert_eq!(config.http.cors, CorsOrigins::These(Vec::new()));
    assert!(config.http.trusted_proxies.is_empty());
    assert_eq!(config.http.shutdown_grace, Duration::from_secs(25));
    assert_eq!(config.database.pool_size, 2 * config.http.threads + 4);
    assert!(config.database.replica.is_none());
    assert!(config.redis.is_none());
    assert_eq!(config.auth.access_token, Duration::from_secs(15 * 60));
    assert_eq!(config.auth.refresh_token, Duration::from_secs(30 * 86_400));
    assert_eq!(config.auth.bcrypt_cost, 10);
    assert_eq!(config.auth.registration, Registration::Open);
    assert!(config.auth.admin.is_none());
    assert_eq!(config.limits.unwrap().logins, 100);
    assert_eq!(config.limits.unwrap().work, 250);
    assert!(read(&[("RATE_LIMITS", "off")]).unwrap().limits.is_none());
    assert_eq!(config.live.retention, Duration::from_secs(7 * 86_400));
    assert_eq!(
        config.live.audit_retention,
        Duration::from_secs(400 * 86_400)
    );
    assert_eq!(config.live.heartbeat, Duration::from_secs(25));
    assert_eq!(config.live.shares.all, 18_000);
    assert_eq!(config.live.shares.strangers, 9000);
    assert_eq!(config.live.shares.of_account, 1000);
    assert_eq!(config.live.shares.of_restaurant, 2000);
    assert_eq!(config.live.shares.of_address, 9000);
    assert_eq!(config.menu.default_restaurant, None);
    assert_eq!(config.live.shares.of_visitor, 200);
    assert_eq!(config.log.filter, "info");
    assert_eq!(config.log.format, LogFormat::Pretty);
    assert_eq!(config.worker_id.len(), 8);
    assert_ne!(config.worker_id, read(&[]).unwrap().worker_id);
    assert_eq!(config.warnings(), [""; 0]);
}

/// However few places there are, nobody has all of them, unless an operator says so.
#[test]
fn places_are_shared() {
    let shares = |given: &[_]| read(given).unwrap().live.shares;
    let few = shares(&[("MAX_SESSIONS", "300")]);
    let each = [
        few.of_account,
        few.of_restaurant,
        few.of_address,
        few.strangers,
    ];
    assert_eq!(each, [150; 4]);
    assert_eq!(few.of_visitor, 150);
    assert_eq!(shares(&[("MAX_SESSIONS", "1")]).of_account, 1);
    let one_house = [("MAX_SESSIONS", "300"), ("SOCKETS_PER_RESTAURANT", "300")];
    assert_eq!(shares(&one_house).of_restaurant, 300);
}

#[test]
fn all_faults_are_reported_together() {
    let found = Config::from_vars(|name| match name {
        "PORT" => Some("eighty".to_owned()),
        "REDIS_URL" => Some("http://x".to_owned()),
        _ => None,
    });
    let lines: Vec<_> = found.unwrap_err().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    DATABASE_URL is required, for example DATABASE_URL=postgres://qtable:password@localhost:5432/qtable
    REDIS_URL is to be a redis:// address, or several with commas between them, for example REDIS_URL=redis://localhost:6379/0
    SECRET_KEY is required, for example SECRET_KEY=$(openssl rand -base64 48)
    PORT is to be a whole number from 0 to 65535, for example PORT=8000
    ");
}

#[test]
fn one_fault_for_one_wrong_value() {
    for (variable, good, bad) in [
        ("DATABASE_URL", "postgresql://db/x", "mysql://db/x"),
        (
            "DATABASE_URL",
            "postgres://u:p%40@db:6543/x?sslmode=prefer",
            "postgres://",
        ),
        (
            "DATABASE_URL",
            "postgres://db/x?sslmode=require",
            "postgres://db/x?sslmode=verify-ca",
        ),
        (
            "REDIS_URL",
            "rediss://cache/#insecure",
            "rediss://cache/#careless",
        ),
        (
            "DATABASE_REPLICA_URL",
            "postgres://replica/x?sslmode=require",
            "postgres://replica/x?sslmode=verify-ca",
        ),
        (
            "DATABASE_REPLICA_URL",
            "postgres://replica/x",
            "mysql://replica/x",
        ),
        ("DATABASE_REPLICA_POOL_SIZE", "2", "1"),
        ("DATABASE_REPLICA_MAX_LAG_SECONDS", "2", "1"),
        ("DATABASE_POOL_SIZE", "2", "1"),
        ("REDIS_URL", "redis://:p@cache:6380/1", "cache:6379"),
        ("REDIS_URL", "redis://one, redis://two", "redis://one,two"),
        ("REDIS_CLUSTER", "ON", "yes"),
        ("BUS", "Postgres", "kafka"),
        ("BUS", "local", "redis"),
        ("SECRET_KEY", "12345678", "1234567"),
        ("SECRET_KEY_PREVIOUS", "12345678", "1234567"),
        ("ENVIRONMENT", "Development", "staging"),
        ("LOG_LEVEL", "INFO", "loud"),
        ("LOG_LEVEL", "Warning", "info,="),
        ("LOG_LEVEL", "info,domain=debug", "domain=loud"),
        ("LOG_FORMAT", "JSON", "xml"),
        ("METRICS_PORT", "9100", "70000"),
        ("REGISTRATION", "closed", "maybe"),
        (
            "DEFAULT_RESTAURANT_ID",
            "382926a9-84f3-45e1-9cb3-26db4ef09a53",
            "demo",
        ),
        ("PUBLIC_SOCKETS_PER_ADDRESS", "1", "0"),
        ("HOST", "::", "example.com"),
        ("HOST", "localhost", "0.0.0.0.0"),
        ("PORT", "0", "-1"),
        ("WORKER_ID", "web-1.a_b", "web 1"),
        ("CORS_ORIGINS", "*", "app.example.com"),
        (
            "CORS_ORIGINS",
            "https://a.example, http://localhost:3000/",
            "https://a.example/path",
        ),
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/8, ::1, 192.168.1.7, private",
            "10.0.0.0/99",
        ),
        ("EVENT_RETENTION_DAYS", "30", "0"),
        ("AUDIT_RETENTION_DAYS", "3650", "0"),
        ("WS_HEARTBEAT_INTERVAL", "5", "0"),
        ("WS_SEND_TIMEOUT", "1", "0"),
        ("SOCKET_TRANSPORT", "actix-ws", "tcp"),
        ("SHUTDOWN_GRACE_SECONDS", "0", "1.5"),
        ("ACCESS_TOKEN_MINUTES", "60", "0"),
        ("REFRESH_TOKEN_DAYS", "90", "366"),
        ("BCRYPT_COST", "12", "4"),
        ("HTTP_THREADS", "8", "0"),
        ("RATE_LIMITS", "OFF", "maybe"),
        ("RATE_LIMIT_READS", "1", "0"),
        ("RATE_LIMIT_WORK", "0", "-1"),
        ("MAX_SESSIONS", "20000", "none"),
        ("PUBLIC_SOCKETS", "1", "0"),
        ("SOCKETS_PER_ACCOUNT", "18000", "0"),
        ("SOCKETS_PER_RESTAURANT", "18000", "-1"),
        ("SOCKETS_PER_ADDRESS", "18000", "1000001"),
        (
            "SENTRY_DSN",
            "https://key@sentry.example/1",
            "https://sentry.example/1",
        ),
    ] {
        assert_eq!(faults(&[(variable, good)]), [""; 0], "{variable}={good}");
        assert_eq!(faults(&[(variable, bad)]), [variable], "{variable}={bad}");
    }
}

#[test]
fn an_empty_variable_is_unset() {
    assert!(read(&[("REDIS_URL", ""), ("PORT", " ")]).is_ok());
    assert_eq!(faults(&[("SECRET_KEY", " ")]), ["SECRET_KEY"]);
}

#[test]
fn production_refuses_what_everybody_knows() {
    assert_eq!(faults(&production(&[])), [""; 0]);
    for (variable, bad) in [
        ("SECRET_KEY", "a-short-but-random-key-x7Kq9"),
        ("SECRET_KEY", "your-secret-key-here-please-change-it"),
        ("SECRET_KEY", "CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME"),
        ("SECRET_KEY", "0000000000000000000000000000000000000000"),
        (
            "SECRET_KEY_PREVIOUS",
            "your_secret_key_with_more_than_32_bytes",
        ),
        ("CORS_ORIGINS", "*"),
    ] {
        assert_eq!(faults(&production(&[(variable, bad)])), [variable], "{bad}");
    }
    let admin = |email, password| {
        faults(&production(&[
            ("ADMIN_EMAIL", email),
            ("ADMIN_PASSWORD", password),
        ]))
    };
    assert_eq!(admin("ada@example.com", "correct horse battery"), [""; 0]);
    assert_eq!(
        admin("test@restaurant.com", "correct horse battery"),
        ["ADMIN_EMAIL"]
    );
    assert_eq!(admin("ada@example.com", "password123!"), ["ADMIN_PASSWORD"]);
    // The example of this very check.
    let example = "a-long-password-of-your-own";
    assert_eq!(admin("ada@example.com", example), ["ADMIN_PASSWORD"]);
    assert_eq!(admin("TEST@restaurant.com", example).len(), 2);
    assert_eq!(
        admin("ada\u{200b}@example.com", "correct horse battery"),
        ["ADMIN_EMAIL"]
    );
    assert_eq!(admin("ada@example.com", "short"), ["ADMIN_PASSWORD"]);
}

#[test]
fn workers_hear_of_each_other_by_what_there_is() {
    let bus = |given: &[_]| read(given).unwrap().bus;
    let redis = ("REDIS_URL", "redis://one,redis://two/1");
    assert_eq!(bus(&[]), BusKind::Local);
    assert_eq!(bus(&[redis]), BusKind::Redis);
    assert_eq!(bus(&[redis, ("BUS", "redis")]), BusKind::Redis);
    assert_eq!(bus(&[("BUS", "postgres")]), BusKind::Postgres);
    assert_eq!(bus(&[redis, ("BUS", "postgres")]), BusKind::Postgres);
    assert_eq!(bus(&[redis, ("BUS", "local")]), BusKind::Local);
    let urls = read(&[redis]).unwrap().redis.unwrap().urls;
    let urls: Vec<_> = urls.iter().map(Secret::reveal).collect();
    assert_eq!(urls, ["redis://one", "redis://two/1"]);
    // Without Redis and with a bus, several workers are fine.
    let given = production(&[("BUS", "postgres")]);
    let warned = read(&given).unwrap().warnings().concat();
    assert!(!warned.contains("one worker"), "{warned}");
}

#[test]
fn the_administrator_has_both_or_nothing() {
    assert_eq!(faults(&[("ADMIN_EMAIL", "a@b.c")]), ["ADMIN_PASSWORD"]);
    assert_eq!(
        faults(&[("ADMIN_PASSWORD", "password123")]),
        ["ADMIN_EMAIL"]
    );
    let config = read(&[
        ("ADMIN_EMAIL", "test@restaurant.com"),
        ("ADMIN_PASSWORD", "password123"),
    ]);
    assert_eq!(
        config.unwrap().auth.admin.unwrap().email,
        "test@restaurant.com"
    );
}

#[test]
fn tests_may_hash_cheaply() {
    let cheap = [("ENVIRONMENT", "test"), ("BCRYPT_COST", "4")];
    assert_eq!(read(&cheap).unwrap().auth.bcrypt_cost, 4);
}

#[test]
fn secrets_are_not_shown() {
    let admin = [
        ("ADMIN_EMAIL", "a@b.c"),
        ("ADMIN_PASSWORD", "correct horse"),
    ];
    let shown = format!("{:?}", read(&admin).unwrap());
    let faults = format!(
        "{:?}",
        read(&[("SECRET_KEY", "hunter"), ("DATABASE_URL", "x:hunter2")])
    );
    for secret in [KEY, "hunter", "correct horse"] {
        assert!(!shown.contains(secret), "{shown}");
        assert!(!faults.contains(secret), "{faults}");
    }
}

#[test]
fn warnings_are_no_faults() {
    let count = |given: &[_]| read(given).unwrap().warnings().len();
    assert_eq!(count(&production(&[])), 3);
    assert_eq!(
        count(&production(&[
            ("REDIS_URL", "redis://cache"),
            ("METRICS_TOKEN", "t"),
            ("TRUSTED_PROXIES", "private"),
        ])),
        0
    );
    assert_eq!(count(&[("TRUSTED_PROXIES", "0.0.0.0/0")]), 1);
    assert_eq!(count(&[("SHUTDOWN_GRACE_SECONDS", "2")]), 1);
}

#[test]
fn where_traces_go() {
    assert!(read(&[]).unwrap().traces.is_none());
    let traces = read(&[
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "https://collector.example/otlp/",
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "api-key=se=cret, tenant = one",
        ),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
    ]);
    let traces = traces.unwrap().traces.unwrap();
    assert_eq!(traces.endpoint, "https://collector.example/otlp/v1/traces");
    let headers: Vec<_> = traces
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.reveal()))
        .collect();
    assert_eq!(headers, [("api-key", "se=cret"), ("tenant", "one")]);
    assert_eq!((traces.service.as_str(), traces.ratio), ("qtable", 0.25));
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
    ] {
        let faults = read(&[(variable, value)]).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].variable, variable);
    }
}

#[test]
fn proxies_are_recognised() {
    let proxies = TrustedProxies::parse("private, 203.0.113.7").unwrap();
    for (address, trusted) in [
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("100.64.0.1", true),
        ("fd12::1", true),
        ("203.0.113.7", true),
        ("203.0.113.8", false),
        ("2001:db8::1", false),
    ] {
        assert_eq!(
            proxies.contains(address.parse().unwrap()),
            trusted,
            "{address}"
        );
    }
}
