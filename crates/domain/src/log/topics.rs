//! Where a log last told of each room's things, so that what one room shows is known to be as it was
//! while others change.

use diesel::prelude::*;
use wire::entities::Topic;
use wire::{Epoch, Position, Seq};

use crate::schema::log_heads;

/// Where a log stands, as a whole and for each topic.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = log_heads)]
pub(crate) struct Topics {
    epoch: Epoch,
    last_seq: Seq,
    /// At the topic's number, from 1; missing or 0 where nothing was ever told.
    topic_seqs: Vec<Seq>,
    topics_upto: Seq,
}

impl Topics {
    /// Where the log stands.
    pub(crate) const fn position(&self) -> Position {
        self.at(self.last_seq)
    }

    /// The last event of any of these topics; the last of all where a program that knows of no
    /// topics has told something since.
    pub(crate) fn last_of(&self, topics: &[Topic]) -> Position {
        if self.topics_upto != self.last_seq {
            return self.position();
        }
        let seq = |topic: &Topic| {
            let place = usize::from(*topic as u8).checked_sub(1)?;
            self.topic_seqs.get(place).copied()
        };
        self.at(topics.iter().filter_map(seq).max().unwrap_or(0))
    }

    const fn at(&self, seq: Seq) -> Position {
        Position {
            epoch: self.epoch,
            seq,
        }
    }
}
