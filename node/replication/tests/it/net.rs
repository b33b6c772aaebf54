//! The simulated network: messages with delay, loss, reordering, and partitions.
//!
//! It carries any message between numbered nodes and knows nothing of sync. Time is virtual.

use std::collections::{BTreeMap, BTreeSet};

use replication::Millis;

use super::random::Random;

/// How bad the network is.
#[derive(Clone, Copy)]
pub struct Weather {
    /// Percent of messages that never arrive.
    pub loss: u64,
    /// Shortest and longest delay in milliseconds; the spread is what reorders messages.
    pub delay: (u64, u64),
}

pub struct Net<M> {
    pub now: Millis,
    pub random: Random,
    pub weather: Weather,
    lines: BTreeSet<(usize, usize)>,
    /// Nodes of different sides do not hear each other.
    sides: BTreeMap<usize, u8>,
    queue: BTreeMap<(Millis, u64), Letter<M>>,
    posted: u64,
}

pub struct Letter<M> {
    pub from: usize,
    pub to: usize,
    pub message: M,
}

impl<M> Net<M> {
    pub fn new(seed: u64, weather: Weather) -> Self {
        Self {
            now: Millis(0),
            random: Random::new(seed),
            weather,
            lines: BTreeSet::new(),
            sides: BTreeMap::new(),
            queue: BTreeMap::new(),
            posted: 0,
        }
    }

    pub fn connect(&mut self, a: usize, b: usize) {
        self.lines.insert((a.min(b), a.max(b)));
    }

    pub fn connected(&self, a: usize, b: usize) -> bool {
        self.lines.contains(&(a.min(b), a.max(b)))
    }

    /// Puts a node on a side; all begin on side 0.
    pub fn part(&mut self, node: usize, side: u8) {
        self.sides.insert(node, side);
    }

    pub fn hears(&self, a: usize, b: usize) -> bool {
        let side = |node| self.sides.get(&node).copied().unwrap_or(0);
        self.connected(a, b) && side(a) == side(b)
    }

    /// Whether the weather takes one message.
    pub fn lost(&mut self) -> bool {
        let loss = self.weather.loss;
        self.random.percent(loss)
    }

    pub fn delay(&mut self) -> u64 {
        let (least, most) = self.weather.delay;
        least + self.random.below(most - least + 1)
    }

    /// Sends a message that may be lost, delayed and overtaken.
    pub fn send(&mut self, from: usize, to: usize, message: M) {
        if self.hears(from, to) && !self.lost() {
            let at = self.now.after(self.delay());
            self.post(at, from, to, message);
        }
    }

    /// Delivers a message at a time, whatever the weather.
    pub fn post(&mut self, at: Millis, from: usize, to: usize, message: M) {
        self.posted += 1;
        self.queue.insert((at, self.posted), Letter { from, to, message });
    }

    /// The next message, the clock moved on to it.
    pub fn next(&mut self) -> Option<Letter<M>> {
        let ((at, _), letter) = self.queue.pop_first()?;
        self.now = at;
        Some(letter)
    }
}
