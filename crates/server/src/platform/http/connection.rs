//! A connection that has left HTTP, and how one is ended.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a peer has to take what was sent last, and to hang up.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much of a peer is read that nobody listens to any more, in bytes: more than what is under way
/// when it is told.
const UNHEARD: usize = 4 * 1024 * 1024;

/// A connection on which from now on something else than HTTP is spoken.
pub(crate) struct Connection {
    /// The bare stream.
    pub(crate) stream: TcpStream,
    /// What the peer has said already.
    pub(crate) unread: BytesMut,
}

/// Writes all of it.
///
/// # Errors
/// When the peer has gone.
pub(super) async fn write(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads and forgets until the peer has gone, or has said more than it could have to say: one that
/// goes on for ever would keep the thread busy for nothing.
pub(super) async fn gone(stream: &TcpStream) {
    let mut scrap = [0; 4096];
    let mut left = UNHEARD;
    while poll_fn(|cx| stream.poll_read_ready(cx)).await.is_ok() {
        match stream.try_read(&mut scrap) {
            Ok(0) => return,
            Ok(read) if read < left => left -= read,
            Ok(_) => return,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Ends a connection in such a way that what was sent last arrives: the kernel resets one that is
/// closed while something of the peer's is unread, and then throws away what it was to send.
pub(crate) async fn part(mut stream: TcpStream) {
    if stream.shutdown().await.is_ok() {
        let _hung_up = timeout(PATIENCE, gone(&stream)).await;
    }
}
