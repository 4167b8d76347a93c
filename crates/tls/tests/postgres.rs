//! Against a PostgreSQL with a certificate, and one without.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use testkit::authority::Authority;
use testkit::postgres::PostgresServer as Server;
use tls::PostgresServer;

/// Connects, and says by what the connection is encrypted or why there is none.
async fn outcome(url: &str) -> Result<Option<String>, String> {
    let server = PostgresServer::parse(url).map_err(|error| error.to_string())?;
    let (client, connection) = server.connect().await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let asked = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    Ok(client.query_one(asked, &[]).await.unwrap().get(0))
}

#[tokio::test]
async fn each_mode_accepts_and_refuses_what_it_says() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = Server::with_tls(&ours.identity(&["localhost"])).await;
    let (ours, theirs) = (ours.file(), theirs.file());
    // The same server by a name that is in its certificate, and by one that is not.
    let named = server.url("postgres").replace("127.0.0.1", "localhost");
    let other = server.url("postgres");
    let with = |url: &str, query: &str| {
        let query = query.replace("OURS", &ours).replace("THEIRS", &theirs);
        format!("{url}?{query}")
    };
    let encrypted = Ok(Some("TLSv1.3".to_owned()));
    for (url, query) in [
        (&other, "application_name=prefer_is_the_default"),
        (&other, "sslmode=prefer"),
        (&other, "sslmode=require"),
        // The server knows by the binding of channels that nobody is between.
        (&other, "sslmode=require&channel_binding=require"),
        (&other, "sslmode=require&sslrootcert=OURS"),
        (&other, "sslmode=verify-ca&sslrootcert=OURS"),
        (&named, "sslmode=verify-full&sslrootcert=OURS"),
    ] {
        assert_eq!(outcome(&with(url, query)).await, encrypted, "{query}");
    }
    assert_eq!(outcome(&with(&other, "sslmode=disable")).await, Ok(None));
    for (url, query, words) in [
        (
            &named,
            "sslmode=require&sslrootcert=THEIRS",
            "of no authority",
        ),
        (
            &named,
            "sslmode=verify-ca&sslrootcert=THEIRS",
            "of no authority",
        ),
        (
            &named,
            "sslmode=verify-full&sslrootcert=THEIRS",
            "of no authority",
        ),
        (&named, "sslmode=verify-full", "of no authority"),
        (
            &other,
            "sslmode=verify-full&sslrootcert=OURS",
            "another host name",
        ),
    ] {
        let error = outcome(&with(url, query)).await.unwrap_err();
        assert!(error.contains(words), "{query}: {error}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_unless_it_may_be() {
    let url = testkit::database::admin_url();
    for mode in ["prefer", "disable"] {
        assert_eq!(outcome(&format!("{url}?sslmode={mode}")).await, Ok(None));
    }
    let authority = Authority::new();
    for query in [
        "sslmode=require".to_owned(),
        format!("sslmode=verify-full&sslrootcert={}", authority.file()),
    ] {
        let error = outcome(&format!("{url}?{query}")).await.unwrap_err();
        assert_eq!(error, "the server has no TLS, and sslmode asks for it");
    }
}
