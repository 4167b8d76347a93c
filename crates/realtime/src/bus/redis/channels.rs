//! The names of channels.

use wire::RestaurantId;

use crate::bus::beat::Way;

/// The braces are for a cluster: what stands between them decides on which master a channel lives.
#[derive(Clone)]
pub(super) struct Channels {
    restaurant: String,
    workers: String,
}

/// What a channel is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Restaurant(RestaurantId),
    Workers(Way),
}

impl Channels {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            restaurant: format!("{prefix}restaurant:{{"),
            workers: format!("{prefix}workers:{{"),
        }
    }

    pub(super) fn of(&self, restaurant: RestaurantId) -> String {
        format!("{}{restaurant}}}", self.restaurant)
    }

    /// Where all workers say that they live.
    pub(super) fn workers(&self, way: Way) -> String {
        format!("{}{way}}}", self.workers)
    }

    pub(super) fn read(&self, channel: &[u8]) -> Option<Channel> {
        let channel = std::str::from_utf8(channel).ok()?.strip_suffix('}')?;
        if let Some(id) = channel.strip_prefix(&self.restaurant) {
            return id.parse().ok().map(Channel::Restaurant);
        }
        let way = channel.strip_prefix(&self.workers)?;
        way.parse().ok().map(Channel::Workers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_channel_names_its_restaurant() {
        let channels = Channels::new("qt:");
        let id = RestaurantId(Uuid::from_u128(7));
        let channel = channels.of(id);
        assert_eq!(
            channel,
            "qt:restaurant:{00000000-0000-0000-0000-000000000007}"
        );
        let read = |channel: &str| channels.read(channel.as_bytes());
        assert_eq!(read(&channel), Some(Channel::Restaurant(id)));
        assert_eq!(channels.workers(12), "qt:workers:{12}");
        assert_eq!(read("qt:workers:{12}"), Some(Channel::Workers(12)));
        for other in ["", "}", "qt:workers:{}", "qt:workers:12", "restaurant:{1}"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
