//! A session's life: what is sent, what is heard, and when it ends, whatever carries it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use chrono::{DateTime, Utc};
use realtime::{Frames, Join, Opening, Pull};
use tokio::time::{Instant, sleep_until};
use wire::live::frames::{ClientMessage, CloseCode, ResyncReason, SessionFrame};
use wire::{ErrorCode, Position, RestaurantId, SessionId, UserId};

use super::admission;
use super::meter::Meter;
use super::places::Place;
use super::transport::{Farewell, Heard, Received, Transport};
use crate::access::auth;
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::state::AppState;

/// A session that has its places, and waits for something that carries it.
pub(super) struct Ready {
    state: Arc<AppState>,
    place: Place,
    stream: realtime::Session,
    opening: Opening,
    credential: Option<Credential>,
    restaurant_id: RestaurantId,
}

/// With what a member was let in: as much of the [`Caller`] as is asked for again. Thousands of
/// sessions hold one.
#[derive(Clone, Copy)]
struct Credential {
    user_id: UserId,
    session_id: SessionId,
    expires_at: DateTime<Utc>,
}

impl From<Caller> for Credential {
    fn from(caller: Caller) -> Self {
        Self {
            user_id: caller.user_id,
            session_id: caller.session_id,
            expires_at: caller.expires_at,
        }
    }
}

impl Ready {
    /// Takes a place in a room, for a member or, without a caller, for somebody who only listens, who
    /// comes from `address`.
    ///
    /// # Errors
    /// Those of [`admission::admit`].
    pub(super) async fn new(
        state: Arc<AppState>,
        join: Join,
        caller: Option<Caller>,
        address: Option<IpAddr>,
    ) -> Result<Self, ApiError> {
        let restaurant_id = join.restaurant_id;
        let (place, stream, opening) = admission::admit(&state, join, address).await?;
        Ok(Self {
            state,
            place,
            stream,
            opening,
            credential: caller.map(Credential::from),
            restaurant_id,
        })
    }

    /// Serves the peer, on a task of its own on this thread, until the session ends; then its place
    /// is given back.
    pub(super) fn run<T: Transport + 'static>(self, transport: T) {
        let now = Instant::now();
        let tasks = self.state.sessions.clone();
        let (opening, place) = (self.opening, self.place);
        let session = Session {
            state: self.state,
            transport,
            stream: self.stream,
            credential: self.credential,
            restaurant_id: self.restaurant_id,
            sent: now,
            heard: now,
            pinged: now,
            meter: Meter::new(now),
        };
        actix_web::rt::spawn(tasks.track_future(life(session, opening, place)));
    }
}

/// A session from its first frame to its end.
///
/// Thousands of these sleep: what is needed seldom is boxed, here and below, and the session is
/// used where it lies.
#[expect(
    clippy::manual_async_fn,
    reason = "the arguments of an async function lie in its future twice"
)]
fn life<T: Transport>(
    mut session: Session<T>,
    opening: Opening,
    place: Place,
) -> impl Future<Output = ()> {
    async move {
        let Err(farewell) = session.serve(opening).await;
        Box::pin(session.end(farewell)).await;
        drop(place);
    }
}

/// One socket or stream.
struct Session<T> {
    state: Arc<AppState>,
    transport: T,
    stream: realtime::Session,
    /// A member of the restaurant; `None` for somebody of the public, who only listens.
    credential: Option<Credential>,
    restaurant_id: RestaurantId,
    /// When something was last sent and last heard, and when the peer was last pinged.
    sent: Instant,
    heard: Instant,
    pinged: Instant,
    /// How much the peer says.
    meter: Meter,
}

impl<T: Transport> Session<T> {
    async fn serve(&mut self, opening: Opening) -> Result<Infallible, Farewell> {
        Box::pin(self.open(opening)).await?;
        // One timer for all deadlines. It is moved only when it fires or has to fire earlier: most
        // of what happens only moves a deadline further away.
        let mut timer = pin!(sleep_until(self.next_deadline()));
        loop {
            tokio::select! {
                pull = self.stream.next() => match pull {
                    Pull::Frames(frames) => self.deliver(frames).await?,
                    pull => Box::pin(self.pass_on(pull)).await?,
                },
                Heard { received, bytes } = self.transport.receive() => {
                    self.heard = Instant::now();
                    self.meter.piece(self.heard, bytes)?;
                    if !matches!(received, Received::Sign) {
                        Box::pin(self.hear(received)).await?;
                        // A new credential may end before the old one.
                        let next = self.next_deadline();
                        if next < timer.deadline() {
                            timer.as_mut().reset(next);
                        }
                    }
                }
                () = &mut timer => {
                    Box::pin(self.keep_time()).await?;
                    timer.as_mut().reset(self.next_deadline());
                }
            }
        }
    }

    async fn end(self, farewell: Farewell) {
        self.state.metrics.disconnected(Some(farewell.code));
        tracing::debug!(
            restaurant_id = %self.restaurant_id,
            session_id = ?self.credential.map(|credential| credential.session_id),
            code = farewell.code.number(),
            position = %self.stream.position(),
            "a session ended"
        );
        // Leaves the room before waiting for a peer that may not read any more.
        drop(self.stream);
        self.transport.close(farewell).await;
    }

    async fn open(&mut self, opening: Opening) -> Result<(), Farewell> {
        let connect = SessionFrame::RestaurantConnect {
            restaurant_id: self.restaurant_id,
            epoch: opening.epoch,
            seq: opening.head,
            resumed: opening.resumed,
            worker_id: self.state.config.worker_id.clone(),
            heartbeat_seconds: self.heartbeat().as_secs(),
            timestamp: self.state.db.clock().now(),
        };
        let here = self.stream.position();
        let Some(reason) = opening.resync else {
            return self.say(&connect, Some(here)).await;
        };
        // Who has heard only the first of the two must be told again.
        self.say(&connect, None).await?;
        self.resync(reason, here).await
    }

    fn deliver(&mut self, frames: Frames) -> impl Future<Output = Result<(), Farewell>> {
        let epoch = self.stream.position().epoch;
        let (sending, sent) = (self.transport.send_events(epoch, frames), &mut self.sent);
        async move {
            sending.await?;
            *sent = Instant::now();
            Ok(())
        }
    }

    async fn pass_on(&mut self, pull: Pull) -> Result<(), Farewell> {
        match pull {
            Pull::Frames(frames) => self.deliver(frames).await,
            Pull::Resync { reason, position } => self.resync(reason, position).await,
            Pull::Bulletin(frame) => self.pass(frame, None).await,
            Pull::Close(closing) => {
                let is_going = closing.code == CloseCode::GoingAway;
                let reason = match closing.code {
                    CloseCode::GoingAway => "going away: come back and resume",
                    CloseCode::TokenExpired => "signed out",
                    CloseCode::Forbidden => "no longer a member",
                    _ => "",
                };
                Err(Farewell {
                    reconnect_after: is_going.then(|| closing.reconnect_after.unwrap_or_default()),
                    ..Farewell::new(closing.code, reason)
                })
            }
        }
    }

    /// The stream goes on after `position`, and what came before cannot be told.
    async fn resync(&mut self, reason: ResyncReason, position: Position) -> Result<(), Farewell> {
        let Position { epoch, seq } = position;
        let frame = SessionFrame::ResyncRequired { reason, epoch, seq };
        self.say(&frame, Some(position)).await
    }

    async fn hear(&mut self, received: Received) -> Result<(), Farewell> {
        match received {
            Received::Sign => Ok(()),
            Received::Ping(bytes) => {
                self.meter.message()?;
                self.transport.pong(&bytes).await.map_err(Farewell::from)
            }
            Received::Gone => Err(Farewell::new(CloseCode::Normal, "")),
            Received::Abuse => Err(Farewell::new(
                CloseCode::Abuse,
                "not the protocol, or a message above 16 KiB or 64 frames",
            )),
            Received::Binary => {
                self.meter.message()?;
                self.refuse(ErrorCode::BadRequest, "Messages are JSON text.")
                    .await
            }
            Received::Text(text) => {
                self.meter.message()?;
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

    async fn answer(&mut self, message: ClientMessage) -> Result<(), Farewell> {
        match message {
            ClientMessage::Ping => {
                let (timestamp, here) = self.here();
                let pong = SessionFrame::Pong {
                    timestamp,
                    position: here.seq,
                };
                self.say(&pong, Some(here)).await
            }
            ClientMessage::RequestFullSync | ClientMessage::Auth { .. }
                if self.credential.is_none() =>
            {
                let sentence = "This socket is for listening only.";
                self.refuse(ErrorCode::Forbidden, sentence).await
            }
            ClientMessage::RequestFullSync => self.full_sync().await,
            ClientMessage::Auth { token } => match self.renewed(&token).await {
                Ok(caller) => {
                    self.credential = Some(caller.into());
                    Ok(())
                }
                Err(error) => self.refuse(error.code(), error.sentence()).await,
            },
        }
    }

    /// Sends the whole floor. Frames that commit meanwhile wait in the log; those that the
    /// snapshot contains are not sent again.
    async fn full_sync(&mut self) -> Result<(), Farewell> {
        match self.state.snapshots.of(self.restaurant_id).await {
            Ok(snapshot) => {
                // Of another epoch: the stream is about to say so, and the client asks again.
                if self.stream.skip_to(snapshot.position) {
                    self.pass(snapshot.frame(), Some(snapshot.position)).await
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
        let is_same =
            |known: Credential| (claims.sub, claims.sid) == (known.user_id, known.session_id);
        if !self.credential.is_some_and(is_same) {
            let sentence = "The token is of another account or device than the socket.";
            return Err(ApiError::new(ErrorCode::Forbidden, sentence));
        }
        let standing = auth::standing(&self.state, &claims).await?;
        auth::caller(&self.state, &claims, &standing, Some(self.restaurant_id)).await
    }

    /// What is due by the clock: heartbeat, ping, farewell to the silent and the expired.
    async fn keep_time(&mut self) -> Result<(), Farewell> {
        let now = Instant::now();
        if self
            .credential
            .is_some_and(|credential| self.state.db.clock().now() >= credential.expires_at)
        {
            return Err(Farewell::new(CloseCode::TokenExpired, "token expired"));
        }
        if T::HEARS && now >= self.heard + self.patience() {
            return Err(Farewell::new(CloseCode::Silent, "nothing heard"));
        }
        if T::HEARS && now >= self.pinged + self.heartbeat() {
            self.pinged = now;
            self.transport.ping().await?;
        }
        if now >= self.sent + self.heartbeat() {
            let (timestamp, here) = self.here();
            let heartbeat = SessionFrame::Heartbeat {
                timestamp,
                position: here.seq,
            };
            self.say(&heartbeat, Some(here)).await?;
        }
        Ok(())
    }

    /// When the clock is to be looked at next.
    fn next_deadline(&self) -> Instant {
        let expiry = self.credential.map(|credential| {
            let left = credential.expires_at - self.state.db.clock().now();
            Instant::now() + left.to_std().unwrap_or_default()
        });
        let sent = self.sent + self.heartbeat();
        let due = expiry.map_or(sent, |expiry| expiry.min(sent));
        if !T::HEARS {
            return due;
        }
        due.min(self.pinged + self.heartbeat())
            .min(self.heard + self.patience())
    }

    fn heartbeat(&self) -> Duration {
        self.state.config.live.heartbeat
    }

    /// How long a client may be silent: it answers pings at least.
    fn patience(&self) -> Duration {
        self.heartbeat().mul_f64(2.5)
    }

    fn here(&mut self) -> (chrono::DateTime<chrono::Utc>, Position) {
        // Nobody woke it for what it does not hear.
        self.stream.move_on();
        (self.state.db.clock().now(), self.stream.position())
    }

    async fn refuse(&mut self, code: ErrorCode, message: &str) -> Result<(), Farewell> {
        let frame = SessionFrame::Error {
            code,
            message: message.to_owned(),
        };
        self.say(&frame, None).await
    }

    async fn say(
        &mut self,
        frame: &SessionFrame,
        position: Option<Position>,
    ) -> Result<(), Farewell> {
        let text = serde_json::to_string(frame)
            .map_err(|_| Farewell::new(CloseCode::TooSlow, "a fault of the server"))?;
        self.pass(text.into(), position).await
    }

    async fn pass(
        &mut self,
        frame: ByteString,
        position: Option<Position>,
    ) -> Result<(), Farewell> {
        self.transport.send(frame, position).await?;
        self.sent = Instant::now();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::transport::BareSocket;

    fn size_of<A, B, C, F: Future>(_: impl Fn(A, B, C) -> F) -> usize {
        std::mem::size_of::<F>()
    }

    #[test]
    fn a_session_is_small() {
        let size = size_of(life::<BareSocket>);
        println!("a session: {size} bytes");
        assert!(size <= 1024, "{size} bytes");
    }
}
