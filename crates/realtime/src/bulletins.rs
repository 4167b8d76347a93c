//! Bulletins: what is not in the log and of which only the latest counts, such as a place in a
//! queue or who is in the house.

use std::collections::{BTreeMap, HashMap};

use bytestring::ByteString;
use wire::RootId;

use crate::filter::Hears;

/// Who hears a bulletin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Readers {
    /// Staff.
    Staff,
    /// Everybody who listens as the public.
    Public,
    /// Who follows this thing.
    Own(RootId),
}

/// What has been posted in a room: for each reader the latest of each key.
#[derive(Debug, Default)]
pub(crate) struct Bulletins {
    /// How many have been posted.
    count: u64,
    posted: HashMap<Readers, Board>,
}

/// What hangs out for some readers.
#[derive(Debug, Default)]
struct Board {
    /// By the how many-th each was.
    texts: BTreeMap<u64, (ByteString, ByteString)>,
    /// Which one has a key.
    numbers: HashMap<ByteString, u64>,
}

impl Bulletins {
    /// Posts a text in the place of the last one of its key; whether it is news.
    pub(crate) fn post(&mut self, readers: Readers, key: ByteString, text: ByteString) -> bool {
        let board = self.posted.entry(readers).or_default();
        if let Some(number) = board.numbers.get(&key) {
            let known = board.texts.get(number);
            if known.is_some_and(|(_, known)| *known == text) {
                return false;
            }
            board.texts.remove(number);
        }
        self.count += 1;
        board.numbers.insert(key.clone(), self.count);
        board.texts.insert(self.count, (key, text));
        true
    }

    /// Takes down what hangs out for some readers: their thing is over.
    pub(crate) fn take_down(&mut self, readers: Readers) {
        self.posted.remove(&readers);
    }

    /// The next for somebody who has read up to `read`, which moves on to it.
    pub(crate) fn next(&self, hears: &Hears, read: &mut u64) -> Option<ByteString> {
        if *read >= self.count {
            return None;
        }
        let after = *read + 1;
        let first = |readers| self.posted.get(&readers)?.texts.range(after..).next();
        let found = match hears {
            Hears::Staff => first(Readers::Staff),
            Hears::Public => first(Readers::Public),
            Hears::Own(roots) => {
                let found = roots.iter().filter_map(|root| first(Readers::Own(*root)));
                found.min_by_key(|(number, _)| **number)
            }
        };
        *read = found.map_or(self.count, |(number, _)| *number);
        found.map(|(_, (_, text))| text.clone())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const MINE: RootId = RootId(Uuid::from_u128(1));
    const THEIRS: RootId = RootId(Uuid::from_u128(2));

    fn all(board: &Bulletins, hears: &Hears, read: &mut u64) -> Vec<String> {
        std::iter::from_fn(|| board.next(hears, read).map(|text| text.to_string())).collect()
    }

    #[test]
    fn the_latest_of_each_key_reaches_its_readers() {
        let mut board = Bulletins::default();
        let mine = Hears::Own([MINE].into());
        let mut read = 0;
        assert!(board.post(Readers::Own(MINE), "place".into(), "3".into()));
        assert!(board.post(Readers::Own(THEIRS), "place".into(), "4".into()));
        assert!(board.post(Readers::Staff, "here".into(), "anna".into()));
        assert_eq!(all(&board, &mine, &mut read), ["3"]);
        assert!(!board.post(Readers::Own(MINE), "place".into(), "3".into()));
        assert_eq!(all(&board, &mine, &mut read), [""; 0]);
        // Who was slow hears the last of each, in the order in which they came.
        assert!(board.post(Readers::Own(MINE), "place".into(), "2".into()));
        assert!(board.post(Readers::Own(MINE), "wait".into(), "20".into()));
        assert!(board.post(Readers::Own(MINE), "place".into(), "1".into()));
        assert_eq!(all(&board, &mine, &mut read), ["20", "1"]);
        let both = Hears::Own([THEIRS, MINE].into());
        assert_eq!(all(&board, &both, &mut 0), ["4", "20", "1"]);
        assert_eq!(all(&board, &Hears::Staff, &mut 0), ["anna"]);
        assert_eq!(all(&board, &Hears::Public, &mut 0), [""; 0]);
        board.take_down(Readers::Own(MINE));
        assert_eq!(all(&board, &both, &mut 0), ["4"]);
    }
}
