//! The addresses of a server.

use anyhow::{Context, bail};
use reqwest::Url;
use wire::live::events::EventKind;
use wire::{Position, RestaurantId};

/// A server, wherever it is mounted.
#[derive(Clone, Debug)]
pub(super) struct Server(Url);

impl Server {
    /// Reads an address; `localhost:8000` and `https://example.com/api/v1/` are fine, too.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let text = text.trim();
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let mut url = Url::parse(&with_scheme).context("--url is not an address")?;
        let scheme = match url.scheme() {
            "http" | "ws" => "http",
            "https" | "wss" => "https",
            other => bail!("--url begins with {other}://, not with http:// or https://"),
        };
        if url.set_scheme(scheme).is_err() || !url.has_host() {
            bail!("--url names no host");
        }
        let path = url.path().trim_end_matches('/');
        let mount = path.strip_suffix("/api/v1").unwrap_or(path).to_owned();
        url.set_path(&mount);
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// Where `path` of the API stands.
    pub(super) fn api(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/api/v1{path}"));
        url
    }

    /// Where a restaurant's events can be followed, from `since` on.
    pub(super) fn events(
        &self,
        restaurant: RestaurantId,
        types: &[EventKind],
        since: Option<Position>,
    ) -> Url {
        let mut url = self.api("/realtime");
        let secure = url.scheme() == "https";
        // Between schemes of one kind this always works.
        let _changed = url.set_scheme(if secure { "wss" } else { "ws" });
        let mut query = url.query_pairs_mut();
        query.append_pair("restaurant_id", &restaurant.to_string());
        if let Some(Position { epoch, seq }) = since {
            query.append_pair("since", &seq.to_string());
            query.append_pair("epoch", &epoch.to_string());
        }
        if !types.is_empty() {
            let types: Vec<_> = types.iter().map(|kind| kind.as_str()).collect();
            query.append_pair("types", &types.join(","));
        }
        drop(query);
        url
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use wire::Epoch;

    use super::*;

    #[test]
    fn addresses() {
        for (given, login) in [
            (
                "http://localhost:8000",
                "http://localhost:8000/api/v1/auth/login",
            ),
            ("localhost:8000/", "http://localhost:8000/api/v1/auth/login"),
            (
                "wss://example.com/api/v1/",
                "https://example.com/api/v1/auth/login",
            ),
            (
                "https://example.com/table?x#y",
                "https://example.com/table/api/v1/auth/login",
            ),
        ] {
            assert_eq!(
                Server::parse(given).unwrap().api("/auth/login").as_str(),
                login
            );
        }
        for bad in ["ftp://example.com", "http://", ""] {
            assert!(Server::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn where_events_are_followed() {
        let nil = "00000000-0000-0000-0000-000000000000";
        let id = RestaurantId(Uuid::nil());
        let server = Server::parse("https://example.com").unwrap();
        assert_eq!(
            server.events(id, &[], None).as_str(),
            format!("wss://example.com/api/v1/realtime?restaurant_id={nil}")
        );
        let since = Position {
            epoch: Epoch(Uuid::nil()),
            seq: 1042,
        };
        let types = [EventKind::GuestUpdated, EventKind::TableUpdated];
        let server = Server::parse("localhost").unwrap();
        assert_eq!(
            server.events(id, &types, Some(since)).as_str(),
            format!(
                "ws://localhost/api/v1/realtime?restaurant_id={nil}&since=1042&epoch={nil}\
                 &types=guest_updated%2Ctable_updated"
            )
        );
    }
}
