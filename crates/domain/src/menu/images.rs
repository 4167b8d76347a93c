//! Addresses of pictures. They are checked and handed on; nothing is ever fetched here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::checks::Checks;

/// The longest address, in characters.
const LENGTH: usize = 2048;

/// An address that every guest's browser may load: https, on the public web, without a login.
pub(super) fn check(checks: &mut Checks, field: &str, address: Option<&str>) {
    let Some(address) = address else { return };
    if let Err(fault) = checked(address) {
        checks.fault(field, fault);
    }
}

fn checked(address: &str) -> Result<(), &'static str> {
    if address.chars().count() > LENGTH {
        return Err("must have at most 2048 characters");
    }
    // The parser would pass over some of these in silence.
    if address.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("must not contain spaces or control characters");
    }
    let url = Url::parse(address).map_err(|_| "must be an address such as https://…")?;
    if url.scheme() != "https" {
        return Err("must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user or password");
    }
    let is_public = match url.host() {
        Some(Host::Domain(name)) => is_public_name(name),
        Some(Host::Ipv4(address)) => is_public_v4(address),
        Some(Host::Ipv6(address)) => is_public_v6(address),
        None => false,
    };
    if is_public {
        Ok(())
    } else {
        Err("must be on the public web, not on a private network")
    }
}

fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let private = [".localhost", ".local", ".internal", ".lan", ".home.arpa"];
    name.contains('.') && !private.iter().any(|end| name.ends_with(end))
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
        // Global unicast is 2000::/3; 2001:db8::/32 is for documents.
        None => {
            let [first, second, ..] = address.segments();
            (0x2000..0x4000).contains(&first) && (first, second) != (0x2001, 0xdb8)
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
            "https://EXAMPLE.com:8443/x",
            "https://93.184.216.34/x.png",
            "https://[2606:2800:220:1::1]/x.png",
            "https://xn--mller-kva.de/bild.png",
            "https://müller.de/bild.png",
        ] {
            assert_eq!(checked(good), Ok(()), "{good}");
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
            "https://localhost/x",
            "https://printer/x",
            "https://db.localhost./x",
            "https://kitchen.local/x",
            "https://metadata.google.internal/x",
            "https://127.0.0.1/x",
            "https://127.1/x",
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
            assert!(checked(bad).is_err(), "{bad}");
        }
        let long = |length: usize| {
            let start = "https://example.com/";
            format!("{start}{}", "x".repeat(length - start.len()))
        };
        assert_eq!(checked(&long(2048)), Ok(()));
        assert!(checked(&long(2049)).is_err());
    }
}
