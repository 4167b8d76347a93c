//! One server: `SUBSCRIBE` and `PUBLISH`.

use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSubSink};
use redis::{AsyncConnectionConfig, Client, Pipeline};
use wire::RestaurantId;

use crate::bus::beat::Way;
use crate::bus::carried::{Ear, Fault, Parcel};
use crate::bus::redis::Speech;

/// There is only one.
const WAY: Way = 0;

pub(super) type Desk = PubSubSink;
pub(super) type Mouth = MultiplexedConnection;

pub(super) struct Single {
    client: Client,
    options: AsyncConnectionConfig,
    speech: Speech,
}

impl Single {
    pub(super) fn new(client: Client, options: AsyncConnectionConfig, speech: Speech) -> Self {
        Self {
            client,
            options,
            speech,
        }
    }

    pub(super) async fn open(&self) -> Result<Mouth, Fault> {
        let client = &self.client;
        let mouth = client.get_multiplexed_async_connection_with_config(&self.options);
        Ok(mouth.await?)
    }

    /// Whether the server says that it is a node of a cluster. One that does not like to be asked
    /// is believed to be none.
    pub(super) async fn is_cluster(&self) -> Result<bool, Fault> {
        let mut connection = self.open().await?;
        let info = redis::cmd("INFO").arg("cluster").to_owned();
        match info.query_async::<String>(&mut connection).await {
            Ok(info) => Ok(info.contains("cluster_enabled:1")),
            Err(error) if error.is_io_error() || error.is_timeout() => Err(error.into()),
            Err(error) => {
                tracing::debug!(%error, "the server does not say whether it is a cluster");
                Ok(false)
            }
        }
    }

    pub(super) async fn listen(&self) -> Result<Ear<Desk>, Fault> {
        let (mut desk, stream) = self.client.get_async_pubsub().await?.split();
        desk.subscribe(self.speech.channels.workers(WAY)).await?;
        let speech = self.speech.clone();
        let heard = stream.map(move |message| {
            let channel = message.get_channel_name().as_bytes();
            speech.understand(channel, message.get_payload_bytes())
        });
        Ok(Ear {
            desk,
            ways: vec![WAY],
            heard: heard.boxed(),
        })
    }

    pub(super) async fn subscribe(
        &self,
        desk: &mut Desk,
        ids: &[RestaurantId],
    ) -> Result<(), Fault> {
        Ok(desk.subscribe(self.speech.names(ids)).await?)
    }

    pub(super) async fn unsubscribe(
        &self,
        desk: &mut Desk,
        ids: &[RestaurantId],
    ) -> Result<(), Fault> {
        Ok(desk.unsubscribe(self.speech.names(ids)).await?)
    }

    pub(super) async fn say(&self, mouth: &mut Mouth, parcel: &Parcel) -> Result<(), Fault> {
        let channels = &self.speech.channels;
        let mut pipe = Pipeline::new();
        if let Some(beat) = &parcel.beat {
            let channel = channels.workers(WAY);
            pipe.cmd("PUBLISH")
                .arg(channel)
                .arg(beat.encode()?)
                .ignore();
        }
        for (restaurant, message) in self.speech.messages(parcel)? {
            let channel = channels.of(restaurant);
            pipe.cmd("PUBLISH").arg(channel).arg(message).ignore();
        }
        Ok(pipe.query_async(mouth).await?)
    }
}
