//! What hosts do on a Friday night: parties come, are noted, called, seated and leave; tables are
//! cleared and moved; lists are read. Each change is chosen by what is believed of the floor, so
//! that most of them can be done; that some cannot is part of the night.

use std::cell::RefCell;
use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;
use wire::Seq;

use super::arrivals::Turn;
use super::clock;
use super::frame_text::Mark;
use super::host_choices::{Floor, Wish};
use super::link::Answer;
use super::mix::{Kind, MIX};
use super::report::Operation;
use super::requests::Work;
use super::restaurant::House;
use crate::latency::Latency;

/// All hosts of all restaurants.
pub(crate) struct Hosts {
    houses: Vec<House>,
    state: RefCell<State>,
}

struct State {
    random: StdRng,
    floors: Vec<Floor>,
    /// What was asked for and is not answered, by the number of the turn, and where.
    asked: HashMap<u64, (usize, Wish)>,
    figures: HashMap<Kind, Figures>,
    fault: Option<String>,
}

struct Figures {
    latency: Latency,
    conflicts: u64,
}

impl Hosts {
    /// Hosts for these restaurants, whose tables have these ids.
    pub(crate) fn new(houses: Vec<House>, tables: &[Vec<Uuid>], seed: u64) -> anyhow::Result<Self> {
        let figures = MIX.iter().map(|(kind, ..)| {
            let (latency, conflicts) = (Latency::new()?, 0);
            Ok((*kind, Figures { latency, conflicts }))
        });
        Ok(Self {
            houses,
            state: RefCell::new(State {
                random: StdRng::seed_from_u64(seed),
                floors: tables.iter().map(|ids| Floor::new(ids)).collect(),
                asked: HashMap::new(),
                figures: figures.collect::<anyhow::Result<_>>()?,
                fault: None,
            }),
        })
    }

    pub(crate) fn houses(&self) -> &[House] {
        &self.houses
    }

    /// The figures of each kind of request.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let state = self.state.borrow();
        let operations = MIX.iter().filter_map(|(kind, name, _)| {
            let figures = state.figures.get(kind)?;
            Some(Operation {
                name,
                conflicts: figures.conflicts,
                latency: figures.latency.summary(),
            })
        });
        operations.collect()
    }

    /// Changes that were acknowledged but have no place of their own in the log, which ends there.
    pub(crate) fn lost(&self, heads: &[Seq]) -> usize {
        let state = self.state.borrow();
        let floors = state.floors.iter().zip(heads);
        floors.map(|(floor, head)| floor.homeless(*head)).sum()
    }

    /// What could not be understood.
    pub(crate) fn fault(&self) -> Option<String> {
        self.state.borrow().fault.clone()
    }
}

impl Work for Hosts {
    fn ask(&self, turn: Turn, worker: usize, request: &mut Vec<u8>) -> bool {
        let state = &mut *self.state.borrow_mut();
        let index = state.random.random_range(0..self.houses.len().max(1));
        let (Some(house), Some(floor)) = (self.houses.get(index), state.floors.get_mut(index))
        else {
            return false;
        };
        let at = turn.at;
        let mark = Mark { at, worker };
        let wish = floor.wish(mark, &mut state.random);
        let path = house.api.path(&wish.path);
        house.request(wish.method, &path, "", &wish.body, request);
        state.asked.insert(turn.number, (index, wish));
        true
    }

    fn answer(&self, turn: Turn, answer: &Answer<'_>) {
        let state = &mut *self.state.borrow_mut();
        let Some((index, wish)) = state.asked.remove(&turn.number) else {
            return;
        };
        if let Some(figures) = state.figures.get_mut(&wish.kind) {
            figures.latency.record(clock::since(turn.at));
            figures.conflicts += u64::from(answer.status == 409);
        }
        if let Some(floor) = state.floors.get_mut(index)
            && let Err(error) = floor.follow(&wish, Some(answer))
        {
            state.fault = Some(format!("{:?}: {error:#}", wish.kind));
        }
    }

    fn fail(&self, turn: Turn) {
        let state = &mut *self.state.borrow_mut();
        if let Some((index, wish)) = state.asked.remove(&turn.number)
            && let Some(floor) = state.floors.get_mut(index)
            && let Err(error) = floor.follow(&wish, None)
        {
            state.fault = Some(format!("{:?}: {error:#}", wish.kind));
        }
    }
}
