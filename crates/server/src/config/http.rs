//! Where the server listens, and whom it believes.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use actix_web::http::Uri;
use ipnet::IpNet;

use super::Environment;
use super::vars::Vars;

/// Everything about HTTP.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on.
    pub port: u16,
    /// How many threads answer.
    pub threads: usize,
    /// Where people reach the server.
    pub public_url: PublicUrl,
    /// Which web pages may call.
    pub cors: CorsOrigins,
    /// Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: TrustedProxies,
    /// How long open sockets are given at the end.
    pub shutdown_grace: Duration,
}

/// Where people reach the server: an origin, `https://host[:port]`. The only source of links:
/// whatever a request says of the host it was sent to may be a stranger's invention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    fn parse(text: &str, environment: Environment) -> Result<Self, String> {
        let origin = text.trim_end_matches('/').to_ascii_lowercase();
        if !is_origin(&origin) {
            return Err("is to be https://host[:port] and no more".to_owned());
        }
        let is_secure = origin.starts_with("https://");
        // At a desk there are no certificates.
        if !is_secure && (environment.is_production() || !origin.starts_with("http://")) {
            return Err("is to begin with https://".to_owned());
        }
        Ok(Self(origin))
    }

    /// The origin, as browsers send it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0
    }

    /// The link to a page with a secret.
    #[must_use]
    pub fn to(&self, page: &str, secret: &str) -> String {
        format!("{}/{page}/{secret}", self.0)
    }
}

/// Which web pages may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    /// All of them.
    Any,
    /// These; none of other origins when the list is empty.
    These(Vec<String>),
}

/// The proxies in front of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads a comma list of addresses, networks and the word `private`.
    ///
    /// # Errors
    /// A sentence about the part that is none of them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut networks = Vec::new();
        for part in list(text) {
            if part.eq_ignore_ascii_case("private") {
                networks.extend(PRIVATE.iter().filter_map(|net| net.parse::<IpNet>().ok()));
            } else if let Ok(network) = part.parse() {
                networks.push(network);
            } else if let Ok(address) = part.parse::<IpAddr>() {
                networks.push(address.into());
            } else {
                return Err(format!(
                    "has {part:?}, which is neither an address nor a network"
                ));
            }
        }
        Ok(Self(networks))
    }

    /// Whether this address is one of the proxies.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        // A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d.
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn trusts_everybody(&self) -> bool {
        self.0.iter().any(|network| network.prefix_len() == 0)
    }
}

/// `private`: loopback, link-local, RFC 1918, carrier-grade NAT, unique local IPv6. Platforms that
/// keep the addresses of their load balancers to themselves reach us from one of these.
const PRIVATE: [&str; 8] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

const ORIGINS: (&str, &str) = (
    "CORS_ORIGINS",
    "https://app.example.com,https://kitchen.example.com",
);
const PUBLIC_URL: (&str, &str) = ("PUBLIC_URL", "https://qtable.example.com");
const PROXIES: (&str, &str) = ("TRUSTED_PROXIES", "10.0.0.0/8,192.168.1.7");

pub(super) fn read(vars: &Vars<'_>, environment: Environment, cores: usize) -> HttpConfig {
    let host = |text: &str| match text {
        "localhost" => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        _ => text
            .trim_matches(['[', ']'])
            .parse()
            .map_err(|_| "is to be an address of this machine".to_owned()),
    };
    let port = vars.number("PORT", "8000", 0..=u16::MAX, 8000);
    HttpConfig {
        public_url: public_url(vars, environment, port),
        host: vars
            .parsed("HOST", "0.0.0.0", host)
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        port,
        threads: vars.number("HTTP_THREADS", "2", 1..=1024, cores),
        cors: vars
            .parsed(ORIGINS.0, ORIGINS.1, |text| origins(text, environment))
            .unwrap_or_else(|| CorsOrigins::These(Vec::new())),
        trusted_proxies: vars
            .parsed(PROXIES.0, PROXIES.1, TrustedProxies::parse)
            .unwrap_or_default(),
        shutdown_grace: Duration::from_secs(vars.number(
            "SHUTDOWN_GRACE_SECONDS",
            "25",
            0..=3600,
            25,
        )),
    }
}

fn public_url(vars: &Vars<'_>, environment: Environment, port: u16) -> PublicUrl {
    let (name, example) = PUBLIC_URL;
    if environment.is_production() && vars.text(name).is_none() {
        let problem = "is required in production: links are made of it";
        vars.fault(name, problem, example);
    }
    vars.parsed(name, example, |text| PublicUrl::parse(text, environment))
        .unwrap_or_else(|| PublicUrl(format!("http://localhost:{port}")))
}

fn origins(text: &str, environment: Environment) -> Result<CorsOrigins, String> {
    if text == "*" {
        return if environment.is_production() {
            Err("is not to be * in production".to_owned())
        } else {
            Ok(CorsOrigins::Any)
        };
    }
    let origins: Vec<_> = list(text)
        // Written with a slash at the end, it would never match what a browser sends.
        .map(|origin| origin.trim_end_matches('/').to_ascii_lowercase())
        .collect();
    match origins.iter().find(|origin| !is_origin(origin)) {
        Some(bad) => Err(format!("has {bad:?}, which is not scheme://host[:port]")),
        None => Ok(CorsOrigins::These(origins)),
    }
}

fn is_origin(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        uri.scheme().is_some()
            && uri.path_and_query().is_none_or(|rest| rest == "/")
            && uri
                .authority()
                .is_some_and(|host| !host.as_str().contains(['@', '*']))
    })
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

pub(super) fn warnings(http: &HttpConfig, environment: Environment, warn: &mut Vec<String>) {
    if http.trusted_proxies.trusts_everybody() {
        warn.push(
            "TRUSTED_PROXIES trusts every address: clients can claim any address for themselves."
                .to_owned(),
        );
    }
    if environment.is_production() && http.trusted_proxies.is_empty() {
        warn.push(
            "TRUSTED_PROXIES is not set: behind a load balancer all clients seem to have its \
             address, and share one rate limit and half of the sockets. Where its address is not known, \
             TRUSTED_PROXIES=private trusts the private networks."
                .to_owned(),
        );
    }
    if http.shutdown_grace < Duration::from_secs(3) {
        warn.push(
            "SHUTDOWN_GRACE_SECONDS is below 3: at a deploy all sockets are closed at once and \
             come back together."
                .to_owned(),
        );
    }
}
