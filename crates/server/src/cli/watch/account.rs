//! Logging in, staying logged in, and asking for names.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, StatusCode, Url};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use wire::people::auth::{Login, Membership, Refresh, Tokens};
use wire::{ErrorBody, RestaurantId};

use super::address::Server;
use super::names::Names;

const TIMEOUT: Duration = Duration::from_secs(15);

/// A device that is logged in.
pub(super) struct Account {
    http: Client,
    server: Server,
    login: Login,
    tokens: Tokens,
    /// When the access token is to be renewed.
    pub(super) renew_at: Instant,
}

impl Account {
    /// Logs in, for the restaurant of this name or id if one is given.
    pub(super) async fn log_in(
        server: Server,
        email: String,
        password: String,
        restaurant: Option<&str>,
    ) -> anyhow::Result<(Self, RestaurantId)> {
        let http = Client::builder().timeout(TIMEOUT).build()?;
        let mut login = Login {
            email,
            password,
            restaurant_id: None,
            device_name: Some("qtable watch".to_owned()),
        };
        let mut tokens: Tokens = post(&http, server.api("/auth/login"), &login).await?;
        let wanted = choose(&tokens.restaurants, tokens.restaurant_id, restaurant)?;
        let is_member = tokens.restaurants.iter().any(|known| known.id == wanted);
        if is_member && tokens.restaurant_id != Some(wanted) {
            // A token is for one restaurant.
            login.restaurant_id = Some(wanted);
            tokens = post(&http, server.api("/auth/login"), &login).await?;
        }
        let renew_at = renewal(&tokens);
        let account = Self {
            http,
            server,
            login,
            tokens,
            renew_at,
        };
        Ok((account, wanted))
    }

    /// The access token.
    pub(super) fn token(&self) -> &str {
        &self.tokens.access_token
    }

    /// Gets a fresh access token; by the password, when the refresh token is no longer good.
    pub(super) async fn renew(&mut self) -> anyhow::Result<()> {
        let refresh = Refresh {
            refresh_token: self.tokens.refresh_token.clone(),
        };
        let answer = send(&self.http, self.server.api("/auth/refresh"), &refresh).await?;
        self.tokens = if answer.status() == StatusCode::UNAUTHORIZED {
            post(&self.http, self.server.api("/auth/login"), &self.login).await?
        } else {
            read(answer).await?
        };
        self.renew_at = renewal(&self.tokens);
        Ok(())
    }

    /// Learns the names of tables and members. What cannot be read stays without a name: staff may
    /// not list the members, for instance.
    pub(super) async fn learn(&self, restaurant: RestaurantId, names: &mut Names) {
        for list in ["tables", "guests", "users"] {
            let mut url = self
                .server
                .api(&format!("/restaurants/{restaurant}/{list}"));
            url.set_query(Some("limit=1000"));
            if let Ok(answer) = self.http.get(url).bearer_auth(self.token()).send().await
                && answer.status().is_success()
                && let Ok(list) = answer.json::<Value>().await
            {
                names.learn_all(&list);
            }
        }
    }
}

/// Well before it expires: a fifth of its life, at most a minute.
fn renewal(tokens: &Tokens) -> Instant {
    let life = Duration::from_secs(u64::try_from(tokens.expires_in).unwrap_or(0));
    let early = (life / 5).min(Duration::from_secs(60));
    Instant::now() + life.saturating_sub(early).max(Duration::from_secs(1))
}

/// Which restaurant is meant.
fn choose(
    memberships: &[Membership],
    token: Option<RestaurantId>,
    wanted: Option<&str>,
) -> anyhow::Result<RestaurantId> {
    let Some(wanted) = wanted else {
        return token.context("the account has no restaurant; say --restaurant");
    };
    let named = memberships
        .iter()
        .find(|known| known.name.to_lowercase() == wanted.to_lowercase());
    if let Some(known) = named {
        return Ok(known.id);
    }
    // An administrator reaches restaurants without being a member.
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let names: Vec<_> = memberships
        .iter()
        .map(|known| known.name.as_str())
        .collect();
    bail!(
        "the account has no restaurant {wanted:?}, only: {}",
        names.join(", ")
    );
}

async fn post<T: serde::de::DeserializeOwned>(
    http: &Client,
    url: Url,
    body: &impl Serialize,
) -> anyhow::Result<T> {
    read(send(http, url, body).await?).await
}

async fn send(http: &Client, url: Url, body: &impl Serialize) -> anyhow::Result<reqwest::Response> {
    let at = url.origin().ascii_serialization();
    let answer = http.post(url).json(body).send().await;
    answer.with_context(|| format!("no answer from {at}"))
}

async fn read<T: serde::de::DeserializeOwned>(answer: reqwest::Response) -> anyhow::Result<T> {
    let status = answer.status();
    let body = answer.bytes().await?;
    if status.is_success() {
        return serde_json::from_slice(&body).context("the answer is not from a QTable server");
    }
    bail!(refusal(status.as_u16(), &body))
}

/// What a refusal says, in the server's words if it has some.
pub(super) fn refusal(status: u16, body: &[u8]) -> String {
    serde_json::from_slice::<ErrorBody>(body).map_or_else(
        |_| format!("the server answered {status}"),
        |body| format!("{} ({status} {})", body.error, body.code),
    )
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use wire::Role;

    use super::*;

    #[test]
    fn the_restaurant_by_name_or_id() {
        let of = |id: u128, name: &str| Membership {
            id: RestaurantId(Uuid::from_u128(id)),
            name: name.into(),
            role: Role::Owner,
        };
        let both = [of(1, "Chez Nous"), of(2, "Zum Löwen")];
        let id = both[1].id.to_string();
        let chosen = |wanted| choose(&both, Some(both[0].id), wanted).ok();
        assert_eq!(chosen(None), Some(both[0].id));
        assert_eq!(chosen(Some("zum LÖWEN")), Some(both[1].id));
        assert_eq!(chosen(Some(&id)), Some(both[1].id));
        assert_eq!(chosen(Some("elsewhere")), None);
        assert!(choose(&[], None, None).is_err());
    }

    #[test]
    fn refusals_in_the_servers_words() {
        let body =
            br#"{"error":"Please log in.","status":401,"code":"unauthenticated","requestId":"r"}"#;
        assert_eq!(refusal(401, body), "Please log in. (401 unauthenticated)");
        assert_eq!(refusal(502, b"<html>"), "the server answered 502");
    }
}
