//! Where those events stand that only some hear.
//!
//! Who hears little is neither woken for the rest nor has to read over it: a room notes, for the
//! public and for each thing that somebody follows here, the numbers of the last events that concern
//! it. Ten thousand followers whom an event does not concern cost nothing.

use std::collections::{HashMap, VecDeque};

use smallvec::SmallVec;
use wire::{RootId, Seq};

use crate::event::Event;
use crate::filter::Hears;

/// So many are kept of each. Who stands before them reads over what lies between.
const KEPT: usize = 32;

/// Who has to look for news; staff always has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Everybody.
    All,
    /// Those who may hear it.
    Some {
        /// Everybody who listens as the public.
        public: bool,
        /// Those who follow one of these.
        roots: SmallVec<[RootId; 4]>,
    },
}

/// What comes next for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing, up to the end of the log.
    Nothing,
    /// At this number, and nothing before it.
    At(Seq),
    /// It has to be looked for.
    Unknown,
}

/// The numbers of events that somebody may hear.
#[derive(Debug, Default)]
struct Trail {
    /// Up to here it is not known which they were.
    known_after: Seq,
    /// All that came since.
    seqs: VecDeque<Seq>,
}

impl Trail {
    fn add(&mut self, seq: Seq) {
        if self.seqs.back() == Some(&seq) {
            return;
        }
        self.seqs.push_back(seq);
        if self.seqs.len() > KEPT {
            self.known_after = self.seqs.pop_front().unwrap_or(self.known_after);
        }
    }

    fn begin_anew(&mut self, at: Seq) {
        self.known_after = at;
        self.seqs.clear();
    }

    fn next(&self, after: Seq) -> Next {
        if after < self.known_after {
            return Next::Unknown;
        }
        let next = self.seqs.partition_point(|seq| *seq <= after);
        self.seqs
            .get(next)
            .map_or(Next::Nothing, |seq| Next::At(*seq))
    }
}

#[derive(Debug)]
struct Followed {
    trail: Trail,
    by: usize,
}

/// The trails of a room.
#[derive(Debug, Default)]
pub(crate) struct Trails {
    public: Trail,
    roots: HashMap<RootId, Followed>,
}

impl Trails {
    /// Somebody begins to listen, where the log ends at `here`.
    pub(crate) fn follow(&mut self, roots: &[RootId], here: Seq) {
        for root in roots {
            let followed = self.roots.entry(*root).or_insert_with(|| {
                let mut trail = Trail::default();
                trail.begin_anew(here);
                Followed { trail, by: 0 }
            });
            followed.by += 1;
        }
    }

    /// And ends.
    pub(crate) fn leave(&mut self, roots: &[RootId]) {
        for root in roots {
            if let Some(followed) = self.roots.get_mut(root) {
                followed.by -= 1;
                if followed.by == 0 {
                    self.roots.remove(root);
                }
            }
        }
    }

    /// Notes what comes next in the log. Who may hear it?
    pub(crate) fn note<'a>(&mut self, events: impl Iterator<Item = &'a Event>) -> Call {
        let (mut public, mut called) = (false, SmallVec::new());
        for event in events {
            if event.public_frame.is_some() {
                public = true;
                self.public.add(event.seq);
            }
            for root in event.own.iter().flat_map(|own| own.roots()) {
                if let Some(followed) = self.roots.get_mut(&root) {
                    followed.trail.add(event.seq);
                    if !called.contains(&root) {
                        called.push(root);
                    }
                }
            }
        }
        Call::Some {
            public,
            roots: called,
        }
    }

    /// The log ends at `here`, and what came before is not known.
    pub(crate) fn begin_anew(&mut self, here: Seq) {
        let roots = self.roots.values_mut().map(|followed| &mut followed.trail);
        roots
            .chain([&mut self.public])
            .for_each(|trail| trail.begin_anew(here));
    }

    /// What comes next after `after`.
    pub(crate) fn next(&self, hears: &Hears, after: Seq) -> Next {
        let roots = match hears {
            Hears::Staff => return Next::Unknown,
            Hears::Public => return self.public.next(after),
            Hears::Own(roots) => roots,
        };
        let mut first = Next::Nothing;
        for root in roots {
            let next = self.roots.get(root).map(|it| it.trail.next(after));
            first = match (first, next.unwrap_or(Next::Unknown)) {
                (_, Next::Unknown) => return Next::Unknown,
                (first, Next::Nothing) => first,
                (Next::At(one), Next::At(other)) => Next::At(one.min(other)),
                (_, other) => other,
            };
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::event::{Own, Told};
    use crate::fixtures::event;

    const ONE: RootId = RootId(Uuid::from_u128(1));
    const OTHER: RootId = RootId(Uuid::from_u128(2));

    fn about(seq: Seq, roots: &[RootId]) -> Event {
        let now = Some(Told {
            roots: roots.into(),
            frame: "{}".into(),
        });
        Event {
            own: Some(Arc::new(Own { now, left: None })),
            ..event(seq)
        }
    }

    fn note(trails: &mut Trails, event: &Event) -> Call {
        trails.note([event].into_iter())
    }

    fn call(public: bool, roots: &[RootId]) -> Call {
        Call::Some {
            public,
            roots: roots.into(),
        }
    }

    #[test]
    fn who_is_concerned_is_called_and_nobody_else() {
        let mut trails = Trails::default();
        trails.follow(&[ONE], 0);
        trails.follow(&[ONE, OTHER], 0);
        assert_eq!(note(&mut trails, &event(1)), call(false, &[]));
        assert_eq!(
            note(&mut trails, &about(2, &[OTHER])),
            call(false, &[OTHER])
        );
        let public = Event {
            public_frame: Some("{}".into()),
            ..about(3, &[ONE])
        };
        assert_eq!(note(&mut trails, &public), call(true, &[ONE]));
        trails.leave(&[ONE, OTHER]);
        assert_eq!(note(&mut trails, &about(4, &[OTHER])), call(false, &[]));
        assert_eq!(note(&mut trails, &about(5, &[ONE])), call(false, &[ONE]));
    }

    #[test]
    fn the_next_is_known_without_looking_as_far_as_it_was_noted() {
        let mut trails = Trails::default();
        let (one, both) = (Hears::Own([ONE].into()), Hears::Own([ONE, OTHER].into()));
        assert_eq!(
            trails.next(&one, 9),
            Next::Unknown,
            "nobody follows it here"
        );
        trails.follow(&[ONE], 5);
        assert_eq!(trails.next(&one, 4), Next::Unknown);
        assert_eq!(trails.next(&one, 5), Next::Nothing);
        trails.follow(&[OTHER], 5);
        note(&mut trails, &about(7, &[OTHER]));
        note(&mut trails, &about(9, &[ONE]));
        assert_eq!(trails.next(&one, 5), Next::At(9));
        assert_eq!(trails.next(&both, 5), Next::At(7));
        assert_eq!(trails.next(&both, 7), Next::At(9));
        assert_eq!(trails.next(&both, 9), Next::Nothing);
        assert_eq!(trails.next(&Hears::Staff, 9), Next::Unknown);
        assert_eq!(trails.next(&Hears::Public, 0), Next::Nothing);
        trails.begin_anew(20);
        assert_eq!(trails.next(&both, 19), Next::Unknown);
        assert_eq!(trails.next(&both, 20), Next::Nothing);
    }

    #[test]
    fn a_trail_is_bounded() {
        let mut trails = Trails::default();
        trails.follow(&[ONE], 0);
        let last = 3 * Seq::try_from(KEPT).unwrap();
        for seq in 1..=last {
            note(&mut trails, &about(seq, &[ONE]));
        }
        let one = Hears::Own([ONE].into());
        let first = last - Seq::try_from(KEPT).unwrap();
        assert_eq!(trails.next(&one, first - 1), Next::Unknown);
        assert_eq!(trails.next(&one, first), Next::At(first + 1));
        assert_eq!(trails.roots[&ONE].trail.seqs.len(), KEPT);
    }
}
