//! A TCP proxy that misbehaves on demand.

use std::collections::HashMap;
use std::fmt::Display;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Stands between a client and a server on a port of its own.
///
/// It runs on the runtime that started it and ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    url: String,
    listening: AbortHandle,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Open,
    Slow(Duration),
    Frozen,
    Refusing,
}

#[derive(Debug)]
struct Shared {
    upstream: Mutex<String>,
    mode: watch::Sender<Mode>,
    links: Mutex<HashMap<u64, AbortHandle>>,
    accepted: AtomicU64,
}

impl Proxy {
    /// Starts a proxy to `upstream`, a socket address or `host:port`.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start(upstream: impl Display) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream.to_string()),
            mode: watch::Sender::new(Mode::Open),
            links: Mutex::default(),
            accepted: AtomicU64::new(0),
        });
        Self {
            listening: tokio::spawn(accept(Arc::clone(&shared), listener)).abort_handle(),
            shared,
            address,
            url: address.to_string(),
        }
    }

    /// Starts a proxy to the server of a `postgres://` or `redis://` URL; see [`Proxy::url`].
    ///
    /// # Panics
    /// When `url` names no host.
    pub async fn for_url(url: &str) -> Self {
        let (before, server, after) = split_url(url);
        let mut proxy = Self::start(server).await;
        proxy.url = format!("{before}{}{after}", proxy.address);
        proxy
    }

    /// Where clients connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL given to [`Proxy::for_url`] with the proxy's address in it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Leads new connections to another server; those that are open stay where they are.
    pub fn lead_to(&self, upstream: impl Display) {
        *self.shared.upstream.lock().unwrap() = upstream.to_string();
    }

    /// Closes all current connections. New ones are served as before.
    pub fn cut(&self) {
        let links = std::mem::take(&mut *self.shared.links());
        for link in links.into_values() {
            link.abort();
        }
    }

    /// Closes all current connections and every new one.
    pub fn refuse(&self) {
        self.shared.mode.send_replace(Mode::Refusing);
        self.cut();
    }

    /// Carries nothing any more and says nothing about it: the half-open link that a lost route
    /// or a dead peer leaves. New connections are accepted into the same silence.
    ///
    /// TCP loses no bytes, so neither does this: what was in flight stays there, writers block
    /// once the buffers are full, and [`Proxy::heal`] delivers late. Use [`Proxy::cut`] before
    /// healing for a peer that has forgotten the connection.
    pub fn freeze(&self) {
        self.shared.mode.send_replace(Mode::Frozen);
    }

    /// Delays every chunk in both directions.
    pub fn slow(&self, delay: Duration) {
        self.shared.mode.send_replace(Mode::Slow(delay));
    }

    /// Back to normal.
    pub fn heal(&self) {
        self.shared.mode.send_replace(Mode::Open);
    }

    /// How many connections are open now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.links().len()
    }

    /// How many connections were accepted so far, the refused ones not counted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

impl Shared {
    fn links(&self) -> MutexGuard<'_, HashMap<u64, AbortHandle>> {
        self.links.lock().unwrap()
    }
}

/// Takes a link off the list when it ends, however it ends.
struct Listed {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.shared.links().remove(&self.id);
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    while let Ok((client, _)) = listener.accept().await {
        // Under the lock, so that a `refuse` at this moment sees this link or is seen by it, and
        // a link that ends at once is listed before it takes itself off.
        let mut links = shared.links();
        if *shared.mode.borrow() == Mode::Refusing {
            continue;
        }
        let listed = Listed {
            id: shared.accepted.fetch_add(1, Ordering::Relaxed),
            shared: Arc::clone(&shared),
        };
        links.insert(
            listed.id,
            tokio::spawn(async move {
                // Either side's failure is shown to the other as a closed connection.
                let _closed = link(&listed.shared, client).await;
            })
            .abort_handle(),
        );
    }
}

async fn link(shared: &Shared, client: TcpStream) -> io::Result<()> {
    let mut mode = shared.mode.subscribe();
    hold(&mut mode).await;
    let upstream = shared.upstream.lock().unwrap().clone();
    let server = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        pump(from_client, to_server, mode.clone()),
        pump(from_server, to_client, mode),
    )?;
    Ok(())
}

/// Carries one direction until its end, and passes the end on.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            biased;
            () = frozen(&mut mode) => { hold(&mut mode).await; continue }
            read = from.read(&mut buffer) => read?,
        };
        delay(&mut mode).await;
        let mut rest = buffer.get(..read).unwrap_or_default();
        if rest.is_empty() {
            hold(&mut mode).await;
            return to.shutdown().await;
        }
        while !rest.is_empty() {
            tokio::select! {
                biased;
                () = frozen(&mut mode) => hold(&mut mode).await,
                written = to.write(rest) => rest = rest.get(written?..).unwrap_or_default(),
            }
        }
    }
}

/// Until the link is frozen.
async fn frozen(mode: &mut watch::Receiver<Mode>) {
    // The sender is gone only when the link is, too.
    let _ended = mode.wait_for(|mode| *mode == Mode::Frozen).await;
}

/// As long as the link is frozen.
async fn hold(mode: &mut watch::Receiver<Mode>) {
    let _ended = mode.wait_for(|mode| *mode != Mode::Frozen).await;
}

/// As long as the link is slow, at most the delay.
async fn delay(mode: &mut watch::Receiver<Mode>) {
    let Mode::Slow(delay) = *mode.borrow_and_update() else {
        return;
    };
    tokio::select! {
        _ = mode.changed() => {}
        () = tokio::time::sleep(delay) => {}
    }
}

/// What stands before the server in a URL, `host:port`, and what stands after it.
fn split_url(url: &str) -> (String, String, String) {
    let (scheme, rest) = url
        .split_once("://")
        .unwrap_or_else(|| panic!("{url:?} is not a URL"));
    let (authority, after) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, server) = match authority.rsplit_once('@') {
        Some((user, server)) => (format!("{user}@"), server),
        None => (String::new(), authority),
    };
    assert!(!server.is_empty(), "{url:?} names no host");
    // The colons of an IPv6 address stand before its bracket.
    let server = match server.rsplit(']').next() {
        Some(port) if port.contains(':') => server.to_owned(),
        _ if scheme.starts_with("redis") => format!("{server}:6379"),
        _ => format!("{server}:5432"),
    };
    (format!("{scheme}://{user}"), server, after.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::{self, DEADLINE};

    const SHORT: Duration = Duration::from_millis(100);

    /// A server that says everything back.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        address
    }

    async fn proxy_and_client() -> (Proxy, TcpStream) {
        let proxy = Proxy::start(echo().await).await;
        let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
        say(&mut client, b"hello").await;
        hear(&mut client, b"hello").await;
        (proxy, client)
    }

    async fn say(client: &mut TcpStream, words: &[u8]) {
        client.write_all(words).await.unwrap();
    }

    async fn hear(client: &mut TcpStream, words: &[u8]) {
        let mut heard = vec![0; words.len()];
        tokio::time::timeout(DEADLINE, client.read_exact(&mut heard))
            .await
            .expect("an answer in time")
            .unwrap();
        assert_eq!(heard, words);
    }

    async fn hear_nothing(client: &mut TcpStream) {
        let silence = tokio::time::timeout(SHORT, client.read_u8()).await;
        silence.expect_err("nothing to be heard");
    }

    async fn hear_the_end(client: &mut TcpStream) {
        let read = tokio::time::timeout(DEADLINE, client.read(&mut [0; 64])).await;
        assert!(matches!(read.expect("closed in time"), Ok(0) | Err(_)));
    }

    #[tokio::test]
    async fn carries_bytes_and_the_end_of_them() {
        let (proxy, mut client) = proxy_and_client().await;
        assert_eq!((proxy.connections(), proxy.accepted()), (1, 1));
        let long = vec![7; 1 << 20];
        let (mut read, mut write) = client.split();
        let mut back = Vec::new();
        let (read, written) = tokio::join!(read.read_to_end(&mut back), async {
            write.write_all(&long).await?;
            write.shutdown().await
        });
        written.unwrap();
        assert_eq!(read.unwrap(), long.len());
        wait::until("the link's end", DEADLINE, async || {
            (proxy.connections() == 0).then_some(())
        })
        .await;
    }

    #[tokio::test]
    async fn a_cut_closes_what_is_open_and_nothing_else() {
        let (proxy, mut client) = proxy_and_client().await;
        proxy.cut();
        assert_eq!(proxy.connections(), 0);
        hear_the_end(&mut client).await;
        let mut next = TcpStream::connect(proxy.addr()).await.unwrap();
        say(&mut next, b"again").await;
        hear(&mut next, b"again").await;
    }

    #[tokio::test]
    async fn refuses_until_healed() {
        let (proxy, mut client) = proxy_and_client().await;
        proxy.refuse();
        hear_the_end(&mut client).await;
        let mut next = TcpStream::connect(proxy.addr()).await.unwrap();
        hear_the_end(&mut next).await;
        proxy.heal();
        let mut next = TcpStream::connect(proxy.addr()).await.unwrap();
        say(&mut next, b"again").await;
        hear(&mut next, b"again").await;
    }

    #[tokio::test]
    async fn a_frozen_link_is_silent_and_delivers_when_healed() {
        let (proxy, mut client) = proxy_and_client().await;
        proxy.freeze();
        say(&mut client, b"anyone?").await;
        hear_nothing(&mut client).await;
        let mut newcomer = TcpStream::connect(proxy.addr()).await.unwrap();
        say(&mut newcomer, b"hello?").await;
        hear_nothing(&mut newcomer).await;
        proxy.heal();
        hear(&mut client, b"anyone?").await;
        hear(&mut newcomer, b"hello?").await;
    }

    #[tokio::test]
    async fn a_frozen_link_can_be_cut() {
        let (proxy, mut client) = proxy_and_client().await;
        proxy.freeze();
        hear_nothing(&mut client).await;
        proxy.cut();
        hear_the_end(&mut client).await;
        let mut newcomer = TcpStream::connect(proxy.addr()).await.unwrap();
        say(&mut newcomer, b"hello?").await;
        hear_nothing(&mut newcomer).await;
    }

    #[tokio::test]
    async fn slow_in_both_directions() {
        let (proxy, mut client) = proxy_and_client().await;
        proxy.slow(SHORT);
        let start = std::time::Instant::now();
        say(&mut client, b"slowly").await;
        hear(&mut client, b"slowly").await;
        assert!(start.elapsed() >= SHORT * 2);
        proxy.slow(Duration::from_secs(3600));
        say(&mut client, b"later").await;
        hear_nothing(&mut client).await;
        proxy.heal();
        hear(&mut client, b"later").await;
    }

    #[tokio::test]
    async fn a_dead_server_looks_like_one() {
        let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = nobody.local_addr().unwrap();
        drop(nobody);
        let proxy = Proxy::start(address).await;
        let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
        hear_the_end(&mut client).await;
    }

    #[tokio::test]
    async fn leads_elsewhere() {
        let (proxy, mut client) = proxy_and_client().await;
        let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        proxy.lead_to(nobody.local_addr().unwrap());
        say(&mut client, b"still here").await;
        hear(&mut client, b"still here").await;
        let _next = TcpStream::connect(proxy.addr()).await.unwrap();
        let arrived = tokio::time::timeout(DEADLINE, nobody.accept()).await;
        arrived.expect("a connection in time").unwrap();
    }

    #[tokio::test]
    async fn ends_with_its_value() {
        let (proxy, mut client) = proxy_and_client().await;
        let address = proxy.addr();
        drop(proxy);
        hear_the_end(&mut client).await;
        wait::until("a refusal", DEADLINE, async || {
            TcpStream::connect(address).await.err()
        })
        .await;
    }

    #[tokio::test]
    async fn stands_in_for_the_server_of_a_url() {
        let server = echo().await;
        let proxy = Proxy::for_url(&format!("redis://:secret@{server}/3?x=y")).await;
        let address = proxy.addr();
        assert_eq!(proxy.url(), format!("redis://:secret@{address}/3?x=y"));
        let mut client = TcpStream::connect(address).await.unwrap();
        say(&mut client, b"hello").await;
        hear(&mut client, b"hello").await;
    }

    #[test]
    fn the_server_of_a_url() {
        for (url, server) in [
            ("postgres://u:p%40@db:6543/x?sslmode=disable", "db:6543"),
            ("postgres://db/x", "db:5432"),
            ("postgresql://u@db?a=b:c", "db:5432"),
            ("redis://localhost", "localhost:6379"),
            ("rediss://u:p@cache:1", "cache:1"),
            ("redis://[::1]/0", "[::1]:6379"),
            ("redis://[::1]:7/0", "[::1]:7"),
        ] {
            assert_eq!(split_url(url).1, server, "{url}");
        }
    }
}
