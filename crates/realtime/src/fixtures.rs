//! Values for the unit tests.

use uuid::Uuid;
use wire::live::events::EventKind;
use wire::{Epoch, Seq};

use crate::config::HubConfig;
use crate::event::Event;
use crate::log::{Head, Page};

pub(crate) fn config() -> HubConfig {
    HubConfig::new(|| 0)
}

pub(crate) fn epoch(n: u128) -> Epoch {
    Epoch(Uuid::from_u128(n))
}

pub(crate) fn event(seq: Seq) -> Event {
    Event {
        seq,
        kind: EventKind::GuestUpdated,
        frame: format!("{{\"seq\":{seq}}}").into(),
        public_frame: None,
        own: None,
    }
}

pub(crate) fn page(
    epoch: Epoch,
    last_seq: Seq,
    pruned_seq: Seq,
    events: impl IntoIterator<Item = Seq>,
) -> Page {
    Page {
        head: Head {
            epoch,
            last_seq,
            pruned_seq,
        },
        events: events.into_iter().map(event).collect(),
    }
}
