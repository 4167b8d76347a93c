//! By what a device is known again at the door.
//!
//! Whoever logs in or registers is given a cookie with a random secret. It opens nothing: a device
//! on which somebody has logged in to an account has an allowance of guesses of its own there, which
//! strangers behind the same address cannot use up ([`crate::platform::limits`]). Clients that keep no cookies
//! go by their address, as before.
//!
//! It is for this server's own pages and for programs: cookies are not sent across origins here
//! (`SameSite=Strict`, and no credentials in the rules for other origins).

use std::fmt::Write as _;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderName, HeaderValue};

use crate::platform::middleware::Context;

const NAME: &str = "qtable_device";

/// The longest that browsers keep a cookie: 400 days.
const SECONDS: u64 = 400 * 24 * 60 * 60;

/// A device that shows, or is given, a secret.
#[derive(Clone)]
pub struct Device {
    secret: [u8; 16],
    is_https: bool,
}

impl Device {
    /// The one that a request comes from, if it has been here before.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<Self> {
        let lines = request.headers().get_all(header::COOKIE);
        let mut cookies = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='));
        let (_, value) = cookies.find(|(name, _)| *name == NAME)?;
        let is_hex = value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = is_hex.then(|| u128::from_str_radix(value, 16).ok())??;
        Some(Self {
            secret: number.to_be_bytes(),
            is_https: is_https(request),
        })
    }

    /// The same, or a new one.
    #[must_use]
    pub fn of_or_new(request: &HttpRequest) -> Self {
        Self::of(request).unwrap_or_else(|| Self {
            secret: rand::random(),
            is_https: is_https(request),
        })
    }

    /// What nobody else knows.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// What the device is to keep.
    #[must_use]
    pub fn cookie(&self) -> Option<(HeaderName, HeaderValue)> {
        let mut secret = String::new();
        for byte in self.secret {
            // Writing to a string does not fail.
            let _ = write!(secret, "{byte:02x}");
        }
        let secure = if self.is_https { "; Secure" } else { "" };
        let cookie = format!(
            "{NAME}={secret}; Path=/; Max-Age={SECONDS}; HttpOnly; SameSite=Strict{secure}"
        );
        let value = HeaderValue::from_str(&cookie).ok()?;
        Some((header::SET_COOKIE, value))
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the secret.
        f.debug_struct("Device").finish_non_exhaustive()
    }
}

fn is_https(request: &HttpRequest) -> bool {
    Context::of(request).is_some_and(|context| context.is_https())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_device_is_known_by_its_cookie() {
        let request = |cookie: &str| {
            let request = TestRequest::default().insert_header((header::COOKIE, cookie));
            request.to_http_request()
        };
        let new = Device::of_or_new(&request(""));
        let (_, cookie) = new.cookie().unwrap();
        let cookie = cookie.to_str().unwrap();
        let (kept, rules) = cookie.split_once("; ").unwrap();
        assert_eq!(rules, "Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict");
        let again = Device::of(&request(&format!("a=b; {kept}; c=d"))).unwrap();
        assert_eq!(again.secret(), new.secret());
        for other in [
            "",
            "qtable_device",
            "qtable_device=x",
            "qtable_device=",
            "other=1",
        ] {
            assert!(Device::of(&request(other)).is_none(), "{other}");
        }
        let signed = format!("qtable_device=+{}", "1".repeat(31));
        assert!(Device::of(&request(&signed)).is_none());
    }
}
