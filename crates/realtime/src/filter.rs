//! What of a log a session hears.

use bytestring::ByteString;
use wire::live::events::EventKind;
use wire::{Audience, RootId, Seq};

use crate::config::HubConfig;
use crate::event::Event;
use crate::session::Frames;

/// What somebody may hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hears {
    /// Everything.
    Staff,
    /// What everybody may.
    Public,
    /// What concerns these, in the frames that are made for their followers.
    Own(Box<[RootId]>),
}

impl Hears {
    /// The part of a log that it is.
    #[must_use]
    pub const fn audience(&self) -> Audience {
        match self {
            Self::Staff => Audience::Staff,
            Self::Public => Audience::Public,
            Self::Own(_) => Audience::Own,
        }
    }

    /// The things whose followers hear it.
    pub(crate) fn roots(&self) -> &[RootId] {
        match self {
            Self::Staff | Self::Public => &[],
            Self::Own(roots) => roots,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Filter {
    hears: Hears,
    kinds: Option<Box<[EventKind]>>,
}

impl Filter {
    pub(crate) fn new(hears: Hears, kinds: Option<Vec<EventKind>>) -> Self {
        Self {
            hears,
            kinds: kinds.map(Vec::into_boxed_slice),
        }
    }

    pub(crate) const fn hears(&self) -> &Hears {
        &self.hears
    }

    /// The frames of a batch, bounded by number and bytes but at least one if any passes. Moves
    /// `seq` to the last event that was looked at, whether it passed or not.
    pub(crate) fn gather<'a>(
        &self,
        events: impl Iterator<Item = &'a Event>,
        config: &HubConfig,
        seq: &mut Seq,
    ) -> Frames {
        let mut frames = Frames::new();
        let mut bytes = 0;
        for event in events {
            if let Some(frame) = self.pass(event) {
                bytes += frame.len();
                let full = frames.len() >= config.batch_frames || bytes > config.batch_bytes;
                if full && !frames.is_empty() {
                    break;
                }
                frames.push(frame.clone());
            }
            *seq = event.seq;
        }
        frames
    }

    fn pass<'a>(&self, event: &'a Event) -> Option<&'a ByteString> {
        #[cfg(feature = "faults")]
        if event.frame.is_empty() {
            return None;
        }
        match &self.kinds {
            Some(kinds) if !kinds.contains(&event.kind) => None,
            _ => match &self.hears {
                Hears::Staff => Some(&event.frame),
                Hears::Public => event.public_frame.as_ref(),
                Hears::Own(roots) => event.own.as_ref()?.frame_for(roots),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{config, event};

    fn gather(filter: &Filter, config: &HubConfig, events: &[Event]) -> (usize, Seq) {
        let mut seq = 0;
        let frames = filter.gather(events.iter(), config, &mut seq);
        (frames.len(), seq)
    }

    #[test]
    fn batches_are_bounded_by_number_and_bytes() {
        let events: Vec<_> = (1..=9).map(event).collect();
        let all = Filter::new(Hears::Staff, None);
        let mut config = config();
        assert_eq!(gather(&all, &config, &events), (9, 9));
        config.batch_frames = 4;
        assert_eq!(gather(&all, &config, &events), (4, 4));
        config.batch_bytes = events[0].frame.len() * 2;
        assert_eq!(gather(&all, &config, &events), (2, 2));
        config.batch_bytes = 1;
        assert_eq!(gather(&all, &config, &events), (1, 1));
    }

    #[test]
    fn the_place_moves_over_what_is_not_heard() {
        let mut events: Vec<_> = (1..=4).map(event).collect();
        events[3].kind = EventKind::TableUpdated;
        let tables = Filter::new(Hears::Staff, Some(vec![EventKind::TableUpdated]));
        assert_eq!(gather(&tables, &config(), &events), (1, 4));
        assert_eq!(gather(&tables, &config(), &events[..3]), (0, 3));
        let public = Filter::new(Hears::Public, None);
        events[1].public_frame = Some("{}".into());
        assert_eq!(gather(&public, &config(), &events), (1, 4));
    }
}
