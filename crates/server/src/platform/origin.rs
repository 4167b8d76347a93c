//! Where a request of a browser comes from: the rule that is made once for all forms and cookies.
//!
//! A page of somebody else's can make a browser send a form here, with whatever cookies it has for
//! us. So:
//! - nothing here is authenticated by a cookie, and cross-origin requests carry none
//!   ([`crate::platform::middleware`] never allows credentials);
//! - should a cookie ever authenticate, then an unsafe method and a socket are only taken with it
//!   when [`Site::of`] is [`Site::Own`], whatever the content type;
//! - forms are taken on the pages that have one ([`crate::pages`]) and nowhere else, and not when
//!   they are [`Site::Foreign`]. Who posts one knows the secret in its address; a browser that says
//!   nothing is believed, since a page that must not tell its address sends no `Origin` either.

use actix_web::http::header::{self, HeaderMap, HeaderName};

use crate::config::PublicUrl;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whose page has sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// One of ours, or the person at the browser.
    Own,
    /// Somebody else's.
    Foreign,
    /// It does not say: no browser, an old one, or a page that does not tell its address.
    Unsaid,
}

impl Site {
    /// By what browsers say, and pages cannot.
    #[must_use]
    pub fn of(headers: &HeaderMap, public: &PublicUrl) -> Self {
        if let Some(site) = headers.get(FETCH_SITE) {
            return match site.as_bytes() {
                b"same-origin" | b"none" => Self::Own,
                _ => Self::Foreign,
            };
        }
        match headers.get(header::ORIGIN).map(|origin| origin.as_bytes()) {
            None | Some(b"null") => Self::Unsaid,
            Some(origin) if origin.eq_ignore_ascii_case(public.origin().as_bytes()) => Self::Own,
            Some(_) => Self::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;
    use crate::config::Config;

    #[test]
    fn whose_page() {
        let vars = [
            ("DATABASE_URL", "postgres://db"),
            ("SECRET_KEY", "a key for tests, long enough for anybody"),
            ("PUBLIC_URL", "https://Door.example/"),
        ];
        let config = Config::from_vars(|name| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let public = config.unwrap().http.public_url;
        for (said, site) in [
            (&[][..], Site::Unsaid),
            (&[("origin", "null")], Site::Unsaid),
            (&[("origin", "https://door.example")], Site::Own),
            (&[("origin", "https://door.example.evil")], Site::Foreign),
            (&[("origin", "http://door.example")], Site::Foreign),
            (&[("origin", "")], Site::Foreign),
            (&[("sec-fetch-site", "same-origin")], Site::Own),
            (&[("sec-fetch-site", "none")], Site::Own),
            (&[("sec-fetch-site", "same-site")], Site::Foreign),
            (&[("sec-fetch-site", "cross-site")], Site::Foreign),
            // As a page that tells nobody its address sends its own form.
            (
                &[("sec-fetch-site", "same-origin"), ("origin", "null")],
                Site::Own,
            ),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://door.example"),
                ],
                Site::Foreign,
            ),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in said {
                let name = HeaderName::from_static(name);
                headers.append(name, HeaderValue::from_static(value));
            }
            assert_eq!(Site::of(&headers, &public), site, "{said:?}");
        }
    }
}
