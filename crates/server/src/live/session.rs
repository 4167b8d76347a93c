//! A socket's life: what is sent, what is heard, and when it ends.

use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use realtime::{Opening, Pull};
use tokio::time::{Instant, sleep_until};
use wire::live::frames::{ClientMessage, CloseCode, SessionFrame};
use wire::{ErrorCode, Position, RestaurantId};

use super::transport::{Received, SendError, Transport};
use crate::auth::{self, Caller};
use crate::errors::ApiError;
use crate::floor::snapshot;
use crate::state::AppState;

/// Messages that a client may send in one second.
const MESSAGES_PER_SECOND: u32 = 20;

/// One socket.
pub(super) struct Session {
    state: Arc<AppState>,
    transport: Transport,
    stream: realtime::Session,
    caller: Caller,
    restaurant_id: RestaurantId,
    /// When something was last sent and last heard, and when the peer was last pinged.
    sent: Instant,
    heard: Instant,
    pinged: Instant,
    /// Messages in the present second.
    second: Instant,
    messages: u32,
}

/// Why a session ends.
struct End {
    code: CloseCode,
    reason: String,
}

impl End {
    fn new(code: CloseCode, reason: &str) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
        }
    }
}

impl From<SendError> for End {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Gone => Self::new(CloseCode::Normal, ""),
            SendError::TooSlow => Self::new(CloseCode::TooSlow, "too slow: come back and resume"),
        }
    }
}

impl Session {
    pub(super) fn new(
        state: Arc<AppState>,
        transport: Transport,
        stream: realtime::Session,
        caller: Caller,
        restaurant_id: RestaurantId,
    ) -> Self {
        let now = Instant::now();
        Self {
            state,
            transport,
            stream,
            caller,
            restaurant_id,
            sent: now,
            heard: now,
            pinged: now,
            second: now,
            messages: 0,
        }
    }

    /// Serves the socket until it ends.
    pub(super) async fn run(mut self, opening: Opening) {
        let end = match self.serve(opening).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        self.state.metrics.disconnected(Some(end.code));
        tracing::debug!(
            restaurant_id = %self.restaurant_id,
            session_id = %self.caller.session_id,
            code = end.code.number(),
            position = %self.stream.position(),
            "a socket ended"
        );
        // Leaves the room before waiting for a peer that may not read any more.
        drop(self.stream);
        self.transport.close(end.code, &end.reason).await;
    }

    async fn serve(&mut self, opening: Opening) -> Result<std::convert::Infallible, End> {
        self.open(opening).await?;
        loop {
            let wake = self.next_deadline();
            tokio::select! {
                pull = self.stream.next() => self.pass_on(pull).await?,
                received = self.transport.receive() => self.hear(received).await?,
                () = sleep_until(wake) => self.keep_time().await?,
            }
        }
    }

    async fn open(&mut self, opening: Opening) -> Result<(), End> {
        self.say(&SessionFrame::RestaurantConnect {
            restaurant_id: self.restaurant_id,
            epoch: opening.epoch,
            seq: opening.head,
            resumed: opening.resumed,
            worker_id: self.state.config.worker_id.clone(),
            heartbeat_seconds: self.heartbeat().as_secs(),
            timestamp: self.state.db.clock().now(),
        })
        .await?;
        if let Some(reason) = opening.resync {
            let (epoch, seq) = (opening.epoch, opening.head);
            self.say(&SessionFrame::ResyncRequired { reason, epoch, seq })
                .await?;
        }
        Ok(())
    }

    async fn pass_on(&mut self, pull: Pull) -> Result<(), End> {
        match pull {
            Pull::Frames(frames) => {
                for frame in frames {
                    self.transport.send(frame).await?;
                }
                self.sent = Instant::now();
                Ok(())
            }
            Pull::Resync {
                reason,
                position: Position { epoch, seq },
            } => {
                self.say(&SessionFrame::ResyncRequired { reason, epoch, seq })
                    .await
            }
            Pull::Close(closing) => {
                let reason = match (closing.code, closing.reconnect_after) {
                    (CloseCode::GoingAway, after) => {
                        let ms = after.unwrap_or_default().as_millis();
                        format!("{{\"reconnect_after_ms\":{ms}}}")
                    }
                    (CloseCode::TokenExpired, _) => "signed out".to_owned(),
                    (CloseCode::Forbidden, _) => "no longer a member".to_owned(),
                    _ => String::new(),
                };
                Err(End {
                    code: closing.code,
                    reason,
                })
            }
        }
    }

    async fn hear(&mut self, received: Received) -> Result<(), End> {
        self.heard = Instant::now();
        match received {
            Received::Sign => Ok(()),
            Received::Ping(bytes) => {
                self.count_message()?;
                self.transport.pong(&bytes).await.map_err(End::from)
            }
            Received::Gone => Err(End::new(CloseCode::Normal, "")),
            Received::Abuse => Err(End::new(
                CloseCode::Abuse,
                "not the protocol, or a message above 16 KiB",
            )),
            Received::Binary => {
                self.count_message()?;
                self.refuse(ErrorCode::BadRequest, "Messages are JSON text.")
                    .await
            }
            Received::Text(text) => {
                self.count_message()?;
                match serde_json::from_str(&text) {
                    Ok(message) => self.answer(message).await,
                    Err(_) => {
                        let sentence = "This message is not one of ping, request_full_sync, auth.";
                        self.refuse(ErrorCode::BadRequest, sentence).await
                    }
                }
            }
        }
    }

    async fn answer(&mut self, message: ClientMessage) -> Result<(), End> {
        match message {
            ClientMessage::Ping => {
                let (timestamp, position) = self.here();
                self.say(&SessionFrame::Pong {
                    timestamp,
                    position,
                })
                .await
            }
            ClientMessage::RequestFullSync => self.full_sync().await,
            ClientMessage::Auth { token } => match self.renewed(&token).await {
                Ok(caller) => {
                    self.caller = caller;
                    Ok(())
                }
                Err(error) => self.refuse(error.code(), error.sentence()).await,
            },
        }
    }

    /// Sends the whole floor. Frames that commit meanwhile wait in the log; those that the
    /// snapshot contains are not sent again.
    async fn full_sync(&mut self) -> Result<(), End> {
        match snapshot::read(&self.state, self.restaurant_id).await {
            Ok(snapshot) => {
                let position = Position {
                    epoch: snapshot.epoch,
                    seq: snapshot.seq,
                };
                // Of another epoch: the stream is about to say so, and the client asks again.
                if self.stream.skip_to(position) {
                    self.say(&SessionFrame::FullSync(Box::new(snapshot))).await
                } else {
                    self.refuse(
                        ErrorCode::Unavailable,
                        "The log has just been renewed. Ask again.",
                    )
                    .await
                }
            }
            Err(error) => self.refuse(error.code(), error.sentence()).await,
        }
    }

    /// A fresh credential of the same account for the same restaurant.
    async fn renewed(&self, token: &str) -> Result<Caller, ApiError> {
        let claims = self
            .state
            .tokens
            .verify(token, self.state.db.clock().now())?;
        if claims.sub != self.caller.user_id || claims.sid != self.caller.session_id {
            let sentence = "The token is of another account or device than the socket.";
            return Err(ApiError::new(ErrorCode::Forbidden, sentence));
        }
        let standing = auth::standing(&self.state, &claims).await?;
        auth::caller(&self.state, &claims, &standing, Some(self.restaurant_id)).await
    }

    /// What is due by the clock: heartbeat, ping, farewell to the silent and the expired.
    async fn keep_time(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if self.state.db.clock().now() >= self.caller.expires_at {
            return Err(End::new(CloseCode::TokenExpired, "token expired"));
        }
        if now >= self.heard + self.patience() {
            return Err(End::new(CloseCode::Silent, "nothing heard"));
        }
        if now >= self.pinged + self.heartbeat() {
            self.pinged = now;
            self.transport.ping().await?;
        }
        if now >= self.sent + self.heartbeat() {
            let (timestamp, position) = self.here();
            self.say(&SessionFrame::Heartbeat {
                timestamp,
                position,
            })
            .await?;
        }
        Ok(())
    }

    /// When the clock is to be looked at next.
    fn next_deadline(&self) -> Instant {
        let left = self.caller.expires_at - self.state.db.clock().now();
        let expiry = Instant::now() + left.to_std().unwrap_or_default();
        [
            self.sent + self.heartbeat(),
            self.pinged + self.heartbeat(),
            self.heard + self.patience(),
        ]
        .into_iter()
        .fold(expiry, Instant::min)
    }

    fn heartbeat(&self) -> Duration {
        self.state.config.live.heartbeat
    }

    /// How long a client may be silent: it answers pings at least.
    fn patience(&self) -> Duration {
        self.heartbeat().mul_f64(2.5)
    }

    fn here(&self) -> (chrono::DateTime<chrono::Utc>, wire::Seq) {
        (self.state.db.clock().now(), self.stream.position().seq)
    }

    /// A client that floods is sent away.
    fn count_message(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.messages = 0;
        }
        self.messages += 1;
        if self.messages > MESSAGES_PER_SECOND {
            return Err(End::new(
                CloseCode::TooMany,
                "more than 20 messages in a second",
            ));
        }
        Ok(())
    }

    async fn refuse(&mut self, code: ErrorCode, message: &str) -> Result<(), End> {
        self.say(&SessionFrame::Error {
            code,
            message: message.to_owned(),
        })
        .await
    }

    async fn say(&mut self, frame: &SessionFrame) -> Result<(), End> {
        let text = serde_json::to_string(frame)
            .map_err(|_| End::new(CloseCode::TooSlow, "a fault of the server"))?;
        self.transport.send(ByteString::from(text)).await?;
        self.sent = Instant::now();
        Ok(())
    }
}
