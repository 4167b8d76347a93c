//! A client over HTTP that logs in when it has to and never takes an answer for another.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use wire::people::auth::Tokens;
use wire::{Position, RestaurantId};

/// How long an answer is waited for: longer than a server may take to say that it cannot.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who works in a restaurant.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) restaurant: RestaurantId,
    email: String,
    password: String,
    /// One for all devices of the account: whoever finds it refused fetches the next.
    token: Mutex<Option<Arc<str>>>,
}

const PASSWORD: &str = "correct horse battery";

/// An account at a base URL. Each has connections of its own.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: reqwest::Client,
    base: String,
    pub(crate) account: Arc<Account>,
}

/// An answer, whatever it says.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// `X-Event-Seq`.
    pub(crate) position: Option<Position>,
    pub(crate) has_retry_after: bool,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The body of a success.
    pub(crate) fn expect<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        anyhow::ensure!(
            self.status.is_success(),
            "{}: {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        );
        serde_json::from_slice(&self.body).context("the body of an answer")
    }
}

fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(PATIENCE)
        .pool_max_idle_per_host(2)
        .build()?)
}

impl Api {
    /// Makes a restaurant and its owner.
    pub(crate) async fn register(base: &str, email: &str, name: &str) -> anyhow::Result<Self> {
        let http = client()?;
        let body = json!({
            "restaurantName": name, "email": email, "password": PASSWORD,
            "firstName": "Ada", "lastName": "Byron",
        });
        let answer = http
            .post(format!("{base}/api/v1/auth/register"))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await?;
        let tokens: Tokens = read(answer).await?.expect()?;
        Self::of(http, base, email, PASSWORD, tokens)
    }

    /// Logs in to one of the account's restaurants, or to the one that the server chooses.
    pub(crate) async fn login(
        base: &str,
        email: &str,
        password: &str,
        restaurant: Option<RestaurantId>,
    ) -> anyhow::Result<Self> {
        let http = client()?;
        let tokens = login(&http, base, email, password, restaurant).await?;
        Self::of(http, base, email, password, tokens)
    }

    /// An account that was just given these tokens.
    fn of(
        http: reqwest::Client,
        base: &str,
        email: &str,
        password: &str,
        tokens: Tokens,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            http,
            base: base.to_owned(),
            account: Arc::new(Account {
                restaurant: tokens
                    .restaurant_id
                    .context("the restaurant of the tokens")?,
                email: email.to_owned(),
                password: password.to_owned(),
                token: Mutex::new(Some(tokens.access_token.into())),
            }),
        })
    }

    /// The same account on another device.
    pub(crate) fn another(&self) -> anyhow::Result<Self> {
        Ok(Self {
            http: client()?,
            ..self.clone()
        })
    }

    /// The same account at another base URL, where its tokens mean nothing.
    pub(crate) fn at(&self, base: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: client()?,
            base: base.to_owned(),
            account: Arc::new(Account {
                restaurant: self.account.restaurant,
                email: self.account.email.clone(),
                password: self.account.password.clone(),
                token: Mutex::new(None),
            }),
        })
    }

    /// `host:port`, for a socket.
    pub(crate) fn authority(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A path of the restaurant.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/restaurants/{}{rest}", self.account.restaurant)
    }

    /// An access token, a fresh one if there is none but `refused`.
    ///
    /// # Errors
    /// When nobody can be logged in now.
    pub(crate) async fn token(&self, refused: Option<&str>) -> anyhow::Result<Arc<str>> {
        let mut token = self.account.token.lock().await;
        if let Some(token) = &*token
            && refused != Some(&**token)
        {
            return Ok(Arc::clone(token));
        }
        let Account {
            email,
            password,
            restaurant,
            ..
        } = &*self.account;
        let tokens = login(&self.http, &self.base, email, password, Some(*restaurant)).await?;
        let fresh: Arc<str> = tokens.access_token.into();
        *token = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// Asks once, and once more with a fresh token if the first was refused.
    ///
    /// # Errors
    /// When no whole answer came: whatever was asked for may have been done.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Reply> {
        let mut refused: Option<Arc<str>> = None;
        loop {
            let token = self.token(refused.as_deref()).await?;
            let mut request = self
                .http
                .request(method.clone(), format!("{}{path}", self.base))
                .bearer_auth(&token);
            if let Some(body) = body {
                request = request
                    .header("content-type", "application/json")
                    .body(body.to_string());
            }
            let reply = read(request.send().await?).await?;
            if reply.status != StatusCode::UNAUTHORIZED || refused.is_some() {
                return Ok(reply);
            }
            refused = Some(token);
        }
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.send(Method::POST, path, Some(body)).await
    }
}

async fn login(
    http: &reqwest::Client,
    base: &str,
    email: &str,
    password: &str,
    restaurant: Option<RestaurantId>,
) -> anyhow::Result<Tokens> {
    let body = json!({"email": email, "password": password, "restaurantId": restaurant});
    let answer = http
        .post(format!("{base}/api/v1/auth/login"))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await?;
    read(answer).await?.expect()
}

async fn read(answer: reqwest::Response) -> anyhow::Result<Reply> {
    let header = |name: &str| answer.headers().get(name)?.to_str().ok();
    Ok(Reply {
        status: answer.status(),
        position: header("x-event-seq").and_then(|text| text.parse().ok()),
        has_retry_after: header("retry-after").is_some(),
        body: answer.bytes().await?.to_vec(),
    })
}
