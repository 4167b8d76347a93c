//! Addresses of pictures. They are read by the parser that browsers have, and kept as it writes
//! them; nothing is ever fetched here.
//!
//! What is stored is therefore what a browser takes it for: a quote in it is written as `%22` or
//! `%27` and ends no attribute of a page, a host in foreign letters is in its ASCII form, and
//! `https://0x7f.1/` is the `https://127.0.0.1/` that it always was, and refused. A name that leads
//! to a private address is not found out: that is for whoever fetches, at the moment of fetching.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::checks::Checks;

/// The longest address, in characters.
const LENGTH: usize = 2048;

/// Ends of names that lead nowhere on the public web (RFC 6761, 6762, 7686, 8375, and what houses
/// and clouds use inside).
const PRIVATE: [&str; 14] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "arpa",
    "test",
    "invalid",
    "onion",
    "alt",
];

/// An address as it is kept; what is none, as it is, to be told of by [`check`].
pub(super) fn kept(address: String) -> String {
    read(&address).unwrap_or(address)
}

/// An address that every guest's browser may load: https, on the public web, without a login.
pub(super) fn check(checks: &mut Checks, field: &str, address: Option<&str>) {
    let Some(address) = address else { return };
    if let Err(fault) = read(address) {
        checks.fault(field, fault);
    }
}

fn read(address: &str) -> Result<String, &'static str> {
    // The parser would pass over some of these in silence.
    if address.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("must not contain spaces or control characters");
    }
    if address.chars().count() > LENGTH {
        return Err("must have at most 2048 characters");
    }
    let url = Url::parse(address).map_err(|_| "must be an address such as https://…")?;
    if url.scheme() != "https" {
        return Err("must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user or password");
    }
    if url.port().is_some() {
        return Err("must not name a port");
    }
    match url.host() {
        Some(Host::Domain(name)) if !is_name(name) => {
            return Err("must be an address such as https://…");
        }
        Some(Host::Domain(name)) if is_public_name(name) => {}
        Some(Host::Ipv4(address)) if is_public_v4(address) => {}
        Some(Host::Ipv6(address)) if is_public_v6(address) => {}
        _ => return Err("must be on the public web, not on a private network"),
    }
    // It is the same address, and no page needs to know how to quote it.
    let kept = String::from(url).replace('\'', "%27");
    if kept.len() > LENGTH {
        return Err("must have at most 2048 characters");
    }
    Ok(kept)
}

/// Letters, digits and hyphens: the parser takes some more for a name.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.strip_suffix('.')
        .unwrap_or(name)
        .split('.')
        .all(is_label)
}

fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    match name.rsplit_once('.') {
        Some((_, end)) => !PRIVATE.contains(&end),
        None => false,
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
        // Multicast, reserved, broadcast.
        || a >= 224)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let embedded = match (address.to_canonical(), address.segments()) {
        (IpAddr::V4(mapped), _) => Some(mapped),
        // NAT64, and the deprecated way to write an IPv4 address.
        (_, [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low]) => {
            Some(v4(high, low))
        }
        // 6to4.
        (_, [0x2002, high, low, ..]) => Some(v4(high, low)),
        _ => None,
    };
    match embedded {
        Some(address) => is_public_v4(address),
        // Global unicast is 2000::/3. In it, 2001::/23 is for protocols (Teredo carries IPv4
        // addresses), 2001:db8::/32 and 3fff::/20 are for documents.
        None => {
            let [first, second, ..] = address.segments();
            (0x2000..0x4000).contains(&first)
                && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
                && !(first == 0x3fff && second < 0x1000)
        }
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_web() {
        for good in [
            "https://images.example.com/margherita.webp?w=640#top",
            "https://93.184.216.34/x.png",
            "https://[2606:2800:220:1::1]/x.png",
            "https://xn--mller-kva.de/bild.png",
        ] {
            assert_eq!(read(good).as_deref(), Ok(good));
        }
        for (given, kept) in [
            ("HTTPS://EXAMPLE.com:443/x", "https://example.com/x"),
            (
                "https://müller.de/bild.png",
                "https://xn--mller-kva.de/bild.png",
            ),
            (
                "https://example.com/ü.png",
                "https://example.com/%C3%BC.png",
            ),
            ("https://a.b/\"onerror=\"x", "https://a.b/%22onerror=%22x"),
            ("https://a.b/'onerror='x", "https://a.b/%27onerror=%27x"),
            (
                "https://a.b/?\"'<>#\"'<>`",
                "https://a.b/?%22%27%3C%3E#%22%27%3C%3E%60",
            ),
            ("https://a.b\\c/../d", "https://a.b/d"),
        ] {
            assert_eq!(read(given).as_deref(), Ok(kept), "{given}");
            assert_eq!(read(kept).as_deref(), Ok(kept));
        }
        for bad in [
            "",
            "margherita.webp",
            "//example.com/x",
            "http://example.com/x",
            "data:image/png;base64,AAAA",
            "javascript:alert(1)",
            "https://",
            "https://user@example.com/x",
            "https://user:secret@example.com/x",
            "https://example.com/a b",
            "https://exam\tple.com/x",
            "https://a.b\"onerror=\"x",
            "https://a.b'onerror='x",
            "https://a_b.com/x",
            "https://a..b/x",
            "https://EXAMPLE.com:8443/x",
            "https://example.com:80/x",
            "https://localhost/x",
            "https://localhost./x",
            "https://lo\u{ad}calhost/x",
            "https://ⓛocalhost/x",
            "https://nas.home/x",
            "https://1.0.0.127.in-addr.arpa/x",
            "https://printer/x",
            "https://db.localhost./x",
            "https://kitchen.local/x",
            "https://metadata.google.internal/x",
            "https://127.0.0.1/x",
            "https://127.1/x",
            "https://127.0.0.1./x",
            "https://0x7f.1/x",
            "https://①②⑦.0.0.1/x",
            "https://[2001:0:1::1]/x",
            "https://2130706433/x",
            "https://0x7f000001/x",
            "https://0177.0.0.1/x",
            "https://0.0.0.0/x",
            "https://10.1.2.3/x",
            "https://172.20.0.1/x",
            "https://192.168.1.1/x",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/x",
            "https://224.0.0.1/x",
            "https://[::1]/x",
            "https://[::]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://[::10.0.0.1]/x",
            "https://[64:ff9b::a00:1]/x",
            "https://[2002:a00:1::]/x",
            "https://[fe80::1]/x",
            "https://[fd00::1]/x",
            "https://[ff02::1]/x",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let long = |length: usize| {
            let start = "https://example.com/";
            format!("{start}{}", "x".repeat(length - start.len()))
        };
        assert!(read(&long(2048)).is_ok());
        assert!(read(&long(2049)).is_err());
    }
}
