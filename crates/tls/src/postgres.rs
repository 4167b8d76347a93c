//! How PostgreSQL is reached: its URL, with what the driver does not know of `sslmode`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rustls::ClientConfig;
use rustls::crypto::ring;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::roots::{BadRoots, Roots};
use crate::verifier::NameBlind;
use crate::words::explained;

/// After how much silence a peer is asked whether it is there, and again.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// How long an address may take to accept a connection before the URL's next one is tried.
const CONNECT: Duration = Duration::from_secs(2);

/// How long what was sent may remain unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

/// What a connection is encrypted by.
pub type PostgresStream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// How well a connection is kept from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all: `disable`, or a socket in the file system.
    Plain,
    /// Encrypted if the server can, whoever it is: `prefer`.
    Offered,
    /// Encrypted, whoever answers: `require`.
    Unverified,
    /// Encrypted, and the certificate is of these authorities, whatever its name: `verify-ca`, and
    /// `require` with `sslrootcert`.
    Chain(Roots),
    /// And it is for the host that was asked for: `verify-full`.
    Full(Roots),
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("not encrypted"),
            Self::Offered => f.write_str("encrypted if the server offers it, not verified"),
            Self::Unverified => f.write_str("encrypted, the server is not verified"),
            Self::Chain(roots) => write!(f, "encrypted, verified by {roots}, under any name"),
            Self::Full(roots) => write!(f, "encrypted, verified by {roots}, with its name"),
        }
    }
}

/// A PostgreSQL server, with a database in it and who we are there. Cheap to clone.
#[derive(Clone)]
pub struct PostgresServer {
    config: Config,
    tls: MakeRustlsConnect,
    security: Security,
}

/// An address will not do.
#[derive(Debug, thiserror::Error)]
pub enum BadPostgresUrl {
    /// It is none.
    #[error("is not a PostgreSQL address: {0}")]
    Url(String),
    /// It does not say clearly how to encrypt.
    #[error("{0}")]
    Tls(&'static str),
    /// What it names cannot be gone by.
    #[error("names authorities that cannot be used: {0}")]
    Roots(#[from] BadRoots),
}

/// A server could not be reached, in words for an operator.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub struct Unreachable {
    words: String,
}

impl PostgresServer {
    /// Reads `postgres://…`, and the authorities that it names. Connects to nothing.
    ///
    /// `sslmode` is as PostgreSQL's own library has it: `disable`, `prefer` (which is the default),
    /// `require`, `verify-ca`, `verify-full`; `sslrootcert` is a file or `system`. With the latter,
    /// and with nothing, `verify-full` goes by the system's authorities, and no other mode does:
    /// anybody can have a certificate of those.
    ///
    /// # Errors
    /// When it is none, contradicts itself, or its authorities cannot be read.
    pub fn parse(url: &str) -> Result<Self, BadPostgresUrl> {
        let (rest, mode, roots) = without_tls(url)?;
        let mut config: Config = rest.parse().map_err(|error: tokio_postgres::Error| {
            // The cause may quote a part of the address, but never the password.
            BadPostgresUrl::Url(explained(&error))
        })?;
        if !rest.contains("keepalives") {
            // An idle connection that nobody asks anything would otherwise be kept for two hours.
            config
                .keepalives_idle(KEEPALIVE)
                .keepalives_interval(KEEPALIVE)
                .keepalives_retries(3);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED);
        }
        let mut security = security(mode.as_deref(), roots)?;
        if is_on_this_machine(&config) {
            security = Security::Plain;
        }
        config.ssl_mode(match security {
            Security::Plain => SslMode::Disable,
            Security::Offered => SslMode::Prefer,
            Security::Unverified | Security::Chain(_) | Security::Full(_) => SslMode::Require,
        });
        let mut tls = client(&security)?;
        if config.get_ssl_negotiation() == SslNegotiation::Direct {
            tls.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(Self {
            config,
            tls: MakeRustlsConnect::new(tls),
            security,
        })
    }

    /// How well connections are kept from others.
    #[must_use]
    pub fn security(&self) -> &Security {
        &self.security
    }

    /// What else is said of connections, to say more.
    pub fn config(&mut self) -> &mut Config {
        &mut self.config
    }

    /// Connects. Somebody has to poll the connection.
    ///
    /// # Errors
    /// When nobody answers, or somebody who will not do.
    pub async fn connect(
        &self,
    ) -> Result<(Client, Connection<Socket, PostgresStream>), Unreachable> {
        let connected = self.config.connect(self.tls.clone()).await;
        connected.map_err(|error| Unreachable {
            words: explained(&error),
        })
    }
}

impl fmt::Debug for PostgresServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresServer")
            .field("hosts", &self.config.get_hosts())
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

/// As PostgreSQL's own library: nobody is between the two ends.
fn is_on_this_machine(config: &Config) -> bool {
    let hosts = config.get_hosts();
    !hosts.is_empty() && hosts.iter().all(|host| matches!(host, Host::Unix(_)))
}

type Taken = (String, Option<String>, Option<Roots>);

/// The URL as the driver understands it, and what was taken out.
fn without_tls(url: &str) -> Result<Taken, BadPostgresUrl> {
    let is_url = ["postgres://", "postgresql://"];
    if !is_url.iter().any(|scheme| url.starts_with(scheme)) {
        return Err(BadPostgresUrl::Url("it begins otherwise".to_owned()));
    }
    // A password may have a question mark in it.
    let authority = url.find('@').unwrap_or(0);
    let Some(query) = url.get(authority..).and_then(|rest| rest.find('?')) else {
        return Ok((url.to_owned(), None, None));
    };
    let (place, query) = url.split_at(authority + query);
    let (mut mode, mut roots, mut others) = (None, None, Vec::new());
    for pair in query.trim_start_matches('?').split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value)
            .decode_utf8()
            .map_err(|_| BadPostgresUrl::Url(format!("{name} is not text")))?;
        match name {
            "sslmode" => mode = Some(value.into_owned()),
            "sslrootcert" => {
                roots = Some(match value.as_ref() {
                    "system" => Roots::System,
                    file => Roots::File(file.into()),
                });
            }
            _ => others.push(pair),
        }
    }
    let mark = if others.is_empty() { "" } else { "?" };
    Ok((format!("{place}{mark}{}", others.join("&")), mode, roots))
}

fn security(mode: Option<&str>, roots: Option<Roots>) -> Result<Security, BadPostgresUrl> {
    Ok(match (mode, roots) {
        (Some("disable"), None) => Security::Plain,
        (None | Some("prefer"), None) => Security::Offered,
        (Some("require"), None) => Security::Unverified,
        (Some("require" | "verify-ca"), Some(roots @ Roots::File(_))) => Security::Chain(roots),
        (None, Some(Roots::System)) => Security::Full(Roots::System),
        (Some("verify-full"), roots) => Security::Full(roots.unwrap_or(Roots::System)),
        (Some("verify-ca"), None) => {
            return Err(BadPostgresUrl::Tls(
                "has sslmode=verify-ca without sslrootcert=<file>: anybody can have a certificate \
                 of the system's authorities, so use verify-full with those",
            ));
        }
        (Some("require" | "verify-ca"), Some(Roots::System)) => {
            return Err(BadPostgresUrl::Tls(
                "has sslrootcert=system with a weaker mode than sslmode=verify-full: anybody can \
                 have a certificate of the system's authorities",
            ));
        }
        (None | Some("disable" | "prefer"), Some(_)) => {
            return Err(BadPostgresUrl::Tls(
                "has sslrootcert, but without sslmode=require, verify-ca or verify-full nothing is \
                 verified",
            ));
        }
        (Some(_), _) => {
            return Err(BadPostgresUrl::Tls(
                "is to have an sslmode of disable, prefer, require, verify-ca or verify-full",
            ));
        }
    })
}

fn client(security: &Security) -> Result<ClientConfig, BadPostgresUrl> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| BadPostgresUrl::Url(error.to_string()))?;
    let roots = match security {
        Security::Full(roots) => {
            let builder = builder.with_root_certificates(roots.load()?);
            return Ok(builder.with_no_client_auth());
        }
        Security::Chain(roots) => Some(roots.load()?),
        Security::Plain | Security::Offered | Security::Unverified => None,
    };
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(NameBlind { roots, provider }))
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(query: &str) -> Config {
        let url = format!("postgres://u:p@db/x{query}");
        PostgresServer::parse(&url).unwrap().config().clone()
    }

    fn said(query: &str) -> String {
        match PostgresServer::parse(&format!("postgres://u:p%3F?@db{query}")) {
            Ok(server) => server.security().to_string(),
            Err(error) => format!("✗ {error}"),
        }
    }

    #[test]
    fn what_a_mode_means() {
        for (query, security) in [
            ("", Security::Offered),
            ("/x?sslmode=prefer", Security::Offered),
            ("/x?sslmode=disable", Security::Plain),
            ("?sslmode=require", Security::Unverified),
            ("/x?sslmode=verify-full", Security::Full(Roots::System)),
            ("/x?sslrootcert=system", Security::Full(Roots::System)),
        ] {
            assert_eq!(said(query), security.to_string(), "{query}");
        }
    }

    #[test]
    fn what_would_verify_nothing_is_refused() {
        for (query, words) in [
            ("/x?sslmode=verify-ca", "without sslrootcert=<file>"),
            ("/x?sslmode=verify-ca&sslrootcert=system", "weaker mode"),
            ("/x?sslmode=require&sslrootcert=system", "weaker mode"),
            ("/x?sslrootcert=/ca.pem", "nothing is verified"),
            ("/x?sslmode=allow", "is to have an sslmode of"),
            ("/x?sslmode=Require", "is to have an sslmode of"),
            (
                "/x?sslmode=verify-full&sslrootcert=/none.pem",
                "/none.pem cannot be read",
            ),
            ("/x?sslcert=/c.pem", "sslcert"),
        ] {
            let said = said(query);
            assert!(
                said.starts_with('✗') && said.contains(words),
                "{query}: {said}"
            );
        }
        assert!(PostgresServer::parse("redis://localhost").is_err());
    }

    #[test]
    fn the_rest_is_the_drivers() {
        let url = "postgres://u:a?b@db:6543/x?sslmode=require&application_name=me&channel_binding=require";
        let mut server = PostgresServer::parse(url).unwrap();
        let config = server.config();
        assert_eq!(config.get_password(), Some(b"a?b".as_slice()));
        assert_eq!(config.get_application_name(), Some("me"));
        assert_eq!(config.get_ports(), [6543]);
        assert_eq!(config.get_ssl_mode(), SslMode::Require);
    }

    #[test]
    fn a_socket_in_the_file_system_is_not_encrypted() {
        let server = PostgresServer::parse("postgres://%2Frun%2Fpg/x?sslmode=require").unwrap();
        assert_eq!(server.security(), &Security::Plain);
    }

    #[test]
    fn a_peer_that_is_gone_is_noticed_unless_the_url_says_otherwise() {
        let config = server("");
        assert_eq!(config.get_keepalives_idle(), KEEPALIVE);
        assert_eq!(config.get_keepalives_retries(), Some(3));
        assert_eq!(config.get_tcp_user_timeout(), Some(&UNACKNOWLEDGED));
        assert_eq!(config.get_connect_timeout(), Some(&CONNECT));

        let config = server("?keepalives_idle=60&tcp_user_timeout=5");
        assert_eq!(config.get_keepalives_idle(), Duration::from_secs(60));
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_secs(5)));
    }
}
