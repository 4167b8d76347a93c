//! Ports of this machine.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// A port on which nobody listens now, below those that are given to outgoing connections: it has
/// to be free again when a worker comes back.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    for _ in 0..100 {
        let port = rand::random_range(20_000..32_000);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port found")
}

/// The address of a port of this machine.
pub(crate) fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
