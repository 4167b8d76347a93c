//! Several servers that share the restaurants between them.
//!
//! Which one carries a restaurant is decided by rendezvous hashing: each server gets a score for
//! the restaurant, and the highest wins. Adding a server at the end moves only those restaurants
//! that it wins. Servers are told apart by their place in the list, not by their address, because
//! two workers may reach the same server by different addresses.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use wire::RestaurantId;

use crate::bus::{Bus, Incoming, PartStatus, Receiver, Subscribed};
use crate::event::Commit;
use crate::stats::Stats;

/// A bus that consists of others, each a part of one.
pub(crate) struct ShardedBus(Vec<Arc<dyn Bus>>);

impl ShardedBus {
    /// There has to be one at least.
    pub(crate) fn new(shards: Vec<Arc<dyn Bus>>) -> Self {
        Self(shards)
    }

    fn shard(&self, restaurant: RestaurantId) -> Option<&dyn Bus> {
        self.0.get(self.part_of(restaurant)).map(Arc::as_ref)
    }
}

impl Bus for ShardedBus {
    fn start(&self, receiver: Arc<dyn Receiver>, stats: Arc<Stats>) {
        for (part, shard) in self.0.iter().enumerate() {
            let receiver = Arc::clone(&receiver);
            shard.start(Arc::new(Part { part, receiver }), Arc::clone(&stats));
        }
    }

    fn publish(&self, commit: Arc<Commit>) {
        if let Some(shard) = self.shard(commit.restaurant_id) {
            shard.publish(commit);
        }
    }

    fn subscribe(&self, restaurant: RestaurantId) -> BoxFuture<'_, Subscribed> {
        match self.shard(restaurant) {
            Some(shard) => shard.subscribe(restaurant),
            None => std::future::ready(Subscribed::Later).boxed(),
        }
    }

    fn unsubscribe(&self, restaurant: RestaurantId) {
        if let Some(shard) = self.shard(restaurant) {
            shard.unsubscribe(restaurant);
        }
    }

    fn shutdown(&self) -> BoxFuture<'_, ()> {
        join_all(self.0.iter().map(|shard| shard.shutdown()))
            .map(|_| ())
            .boxed()
    }

    fn parts(&self) -> usize {
        self.0.len()
    }

    fn part_of(&self, restaurant: RestaurantId) -> usize {
        winner(restaurant, self.0.len())
    }

    fn status(&self) -> Vec<PartStatus> {
        self.0.iter().flat_map(|shard| shard.status()).collect()
    }
}

/// A shard's ear, which says whose it is.
struct Part {
    part: usize,
    receiver: Arc<dyn Receiver>,
}

impl Receiver for Part {
    fn receive(&self, incoming: Incoming) {
        self.receiver.receive(match incoming {
            Incoming::Reach { reach, .. } => Incoming::Reach {
                part: self.part,
                reach,
            },
            other => other,
        });
    }
}

fn winner(restaurant: RestaurantId, servers: usize) -> usize {
    (0..servers)
        .max_by_key(|server| score(restaurant, *server))
        .unwrap_or(0)
}

/// All workers of all releases must agree on this: FNV-1a, and the last steps of SplitMix64 to
/// spread it.
fn score(restaurant: RestaurantId, server: usize) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    let server = u64::try_from(server).unwrap_or(u64::MAX).to_le_bytes();
    let bytes = restaurant.0.as_bytes().iter().chain(&server);
    let hash = bytes.fold(BASIS, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(PRIME)
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// As ids are made: a time, then chance.
    fn restaurants() -> impl Iterator<Item = RestaurantId> {
        (0..3000_u128).map(|n| {
            let time = (0x0190_0000_0000 + n) << 80;
            RestaurantId(Uuid::from_u128(
                time | n.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            ))
        })
    }

    #[test]
    fn servers_get_about_the_same() {
        let mut shares = [0; 3];
        restaurants().for_each(|id| shares[winner(id, 3)] += 1);
        assert!(
            shares.iter().all(|share| (900..1100).contains(share)),
            "{shares:?}"
        );
    }

    #[test]
    fn a_server_more_takes_its_share_and_nothing_else_moves() {
        let mut moved = 0;
        for id in restaurants() {
            let (before, after) = (winner(id, 3), winner(id, 4));
            assert!(after == before || after == 3);
            moved += usize::from(after != before);
        }
        assert!((650..850).contains(&moved), "{moved}");
    }

    /// Another answer would part the workers of two releases during a deploy.
    #[test]
    fn the_answer_never_changes() {
        let id = |n| RestaurantId(Uuid::from_u128(n));
        let winners: Vec<_> = (1..=16).map(|n| winner(id(n), 4)).collect();
        assert_eq!(winners, [0, 0, 0, 1, 2, 3, 2, 1, 2, 0, 2, 1, 2, 2, 2, 2]);
    }
}
