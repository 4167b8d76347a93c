//! Where a request comes from, when there are proxies in between.

use std::net::{IpAddr, SocketAddr};

use actix_web::dev::RequestHead;
use actix_web::http::header::HeaderMap;

use crate::config::TrustedProxies;

/// The address of the client.
///
/// `X-Forwarded-For` is read from the right, where our own proxies write, and only as far as each
/// writer is trusted: what stands to the left of the first stranger is the stranger's claim.
#[must_use]
pub fn client_ip(head: &RequestHead, proxies: &TrustedProxies) -> Option<IpAddr> {
    let peer = head.peer_addr?.ip().to_canonical();
    let mut client = peer;
    for claim in forwarded(&head.headers) {
        if !proxies.contains(client) {
            break;
        }
        match claim {
            Some(address) => client = address,
            None => break,
        }
    }
    Some(client)
}

/// A home: an IPv4 address or, of IPv6, a /64; whoever has one address of it has all.
pub type Network = [u8; 8];

/// The home of an address.
#[must_use]
pub fn network(address: IpAddr) -> Network {
    let bytes = match address.to_canonical() {
        // Where no network of IPv6 lies.
        IpAddr::V4(address) => {
            return (0xffff_0000_0000 | u64::from(address.to_bits())).to_be_bytes();
        }
        IpAddr::V6(address) => address.to_bits(),
    };
    u64::try_from(bytes >> 64).unwrap_or_default().to_be_bytes()
}

/// Whether the client spoke TLS, as far as a trusted proxy says so.
#[must_use]
pub fn is_https(head: &RequestHead, proxies: &TrustedProxies) -> bool {
    let trusted = head
        .peer_addr
        .is_some_and(|peer| proxies.contains(peer.ip()));
    trusted
        && head
            .headers
            .get("x-forwarded-proto")
            .and_then(|value| value.to_str().ok()?.split(',').next())
            .is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
}

/// The addresses of `X-Forwarded-For`, the last one first; `None` for what is not an address.
fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let lines: Vec<_> = headers.get_all("x-forwarded-for").collect();
    lines.into_iter().rev().flat_map(|line| {
        let parts = line.to_str().unwrap_or("?").rsplit(',');
        parts.map(|part| address(part.trim()))
    })
}

/// Some proxies write the port too.
fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .or_else(|_| text.trim_matches(['[', ']']).parse())
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(peer: &str, headers: &[(&'static str, &'static str)]) -> TestRequest {
        let request = TestRequest::default().peer_addr(peer.parse().unwrap());
        headers
            .iter()
            .fold(request, |request, header| request.append_header(*header))
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        const XFF: &str = "x-forwarded-for";
        let proxies = TrustedProxies::parse("10.0.0.0/8").unwrap();
        for (peer, headers, client) in [
            ("203.0.113.9:1", vec![], "203.0.113.9"),
            ("203.0.113.9:1", vec![(XFF, "1.1.1.1")], "203.0.113.9"),
            ("10.0.0.1:1", vec![], "10.0.0.1"),
            ("10.0.0.1:1", vec![(XFF, "1.1.1.1")], "1.1.1.1"),
            ("[::ffff:10.0.0.1]:1", vec![(XFF, "1.1.1.1")], "1.1.1.1"),
            ("10.0.0.1:1", vec![(XFF, "6.6.6.6, 1.1.1.1")], "1.1.1.1"),
            (
                "10.0.0.1:1",
                vec![(XFF, "6.6.6.6, 1.1.1.1, 10.2.2.2")],
                "1.1.1.1",
            ),
            (
                "10.0.0.1:1",
                vec![(XFF, "6.6.6.6"), (XFF, "1.1.1.1,10.2.2.2")],
                "1.1.1.1",
            ),
            ("10.0.0.1:1", vec![(XFF, "10.3.3.3, 10.2.2.2")], "10.3.3.3"),
            ("10.0.0.1:1", vec![(XFF, "1.1.1.1:4711")], "1.1.1.1"),
            (
                "10.0.0.1:1",
                vec![(XFF, "[2001:db8::1]:4711")],
                "2001:db8::1",
            ),
            (
                "10.0.0.1:1",
                vec![(XFF, "1.1.1.1, unknown, 10.2.2.2")],
                "10.2.2.2",
            ),
        ] {
            let request = request(peer, &headers).to_http_request();
            let found = client_ip(request.head(), &proxies).unwrap();
            assert_eq!(found.to_string(), client, "{peer} {headers:?}");
        }
    }

    #[test]
    fn https_is_what_a_trusted_proxy_says() {
        let proxies = TrustedProxies::parse("10.0.0.0/8").unwrap();
        for (peer, scheme, https) in [
            ("10.0.0.1:1", "https", true),
            ("10.0.0.1:1", "https,http", true),
            ("10.0.0.1:1", "http", false),
            ("203.0.113.9:1", "https", false),
        ] {
            let request = request(peer, &[("x-forwarded-proto", scheme)]).to_http_request();
            assert_eq!(is_https(request.head(), &proxies), https, "{peer} {scheme}");
        }
    }
}
