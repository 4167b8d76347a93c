//! A Redis Cluster: `SSUBSCRIBE` and `SPUBLISH` to the master of each restaurant's slot.
//!
//! Each master is a way of its own with its own beat, since one may die and the others live. When
//! any goes silent, or gives slots away, the whole connection is made anew: the slots may have
//! moved.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::{StreamExt, stream};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, Slot, SlotAddr};
use redis::{
    ConnectionInfo, Pipeline, ProtocolVersion, PushInfo, PushKind, TlsCertificates, Value,
};
use tokio::sync::mpsc;
use wire::RestaurantId;

use crate::bus::beat::Way;
use crate::bus::carried::{Ear, Fault, Heard, Parcel};
use crate::bus::redis::Speech;
use crate::bus::redis::channels::Channel;

/// How many numbers are tried to find a way to each master. A master with a thousandth of the
/// slots is missed about once in e⁸ times.
const NUMBERS: Way = 8192;
/// How many subscriptions are under way at a time: each is a command of its own, because one
/// command takes channels of one slot only.
const ORDERS_ABREAST: usize = 32;

pub(super) type Connection = ClusterConnection;

pub(super) struct Mouth {
    connection: Connection,
    ways: Vec<Way>,
}

pub(super) struct Cluster {
    seeds: Vec<ConnectionInfo>,
    /// The nodes that the seeds tell of are reached by TLS if the seeds are.
    trust: Option<TlsCertificates>,
    timeout: Duration,
    speech: Speech,
}

impl Cluster {
    pub(super) fn new(
        seeds: Vec<ConnectionInfo>,
        trust: Option<TlsCertificates>,
        timeout: Duration,
        speech: Speech,
    ) -> Self {
        Self {
            trust: trust.filter(|_| seeds.iter().all(super::is_verified)),
            seeds,
            timeout,
            speech,
        }
    }

    pub(super) async fn listen(&self) -> Result<Ear<Connection>, Fault> {
        let (pushes, pushed) = mpsc::unbounded_channel();
        let mut desk = self.connect(Some(pushes)).await?;
        let ways = self.ways(&mut desk).await?;
        for way in &ways {
            desk.ssubscribe(self.speech.channels.workers(*way)).await?;
        }
        let speech = self.speech.clone();
        let heard = stream::unfold((pushed, speech), |(mut pushed, speech)| async move {
            loop {
                let push = pushed.recv().await?;
                // The library would connect and subscribe again, but nobody would know since when.
                if push.kind == PushKind::Disconnection {
                    return None;
                }
                if let Some(heard) = speech.understand_push(&push) {
                    return Some((heard, (pushed, speech)));
                }
            }
        });
        Ok(Ear {
            desk,
            ways,
            heard: heard.boxed(),
        })
    }

    pub(super) async fn open(&self) -> Result<Mouth, Fault> {
        let mut connection = self.connect(None).await?;
        let ways = self.ways(&mut connection).await?;
        Ok(Mouth { connection, ways })
    }

    async fn connect(
        &self,
        pushes: Option<mpsc::UnboundedSender<PushInfo>>,
    ) -> Result<Connection, Fault> {
        let mut builder = ClusterClient::builder(self.seeds.clone())
            .use_protocol(ProtocolVersion::RESP3)
            .connection_timeout(self.timeout)
            .response_timeout(self.timeout)
            .overall_response_timeout(Some(self.timeout))
            .retries(1);
        if let Some(trust) = self.trust.clone() {
            builder = builder.certs(trust);
        }
        if let Some(pushes) = pushes {
            builder = builder.push_sender(pushes);
        }
        Ok(builder.build()?.get_async_connection().await?)
    }

    /// For each master the first number whose channel lives there, so that all workers find the
    /// same.
    async fn ways(&self, connection: &mut Connection) -> Result<Vec<Way>, Fault> {
        let mut ask = redis::cmd("CLUSTER");
        ask.arg("SLOTS");
        let anybody = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
        let slots = masters_of_slots(&connection.route_command(ask, anybody).await?);
        if slots.is_empty() {
            return Err("the cluster has no slots".into());
        }
        let mut ways = HashMap::new();
        for way in 0..NUMBERS {
            let channel = self.speech.channels.workers(way);
            if let Some(master) = slots.get(&slot(&channel)) {
                ways.entry(master).or_insert(way);
            }
        }
        Ok(ways.into_values().collect())
    }

    pub(super) async fn subscribe(
        &self,
        desk: &mut Connection,
        ids: &[RestaurantId],
    ) -> Result<(), Fault> {
        for names in self.speech.names(ids).chunks(ORDERS_ABREAST) {
            try_join_all(names.iter().map(|name| {
                let mut desk = desk.clone();
                async move { desk.ssubscribe(name).await }
            }))
            .await?;
        }
        Ok(())
    }

    pub(super) async fn unsubscribe(
        &self,
        desk: &mut Connection,
        ids: &[RestaurantId],
    ) -> Result<(), Fault> {
        for names in self.speech.names(ids).chunks(ORDERS_ABREAST) {
            try_join_all(names.iter().map(|name| {
                let mut desk = desk.clone();
                async move { desk.sunsubscribe(name).await }
            }))
            .await?;
        }
        Ok(())
    }

    /// A pipeline goes to one slot: there is one for each restaurant, which keeps its order.
    pub(super) async fn say(&self, mouth: &mut Mouth, parcel: &Parcel) -> Result<(), Fault> {
        let channels = &self.speech.channels;
        let mut pipes: HashMap<String, Pipeline> = HashMap::new();
        let mut add = |channel: String, message: Vec<u8>| {
            let pipe = pipes.entry(channel.clone()).or_default();
            pipe.cmd("SPUBLISH").arg(channel).arg(message).ignore();
        };
        if let Some(beat) = &parcel.beat {
            for way in &mouth.ways {
                add(channels.workers(*way), beat.encode()?);
            }
        }
        for (restaurant, message) in self.speech.messages(parcel)? {
            add(channels.of(restaurant), message);
        }
        let said = pipes.into_values().map(|pipe| {
            let mut connection = mouth.connection.clone();
            async move { pipe.query_async::<()>(&mut connection).await }
        });
        // All of them: one master that is away must not keep the others from hearing the rest.
        let said = futures_util::future::join_all(said).await;
        Ok(said.into_iter().collect::<Result<(), _>>()?)
    }
}

impl Speech {
    fn understand_push(&self, push: &PushInfo) -> Option<Heard> {
        let text = |n: usize| match push.data.get(n) {
            Some(Value::BulkString(bytes)) => bytes.as_slice(),
            _ => &[],
        };
        match push.kind {
            PushKind::SMessage => Some(self.understand(text(0), text(1))),
            PushKind::SUnsubscribe => Some(Heard::Ended(match self.channels.read(text(0)) {
                Some(Channel::Restaurant(id)) => Some(id),
                Some(Channel::Workers(_)) | None => None,
            })),
            _ => None,
        }
    }
}

fn slot(channel: &str) -> Route {
    Route::with_slot(Slot::for_key(channel), SlotAddr::Master)
}

/// Reads the answer of `CLUSTER SLOTS`: `[[first, last, [address, port, id, …], replicas…], …]`.
fn masters_of_slots(answer: &Value) -> HashMap<Route, String> {
    let mut masters = HashMap::new();
    let Value::Array(ranges) = answer else {
        return masters;
    };
    for range in ranges {
        let Value::Array(range) = range else { continue };
        let [
            Value::Int(first),
            Value::Int(last),
            Value::Array(master),
            ..,
        ] = range.as_slice()
        else {
            continue;
        };
        let name = format!("{:?}", master.get(..3));
        for slot in *first..=*last {
            if let Some(slot) = u16::try_from(slot).ok().and_then(Slot::new) {
                masters.insert(Route::with_slot(slot, SlotAddr::Master), name.clone());
            }
        }
    }
    masters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_masters_of_all_slots() {
        let node = |port| {
            Value::Array(vec![
                Value::BulkString(b"10.0.0.1".to_vec()),
                Value::Int(port),
                Value::BulkString(b"id".to_vec()),
            ])
        };
        let range = |first, last, port| {
            Value::Array(vec![
                Value::Int(first),
                Value::Int(last),
                node(port),
                node(9),
            ])
        };
        let answer = Value::Array(vec![range(0, 9, 1), range(10, 16_383, 2), range(1, 2, 3)]);
        let masters = masters_of_slots(&answer);
        assert_eq!(masters.len(), 16_384);
        let at = |slot| {
            let slot = Slot::new(slot).unwrap();
            &masters[&Route::with_slot(slot, SlotAddr::Master)]
        };
        assert_eq!(at(0), at(9));
        assert_eq!(at(10), at(16_383));
        assert!(at(0) != at(10) && at(1) == at(2) && at(1) != at(0));
        assert!(masters_of_slots(&Value::Nil).is_empty());
    }
}
