//! A socket that follows a restaurant: what it says, frame by frame.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use wire::live::events::EventKind;
use wire::live::frames::ResyncReason;
use wire::{Epoch, Position, Seq};

use crate::http::Api;

/// How long the beginning may take before another worker is tried.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// An open socket.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// The first frame.
#[derive(Debug, Deserialize)]
pub(crate) struct Connect {
    pub(crate) epoch: Epoch,
    pub(crate) seq: Seq,
    pub(crate) resumed: bool,
    pub(crate) worker_id: String,
    pub(crate) heartbeat_seconds: u64,
}

/// What a socket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// An event of the log.
    Event { seq: Seq, hash: u64 },
    /// Everything up to here has been said.
    Position(Seq),
    /// What was missed cannot be told.
    Resync {
        reason: ResyncReason,
        position: Position,
    },
    /// Anything else.
    Other,
}

/// The bytes of a frame, in brief.
pub(crate) fn fingerprint(frame: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    frame.hash(&mut hasher);
    hasher.finish()
}

/// Reads a frame.
///
/// # Errors
/// When it is not one that the contract knows.
pub(crate) fn understand(text: &str) -> anyhow::Result<Said> {
    #[derive(Deserialize)]
    struct Frame {
        #[serde(rename = "type")]
        kind: String,
        seq: Option<Seq>,
        epoch: Option<Epoch>,
        position: Option<Seq>,
        reason: Option<ResyncReason>,
    }
    let frame: Frame = serde_json::from_str(text).context("a frame")?;
    Ok(match frame.kind.as_str() {
        "heartbeat" | "pong" => Said::Position(frame.position.context("its position")?),
        "resync_required" => Said::Resync {
            reason: frame.reason.context("its reason")?,
            position: Position {
                epoch: frame.epoch.context("its epoch")?,
                seq: frame.seq.context("its seq")?,
            },
        },
        kind if kind.parse::<EventKind>().is_ok() => Said::Event {
            seq: frame.seq.context("its seq")?,
            hash: fingerprint(text),
        },
        _ => Said::Other,
    })
}

impl Socket {
    /// Opens one. `query` is added to the address: `&since=…&epoch=…`.
    ///
    /// # Errors
    /// When it is refused, or nobody answers in time.
    pub(crate) async fn open(api: &Api, query: &str) -> anyhow::Result<(Self, Connect)> {
        let token = api.token(None).await?;
        match timeout(PATIENCE, Self::open_with(api, query, &token))
            .await
            .context("no answer to the handshake in time")?
        {
            Err(error) if is_unauthorized(&error) => {
                api.token(Some(&token)).await?;
                Err(error)
            }
            result => result,
        }
    }

    async fn open_with(api: &Api, query: &str, token: &str) -> anyhow::Result<(Self, Connect)> {
        let url = format!(
            "ws://{}/api/v1/realtime?restaurant_id={}{query}",
            api.authority(),
            api.account.restaurant
        );
        let mut request = url.into_client_request()?;
        request
            .headers_mut()
            .insert("authorization", format!("Bearer {token}").parse()?);
        let (stream, _) = tokio_tungstenite::connect_async(request).await?;
        let mut socket = Self { stream };
        let first = socket.next().await?;
        let connect = serde_json::from_str(&first).context("the first frame")?;
        Ok((socket, connect))
    }

    /// The next frame.
    ///
    /// # Errors
    /// How the socket ended.
    pub(crate) async fn next(&mut self) -> anyhow::Result<String> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(Some(close)))) => {
                    anyhow::bail!("closed: {} {}", u16::from(close.code), close.reason)
                }
                Some(Ok(Message::Close(None))) | None => anyhow::bail!("closed"),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    /// Asks up to where this session has been served.
    pub(crate) async fn ping(&mut self) -> anyhow::Result<()> {
        Ok(self
            .stream
            .send(Message::text(r#"{"type":"ping"}"#))
            .await?)
    }

    /// Takes leave; nobody waits for the answer.
    pub(crate) async fn close(mut self) {
        // A peer that is gone needs no farewell.
        let _closed = timeout(Duration::from_millis(200), self.stream.close(None)).await;
    }
}

fn is_unauthorized(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<tungstenite::Error>(),
        Some(tungstenite::Error::Http(answer)) if answer.status().as_u16() == 401
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_positions_and_resyncs_are_told_apart() {
        let event = r#"{"type":"guest_updated","seq":7,"data":{"seq":9}}"#;
        let hash = fingerprint(event);
        assert_eq!(understand(event).unwrap(), Said::Event { seq: 7, hash });
        let heartbeat = r#"{"type":"heartbeat","timestamp":"x","position":8}"#;
        assert_eq!(understand(heartbeat).unwrap(), Said::Position(8));
        let epoch = "0198b2f0-0000-7000-8000-000000000000";
        let resync = format!(
            r#"{{"type":"resync_required","reason":"epoch_changed","epoch":"{epoch}","seq":3}}"#
        );
        assert!(matches!(
            understand(&resync).unwrap(),
            Said::Resync { reason: ResyncReason::EpochChanged, position } if position.seq == 3
        ));
        assert_eq!(understand(r#"{"type":"presence"}"#).unwrap(), Said::Other);
        understand(r#"{"type":"guest_updated"}"#).unwrap_err();
        understand("nonsense").unwrap_err();
    }
}
