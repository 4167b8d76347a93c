//! `qtable watch`: everything that happens in a restaurant, line by line.
//!
//! A client as clients should be: it resumes where it was after every break, renews its credential
//! without dropping the connection, honours what the server asks for, and says when the stream was
//! not what was promised.

mod account;
mod address;
mod backoff;
mod line;
mod names;
mod progress;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message, http};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use wire::RestaurantId;
use wire::live::events::EventKind;

use self::account::{Account, refusal};
use self::address::Server;
use self::line::{Look, line};
use self::names::Names;
use self::progress::Progress;
use super::Variables;
use crate::config::Secret;

/// Prints everything that happens in a restaurant, as it happens. Ctrl-C ends it.
#[derive(Args, Debug)]
#[command(after_help = "Example: qtable watch --email test@restaurant.com --password password123")]
pub struct Watch {
    /// The server.
    #[arg(long, value_name = "URL", default_value = "http://localhost:8000")]
    url: String,
    /// The account's address.
    #[arg(long, value_name = "ADDRESS", env = "QTABLE_EMAIL")]
    email: String,
    /// The account's password; better in the variable, where other users do not see it.
    #[arg(long, env = "QTABLE_PASSWORD", hide_env_values = true)]
    password: Secret,
    /// Name or id of the restaurant, for an account that has several.
    #[arg(long, value_name = "NAME")]
    restaurant: Option<String>,
    /// Only events of these types, for instance guest_updated,table_updated.
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    types: Vec<EventKind>,
    /// Prints the frames as they came, one JSON object on each line.
    #[arg(long)]
    json: bool,
    /// No colours; NO_COLOR in the environment says the same.
    #[arg(long)]
    no_color: bool,
}

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(15);

/// A connection that lasted this long was a good one: the next attempt comes soon again.
const GOOD: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a connection ended.
enum End {
    /// The user wants no more.
    Stopped,
    /// The credential is not good any more.
    Renew,
    /// It can be tried again, perhaps at a time that the server named.
    Retry(String, Option<Duration>),
}

impl Watch {
    /// Watches until Ctrl-C.
    ///
    /// # Errors
    /// When the server refuses for good: a wrong password, another restaurant.
    pub async fn run(self, variables: Variables<'_>) -> anyhow::Result<()> {
        let plain = variables("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = !self.no_color && !plain && io::stdout().is_terminal();
        let server = Server::parse(&self.url)?;
        let (account, restaurant) = Account::log_in(
            server.clone(),
            self.email,
            self.password.reveal().to_owned(),
            self.restaurant.as_deref(),
        )
        .await?;
        let mut watcher = Watcher {
            progress: Progress::new(self.types.is_empty()),
            server,
            account,
            restaurant,
            types: self.types,
            names: Names::default(),
            print: Print {
                json: self.json,
                look: Look { color, zone: None },
            },
            reconnects: 0,
        };
        let started = Instant::now();
        let ended = watcher.watch().await;
        if ended.is_ok() {
            watcher.print.note(&watcher.summary(started.elapsed()));
        }
        ended
    }
}

struct Watcher {
    server: Server,
    account: Account,
    restaurant: RestaurantId,
    types: Vec<EventKind>,
    names: Names,
    progress: Progress,
    print: Print,
    reconnects: u64,
}

impl Watcher {
    async fn watch(&mut self) -> anyhow::Result<()> {
        if !self.print.json {
            self.account.learn(self.restaurant, &mut self.names).await;
        }
        let (mut attempt, mut said) = (0, String::new());
        loop {
            let started = Instant::now();
            let end = tokio::select! {
                end = self.follow() => end?,
                _ = tokio::signal::ctrl_c() => End::Stopped,
            };
            if started.elapsed() > GOOD {
                attempt = 0;
                said.clear();
            }
            let (why, asked) = match end {
                End::Stopped => return Ok(()),
                End::Renew => match self.account.renew().await {
                    Ok(()) => ("the credential was renewed".to_owned(), None),
                    Err(error) => (format!("{error:#}"), None),
                },
                End::Retry(why, asked) => (why, asked),
            };
            let wait = backoff::delay(attempt, rand::random(), asked);
            // A server that answers with a time is there; only silence makes us slower.
            attempt += u32::from(asked.is_none());
            self.reconnects += 1;
            if said != why {
                let seconds = wait.as_secs_f64();
                self.print
                    .note(&format!("{why}; coming back in {seconds:.1} s"));
                said = why;
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = tokio::signal::ctrl_c() => return Ok(()),
            }
        }
    }

    /// One connection, from its beginning to its end.
    async fn follow(&mut self) -> anyhow::Result<End> {
        if Instant::now() >= self.account.renew_at
            && let Err(error) = self.account.renew().await
        {
            return Ok(End::Retry(format!("{error:#}"), None));
        }
        let url = self
            .server
            .events(self.restaurant, &self.types, self.progress.position());
        let mut request = url.as_str().into_client_request()?;
        let bearer = format!("Bearer {}", self.account.token());
        request
            .headers_mut()
            .insert(http::header::AUTHORIZATION, bearer.parse()?);
        match timeout(HANDSHAKE, connect_async(request)).await {
            Ok(Ok((socket, _))) => self.listen(socket).await,
            Ok(Err(tungstenite::Error::Http(answer))) => refused(&answer),
            Ok(Err(error)) => Ok(End::Retry(format!("no connection ({error})"), None)),
            Err(_) => Ok(End::Retry("no connection in time".to_owned(), None)),
        }
    }

    async fn listen(&mut self, mut socket: Socket) -> anyhow::Result<End> {
        // Until the server says how often it is heard.
        let mut heartbeat = Duration::from_secs(25);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                message = socket.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => {
                            let frame = serde_json::from_str(&text).unwrap_or(Value::Null);
                            if let Some(seconds) = frame.get("heartbeat_seconds").and_then(Value::as_u64) {
                                heartbeat = Duration::from_secs(seconds.max(1));
                            }
                            self.hear(&text, &frame)?;
                        }
                        Some(Ok(Message::Close(frame))) => return closed(frame),
                        // Pings are answered by the library as it reads on.
                        Some(Ok(_)) => {}
                        Some(Err(error)) => return Ok(End::Retry(format!("the connection broke ({error})"), None)),
                        None => return Ok(End::Retry("the connection broke".to_owned(), None)),
                    }
                }
                () = sleep_until(heard + heartbeat.mul_f64(2.5)) => {
                    return Ok(End::Retry("the server fell silent".to_owned(), None));
                }
                () = sleep_until(self.account.renew_at) => {
                    self.renew_in_place(&mut socket).await;
                }
                _ = tokio::signal::ctrl_c() => {
                    // A goodbye that does not arrive changes nothing.
                    let _gone = timeout(Duration::from_secs(1), socket.close(None)).await;
                    return Ok(End::Stopped);
                }
            }
        }
    }

    /// A fresh credential, without dropping the connection.
    async fn renew_in_place(&mut self, socket: &mut Socket) {
        match self.account.renew().await {
            Ok(()) => {
                let auth = json!({"type": "auth", "token": self.account.token()});
                // If it does not go out, the connection is broken, and reading says so.
                let _sent = socket.send(Message::text(auth.to_string())).await;
            }
            Err(error) => {
                self.print
                    .note(&format!("the credential could not be renewed: {error:#}"));
                self.account.renew_at = Instant::now() + Duration::from_secs(5);
            }
        }
    }

    fn hear(&mut self, text: &str, frame: &Value) -> anyhow::Result<()> {
        if let Some(complaint) = self.progress.hear(frame) {
            self.print.note(&format!("NOT AS PROMISED: {complaint}"));
        }
        let printed = if self.print.json {
            Some(text.to_owned())
        } else {
            line(frame, &self.names, self.print.look)
        };
        if let Some(data) = frame.get("data") {
            self.names.learn(data);
        }
        match printed {
            Some(line) => self.print.line(&line),
            None => Ok(()),
        }
    }

    fn summary(&self, elapsed: Duration) -> String {
        let Progress {
            events,
            resyncs,
            doubled,
            missing,
            ..
        } = &self.progress;
        let last = self.progress.position().map_or(0, |position| position.seq);
        format!(
            "{events} events in {} s, up to #{last}; {} reconnects, {resyncs} resyncs, \
             {doubled} doubled, {missing} missing",
            elapsed.as_secs(),
            self.reconnects,
        )
    }
}

/// The answer to a handshake that was not the one hoped for.
fn refused(answer: &http::Response<Option<Vec<u8>>>) -> anyhow::Result<End> {
    let status = answer.status().as_u16();
    let body = answer.body().as_deref().unwrap_or_default();
    let why = refusal(status, body);
    let after = answer.headers().get(http::header::RETRY_AFTER);
    let seconds = after.and_then(|after| after.to_str().ok()?.parse().ok());
    match status {
        401 => Ok(End::Renew),
        // Whatever is said again will be refused again.
        400 | 403 | 404 | 422 => bail!(why),
        _ => Ok(End::Retry(why, seconds.map(Duration::from_secs))),
    }
}

/// A close frame: some say "come back", some do not.
fn closed(frame: Option<CloseFrame>) -> anyhow::Result<End> {
    let Some(CloseFrame { code, reason }) = frame else {
        return Ok(End::Retry(
            "the server closed the connection".to_owned(),
            None,
        ));
    };
    let number = u16::from(code);
    let said = |what: &str| {
        if reason.is_empty() {
            format!("{what} ({number})")
        } else {
            format!("{what} ({number}: {reason})")
        }
    };
    match number {
        1001 => Ok(End::Retry(
            said("the worker goes away"),
            backoff::asked_by(&reason),
        )),
        4401 => Ok(End::Renew),
        4400 => bail!(said("the server understood nothing")),
        4403 => bail!(said("no longer allowed")),
        4503 => Ok(End::Retry(said("too slow"), None)),
        _ => Ok(End::Retry(said("the server closed the connection"), None)),
    }
}

/// Events go to standard output; what is said about the connection goes to standard error.
struct Print {
    json: bool,
    look: Look,
}

impl Print {
    fn line(&self, line: &str) -> anyhow::Result<()> {
        // Whoever reads us may be gone: `qtable watch | head`.
        writeln!(io::stdout(), "{line}").context("nobody reads any more")
    }

    fn note(&self, note: &str) {
        eprintln!("— {note}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(end: anyhow::Result<End>) -> Option<(String, Option<Duration>)> {
        match end {
            Ok(End::Retry(why, asked)) => Some((why, asked)),
            _ => None,
        }
    }

    #[test]
    fn close_codes_say_whether_to_come_back() {
        let close = |code: u16, reason: &str| {
            closed(Some(CloseFrame {
                code: code.into(),
                reason: reason.into(),
            }))
        };
        let (_, asked) = retry(close(1001, r#"{"reconnect_after_ms":700}"#)).unwrap();
        assert_eq!(asked, Some(Duration::from_millis(700)));
        for code in [1000, 1006, 1011, 4408, 4429, 4503] {
            assert!(retry(close(code, "")).is_some(), "{code}");
        }
        assert!(matches!(close(4401, ""), Ok(End::Renew)));
        assert!(close(4400, "").is_err() && close(4403, "").is_err());
        assert!(retry(closed(None)).is_some());
    }

    #[test]
    fn refused_handshakes() {
        let answer = |status: u16, after: Option<&str>| {
            let mut answer = http::Response::builder().status(status);
            if let Some(after) = after {
                answer = answer.header("retry-after", after);
            }
            refused(&answer.body(None).unwrap())
        };
        assert!(matches!(answer(401, None), Ok(End::Renew)));
        assert!(answer(403, None).is_err() && answer(404, None).is_err());
        let (_, asked) = retry(answer(503, Some("7"))).unwrap();
        assert_eq!(asked, Some(Duration::from_secs(7)));
        assert!(retry(answer(502, None)).is_some());
    }
}
