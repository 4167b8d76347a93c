//! The names of channels.

use wire::RestaurantId;

use crate::bus::redis::RedisConfig;

pub(super) struct Channels {
    restaurant: String,
    own: String,
}

impl Channels {
    /// The name of the worker alone would not do for its own channel: with the same name twice,
    /// each would take the other's beat for its own.
    pub(super) fn new(config: &RedisConfig, origin: u64) -> Self {
        let RedisConfig {
            prefix, worker_id, ..
        } = config;
        Self {
            restaurant: format!("{prefix}restaurant:"),
            own: format!("{prefix}worker:{worker_id}:{origin:016x}"),
        }
    }

    /// Where this worker hears its own beat.
    pub(super) fn own(&self) -> &str {
        &self.own
    }

    pub(super) fn of(&self, restaurant: RestaurantId) -> String {
        format!("{}{restaurant}", self.restaurant)
    }

    pub(super) fn restaurant(&self, channel: &str) -> Option<RestaurantId> {
        channel.strip_prefix(&self.restaurant)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_channel_names_its_restaurant() {
        let config = RedisConfig::new("redis://nowhere", "qt:", "w1");
        let channels = Channels::new(&config, 10);
        let id = RestaurantId(Uuid::from_u128(7));
        let channel = channels.of(id);
        assert_eq!(
            channel,
            "qt:restaurant:00000000-0000-0000-0000-000000000007"
        );
        assert_eq!(channels.restaurant(&channel), Some(id));
        assert_eq!(channels.own(), "qt:worker:w1:000000000000000a");
        assert_eq!(channels.restaurant(channels.own()), None);
    }
}
