//! Where servers are, and from where they are called.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Context;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpSocket, TcpStream};

/// How many connections come from one address: there are some 28,000 ports for each.
const PER_ADDRESS: usize = 20_000;

/// A server that was named by a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Worker {
    /// `http://host:port`.
    pub(crate) base: String,
    /// `host:port`.
    pub(crate) authority: String,
    pub(crate) address: SocketAddr,
    /// What follows the authority.
    pub(crate) path: String,
}

impl Worker {
    /// Finds it.
    ///
    /// # Errors
    /// When the URL is not one of `http` or `ws`, or its host has no address.
    pub(crate) async fn find(url: &str) -> anyhow::Result<Self> {
        let parsed = Url::parse(url).with_context(|| format!("{url} is not a URL"))?;
        anyhow::ensure!(
            matches!(parsed.scheme(), "http" | "ws"),
            "{url}: only http:// and ws:// are measured"
        );
        let host = parsed
            .host_str()
            .with_context(|| format!("{url} names no host"))?;
        let port = parsed.port_or_known_default().unwrap_or(80);
        let authority = format!("{host}:{port}");
        let address = tokio::net::lookup_host(&authority)
            .await
            .with_context(|| format!("looking for {host}"))?
            .next()
            .with_context(|| format!("{host} has no address"))?;
        let query = parsed
            .query()
            .map_or(String::new(), |query| format!("?{query}"));
        Ok(Self {
            base: format!("http://{authority}"),
            authority,
            address,
            path: format!("{}{query}", parsed.path()),
        })
    }

    /// Opens the connection of this number. On the loopback the source address varies with it.
    pub(crate) async fn connect(&self, number: usize) -> std::io::Result<TcpStream> {
        let socket = match self.address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(source) = source(self.address.ip(), number) {
            socket.bind(SocketAddr::new(source, 0))?;
        }
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// The address from which the connection of this number comes; none where the system chooses it.
fn source(target: IpAddr, number: usize) -> Option<IpAddr> {
    let last = u8::try_from(number / PER_ADDRESS + 1).ok()?;
    (target == Ipv4Addr::LOCALHOST).then(|| Ipv4Addr::new(127, 0, 0, last).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn urls_are_taken_apart() {
        let worker = Worker::find("ws://127.0.0.1:8080/sub/x?a=b").await.unwrap();
        assert_eq!(worker.base, "http://127.0.0.1:8080");
        assert_eq!(worker.path, "/sub/x?a=b");
        assert_eq!(worker.address, "127.0.0.1:8080".parse().unwrap());
        Worker::find("https://127.0.0.1").await.unwrap_err();
        Worker::find("127.0.0.1:80").await.unwrap_err();
    }

    #[test]
    fn each_source_address_has_ports_for_its_connections() {
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let address = |number| source(here, number).map(|address| address.to_string());
        assert_eq!(address(0).as_deref(), Some("127.0.0.1"));
        assert_eq!(address(19_999).as_deref(), Some("127.0.0.1"));
        assert_eq!(address(20_000).as_deref(), Some("127.0.0.2"));
        assert_eq!(source([10, 0, 0, 1].into(), 20_000), None);
    }
}
